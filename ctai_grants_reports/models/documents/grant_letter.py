from odoo import api, fields, models

from odoo.addons.ctai_grants.models.operator.grant_letter import Kind


class GrantLetter(models.Model):
    """The letters that go with our documents: award notice, and convention to sign."""

    _inherit = "grant.letter"

    kind = fields.Selection(
        selection_add=[("award_notice", "Award Notice"), ("convention", "Convention to Sign")],
        ondelete={"award_notice": "cascade", "convention": "cascade"},
    )

    @api.model
    def _get_kinds(self):
        reports = "ctai_grants_reports.report_"
        return {
            **super()._get_kinds(),
            "award_notice": Kind(
                "grant.subsidy", "granted", ("granted", "signed", "closed"),
                f"{reports}award_notice",
            ),
            "convention": Kind("grant.subsidy", "granted", ("granted",), f"{reports}convention"),
        }  # fmt: skip


class GrantContract(models.Model):
    _inherit = "grant.contract"

    sends_award_notice = fields.Boolean(
        string="Award Notice: Sent by Itself", help="It leaves once a subsidy is granted."
    )
    sends_convention = fields.Boolean(
        string="Convention to Sign: Sent by Itself",
        help="It leaves once a subsidy is granted whose amount asks for a convention.",
    )


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    def action_send_award_notice(self):
        """Show the award notices of these subsidies, before they are sent."""
        return self.env["grant.letter.window"]._open("award_notice", self)

    def action_send_convention(self):
        """Show the conventions to sign of these subsidies, before they are sent."""
        return self.env["grant.letter.window"]._open("convention", self)

    def _filter_sent_by_itself(self, kind):
        documents = super()._filter_sent_by_itself(kind)
        if kind == "convention":
            # Below the threshold somebody decides whether there is one.
            return documents.filtered("convention_required")
        return documents
