from odoo import api, fields, models


class GrantDecision(models.Model):
    """Who decided what, when and why, on a subsidy and its documents.

    Written once, by :meth:`_record`: to change a decision is to take another (R5). The database
    refuses updates and deletions (``append_only.sql``). What is decided on the documents of a
    higher layer, that layer adds.
    """

    _name = "grant.decision"
    _description = "Grant Decision"
    _inherit = ["grant.append.only.mixin"]
    _order = "decided_at desc, id desc"
    _rec_name = "decision"
    # Who decided, and when, are fields of its own.
    _log_access = False

    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    decision = fields.Selection(
        [
            ("granted", "Granted"),
            ("signed", "Signed"),
            ("closed", "Closed Out"),
            ("reopened", "Reopened"),
            ("corrected", "Date Corrected"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Text(readonly=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    decided_at = fields.Datetime(required=True, readonly=True)
    subject = fields.Char(compute="_compute_subject")

    @api.model
    def _get_document_fields(self):
        """Names of the fields that say which document a decision is about, before its subsidy."""
        return []

    @api.model
    def _get_chained_fields(self):
        return [*self._get_document_fields(), "subsidy_id"]

    @api.depends(lambda self: ["subsidy_id", *self._get_document_fields()])
    def _compute_subject(self):
        for decision in self:
            decision.subject = decision._get_document().display_name

    @api.depends("decision", "subject")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["decision"]._description_selection(self.env))
        for decision in self:
            decision.display_name = f"{labels.get(decision.decision, '')} – {decision.subject}"

    def _get_document(self):
        """The document that was decided on."""
        self.ensure_one()
        documents = (self[name] for name in self._get_document_fields())
        return next(filter(None, documents), self.subsidy_id)

    @api.model
    def _record(self, decision, subsidy, reason=None, **details):
        """Record a decision of the present user, now.

        :param str decision: a value of the field of that name
        :param subsidy: the subsidy (one record) it is about
        :param details: other fields: the document it is about (an id), and what of it
        """
        return self._append(self._prepare(decision, subsidy, reason, **details))

    @api.model
    def _prepare(self, decision, subsidy, reason=None, **details):
        """Values of a decision of the present user, now: as of :meth:`_record`."""
        return {
            "decision": decision,
            "subsidy_id": subsidy.id,
            "company_id": subsidy.company_id.id,
            "reason": reason or False,
            # sudo() in a caller keeps the user: the one who pressed the button
            "user_id": self.env.uid,
            "decided_at": fields.Datetime.now(),
            **details,
        }
