from datetime import timedelta

from odoo import api, fields, models
from odoo.tools.misc import hmac

# Files within an hour, whatever became of them: far more than a hand-in or two, and too few to
# keep a server busy. Associations of one house share an address.
FILES_OF_ACCOUNT = 400
FILES_OF_ADDRESS = 1200
# Bytes of a request beside its files: the comment, and what a browser adds.
MARGIN = 2**20


class GrantUploadRate(models.Model):
    """Files that were sent within the last hour: by whom, and from where (a digest of it)."""

    _name = "grant.upload.rate"
    _description = "Files Sent Within an Hour"
    _log_access = False

    user_id = fields.Many2one("res.users", required=True, ondelete="cascade", index=True)
    address = fields.Char(required=True, index=True)
    number = fields.Integer(required=True)
    moment = fields.Datetime(required=True, index=True)

    @api.model
    def _note(self, address, number):
        """Note that the user sends ``number`` files from ``address``. Not within a savepoint that a
        refusal of the files undoes: refused ones count.

        :return: a sentence when these are too many, or None
        """
        if not number:
            return None
        # sudo: nobody reads or writes these but here
        rates = self.sudo()
        # What was sent from where is nobody's to read, not even in a backup.
        digest = hmac(rates.env, "ctai_grants.upload_rate", address or "")
        now = fields.Datetime.now()
        rates.create(
            {"user_id": self.env.uid, "address": digest, "number": number, "moment": now}
        )
        recent = [("moment", ">", now - timedelta(hours=1))]
        for domain, most in (
            ([("user_id", "=", self.env.uid)], FILES_OF_ACCOUNT),
            ([("address", "=", digest)], FILES_OF_ADDRESS),
        ):
            [[sent]] = rates._read_group(domain + recent, [], ["number:sum"])
            if (sent or 0) > most:
                return self.env._(
                    "More than %(most)s files were sent within an hour. What was sent before is "
                    "kept; try again in an hour, or write to the city.",
                    most=most,
                )
        return None

    @api.autovacuum
    def _gc_rates(self):
        self.search([("moment", "<", fields.Datetime.now() - timedelta(hours=1))]).unlink()
