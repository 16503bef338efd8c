from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# Numbers of what is reviewed: of a piece even, of a report odd.
REVIEWS = SQL(
    """SELECT handed_in.*,
              (handed_in.submitted_at AT TIME ZONE 'UTC'
                   AT TIME ZONE COALESCE(city.tz, 'Europe/Paris'))::date
                  > handed_in.due_date AS is_late,
              COALESCE((
                  SELECT sum(tranche.amount)
                    FROM grant_disbursement tranche
                   WHERE tranche.subsidy_id = handed_in.subsidy_id AND tranche.state = 'planned'
                     AND EXISTS (
                         SELECT FROM grant_condition condition
                          WHERE condition.disbursement_id = tranche.id
                            AND condition.state = 'unmet'
                            AND (condition.deliverable_id = handed_in.deliverable_id
                                 OR handed_in.report_id IS NOT NULL AND condition.code = 'report'))
              ), 0) AS blocked_amount,
              subsidy.partner_id, subsidy.contract_id, subsidy.company_id,
              company.currency_id,
              COALESCE(subsidy.user_id, contract.user_id) AS user_id
         FROM (
               SELECT piece.id::bigint * 2 AS id, 'piece' AS kind, piece.id AS deliverable_id,
                      NULL::int AS report_id, piece.subsidy_id, piece.name, piece.type_id,
                      version.submitted_at, piece.due_date, piece.state
                 FROM grant_deliverable piece
                 JOIN grant_deliverable_version version ON version.id = piece.last_version_id
                WHERE NOT EXISTS (
                      -- The paper of a report is reviewed with it.
                      SELECT FROM grant_financial_report report
                       WHERE report.version_id = piece.last_version_id
                         AND report.hand_in = 'submitted' AND report.state = 'draft')
                UNION ALL
               SELECT report.id::bigint * 2 + 1, 'report', piece.id, report.id, report.subsidy_id,
                      COALESCE(piece.name, subsidy.name), piece.type_id,
                      report.submitted_at, piece.due_date,
                      CASE WHEN report.state = 'accepted' THEN 'accepted'
                           WHEN report.hand_in = 'to_fill' THEN 'expected'
                           ELSE report.hand_in END
                 FROM grant_financial_report report
                 JOIN grant_subsidy subsidy ON subsidy.id = report.subsidy_id
            LEFT JOIN grant_deliverable_version version ON version.id = report.version_id
            LEFT JOIN grant_deliverable piece ON piece.id = version.deliverable_id
                WHERE report.submitted_at IS NOT NULL
              ) handed_in
         JOIN grant_subsidy subsidy ON subsidy.id = handed_in.subsidy_id
         JOIN grant_contract contract ON contract.id = subsidy.contract_id
         JOIN res_company company ON company.id = subsidy.company_id
         JOIN res_partner city ON city.id = company.partner_id"""
)


