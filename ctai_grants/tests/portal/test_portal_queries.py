from odoo.tests import tagged

from .test_portal import PortalCase


@tagged("post_install", "-at_install")
class TestQueries(PortalCase):
    """What the operator's page asks of the database: not one statement more."""

    def test_page_of_a_subsidy(self):
        self.login(self.operator_user)
        for _time in range(2):
            self._settle()
            before = self.env.cr.sql_log_count
            self.page(f"/my/subsidies/{self.mine.id}")
        # Of them: what each piece brings, the documents, the account on file; who answers, and
        # whether there are dates to take; who wrote, and what is asked for; figures; letters;
        # of the reports, signed papers.
        self.assertLessEqual(self.env.cr.sql_log_count - before, 33)

    def test_list_of_subsidies(self):
        for _number in range(3):
            self.make_deliverable(self.sign(self.make_subsidy(amount=10)))
        self.login(self.operator_user)
        for _time in range(2):
            self._settle()
            before = self.env.cr.sql_log_count
            self.page("/my/subsidies")
        self.assertLessEqual(self.env.cr.sql_log_count - before, 19)
