from odoo import api, models
from odoo.fields import Domain
from odoo.tools.misc import unquote


class GrantDocumentMixin(models.AbstractModel):
    """What every document and line of grants has: guarded and frozen fields, amounts that are
    money, roles and states, fields for the portal, changes that concern others, seals."""

    _name = "grant.document.mixin"
    _description = "Grant Document"
    # Guarded before waking: nobody is woken with the transition still in the context.
    _inherit = [
        "grant.money.mixin", "grant.guarded.mixin", "grant.waking.mixin", "grant.acting.mixin",
        "grant.disclosed.mixin", "grant.sealed.mixin",
    ]  # fmt: skip
    # Commands inside another record's values have the rights of who calls: some of Odoo's methods
    # write with all rights what a caller sends them.
    _allow_sudo_commands = False

    def _keeps_file(self, _file):
        """Whether an attachment of this document stays as it is (:mod:`ir_attachment`)."""
        return False

    @api.model
    def _check_company_domain(self, companies):
        if companies == "":
            # What a new document may choose when it has its company from what it chooses: of the
            # user's companies. Odoo would offer what is of no company, which here is nothing.
            return Domain("company_id", "in", unquote("allowed_company_ids"))
        return super()._check_company_domain(companies)
