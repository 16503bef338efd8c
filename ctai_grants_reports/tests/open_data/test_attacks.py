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
