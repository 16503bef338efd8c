# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What comes back, under random sequences: recoveries claimed, paid back in parts, bounced, set
off, waived, undone in accounting; the treasury's answers; closed periods; organisations that change
their name, establishment and address meanwhile; subsidies amended, and dates of amendments
corrected. Acts are dated in any order.

At every date, summed up here from the entries: nothing is paid beyond what is committed, nothing
comes back beyond what was paid, no ceiling is passed, and what came back is what accounting has
(city), or what was recorded (State).

The sequences are the same each time; CTAI_HYPOTHESIS=N plays N random ones instead.
"""

import base64
import datetime
import os
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import accumulate
from random import Random

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.ctai_grants.tests.closing.test_recovery import RecoveryCase
from odoo.addons.ctai_grants.tests.common import PDF, make_siret
from odoo.addons.ctai_grants.tests.treasury.test_pes_answer import PIECE, RETURN

LENGTH = 22
RANDOM = int(os.environ.get("CTAI_HYPOTHESIS", 0))
DAYS = [datetime.date(2022, 2, 1) + datetime.timedelta(days=n) for n in range(0, 300, 25)]
STEPS = [
    "identify", "hear", "claim", "collect", "collect_part", "bounce", "waive", "unmatch", "order",
    "pay", "unpay", "set_off", "undo_set_off", "close", "reopen", "lock", "answer_ok", "answer_ko",
    "rename", "move_establishment", "move_address", "commit", "amend", "correct_amendment",
]  # fmt: skip
OFTEN = ["identify", "hear", "hear", "claim", "claim", "collect", "collect_part", "bounce", "order"]
# What an entry counts under each ceiling: an envelope's, a subsidy's; and what an operator holds.
ENVELOPE = {"allocation": 1, "commitment": -1}
SUBSIDY = {"commitment": 1, "payment": -1, "recovery": 1}
HELD = {"payment": 1, "recovery": -1}


@tagged("standard", "post_install", "-at_install")
class TestRecoveryMachine(RecoveryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.city_siret = make_siret()
        cls.company.partner_id.company_registry = cls.city_siret
        # What is entered where nothing was is no change: it was not known yet.
        with freeze_time("2021-10-01"):
            cls.operator.write({"street": "1 rue des Tests", "zip": "86000", "city": "Poitiers"})
        cls.direct = cls.make_subsidy(envelope_id=cls.direct_envelope.id)
        tranche = cls.make_tranche(cls.direct, amount=5000)
        cls.sign(cls.direct)
        cls.pay(tranche)
        other = cls.make_subsidy(amount=3000)
        cls.tranches = cls.make_tranche(other, amount=1000) | cls.make_tranche(other, amount=2000)
        cls.sign(other)
        cls.certify(cls.tranches)
        cls.subsidies = (cls.subsidy | cls.direct | other).with_env(cls.env)
        cls.tranches = cls.tranches.with_env(cls.env)

    def test_random_sequences(self):
        done = Counter()

        @settings(
            max_examples=RANDOM or 16,
            derandomize=not RANDOM,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        )
        @given(st.integers(0, 2**32 - 1))
        def play(seed):
            chance = Random(seed)
            self.by_hand, self.closed, self.before_lock = Counter(), None, 0
            self.today, self.names = datetime.date(2022, 1, 1), {}
            self.names[self.today] = self.get_identity(self.operator)
            steps = [*STEPS, *OFTEN]
            # What never passed yet is tried more often: it takes others before it.
            weights = [1 if done[name, True] else 4 for name in steps]
            # Rarely by chance alone: what is undone was done before.
            first = ["order", "set_off", "undo_set_off"] if seed % 2 else ["close", "reopen"]
            names = ["identify", "hear", "claim", *first, *chance.choices(steps, weights, k=LENGTH)]
            with self.env.cr.savepoint() as savepoint:
                for name in names:
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
        before = Counter(self.by_hand)
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                passed = getattr(self, f"do_{name}")(chance) is not False
                self.env.flush_all()
        except (UserError, RedirectWarning) as error:
            note(f"{name}: {error}")
            self.by_hand = before
            return False
        note(f"{name}: {'passed' if passed else 'nothing to do'}")
        return passed

    # --- what holds after each step ---------------------------------------------------------

    def check(self):
        self.env.invalidate_all()
        entries = self.contract.envelope_ids.entry_ids
        self.check_every_date(entries)
        back = defaultdict(Decimal)
        for entry in entries.filtered(lambda entry: entry.kind == "recovery"):
            back[entry.origin_id, entry.date] += Decimal(repr(entry.amount))
        self.check_money_back({key: amount for key, amount in back.items() if amount})
        for entry in entries.filtered(lambda entry: entry.id > self.before_lock):
            if self.closed and entry.kind in HELD and entry.envelope_id == self.envelope:
                self.assertGreater(entry.date, self.closed)
        self.check_names()
        self.check_answers(self.verify())

    def check_answers(self, wrong):
        """The ledger holds; who is paid although the treasury refused the order is named."""
        said = [sentence for sentence in wrong if "the treasury rejected its order" in sentence]
        self.assertEqual(wrong, said)
        refused = self.tranches.filtered(lambda tranche: tranche.treasury_state == "rejected")
        paid = refused.filtered(lambda tranche: tranche.state == "paid")
        named = refused.filtered(lambda t: any(t.order_number in words for words in said))
        self.assertLessEqual(len(said), len(refused))
        if not self.env["grant.set.off"].search_count([("state", "=", "done")]):
            self.assertFalse(paid - named)

    def check_every_date(self, entries):
        rooms = defaultdict(lambda: defaultdict(Decimal))
        for entry in entries:
            amount = Decimal(repr(entry.amount))
            rooms[entry.envelope_id][entry.date] += ENVELOPE.get(entry.kind, 0) * amount
            if entry.subsidy_id:
                rooms[entry.subsidy_id][entry.date] += SUBSIDY.get(entry.kind, 0) * amount
                held = (entry.subsidy_id, "held")
                rooms[held][entry.date] += HELD.get(entry.kind, 0) * amount
        for owner, days in rooms.items():
            ordered = sorted(days)
            for day, left in zip(ordered, accumulate(days[d] for d in ordered), strict=True):
                self.assertGreaterEqual(left, 0, (owner, day))

    def check_money_back(self, back):
        """By recovery and date; where a period was closed, by recovery."""
        expected = Counter(self.by_hand)
        for recovery in self.env["grant.recovery"].search([]):
            for match, move in self.get_matches(recovery):
                expected[recovery.id, move.date] += Decimal(repr(match.amount))
        expected = {key: amount for key, amount in expected.items() if amount}
        if not self.closed:
            self.assertEqual(back, expected)
        for recovery in self.env["grant.recovery"].search([]):
            sums = [
                sum((n for (ident, _day), n in side.items() if ident == recovery.id), Decimal(0))
                for side in (back, expected)
            ]
            self.assertEqual(*sums)
            self.assertEqual(Decimal(repr(recovery.collected_amount)), sums[0])
            self.assertLessEqual(sums[0], Decimal(repr(recovery.amount)))

    @staticmethod
    def get_matches(recovery):
        """What accounting settled the claim with: money at the bank, or a set-off."""
        for line in recovery.move_ids.filtered(lambda m: m.state == "posted").line_ids:
            sides = [(match, match.credit_move_id.move_id) for match in line.matched_credit_ids]
            sides += [(match, match.debit_move_id.move_id) for match in line.matched_debit_ids]
            for match, move in sides:
                kinds = move.line_ids.account_id.mapped("account_type")
                if move.state == "posted" and (move.grant_set_off_id or "asset_cash" in kinds):
                    yield match, move

    @staticmethod
    def get_identity(partner):
        return (partner.name, partner.company_registry, partner.street)

    def check_names(self):
        """Each day has the name, SIRET and address of that day."""
        days = sorted(self.names)
        for number, day in enumerate(days):
            until = days[number + 1] if number + 1 < len(days) else day + datetime.timedelta(9)
            for asked in (day, until - datetime.timedelta(1)):
                found = self.get_identity(self.operator._get_identity(asked))
                self.assertEqual(found, self.names[day], asked)

    # --- the steps --------------------------------------------------------------------------

    def choose(self, chance, records):
        return records and records[chance.randrange(len(records))]

    def pick_recovery(self, chance, *states):
        return self.choose(chance, self.env["grant.recovery"].search([("state", "in", states)]))

    def officer(self, record):
        return record.with_user(self.finance_officer)

    def do_identify(self, chance):
        subsidy = self.choose(chance, self.subsidies[: chance.choice((2, 2, 3))])
        amount = chance.choice((0.01, 250, 999.99, 3000, 9000))
        self.make_recovery(subsidy, amount=amount)

    def do_hear(self, chance):
        recovery = self.pick_recovery(chance, "identified")
        return bool(recovery) and bool(self.decide(recovery, on=chance.choice(DAYS)))

    def do_claim(self, chance):
        recovery = self.pick_recovery(chance, "decided")
        return bool(recovery) and self.officer(recovery)._do_claim(chance.choice(DAYS))

    def do_collect(self, chance, share=1):
        recovery = self.pick_recovery(chance, "claimed")
        if not recovery:
            return False
        amount, day = round(recovery.residual_amount * share, 2), chance.choice(DAYS)
        self.officer(recovery)._do_collect(day, "VIR", amount)
        if recovery.payment_path == "direct":
            self.by_hand[recovery.id, day] += Decimal(repr(amount))
        return True

    def do_collect_part(self, chance):
        return self.do_collect(chance, chance.choice((0.3, 0.5)))

    def do_bounce(self, chance):
        recovery = self.pick_recovery(chance, "claimed", "collected")
        if not recovery:
            return False
        self.ask(recovery, "uncollect", self.finance_manager, "Chèque sans provision")
        for key in [key for key in self.by_hand if key[0] == recovery.id]:
            del self.by_hand[key]
        return True

    def do_waive(self, chance):
        recovery = self.pick_recovery(chance, "identified", "notified", "decided", "claimed")
        return bool(recovery) and self.ask(recovery, "waive_recovery", self.finance_manager)

    def do_unmatch(self, chance):
        """By hand, in accounting."""
        recovery = self.pick_recovery(chance, "claimed", "collected")
        lines = recovery.move_ids._get_payment_lines() if recovery else recovery
        return bool(lines) and lines.remove_move_reconcile()

    def pick_tranche(self, chance, state):
        return self.choose(chance, self.tranches.filtered(lambda t: t.state == state))

    def do_order(self, chance):
        tranche = self.pick_tranche(chance, "certified")
        day = datetime.date(2021, 12, 1) + datetime.timedelta(chance.randrange(60))
        return bool(tranche) and self.officer(tranche)._do_order(f"7{tranche.id}", day)

    def do_pay(self, chance):
        tranche = self.pick_tranche(chance, "ordered")
        return bool(tranche) and self.officer(tranche)._do_pay(chance.choice(DAYS), "VIR")

    def do_unpay(self, chance):
        tranche = self.pick_tranche(chance, "paid")
        return bool(tranche) and self.ask(tranche, "unpay", self.finance_manager)

    def do_set_off(self, chance):
        """An order against a claim, both of ours."""
        tranche = self.pick_tranche(chance, "ordered")
        recovery = self.pick_recovery(chance, "claimed")
        if not tranche or not recovery or not recovery.move_ids:
            return False
        set_off = self.env["grant.set.off"].with_user(self.finance_manager).create(
            {
                "debt_move_id": tranche._get_live_move().id,
                "claim_move_id": recovery._get_live_move().id,
                "date": chance.choice(DAYS[-4:]), "reference": "COMP", "reason": "Compensation",
            }
        )  # fmt: skip
        return set_off.action_record()

    def do_undo_set_off(self, chance):
        set_off = self.choose(chance, self.env["grant.set.off"].search([("state", "=", "done")]))
        return bool(set_off) and self.ask(set_off, "undo_set_off", self.finance_manager)

    def do_close(self, chance):
        self.ask(self.choose(chance, self.subsidies), "close", self.finance_manager)

    def do_reopen(self, chance):
        subsidy = self.choose(chance, self.subsidies.filtered(lambda s: s.state == "closed"))
        return bool(subsidy) and subsidy.with_user(self.finance_manager).action_reopen()

    def do_lock(self, chance):
        """Close a period: it stays closed, and nothing of accounting is entered in it any more."""
        day = chance.choice(DAYS)
        if self.closed and day <= self.closed or chance.random() < 0.5:
            return False
        self.company.sudo().fiscalyear_lock_date = self.closed = day
        self.before_lock = max(self.env["grant.entry"].search([]).ids)
        return True

    def answer(self, chance, state, expected):
        """The treasury takes an order, or refuses it: no money moves by that."""
        tranche = self.pick_tranche(chance, "ordered")
        if not tranche:
            return False
        count = self.env["grant.entry"].search_count([])
        piece = PIECE.format(number=tranche.order_number, state=state, reasons="09", comment="")
        content = RETURN.format(
            date=tranche.order_date + datetime.timedelta(chance.randrange(1, 40)),
            siret=self.city_siret, batch=tranche.order_batch_id.number, pieces=piece,
        ).replace('<Exer V="2021"/>', f'<Exer V="{tranche.order_date.year}"/>')  # fmt: skip
        window = self.env["grant.pes.answer"].with_user(self.finance_officer).create(
            {"file": base64.b64encode(content.encode("latin-1")), "filename": "retour.xml"}
        )
        window.action_confirm()
        self.assertEqual(tranche.state, "ordered")
        self.assertEqual(self.env["grant.entry"].search_count([]), count)
        return tranche.treasury_state == expected

    def do_answer_ok(self, chance):
        return self.answer(chance, "02", "taken")

    def do_answer_ko(self, chance):
        return self.answer(chance, "04", "rejected")

    def change(self, chance, **values):
        """An organisation is another one from a day on."""
        day = self.today + datetime.timedelta(chance.randrange(1, 40))
        with freeze_time(day):
            self.operator.write(values)
        self.today = day
        self.names[day] = self.get_identity(self.operator)

    def do_rename(self, chance):
        self.change(chance, name=f"Association {chance.randrange(10**6)}")

    def do_move_establishment(self, chance):
        siren = int(self.operator.company_registry[:8])
        self.change(chance, company_registry=make_siret(siren, chance.randrange(2, 9999)))

    def do_move_address(self, chance):
        self.change(chance, street=f"{chance.randrange(1, 999)} rue des Tests")

    def do_commit(self, chance):
        """Signed on a day of before, up to what the envelope has left."""
        amount = chance.choice((0.01, 500, self.envelope.available_amount))
        day = chance.choice((datetime.date(2021, 10, 25), *DAYS))
        self.sign(self.make_subsidy(amount=amount, signature_date=day))

    def do_amend(self, chance):
        """More or less is granted, from any day on."""
        subsidy = self.choose(chance, self.subsidies)
        day = chance.choice(DAYS)
        amendment = self.env["grant.amendment"].with_user(self.coordinator).create(
            {
                "subsidy_id": subsidy.id,
                "amount": subsidy.amount + chance.choice((-3000, -500, -0.01, 0.01, 700, 4000)),
                "reason": "Avenant", "decision_number": "2022-1",
                "decision_date": day - datetime.timedelta(days=9),
                "executory_date": day - datetime.timedelta(days=5), "signature_date": day,
            }
        )  # fmt: skip
        file = {"name": "avenant.pdf", "raw": PDF, "res_model": amendment._name}
        amendment.attachment_ids = self.env["ir.attachment"].create(
            {**file, "res_id": amendment.id}
        )
        return amendment.with_user(self.finance_manager).action_sign()

    def do_correct_amendment(self, chance):
        signed = self.env["grant.amendment"].search(
            [("state", "=", "signed"), ("subsidy_id", "in", self.subsidies.ids)]
        )
        amendment = self.choose(chance, signed.with_user(self.finance_manager))
        if not amendment:
            return False
        day = amendment.signature_date + datetime.timedelta(chance.choice((-4, -1, 3, 30)))
        amendment._do_correct_date("signature_date", day, "Erreur de saisie")
        return True
