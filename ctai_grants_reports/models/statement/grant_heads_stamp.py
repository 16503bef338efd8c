import base64
import datetime
import io
import logging
import time

import requests

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.ctai_grants.lib.ledger.copies import CopyError, HeadsComparison, read_heads
from odoo.addons.ctai_grants.lib.ledger.heads import write_heads

from ...lib import time_stamp

_logger = logging.getLogger(__name__)

#: Seconds that an authority has to answer, bytes that its answer may have.
PATIENCE, LARGEST = 20, 1 << 20
#: How far the clocks of an authority and of the city may be apart.
CLOCKS = datetime.timedelta(hours=1)
#: Days for which a statement that could not be stamped is tried again.
TRIED = 30


class GrantHeadsStamp(models.Model):
    """A time stamp (RFC 3161) of the heads of a city's chains: an authority of its choice vouches
    that they were these at that time. Once a day, and of each issued statement."""

    _name = "grant.heads.stamp"
    _description = "Time Stamp of the Heads"
    _inherit = ["grant.append.only.mixin"]
    _order = "id desc"
    _rec_name = "stamped_at"
    _log_access = False

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    statement_id = fields.Many2one("grant.statement", readonly=True, ondelete="restrict")
    day = fields.Date(required=True, readonly=True)
    heads = fields.Text(required=True, readonly=True, help="What was stamped.")
    token = fields.Text(required=True, readonly=True, help="The authority's answer, base64.")
    roots = fields.Text(
        string="Certificates", required=True, readonly=True, help="Whom the city trusted then."
    )
    authority = fields.Char(required=True, readonly=True)
    stamped_at = fields.Datetime(required=True, readonly=True)
    serial = fields.Char(string="Serial Number", required=True, readonly=True)

    _daily_uniq = models.UniqueIndex(
        "(company_id, day) WHERE statement_id IS NULL", "The heads are stamped once a day."
    )
    _statement_uniq = models.UniqueIndex("(statement_id)", "A statement has one time stamp.")

    @api.model
    def _get_chained_fields(self):
        return ["company_id"]

    # ------------------------------------------------------------------
    # Stamping
    # ------------------------------------------------------------------

    @api.model
    def _cron_stamp(self):
        """Each hour: the heads of today, once, and the statements that have no stamp yet."""
        cron = self.env["ir.cron"]
        companies = self.env["res.company"].search([("grant_stamp_url", "!=", False)])
        cron._commit_progress(remaining=len(companies))
        for company in companies:
            company.grant_stamp_failure = self._stamp_company(company)
            # Kept at once: an authority counts what it is asked.
            cron._commit_progress(1)

    @api.model
    def _stamp_company(self, company):
        """Stamp what is to be stamped of a company; what went wrong (a sentence), or False."""
        day = company._grant_today()
        heads = self.env["grant.heads"]
        try:
            daily = Domain("company_id", "=", company.id) & Domain("statement_id", "=", False)
            done = self.search_count(daily & Domain("day", "=", day), limit=1)
            if not done and (now := heads._get_heads(company)):
                self._stamp(company, day, write_heads(now, heads._get_time(company), header=True))
            for statement in self._get_unstamped(company):
                self._stamp(company, day, statement.heads, statement_id=statement.id)
        # A StampError is a ValueError, what goes wrong on the way an OSError.
        except (ValueError, OSError) as error:
            _logger.exception("The heads of %s were not stamped", company.display_name)
            return " ".join(str(error).split())[:500] or type(error).__name__
        return False

    @api.model
    def _get_unstamped(self, company):
        since = fields.Datetime.now() - datetime.timedelta(days=TRIED)
        domain = Domain("company_id", "=", company.id) & Domain("issued_at", ">=", since)
        issued = self.env["grant.statement"].search(domain, order="id")
        return issued - self.search([("statement_id", "in", issued.ids)]).statement_id

    @api.model
    def _stamp(self, company, day, text, **details):
        roots = company.grant_stamp_certificate or ""
        request = time_stamp.make_request(text)
        answer = self._ask_authority(company.grant_stamp_url, request.as_bytes())
        moment, serial = time_stamp.verify(answer, text, roots, request)
        if abs(moment - datetime.datetime.now(datetime.timezone.utc)) > CLOCKS:
            raise time_stamp.StampError(f"{moment.isoformat()}?")
        utc = moment.astimezone(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
        return self._append(
            {
                "company_id": company.id, "day": day, "heads": text, "roots": roots,
                "token": base64.b64encode(answer).decode(), "authority": company.grant_stamp_url,
                "stamped_at": utc, "serial": serial, **details,
            }
        )  # fmt: skip

    @api.model
    def _ask_authority(self, url, query):
        """The answer of an authority.

        :raise OSError: it cannot be reached
        :raise StampError: it does not answer as it should, or not in time
        """
        ends = time.monotonic() + PATIENCE
        response = requests.post(
            url, data=query, headers={"Content-Type": time_stamp.QUERY}, timeout=PATIENCE,
            # Where an administrator said, and nowhere else.
            allow_redirects=False, stream=True,
        )  # fmt: skip
        with response:
            response.raise_for_status()
            answer = self._read_answer(response, ends)
        late = time.monotonic() > ends
        if response.status_code != 200 or len(answer) > LARGEST or late:
            raise time_stamp.StampError(
                f"HTTP {response.status_code}, {len(answer)} bytes within {PATIENCE} s"
            )
        return answer

    def _read_answer(self, response, ends):
        answer = bytearray()
        # Byte by byte: the timeout is of each piece, and one may drip for ever.
        for part in response.iter_content(1):
            answer += part
            if len(answer) > LARGEST or time.monotonic() > ends:
                break
        return bytes(answer)

    # ------------------------------------------------------------------
    # Verifying
    # ------------------------------------------------------------------

    @api.model
    def _get_altered(self, companies):
        """Sentences naming the stamps that do not hold, and the first stamped head that the ledger
        of today does not have."""
        # sudo: who verifies reads no stamp; what does not hold is told
        stamps = self.sudo().search([("company_id", "in", companies.ids)], order="id")
        sentences = [sentence for stamp in stamps if (sentence := stamp._judge())]
        text = "".join(stamps.mapped("heads"))
        comparison = HeadsComparison(self.env["grant.heads"]._find_hashes)
        name = self.env._("Time-stamped heads")
        try:
            difference = comparison.find_difference(read_heads(io.BytesIO(text.encode())))
        except CopyError:
            return [*sentences, self.env._("%(name)s: a line is damaged.", name=name)]
        if difference:
            sentences.append(self.env["grant.entry"]._say_difference(difference, name))
        return sentences

    def _judge(self):
        try:
            answer = base64.b64decode(self.token)
            moment, serial = time_stamp.verify(answer, self.heads, self.roots)
        except ValueError as error:
            return self.env._(
                "Time stamp of %(day)s: it does not vouch for these heads (%(error)s).",
                day=self.day,
                error=error,
            )
        stamped = moment.replace(tzinfo=None, microsecond=0)
        if serial != self.serial or stamped != self.stamped_at:
            return self.env._(
                "Time stamp of %(day)s: its time or number is not that of the authority's answer.",
                day=self.day,
            )
        return None
