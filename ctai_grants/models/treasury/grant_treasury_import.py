import base64
import csv
import hashlib
import io
import itertools
from collections import defaultdict
from contextlib import contextmanager
from decimal import Decimal
from operator import attrgetter

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ...lib.accounting.spreadsheet import Refusal, read_sheets
from ...lib.guard.money import euros
from ...lib.treasury.extract import Line, read_extract
from ...lib.treasury.matching import Known, OrderMatcher, StateMatcher, Tranche, operator_key
from ..award.res_partner_body import get_digits
from ..guard import transition
from .grant_treasury_line import BOOKABLE, DOUBTS

# Of tranches, for matching; the others wait.
KNOWN_STATES = ("ordered", "certified", "paid")
# The columns that a line of the extract fills, and what of it.
LINE_COLUMNS = {
    "sheet": "sheet",
    "row_number": "row",
    "status": "status",
    "reason": "reason",
    "about": "about",
    "method": "method",
    "disbursement_id": "tranche_id",
    "number": "number",
    "exercise": "exercise",
    "identifier": "identifier",
    "payee": "name",
    "date": "date",
    "amount": "amount",
    "reference": "reference",
    "kept": "kept",
}
_get_values = attrgetter(*LINE_COLUMNS.values())


class _CsvStream:
    """A text of rows, written while it is read: the database stores the first ones meanwhile.
    What is empty in a CSV is null in the database."""

    def __init__(self, rows):
        self.rows = rows

    # Not a record's.
    def read(self, _size):  # pylint: disable=method-required-super
        text = io.StringIO()
        csv.writer(text).writerows(itertools.islice(self.rows, 100))
        return text.getvalue()


