from odoo import models

#: The papers that the operator signs, or is sent.
SHARED = ("convention", "award_notice", "amendment")


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    def _get_documents(self):
        """Its signed papers too: of each the scan that was filed last."""
        signed = self.amendment_ids.filtered(lambda amendment: amendment.state == "signed")
        # sudo: of the subsidy that its page, or the download, has checked
        scans = self.env["grant.signed.scan"].sudo().search([
            ("kind", "in", SHARED),
            "|", "&", ("res_model", "=", "grant.subsidy"), ("res_id", "=", self.id),
            "&", ("res_model", "=", "grant.amendment"), ("res_id", "in", signed.ids),
        ], order="id")  # fmt: skip
        labels = dict(scans._fields["kind"]._description_selection(self.env))
        last = {(scan.res_model, scan.res_id, scan.kind): scan for scan in scans}
        return [
            *super()._get_documents(),
            *(
                (
                    self.env._(
                        "%(document)s, signed (%(file)s)",
                        document=labels[scan.kind], file=scan.name,
                    ),
                    scan._get_attachment(),
                )
                for scan in last.values()
            ),
        ]  # fmt: skip
