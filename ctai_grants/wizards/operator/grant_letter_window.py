from odoo import api, fields, models
from odoo.exceptions import UserError


class GrantLetterWindow(models.TransientModel):
    """Letters as they would leave now, shown before somebody sends them."""

    _name = "grant.letter.window"
    _description = "Letters to Send"
    _rec_name = "kind"

    kind = fields.Char(required=True, readonly=True)
    res_ids = fields.Json(required=True, readonly=True)
    line_ids = fields.One2many(
        "grant.letter.window.line", "window_id", string="Letters", readonly=True
    )
    sendable = fields.Integer(string="Letters That Leave", readonly=True)
    refused = fields.Integer(string="Letters That Do Not", readonly=True)
    # Of one letter, its mail at once.
    is_single = fields.Boolean(compute="_compute_single")
    recipients = fields.Char(string="To", compute="_compute_single")
    subject = fields.Char(compute="_compute_single")
    body = fields.Html(compute="_compute_single", sanitize=False)
    problem = fields.Text(compute="_compute_single")
    has_pdf = fields.Boolean(compute="_compute_single")

    @api.depends("line_ids")
    def _compute_single(self):
        for window in self:
            line = window.line_ids if len(window.line_ids) == 1 else window.line_ids.browse()
            window.is_single = bool(line)
            for name in ("recipients", "subject", "body", "problem", "has_pdf"):
                window[name] = line[name]

    @api.model
    def _open(self, kind, documents):
        """The window that shows the letters of a kind about these documents.

        :raise AccessError: the user is neither coordinator nor finance officer
        """
        letters = self.env["grant.letter"]
        documents._check_staff(self.env._("Sending a letter"))
        documents.check_access("read")
        lines = letters._preview(kind, documents)
        refused = sum(bool(line["problem"]) for line in lines)
        # sudo: addresses of an operator's people, shown to who writes to them; nobody edits them
        window = self.sudo().create(
            {
                "kind": kind,
                "res_ids": documents.ids,
                "line_ids": [fields.Command.create(line) for line in lines],
                "refused": refused,
                "sendable": len(lines) - refused,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Letter: %s", letters._get_kind_label(kind)),
            "res_model": self._name,
            "res_id": window.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_send(self):
        """Send these letters, once; those with nobody to write to are the coordinator's.

        :raise UserError: none of them can leave
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        self.ensure_one()
        letters = self.env["grant.letter"]
        documents = self.env[letters._get_kinds()[self.kind].model].browse(self.res_ids).exists()
        documents._check_staff(self.env._("Sending a letter"))
        documents.check_access("read")
        new = letters._queue(self.kind, documents)
        if not new:
            raise UserError(
                self.env._(
                    "No letter leaves: %s",
                    "\n".join(filter(None, self.line_ids.mapped("problem")))
                    or self.env._("they were sent already, a moment ago."),
                )
            )
        message = self.env._("%s letters leave within a minute.", len(new))
        if len(new) == 1:
            message = self.env._("The letter leaves within a minute.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message, "type": "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }  # fmt: skip

    def action_pdf(self):
        """Download the PDF that goes with the letter."""
        return self.line_ids.action_pdf()


class GrantLetterWindowLine(models.TransientModel):
    """A letter as it would leave now."""

    _name = "grant.letter.window.line"
    _description = "Letter to Send"
    _order = "id"
    _rec_name = "document"

    window_id = fields.Many2one("grant.letter.window", required=True, ondelete="cascade")
    res_id = fields.Integer(readonly=True)
    document = fields.Char(readonly=True)
    partner_id = fields.Many2one("res.partner", string="Operator", readonly=True)
    recipients = fields.Char(string="To", readonly=True)
    subject = fields.Char(readonly=True)
    # Made here, of a text that was sanitized and values that were escaped.
    body = fields.Html(readonly=True, sanitize=False)
    problem = fields.Text(readonly=True)
    has_pdf = fields.Boolean(readonly=True)

    def action_pdf(self):
        """Download the PDF that goes with this letter.

        :raise UserError: none does, or it cannot be made
        """
        self.ensure_one()
        kind = self.env["grant.letter"]._get_kinds()[self.window_id.kind]
        if not kind.report:
            raise UserError(self.env._("No PDF goes with this letter."))
        document = self.env[kind.model].browse(self.res_id)
        # sudo: the name of the report, which looks at what its reader may read itself
        return self.env.ref(kind.report).sudo().report_action(document, config=False)
