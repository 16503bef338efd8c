from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.common import PDF
from odoo.addons.ctai_grants.tests.portal.test_portal import PortalCase


@tagged("post_install", "-at_install")
class TestScansOnThePortal(PortalCase):
    """An operator has the papers that it signed; nobody else has."""

    def file(self, record, kind, name="signee.pdf", more=b""):
        scans = self.env["grant.signed.scan"].with_user(self.coordinator)
        return scans._file(record.with_user(self.coordinator), kind, name, PDF + more, True)

    def get_path(self, scan):
        return f"/my/subsidies/{self.mine.id}/documents/{scan.sudo()._get_attachment().id}"

    def test_the_last_of_each(self):
        first = self.file(self.mine, "convention", "brouillon.pdf")
        last = self.file(self.mine, "convention", "definitif.pdf", b"\n")
        self.env.flush_all()
        self.login(self.operator_user)
        text = self.page(f"/my/subsidies/{self.mine.id}").text_content()
        self.assertIn("definitif.pdf", text)
        self.assertNotIn("brouillon.pdf", text)
        self.assertEqual(self.url_open(self.get_path(last)).content, PDF + b"\n")
        self.assertEqual(self.url_open(self.get_path(first)).status_code, 404)

    def test_not_of_others_nor_of_the_city(self):
        theirs = self.file(self.theirs, "convention")
        inner = self.file(self.tranche, "payment_certificate")
        self.env.flush_all()
        self.login(self.operator_user)
        for scan in (theirs, inner):
            self.assertEqual(self.url_open(self.get_path(scan)).status_code, 404)
        mine = self.file(self.mine, "award_notice")
        self.env.flush_all()
        self.login(self.other_operator_user)
        self.assertEqual(self.url_open(self.get_path(mine)).status_code, 404)
