from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, LazyTranslate

from odoo.addons.ctai_grants.lib.guard.money import euros
from odoo.addons.ctai_grants.models.guard.grant_acting_mixin import asks_reason

from ...lib.open_data.scdl import IN_KIND, MONEY, Line

_lt = LazyTranslate(__name__)

#: What a line says of a grant, in the order of :class:`Line`.
DATA = Line._fields
#: Its first row is that of the headings.
FIRST_ROW = 2


class GrantPublicationLine(models.Model):
    """One grant as it was published, frozen, and what the aggregator made of it."""

    _name = "grant.publication.line"
    _description = "Line of Open Data"
    _inherit = ["grant.append.only.mixin", "grant.acting.mixin"]
    _order = "publication_id desc, row_number, id"
    _rec_name = "purpose"

    publication_id = fields.Many2one(
        "grant.publication", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    row_number = fields.Integer(
        string="Line", readonly=True, aggregator=None,
        help="Of the files, their headings being the first. None: it is in these files no more.",
    )  # fmt: skip
    source = fields.Char(required=True, readonly=True, help="The document that it says.")
    subsidy_id = fields.Many2one(
        "grant.subsidy", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    change = fields.Selection(
        [
            ("new", "New"),
            ("changed", "Changed"),
            ("same", "Unchanged"),
            ("withdrawn", "Withdrawn"),
        ],
        required=True,
        readonly=True,
    )
    change_note = fields.Text(string="What Changed", readonly=True)
    exercise = fields.Integer(string="Financial Year", readonly=True, aggregator=None)
    grantor = fields.Char(readonly=True)
    grantor_siret = fields.Char(string="SIRET of the Grantor", readonly=True)
    convention_date = fields.Date(string="Convention Signed On", readonly=True)
    decision = fields.Char(readonly=True)
    beneficiary = fields.Char(readonly=True)
    beneficiary_siret = fields.Char(string="SIRET", readonly=True)
    beneficiary_rna = fields.Char(string="RNA", readonly=True)
    purpose = fields.Char(string="Object", readonly=True)
    amount = fields.Monetary(readonly=True)
    nature = fields.Selection(
        [(MONEY, "In money"), (IN_KIND, "In kind")], readonly=True
    )
    terms = fields.Char(string="Terms of Payment", readonly=True)
    paid_from = fields.Date(string="First Payment", readonly=True)
    paid_to = fields.Date(string="Last Payment", readonly=True)
    answer_ids = fields.One2many("grant.publication.answer", "line_id", string="Answers")
    verdict = fields.Selection(
        [("taken", "Taken"), ("refused", "Refused")],
        string="Aggregator",
        compute="_compute_verdict",
        search="_search_verdict",
    )
    verdict_note = fields.Text(string="What It Said", compute="_compute_verdict")
    is_current = fields.Boolean(
        string="Latest State", search="_search_is_current", store=False,
        help="The last that was published of this grant, and not withdrawn.",
    )  # fmt: skip

    _source_idx = models.Index("(company_id, source, id)")

    @api.model
    def _get_chained_fields(self):
        return ["publication_id"]

    @api.depends("answer_ids")
    def _compute_verdict(self):
        answers = self.env["grant.publication.answer"].search(
            [("line_id", "in", self.ids)], order="id"
        )
        last = {answer.line_id: answer for answer in answers}
        for line in self:
            answer = last.get(line._origin)
            line.verdict = answer and answer.verdict
            line.verdict_note = answer and answer.message

    @api.model
    def _search_verdict(self, operator, value):
        if operator != "in":
            return NotImplemented
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT ON (line_id) line_id, verdict FROM grant_publication_answer"
                " ORDER BY line_id, id DESC"
            )
        )
        found = Domain("id", "in", [line_id for line_id, verdict in rows if verdict in value])
        if False in value:
            found |= Domain("id", "not in", [line_id for line_id, _verdict in rows])
        return found

    @api.model
    def _search_is_current(self, operator, value):
        if operator != "in":
            return NotImplemented
        last = SQL(
            "(SELECT id FROM (SELECT DISTINCT ON (company_id, source) id, change"
            " FROM grant_publication_line ORDER BY company_id, source, id DESC) last"
            " WHERE change <> 'withdrawn')"
        )
        return Domain("id", "in" if True in value else "not in", last)

    # ------------------------------------------------------------------
    # Publishing
    # ------------------------------------------------------------------

    @api.model
    def _get_current(self, company):
        """The last published state of each grant of a city: dict {source: line}."""
        lines = self.search([("company_id", "=", company.id), ("is_current", "=", True)])
        return {line.source: line for line in lines}

    @api.model
    def _get_published(self, subsidies):
        """Those of these subsidies that are published now."""
        ids = subsidies._origin.ids
        lines = self.search([("subsidy_id", "in", ids), ("is_current", "=", True)])
        return lines.subsidy_id

    def _get_values(self):
        """What this line says: values as ``_get_open_data_lines`` gives them."""
        self.ensure_one()
        values = {name: self[name] for name in ("source", *DATA)}
        return {**values, "subsidy_id": self.subsidy_id.id}

    @api.model
    def _say_difference(self, before, after):
        """What differs between two states of a line, one column a row; empty: nothing does."""
        rows = []
        for name in DATA:
            old, new = (self._show(name, values[name]) for values in (before, after))
            if old != new:
                label = self._fields[name]._description_string(self.env)
                rows.append(f"{label}: {old or '–'} → {new or '–'}")
        return "\n".join(rows)

    @api.model
    def _show(self, name, value):
        if name == "amount":
            return f"{euros(value):.2f}"
        # Nothing is “”, 0, None or False, by where it comes from.
        return str(value or "")

    @api.model
    def _as_line(self, values):
        """The values of a line as the files are made of it."""
        return Line(
            **{
                **{name: values[name] or "" for name in DATA},
                "exercise": values["exercise"] or 0,
                "amount": euros(values["amount"]),
                "convention_date": values["convention_date"] or None,
                "paid_from": values["paid_from"] or None,
                "paid_to": values["paid_to"] or None,
            }
        )

    # ------------------------------------------------------------------
    # What the aggregator said
    # ------------------------------------------------------------------

    def action_taken(self):
        """Record that the aggregator took these lines.

        :raise AccessError: the user is not a coordinator
        """
        self.env["grant.publication.answer"]._record(self, "taken")
        return True

    def action_refused(self):
        """Ask what the aggregator said of lines that it refused."""
        return self._ask_reason("refused")

    @asks_reason("refused", _lt("Refused by the Aggregator"))
    def _do_refused(self, reason):
        """Record that the aggregator refused these lines, and what it said.

        :raise UserError: a line was withdrawn; :raise AccessError: the user is not a coordinator
        """
        self.env["grant.publication.answer"]._record(self, "refused", reason)

    def action_open_source(self):
        """Open the document that this line says."""
        self.ensure_one()
        model, _comma, record_id = self.source.partition(",")
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "res_id": int(record_id),
            "views": [(False, "form")],
        }
