import datetime
import hashlib
import json
import tempfile
import unittest
from pathlib import Path

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, freeze_time, tagged

from .common import CITY_SIRET, OpenDataCase, find_shared


@tagged("post_install", "-at_install")
class TestLines(OpenDataCase):
    def test_one_payment(self):
        self.make_signed("2021-11-15")
        (row,) = self.get_rows(self.publish())
        self.assertEqual(
            row,
            {
                "nomAttribuant": "Ville de test",
                "idAttribuant": CITY_SIRET,
                "dateConvention": "2021-10-25",
                "referenceDecision": "2021-0042",
                "nomBeneficiaire": "Association de test",
                "idBeneficiaire": "00090001900019",
                "rnaBeneficiaire": "",
                "objet": "Ateliers",
                "montant": "30000.00",
                "nature": "aide en numéraire",
                "conditionsVersement": "unique",
                "datesPeriodeVersement": "2021-11-15",
                "idRAE": "",
                "notificationUE": "non",
                "pourcentageSubvention": "1.00",
                "dispositifAide": "",
            },
        )

    def test_dates_of_the_ledger(self):
        """What was paid on the day of the payment, what is to come on its due date."""
        subsidy = self.make_signed("2021-11-15", "2022-03-15")
        self.pay(subsidy.disbursement_ids.sorted("due_date")[0], datetime.date(2021, 11, 25))
        (row,) = self.get_rows(self.publish())
        self.assertEqual(row["conditionsVersement"], "échelonné")
        self.assertEqual(row["datesPeriodeVersement"], "2021-11-25/2022-03-15")
        (row,) = self.get_rows(self.publications.search([], limit=1), "etalab")
        self.assertEqual(row["datesPeriodeVersement"], "2021-11-25_2022-03-15")

    def test_city_columns(self):
        self.make_signed()
        publication = self.publish()
        content = self.get_file(publication, "city").decode()
        self.assertEqual(
            content.splitlines()[0],
            "exercice,nomAttribuant,idAttribuant,dateConvention,referenceDecision,nomBeneficiaire,"
            "idBeneficiaire,objet,montant,nature,conditionsVersement,datesPeriodeVersement,"
            "notificationUE,pourcentageSubvention",
        )
        self.assertEqual(self.get_rows(publication, "city")[0]["exercice"], "2021")

    def test_names_of_the_day(self):
        """As they were on the day of the convention, whatever they became."""
        with freeze_time("2021-10-25 12:00:00"):
            self.make_signed()
        self.operator.write({"name": "Nouveau nom"})
        self.company.partner_id.write({"name": "Commune nouvelle"})
        (row,) = self.get_rows(self.publish())
        self.assertEqual(row["nomBeneficiaire"], "Association de test")
        self.assertEqual(row["nomAttribuant"], "Ville de test")

    def test_only_what_the_law_asks(self):
        """By body and year: two of 15 000 € are above the threshold together, one is not."""
        self.make_signed(amount=15000)
        self.make_signed(amount=15000, partner_id=self.other_operator.id)
        with self.assertRaisesRegex(UserError, "nothing to publish"):
            self.publish()
        self.make_signed(amount=15000)
        rows = self.get_rows(self.publish())
        self.assertEqual([row["nomBeneficiaire"] for row in rows], ["Association de test"] * 2)
        self.company.grant_open_data_all = True
        self.assertEqual(len(self.get_rows(self.publish())), 3)

    def test_in_kind(self):
        """Aid in kind counts with the money of the body and the year, and is a line of its own."""
        self.make_signed(amount=20000)
        aid = self.env["grant.aid.in.kind"].with_user(self.coordinator).create(
            {
                "name": "Salle B, le lundi", "partner_id": self.operator.id, "amount": 2500,
                "date_start": "2021-01-01", "date_end": "2021-12-31",
                "decision_number": "2021-0001", "decision_date": "2021-02-01",
            }
        )  # fmt: skip
        aid.action_record()
        with self.assertRaisesRegex(UserError, "nothing to publish"):
            self.publish()
        aid.copy({"amount": 600, "decision_number": "2021-2", "decision_date": "2021-03-01"})
        self.env["grant.aid.in.kind"].search([("state", "=", "draft")]).with_user(
            self.coordinator
        ).action_record()
        rows = self.read_kinds(self.publish())
        self.assertEqual(
            rows,
            [
                ("aide en nature", "2500.00", "mise à disposition", "2021-01-01/2021-12-31"),
                ("aide en nature", "600.00", "mise à disposition", "2021-01-01/2021-12-31"),
                ("aide en numéraire", "20000.00", "unique", "2021-11-15"),
            ],
        )
        self.ask(aid, "cancel", self.coordinator)
        publication = self.publish(leave_out=True)
        gone = publication.line_ids.filtered(lambda line: line.change == "withdrawn")
        self.assertIn(f"grant.aid.in.kind,{aid.id}", gone.mapped("source"))
        self.assertEqual(gone[0].action_open_source()["res_model"], "grant.aid.in.kind")

    def read_kinds(self, publication):
        names = ("nature", "montant", "conditionsVersement", "datesPeriodeVersement")
        return [tuple(row[name] for name in names) for row in self.get_rows(publication)]

    def test_two_alike_stay_two(self):
        self.make_signed()
        self.make_signed()
        first, second = self.get_rows(self.publish())
        self.assertEqual(first, second)

    def test_what_is_not_the_citys(self):
        """The State publishes what it pays; before its signature nothing is published."""
        self.make_signed(envelope_id=self.direct_envelope.id)
        self.make_subsidy(amount=40000).action_grant()
        with self.assertRaisesRegex(UserError, "nothing to publish"):
            self.publish()

    def test_amount_awarded(self):
        """A closed subsidy was awarded what it was, though less was spent of it."""
        subsidy = self.make_signed("2021-11-15", "2022-01-15")
        self.pay(subsidy.disbursement_ids.sorted("due_date")[0])
        self.ask(subsidy, "close", self.finance_manager)
        self.assertEqual(subsidy.committed_amount, 15000)
        (row,) = self.get_rows(self.publish())
        self.assertEqual(row["montant"], "30000.00")

    def test_ledger_that_differs(self):
        subsidy = self.make_signed()
        self.env.flush_all()
        self.env.cr.execute("UPDATE grant_subsidy SET amount = 29999 WHERE id = %s", subsidy.ids)
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "the ledger has.*30,000.00.*29,999.00"):
            self.publish()

    def test_errors_are_named(self):
        subsidy = self.make_subsidy(amount=30000)
        self.make_tranche(subsidy, amount=30000)
        self.sign(subsidy)
        # Today's would not matter: the day of the convention does.
        with freeze_time("2021-09-01 12:00:00"):
            self.company.partner_id.company_registry = False
        with self.assertRaises(UserError) as refusal:
            self.publish()
        message = str(refusal.exception)
        self.assertIn(subsidy.display_name, message)
        self.assertIn("Enter the SIRET of the city", message)
        self.assertIn("Give each tranche a due date", message)
        self.assertFalse(self.publications.search([("company_id", "=", self.company.id)]))

    def test_errors_left_out(self):
        good = self.make_signed()
        wrong = self.make_subsidy(amount=30000)
        self.make_tranche(wrong, amount=30000)
        self.sign(wrong)
        publication = self.publish(leave_out=True)
        self.assertEqual(publication.line_ids.subsidy_id, good.with_env(publication.env))
        self.assertIn(wrong.code, publication.left_out)
        self.assertEqual(good.publication_state, "published")
        self.assertEqual(wrong.publication_state, "due")
        due = self.env["grant.subsidy"].search([("publication_state", "=", "due")])
        self.assertEqual(due, wrong.with_env(self.env))


