from odoo.exceptions import UserError

from ..common import GrantsCommon


class TestUninstall(GrantsCommon):
    def test_the_ledger_keeps_the_add_on(self):
        modules = self.env["ir.module.module"].search([("name", "in", ("ctai_grants", "mail"))])
        for module in modules:
            with self.subTest(module=module.name), self.assertRaises(UserError):
                module.button_uninstall()
