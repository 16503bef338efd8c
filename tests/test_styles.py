# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Style sheets of both add-ons compile beside Odoo's: one error leaves every screen bare."""

from odoo.tests import TransactionCase, tagged

BUNDLES = ("web.assets_web", "web.assets_frontend")


@tagged("standard", "post_install", "-at_install")
class TestStyles(TransactionCase):
    def test_bundles_compile(self):
        for name in BUNDLES:
            with self.subTest(bundle=name):
                bundle = self.env["ir.qweb"]._get_asset_bundle(name, css=True, js=False)
                style = bundle.preprocess_css()
                self.assertFalse(bundle.css_errors)
                self.assertIn("o_grant", style)
