from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.common import make_siret

from .common import OpenDataCase


@tagged("post_install", "-at_install")
class TestAttacks(OpenDataCase):
    """What an outsider tried on the publications."""

    def test_all_years_after_one_year(self):
        """The file of all years is made anew, when what changed was published by year meanwhile."""
        subsidy = self.make_signed("2021-11-15")
        self.publish()
        subsidy.disbursement_ids.sudo()._transition(due_date="2021-12-15")
        by_year = self.publish(exercise=2021)
        self.assertEqual(by_year.changed_count, 1)
        again = self.publish()
        self.assertEqual(self.get_rows(again)[0]["datesPeriodeVersement"], "2021-12-15")
        with self.assertRaisesRegex(UserError, "Nothing has changed"):
            self.publish()

    def test_falls_below_the_threshold(self):
        subsidy = self.make_signed("2021-11-15", amount=20000)
        other = self.make_signed("2021-11-16", amount=20000)
        self.assertEqual(self.publish().line_count, 2)
        self.ask(other, "cancel", self.coordinator)
        publication = self.publish()
        self.assertEqual((publication.line_count, publication.withdrawn_count), (0, 2))
        self.env.invalidate_all()
        self.assertEqual(subsidy.publication_state, "none")

    def test_two_records_of_one_body(self):
        self.operator.company_registry = make_siret(77)
        branch = self._make_organisation("Antenne", "operator")
        branch.company_registry = make_siret(77, nic=2)
        self.make_signed("2021-11-15", amount=12000)
        self.make_signed("2021-11-15", amount=12000, partner_id=branch.id)
        self.assertEqual(self.publish().line_count, 2)


@tagged("post_install", "-at_install")
class TestHostileFiles(OpenDataCase):
    """What an outsider sent as a file of awards."""

    HEADS = "siret;objet;montant;nomBeneficiaire;referenceDecision;dateConvention"

    def read_awards(self, content, name="a.csv"):
        imports = self.env["grant.award.import"].with_user(self.coordinator)
        return imports._import(self.envelope, name, content)

    def read_row(self, purpose="Objet", amount="100", name="Nom", decision="D", day="2021-10-25",
                 number=None):  # fmt: skip
        number = number or self.operator.company_registry
        row = ";".join([number, purpose, amount, name, decision, day])
        return self.read_awards(f"{self.HEADS}\n{row}\n".encode())

    def test_tampered(self):
        """Whoever writes into the tables around their guards is seen."""
        aid = self.env["grant.aid.in.kind"].create(
            {"name": "Salle", "partner_id": self.operator.id, "amount": 10,
             "date_start": "2021-01-01", "date_end": "2021-12-31",
             "decision_number": "1", "decision_date": "2020-12-14"}
        )  # fmt: skip
        aid.action_record()
        known = self.env["grant.operator.year"].create(
            {"partner_id": self.operator.id, "year": 2021, "income": 1000}
        )
        self.make_signed("2021-11-15")
        publication = self.publish()
        publication.line_ids[:1].with_user(self.coordinator).action_taken()
        found = self.read_row()
        found.action_import()
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.assertFalse(self.verify())
        for table, record, change in (
            ("grant_aid_in_kind", aid, "amount = 11"),
            ("grant_aid_in_kind", aid, "state = 'draft', recorded_at = NULL"),
            ("grant_aid_in_kind", aid, "date_start = '2020-01-01', date_end = '2020-12-31'"),
            ("grant_operator_year", known, "income = 1"),
            ("grant_operator_year", known, "accounts_date = '2021-01-01'"),
            ("grant_publication_line", publication.line_ids[-1:], "amount = 1"),
            ("grant_publication_file", publication.file_ids[0], "sha256 = 'x'"),
            ("grant_publication_answer", publication.line_ids.answer_ids, "verdict = 'refused'"),
            ("grant_award_import", found, "state = 'preview'"),
            ("grant_award_import", found, "sha256 = 'x'"),
        ):  # fmt: skip
            for sql in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}"):
                with self.subTest(sql=sql):
                    self.env.cr.execute("SAVEPOINT attack")
                    try:
                        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
                        self.env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                        self.env.cr.execute(f"{sql} WHERE id = %s", [record.id])
                        self.env.cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
                        self.env.invalidate_all()
                        said = [*self.verify(), *self.env["grant.entry"]._verify_database()]
                        self.assertTrue(said)
                    finally:
                        self.env.cr.execute("ROLLBACK TO SAVEPOINT attack")
                        self.env.invalidate_all()
