from datetime import timezone

from odoo import api, fields, models
from odoo.tools import format_datetime

from ...lib.award.history import local_date


class GrantReceipt(models.Model):
    """The acknowledgement of what came by electronic means (CRPA, art. L112-11 and R112-11-1):
    one of each version, made with it, with what it says; its PDF has the same bytes each time.

    Numbers rise and may have gaps: what was refused took one, too."""

    _name = "grant.receipt"
    _description = "Receipt of a Hand-In"
    _order = "id desc"
    _inherit = ["grant.append.only.mixin", "grant.disclosed.mixin", "grant.pdf.mixin"]
    _log_access = False

    name = fields.Char(string="Number", required=True, readonly=True)
    version_id = fields.Many2one(
        "grant.deliverable.version", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    lang = fields.Char(string="Language", required=True, readonly=True)
    sender = fields.Text(required=True, readonly=True, help="Lines: the service and its address.")
    recipient = fields.Text(required=True, readonly=True)
    text = fields.Text(required=True, readonly=True)

    _name_uniq = models.UniqueIndex("(name)", "Two receipts cannot have the same number.")
    _version_uniq = models.UniqueIndex("(version_id)", "A hand-in has one receipt.")

    @api.model
    def _get_chained_fields(self):
        return ["version_id"]

    @api.model
    def _make(self, version):
        """The receipt (in sudo) of a version that was just handed in, in the operator's language.

        :param version: in sudo
        """
        operator = version.subsidy_id.partner_id
        version = version.with_context(lang=operator.lang or self.env.lang)
        # sudo: who hands in takes a number and adds the receipt of it, nothing else
        receipts = self.sudo()
        number = receipts.env["ir.sequence"].next_by_code("grant.receipt")
        return receipts._append(
            {
                # A sequence that somebody deleted refuses no hand-in.
                "name": number or f"AR-{version.id}",
                "version_id": version.id,
                "company_id": version.company_id.id,
                "lang": version.env.lang or "fr_FR",
                "sender": "\n".join(self._get_service_lines(version)),
                "recipient": operator.name,
                "text": self._write_text(version),
            }
        )

    @api.model
    def _get_service_lines(self, version):
        """Whom to ask: the service in charge, its postal and electronic address, its telephone."""
        city = version.company_id.partner_id
        contact = version.subsidy_id._get_coordinator().partner_id
        place = " ".join(filter(None, (city.zip, city.city)))
        lines = (
            version.company_id.name,
            contact.name if contact != city else None,
            city.street,
            city.street2,
            place,
            contact.phone or city.phone,
            contact.email or city.email,
        )
        return [line for line in lines if line]

    @api.model
    def _write_text(self, version):
        env, piece = version.env, version.deliverable_id
        zone = version.company_id._grant_timezone()
        moment = version.submitted_at.replace(tzinfo=timezone.utc)
        about = {
            "city": version.company_id.name,
            "operator": version.subsidy_id.partner_id.name,
            "moment": format_datetime(
                env, version.submitted_at, tz=str(zone), dt_format="d MMMM y HH:mm:ss"
            ),
            "offset": moment.astimezone(zone).strftime("%z"),
            "piece": piece.name,
            "number": version.number,
            "subsidy": version.subsidy_id.name,
            "code": version.subsidy_id.code,
        }
        files = [
            env._(
                "%(file)s (%(size)s bytes)\nSHA-256: %(sha256)s",
                file=file.name,
                size=file.size,
                sha256=file.sha256,
            )
            for file in version.file_ids
        ]
        return "\n\n".join(
            [
                env._(
                    "%(city)s has received what %(operator)s handed in by electronic means on "
                    "%(moment)s (UTC%(offset)s): “%(piece)s”, version %(number)s, for the subsidy "
                    "“%(subsidy)s” (%(code)s).",
                    **about,
                ),
                env._("Files received:"),
                *files,
                env._(
                    "This receipt says that these files have arrived, not that they are accepted: "
                    "the service named here reads them and answers. It is issued under articles "
                    "L112-11 and R112-11-1 of the code des relations entre le public et "
                    "l’administration."
                ),
            ]
        )

    def _make_pdf(self):
        """Name and PDF of this receipt.

        :raise UserError: no PDF can be made of it
        """
        self.ensure_one()
        # sudo: when the version came, for who may read its receipt
        moment = self.sudo().version_id.submitted_at
        receipt = self.with_context(lang=self.lang)
        title = receipt.env._("Receipt %s", self.name)
        content = receipt._typeset(
            "ctai_grants/report/letter.typ",
            {
                "title": title,
                "date": local_date(moment, self.company_id._grant_timezone()),
                "sender": self.sender.split("\n"),
                "recipient": self.recipient.split("\n"),
                "reference": title,
                "text": self.text,
                "signature": [],
            },
        )
        return title, content


class GrantDeliverableVersion(models.Model):
    _inherit = "grant.deliverable.version"

    receipt_ids = fields.One2many(
        "grant.receipt", "version_id", string="Acknowledgement of Receipt"
    )

    def _get_sudo_receipt(self):
        """The receipt (in sudo) of a version that the user may read, for the association that
        handed it in and the staff of the city; none for others."""
        self.ensure_one()
        user = self.env.user
        # sudo: whose subsidy this is
        version = self.sudo()
        is_seen = self.has_access("read") and (
            user._is_internal() or version.subsidy_id._can_submit(user)
        )
        return version.receipt_ids if is_seen else version.receipt_ids.browse()

    def action_receipt(self):
        """Download the receipt of this hand-in."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/versions/{self.id}/receipt",
            "target": "download",
        }


class GrantDeliverable(models.Model):
    """Whoever hands in is told that it arrived: in the transaction that keeps it, or not at all."""

    _inherit = "grant.deliverable"

    def _notify_submission(self, version):
        result = super()._notify_submission(version)
        # sudo: an operator's own; it reads neither the city's contacts nor its colleagues'
        version = version.sudo()
        receipt = self.env["grant.receipt"]._make(version)
        # sudo: as said
        reminders = self.env["grant.reminder"].sudo()

        def write(pieces):
            title = pieces.env._("We have received “%(piece)s”", piece=pieces.name)
            values = {
                "intro": pieces.env._(
                    "%(city)s has received what %(operator)s handed in. There is nothing else to "
                    "do for now."
                ),
                "receipt": receipt,
                "link": f"{pieces.get_base_url()}/grants/versions/{version.id}/receipt",
            }
            return title, "operator_mail_received", values

        reminders._send(reminders._address(version.deliverable_id, write))
        return result
