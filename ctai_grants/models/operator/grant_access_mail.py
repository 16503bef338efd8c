from urllib.parse import quote

from odoo import SUPERUSER_ID, models

from ..guard.dates import say_day


class GrantAccess(models.Model):
    """The mail of an invitation: its link is for who was invited, and nobody else reads it."""

    _inherit = "grant.access"

    def _mail_invitation(self):
        self.ensure_one()
        # Not the user, whose message Odoo would let him read.
        access = self.with_user(SUPERUSER_ID).with_context(
            lang=self.operator_id.lang or self.company_id.partner_id.lang or self.env.lang
        )
        city = access.company_id
        values = access._get_invitation_values()
        access.env["mail.mail"].create(
            {
                "subject": access.env._(
                    "%(city)s: %(title)s", city=city.name, title=values["title"]
                ),
                "body_html": access.env["ir.qweb"]._render(
                    "ctai_grants.operator_mail_invitation", values
                ),
                "email_from": city.email_formatted,
                "reply_to": city.email_formatted,
                "author_id": city.partner_id.id,
                "email_to": access.email,
                # Gone once it is sent, with its link.
                "auto_delete": True,
                "headers": {"Auto-Submitted": "auto-generated"},
            }
        )

    def _get_invitation_values(self):
        city, operator = self.company_id, self.operator_id
        about = {"city": city.name, "operator": operator.name}
        contact = ", ".join(
            filter(None, (city.partner_id.name, city.partner_id.phone, city.partner_id.email))
        )
        return {
            "city": city,
            "title": self.env._("your access for “%(operator)s”", **about),
            "intro": self.env._(
                "you are invited to act for %(operator)s on the pages of %(city)s: see its "
                "subsidies, hand in what is asked, write to the city.",
                **about,
            ),
            "url": f"{self.get_base_url()}/my/invitation?token={quote(self._get_token())}",
            "until": say_day(self.env, self.expires_at),
            "ask": self.env._("A question? Ask %(contact)s.", contact=contact),
            "why": self.env._(
                "You receive this mail because somebody gave your address to %(city)s for "
                "%(operator)s. Was it not meant for you? Then do nothing: without your click there "
                "is no login.",
                **about,
            ),
        }
