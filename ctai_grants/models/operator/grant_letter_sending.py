import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..guard.dates import say_day

_logger = logging.getLogger(__name__)


class GrantLetter(models.Model):
    """From the queue to Odoo's mails: written in the operator's language, with its PDF."""

    _inherit = "grant.letter"

    # ------------------------------------------------------------------
    # What it says
    # ------------------------------------------------------------------

    @api.model
    def _get_names(self, kind):
        """The names that the wording of such a letter may use."""
        if kind in ("reminder", "sent_back"):
            return ["city", "operator", "title", "intro", "pieces"]
        names = [
            "city", "operator", "subsidy", "code", "amount", "contract", "decision_number",
            "decision_date", "convention", "coordinator", "link",
        ]  # fmt: skip
        if kind == "payment":
            names += ["tranche", "paid_amount", "paid_date", "order_number", "reference"]
        if kind == "closing":
            names += ["paid_amount", "closing_date"]
        return names

    def _get_values(self):
        """What these names stand for, in the language of the context."""
        subsidy = self.subsidy_id
        values = {
            "city": self.company_id.name,
            "operator": self.partner_id.name,
            "subsidy": subsidy.name,
            "code": subsidy.code,
            "amount": subsidy.currency_id.format(subsidy.amount),
            "contract": subsidy.contract_id.name,
            "decision_number": subsidy.decision_number,
            "decision_date": say_day(self.env, subsidy.decision_date),
            "convention": subsidy.convention_reference,
            "coordinator": subsidy._get_coordinator().name or self.company_id.name,
            "link": f"{subsidy.get_base_url()}/my/subsidies/{subsidy.id}",
            **self._get_own_values(),
        }
        # What is not known is a dash, not “False”.
        return {name: values[name] or "–" for name in self._get_names(self.kind)}

    def _get_own_values(self):
        subsidy, tranche = self.subsidy_id, self.disbursement_id
        if not tranche:
            return {
                "paid_amount": subsidy.currency_id.format(subsidy._get_net_paid_amount()),
                "closing_date": say_day(self.env, subsidy._get_day(self.decision_id.decided_at)),
            }
        return {
            "tranche": tranche.name,
            "paid_amount": tranche.currency_id.format(tranche.amount - tranche.reduced_amount),
            "paid_date": say_day(self.env, tranche.paid_date),
            "order_number": tranche.order_number,
            "reference": tranche.payment_reference,
        }

    @api.model
    def _write_letter(self, letter):
        subject, content = (
            self.env["mail.template"]
            .with_env(letter.env)
            ._word_letter(letter.kind, letter._get_values())
        )
        values = {"intro": "", "items": [], "content": content}
        return subject, "operator_mail_letter", values

    def _compose(self):
        """The mail of this letter (in sudo), saved or not.

        :raise UserError: its wording is empty
        """
        reminders = self.env["grant.reminder"]
        [mail] = reminders._address(self, self._write_letter)
        if not mail.addresses:
            raise UserError(
                self.env._(
                    "%s has nobody to write to: no person with access and a mail address, and no "
                    "mail address of its own. Enter one, then send the letter again.",
                    self.partner_id.display_name,
                )
            )
        return mail

    def _make_pdf(self):
        """Name and PDF that go with this letter, or nothing.

        :raise UserError: no PDF can be made of it
        """
        if not (xmlid := self._get_kinds()[self.kind].report):
            return None
        name = self.env.ref(xmlid).report_name.rpartition(".")[2]
        return getattr(self._get_document(), f"_print_{name}")()

    # ------------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------------

    @api.model
    def _cron_send(self):
        """As soon as letters are queued: give them to Odoo's mails, each in a transaction of its
        own."""
        cron = self.env["ir.cron"]
        letters = self.sudo().search([("state", "=", "queued")], order="id")  # sudo: the cron's own
        cron._commit_progress(remaining=len(letters))
        for letter in letters:
            # Another worker may be at it, or has been.
            mine = letter.try_lock_for_update()
            mine.invalidate_recordset(["state"])
            mine.filtered(lambda one: one.state == "queued")._send_safely()
            if not cron._commit_progress(1):
                return

    def _send_safely(self):
        for letter in self:
            # Jobs have no language: that of who sent it, for what is said of it.
            lang = letter.user_id.lang or letter.company_id.partner_id.lang
            letter = letter.with_context(lang=lang or "fr_FR")
            try:
                with self.env.cr.savepoint():
                    letter._send_one()
            except psycopg2.OperationalError:
                # Somebody else was at it: the job begins again.
                raise
            except UserError as error:
                letter._block(str(error))
            except Exception as error:
                _logger.exception("%s is not sent", letter)
                letter._block(str(error))

    def _send_one(self):
        """Write this letter and give it to the queue of mails, with its PDF."""
        document = self._get_document()
        obstacle = self._get_obstacle(self.kind, document)
        if obstacle or self._get_occasions(self.kind, document)[document.id] != self.decision_id:
            self.write({"state": "cancelled", "problem": obstacle or self._say_undone()})
            return
        mail = self._compose()
        file = self._attach_pdf()
        reminders = self.env["grant.reminder"]
        [message] = reminders._send([mail._replace(files=file)]).values()
        self.write(
            {
                "state": "outgoing", "problem": False, "sent_at": fields.Datetime.now(),
                "recipients": ", ".join(mail.addresses), "attachment_id": file.id,
                "message_id": message.id, "mail_id": message.mail_ids[:1].id,
            }
        )  # fmt: skip
        if not self._get_stuck(self.subsidy_id):
            self.subsidy_id.activity_unlink(["ctai_grants.mail_activity_letter"])

    def _say_undone(self):
        return self.env._("What it tells was taken back since, and done anew.")

    @api.model
    def _get_stuck(self, subsidy):
        stuck = [("subsidy_id", "=", subsidy.id), ("state", "in", ("blocked", "failed"))]
        return self.search(stuck, limit=1)

    def _attach_pdf(self):
        pdf = self._make_pdf()
        files = self.env["ir.attachment"]
        if not pdf:
            return files
        name, content = pdf
        return files.create(
            {
                "name": f"{name}.pdf", "raw": content, "mimetype": "application/pdf",
                # Of the letter: nobody may take it away.
                "res_model": self._name, "res_id": self.id,
            }
        )  # fmt: skip

    def _block(self, problem):
        """Note why it does not leave, and ask the coordinator to see to it."""
        self.write({"state": "blocked", "problem": problem})
        self._ask_coordinator()

    def _ask_coordinator(self):
        for company, letters in self.grouped("company_id").items():
            reminders = self.env["grant.reminder"]
            reminders._leave_activities(
                "letter", letters.subsidy_id, reminders._say_letter, company._grant_today()
            )

    def _follow_mail(self, state):
        """Note what became of the mails of these letters."""
        for letter in self.filtered(lambda one: one.state != state):
            failed = state == "failed"
            problem = letter.mail_id.failure_reason if failed else False
            letter.write({"state": state, "problem": problem})
            if failed:
                letter._ask_coordinator()
            elif state == "sent" and not self._get_stuck(letter.subsidy_id):
                letter.subsidy_id.activity_unlink(["ctai_grants.mail_activity_letter"])
