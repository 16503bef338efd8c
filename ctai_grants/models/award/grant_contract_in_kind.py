import datetime

from odoo import models
from odoo.fields import Domain


class GrantContract(models.Model):
    """What the city gives in kind beside the money of a contract."""

    _inherit = "grant.contract"

    def _get_in_kind_lines(self, date):
        """The aids in kind of these contracts as at ``date``: given by then, and not cancelled by
        then. They are in no total of money.

        :param date: the day up to which they count (by their start), and were cancelled
        :return: records of :mod:`grant_aid_in_kind`, by operator and start
        """
        # As moments are stored: what is cancelled the next day, in the city's time, is later.
        ends = {
            contract: datetime.datetime.combine(
                date + datetime.timedelta(days=1),
                datetime.time(),
                contract.company_id._grant_timezone(),
            ).astimezone(datetime.timezone.utc).replace(tzinfo=None)
            for contract in self
        }  # fmt: skip
        standing = Domain.OR(
            Domain("contract_id", "=", contract.id)
            & (
                Domain("state", "=", "recorded")
                | Domain("state", "=", "cancelled") & Domain("cancelled_at", ">=", end)
            )
            for contract, end in ends.items()
        )
        lines = self.env["grant.aid.in.kind"].search(Domain("date_start", "<=", date) & standing)
        return lines.sorted(lambda aid: (aid.partner_id.name or "", aid.date_start, aid.id))
