from odoo import models


class IrModuleModule(models.Model):
    """What the database refuses too (``ir_module_module.sql``), in words and before anything is
    done."""

    _inherit = "ir.module.module"

    def _check_grant_kept(self):
        """Refuse that one of these add-ons goes which the ledger stands on.

        :raise UserError: naming them
        """
        entries = self.env["grant.entry"]
        kept = entries._get_kept_modules()
        entries._check_kept(sorted(kept.intersection(self.mapped("name"))))

    def button_uninstall(self):
        """Mark these add-ons, and those that depend on them, to be uninstalled.

        :raise UserError: the grant ledger stands on one of them, and holds entries (R3)
        """
        (self | self.downstream_dependencies())._check_grant_kept()
        return super().button_uninstall()

    def write(self, vals):
        leaving = self.browse()
        if vals.get("state", "installed") not in ("installed", "to upgrade"):
            leaving = self.filtered(lambda module: module.state in ("installed", "to upgrade"))
        if "name" in vals:
            leaving |= self.filtered(lambda module: module.name != vals["name"])
        leaving._check_grant_kept()
        return super().write(vals)

    def unlink(self):
        self._check_grant_kept()
        return super().unlink()
