from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools.misc import clean_context

from .grant_guarded_mixin import TRANSITION


class GrantAppendOnlyMixin(models.AbstractModel):
    """Lines that documents add and nobody changes: ledger entries, decisions, versions.

    The database refuses updates and deletions too (``grant_entry_schema.sql``).
    """

    _name = "grant.append.only.mixin"
    _description = "Append-only lines"

    @api.private
    @api.model_create_multi
    def create(self, vals_list):
        if self.env.context.get("grant_transition") is not TRANSITION:
            self._refuse()
        return super().create(vals_list)

    def write(self, vals):
        if vals:
            self._refuse()
        return super().write(vals)

    def unlink(self):
        if self:
            self._refuse()
        return super().unlink()

    def _refuse(self):
        raise AccessError(
            self.env._(
                "%(model)s: lines are added by their documents' buttons, and never typed in, "
                "imported, changed or deleted. Correct one with another.",
                # sudo: the name only
                model=self.env["ir.model"]._get(self._name).sudo().name,
            )
        )

    @api.model
    def _append(self, vals):
        """Add a line: the documents' methods only."""
        # Not with the defaults that a client sends: they would say what a decision is about.
        context = clean_context(self.env.context)
        line = self.with_context(context, grant_transition=TRANSITION).create(vals)
        return line.with_env(self.env)
