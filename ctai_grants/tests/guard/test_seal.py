"""What the application did not write into a document's table is named."""

from odoo import Command
from odoo.tests import Form

from ..common import GrantsCommon


class TestSeal(GrantsCommon):
    """Altered values: all of them, in tests/test_tampering.py."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(action_ids=[Command.create({"name": "A", "amount": 10})])
        cls.tranche = cls.make_tranche(cls.subsidy)
        cls.env.cr.flush()

    def find(self):
        return self.env["grant.seal"]._get_altered_documents()

    def alter(self, sql, *values):
        self.env.flush_all()
        self.env.cr.execute(sql, values)
        self.env.invalidate_all()

    def test_what_the_application_does_is_no_tampering(self):
        self.sign(self.subsidy)
        self.pay(self.tranche)
        with Form(self.subsidy.with_user(self.coordinator)) as form:
            form.name = "Ateliers du soir"
        other = self.subsidy.copy()
        other.unlink()
        self.assertEqual(self.find(), [])

    def test_a_savepoint_that_is_rolled_back(self):
        with self.env.cr.savepoint() as savepoint:
            self.subsidy.name = "Autrement"
            self.make_tranche(self.subsidy, name="Pas longtemps")
            self.env.flush_all()
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(self.find(), [])

    def test_altered(self):
        self.alter("UPDATE grant_disbursement SET amount = 900 WHERE id = %s", self.tranche.id)
        (found,) = self.find()
        for part in (self.tranche.display_name, "Amount", "900", "1000"):
            self.assertIn(part, found)

    def test_not_laundered_by_what_is_done_next(self):
        self.alter("UPDATE grant_disbursement SET amount = 900 WHERE id = %s", self.tranche.id)
        self.tranche.with_user(self.coordinator).name = "Avance, première"
        self.env.cr.flush()
        self.assertEqual(len(self.find()), 1)

    def test_inserted(self):
        self.alter(
            "INSERT INTO grant_action (name, subsidy_id) VALUES ('Sortie', %s)", self.subsidy.id
        )
        (found,) = self.find()
        self.assertIn("Sortie", found)
        self.assertIn("not made by the application", found)

    def test_deleted(self):
        self.alter("DELETE FROM grant_action WHERE subsidy_id = %s", self.subsidy.id)
        (found,) = self.find()
        self.assertIn("not deleted by the application", found)

    def test_deleted_with_its_document(self):
        """By the application the lines go too; by SQL the document is named."""
        self.tranche.with_user(self.coordinator).unlink()
        self.assertEqual(self.find(), [])
        self.alter("DELETE FROM grant_subsidy WHERE id = %s", self.subsidy.id)
        (found,) = self.find()
        self.assertIn(f"Subsidy {self.subsidy.id}", found)

    def test_merged_organisations(self):
        """Odoo merges contacts by SQL."""
        other = self._make_organisation("Doublon", "operator")
        self.make_subsidy(partner_id=other.id)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (other | self.operator).ids, self.operator
        )
        self.assertEqual(self.find(), [])

    def test_fields_of_others(self):
        """What other add-ons write, or the city into fields of its own, comes and goes with them:
        dropped and added again, such a column is empty, which is no tampering."""
        self.subsidy._portal_ensure_token()
        self.env.cr.flush()
        self.alter("UPDATE grant_subsidy SET access_token = NULL WHERE id = %s", self.subsidy.id)
        self.assertEqual(self.find(), [])
