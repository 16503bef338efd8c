import base64
import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ...lib.open_data import rules, scdl, three_sixty
from .grant_publication_line import DATA, FIRST_ROW

#: The documents that are published, in money and in kind.
SOURCES = ("grant.subsidy", "grant.aid.in.kind")


class GrantPublication(models.Model):
    """The essential data of the city's subsidies as they were published on a day: frozen lines, and
    the files made of them (décret 2017-779). What changed since the one before is said line by
    line; nothing of an earlier one is ever changed."""

    _name = "grant.publication"
    _description = "Publication of Open Data"
    _inherit = ["grant.append.only.mixin", "grant.acting.mixin"]
    _order = "number desc, id desc"

    number = fields.Integer(required=True, readonly=True, aggregator=None)
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    exercise = fields.Integer(
        string="Financial Year", readonly=True, aggregator=None, help="None: of all years."
    )
    date = fields.Date(string="Published On", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Published By", required=True, readonly=True, ondelete="restrict"
    )
    url = fields.Char(
        string="Where", readonly=True, help="Address of the page where the files are put."
    )
    scope = fields.Selection(
        [("law", "What the law asks"), ("all", "All subsidies")], required=True, readonly=True
    )
    line_count = fields.Integer(string="Number of Lines", readonly=True)
    amount = fields.Monetary(string="Total", readonly=True)
    new_count = fields.Integer(string="New", readonly=True)
    changed_count = fields.Integer(string="Changed", readonly=True)
    withdrawn_count = fields.Integer(string="Withdrawn", readonly=True)
    left_out = fields.Text(
        readonly=True, help="Lines with errors, that were published without: what was wrong."
    )
    line_ids = fields.One2many("grant.publication.line", "publication_id", string="Lines")
    file_ids = fields.One2many("grant.publication.file", "publication_id", string="Files")
    taken_count = fields.Integer(string="Taken", compute="_compute_verdicts")
    refused_count = fields.Integer(string="Refused", compute="_compute_verdicts")

    _number_uniq = models.UniqueIndex(
        "(company_id, number)", "Two publications of a city cannot have the same number."
    )

    @api.model
    def _get_chained_fields(self):
        return ["company_id"]

    @api.depends("number", "date")
    def _compute_display_name(self):
        for publication in self:
            publication.display_name = self.env._(
                "Open data no. %(number)s of %(date)s",
                number=publication.number,
                date=format_date(self.env, publication.date),
            )

    @api.depends("line_ids.answer_ids")
    def _compute_verdicts(self):
        for publication in self:
            verdicts = publication.line_ids.mapped("verdict")
            publication.taken_count = verdicts.count("taken")
            publication.refused_count = verdicts.count("refused")

    # ------------------------------------------------------------------
    # What would be published
    # ------------------------------------------------------------------

    @api.model
    def _get_open_data_lines(self, company, exercise=0):
        """What a city has to publish: list of dicts of values of ``grant.publication.line``, by
        date of the convention.

        :param int exercise: of that year alone
        """
        lines = []
        for model in SOURCES:
            documents = self.env[model].with_context(active_test=False)
            documents = documents.search(
                [("company_id", "=", company.id), *documents._get_publishable_domain()], order="id"
            )
            lines += documents._filter_to_publish()._get_open_data_lines()
        lines.sort(key=lambda line: (line["convention_date"], line["source"]))
        return [line for line in lines if exercise in (0, line["exercise"])]

    @api.model
    def _check_lines(self, company, lines):
        """What is wrong with these lines, in any of the files: dict {index: list of sentences}."""
        wrong, known = {}, set()
        parts = [self.env["grant.publication.line"]._as_line(line) for line in lines]
        for name in scdl.DIALECTS:
            content = scdl.write(parts, name)
            for problem in rules.check(content, name, company._grant_today()):
                # A file whose form is wrong is an error of ours.
                if not problem.line:
                    raise ValueError(f"{name}: {problem.code}")
                key = problem[:3]
                if key not in known:
                    known.add(key)
                    sentence = self._say_problem(problem)
                    wrong.setdefault(problem.line - 1, []).append(sentence)
        for index, line in enumerate(lines):
            if sentence := self._say_ledger(line):
                wrong.setdefault(index, []).append(sentence)
        return wrong

    @api.model
    def _say_ledger(self, line):
        """What the document says otherwise than the ledger: nothing is published of it then."""
        subsidy = self.env["grant.subsidy"].browse(line["subsidy_id"] or ())
        if not subsidy or subsidy.currency_id.is_zero(subsidy.amount - line["amount"]):
            return None
        return self.env._(
            "montant: the ledger has %(ledger)s, and the subsidy says %(subsidy)s. Have the ledger "
            "verified.",
            ledger=subsidy.currency_id.format(line["amount"]),
            subsidy=subsidy.currency_id.format(subsidy.amount),
        )

    @api.model
    def _prepare(self, company, exercise=0):
        """What a publication would hold now, without making it.

        :return: dict: ``lines`` (with their changes), ``withdrawn``, ``wrong``: list of (line,
            sentences)
        """
        lines = self._get_open_data_lines(company, exercise)
        wrong = self._check_lines(company, lines)
        line_model = self.env["grant.publication.line"]
        current = line_model._get_current(company)
        good = []
        for index, line in enumerate(lines):
            if index in wrong:
                continue
            before = current.get(line["source"])
            note = before and line_model._say_difference(before._get_values(), line)
            change = "new" if not before else "changed" if note else "same"
            good.append({**line, "change": change, "change_note": note or False})
        kept = {line["source"] for line in good}
        withdrawn = [
            line for source, line in current.items()
            if source not in kept and exercise in (0, line.exercise)
        ]  # fmt: skip
        return {
            "lines": good,
            "withdrawn": withdrawn,
            "wrong": [(lines[index], sentences) for index, sentences in wrong.items()],
        }

    # ------------------------------------------------------------------
    # Publishing
    # ------------------------------------------------------------------

    @api.model
    def _publish(self, company, exercise=0, url=None, leave_out=False):
        """Freeze what is to be published and make its files.

        :param int exercise: of that year alone; 0: of all years
        :param str url: of the page where the files are put
        :param bool leave_out: publish without the lines that have errors
        :return: the publication
        :raise UserError: lines with errors, unless left out; nothing to publish, or nothing changed
        :raise AccessError: the user is not a coordinator of that city
        """
        self._check_group("group_coordinator", self.env._("Publishing open data"))
        if company not in self.env.companies:
            raise UserError(self.env._("Choose a city that you work for."))
        # Two who publish at once meet here: the second one begins again, and sees the first.
        self.env.cr.execute(
            SQL("UPDATE res_company SET write_date = write_date WHERE id = %s", company.id),
            log_exceptions=False,
        )
        found = self._prepare(company, exercise)
        if found["wrong"] and not leave_out:
            raise UserError(self._say_wrong(found["wrong"]))
        self._check_changed(company, exercise, found)
        # sudo: nobody writes publications, which only this method adds; who may was checked
        publication = self.sudo()._append(self._get_vals(company, exercise, url, found))
        publication.sudo()._add_lines(found)  # sudo: as above
        publication.sudo()._add_files()  # sudo: as above
        publication = publication.with_env(self.env)
        publication._end_tasks()
        return publication

    @api.model
    def _check_changed(self, company, exercise, found):
        if not found["lines"] and not found["withdrawn"]:
            raise UserError(
                self.env._(
                    "There is nothing to publish: no signed convention that the law asks for, or "
                    "all lines have errors."
                )
            )
        last = self.search(
            [("company_id", "=", company.id), ("exercise", "=", exercise)], limit=1
        )
        if last and not found["withdrawn"] and last._holds(found["lines"]):
            raise UserError(
                self.env._(
                    "Nothing has changed since “%(publication)s”: take its files.",
                    publication=last.display_name,
                )
            )

    def _holds(self, lines):
        """Whether the files of this publication say these lines, and no others: what changed may
        have been published since in the file of another year."""
        held = {line.source: line for line in self.line_ids if line.row_number}
        return held.keys() == {line["source"] for line in lines} and not any(
            held[line["source"]]._say_difference(held[line["source"]]._get_values(), line)
            for line in lines
        )

    @api.model
    def _get_vals(self, company, exercise, url, found):
        changes = [line["change"] for line in found["lines"]]
        # sudo: those that the user may not see have numbers too
        last = self.sudo().search([("company_id", "=", company.id)], order="number desc", limit=1)
        return {
            "number": last.number + 1,
            "company_id": company.id,
            "exercise": exercise,
            "date": company._grant_today(),
            "user_id": self.env.uid,
            "url": url,
            "scope": "all" if company.grant_open_data_all else "law",
            "line_count": len(changes),
            "amount": company.currency_id.round(sum(line["amount"] for line in found["lines"])),
            "new_count": changes.count("new"),
            "changed_count": changes.count("changed"),
            "withdrawn_count": len(found["withdrawn"]),
            "left_out": self._say_wrong(found["wrong"]) if found["wrong"] else False,
        }

    def _add_lines(self, found):
        common = {"publication_id": self.id, "company_id": self.company_id.id}
        lines = [
            {**common, **line, "row_number": number}
            for number, line in enumerate(found["lines"], FIRST_ROW)
        ]
        lines += [
            {**common, **line._get_values(), "change": "withdrawn", "row_number": 0}
            for line in found["withdrawn"]
        ]
        self.line_ids._append(lines)
        self.invalidate_recordset(["line_ids"])

    def _add_files(self):
        """Make each file, and read it again as its receiver will."""
        lines = self.line_ids.filtered("row_number").sorted("row_number")
        parts = [line._as_line({name: line[name] for name in DATA}) for line in lines]
        contents = {name: (scdl.write(parts, name), "csv") for name in scdl.DIALECTS}
        identifiers = [line.source.replace(",", "-") for line in lines]
        contents["three_sixty"] = (three_sixty.write(parts, identifiers), "json")
        for name, (content, _ending) in contents.items():
            today = self.company_id._grant_today()
            is_csv = name in scdl.DIALECTS
            if rules.check(content, name, today) if is_csv else three_sixty.check(content):
                raise ValueError(f"{name}: the file does not follow its own rules")
        self.file_ids._append(
            [
                {
                    "publication_id": self.id,
                    "company_id": self.company_id.id,
                    "format": name,
                    "name": f"subventions_{name}_{self.date}_{self.number}.{ending}",
                    "file": base64.b64encode(content),
                    "size": len(content),
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
                for name, (content, ending) in contents.items()
            ]
        )
        self.invalidate_recordset(["file_ids"])

    def _end_tasks(self):
        """Take the task to publish from who had it (:mod:`grant_reminder_deadlines`)."""
        kind = self.env.ref("ctai_grants.mail_activity_publish")
        published = self.line_ids.filtered("row_number").subsidy_id
        # sudo: whoever has the task, the coordinator of that subsidy or another one
        published.sudo().activity_ids.filtered(
            lambda activity: activity.activity_type_id == kind
        ).action_feedback(self.display_name)

    def action_view_lines(self):
        """Open the lines of these publications, limited to what the context names."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants_reports.grant_publication_line_action"
        )
        action["domain"] = [("publication_id", "in", self.ids)]
        name = self.env.context.get("line_filter")
        action["context"] = {f"search_default_{name}": 1} if name else {}
        return action
