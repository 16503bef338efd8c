import base64
import datetime

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, new_test_user

from ..common import GrantsCommon, set_up_accounting

NOVEMBER, DECEMBER = datetime.date(2021, 11, 30), datetime.date(2021, 12, 31)
PAYROLL = """Compte;Libellé;Débit;Crédit;Part
64131;Rémunération;3 000,50;;100
6451;Cotisations;1 000,00;;50
4286;À payer;;4 000,50;
Total;;4 000,50;4 000,50;
"""


class OwnCostCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = new_test_user(
            cls.env, "test_accountant", "account.group_account_manager,base.group_user"
        )
        set_up_accounting(cls.company)
        accounts = cls.env["account.account"]
        cls.payable = accounts.create(
            {"code": "4286", "name": "À payer", "account_type": "liability_current"}
        )
        cls.pay = cls.company.grant_own_cost_account_ids[:1]
        cls.other_account = accounts.create(
            {"code": "T611", "name": "Achats de test", "account_type": "expense"}
        )
        cls.cost = cls.make_cost()

    @classmethod
    def make_cost(cls, **values):
        values = {
            "kind": "own_cost", "partner_id": cls.company.partner_id.id, "amount": 10000,
            "date_start": "2021-10-25", "date_end": "2022-06-30", "signature_date": "2021-10-25",
            **values,
        }  # fmt: skip
        return cls.sign(cls.make_subsidy(**values)).with_env(cls.env)

    def book(self, amount, date=NOVEMBER, share=100, account=None, post=True, **values):
        """A payroll entry of the accountant, who has no role in grants."""
        analytic = self.envelope.analytic_account_id
        move = (
            self.env["account.move"]
            .with_user(self.accountant)
            .create(
                {
                    "move_type": "entry",
                    "date": date,
                    "journal_id": self.company.grant_payroll_journal_id.id,
                    "line_ids": [
                        Command.create({
                            "account_id": (account or self.pay).id, "balance": amount,
                            "analytic_distribution": {str(analytic.id): share}, **values,
                        }),
                        Command.create({"account_id": self.payable.id, "balance": -amount}),
                    ],
                }
            )
        )  # fmt: skip
        if post:
            move._post(soft=False)
        return move

    def payments(self):
        """What the ledger says was paid, by date."""
        paid = {}
        for entry in self.cost.entry_ids.filtered(lambda entry: entry.kind == "payment"):
            paid[entry.date] = round(paid.get(entry.date, 0) + entry.amount, 2)
        return {date: amount for date, amount in paid.items() if amount}

    def assertPaid(self, expected, not_covered=0.0):
        self.env.invalidate_all()
        self.assertEqual(self.payments(), expected)
        self.assertEqual(self.cost.paid_amount, sum(expected.values()))
        self.assertEqual(self.cost.not_covered_amount, not_covered)
        for day in expected:
            so_far = {"payment": 0.0, "commitment": 0.0}
            for entry in self.cost.entry_ids:
                so_far[entry.kind] += entry.amount if entry.date <= day else 0.0
            self.assertLessEqual(so_far["payment"], so_far["commitment"] + 0.001, day)
        self.assertFalse(self.verify())
        control = self.env["grant.accounting.control"].search([("subsidy_id", "=", self.cost.id)])
        self.assertFalse(any(control.mapped("is_different")))


