from odoo import api, models


class GrantReminder(models.Model):
    """Mails about reports that no piece is the paper of."""

    _inherit = "grant.reminder"

    @api.model
    def _tell_reports_decided(self, reports):
        """Write to the operators what became of the reports that they handed in."""
        # sudo: as for pieces
        for report in self.sudo().env["grant.financial.report"].browse(reports.ids):
            self._send(self._address(report, self._write_report_decided))

    @api.model
    def _write_report_decided(self, report):
        title = report.env._("Your financial report is to be completed")
        intro = report.env._(
            "we have read the financial report of %(operator)s. We cannot accept it as it is. Here "
            "is what is missing:"
        )
        template = "operator_mail_to_complete"
        if report.state == "accepted":
            title = report.env._("Your financial report is accepted")
            intro = report.env._(
                "we have read the financial report of %(operator)s, and accept it. The page of the "
                "subsidy says what is due by the convention."
            )
            template = "operator_mail_accepted"
        return title, template, {"intro": intro}

    @api.model
    def _get_items(self, documents):
        if documents._name != "grant.financial.report":
            return super()._get_items(documents)
        return [self._describe_report(report) for report in documents]

    @api.model
    def _describe_report(self, report):
        """What a letter says of a report."""
        subsidy = report.subsidy_id
        return {
            "name": report.env._("Financial report"),
            "subsidy": f"{subsidy.name} ({subsidy.code})",
            "when": "",
            "answer": report.answer,
            "url": f"{report.get_base_url()}/my/subsidies/{subsidy.id}/report",
        }
