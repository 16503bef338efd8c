from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Seal the documents whose organisation becomes another one: Odoo writes them by SQL."""
        self.env.flush_all()
        seals = self.env["grant.seal"]
        concerned = [
            # sudo: all that name them, whoever may read it; nothing but the link is written
            (self.env[name].sudo().with_context(active_test=False).search(
                [(link, "in", src_partners.ids)]
            ), link)
            for name in sorted(self.pool.descendants(["grant.sealed.mixin"], "_inherit"))
            if not self.env[name]._abstract
            for link in self.env[name]._get_sealed_fields()
            if self.env[name]._fields[link].comodel_name == "res.partner"
        ]  # fmt: skip
        result = super()._update_foreign_keys(src_partners, dst_partner)
        for documents, link in concerned:
            seals._note(documents, [(link,)] * len(documents))
        return result