class TestOwnCost(OwnCostCase):
    """R6: what the city spends itself is what accounting says."""

    def test_booked(self):
        self.book(2500.10)
        self.assertPaid({NOVEMBER: 2500.10})
        cost = self.cost.cost_ids
        self.assertEqual((cost.amount, cost.covered_amount, cost.reason), (2500.10, 2500.10, False))
        self.assertEqual(self.envelope.paid_amount, 2500.10)

    def test_share(self):
        self.book(1000, share=33.33)
        self.assertPaid({NOVEMBER: 333.30})

    def test_draft_then_posted(self):
        move = self.book(800, post=False)
        self.assertPaid({})
        move.action_post()
        self.assertPaid({NOVEMBER: 800})

    def item(self, move):
        return move.line_ids.filtered("analytic_distribution")

    def test_it_leaves(self):
        """Whatever takes the cost out of accounting, or off the envelope."""
        elsewhere = self.direct_envelope._get_analytic_account()
        attempts = {
            "draft": lambda move: move.button_draft(),
            "deleted": lambda move: (move.button_draft(), move.unlink()),
            "cancelled": lambda move: (move.button_draft(), move.button_cancel()),
            "no analytic": lambda move: self.item(move).write({"analytic_distribution": False}),
            "elsewhere": lambda move: self.item(move).write(
                {"analytic_distribution": {str(elsewhere.id): 100}}
            ),
            "account": lambda move: self.item(move).write({"account_id": self.other_account.id}),
            "out of its period": lambda move: (
                move.button_draft(),
                move.write({"name": False, "date": "2022-07-31"}),
                move.action_post(),
            ),
        }
        for name, leave in attempts.items():
            with self.subTest(name):
                move = self.book(1234.56)
                self.assertPaid({NOVEMBER: 1234.56})
                leave(move)
                self.assertPaid({})
                self.assertFalse(self.cost.cost_ids)

    def test_reversed_in_another_month(self):
        move = self.book(900)
        move._reverse_moves([{"date": DECEMBER}]).action_post()
        self.assertPaid({NOVEMBER: 900, DECEMBER: -900})

    def test_orders_are_no_costs(self):
        subsidy = self.sign(self.make_subsidy())
        tranche = self.make_tranche(subsidy)
        account = self.env["grant.account"]._get(self.company, 2021, "association")
        self.company.grant_own_cost_account_ids |= account
        self.pay_tranche(tranche)
        self.assertPaid({})

    def pay_tranche(self, tranche):
        GrantsCommon.pay.__func__(type(self), tranche)

    def test_dates(self):
        for date, reason in (
            (datetime.date(2021, 10, 24), "period"),
            (datetime.date(2022, 7, 1), "period"),
        ):
            with self.subTest(date=date):
                move = self.book(100, date=date)
                cost = self.env["grant.own.cost"].search([("move_id", "=", move.id)])
                self.assertEqual((cost.reason, cost.not_covered_amount), (reason, 100))
        self.assertPaid({})

    def test_a_day_that_comes(self):
        with freeze_time("2021-12-20"):
            self.book(700, date=DECEMBER)
            self.assertPaid({})
            self.assertEqual(self.cost.cost_ids.reason, "future")
        with freeze_time("2022-01-01"):
            self.env["grant.own.cost"]._cron_sync()
            self.assertPaid({DECEMBER: 700})


