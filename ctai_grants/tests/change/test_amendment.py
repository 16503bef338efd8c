import datetime

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import PDF, GrantsCommon

DAY = datetime.date.fromisoformat


class AmendmentCase(GrantsCommon):
    """A signed subsidy with two actions and two tranches, and amendments to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        draft = cls.make_subsidy(
            date_end="2021-12-31",
            action_ids=[
                Command.create({"name": "Ateliers", "amount": 6000}),
                Command.create({"name": "Sorties", "amount": 4000}),
            ],
        )
        cls.advance = cls.make_tranche(draft, amount=5000, kind="advance", due_date="2021-11-30")
        cls.balance = cls.make_tranche(
            draft, name="Solde", amount=5000, kind="balance", due_date="2021-12-31"
        )
        cls.piece = cls.make_deliverable(draft)
        cls.subsidy = cls.sign(draft)
        cls.contract_funding = cls.env["grant.funding"].create(
            {
                "name": "Premier versement", "envelope_id": cls.envelope.id, "amount": 150000,
                "due_date": "2021-12-01",
            }
        )  # fmt: skip

    def draft(self, document, **values):
        """A draft amendment of the coordinator, with all that its signature needs."""
        action = document.with_user(self.coordinator).action_amend()
        amendment = self.env["grant.amendment"].with_user(self.coordinator).browse(action["res_id"])
        amendment.write(
            {
                "reason": "Les ateliers continuent",
                "decision_number": "2021-0199",
                "decision_date": "2021-12-06",
                "executory_date": "2021-12-10",
                "signature_date": "2021-12-15",
                "attachment_ids": self.make_file(amendment).ids,
                **values,
            }
        )
        return amendment

    def make_file(self, document):
        """As the form uploads one."""
        return self.env["ir.attachment"].create(
            {
                "name": "avenant.pdf", "raw": PDF, "res_model": document._name,
                "res_id": document.id,
            }
        )  # fmt: skip

    def format(self, amount):
        return self.company.currency_id.format(amount)

    def get_line(self, amendment, item):
        return amendment.line_ids.filtered(
            lambda line: (line.item_model, line.item_id) == (item._name, item.id)
        )

    def change(self, amendment, item, **values):
        self.get_line(amendment, item).write(values)

    def sign_amendment(self, amendment):
        amendment.with_user(self.finance_manager).action_sign()
        return amendment

    def get_entries(self, amendment):
        return self.env["grant.entry"].search(
            [("origin_model", "=", "grant.amendment"), ("origin_id", "=", amendment.id)]
        )

    def get_state(self):
        """All that an amendment could touch."""
        self.env.invalidate_all()
        subsidy, contract = self.subsidy, self.contract
        return (
            subsidy.read(["amount", "date_start", "date_end", "committed_amount"]),
            subsidy.disbursement_ids.read(["name", "amount", "due_date", "state"]),
            subsidy.milestone_ids.read(["name", "date"]),
            subsidy.action_ids.read(["name", "amount"]),
            contract.envelope_ids.read(["name", "amount", "allocated_amount", "entry_count"]),
            contract.funding_ids.read(["name", "amount", "due_date"]),
            contract.read(["date_start", "date_end"]),
        )

    def draft_full(self):
        """More money, more time, other tranches, another piece, another action."""
        amendment = self.draft(
            self.subsidy,
            amount=12000,
            date_end="2022-06-30",
            tranche_line_ids=[
                Command.create(
                    {
                        "item_model": "grant.disbursement", "name": "Complément", "amount": 3000,
                        "date": "2022-07-31", "tranche_kind": "balance",
                        "condition_ids": self.piece.ids,
                    }
                )
            ],
            milestone_line_ids=[
                Command.create(
                    {"item_model": "grant.milestone", "name": "Bilan final", "date": "2022-09-30"}
                )
            ],
            action_line_ids=[
                Command.create({"item_model": "grant.action", "name": "Forum", "amount": 3000})
            ],
        )  # fmt: skip
        self.change(amendment, self.balance, amount=4000, date=DAY("2022-03-31"))
        self.change(amendment, self.piece.milestone_id, date=DAY("2022-07-15"))
        self.change(amendment, self.subsidy.action_ids[1], amount=3000)
        return amendment

    # ------------------------------------------------------------------
    # To a subsidy
    # ------------------------------------------------------------------


@tagged("post_install", "-at_install")
class TestAmendment(AmendmentCase):
    """R10: an amendment changes amounts, dates, tranches and due dates itself, all or nothing,
    when it is signed; before and after stay readable."""

    def test_applied_when_signed(self):
        before = self.get_state()
        amendment = self.draft_full()
        self.assertFalse(amendment.obstacles)
        self.assertEqual(self.get_state(), before)
        self.sign_amendment(amendment)
        subsidy = self.subsidy
        self.assertEqual((subsidy.amount, subsidy.committed_amount), (12000, 12000))
        self.assertEqual(subsidy.date_end, DAY("2022-06-30"))
        self.assertEqual(
            subsidy.disbursement_ids.mapped(lambda d: (d.name, d.amount, d.due_date, d.kind)),
            [
                ("Avance", 5000, DAY("2021-11-30"), "advance"),
                ("Solde", 4000, DAY("2022-03-31"), "balance"),
                ("Complément", 3000, DAY("2022-07-31"), "balance"),
            ],
        )
        self.assertEqual(subsidy.disbursement_ids[2].deliverable_ids, self.piece)
        self.assertEqual(self.piece.due_date, DAY("2022-07-15"))
        last = subsidy.deliverable_ids - self.piece
        self.assertEqual((last.name, last.due_date), ("Bilan final", DAY("2022-09-30")))
        self.assertEqual(subsidy.action_ids.mapped("amount"), [6000, 3000, 3000])
        self.assertEqual(self.verify(), [])

    def test_ledger(self):
        """Dated of the signature, by action, and from the amendment."""
        amendment = self.sign_amendment(self.draft_full())
        entries = self.get_entries(amendment)
        self.assertEqual(
            sorted(entries.mapped(lambda e: (e.action_id.name, e.amount))),
            [("Forum", 3000), ("Sorties", -1000)],
        )
        self.assertEqual(set(entries.mapped("date")), {DAY("2021-12-15")})
        self.assertEqual(set(entries.mapped("kind")), {"commitment"})
        self.assertEqual(amendment.action_view_entries()["domain"][1][2], amendment.ids)

    def test_dates_alone_post_nothing(self):
        amendment = self.sign_amendment(self.draft(self.subsidy, date_end="2022-06-30"))
        self.assertFalse(self.get_entries(amendment))
        self.assertEqual(self.subsidy.date_end, DAY("2022-06-30"))

    def test_tranche_cancelled(self):
        amendment = self.draft(self.subsidy, amount=5000)
        said = self.say(amendment.obstacles)
        self.assertIn(f"actions exceed the amount by {self.format(5000)}", said)
        for action in self.subsidy.action_ids:
            self.change(amendment, action, amount=2500)
        self.assertIn("tranches exceed", self.say(amendment.obstacles))
        self.assertIn("tranche_line_ids", [one["field"] for one in amendment.obstacles])
        self.change(amendment, self.balance, is_cancelled=True)
        self.assertFalse(amendment.obstacles)
        self.assertEqual(sum(amendment.tranche_line_ids.mapped("amount")), 5000)
        self.change(amendment, self.balance, is_cancelled=False)
        self.assertEqual(self.get_line(amendment, self.balance).amount, 5000)
        self.change(amendment, self.balance, is_cancelled=True)
        self.sign_amendment(amendment)
        self.assertEqual(self.balance.state, "cancelled")
        self.assertEqual(self.subsidy.committed_amount, 5000)
        self.assertEqual(self.balance.decision_ids.decision, "cancelled")

    def test_nothing_or_all(self):
        """An error in the middle leaves everything as it was, the draft too."""
        before = self.get_state()
        amendment = self.draft_full()
        # Valid to the amendment, refused by the last line it applies.
        self.change(amendment, self.piece.milestone_id, date=DAY("2021-01-01"))
        with self.assertRefused("Bilan", exception=ValidationError):
            self.sign_amendment(amendment)
        self.assertEqual(self.get_state(), before)
        self.assertEqual(amendment.state, "draft")
        self.assertFalse(self.get_entries(amendment))

    def test_several_signed_together(self):
        """One that is refused takes the others with it."""
        other = self.sign(self.make_subsidy(amount=1000))
        good, bad = self.draft(self.subsidy, date_end="2022-03-31"), self.draft(other, amount=10**6)
        with self.assertRefused("too much"):
            self.sign_amendment(good | bad)
        self.assertEqual(self.subsidy.date_end, DAY("2021-12-31"))

    def test_ceiling_of_the_envelope(self):
        """A draft that goes over says by how much, its signature is refused; to the cent."""
        self.sign(self.make_subsidy(amount=139000))
        amendment = self.draft(self.subsidy, amount=11000.01)
        new = {"item_model": "grant.disbursement", "name": "Plus", "amount": 1000.01}
        amendment.tranche_line_ids = [Command.create(new)]
        self.assertIn(self.envelope.display_name, self.say(amendment.obstacles))
        self.assertIn("0.01", self.say(amendment.obstacles))
        with self.assertRefused(self.envelope.display_name, "1,000.01", "0.01"):
            self.sign_amendment(amendment)
        amendment.amount = 11000
        amendment.tranche_line_ids.filtered(lambda line: not line.item_id).amount = 1000
        self.sign_amendment(amendment)
        self.assertEqual(self.envelope.available_amount, 0)

    def test_the_ledger_refuses_what_the_draft_did_not_see(self):
        """The database has the last word, and what was written goes with it."""
        amendment = self.draft(self.subsidy, amount=8000)
        for action in self.subsidy.action_ids:
            self.change(amendment, action, amount=4000)
        self.change(amendment, self.balance, amount=3000)
        before = self.get_state()
        amendment._transition(amount_before=10**6)
        with (
            self.unasked(), self.assertRefused("cannot go down"), mute_logger("odoo.sql_db")
        ):  # fmt: skip
            amendment.with_user(self.finance_manager)._apply()
        amendment.invalidate_recordset()
        self.assertEqual(self.get_state(), before)

    def test_not_below_what_is_paid(self):
        self.pay(self.advance)
        amendment = self.draft(self.subsidy, amount=4999)
        self.change(amendment, self.balance, is_cancelled=True)
        for action in self.subsidy.action_ids:
            self.change(amendment, action, amount=2000)
        said = self.say(amendment.obstacles)
        self.assertIn(f"paid is more than the amount by {self.format(1)}", said)
        self.assertTrue(self.get_line(amendment, self.advance).is_settled)
        with self.assertRefused(self.subsidy.display_name):
            self.sign_amendment(amendment)
        self.change(amendment, self.advance, amount=4999)
        with self.assertRefused("Avance", "does not change any more"):
            self.sign_amendment(amendment)

    def test_the_tranches_follow_the_amount(self):
        amendment = self.draft(self.subsidy, amount=11000)
        said = self.say(amendment.obstacles)
        self.assertIn(f"fall short of the amount by {self.format(1000)}", said)
        amendment.amount = 10000
        self.change(amendment, self.balance, amount=5000.01)
        with self.assertRefused("exceed the amount", "0.01"):
            self.sign_amendment(amendment)

    def test_dates_hold_together(self):
        for values, part in (
            ({"date_end": "2021-10-24"}, "before the start"),
            ({"date_end": False}, "Fill in first: End"),
            ({"date_end": "2023-01-01"}, self.contract.code),
        ):
            amendment = self.draft(self.subsidy, **values)
            with self.subTest(values=values), self.assertRefused(part):
                self.sign_amendment(amendment)
        for values, part in (
            ({"signature_date": "2021-10-24"}, "after the document"),
            ({"signature_date": "2100-01-01"}, "today"),
            ({"signature_date": "2021-12-09"}, "comes before"),
            ({"executory_date": "2021-12-05"}, "comes before"),
        ):
            amendment = self.draft(self.subsidy, date_end="2022-01-31", **values)
            with self.subTest(values=values), self.assertRefused(part):
                self.sign_amendment(amendment)

    def test_what_a_signature_needs(self):
        for name in (
            "reason", "signature_date", "decision_number", "decision_date", "executory_date",
            "attachment_ids",
        ):  # fmt: skip
            amendment = self.draft(self.subsidy, date_end="2022-01-31")
            empty = [Command.clear()] if name == "attachment_ids" else False
            amendment.write({name: empty})
            label = amendment._fields[name]._description_string(self.env)
            with self.subTest(field=name), self.assertRefused("Fill in first", label):
                self.sign_amendment(amendment)
        with self.assertRefused("changes nothing"):
            self.sign_amendment(self.draft(self.subsidy))

    def test_only_what_is_signed_is_amended(self):
        draft = self.make_subsidy()
        with self.assertRefused("Draft"):
            self.draft(draft)
        amendment = self.draft(self.subsidy, date_end="2022-01-31")
        self.ask(self.subsidy, "cancel", self.coordinator)
        with self.assertRefused("Cancelled"):
            self.sign_amendment(amendment)

    # ------------------------------------------------------------------
    # Drafted against what has changed since
    # ------------------------------------------------------------------

    def test_stale(self):
        """What the draft was made against is no longer true: it says what, and how to go on."""
        amendment = self.draft(self.subsidy, date_end="2022-01-31")
        first = self.draft(self.subsidy, date_end="2022-03-31", signature_date="2021-12-14")
        self.change(first, self.balance, date=DAY("2022-02-28"))
        self.assertEqual((amendment.number, first.number), (1, 2))
        self.sign_amendment(first)
        self.assertTrue(amendment.is_stale)
        with self.assertRefused("12/31/2021 then, 03/31/2022 now", "Solde", "Refresh"):
            self.sign_amendment(amendment)
        amendment.action_refresh()
        self.assertFalse(amendment.is_stale)
        self.assertEqual(amendment.date_end_before, DAY("2022-03-31"))
        self.assertEqual(amendment.date_end, DAY("2022-01-31"))
        line = self.get_line(amendment, self.balance)
        self.assertEqual((line.date_before, line.date), (DAY("2022-02-28"),) * 2)
        self.sign_amendment(amendment)
        self.assertEqual(self.balance.due_date, DAY("2022-02-28"))

    def test_stale_by_a_tranche(self):
        """One added, one cancelled since."""
        subsidy = self.sign(self.make_subsidy())
        tranche = self.make_tranche(subsidy, amount=4000)
        amendment = self.draft(subsidy, date_end="2022-09-30")
        self.ask(tranche, "cancel", self.finance_manager)
        added = self.make_tranche(subsidy, name="Autre", amount=6000)
        with self.assertRefused("Avance", "Autre"):
            self.sign_amendment(amendment)
        amendment.with_user(self.finance_manager).action_refresh()
        self.assertFalse(self.get_line(amendment, tranche))
        self.assertEqual(self.get_line(amendment, added).amount, 6000)
        self.sign_amendment(amendment)

    # ------------------------------------------------------------------
    # To a contract
    # ------------------------------------------------------------------

    def test_a_draft_made_to_look_leaves_no_trace(self):
        messages = self.subsidy.message_ids
        amendment = self.draft(self.subsidy)
        number = amendment.number
        with self.assertRaises(AccessError):
            amendment.with_user(self.finance_officer).action_discard()
        action = amendment.action_discard()
        opened = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(opened, self.subsidy.with_env(self.env))
        self.assertFalse(amendment.exists())
        self.assertEqual(self.subsidy.message_ids, messages)
        signed = self.draft(self.subsidy, date_end="2022-01-31")
        self.assertEqual(signed.number, number)
        signed.with_user(self.finance_manager).action_sign()
        with self.assertRefused("Discarding an amendment"):
            signed.action_discard()

    def test_contract(self):
        """Amounts by envelope, a new one, its instalment, the end date."""
        amendment = self.draft(
            self.contract,
            date_end="2023-06-30",
            envelope_line_ids=[
                Command.create(
                    {
                        "item_model": "grant.envelope", "name": "Langue", "envelope_code": "C",
                        "amount": 20000,
                    }
                )
            ],
            funding_line_ids=[
                Command.create(
                    {
                        "item_model": "grant.funding", "name": "Langue", "envelope_code": "C",
                        "amount": 20000, "date": "2022-03-01",
                    }
                )
            ],
        )  # fmt: skip
        self.change(amendment, self.envelope, amount=160000)
        self.change(amendment, self.direct_envelope, amount=40000)
        self.change(amendment, self.contract_funding, amount=160000)
        self.assertFalse(amendment.obstacles)
        self.sign_amendment(amendment)
        self.assertEqual(
            self.contract.envelope_ids.mapped(lambda e: (e.code, e.amount, e.allocated_amount)),
            [("A", 160000, 160000), ("B", 40000, 40000), ("C", 20000, 20000)],
        )
        self.assertEqual(self.contract.envelope_ids.mapped("state"), ["in_force"] * 3)
        self.assertEqual(self.contract.date_end, DAY("2023-06-30"))
        self.assertEqual(
            sorted(self.contract.funding_ids.mapped(lambda f: (f.envelope_id.code, f.amount))),
            [("A", 160000), ("C", 20000)],
        )
        entries = self.get_entries(amendment)
        self.assertEqual(sorted(entries.mapped("amount")), [-10000, 10000, 20000])
        self.assertEqual(set(entries.mapped("date")), {DAY("2021-12-15")})
        self.assertEqual(self.verify(), [])
        with self.assertRefused("amendment"):
            self.contract.with_user(self.finance_manager).action_reset_to_draft()

    def test_contract_not_below_what_is_committed(self):
        amendment = self.draft(self.contract)
        self.change(amendment, self.envelope, amount=9000)
        parts = (self.envelope.name, "141,000.00", "140,000.00", "1,000.00", "too much")
        for part in parts:
            self.assertIn(part, self.say(amendment.obstacles))
        with self.assertRefused(*parts):
            self.sign_amendment(amendment)

    def test_contract_covers_its_subsidies(self):
        amendment = self.draft(self.contract, date_end="2021-12-30")
        with self.assertRefused(self.subsidy.code):
            self.sign_amendment(amendment)

    def test_nothing_is_committed_before_it_is_allotted(self):
        """As at a day before the amendment, no more is committed than was allotted then."""
        amendment = self.draft(self.contract)
        self.change(amendment, self.envelope, amount=170000)
        self.assertIn(self.format(170000), amendment.advice)
        self.sign_amendment(amendment)
        late = self.make_subsidy(amount=150000, signature_date="2021-12-14")
        with self.assertRefused(self.envelope.name, "12/14/2021", self.format(140000)):
            self.sign(late)
        # Nor in parts, each of which would fit.
        parts = [Command.create({"name": f"Action {n}", "amount": 75000}) for n in (1, 2)]
        late.write({"signature_date": "2021-12-13", "action_ids": parts})
        with self.assertRefused(self.envelope.name, "12/13/2021", self.format(150000)):
            self.sign(late)
        self.sign(self.make_subsidy(amount=140000, signature_date="2021-12-14"))
        self.sign(self.make_subsidy(amount=20000, signature_date="2021-12-15"))
        self.assertEqual(self.verify(), [])

    def test_contract_codes(self):
        # As the draft says before, of codes that only look different too.
        for code in ("A", "a", " A", "\u00a0", "\u200ba"):
            new = {"item_model": "grant.envelope", "name": "Langue", "amount": 1}
            new["envelope_code"] = code
            amendment = self.draft(self.contract, envelope_line_ids=[Command.create(new)])
            self.assertIn("Langue", self.say(amendment.obstacles))
            with self.assertRefused("Langue", "code that no other has"):
                self.sign_amendment(amendment)
        new = {"item_model": "grant.funding", "name": "Plus", "amount": 1, "envelope_code": "B"}
        amendment = self.draft(self.contract, funding_line_ids=[Command.create(new)])
        with self.assertRefused("Plus", "city"):
            self.sign_amendment(amendment)

    def test_instalment_cancelled(self):
        amendment = self.draft(self.contract)
        self.change(amendment, self.contract_funding, is_cancelled=True)
        self.sign_amendment(amendment)
        self.assertFalse(self.contract.funding_ids)
        self.assertIn("Premier versement", amendment.summary)

    # ------------------------------------------------------------------
    # Carried to the next year
    # ------------------------------------------------------------------

    def test_carry_balance(self):
        self.contract._transition(date_end=DAY("2023-12-31"))
        self.pay(self.advance)
        action = self.subsidy.with_user(self.coordinator).action_carry_balance()
        amendment = self.env["grant.amendment"].browse(action["res_id"])
        self.assertEqual(amendment.date_end, DAY("2022-12-31"))
        self.assertEqual(self.get_line(amendment, self.balance).date, DAY("2022-12-31"))
        self.assertEqual(self.get_line(amendment, self.advance).operation, "same")
        milestone = self.get_line(amendment, self.piece.milestone_id)
        self.assertEqual(milestone.date, DAY("2023-06-30"))
        self.assertIn("5,000.00", amendment.reason)
        # Nothing but what comes with the council's decision and the signature.
        (obstacle,) = amendment.obstacles
        self.assertEqual(obstacle["field"], "decision_number")
        paid = self.sign(self.make_subsidy(amount=1000))
        self.pay(self.make_tranche(paid))
        with self.assertRefused("nothing is left"):
            paid.with_user(self.coordinator).action_carry_balance()

    # ------------------------------------------------------------------
    # History
    # ------------------------------------------------------------------

    def test_history(self):
        """What it changed is told as it was, whatever becomes of the subsidy."""
        amendment = self.sign_amendment(self.draft_full())
        told = [
            f"Amount: {self.format(10000)} → {self.format(12000)}",
            "End: 12/31/2021 → 06/30/2022",
            f"Tranche “Solde”: {self.format(5000)} → {self.format(4000)}, 12/31/2021 → 03/31/2022",
            f"Tranche “Complément”: added, {self.format(3000)}, 07/31/2022, Bilan",
            "Due date “Bilan”: 06/30/2022 → 07/15/2022",
            "Due date “Bilan final”: added, 09/30/2022",
            f"Action “Sorties”: {self.format(4000)} → {self.format(3000)}",
            f"Action “Forum”: added, {self.format(3000)}",
        ]
        self.assertEqual(amendment.summary.split("\n"), told)
        second = self.draft(self.subsidy, amount=9000)
        self.change(second, self.balance, is_cancelled=True, name="Solde")
        for action in self.subsidy.action_ids:
            self.change(second, action, amount=2000)
        added = self.subsidy.disbursement_ids[2]
        self.change(second, added, amount=4000)
        self.sign_amendment(second)
        self.env.invalidate_all()
        self.assertEqual(amendment.summary.split("\n"), told)
        self.assertIn("Tranche “Solde”: cancelled", second.summary)
        decision = self.subsidy.decision_ids.filtered(lambda d: d.amendment_id == second)
        self.assertEqual((decision.decision, decision.user_id), ("amended", self.finance_manager))
        self.assertEqual(decision.subject, second.display_name)
        self.assertIn("12,000.00", "".join(self.subsidy.message_ids.mapped("body")))
        action = self.contract.action_view_amendments()
        found = self.env["grant.amendment"].search(action["domain"])
        self.assertEqual(found, second | amendment)
        self.assertEqual(self.subsidy.amendment_ids, found)

    def test_frozen(self):
        """Signed: nobody changes it, deletes it, or touches its file."""
        amendment = self.sign_amendment(self.draft_full())
        line = self.get_line(amendment, self.balance)
        values = (
            {"amount": 1}, {"reason": "x"}, {"signature_date": "2021-12-16"}, {"number": 9},
            {"attachment_ids": [Command.clear()]}, {"state": "draft"}, {"amount_before": 1},
            {"tranche_line_ids": [Command.update(line.id, {"amount": 1})]},
            {"line_ids": [Command.delete(line.id)]},
        )  # fmt: skip
        for user in (self.coordinator, self.finance_manager, self.administrator, self.env.user):
            mine = amendment.with_user(user)
            for vals in values:
                with self.subTest(user=user.login, vals=vals):
                    with self.assertRefused():
                        mine.write(vals)
            for call in (
                mine.unlink,
                line.with_user(user).unlink,
                lambda user=user: line.with_user(user).write({"amount": 1}),
                lambda user=user: line.with_user(user).write({"amount_before": 1}),
                lambda user=user: line.with_user(user).copy(),
                lambda mine=mine: mine.with_user(self.finance_manager).action_sign(),
            ):
                with self.assertRefused():
                    call()
        with self.assertRaises(AccessError):
            amendment.attachment_ids.with_user(self.administrator).write({"raw": b"x"})
        amendment.with_user(self.coordinator).message_post(body="Transmis")  # pylint: disable=translation-required

    def test_a_file_of_another_document_stays_there(self):
        """Its content is copied."""
        file = self.make_file(self.subsidy)
        amendment = self.draft(self.subsidy, date_end="2022-01-31", attachment_ids=file.ids)
        self.sign_amendment(amendment)
        self.assertEqual(file.res_model, "grant.subsidy")
        self.assertEqual(amendment.attachment_ids.raw, PDF)
        self.assertEqual(amendment.attachment_ids.res_model, "grant.amendment")

    # ------------------------------------------------------------------
    # Who, and through what
    # ------------------------------------------------------------------

    def test_roles(self):
        amendment = self.draft(self.subsidy, date_end="2022-01-31")
        for user in (self.reader, self.coordinator, self.finance_officer):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                amendment.with_user(user).action_sign()
        for user in (self.reader, self.finance_officer, self.finance_manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.subsidy.with_user(user).action_amend()
        for user in self.portal_users:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                amendment.with_user(user).read(["reason"])
        self.assertTrue(amendment.with_user(self.reader).summary)
        amendment.with_user(self.coordinator).unlink()
        self.assertEqual(self.draft(self.subsidy).number, 1)

    def test_remote_writes(self):
        """What was before is not typed in, nor what is changed; not by any way."""
        amendment = self.draft(self.subsidy)
        line = self.get_line(amendment, self.balance)
        for record, vals in (
            (amendment, {"amount_before": 1}),
            (amendment, {"state": "signed"}),
            (amendment, {"signed_by_id": self.coordinator.id}),
            (amendment, {"subsidy_id": self.sign(self.make_subsidy()).id}),
            (line, {"amount_before": 1}),
            (line, {"item_id": self.advance.id}),
            (line, {"item_model": "grant.action"}),
            (self.get_line(amendment, self.piece.milestone_id), {"amount": 5}),
            (self.get_line(amendment, self.subsidy.action_ids[0]), {"is_cancelled": True}),
        ):
            with self.subTest(vals=vals), self.assertRefused():
                record.write(vals)
        with self.assertRefused("tick"):
            line.unlink()
        create = self.env["grant.amendment.line"].with_user(self.coordinator).create
        of_amendment = {"amendment_id": amendment.id, "name": "x", "amount": 1}
        for vals in (
            {"item_model": "grant.disbursement", "item_id": self.advance.id},
            {"item_model": "grant.envelope", "envelope_code": "Z"},
        ):
            with self.assertRefused():
                create({**of_amendment, **vals})
        both = {"subsidy_id": self.subsidy.id, "contract_id": self.contract.id}
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            self.env["grant.amendment"].with_user(self.coordinator).create(both)

    def test_direct_changes_are_refused_to_all(self):
        """What was signed changes by an amendment alone (R4, R10)."""
        for user in (self.coordinator, self.finance_manager, self.administrator, self.env.user):
            for record, vals in (
                (self.balance, {"amount": 1}),
                (self.balance, {"due_date": "2022-12-31"}),
                (self.subsidy, {"date_end": "2022-06-30"}),
                (self.subsidy, {"amount": 1}),
                (self.subsidy.action_ids[0], {"amount": 1}),
                (self.envelope, {"amount": 1}),
                (self.contract, {"date_end": "2022-06-30"}),
            ):
                with self.subTest(user=user.login, vals=vals), self.assertRefused("amendment"):
                    record.with_user(user).sudo().write(vals)
            with self.assertRefused("signed subsidy"):
                self.balance.with_user(user).sudo().unlink()

    def test_other_company(self):
        """R7: seen and drafted in its own company only."""
        amendment = self.draft(self.subsidy)
        company = self.env["res.company"].create({"name": "Autre ville"})
        other = self.coordinator.copy({"login": "other_city"})
        other.write({"company_ids": company.ids, "company_id": company.id})
        model = self.env["grant.amendment"].with_user(other)
        self.assertFalse(model.search([]))
        self.assertFalse(self.env["grant.amendment.line"].with_user(other).search([]))
        with self.assertRaises(AccessError):
            amendment.with_user(other).read(["amount"])
        with self.assertRaises(AccessError):
            model.create({"subsidy_id": self.subsidy.id})

    def test_typed_in(self):
        """On its form: warned while typing, and the lines of one list count in the others."""
        amendment = self.draft(self.subsidy)
        with Form(amendment) as form:
            form.amount = 11000
            self.assertIn("fall short", self.say(form.obstacles))
            with form.tranche_line_ids.new() as line:
                line.name = "Plus"
                line.amount = 1000
                self.assertEqual(line.operation, "add")
            self.assertFalse(form.obstacles)
            with form.action_line_ids.edit(0) as line:
                line.amount = 7000
                self.assertEqual(line.operation, "change")
        self.sign_amendment(amendment)
        self.assertEqual(self.subsidy.committed_amount, 11000)

    def test_own_cost(self):
        """No council decides on the city's own cost."""
        cost = self.sign(
            self.make_subsidy(kind="own_cost", partner_id=self.env.company.partner_id.id)
        )
        empty = dict.fromkeys(("decision_number", "decision_date", "executory_date"), False)
        amendment = self.draft(cost, amount=9000, attachment_ids=[Command.clear()], **empty)
        self.sign_amendment(amendment)
        self.assertEqual(cost.committed_amount, 9000)