class GrantReview(models.Model):
    """What operators handed in, pieces and reports in one queue: one line each, with what waits
    for it. Nothing of it is written here: its buttons are those of the piece or of the report."""

    _name = "grant.review"
    _description = "Review"
    _auto = False
    # What came first is read first.
    _order = "submitted_at, id"
    _depends = {
        "grant.deliverable": ["name", "state", "last_version_id", "type_id", "milestone_id"],
        "grant.financial.report": ["state", "hand_in", "submitted_at", "version_id"],
        "grant.disbursement": ["state", "amount"],
        "grant.condition": ["state"],
        "grant.subsidy": ["user_id", "partner_id", "name"],
    }

    kind = fields.Selection([("piece", "Piece"), ("report", "Financial Report")], readonly=True)
    name = fields.Char(string="What Was Handed In", readonly=True)
    deliverable_id = fields.Many2one("grant.deliverable", string="Piece", readonly=True)
    report_id = fields.Many2one("grant.financial.report", readonly=True)
    type_id = fields.Many2one("grant.deliverable.type", readonly=True)
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    contract_id = fields.Many2one("grant.contract", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Operator", readonly=True)
    user_id = fields.Many2one("res.users", string="Coordinator", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    submitted_at = fields.Datetime(string="Handed In On", readonly=True)
    due_date = fields.Date(readonly=True)
    is_late = fields.Boolean(string="Handed In Late", readonly=True)
    blocked_amount = fields.Monetary(
        string="Blocks", readonly=True, aggregator=None,
        help="Euros of the tranches that are not payable as long as this is not accepted. A "
        "tranche that waits for several documents counts with each of them.",
    )  # fmt: skip
    state = fields.Selection(
        [
            ("expected", "Expected"),
            ("submitted", "To Review"),
            ("accepted", "Accepted"),
            ("to_complete", "To Complete"),
            ("waived", "Waived"),
        ],
        readonly=True,
    )

    @property
    def _table_query(self):
        return REVIEWS

    # ------------------------------------------------------------------
    # Acting
    # ------------------------------------------------------------------

    def _get_document(self):
        """The report, or else the piece."""
        self.ensure_one()
        return self.report_id or self.deliverable_id

    def action_accept(self):
        """Accept: of a report, what it does is shown before.

        :raise UserError: nothing was handed in, or by the one who accepts
        :raise AccessError: the user is not a coordinator
        """
        document = self._get_document()
        return document.action_review() if self.report_id else document.action_accept()

    def action_send_back(self):
        """Ask what is missing, file by file or line by line, then send it back."""
        return self._get_document().action_send_back()

    def action_waive(self):
        """Ask for the reason, then do without this piece.

        :raise UserError: it is a report
        """
        return self._get_waivable().action_waive()

    def action_purge(self):
        """Ask for the reason, then purge the files of the last version."""
        return self.deliverable_id.action_purge()

    def _get_waivable(self):
        if self.report_id:
            raise UserError(
                self.env._("A report that was handed in is accepted or sent back, not waived.")
            )
        return self.deliverable_id

    def action_open_document(self):
        """Open the report, or else the piece, with its discussion."""
        document = self._get_document()
        return {
            "type": "ir.actions.act_window",
            "res_model": document._name,
            "res_id": document.id,
            "view_mode": "form",
        }

    # ------------------------------------------------------------------
    # Many at once
    # ------------------------------------------------------------------

    def action_accept_all(self):
        """Accept the small ones of these pieces, and name those that are left.

        :raise UserError: none of them is small
        :raise AccessError: the user is not a coordinator
        """
        self.deliverable_id._check_group("group_coordinator", self.env._("Accepting pieces"))
        refused = {review: sentence for review in self if (sentence := review._get_refusal())}
        left = "\n".join(f"• {sentence}" for sentence in refused.values())
        accepted = self.filtered(lambda review: review not in refused)
        if not accepted:
            raise UserError(
                self.env._(
                    "Nothing was accepted. Look at these one by one:\n%(left)s", left=left
                )
            )
        accepted.deliverable_id.action_accept()
        if not left:
            return True
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("Accepted: %s", len(accepted)),
                "message": self.env._("Left, to be looked at one by one:\n%(left)s", left=left),
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _get_refusal(self):
        """Why this one is not accepted together with others, in a sentence, if so."""
        about = {"piece": self.name, "operator": self.partner_id.display_name}
        if self.report_id or self.type_id == self.env.ref(
            "ctai_grants.deliverable_type_financial_report", False
        ):
            return self.env._(
                "“%(piece)s” (%(operator)s) is a financial report: what it does is looked at "
                "before.",
                **about,
            )
        if self.state != "submitted":
            return self.env._("“%(piece)s” (%(operator)s) does not wait for a review.", **about)
        if self.deliverable_id._is_author(self.env.user):
            return self.env._(
                "“%(piece)s” (%(operator)s) was handed in by you: somebody else accepts it.",
                **about,
            )
        return self._get_weight(about)

    def _get_weight(self, about):
        """Why this piece is not small, in a sentence, if so."""
        if self.type_id.code == "RIB":
            return self.env._(
                "“%(piece)s” (%(operator)s) has a bank account: it is compared with the one on "
                "file.",
                **about,
            )
        versions = self.deliverable_id.version_ids
        if versions.file_ids.filtered("purged_at"):
            return self.env._(
                "“%(piece)s” (%(operator)s) had files that were destroyed: see whether it names "
                "persons.",
                **about,
            )
        if self.deliverable_id.last_version_id.file_ids.filtered(lambda f: f.scan == "waiting"):
            return self.env._("“%(piece)s” (%(operator)s) is not scanned yet.", **about)
        if self.blocked_amount and not self.type_id.is_small:
            return self.env._(
                "“%(piece)s” (%(operator)s): %(amount)s wait for it.",
                amount=self.currency_id.format(self.blocked_amount),
                **about,
            )
        return None

    @api.model
    def _check_two_people(self, authors, document):
        """Refuse that who handed a document in accepts it, by whatever login.

        :param authors: users who handed it in, or entered it for the operator
        :raise UserError: naming the document
        """
        if self._is_among(authors, self.env.user):
            raise UserError(
                self.env._(
                    "%(document)s was handed in by you, or by another login of yours (%(login)s): "
                    "somebody else has to accept it.",
                    document=document,
                    login=", ".join(authors.mapped("login")),
                )
            )

    @api.model
    def _is_among(self, users, user):
        return user in users or user.partner_id in users.partner_id
