from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GrantPublicationWizard(models.TransientModel):
    """Shows what would be published, and what is wrong with it, before it is."""

    _name = "grant.publication.wizard"
    _description = "Publish Open Data"
    _inherit = ["grant.text.mixin"]

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    exercise = fields.Integer(
        string="Financial Year", help="Zero: all years, as one file that holds everything."
    )
    url = fields.Char(
        string="Where",
        compute="_compute_url",
        store=True,
        readonly=False,
        precompute=True,
        help="Address of the page where the files are put, on the city's site or data.gouv.fr: "
        "the law asks for a link on the city's own site too.",
    )
    leave_out = fields.Boolean(
        string="Publish Without Them",
        help="The lines with errors stay to be published, and what was wrong is kept.",
    )
    line_count = fields.Integer(string="Lines", compute="_compute_preview", compute_sudo=False)
    amount = fields.Monetary(string="Total", compute="_compute_preview", compute_sudo=False)
    new_count = fields.Integer(string="New", compute="_compute_preview", compute_sudo=False)
    changes = fields.Text(
        string="What Changes", compute="_compute_preview", compute_sudo=False
    )
    problems = fields.Text(
        string="Lines with Errors", compute="_compute_preview", compute_sudo=False
    )

    @api.constrains("exercise", "url")
    def _check_input(self):
        for wizard in self:
            if wizard.exercise and not 2000 <= wizard.exercise <= 2100:
                raise ValidationError(
                    self.env._("“%(year)s” is no year: write 2021, or nothing for all years.",
                               year=wizard.exercise)
                )  # fmt: skip
            if wizard.url and not wizard.url.startswith(("https://", "http://")):
                raise ValidationError(
                    self.env._("“%(url)s” is no address: it begins with https://.", url=wizard.url)
                )

    @api.depends("company_id")
    def _compute_url(self):
        publications = self.env["grant.publication"]
        for wizard in self:
            last = [("company_id", "=", wizard.company_id.id), ("url", "!=", False)]
            wizard.url = publications.search(last, limit=1).url

    @api.depends("company_id", "exercise")
    def _compute_preview(self):
        publications = self.env["grant.publication"]
        for wizard in self:
            found = publications._prepare(wizard.company_id, wizard.exercise)
            lines = found["lines"]
            wizard.line_count = len(lines)
            wizard.amount = sum(line["amount"] for line in lines)
            wizard.new_count = sum(line["change"] == "new" for line in lines)
            wizard.changes = wizard._say_changes(found)
            wizard.problems = publications._say_wrong(found["wrong"])

    def _say_changes(self, found):
        publications = self.env["grant.publication"]
        rows = [
            f"• {publications._name_line(line)}: {line['change_note']}"
            for line in found["lines"]
            if line["change"] == "changed"
        ]
        rows += [
            self.env._("• %(line)s: in the files no more", line=line.purpose)
            for line in found["withdrawn"]
        ]
        return "\n".join(rows)

    def action_publish(self):
        """Make the publication and open it; see :meth:`grant.publication._publish` for what it
        refuses."""
        self.ensure_one()
        publication = self.env["grant.publication"]._publish(
            self.company_id, self.exercise, self.url, self.leave_out
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": publication._name,
            "res_id": publication.id,
            "views": [(False, "form")],
        }
