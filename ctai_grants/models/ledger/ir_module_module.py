from odoo import models
from odoo.exceptions import UserError


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def button_uninstall(self):
        """Refuse to uninstall this add-on, or what it depends on, once the ledger has entries.

        :raise UserError: the grant ledger would be destroyed (R3)
        """
        if "ctai_grants" in (self | self.downstream_dependencies()).mapped("name"):
            # sudo: administrators of the system are not always readers of the ledger
            entries = self.env["grant.entry"].sudo().search_count([])
            if entries:
                raise UserError(
                    self.env._(
                        "The grant ledger holds %(entries)s entries, which uninstalling would "
                        "destroy. They must be kept.",
                        entries=entries,
                    )
                )
        return super().button_uninstall()
