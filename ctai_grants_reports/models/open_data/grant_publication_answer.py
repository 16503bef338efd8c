from odoo import api, fields, models
from odoo.exceptions import UserError


class GrantPublicationAnswer(models.Model):
    """What the aggregator (data.gouv.fr, a validator) said of a published line. A later answer
    takes the place of an earlier one, which stays."""

    _name = "grant.publication.answer"
    _description = "Answer of an Aggregator"
    _inherit = ["grant.append.only.mixin", "grant.acting.mixin"]
    _order = "id desc"
    _rec_name = "verdict"

    line_id = fields.Many2one(
        "grant.publication.line", required=True, readonly=True, ondelete="restrict", index=True
    )
    publication_id = fields.Many2one(
        "grant.publication", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    verdict = fields.Selection(
        [("taken", "Taken"), ("refused", "Refused")], required=True, readonly=True
    )
    message = fields.Text(readonly=True)
    origin = fields.Char(
        string="Report", readonly=True, help="Name of the file that said so; empty: by hand."
    )
    user_id = fields.Many2one(
        "res.users", string="Entered By", required=True, readonly=True, ondelete="restrict"
    )
    answered_at = fields.Datetime(string="Entered On", required=True, readonly=True)

    @api.model
    def _get_chained_fields(self):
        return ["publication_id"]

    @api.model
    def _record(self, lines, verdict, message=None, origin=None):
        """Add the same answer about each of ``lines``, where it is not the last one already.

        :param message: text, or a dict {line: text}
        :return: how many were added
        :raise UserError: a line was withdrawn: it is in no file
        :raise AccessError: the user is not a coordinator
        """
        self._check_group("group_coordinator", self.env._("Entering an aggregator's answer"))
        lines.check_access("read")
        if withdrawn := lines.filtered(lambda line: line.change == "withdrawn"):
            raise UserError(
                self.env._(
                    "“%(line)s” was withdrawn: it is in no file, and nobody took or refused it.",
                    line=withdrawn[0].purpose,
                )
            )
        said = message if isinstance(message, dict) else dict.fromkeys(lines, message)
        new = lines.filtered(
            lambda line: (line.verdict, line.verdict_note or "") != (verdict, said[line] or "")
        )
        if not new:
            return 0
        # sudo: nobody writes answers, which only this method adds; who may was checked
        self.sudo()._append(
            [
                {
                    "line_id": line.id,
                    "publication_id": line.publication_id.id,
                    "company_id": line.company_id.id,
                    "verdict": verdict,
                    "message": said[line] or False,
                    "origin": origin,
                    "user_id": self.env.uid,
                    "answered_at": fields.Datetime.now(),
                }
                for line in new
            ]
        )
        lines.invalidate_recordset(["verdict", "verdict_note", "answer_ids"])
        return len(new)