class TestOwnCostCeiling(OwnCostCase):
    """R1: never more than is committed, and payroll is booked all the same."""

    def test_beyond(self):
        self.book(9000)
        move = self.book(2500, DECEMBER)
        self.assertEqual(move.state, "posted")
        self.assertPaid({NOVEMBER: 9000, DECEMBER: 1000}, not_covered=1500)
        over = self.cost.cost_ids.filtered("reason")
        self.assertEqual((over.reason, over.not_covered_amount), ("ceiling", 1500))

    def test_room_comes_back(self):
        first = self.book(9000)
        self.book(2500, DECEMBER)
        first.button_draft()
        self.assertPaid({DECEMBER: 2500})

    def test_the_oldest_first(self):
        self.book(9000, DECEMBER)
        self.book(4000, NOVEMBER)
        self.assertPaid({NOVEMBER: 4000, DECEMBER: 6000}, not_covered=3000)

    def test_a_credit_makes_room(self):
        self.book(12000)
        self.assertPaid({NOVEMBER: 10000}, not_covered=2000)
        self.book(-3000, DECEMBER)
        self.assertPaid({NOVEMBER: 10000, DECEMBER: -1000}, not_covered=0)

    def test_booked_before_it_is_signed(self):
        other = self.make_subsidy(
            kind="own_cost", partner_id=self.company.partner_id.id, amount=500,
            date_start="2022-07-01", date_end="2022-12-31", signature_date="2022-07-01",
        )  # fmt: skip
        self.book(800, datetime.date(2022, 7, 31))
        self.assertFalse(other.paid_amount)
        self.sign(other)
        self.assertEqual((other.paid_amount, other.not_covered_amount), (500, 300))
        self.assertFalse(self.verify())

    def test_amended(self):
        """More is committed, for longer: what was not covered is, from that day on."""
        self.book(10800)
        self.book(500, datetime.date(2022, 7, 31))
        self.assertPaid({NOVEMBER: 10000}, not_covered=800)
        amendment = self.env["grant.amendment"].with_user(self.coordinator).create(
            {
                "subsidy_id": self.cost.id, "amount": 11500, "date_end": "2022-12-31",
                "reason": "Prolongation", "signature_date": "2022-01-10",
            }
        )  # fmt: skip
        amendment.with_user(self.finance_manager).action_sign()
        amended, later = datetime.date(2022, 1, 10), datetime.date(2022, 7, 31)
        self.assertPaid({NOVEMBER: 10000, amended: 800, later: 500})

    def test_closed(self):
        move = self.book(4000)
        self.ask(self.cost, "close", self.finance_manager)
        self.assertEqual(self.cost.committed_amount, 4000)
        self.book(100, DECEMBER)
        self.assertPaid({NOVEMBER: 4000}, not_covered=100)
        move.button_draft()
        self.assertPaid({DECEMBER: 100})

    def test_closed_with_nothing_left(self):
        """What was counted stays as it was, and follows accounting with nothing committed too."""
        move = self.book(500)
        self.book(-500, DECEMBER)
        self.assertPaid({NOVEMBER: 500, DECEMBER: -500})
        self.ask(self.cost, "close", self.finance_manager)
        self.assertEqual(self.cost.committed_amount, 0)
        self.assertPaid({NOVEMBER: 500, DECEMBER: -500})
        move.button_draft()
        self.assertPaid({}, not_covered=-500)

    def test_what_was_counted_stays_when_less_is_left(self):
        """Closing keeps the past as it was stated: no payment moves to another date."""
        self.book(9000)
        self.book(-3000, DECEMBER)
        self.ask(self.cost, "close", self.finance_manager)
        self.assertEqual(self.cost.committed_amount, 6000)
        self.assertPaid({NOVEMBER: 9000, DECEMBER: -3000})

    def test_a_closed_contract_keeps_its_costs(self):
        move = self.book(4000)
        self.ask(self.cost, "close", self.finance_manager)
        self.contract.with_user(self.finance_manager).action_close()
        self.book(100, DECEMBER)
        with self.assertRefused("not in force"):
            move.button_draft()

    def test_one_subsidy_for_a_day(self):
        with self.assertRefused(self.cost.code):
            self.make_cost(date_start="2022-06-30", date_end="2022-12-31")
        self.make_cost(date_start="2022-07-01", date_end="2022-12-31")

    def test_no_tranches(self):
        with self.assertRefused("no tranches"):
            self.make_tranche(self.make_subsidy(
                kind="own_cost", partner_id=self.company.partner_id.id
            ))  # fmt: skip
        subsidy = self.make_subsidy()
        self.make_tranche(subsidy)
        with self.assertRefused("no tranches"):
            subsidy.write({"kind": "own_cost", "partner_id": self.company.partner_id.id})

    def test_two_envelopes_one_account(self):
        with self.assertRaisesRegex(Exception, "analytic_account"), self.env.cr.savepoint():
            self.direct_envelope.analytic_account_id = self.envelope.analytic_account_id
            self.env.flush_all()