@tagged("post_install", "-at_install")
class TestPublication(OpenDataCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_signed("2021-11-15")

    def test_files_are_kept(self):
        publication = self.publish(url="https://data.example.org/subventions")
        self.assertEqual(publication.file_ids.mapped("format"),
                         ["scdl", "city", "etalab", "three_sixty"])  # fmt: skip
        for file in publication.file_ids:
            content = self.get_file(publication, file.format)
            self.assertEqual(file.sha256, hashlib.sha256(content).hexdigest())
            self.assertEqual(file.size, len(content))
        grant = json.loads(self.get_file(publication, "three_sixty"))["grants"][0]
        self.assertEqual(grant["amountAwarded"], 30000)
        before = self.get_file(publication)
        self.operator.name = "Autre nom"
        self.assertEqual(self.get_file(publication), before)

    def test_append_only(self):
        publication = self.publish()
        line, file = publication.line_ids, publication.file_ids[0]
        answer = self.env["grant.publication.answer"]
        line.with_user(self.coordinator).action_taken()
        answer = line.answer_ids
        for record in (publication, line, file, answer):
            # The superuser's too.
            for act in (record.sudo().unlink, lambda r=record: r.sudo().write({"company_id": 1}),
                        lambda r=record: r.sudo().create({})):  # fmt: skip
                with self.assertRaises(AccessError):
                    act()
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", file._name), ("res_id", "=", file.id), ("res_field", "=", "file")]
        )
        self.assertEqual(len(attachment), 1)
        with self.assertRaises(AccessError):
            attachment.write({"raw": b"other"})
        self.assertFalse(self.env["grant.decision"]._get_broken_lines())

    def test_what_changed(self):
        first = self.publish()
        self.assertEqual(first.line_ids.change, "new")
        with self.assertRaisesRegex(UserError, "Nothing has changed since"):
            self.publish()
        self.pay(self.subsidy.disbursement_ids, datetime.date(2021, 12, 1))
        self.make_signed(partner_id=self.other_operator.id)
        second = self.publish()
        self.assertEqual(second.number, first.number + 1)
        changed, new = second.line_ids.sorted("row_number")
        self.assertEqual((changed.change, new.change), ("changed", "new"))
        self.assertIn("2021-11-15 → 2021-12-01", changed.change_note)
        self.assertEqual(first.line_ids.paid_from, datetime.date(2021, 11, 15))

    def test_withdrawn(self):
        self.make_signed(partner_id=self.other_operator.id)
        self.publish()
        self.ask(self.subsidy, "cancel", self.coordinator)
        publication = self.publish()
        gone = publication.line_ids.filtered(lambda line: line.change == "withdrawn")
        self.assertEqual(gone.subsidy_id, self.subsidy.with_env(gone.env))
        self.assertEqual(len(self.get_rows(publication)), 1)
        with self.assertRaisesRegex(UserError, "withdrawn"):
            gone.action_taken()
        self.assertNotEqual(self.subsidy.publication_state, "published")

    def test_by_year(self):
        with self.assertRaisesRegex(UserError, "nothing to publish"):
            self.publish(exercise=2022)
        self.assertEqual(self.publish(exercise=2021).line_count, 1)
        # The year alone was published: all of it, as one file, is another one.
        self.assertEqual(self.publish().line_ids.change, "same")

    def test_task(self):
        """Who publishes has the task no more, and gets it no more."""
        reminders = self.env["grant.reminder"]
        kind = self.env.ref("ctai_grants.mail_activity_publish")
        with freeze_time("2022-01-20 12:00:00"):
            reminders._watch_deadlines()
            tasks = self.subsidy.with_env(self.env).activity_ids
            self.assertIn(kind, tasks.activity_type_id)
            self.publish()
            self.assertNotIn(kind, self.subsidy.with_env(self.env).activity_ids.activity_type_id)
            other = self.make_signed(signature_date="2021-10-26")
            self.publish()
            reminders._watch_deadlines()
            self.assertNotIn(kind, other.with_env(self.env).activity_ids.activity_type_id)

    def test_answers(self):
        self.make_signed()
        publication = self.publish()
        first, second = publication.line_ids.sorted("row_number")
        report = "Ligne;Champ;Message\n3;idBeneficiaire;SIRET fermé\n"
        publication._read_report("validata.csv", report.encode(), others_taken=True)
        self.assertEqual((first.verdict, second.verdict), ("taken", "refused"))
        self.assertEqual(second.verdict_note, "idBeneficiaire: SIRET fermé")
        self.assertEqual((publication.taken_count, publication.refused_count), (1, 1))
        # The same report says nothing new.
        self.assertEqual(publication._read_report("v.csv", report.encode(), True), 0)
        second.action_taken()
        self.assertEqual(second.verdict, "taken")
        self.assertEqual(len(second.answer_ids), 2)
        lines = self.env["grant.publication.line"]
        found = lines.search([("verdict", "=", "refused")])
        self.assertNotIn(second.with_env(self.env), found)
        self.assertIn(second.with_env(self.env), lines.search([("verdict", "=", "taken")]))
        for text, message in (
            ("Ligne;Message\n2;x\n9;x\n", "line “9” of the file, which has lines 2 to 3"),
            ("Ligne;Statut\n2;bof\n", "says “bof”"),
            ("a;b\n1;2\n", "columns of a report"),
            ("", "empty"),
        ):
            with self.assertRaisesRegex(UserError, message):
                publication._read_report("r.csv", text.encode())
        self.assertEqual(len(first.answer_ids), 1)

    def test_refused_by_hand(self):
        line = self.publish().line_ids
        self.ask(line, "refused", self.coordinator, "RNA inconnu")
        self.assertEqual((line.verdict, line.verdict_note), ("refused", "RNA inconnu"))

    def test_roles(self):
        for user in (self.reader, self.finance_officer, self.finance_manager):
            with self.assertRaises(AccessError):
                self.publish(user)
        publication = self.publish()
        line = publication.line_ids
        for user in (self.reader, self.finance_officer):
            seen = publication.with_user(user)
            self.assertEqual(seen.line_ids.amount, 30000)
            with self.assertRaises(AccessError):
                line.with_user(user).action_taken()
            with self.assertRaises(AccessError):
                seen._read_report("r.csv", b"Ligne;Message\n2;x\n")
        for user in self.portal_users:
            with self.assertRaises(AccessError):
                publication.with_user(user).read(["number"])
            with self.assertRaises(AccessError):
                line.with_user(user).read(["amount"])

    def test_companies(self):
        publication = self.publish()
        other = self.env["res.company"].create({"name": "Autre ville"})
        stranger = self.coordinator.copy({"login": "stranger"})
        stranger.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        found = self.publications.with_user(stranger).search([])
        self.assertNotIn(publication.id, found.ids)
        with self.assertRaisesRegex(UserError, "Choose a city"):
            self.publications.with_user(stranger)._publish(self.company)

    def test_wizard(self):
        wizard = self.env["grant.publication.wizard"].with_user(self.coordinator).create({})
        self.assertEqual((wizard.line_count, wizard.new_count, wizard.amount), (1, 1, 30000))
        self.assertFalse(wizard.problems)
        for values in ({"exercise": 21}, {"url": "javascript:alert(1)"}):
            with self.assertRaisesRegex(UserError, "is no"):
                wizard.create(values)
        action = wizard.action_publish()
        self.assertEqual(action["res_model"], "grant.publication")


