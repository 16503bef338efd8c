from odoo import api, fields, models

#: The documents, with the number that their codes have: never another one.
KINDS = [
    ("convention", "Convention", 1, "grant.subsidy"),
    ("award_notice", "Award Notice", 2, "grant.subsidy"),
    ("amendment", "Amendment", 3, "grant.amendment"),
    ("payment_certificate", "Payment Certificate", 4, "grant.disbursement"),
    ("payment_notice", "Notice of Payment", 5, "grant.disbursement"),
    ("recovery_letter", "Recovery Letter", 6, "grant.recovery"),
    ("order_batch", "List of the Orders of a Batch", 7, "grant.order.batch"),
    ("financial_report", "Financial Report", 8, "grant.financial.report"),
]
#: Kind: (number, model).
CODES = {kind: (number, model) for kind, _label, number, model in KINDS}


class GrantDocumentWording(models.Model):
    """The city's own words on one kind of document. What is empty here is as we word it."""

    _name = "grant.document.wording"
    _description = "Wording of a Document"
    _order = "company_id, kind"
    _inherit = ["grant.text.mixin"]

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="cascade",
        index=True,
    )  # fmt: skip
    kind = fields.Selection(
        [(kind, label) for kind, label, *_rest in KINDS], string="Document", required=True
    )
    heading = fields.Char(translate=True, help="In the place of the title of the document.")
    grounds = fields.Text(
        string="Legal Grounds",
        translate=True,
        help="Visas and the like, one paragraph each, between empty lines.",
    )
    clauses = fields.Text(
        translate=True,
        help="Of a convention: the articles after those that are made of the subsidy's figures. "
        "One paragraph each, its first line is the title of the article.",
    )
    signatory = fields.Text(
        translate=True, help="Who signs for the city, one line each: “For the mayor,”…"
    )
    footer = fields.Char(translate=True, help="At the foot of each page, on the left.")

    _kind_uniq = models.UniqueIndex(
        "(company_id, kind)", "The wording of this document is there already: change it."
    )

    @api.depends("kind")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for wording in self:
            wording.display_name = labels.get(wording.kind)

    @api.model
    def _get_words(self, company, kind):
        """What a document of ``kind`` says in the city's own words, in the language of the
        context: dict of the texts that are not empty."""
        # sudo: what is printed on documents that the user may read
        wording = self.sudo().search([("company_id", "=", company.id), ("kind", "=", kind)])
        names = ("heading", "grounds", "clauses", "signatory", "footer")
        return {name: wording[name].strip() for name in names if (wording[name] or "").strip()}