class TestPayrollImport(OwnCostCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        accounts = cls.env["account.account"]
        for code in ("64131", "6451"):
            found = accounts.search([("code", "=", code)], limit=1)
            cls.company.grant_own_cost_account_ids |= found or accounts.create(
                {"code": code, "name": code, "account_type": "expense"}
            )

    def load(self, content=PAYROLL, user=None, name="paie.csv", **values):
        content = content if isinstance(content, bytes) else content.encode("cp1252")
        wizard = self.env["grant.payroll.import"].with_user(user or self.finance_officer)
        action = wizard.create(
            {
                "subsidy_id": self.cost.id, "date": NOVEMBER, "filename": name,
                "file": base64.b64encode(content), **values,
            }
        ).action_confirm()  # fmt: skip
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_import(self):
        move = self.load()
        self.assertEqual((move.state, move.date), ("draft", NOVEMBER))
        self.assertPaid({})
        move.with_user(self.finance_officer).action_post()
        self.assertPaid({NOVEMBER: 3500.50})
        self.assertEqual(sum(move.line_ids.mapped("debit")), 4000.50)

    def test_twice(self):
        move = self.load()
        with self.assertRefused("imported already"):
            self.load()
        move.button_cancel()
        self.load()

    def test_bad_files(self):
        head = "Compte;Libellé;Débit;Crédit;Part\n"
        for content, *parts in (
            (head + "64131;a;10;;\n4286;b;;9;\n", "balance", "1.00"),
            (head + "64131;a;1.234;;\n4286;b;;10;\n", "Line 2", "Débit", "1.234"),
            (head + "64131;a;dix;;\n4286;b;;10;\n", "Line 2", "dix"),
            (head + "64131;a;10;10;\n", "Line 2", "not both"),
            (head + "64131;a;10;;120\n4286;b;;10;\n", "Line 2", "Part", "0 and 100"),
            (head + ";a;10;;\n4286;b;;10;\n", "Line 2", "Compte", "empty"),
            (head + "99999;a;10;;\n4286;b;;10;\n", "99999"),
            (head + "T611;a;10;;\n4286;b;;10;\n", "own costs"),
            (head, "columns"),
            ("Nom;Prénom\nx;y\n", "columns"),
            (b"%PDF-1.7", "spreadsheet"),
            (b"  ", "empty"),
        ):
            with self.subTest(content=content), self.assertRefused(*parts):
                self.load(content)
        imported = [("grant_file_sha256", "!=", False), ("company_id", "=", self.company.id)]
        self.assertFalse(self.env["account.move"].search(imported))

    def test_who(self):
        for user in (self.reader, self.coordinator):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.load(user=user)
        for user in (self.reader, self.coordinator, self.finance_officer):
            self.env["grant.own.cost"].with_user(user).search([]).mapped("amount")
        for user in self.portal_users:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["grant.own.cost"].with_user(user).search([])
        with self.assertRaises(UserError):
            self.load(subsidy_id=self.sign(self.make_subsidy()).id)


class TestCorrectedSignature(OwnCostCase):
    """A cost of the city is covered from its signature on: corrected, its costs follow."""

    def correct(self, date):
        self.cost.with_user(self.finance_manager)._do_correct_date(
            "signature_date", date, "Erreur de saisie"
        )

    def test_both_ways(self):
        early = datetime.date(2021, 10, 26)
        self.book(1000, early)
        self.book(9500)
        self.assertPaid({early: 1000, NOVEMBER: 9000}, not_covered=500)
        later = datetime.date(2021, 11, 2)
        self.assertIn("1,000.00", self.cost._get_consequences("signature_date", later)[-1])
        self.correct("2021-11-02")
        self.assertPaid({NOVEMBER: 9500})
        self.correct("2021-10-25")
        self.assertPaid({early: 1000, NOVEMBER: 9000}, not_covered=500)
        # What a closed year says was paid stays; where nothing of it moves, the day is corrected.
        self.env.company.fiscalyear_lock_date = early
        with self.assertRefused(self.cost.display_name, "closed period"):
            self.correct("2021-11-02")
        self.correct("2021-10-26")
        with self.assertRefused("another day"):
            self.cost.with_user(self.finance_manager)._do_correct_date(
                "cer_date", "2021-10-25", "La ville n'en signe pas"
            )

    def amend(self, amount, date):
        amendment = self.env["grant.amendment"].with_user(self.coordinator).create(
            {
                "subsidy_id": self.cost.id, "amount": amount, "reason": "Avenant",
                "signature_date": date,
            }
        )  # fmt: skip
        amendment.with_user(self.finance_manager).action_sign()
        return amendment

    def correct_amendment(self, amendment, date):
        amendment.with_user(self.finance_manager)._do_correct_date(
            "signature_date", date, "Erreur de saisie"
        )

    def test_of_an_amendment_that_adds(self):
        """What it covers is covered from its right day on, both ways."""
        self.book(10800)
        self.book(100, datetime.date(2022, 1, 15))
        amendment = self.amend(11500, "2022-01-10")
        signed, day = datetime.date(2022, 1, 10), datetime.date(2022, 1, 15)
        self.assertPaid({NOVEMBER: 10000, signed: 800, day: 100})
        later, earlier = datetime.date(2022, 1, 20), datetime.date(2021, 12, 10)
        self.assertIn("800.00", amendment._get_consequences("signature_date", later)[1])
        self.correct_amendment(amendment, later)
        self.assertPaid({NOVEMBER: 10000, later: 900})
        self.correct_amendment(amendment, earlier)
        self.assertPaid({NOVEMBER: 10000, earlier: 800, day: 100})
        self.correct_amendment(amendment, signed)
        self.assertPaid({NOVEMBER: 10000, signed: 800, day: 100})
        # What a closed year says was paid stays.
        self.company.fiscalyear_lock_date = signed
        with self.assertRefused(amendment.display_name, self.cost.display_name, "closed period"):
            self.correct_amendment(amendment, later)
        self.assertPaid({NOVEMBER: 10000, signed: 800, day: 100})

    def test_a_shorter_period_takes_nothing_back_of_a_closed_one(self):
        self.book(1000)
        self.book(500, datetime.date(2022, 1, 15))

        def shorten(day):
            amendment = self.env["grant.amendment"].with_user(self.coordinator).create(
                {
                    "subsidy_id": self.cost.id, "date_end": day, "reason": "Plus court",
                    "signature_date": "2022-02-01",
                }
            )  # fmt: skip
            amendment.with_user(self.finance_manager).action_sign()

        self.company.fiscalyear_lock_date = "2021-12-31"
        with self.assertRefused(self.cost.display_name, "closed period"), self.env.cr.savepoint():
            shorten("2021-11-10")
        self.assertPaid({NOVEMBER: 1000, datetime.date(2022, 1, 15): 500})
        shorten("2022-01-10")
        self.assertPaid({NOVEMBER: 1000})

    def test_other_accounts_take_nothing_back_of_a_closed_period(self):
        self.book(1000)
        self.company.fiscalyear_lock_date = "2021-12-31"
        with self.assertRefused(self.cost.display_name, "closed period"), self.env.cr.savepoint():
            self.company._change_own_cost_accounts(self.env["account.account"], "Erreur")
        self.assertPaid({NOVEMBER: 1000})

    def test_of_an_amendment_that_takes(self):
        """It is not dated before what was paid then."""
        self.book(4000)
        self.book(3000, datetime.date(2022, 1, 20))
        self.book(-1000, datetime.date(2022, 2, 5))
        amendment = self.amend(6500, "2022-02-10")
        self.assertEqual(self.cost.paid_amount, 6000)
        with self.assertRefused(self.cost.name, "not paid", "later date"):
            self.correct_amendment(amendment, "2022-01-21")
        self.correct_amendment(amendment, "2022-02-06")
        self.assertFalse(self.verify())
