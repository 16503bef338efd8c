from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class Kind(NamedTuple):
    """What a letter is about: documents of a model, the decision it tells, in which states; and
    the report (its xmlid) that goes with it."""

    model: str
    decision: str | None
    states: tuple
    report: str | None = None


class GrantLetter(models.Model):
    """A letter to an operator: queued by a person, or by the act that it tells; given to Odoo's
    mails once that has committed.

    One row a kind and decision: the index refuses a second one, whoever makes it. To send it again
    is a row of its own, with a reason.
    """

    _name = "grant.letter"
    _description = "Letter to an Operator"
    _inherit = ["grant.acting.mixin"]
    _order = "id desc"
    _log_access = False

    _mails_about = "money"

    kind = fields.Selection(
        [("payment", "Payment Made"), ("closing", "Closing")], required=True, readonly=True
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="cascade", index=True
    )
    disbursement_id = fields.Many2one(
        "grant.disbursement", string="Tranche", readonly=True, ondelete="cascade",
        index="btree_not_null",
    )  # fmt: skip
    decision_id = fields.Many2one(
        "grant.decision", string="What It Tells", required=True, readonly=True, ondelete="restrict"
    )
    sending = fields.Integer(
        required=True, readonly=True, default=1, aggregator=None,
        help="1: the first time; above: sent again, for the reason that is given.",
    )  # fmt: skip
    reason = fields.Text(string="Sent Again Because", readonly=True)
    partner_id = fields.Many2one(
        related="subsidy_id.partner_id", store=True, precompute=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True, precompute=True)
    user_id = fields.Many2one(
        "res.users", string="Sent By", readonly=True, ondelete="restrict",
        help="Of an automatic one: who did what it tells.",
    )  # fmt: skip
    is_automatic = fields.Boolean(string="Automatic", readonly=True)
    state = fields.Selection(
        [
            ("queued", "Waiting"),
            ("outgoing", "On Its Way"),
            ("sent", "Sent"),
            ("failed", "Not Delivered"),
            ("blocked", "To Be Mended"),
            ("cancelled", "Not Sent"),
        ],
        required=True,
        readonly=True,
        default="queued",
        index=True,
    )
    problem = fields.Text(readonly=True, help="Why it did not leave.")
    queued_at = fields.Datetime(readonly=True, string="Asked On")
    sent_at = fields.Datetime(readonly=True, string="Sent On")
    recipients = fields.Char(string="To", readonly=True)
    mail_id = fields.Many2one(
        "mail.mail", string="Mail in the Queue", readonly=True, ondelete="set null",
        index="btree_not_null",
    )  # fmt: skip
    message_id = fields.Many2one("mail.message", string="Mail", readonly=True, ondelete="set null")
    attachment_id = fields.Many2one(
        "ir.attachment", string="PDF", readonly=True, ondelete="set null"
    )

    _once = models.UniqueIndex(
        "(kind, decision_id, sending)", "This letter was sent already: send it again with a reason."
    )

    @api.depends("kind", "subsidy_id.code", "disbursement_id.name")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for letter in self:
            about = letter.disbursement_id.name
            parts = (labels.get(letter.kind), letter.subsidy_id.code, about)
            letter.display_name = " – ".join(filter(None, parts))

    # ------------------------------------------------------------------
    # Kinds
    # ------------------------------------------------------------------

    @api.model
    def _get_kinds(self):
        """What is sent: dict {kind: :class:`Kind`}."""
        return {
            "payment": Kind(
                "grant.disbursement", "paid", ("paid",), "ctai_grants.report_payment_notice"
            ),
            "closing": Kind("grant.subsidy", "closed", ("closed",)),
            # Sent as the scheduled action does, with its rows.
            "reminder": Kind("grant.deliverable", None, ()),
        }

    @api.model
    def _get_kind_label(self, kind):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        return labels.get(kind) or self.env._("Reminder")

    def _get_document(self):
        """What this letter is about."""
        return self.disbursement_id or self.subsidy_id

    @api.model
    def _get_occasions(self, kind, documents):
        """The last decision of each document that such a letter tells: dict, without those of
        which none was taken."""
        decisions = self.env["grant.decision"].sudo()  # sudo: of documents that the user reads
        key = documents._decision_key
        domain = [
            (key, "in", documents.ids), ("decision", "=", self._get_kinds()[kind].decision),
            *documents._get_decisions_domain(),
        ]  # fmt: skip
        return {decision[key].id: decision for decision in decisions.search(domain, order="id")}

    @api.model
    def _prepare(self, kind, document, decision, **values):
        """Values of a letter about a document."""
        return {
            "kind": kind,
            "subsidy_id": document._get_decided_subsidy().id,
            "disbursement_id": document.id if document._name == "grant.disbursement" else False,
            "decision_id": decision.id,
            "user_id": self.env.uid,
            "queued_at": fields.Datetime.now(),
            **values,
        }

    @api.model
    def _get_obstacle(self, kind, document):
        """Why such a letter about this document makes no sense now: a sentence, or nothing."""
        subsidy = document._get_decided_subsidy()
        about = {"letter": self._get_kind_label(kind), "document": document.display_name}
        if subsidy.kind != "operator":
            return self.env._("%(document)s: a cost of the city has no letters.", **about)
        if document.state not in self._get_kinds()[kind].states:
            return self.env._(
                "%(document)s is in the state “%(state)s”: the letter “%(letter)s” is not sent.",
                state=document._get_state_label(),
                **about,
            )
        if not subsidy.active or subsidy.state == "cancelled":
            return self.env._(
                "%(subsidy)s is cancelled or archived: the letter “%(letter)s” is not sent.",
                subsidy=subsidy.display_name,
                **about,
            )
        return False

    @api.model
    def _get_sent_already(self, kind, occasions):
        """The last letter of such a kind about each of these decisions: dict {decision: letter}."""
        letters = self.sudo().search(  # sudo: of documents that the user reads
            [("kind", "=", kind), ("decision_id", "in", [one.id for one in occasions.values()])],
            order="sending",
        )
        return {letter.decision_id: letter for letter in letters}

    def _say_sent_already(self):
        if self.state in ("blocked", "failed", "cancelled"):
            return self.env._(
                "“%(letter)s” did not leave: %(problem)s Open it in the list of letters, and send "
                "it again.",
                letter=self.display_name,
                problem=self.problem or "–",
            )
        when = self.sent_at or self.queued_at
        return self.env._(
            "“%(letter)s” was sent already, on %(date)s. To send it again, open it in the list of "
            "letters and say why.",
            letter=self.display_name,
            date=format_date(self.env, when),
        )

    # ------------------------------------------------------------------
    # Before it is sent
    # ------------------------------------------------------------------

    @api.model
    def _preview(self, kind, documents):
        """The letters as they would leave now: a list of values of ``grant.letter.window.line``."""
        if kind == "reminder":
            return self.env["grant.reminder"]._preview_by_hand(documents)
        occasions = self._get_occasions(kind, documents)
        told = self._get_sent_already(kind, occasions)
        has_pdf = bool(self._get_kinds()[kind].report)
        return [
            {
                "res_id": document.id,
                "document": document.display_name,
                "partner_id": document._get_decided_subsidy().partner_id.id,
                "has_pdf": has_pdf,
                "problem": False,
                **self._preview_one(kind, document, occasions.get(document.id), told),
            }
            for document in documents
        ]

    @api.model
    def _preview_one(self, kind, document, decision, told):
        if obstacle := self._get_obstacle(kind, document):
            return {"problem": obstacle}
        if decision in told:
            return {"problem": told[decision]._say_sent_already()}
        if not decision:
            return {"problem": self.env._("%s: nobody decided it.", document.display_name)}
        # sudo: names and addresses of an operator's people, for who writes to them
        letter = self.sudo().new(self._prepare(kind, document, decision))
        try:
            mail = letter._compose()
        except UserError as error:
            return {"problem": str(error)}
        return {
            "recipients": ", ".join(mail.addresses), "subject": mail.subject, "body": mail.body
        }  # fmt: skip

    # ------------------------------------------------------------------
    # Queueing
    # ------------------------------------------------------------------

    @api.model
    def _queue(self, kind, documents, is_automatic=False):
        """Have letters sent once this transaction has committed; those sent already are not sent
        again.

        :return: the new letters, in sudo
        """
        if kind == "reminder":
            return self.env["grant.reminder"]._remind_by_hand(documents)
        if not documents:
            return self.browse()
        documents._lock_in_turn()
        if is_automatic:
            documents = self._leave_out_paid_anew(kind, documents)
        occasions = self._get_occasions(kind, documents)
        told = self._get_sent_already(kind, occasions)
        values = [
            self._prepare(kind, document, occasions[document.id], is_automatic=is_automatic)
            for document in documents
            if document.id in occasions and occasions[document.id] not in told
            and not self._get_obstacle(kind, document)
        ]  # fmt: skip
        return self._add(values)

    @api.model
    def _leave_out_paid_anew(self, kind, documents):
        """Without those whose payment was told: undone and matched anew in accounting, it is the
        same money; a second letter is for somebody to send."""
        if kind != "payment":
            return documents
        told = [
            ("kind", "=", kind), ("state", "in", ("queued", "outgoing", "sent")),
            ("disbursement_id", "in", documents.ids),
        ]  # fmt: skip
        # sudo: of documents that the user reads
        return documents - self.sudo().search(told).disbursement_id.with_env(documents.env)

    @api.model
    def _add(self, values):
        # sudo: rows that only these methods write, of documents that were looked at
        letters = self.sudo().create(values)
        if letters:
            # sudo: the scheduled action's own moment
            self.env.ref("ctai_grants.ir_cron_send_letters").sudo()._trigger()
        return letters

    def action_send_again(self):
        """Send again: at once what never left, with a reason what did."""
        self.ensure_one()
        if self._needs_reason("send_again"):
            return self._ask_reason("send_again")
        return self._do_send_again(None)

    def _needs_reason(self, action):
        return any(letter.state == "sent" for letter in self)

    @asks_reason("send_again", _lt("Send the Letter Again"))
    def _do_send_again(self, reason):
        """Send again.

        :raise UserError: it is on its way, it was sent again since, or what it tells is not so
            any more
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        self._check_staff(self.env._("Sending a letter"))
        self.check_access("read")
        for letter in self.sudo():  # sudo: rows that only these methods write
            letter._lock_in_turn()
            letter._check_again()
            if letter.state == "failed" and letter.mail_id and not letter.mail_id.email_to:
                # To people with a login: their addresses are read when it leaves.
                letter.mail_id.mark_outgoing()
            elif letter.state == "sent":
                again = letter._prepare(
                    letter.kind, letter._get_document(), letter.decision_id,
                    sending=letter.sending + 1, reason=reason,
                )  # fmt: skip
                self._add([again])
            else:
                letter.mail_id.cancel()
                letter.write({"state": "queued", "problem": False})
                self.env.ref("ctai_grants.ir_cron_send_letters").sudo()._trigger()  # sudo: as above

    def _check_again(self):
        if self.state in ("queued", "outgoing"):
            raise UserError(
                self.env._("“%s” is on its way: wait what becomes of it.", self.display_name)
            )
        last = self._get_sent_already(self.kind, {0: self.decision_id})[self.decision_id]
        if last != self:
            raise UserError(last._say_sent_already())
        if obstacle := self._get_obstacle(self.kind, self._get_document()):
            raise UserError(obstacle)

    def action_open_mail(self):
        """Show the mail as it left.

        :raise UserError: no mail left
        """
        self.ensure_one().check_access("read")
        if not self.message_id:
            raise UserError(self.env._("No mail has left yet."))
        letter = self.sudo()  # sudo: a mail to an operator, for who may read what it is about
        shown = (
            self.env["grant.reminder.preview"]
            .sudo()  # a window that nobody makes by themselves
            .create(
                {
                    "partner_id": letter.partner_id.id,
                    "subject": letter.message_id.subject,
                    "recipients": letter.recipients,
                    "pieces": letter.attachment_id.name,
                    "body": letter.message_id.body,
                }
            )
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Mail to the Operator"),
            "res_model": shown._name,
            "res_id": shown.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_open_pdf(self):
        """Download the PDF that left with it.

        :raise UserError: none did
        """
        self.ensure_one().check_access("read")
        if not self.attachment_id:
            raise UserError(self.env._("No PDF left with this letter."))
        url = f"/web/content/{self.attachment_id.id}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}
