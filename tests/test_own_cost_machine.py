# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""R1 and R6 under random sequences: whatever is done to the city's own costs in accounting, and to
what is committed for them, the ledger says what accounting has and the commitment covers.

What accounting has is summed up here again, item by item and day by day, apart from the add-on's
own query. The sequences are the same each time; CTAI_HYPOTHESIS=N plays N random ones instead.
"""

import datetime
import os
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.ctai_grants.tests.accounting.test_own_cost import OwnCostCase

LENGTH = 14
RANDOM = int(os.environ.get("CTAI_HYPOTHESIS", 0))
# Before the signature, within the period, after its end.
DAYS = [datetime.date(2021, 10, 1) + datetime.timedelta(days=n) for n in range(0, 330, 30)]
AMOUNTS = [0.01, 250, 1000.10, 4000, 7000, -300, -2500.55]
STEPS = [
    "book", "reset", "post", "delete", "move_date", "reverse", "untag", "tag", "share", "account",
    "amend", "prolong", "shorten", "close", "reopen", "lock",
]  # fmt: skip
OFTEN = ["book", "book", "amend", "reset"]


@tagged("standard", "post_install", "-at_install")
class TestOwnCostMachine(OwnCostCase):
    def test_random_sequences(self):
        done = Counter()

        @settings(
            max_examples=RANDOM or 15,
            derandomize=not RANDOM,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        )
        @given(st.integers(0, 2**32 - 1))
        def play(seed):
            chance = Random(seed)
            self.booked, self.closed = self.env["account.move"], {}
            with self.env.cr.savepoint() as savepoint:
                for name in ["book", "book", *chance.choices([*STEPS, *OFTEN], k=LENGTH)]:
                    passed = self.play(name, chance)
                    done[name, passed] += 1
                    if passed:
                        self.check()
                savepoint.rollback()
            self.env.invalidate_all()

        play()
        never = [name for name in STEPS if not done[name, True]]
        self.assertFalse(never, f"steps that never passed: {never}")

    def play(self, name, chance):
        """Play one step; whether it passed."""
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                passed = getattr(self, name)(chance) is not False
                self.env.flush_all()
        except UserError as error:
            note(f"{name}: {error}")
            return False
        note(f"{name}: {'passed' if passed else 'nothing to do'}")
        return passed

    def check(self):
        self.env.invalidate_all()
        posted = defaultdict(Decimal)
        committed = defaultdict(Decimal)
        for entry in self.cost.entry_ids:
            days = posted if entry.kind == "payment" else committed
            days[entry.date] += Decimal(str(entry.amount))
        for day, amount in self.closed.items():
            # Of a closed period nothing is taken back.
            self.assertGreaterEqual(posted[day], amount, day)
        expected = self.get_expected(committed)
        self.assertEqual({day: amount for day, amount in posted.items() if amount}, expected)
        self.assertAlmostEqual(self.cost.paid_amount, float(sum(expected.values())), 2)
        self.assertAlmostEqual(self.cost.committed_amount, float(sum(committed.values())), 2)
        self.assertFalse(self.verify())
        control = self.env["grant.accounting.control"].search([("subsidy_id", "=", self.cost.id)])
        self.assertFalse(any(control.mapped("is_different")))

    def get_expected(self, committed):
        """Euros to pay by day: what was spent until then, as far as it was committed then, and
        not taken back by a lower ceiling later."""
        spent = defaultdict(Decimal)
        key = str(self.envelope.analytic_account_id.id)
        for item in self.booked.exists().line_ids:
            share = (item.analytic_distribution or {}).get(key)
            # Of a reversal, and one of a reversal, that of the first entry.
            first = item.move_id
            while first.reversed_entry_id:
                first = first.reversed_entry_id
            days = item.date, first.date
            if (
                share
                and item.parent_state == "posted"
                and item.account_id in self.company.grant_own_cost_account_ids
                and self.cost.signature_date <= min(days)
                and self.cost.date_start <= first.date <= self.cost.date_end
            ):
                amount = Decimal(str(item.balance)) * Decimal(str(share)) / 100
                spent[item.date] += amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
        days, total, ceiling = sorted({*spent, *committed}), Decimal(0), Decimal(0)
        spent_by, allowed = {}, {}
        for day in days:
            total, ceiling = total + spent[day], ceiling + committed[day]
            spent_by[day] = max(total, Decimal(0))
            allowed[day] = min(spent_by[day], ceiling)
        # From the last day back: what is paid falls by no more than what was spent falls.
        after, paid_by = None, {}
        for day in reversed(days):
            paid_by[day] = allowed[day]
            if after:
                fall = max(spent_by[day] - spent_by[after], Decimal(0))
                paid_by[day] = min(allowed[day], paid_by[after] + fall)
            after = day
        before = [Decimal(0), *(paid_by[day] for day in days)]
        paid = {day: paid_by[day] - old for day, old in zip(days, before, strict=False)}
        return {day: amount for day, amount in paid.items() if amount}

    # --- the steps --------------------------------------------------------------------------

    def choose(self, chance, state):
        moves = self.booked.exists().filtered(lambda move: move.state == state)
        return moves and moves[chance.randrange(len(moves))]

    def get_item(self, chance):
        move = self.choose(chance, "posted")
        return move and move.line_ids.filtered(lambda line: line.account_id != self.payable)

    def tag_as(self, share, elsewhere=False):
        account = self.envelope._get_analytic_account()
        if elsewhere:
            account = self.direct_envelope._get_analytic_account()
        return {"analytic_distribution": {str(account.id): share}}

    def book(self, chance):
        amount, share = chance.choice(AMOUNTS), chance.choice((100, 100, 50, 33.33))
        move = OwnCostCase.book(
            self, amount, chance.choice(DAYS), share=share, post=chance.random() < 0.9
        )
        self.booked |= move.with_env(self.env)

    def reset(self, chance):
        move = self.choose(chance, "posted")
        return bool(move) and move.button_draft()

    def post(self, chance):
        move = self.choose(chance, "draft")
        return bool(move) and bool(move._post(soft=False))

    def delete(self, chance):
        move = self.choose(chance, "draft")
        return bool(move) and move.with_context(force_delete=True).unlink()

    def move_date(self, chance):
        """Corrected: taken back, dated anew, posted again."""
        move = self.choose(chance, "posted")
        if not move:
            return False
        move.button_draft()
        move.write({"name": False, "date": chance.choice(DAYS)})
        return bool(move._post(soft=False))

    def reverse(self, chance):
        move = self.choose(chance, "posted")
        if not move:
            return False
        reversal = move._reverse_moves([{"date": chance.choice(DAYS)}])
        reversal._post(soft=False)
        self.booked |= reversal
        return True

    def untag(self, chance):
        item = self.get_item(chance)
        return bool(item) and item.write(self.tag_as(100, elsewhere=True))

    def tag(self, chance):
        item = self.get_item(chance)
        return bool(item) and item.write(self.tag_as(100))

    def share(self, chance):
        item = self.get_item(chance)
        return bool(item) and item.write(self.tag_as(chance.choice((0.01, 12.5, 99.99))))

    def account(self, chance):
        item = self.get_item(chance)
        account = self.pay if item and item.account_id != self.pay else self.other_account
        return bool(item) and item.write({"account_id": account.id})

    def amend(self, chance, **values):
        change = chance.choice((-4000, -500.5, 1500, 3000))
        values = values or {"amount": self.cost.amount + change}
        amendment = self.env["grant.amendment"].with_user(self.coordinator).create(
            {
                "subsidy_id": self.cost.id, "reason": "Avenant",
                "signature_date": chance.choice(DAYS), **values,
            }
        )  # fmt: skip
        amendment.with_user(self.finance_manager).action_sign()

    def prolong(self, chance):
        self.amend(chance, date_end=chance.choice(DAYS[-4:]))

    def shorten(self, chance):
        self.amend(chance, date_end=chance.choice(DAYS[1:7]))

    def lock(self, chance):
        """Close a period: it stays closed."""
        day = chance.choice(DAYS[:6])
        if self.closed and day <= max(self.closed) or chance.random() < 0.5:
            return False
        self.company.sudo().fiscalyear_lock_date = day
        self.closed = {day: Decimal(0)}
        for entry in self.cost.entry_ids.filtered(lambda e: e.kind == "payment" and e.date <= day):
            before = self.closed.get(entry.date, Decimal(0))
            self.closed[entry.date] = before + Decimal(str(entry.amount))
        return True

    def close(self, chance):
        self.ask(self.cost, "close", self.finance_manager)

    def reopen(self, chance):
        self.cost.with_user(self.finance_manager).action_reopen()
