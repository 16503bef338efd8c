from odoo import fields, models
from odoo.exceptions import UserError

from .grant_treasury_line import BOOKABLE


class GrantTreasuryImport(models.Model):
    """Booking what was looked at: what every rule lets pass, and what is said of the rest."""

    _inherit = "grant.treasury.import"

    def action_book(self):
        """Book the payments of the preview; a line that a rule refuses says so, and stays.

        A finance manager takes back the payments that were returned, too.

        :return: True, or a notice of the lines that were refused, when others were booked
        :raise UserError: nothing to book, nothing that a rule does not refuse, or the total of the
            file is wrong
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Booking an extract")
        self._check_group("group_finance_officer", what)
        self.check_access("read")
        envelopes = self._get_lines_to_book().disbursement_id.envelope_id
        self.env["grant.entry"]._begin_posting(envelopes)
        self.lock_for_update()
        previewed = self._get_lines_to_book()
        if self.wrong_total:
            raise UserError(self.wrong_total)
        if not previewed:
            raise UserError(self.env._("There is nothing to book in this extract."))
        takes_back = self.env.user.has_group("ctai_grants.group_finance_manager")
        if not takes_back and all(line.status == "to_return" for line in previewed):
            self._check_group("group_finance_manager", self.env._("Taking payments back"))
        seen = {line._get_key(): (line.status, line.disbursement_id) for line in previewed}
        # Tranches may have been paid since: what is booked is what was seen, and still holds.
        self._refresh()
        lines = self._get_lines_to_book().filtered(
            lambda line: seen.get(line._get_key()) == (line.status, line.disbursement_id)
        )
        returns = lines.filtered(lambda line: line.status == "to_return")
        if takes_back:
            returns._take_back()
        payments = (lines - returns).grouped(
            lambda line: (line.disbursement_id, line.date, line._get_reference())
        )
        for (disbursement, date, reference), part in payments.items():
            part._book(disbursement, date, reference)
        refused = lines.filtered(lambda line: line.reason == "rule")
        if not lines.filtered(lambda line: line.status == "booked"):
            # Nothing is booked: nothing changes, and the extract stays as open as it was.
            raise UserError(refused._get_refusals() or self._get_stale_message())
        # sudo: nobody writes imports but their methods
        self.sudo()._transition(
            state="booked", booked_by_id=self.env.uid, booked_at=fields.Datetime.now()
        )
        return self._notify(refused._get_refusals()) if refused else True

    def _get_stale_message(self):
        return self.env._(
            "Nothing was booked: the orders of “%(file)s” have changed since it was looked at. Use "
            "“Match Again”.",
            file=self.name,
        )

    def _notify(self, message):
        """Tell, in the client and to a caller, what was not booked; then show the extract anew."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Some lines were not booked"),
                "message": message,
                "type": "warning",
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _get_lines_to_book(self):
        return self.env["grant.treasury.line"].search(
            [("import_id", "=", self.id), ("status", "in", BOOKABLE)]
        )