@tagged("post_install", "-at_install")
class TestOfficialSchema(OpenDataCase):
    def test_frictionless(self):
        """The official schema, read by the reader that the State's validator is made with."""
        try:
            from frictionless import Resource, Schema
        except ImportError as error:
            raise unittest.SkipTest("frictionless is not installed.") from error
        schema = Schema.from_descriptor(
            json.loads(find_shared("scdl/schema.json").read_text(encoding="utf-8"))
        )
        self.operator.write({"name": "Les « Amis », \"quai 9\"", "rna": "W863001234"})
        self.make_signed("2021-11-15", "2022-03-15", name="Ateliers; à l'heure, " * 20)
        self.make_signed("2021-11-15", amount=23000.01)
        content = self.get_file(self.publish())
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "file.csv").write_bytes(content)
            resource = Resource(path="file.csv", basepath=folder, schema=schema)
            report = resource.validate()
        self.assertTrue(report.valid, report.flatten(["rowNumber", "fieldName", "message"]))
        self.assertEqual(report.tasks[0].stats["rows"], 2)


@tagged("post_install", "-at_install")
class TestDownloads(OpenDataCase, HttpCase):
    def test_files(self):
        self.make_signed()
        publication = self.publish()
        url = publication.file_ids[0].action_download()["url"]
        self.authenticate("test_reader", "test_reader")
        response = self.url_open(url)
        self.assertEqual(response.content, self.get_file(publication))
        self.authenticate("test_portal_operator", "test_portal_operator")
        self.assertEqual(self.url_open(url).status_code, 404)

    def test_templates(self):
        self.authenticate("test_coordinator", "test_coordinator")
        for ending in ("csv", "xlsx"):
            response = self.url_open(f"/grants/open_data/template.{ending}")
            self.assertEqual(response.status_code, 200)
            self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertEqual(self.url_open("/grants/open_data/template.exe").status_code, 404)
        self.authenticate("test_reader", "test_reader")
        self.assertEqual(self.url_open("/grants/open_data/template.csv").status_code, 404)