class GrantTreasuryImport(models.Model):
    """An extract of payments that was imported: first looked at, then booked.

    Kept as the journal of what was imported, by whom and when, with the file itself. Matching
    is done in memory (:mod:`lib.treasury.matching`); each payment is booked by its tranche,
    whose rules decide.
    """

    _name = "grant.treasury.import"
    _description = "Treasury Extract"
    _inherit = ["grant.document.mixin", "grant.spreadsheet.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(string="File Name", required=True, readonly=True, copy=False)
    file = fields.Binary(required=True, readonly=True, copy=False)
    sha256 = fields.Char(string="SHA-256", required=True, readonly=True, copy=False)
    kind = fields.Selection(
        [("orders", "Payments of orders (treasury)"), ("state", "State payments (Chorus)")],
        readonly=True,
        copy=False,
    )
    state = fields.Selection(
        [("preview", "Preview"), ("booked", "Booked")],
        required=True, default="preview", readonly=True, copy=False, index=True,
    )  # fmt: skip
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one(
        "res.users", string="Imported By", required=True, readonly=True, ondelete="restrict"
    )
    imported_at = fields.Datetime(string="Imported On", required=True, readonly=True)
    booked_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    booked_at = fields.Datetime(string="Booked On", readonly=True)
    row_count = fields.Integer(string="Lines of the File", readonly=True, aggregator=None)
    ignored_count = fields.Integer(
        string="Of Others",
        readonly=True,
        aggregator=None,
        help="Lines of other cities, or of parties that this city's contracts do not know.",
    )
    names_city = fields.Boolean(
        readonly=True, help="Each line says, by a SIRET, which city paid it."
    )
    city_sirets = fields.Char(
        string="Other SIRETs of the City",
        readonly=True, help="SIRETs of the file that have the city's SIREN, and are not its own."
    )
    line_ids = fields.One2many("grant.treasury.line", "import_id", string="Lines", readonly=True)
    payment_line_ids = fields.One2many(
        "grant.treasury.line", "import_id", string="Payments", readonly=True,
        domain=[("status", "in", ("to_book", "to_return", "left_out", "booked"))],
    )  # fmt: skip
    refused_line_ids = fields.One2many(
        "grant.treasury.line", "import_id", string="Lines Not Matched", readonly=True,
        domain=[("status", "=", "refused")],
    )  # fmt: skip
    to_book_count = fields.Integer(string="Lines To Book", compute="_compute_totals")
    to_book_amount = fields.Monetary(string="To Book", compute="_compute_totals")
    to_return_count = fields.Integer(string="Payments To Take Back", compute="_compute_totals")
    cancelled_count = fields.Integer(string="Lines Cancelled Out", compute="_compute_totals")
    booked_count = fields.Integer(string="Lines Booked", compute="_compute_totals")
    booked_amount = fields.Monetary(string="Booked", compute="_compute_totals")
    already_count = fields.Integer(string="Already Paid", compute="_compute_totals")
    refused_count = fields.Integer(string="Not Matched", compute="_compute_totals")
    refused_amount = fields.Monetary(string="Amount Not Matched", compute="_compute_totals")
    wrong_total = fields.Char(compute="_compute_wrong_total")

    _sha256_uniq = models.UniqueIndex(
        "(company_id, sha256)", "This file was imported already: nothing was done."
    )

    @api.depends("line_ids.status")
    def _compute_totals(self):
        totals = {
            (treasury_import, status): (count, amount)
            for treasury_import, status, count, amount in self.env[
                "grant.treasury.line"
            ]._read_group(
                [("import_id", "in", self.ids)],
                ["import_id", "status"],
                ["__count", "amount:sum"],
            )
        }
        for treasury_import in self:
            for status in ("to_book", "booked", "refused", "to_return", "cancelled", "already"):
                count, amount = totals.get((treasury_import._origin, status), (0, 0.0))
                treasury_import[f"{status}_count"] = count
                if f"{status}_amount" in self._fields:
                    treasury_import[f"{status}_amount"] = amount

    @api.depends("line_ids.reason")
    @api.depends_context("lang")
    def _compute_wrong_total(self):
        wrong = self.env["grant.treasury.line"].search(
            [("import_id", "in", self.ids), ("reason", "=", "wrong_total")]
        )
        by_import = wrong.grouped("import_id")
        for treasury_import in self:
            line = by_import.get(treasury_import._origin, wrong.browse())[:1]
            treasury_import.wrong_total = bool(line) and self.env._(
                "Line %(line)s: %(message)s Nothing can be booked: ask for the whole file.",
                line=line._get_place(),
                message=line.message,
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        self._check_state(("preview",), self.env._("Deleting an extract"))

    def _keeps_file(self, file):
        return file.res_field == "file"

    # ------------------------------------------------------------------
    # From the file to the preview
    # ------------------------------------------------------------------

    @api.model
    def _import(self, name, content):
        """Read an extract and show what would be booked of it.

        :param str name: what its sender calls the file
        :param bytes content: ODS, XLSX or CSV
        :return: the import, made now or, if it was not booked, before
        :raise UserError: the file cannot be read, or was booked already
        :raise AccessError: the user is not a finance officer
        """
        self._check_group("group_finance_officer", self.env._("Importing an extract"))
        if not content:
            raise UserError(self._get_file_message("empty", {}))
        sha256 = hashlib.sha256(content).hexdigest()
        known = self.search([("company_id", "=", self.env.company.id), ("sha256", "=", sha256)])
        if known.state == "booked":
            raise UserError(
                self.env._(
                    "“%(file)s” was imported and booked already, by %(user)s on %(date)s: nothing "
                    "was done. To try again what was left, open it and use “Match Again”.",
                    file=known.name,
                    user=known.booked_by_id.name,
                    date=format_date(self.env, known.booked_at),
                )
            )
        sheets = self._begin_reading(content)
        if not known:
            # sudo: nobody writes the journal of imports, which only this method adds to
            journal = self.sudo()
            vals = {
                "name": name or self.env._("Extract"),
                "file": base64.b64encode(content),
                "sha256": sha256,
                "company_id": self.env.company.id,
                "user_id": self.env.uid,
                "imported_at": fields.Datetime.now(),
            }
            try:
                with self.env.cr.savepoint():
                    known = transition.creating(journal, [vals]).create(vals).with_env(self.env)
            except UniqueViolation as error:
                # Another call has taken the same file in since this one began.
                raise UserError(
                    self.env._(
                        "“%(file)s” was being imported at the same moment by another click, or by "
                        "somebody else: it is there once. Open it in the list of extracts.",
                        file=vals["name"],
                    )
                ) from error
        known._refresh(sheets)
        return known

    def action_refresh(self):
        """Match again the lines that are not booked, against the tranches as they are now.

        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        self._check_group("group_finance_officer", self.env._("Matching an extract"))
        self.lock_for_update()
        self._refresh()
        return True

    def _begin_reading(self, content):
        """The sheets of a file, which is read while the database is."""
        with self._refusing():
            return read_sheets(content)

    @contextmanager
    def _refusing(self):
        try:
            yield
        except Refusal as refusal:
            raise UserError(self._get_file_message(refusal.code, refusal.about)) from refusal

    def _refresh(self, sheets=None):
        """Match the lines of the file, and replace those that are not booked.

        :param sheets: of the file, where it is being read already
        """
        sheets = sheets or self._begin_reading(base64.b64decode(self.file))
        self._read_ahead()
        today = self.company_id._grant_today()
        known = self.env["grant.treasury.line"].search(
            [
                ("import_id", "=", self.id),
                "|", ("status", "in", ("booked", "left_out")), ("kept", "=", True),
            ]
        )  # fmt: skip
        booked = known.filtered(lambda line: line.status == "booked")
        # What is left out because of a doubt is so as long as there is one.
        left_out = {
            line._get_key()
            for line in known
            if line.status == "left_out" and line.reason not in DOUBTS
        }
        kept = {line._get_key() for line in known if line.kept}
        done = {line._get_key() for line in booked}
        keys = self._get_operator_keys()
        with self._refusing():
            extract = read_extract(sheets, today)
        lines = [
            line for line in extract.lines if not done or (line.sheet, line.row) not in done
        ]
        for line in lines if kept else ():
            line.kept = (line.sheet, line.row) in kept
        facts = self._match(extract.kind, lines, booked, keys)
        for line in lines if left_out else ():
            if line.status in BOOKABLE and (line.sheet, line.row) in left_out:
                line.status = "left_out"
        self._store(lines)
        # sudo: nobody writes imports but their methods
        self.sudo()._transition(
            kind=extract.kind,
            row_count=len(extract.lines),
            ignored_count=sum(line.status == "ignored" for line in lines),
            **facts,
        )

    def _read_ahead(self):
        """Read what of the city is looked at: of a company or contact the ORM would read a hundred
        columns."""
        # sudo: only into the cache; who may import was checked
        company = self.company_id.sudo()
        company.fetch(["name", "partner_id", "currency_id", "parent_path"])
        company.partner_id.fetch(["tz", "country_id", "company_registry"])
        company.partner_id.country_id.fetch(["code"])

    def _match(self, kind, lines, booked, keys):
        """Say what becomes of ``lines``; ``keys``: what a file may call each operator.

        :return: what is found of the file itself, values of the import
        """
        facts = {"names_city": True, "city_sirets": False}
        if kind == "orders":
            facts = self._set_cities_apart(lines)
        for line in lines:
            if line.kept:
                line.keep()
        tranches = self._get_tranches(kind)
        ledger, undone = self._get_ledger(tranches)
        money = Known(
            ledger, undone, *self._get_journal(tranches), [self._as_line(line) for line in booked]
        )
        known = self._read_tranches(kind, tranches, ledger, keys)
        if kind == "state":
            StateMatcher(known, money).match(lines)
        else:
            OrderMatcher(known, money, set().union(*keys.values())).match(lines)
        return facts

    def _as_line(self, booked):
        """A line that was booked, as matching sees it."""
        line = Line(booked.sheet or "", booked.row_number)
        line.tranche_id, line.date = booked.disbursement_id.id, booked.date
        line.amount, line.status = euros(booked.amount), "booked"
        return line

    # What is known, each in one query or a few.

    def _get_tranches(self, kind):
        domain = [("company_id", "=", self.company_id.id)]
        if kind == "state":
            domain += [("envelope_id.payment_path", "=", "direct"), ("state", "!=", "cancelled")]
        else:
            domain += [
                ("envelope_id.payment_path", "=", "city"), ("state", "in", ("ordered", "paid"))
            ]  # fmt: skip
        return self.env["grant.disbursement"].search(domain)

    def _get_ledger(self, tranches):
        """Euros that the ledger says are paid: {(id of the tranche, date): Decimal}; and what it
        says was taken back: {id of the tranche: [(date, Decimal)]}."""
        entries = self.env["grant.entry"].search_fetch(
            [
                ("origin_model", "=", tranches._name),
                ("origin_id", "in", tranches.ids),
                ("kind", "=", "payment"),
            ],
            ["origin_id", "date", "amount"],
        )
        paid, undone = defaultdict(Decimal), defaultdict(list)
        for entry in entries:
            amount = euros(entry.amount)
            paid[entry.origin_id, entry.date] += amount
            if amount < 0:
                undone[entry.origin_id].append((entry.date, -amount))
        return paid, undone

    def _get_journal(self, tranches):
        """Euros that imports have booked, whatever became of them since, and those that they have
        taken back, likewise."""
        booked = self.env["grant.treasury.line"].search_fetch(
            [("disbursement_id", "in", tranches.ids), ("status", "=", "booked")],
            ["disbursement_id", "date", "amount"],
        )
        journal, returned = defaultdict(Decimal), defaultdict(Decimal)
        for line in booked:
            moment, amount = (line.disbursement_id.id, line.date), euros(line.amount)
            if amount > 0:
                journal[moment] += amount
            else:
                returned[moment] -= amount
        return journal, returned

    def _get_operator_keys(self):
        """What a file may call each operator of the city: its body, and the RNA of any of its
        records.

        :return: dict {partner: set of keys}
        """
        # Those of archived subsidies too, whose tranches may be in a file.
        subsidies = self.env["grant.subsidy"].with_context(active_test=False)
        ((partners,),) = subsidies._read_group(
            [("company_id", "=", self.company_id.id)], [], ["partner_id:recordset"]
        )
        partners.fetch(["grant_body", "company_registry"])
        bodies = set(partners.mapped("grant_body"))
        names = {body: {body} for body in bodies if not body.startswith("#")}
        with_rna = [("grant_body", "in", list(names)), ("rna", "!=", False)]
        for body, rna in partners._read_group(with_rna, ["grant_body", "rna"]):
            names[body].add(rna)
        return {
            # One that no number makes a body of has at most another country's.
            partner: names.get(partner.grant_body)
            or {operator_key(get_digits(partner.company_registry))} - {""}
            for partner in partners
        }

    def _get_former_keys(self, partners):
        """What a file may have called each of these partners before its number changed: dict
        {partner: set of keys}."""
        # sudo: who imports may not read histories; numbers are compared, and none is shown
        identities = self.env["grant.identity"].sudo()
        numbered = [("partner_id", "in", partners.ids), ("company_registry", "!=", False)]
        former = defaultdict(set)
        for version in identities.search_fetch(numbered, ["partner_id", "company_registry"]):
            former[version.partner_id.id].add(operator_key(version.company_registry))
        return former

    def _read_tranches(self, kind, tranches, ledger, keys):
        """These tranches as matching sees them: read in one query, since there are thousands."""
        columns = (
            "id", "state", "amount", "reduced_amount", "due_date", "order_number", "exercise",
            "order_date", "partner_id", "subsidy_id", "paid_date", "payment_reference",
        )  # fmt: skip
        query = tranches._as_query(ordered=False)
        rows = self.env.execute_query(
            query.select(*(tranches._field_to_sql(query.table, name, query) for name in columns))
        )
        former = self._get_former_keys(self.env["res.partner"].union(*keys))
        operators = {
            partner.id: (names, former[partner.id], get_digits(partner.company_registry))
            for partner, names in keys.items()
        }
        commitments = {}
        if kind == "state":
            subsidies = self.env["grant.subsidy"].browse({row[-3] for row in rows})
            subsidies.fetch(["commitment_number"])
            commitments = {subsidy.id: subsidy.commitment_number for subsidy in subsidies}
        paid = defaultdict(Decimal)
        for (tranche_id, _day), amount in ledger.items():
            paid[tranche_id] += amount
        return [self._as_tranche(row, paid[row[0]], operators, commitments) for row in rows]

    def _as_tranche(self, row, paid, operators, commitments):
        (
            tranche_id, state, amount, reduced, due, number, exercise, ordered, partner_id,
            subsidy_id, paid_date, reference,
        ) = row  # fmt: skip
        keys, former, registry = operators[partner_id]
        # What credit notes of the order took off it is neither left to pay nor paid.
        amount = euros(amount) - euros(reduced or 0)
        return Tranche(
            id=tranche_id,
            state=state if state in KNOWN_STATES else "waiting",
            amount=amount,
            left=amount - paid,
            date=ordered,
            due=due,
            number=number or "",
            exercise=exercise or (ordered and ordered.year),
            paid_date=paid_date,
            reference=reference or "",
            keys=keys,
            former=former,
            siret=registry if len(registry) == 14 else "",
            commitment=commitments.get(subsidy_id) or "",
        )

    def _store(self, lines):
        """Replace the lines that are not booked: by COPY, since the ORM takes minutes for an
        extract of some ten thousand lines."""
        line_model, cr = self.env["grant.treasury.line"], self.env.cr
        self.env.flush_all()
        cr.execute(
            SQL(
                "DELETE FROM grant_treasury_line WHERE import_id = %s AND status <> 'booked'",
                self.id,
            )
        )
        rows = ((self.id, *_get_values(line)) for line in lines if line.status != "ignored")
        columns = ", ".join(["import_id", *LINE_COLUMNS])
        copy = f"COPY {line_model._table} ({columns}) FROM STDIN (FORMAT csv)"
        cr.copy_expert(copy, _CsvStream(rows))
        line_model.invalidate_model()
        self.invalidate_recordset(["line_ids", "payment_line_ids", "refused_line_ids"])
        self.modified(["line_ids"])

    # ------------------------------------------------------------------
    # Sentences and screens
    # ------------------------------------------------------------------
    def _get_columns_message(self, about):
        if about["kind"] == "state":
            names = {
                "number": "N° EJ",
                "amount": "Montant payé",
                "date": "Date de dernière opération sur la DP",
            }
        else:
            names = {"number": "NUM_MANDAT", "amount": "MONTANT_PAIEMENT", "date": "DATE_PAIEMENT"}
        missing = about["missing"] or list(names)
        return self.env._(
            "No sheet has the columns of an extract. Not found: %(columns)s (or another usual name "
            "of these).",
            columns=", ".join(names[name] for name in missing),
        )

    def action_view_lines(self):
        """Open the lines of these extracts, limited to the status given in the context."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_treasury_line_action"
        )
        action["domain"] = [("import_id", "in", self.ids)]
        status = self.env.context.get("line_status")
        action["context"] = {f"search_default_{status}": 1} if status else {}
        return action
