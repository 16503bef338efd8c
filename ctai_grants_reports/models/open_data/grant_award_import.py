import base64
import hashlib

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_date

from odoo.addons.ctai_grants.models.guard import transition


class GrantAwardImport(models.Model):
    """A file of awards that was imported: first looked at, then made into draft subsidies.

    Kept as the journal of what was imported, by whom and when, with the file itself. An award is
    imported once, in whatever file it comes again.
    """

    _name = "grant.award.import"
    _description = "Imported Awards"
    _inherit = ["grant.document.mixin", "grant.spreadsheet.mixin"]
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(string="File Name", required=True, readonly=True, copy=False)
    file = fields.Binary(required=True, readonly=True, copy=False)
    sha256 = fields.Char(string="SHA-256", required=True, readonly=True, copy=False)
    state = fields.Selection(
        [("preview", "Preview"), ("imported", "Imported")],
        required=True, default="preview", readonly=True, copy=False, index=True,
    )  # fmt: skip
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    envelope_id = fields.Many2one(
        "grant.envelope", required=True, readonly=True, ondelete="restrict", check_company=True,
        help="From which the awards of this file are paid.",
    )  # fmt: skip
    user_id = fields.Many2one(
        "res.users", string="Read By", required=True, readonly=True, ondelete="restrict"
    )
    read_at = fields.Datetime(string="Read On", required=True, readonly=True)
    imported_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    imported_at = fields.Datetime(string="Imported On", readonly=True)
    line_ids = fields.One2many("grant.award.line", "import_id", string="Lines", readonly=True)
    good_line_ids = fields.One2many(
        "grant.award.line", "import_id", string="Awards", readonly=True,
        domain=[("status", "!=", "refused")],
    )  # fmt: skip
    refused_line_ids = fields.One2many(
        "grant.award.line", "import_id", string="Lines with Errors", readonly=True,
        domain=[("status", "=", "refused")],
    )  # fmt: skip
    ready_count = fields.Integer(string="To Import", compute="_compute_totals")
    ready_amount = fields.Monetary(string="Amount To Import", compute="_compute_totals")
    operator_count = fields.Integer(
        string="New Operators", compute="_compute_totals",
        help="Bodies that no contact is: their records are made with the subsidies.",
    )  # fmt: skip
    known_count = fields.Integer(string="Imported Before", compute="_compute_totals")
    refused_count = fields.Integer(string="With Errors", compute="_compute_totals")
    done_count = fields.Integer(string="Imported Lines", compute="_compute_totals")

    _sha256_uniq = models.UniqueIndex(
        "(company_id, sha256)", "This file was read already: nothing was done."
    )

    @api.depends("line_ids.status")
    def _compute_totals(self):
        for award_import in self:
            lines = award_import.line_ids.grouped("status")
            for status in ("ready", "known", "refused", "done"):
                count = len(lines.get(status, ()))
                award_import[f"{status}_count"] = count
            ready = lines.get("ready", self.env["grant.award.line"])
            award_import.ready_amount = sum(ready.mapped("amount"))
            new = ready.filtered(lambda line: line.match == "new")
            award_import.operator_count = len(set(new.mapped("number")))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_imported(self):
        self._check_state(("preview",), self.env._("Deleting a file of awards"))

    def _keeps_file(self, file):
        return file.res_field == "file"

    # ------------------------------------------------------------------
    # From the file to the preview
    # ------------------------------------------------------------------

    @api.model
    def _import(self, envelope, name, content):
        """Read a file of awards and show what would be made of it.

        :param envelope: from which they are paid
        :param str name: what its sender calls the file
        :param bytes content: ODS, XLSX or CSV
        :return: the import, made now or, if nothing was imported of it yet, before
        :raise UserError: the file cannot be read, or was imported already
        :raise AccessError: the user is not a coordinator
        """
        self._check_group("group_coordinator", self.env._("Importing awards"))
        envelope.check_access("read")
        if not content:
            raise UserError(self._get_file_message("empty", {}))
        sha256 = hashlib.sha256(content).hexdigest()
        company = envelope.company_id
        known = self.search([("company_id", "=", company.id), ("sha256", "=", sha256)])
        if known.state == "imported":
            raise UserError(known._say_imported())
        if known and known.envelope_id != envelope:
            # Nothing was made of it: the choice of the envelope was a slip.
            known.unlink()
            known = self.browse()
        if not known:
            known = self._create_import(envelope, name, content, sha256)
        known._refresh(content)
        return known

    @api.model
    def _create_import(self, envelope, name, content, sha256):
        # sudo: nobody writes the journal of imports, which only this method adds to
        journal = self.sudo()
        vals = {
            "name": name or self.env._("Awards"),
            "file": base64.b64encode(content),
            "sha256": sha256,
            "company_id": envelope.company_id.id,
            "envelope_id": envelope.id,
            "user_id": self.env.uid,
            "read_at": fields.Datetime.now(),
        }
        try:
            with self.env.cr.savepoint():
                return transition.creating(journal, [vals]).create(vals).with_env(self.env)
        except UniqueViolation as error:
            raise UserError(
                self.env._(
                    "“%(file)s” was being read at the same moment by somebody else: it is there "
                    "once. Open it in the list of imported awards.",
                    file=vals["name"],
                )
            ) from error

    def _say_imported(self):
        return self.env._(
            "“%(file)s” was imported already, by %(user)s on %(date)s: nothing was done. Lines "
            "with errors are imported from a file in which they are corrected; those that are "
            "there already are known.",
            file=self.name,
            user=self.imported_by_id.name,
            date=format_date(self.env, self.imported_at),
        )

    def action_refresh(self):
        """Match the lines again, against operators and subsidies as they are now.

        :raise UserError: it is imported; :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Matching a file of awards")
        self._check_group("group_coordinator", what)
        self._check_state(("preview",), what)
        self.lock_for_update()
        self._refresh(base64.b64decode(self.file))
        return True

    # ------------------------------------------------------------------
    # From the preview to the subsidies
    # ------------------------------------------------------------------

    def action_import(self):
        """Make a draft subsidy of each line that has no error, and the operators that nobody knew:
        all of them, or none.

        :raise UserError: nothing to import; a rule refuses one, named by its line
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Importing awards")
        self._check_group("group_coordinator", what)
        self._check_state(("preview",), what)
        self.lock_for_update()
        # Operators and subsidies may have changed since the preview.
        shown = {line.key: (line.partner_id, line.match) for line in self._get_ready()}
        self._refresh(base64.b64decode(self.file))
        ready = self._get_ready()
        if {line.key: (line.partner_id, line.match) for line in ready} != shown:
            raise UserError(
                self.env._(
                    "What this file makes has changed since the preview: operators or subsidies "
                    "were entered meanwhile. Match again, and look at the preview once more."
                )
            )
        if not ready:
            raise UserError(self.env._("No line of this file is left to import."))
        operators = {}
        for line in ready:
            try:
                subsidy = line._create_subsidy(operators)
            except (UserError, ValidationError) as error:
                raise UserError(
                    self.env._(
                        "%(line)s: %(reason)s\nNothing was imported.",
                        line=line.display_name,
                        reason=error,
                    )
                ) from error
            # sudo: nobody writes lines but their import's methods
            line.sudo()._transition(
                status="done", subsidy_id=subsidy.id, partner_id=subsidy.partner_id.id
            )
        # sudo: as above
        self.sudo()._transition(
            state="imported", imported_by_id=self.env.uid, imported_at=fields.Datetime.now()
        )
        return self.action_view_subsidies()

    def _get_ready(self):
        return self.line_ids.filtered(lambda line: line.status == "ready")

    def action_view_subsidies(self):
        """Open the subsidies that were made of this file."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_subsidy_action")
        action["domain"] = [("id", "in", self.line_ids.subsidy_id.ids)]
        action["context"] = {}
        return action
