from odoo import api, models
from odoo.exceptions import UserError

from ..guard import transition


class GrantSignedLineMixin(models.AbstractModel):
    """Lines of a subsidy that are part of what is signed: free before, afterwards an amendment
    changes them, and nothing else (R10)."""

    _name = "grant.signed.line.mixin"
    _description = "Line of What Is Signed"
    _inherit = ["grant.document.mixin"]

    # What is signed of a line.
    _signed_fields = frozenset()

    def _is_amendable(self):
        return self.subsidy_id.state == "signed"

    def _get_frozen_fields(self):
        is_open = self.subsidy_id.state in ("draft", "granted")
        return frozenset() if is_open else self._signed_fields

    def _get_state_label(self):
        # It has no state of its own: messages say its subsidy's.
        return self.subsidy_id._get_state_label()

    @api.model_create_multi
    def create(self, vals_list):
        is_amended = transition.is_open(self)
        lines = super().create(vals_list)
        if not is_amended:
            lines._check_open()
        return lines

    def write(self, vals):
        before = self.subsidy_id
        result = super().write(vals)
        if self.subsidy_id - before:
            # Moved here, a line is added all the same.
            self._check_open()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed(self):
        self._check_open()

    def _check_open(self):
        """Refuse that lines come or go once they are signed.

        :raise UserError: naming the subsidy, and what an amendment changes
        """
        for subsidy in self.subsidy_id.filtered(lambda s: s.state not in ("draft", "granted")):
            raise UserError(self._say_signed(subsidy))

    @api.model
    def _say_signed(self, subsidy):
        """Why no line comes or goes any more, in a sentence."""
        raise NotImplementedError
