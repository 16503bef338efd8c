from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_reminders = fields.Boolean(related="company_id.grant_reminders", readonly=False)
    grant_reminder_days = fields.Char(related="company_id.grant_reminder_days", readonly=False)
    grant_reminder_every = fields.Integer(related="company_id.grant_reminder_every", readonly=False)
    grant_reminder_times = fields.Integer(related="company_id.grant_reminder_times", readonly=False)
    grant_reminder_hour = fields.Integer(related="company_id.grant_reminder_hour", readonly=False)
    grant_deadline_days = fields.Integer(related="company_id.grant_deadline_days", readonly=False)
