from odoo import api, fields, models
from odoo.exceptions import UserError


class GrantDateCorrection(models.TransientModel):
    """Asks which legal date of a document is wrong, the right day and the reason; shows what the
    correction changes."""

    _name = "grant.date.correction"
    _description = "Correction of a Date"
    _inherit = ["grant.text.mixin"]

    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", required=True, readonly=True)
    # Not in sudo: over RPC, a wizard can be opened on any document.
    document = fields.Char(compute="_compute_document", compute_sudo=False)
    date_names = fields.Json(compute="_compute_document", compute_sudo=False)
    date_name = fields.Selection(selection="_get_date_names", string="Date", required=True)
    date_before = fields.Date(string="Until Now", compute="_compute_changes", compute_sudo=False)
    date = fields.Date(
        string="Right Day", help="Empty: it was not done, or nobody knows when."
    )
    reason = fields.Text(required=True)
    changes = fields.Text(
        string="What It Changes", compute="_compute_changes", compute_sudo=False
    )

    @api.model
    def _get_date_names(self):
        dates = self.env["grant.subsidy"]._get_legal_dates()
        labels = self.env["grant.subsidy"].fields_get(dates, ["string"])
        return [(name, labels[name]["string"]) for name in dates]

    def _get_document(self):
        """The document, none where its dates are not corrected so (an RPC payload names a model).
        """
        documents = self.env.get(self.res_model or "")
        corrected = documents is not None and hasattr(documents, "_get_correctable_dates")
        return documents.browse(self.res_id) if corrected and self.res_id else None

    @api.depends("res_model", "res_id")
    def _compute_document(self):
        for wizard in self:
            document = wizard._get_document()
            wizard.document = document and document.display_name
            wizard.date_names = document and list(document._get_correctable_dates()) or []

    @api.depends("res_model", "res_id", "date_name", "date")
    def _compute_changes(self):
        for wizard in self:
            document, name = wizard._get_document(), wizard.date_name
            chosen = name in (wizard.date_names or ())
            before = document[name] if chosen else False
            wizard.date_before = before
            changes = []
            if chosen and wizard.date != before:
                changes = [
                    document._get_correction_sentence(name, wizard.date),
                    *document._get_consequences(name, wizard.date),
                ]
            wizard.changes = "\n".join(f"• {sentence}" for sentence in changes)

    def action_confirm(self):
        """Correct the date; see :meth:`grant.corrected.mixin._do_correct_date` for what it
        refuses."""
        self.ensure_one()
        document = self._get_document()
        if document is None:
            raise UserError(self.env._("There is no such action on this document."))
        document._do_correct_date(self.date_name, self.date, self.reason)
        return {"type": "ir.actions.act_window_close"}
