import datetime

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time

from ..common import GrantsCommon

DAY = datetime.date.fromisoformat


class LegalDatesCase(GrantsCommon):
    def correct(self, subsidy, name, date, reason="Erreur de saisie", user=None):
        """Correct a date through its window, as who may."""
        window = self.env["grant.date.correction"].with_user(user or self.finance_manager)
        return window.create(
            {
                "res_model": subsidy._name, "res_id": subsidy.id,
                "date_name": name, "date": date, "reason": reason,
            }  # fmt: skip
        ).action_confirm()

    def typed(self, document, values):
        """Write as everybody does: by the form or RPC, and by an import."""
        names = list(values)
        user = document.with_user(self.coordinator)
        yield "write", lambda: user.write(values)
        xmlid = f"__test__.{document._table}_{document.id}"
        self.env["ir.model.data"]._update_xmlids([{"xml_id": xmlid, "record": document}])

        def load():
            result = user.load(["id", *names], [[xmlid, *values.values()]])
            if result["ids"] is False:
                raise UserError(" ".join(message["message"] for message in result["messages"]))

        yield "import", load


class TestLegalDates(LegalDatesCase):
    def test_order(self):
        """Each act follows those that it needs, whoever writes and in whatever state."""
        dates = {
            "request_date": "2021-09-01",
            "decision_date": "2021-09-27",
            "executory_date": "2021-10-01",
            "notification_date": "2021-10-04",
            "signature_date": "2021-10-25",
        }
        for name, day in (
            ("request_date", "2021-09-28"),
            ("decision_date", "2021-08-31"),
            ("executory_date", "2021-09-26"),
            ("notification_date", "2021-08-27"),
            ("notification_date", "2021-09-30"),
            ("signature_date", "2021-09-26"),
        ):
            with self.subTest(name=name, day=day, how="create"):
                with self.assertRefused("comes before", exception=ValidationError):
                    self.make_subsidy(**{**dates, name: day})
            subsidy = self.make_subsidy(**dates)
            label = subsidy._fields[name]._description_string(self.env)
            for how, write in self.typed(subsidy, {name: day}):
                with self.subTest(name=name, day=day, how=how):
                    with self.assertRefused("comes before", label):
                        write()
        # With one missing between them, too.
        with self.assertRefused("comes before", exception=ValidationError):
            self.make_subsidy(executory_date=False, notification_date="2021-09-26")

    def test_none_in_the_future(self):
        """“Today” is that of the city."""
        self.company.partner_id.tz = "Indian/Reunion"
        with freeze_time("2021-12-31 21:00:00"):
            subsidy = self.make_subsidy()
            for name in subsidy._get_legal_dates():
                with self.subTest(name=name), self.assertRefused("today"):
                    subsidy[name] = "2022-01-02"
            subsidy.cer_date = "2022-01-01"
        with self.assertRefused("today", exception=ValidationError):
            self.contract.copy({"code": "X", "signature_date": "2100-01-01"})

    def test_signature_before_the_decision(self):
        """Dates that are older than the rule are looked at again before anything is posted."""
        subsidy = self.make_subsidy()
        subsidy.action_grant()
        self.set_dates(subsidy, signature_date="2021-09-26")
        with self.assertRefused("comes before"):
            subsidy.action_sign()
        self.assertFalse(subsidy.entry_ids)

    def test_contract(self):
        contract = self.contract.with_user(self.administrator)
        with self.assertRefused("comes before", exception=ValidationError):
            contract.decision_date = "2021-10-22"
        contract.decision_date = "2021-09-27"
        contract.with_user(self.finance_manager).action_close()
        with self.assertRefused("Closed"):
            contract.decision_date = "2021-09-28"

    def test_tracked(self):
        for model, names in (
            ("grant.subsidy", self.env["grant.subsidy"]._get_legal_dates()),
            ("grant.contract", ["signature_date", "decision_date"]),
            ("grant.amendment", ["decision_date", "executory_date", "signature_date"]),
        ):
            for name in names:
                with self.subTest(model=model, name=name):
                    self.assertTrue(self.env[model]._fields[name].tracking)


