from lxml import html

from odoo.tests import HttpCase


class SubsidyPageCase(HttpCase):
    """A page of a subsidy, whoever opens it."""

    page_of = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in (cls.operator_user, cls.other_operator_user, cls.prefecture_user):
            user.password = user.login
        cls.url = f"/my/subsidies/{cls.subsidy.id}/{cls.page_of}"

    def log_in(self, user=None):
        user = user or self.operator_user
        self.authenticate(user.login, user.login)

    def page(self, url=None):
        response = self.url_open(url or self.url)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)
