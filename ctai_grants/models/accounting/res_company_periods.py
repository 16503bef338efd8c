import datetime

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date


class ResCompany(models.Model):
    """Closed periods: the ledger's dates are accounting's, and no date is moved unsaid."""

    _inherit = "res.company"

    def _check_grant_open(self, document, date, journal):
        """Refuse a date that Odoo would move, since its period is closed.

        :param str document: what is dated, for the message
        :param date: accounting date
        :param journal: where it is booked
        :raise UserError: naming the lock and the first open day
        """
        if locks := self._get_grant_locks(date, journal):
            raise UserError(
                self.env._(
                    "%(document)s: %(date)s is in a closed period, %(lock)s. The first open day is "
                    "%(open)s: enter that day or a later one.",
                    document=document,
                    date=format_date(self.env, date),
                    lock=self._format_lock_dates(locks),
                    open=format_date(self.env, self._get_grant_open_day(date, journal)),
                )
            )

    def _get_grant_locks(self, date, journal):
        self.ensure_one()
        # sudo: who books may not read the settings of the company that locks it
        return self.sudo()._get_violated_lock_dates(date, False, journal)

    def _get_grant_open_day(self, date, journal):
        """That day, or the first one after it whose period is open."""
        while locks := self._get_grant_locks(date, journal):
            date = locks[-1][0] + datetime.timedelta(days=1)
        return date

    def _get_grant_undo_day(self, document, date, journal):
        """The accounting date on which something of that day is undone: the same, or the first day
        that is open.

        :raise UserError: that day has not come yet
        """
        day = self._get_grant_open_day(date, journal)
        if day > max(self._grant_today(), date):
            raise UserError(
                self.env._(
                    "%(document)s: %(date)s is in a closed period, %(lock)s. The first open day, "
                    "%(open)s, has not come yet: until then nothing of that period is undone.",
                    document=document,
                    date=format_date(self.env, date),
                    lock=self._format_lock_dates(self._get_grant_locks(date, journal)),
                    open=format_date(self.env, day),
                )
            )
        return day
