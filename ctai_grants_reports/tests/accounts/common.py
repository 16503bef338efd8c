import datetime

from odoo import Command
from odoo.tests import freeze_time

from odoo.addons.ctai_grants.tests.common import GrantsCommon


def day(text):
    return datetime.date.fromisoformat(text)


class AccountsCase(GrantsCommon):
    """Orders, payments and credit notes on days of one's choice."""

    def make_tranches(self, *amounts, **values):
        """A signed subsidy with a tranche of each amount, due from November 2021 on."""
        subsidy = self.make_subsidy(amount=sum(amounts), **values)
        for number, amount in enumerate(amounts):
            month = day("2021-11-15") + datetime.timedelta(days=62 * number)
            self.make_tranche(subsidy, name=f"T{number}", amount=amount, due_date=month)
        self.sign(subsidy)
        return subsidy.disbursement_ids.sorted("name")

    def certify_on(self, tranche, date):
        self._certify(tranche, moment=f"{date} 08:00:00")

    def order_on(self, tranche, date, certified=None):
        self.certify_on(tranche, certified or date)
        with freeze_time(f"{date} 09:00:00"):
            tranche.with_user(self.finance_officer)._do_order(f"M-{tranche.id}", day(date))

    def pay_on(self, tranche, date):
        with freeze_time(f"{date} 10:00:00"):
            tranche.with_user(self.finance_officer)._do_pay(day(date), "P-1")

    def get_bill(self, tranche):
        return tranche.sudo()._get_live_move()

    def reduce_on(self, tranche, date, amount):
        """A credit note of the order, for a part of it, matched with it."""
        bill = self.get_bill(tranche)
        with freeze_time(f"{date} 11:00:00"):
            note = bill._reverse_moves([{"date": day(date), "invoice_date": day(date)}])
            note.invoice_line_ids.price_unit = amount
            note._post(soft=False)
            lines = (bill | note).line_ids.filtered(
                lambda line: line.account_id.account_type == "liability_payable"
            )
            lines.reconcile()
        return note

    def book_cost(self, amount, date):
        """A payroll entry on the envelope."""
        payable = self.env["account.account"].search([("code", "=", "T4286")]) or self.env[
            "account.account"
        ].create({"code": "T4286", "name": "À payer", "account_type": "liability_current"})
        account = self.company.grant_own_cost_account_ids[:1]
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": date,
                "journal_id": self.company.grant_payroll_journal_id.id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "balance": amount,
                            "analytic_distribution": {
                                str(self.envelope.analytic_account_id.id): 100
                            },
                        }
                    ),
                    Command.create({"account_id": payable.id, "balance": -amount}),
                ],
            }
        )
        with freeze_time(f"{date} 12:00:00"):
            move._post(soft=False)
        return move

    def find(self, model, **values):
        """The lines of a list that have these values."""
        self.env.invalidate_all()
        return self.env[model].with_user(self.reader).search(
            [(name, "=", value) for name, value in values.items()]
        )

    def get_sums(self, lines, *names):
        return tuple(round(sum(lines.mapped(name)), 2) for name in names)
