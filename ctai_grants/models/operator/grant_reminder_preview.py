from odoo import api, fields, models


class GrantReminderPreview(models.TransientModel):
    """A mail to an operator as it would leave today, or as it left."""

    _name = "grant.reminder.preview"
    _description = "Mail to an Operator"
    _order = "id"
    _rec_name = "subject"

    partner_id = fields.Many2one("res.partner", string="Operator", readonly=True)
    subject = fields.Char(readonly=True)
    recipients = fields.Char(string="To", readonly=True)
    pieces = fields.Text(readonly=True)
    remark = fields.Char(readonly=True, help="Why it does not leave at once.")
    # Made here, from templates of ours that escape what was typed.
    body = fields.Html(readonly=True, sanitize=False)

    @api.model
    def _make(self):
        # Addresses of operators' users, which a coordinator may not read; only of the cities that
        # the user works for.
        # sudo: as said
        reminders = self.env["grant.reminder"].sudo()
        due = [one for one in reminders._get_due(True) if one.company_id in self.env.companies.ids]
        # sudo: as said
        made = self.sudo()
        for company in self.env.companies:
            own = [one for one in due if one.company_id == company.id]
            pieces = reminders.env["grant.deliverable"].browse(
                {piece for one in own for piece in one.steps}
            )
            figures = [figure for one in own for figure in one.figures]
            letters = reminders._make_letters(pieces, figures)
            # sudo: as said
            made |= self.sudo().create(
                [
                    {
                        "partner_id": letter.partner.id,
                        "subject": letter.subject,
                        "recipients": ", ".join(letter.addresses),
                        "pieces": "\n".join(
                            letter.get_pieces().sorted("due_date").mapped("name")
                        ) or self.env._("Indicators"),
                        "remark": self._get_remark(company, letter),
                        "body": letter.body,
                    }
                    for letter in letters
                ]
            )
        return made

    @api.model
    def _get_remark(self, company, letter):
        if not letter.addresses:
            return self.env._("Nobody to write to: an activity will say so")
        # sudo: as above
        if not company.sudo()._is_reminder_time(letter.partner):
            return self.env._(
                "From %(hour)s h of the next working day, where the operator is",
                hour=company.grant_reminder_hour,
            )
        return self.env._("Within the hour")

    @api.model
    def _show(self, reminder):
        return self.create(
            {
                "partner_id": reminder.partner_id.id,
                "subject": reminder.message_id.subject,
                "recipients": reminder.recipients,
                "pieces": reminder.deliverable_id.name or self.env._("Indicators"),
                "body": reminder.message_id.body,
            }
        )
