from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, format_datetime

from ...lib.ledger.heads import write_heads


class GrantHeadsReceiver(models.Model):
    """The mail with the heads of the day, and the last one to an address that is taken out."""

    _inherit = "grant.heads.receiver"

    def _mail(self, heads, time):
        """Send a mail at once, not by a queue, whose failures nobody sees.

        :raise Exception: whatever the mail server says
        """
        company = self.company_id
        self = self.with_context(lang=company.partner_id.lang or self.env.lang)
        lines = write_heads(heads, time, header=True)
        paragraphs = self._get_farewell() if self.until else self._get_sentences(bool(heads))
        name = f"grants-heads-{fields.Date.to_string(company._grant_today())}.csv"
        # sudo: the mail servers of the city, for which no role of grants is needed
        server = self.env["ir.mail_server"].sudo()
        sender = company.email_formatted or server._get_default_from_address()
        if not sender:
            raise UserError(
                self.env._(
                    "%(company)s has no mail address to send from: give the company one.",
                    company=company.display_name,
                )
            )
        message = server._build_email__(
            email_from=sender,
            email_to=[self.address],
            subject=self._get_subject(),
            body="\n\n".join([*paragraphs, lines]),
            attachments=[(name, lines.encode(), "text/csv")],
            # Who is on holiday does not answer a machine.
            headers={"Auto-Submitted": "auto-generated"},
        )
        server.send_email(message)

    def _get_subject(self):
        about = {
            "company": self.company_id.display_name,
            "date": format_date(self.env, self.company_id._grant_today()),
        }
        if self.until:
            return self.env._("%(company)s: no more heads of the grant ledger", **about)
        return self.env._("%(company)s: heads of the grant ledger on %(date)s", **about)

    def _get_sentences(self, has_heads):
        what = self.env._(
            "Below and in the attached file: for each chain of the grant ledger of %(company)s, "
            "the number of its last entry, and the hash that vouches for it and for all before.",
            company=self.company_id.display_name,
        )
        if not has_heads:
            what = self.env._(
                "The grant ledger of %(company)s has no entry yet.",
                company=self.company_id.display_name,
            )
        return [
            what,
            self.env._(
                "Keep this mail. With its file, “odoo grants_verify --against FILE” says later "
                "whether anything was changed before this day, even by who owns the database."
            ),
            self.env._(
                "This mail comes every day. If it does not come for a day, ask the city why: "
                "silence is a sign too."
            ),
        ]

    def _get_farewell(self):
        zone = str(self.company_id._grant_timezone())
        still = self.search_count(
            [
                ("company_id", "=", self.company_id.id), ("kind", "=", "mail"),
                ("until", "=", False),
            ],
            limit=1,
        )  # fmt: skip
        return [
            self.env._(
                "This address was taken out of those that receive the heads of the grant ledger of "
                "%(company)s, by %(user)s (%(login)s), on %(time)s. No more mails come.",
                company=self.company_id.display_name,
                user=self.ended_by_id.name,
                login=self.ended_by_id.login,
                time=format_datetime(self.env, self.until, tz=zone),
            ),
            self.env._("Another address receives them.")
            if still
            else self.env._("No other mail address receives them."),
            self.env._(
                "If you did not expect this, ask the city why. Keep the earlier mails: what they "
                "say can still be compared. These are the last heads."
            ),
        ]
