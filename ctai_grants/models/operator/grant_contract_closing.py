from odoo import models

from .grant_closing_mixin import ACTIVITY


class GrantContract(models.Model):
    _name = "grant.contract"
    _inherit = ["grant.contract", "grant.closing.mixin"]

    _closing_state = "in_force"

    def _get_closing_tasks(self):
        self.ensure_one()
        if self.state != "in_force":
            return []
        people = self.finance_user_id | self.user_id
        officer = people.filtered("active")[:1] or self.user_id
        tasks = self._say_open(
            [
                (
                    documents,
                    sentence,
                    self.user_id if documents._name == "grant.subsidy" else officer,
                )
                for documents, sentence in self._get_unfinished()
            ]
        )
        return [*tasks, (self.env._("Then a finance manager closes the contract."), officer)]

    def action_close(self):
        """Close the contract, as the layers below say; nobody has it to close any more."""
        result = super().action_close()
        self.activity_unlink([ACTIVITY])
        return result
