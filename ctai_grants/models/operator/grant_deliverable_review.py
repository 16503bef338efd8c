from odoo import models


class GrantDeliverable(models.Model):
    """Reviewing a piece: by somebody else than who handed it in, and file by file."""

    _inherit = "grant.deliverable"

    def _do_review(self, decision, states, reason=None):
        if decision == "accepted":
            self._check_group("group_coordinator", self.env._("Reviewing a piece"))
            for piece in self:
                self.env["grant.review"]._check_two_people(piece._get_authors(), piece.name)
        return super()._do_review(decision, states, reason)

    def _get_authors(self):
        """Who handed the last version in, or entered it for the operator, or entered into a report
        the figures that are on it (in sudo)."""
        # sudo: whose logins they are, compared with that of who reviews
        last = self.sudo().last_version_id
        reports = last.env["grant.financial.report"].search(
            [("version_id", "in", last.ids), ("hand_in", "!=", "submitted")]
        )
        authors = (report._get_authors() for report in reports)
        return last.user_id.union(*authors)

    def _is_author(self, user):
        return self.env["grant.review"]._is_among(self._get_authors(), user)

    def action_send_back(self):
        """Ask what is missing, for each file, then send the piece back to the operator."""
        if len(self) != 1:
            return super().action_send_back()
        return self.env["grant.review.answer"]._open(self)

    def _do_send_back_files(self, reason, reasons):
        """Send a piece back.

        :param str reason: of all of it; may be empty when there are others
        :param dict reasons: {file of the last version: what is wrong with it}
        :raise UserError: no reason in words, or a file of another version; as
            :meth:`_do_send_back`
        """
        self.ensure_one()
        said = {file: text for file, text in reasons.items() if text}
        self.env["grant.review.answer"]._check_own(said, self.last_version_id.file_ids)
        sentences = [
            self.env._("• “%(file)s”: %(reason)s", file=file.name, reason=self._check_reason(text))
            for file, text in said.items()
        ]
        self._do_send_back("\n".join(filter(None, [(reason or "").strip(), *sentences])))