class TestLockedDates(LegalDatesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(
            request_date="2021-09-01", notification_date="2021-10-26", cer_date="2021-08-30"
        )
        cls.advance = cls.make_tranche(cls.subsidy, name="Avance", amount=6000)
        cls.balance = cls.make_tranche(cls.subsidy, name="Solde", amount=4000)
        cls.sign(cls.subsidy)

    def test_locked_once_a_tranche_rests_on_them(self):
        self.subsidy.executory_date = "2021-10-02"
        self.assertEqual(self.subsidy.locked_dates, "decision_date signature_date")
        self.certify(self.advance)
        for name, day in (
            ("executory_date", "2021-10-03"),
            ("notification_date", "2021-10-27"),
            ("request_date", "2021-09-02"),
            ("cer_date", "2021-08-31"),
            ("cer_date", False),
            ("decision_date", "2021-09-28"),
            ("signature_date", "2021-10-24"),
        ):
            for how, write in self.typed(self.subsidy, {name: day or ""} if day else {name: day}):
                if how == "import" and not day:
                    continue
                with self.subTest(name=name, how=how), self.assertRefused("any more"):
                    write()
                with self.subTest(name=name, how="superuser"), self.assertRefused("any more"):
                    self.subsidy.sudo()[name] = day
        form = Form(self.subsidy)
        with self.assertRaises(AssertionError):
            form.executory_date = "2021-10-03"
        # Imported again as it is, nothing is refused.
        self.subsidy.write({"executory_date": "2021-10-02", "cer_date": "2021-08-30"})

    def test_what_is_missing_is_completed(self):
        subsidy = self.make_subsidy(partner_id=self.other_operator.id, executory_date=False)
        tranche = self.make_tranche(subsidy)
        self.sign(subsidy)
        self.override(tranche, "executory")
        self.certify(tranche)
        subsidy.executory_date = "2021-10-03"
        subsidy.notification_date = "2021-10-27"
        # That, a tranche rests on now.
        with self.assertRefused("any more"):
            subsidy.notification_date = "2021-10-28"

    def test_closed(self):
        """A closed subsidy's CER was moved to 2030 without a trace."""
        subsidy = self.make_subsidy(partner_id=self.other_operator.id, cer_date="2021-10-01")
        self.sign(subsidy)
        self.ask(subsidy, "close", self.finance_manager)
        for day in ("2030-01-01", "2021-10-02", False):
            with self.subTest(day=day), self.assertRefused("any more"):
                subsidy.cer_date = day
        self.correct(subsidy, "cer_date", "2021-10-02")
        self.assertEqual(subsidy.cer_date, DAY("2021-10-02"))
        with self.assertRefused("today"):
            self.correct(subsidy, "cer_date", "2030-01-01")

    def test_correction(self):
        self.certify(self.advance)
        before = self.advance.payment_deadline
        self.assertEqual(before, DAY("2021-12-25"))
        window = Form(
            self.env["grant.date.correction"]
            .with_user(self.finance_manager)
            .with_context(default_res_model="grant.subsidy", default_res_id=self.subsidy.id)
        )
        window.date_name = "notification_date"
        self.assertEqual(window.date_before, DAY("2021-10-26"))
        window.date = "2021-11-05"
        self.assertIn("“Avance”, to pay before: 12/25/2021 → 01/04/2022", window.changes)
        self.assertIn("“Solde”", window.changes)
        # Shown, and nothing is changed yet.
        self.assertEqual(self.subsidy.notification_date, DAY("2021-10-26"))
        self.assertEqual(self.advance.payment_deadline, before)
        window.reason = "Récépissé retrouvé"
        window.save().action_confirm()
        self.assertEqual(self.subsidy.notification_date, DAY("2021-11-05"))
        self.assertEqual(self.advance.payment_deadline, DAY("2022-01-04"))
        decision = self.subsidy.decision_ids.sorted("id")[-1]
        self.assertEqual(decision.decision, "corrected")
        self.assertEqual(decision.user_id, self.finance_manager)
        for part in ("Récépissé retrouvé", "10/26/2021 → 11/05/2021", "01/04/2022"):
            self.assertIn(part, decision.reason)
        self.assertEqual(self.subsidy.state, "signed")

    def test_correction_recomputes_the_conditions(self):
        with freeze_time("2021-11-08 12:00:00"):
            self.advance._refresh_readiness()
            self.certify(self.advance)
            self.balance._refresh_readiness()
            self.assertEqual(self.balance.state, "ready")
            self.correct(self.subsidy, "notification_date", False)
            self.correct(self.subsidy, "executory_date", False)
        self.assertEqual(self.balance.state, "planned")
        reason = self.subsidy.decision_ids.sorted("id")[-1].reason
        self.assertIn("“Solde” waits again for", reason)
        self.assertIn("“Avance” was certified without a condition that it needed", reason)
        with self.assertRefused("executory"):
            self.balance.with_user(self.coordinator).action_certify()

    def test_correction_of_the_cer(self):
        """Requested after 2 January 2022, it needs a CER."""
        subsidy = self.make_subsidy(
            partner_id=self.other_operator.id, request_date="2021-12-20",
            decision_date="2022-01-10", executory_date="2022-01-12", signature_date="2022-01-20",
        )  # fmt: skip
        tranche = self.make_tranche(subsidy)
        waiting = self.make_tranche(subsidy, name="Solde")
        self.sign(subsidy)
        self.certify(tranche, moment="2022-02-01 12:00:00")
        self.correct(subsidy, "request_date", "2022-01-03")
        reason = subsidy.decision_ids.sorted("id")[-1].reason
        self.assertIn("was certified without a condition", reason)
        self.assertIn("“Solde” waits again", reason)
        self.assertEqual(waiting.state, "planned")

    def test_what_a_correction_refuses(self):
        self.certify(self.advance)
        for name, date, reason, words in (
            ("executory_date", "2021-10-05", "\u200b ", "in words"),
            ("executory_date", "2021-10-01", "Parce que", "another day"),
            ("executory_date", "2021-09-26", "Parce que", "comes before"),
            ("executory_date", "2100-01-01", "Parce que", "today"),
            ("notification_date", "2021-09-30", "Parce que", "comes before"),
            ("decision_date", "2021-10-26", "Parce que", "comes before"),
            ("decision_date", False, "Parce que", "cannot be empty"),
        ):
            with self.subTest(name=name, date=date), self.assertRefused(words):
                self.correct(self.subsidy, name, date, reason)
        for user in (self.staff | self.operator_user) - self.finance_manager - self.both_roles:
            if user.has_group("ctai_grants.group_finance_manager"):
                continue
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.subsidy.with_user(user)._do_correct_date(
                    "executory_date", "2021-10-02", "Parce que"
                )
        for name in ("signature_date", "decision_number"):
            with self.assertRefused("another day"):
                self.subsidy.with_user(self.finance_manager)._do_correct_date(
                    name, "2021-10-25", "Parce que"
                )
        self.assertFalse(
            self.subsidy.decision_ids.filtered(lambda d: d.decision == "corrected")
        )

    def test_award_after_a_payment(self):
        subsidy = self.make_subsidy(
            partner_id=self.other_operator.id, executory_date=False, signature_date="2021-12-20"
        )
        self.sign(subsidy)
        paid = self.make_tranche(subsidy)
        self.env.cr.execute(
            "UPDATE grant_disbursement SET paid_date = '2021-10-10' WHERE id = %s", paid.ids
        )
        paid.invalidate_recordset()
        with self.assertRefused(paid.display_name, "after it"):
            self.correct(subsidy, "decision_date", "2021-10-11")

    def test_history_of_the_states(self):
        """What was decided is told at its right day, and the correction changes no state."""
        self.correct(self.subsidy, "decision_date", "2021-09-28")
        steps = self.subsidy._get_histories(self.company._grant_timezone())[self.subsidy.id]
        self.assertEqual(
            [(step.decision, step.state) for step in steps[1:]],
            [("granted", "granted"), ("signed", "signed"), ("corrected", "signed")],
        )
        self.assertEqual(steps[1].day, DAY("2021-09-28"))

    def test_rpc_window_on_another_city(self):
        """The window shows nothing of a subsidy that its user may not read."""
        with self.assertRaises(AccessError):
            self.env["grant.date.correction"].with_user(self.coordinator).create(
                {
                    "res_model": "grant.subsidy", "res_id": self.subsidy.id,
                    "date_name": "cer_date", "reason": "x",
                }  # fmt: skip
            )


class TestSignatureDate(LegalDatesCase):
    """The day of a signature dates what it committed: both are corrected, or neither."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        action = {"subsidy_id": cls.subsidy.id, "name": "Cours", "amount": 4000}
        cls.env["grant.action"].create(action)
        cls.sign(cls.subsidy)

    def committed(self, document=None):
        """What stands in the ledger, by day and action, and how many entries say so."""
        document = document or self.subsidy
        entries = self.env["grant.entry"].search(
            [("origin_model", "=", document._name), ("origin_id", "=", document.id)]
        )
        sums = {}
        for entry in entries:
            key = (str(entry.date), entry.action_id.name or entry.envelope_id.code)
            sums[key] = sums.get(key, 0) + entry.amount
        return {key: amount for key, amount in sums.items() if amount}, len(entries)

    def test_both_ways(self):
        entries = 2
        for day in ("2021-11-02", "2021-10-21", "2021-10-25"):
            with self.subTest(day=day):
                self.correct(self.subsidy, "signature_date", day)
                entries += 4
                self.assertEqual(
                    self.committed(), ({(day, "Cours"): 4000, (day, "A"): 6000}, entries)
                )
                self.assertEqual(self.subsidy.signature_date, DAY(day))
                self.assertEqual(self.subsidy.committed_amount, 10000)
                self.assertEqual(self.envelope.committed_amount, 10000)
        self.assertEqual(self.verify(), [])
        decision = self.subsidy.decision_ids.sorted("id")[-1]
        self.assertEqual(decision.decision, "corrected")
        self.assertIn("Erreur de saisie", decision.reason)
        self.assertIn("10/21/2021 → 10/25/2021", decision.reason)
        self.assertIn("10,000.00", decision.reason)
        steps = self.subsidy._get_histories(self.company._grant_timezone())[self.subsidy.id]
        self.assertEqual(
            [(step.decision, step.day) for step in steps[1:3]],
            [("granted", DAY("2021-09-27")), ("signed", DAY("2021-10-25"))],
        )

    def test_refused_in_the_ledger(self):
        """Before the contract; where the envelope had nothing left; and nothing is changed."""
        with self.assertRefused("in force since"):
            self.correct(self.subsidy, "signature_date", "2021-10-20")
        with self.assertRefused("comes before"):
            self.correct(self.subsidy, "signature_date", "2021-09-26")
        with self.assertRefused("today"):
            self.correct(self.subsidy, "signature_date", "2100-01-01")
        with self.assertRefused("cannot be empty"):
            self.correct(self.subsidy, "signature_date", False)
        # What another one took until it was cancelled, later.
        big = self.sign(self.make_subsidy(amount=140000, partner_id=self.other_operator.id))
        late = self.env["grant.subsidy"]
        with freeze_time("2021-12-01 12:00:00"):
            self.ask(big, "cancel", self.coordinator)
        late = self.sign(self.make_subsidy(amount=20000, signature_date="2021-12-02"))
        with self.assertRefused("left to commit", "10/27/2021"):
            self.correct(late, "signature_date", "2021-10-27")
        self.assertEqual(self.committed(late), ({("2021-12-02", "A"): 20000}, 1))
        self.correct(late, "signature_date", "2021-12-01")
        self.assertEqual(self.verify(), [])

    def test_not_after_what_rests_on_it(self):
        tranche = self.make_tranche(self.subsidy)
        self.certify(tranche)
        with self.assertRefused(tranche.display_name, "was certified on"):
            self.correct(self.subsidy, "signature_date", "2021-11-09")
        self.correct(self.subsidy, "signature_date", "2021-11-08")
        direct = self.make_subsidy(
            envelope_id=self.direct_envelope.id, partner_id=self.other_operator.id
        )
        self.sign(direct)
        paid = self.make_tranche(direct)
        self.pay(paid, DAY("2021-11-10"))
        with self.assertRefused(paid.display_name, "was paid on"):
            self.correct(direct, "signature_date", "2021-11-11")
        self.assertEqual(self.verify(), [])

    def test_closed(self):
        """What its closing gave back stays at its day; on the day of the signature, it cannot be
        told apart."""
        self.ask(self.subsidy, "close", self.finance_manager)
        self.correct(self.subsidy, "signature_date", "2021-10-28")
        self.assertEqual(self.committed()[0]["2021-10-28", "Cours"], 4000)
        self.assertEqual(self.subsidy.committed_amount, 0)
        self.assertEqual(self.verify(), [])
        with freeze_time("2021-11-03 12:00:00"):
            other = self.sign(
                self.make_subsidy(
                    partner_id=self.other_operator.id, signature_date="2021-11-03"
                )
            )
            self.ask(other, "close", self.finance_manager)
        with self.assertRefused(other.display_name, "was also closed"):
            self.correct(other, "signature_date", "2021-11-02")

    def test_signed_again(self):
        """What was signed on that very day before, and cancelled, stays as it was stated."""
        self.ask(self.subsidy, "cancel", self.coordinator)
        self.subsidy.action_reset_to_draft()
        self.subsidy.amount = 7000
        self.sign(self.subsidy)
        self.correct(self.subsidy, "signature_date", "2021-10-28")
        sums, _entries = self.committed()
        self.assertEqual(
            [amount for (day, _what), amount in sorted(sums.items()) if day == "2021-10-28"],
            [3000, 4000],
        )
        self.assertEqual((sums["2021-10-25", "Cours"], sums["2021-10-25", "A"]), (4000, 6000))
        self.assertEqual(self.subsidy.committed_amount, 7000)
        self.assertEqual(self.verify(), [])

    def test_preview(self):
        window = Form(
            self.env["grant.date.correction"]
            .with_user(self.finance_manager)
            .with_context(default_res_model="grant.subsidy", default_res_id=self.subsidy.id)
        )
        window.date_name = "signature_date"
        window.date = "2021-11-02"
        self.assertIn("10,000.00", window.changes)
        self.assertIn("statement", window.changes)
        self.assertEqual(self.committed()[1], 2)

    def test_contract(self):
        self.correct(self.contract, "signature_date", "2021-10-11")
        self.assertEqual(
            self.committed(self.contract),
            ({("2021-10-11", "A"): 150000, ("2021-10-11", "B"): 50000}, 6),
        )
        self.assertEqual(self.contract.force_date, DAY("2021-10-11"))
        self.correct(self.contract, "signature_date", "2021-10-25")
        with self.assertRefused(self.contract.display_name, "10/25/2021", "Commitment"):
            self.correct(self.contract, "signature_date", "2021-10-26")
        self.assertEqual(self.contract.force_date, DAY("2021-10-25"))
        self.assertEqual(self.verify(), [])
        with self.assertRaises(AccessError):
            self.contract.with_user(self.coordinator)._do_correct_date(
                "signature_date", "2021-10-22", "Parce que"
            )
