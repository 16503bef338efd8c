from odoo import api, models

from ..guard.obstacle import Obstacle


class GrantSubsidy(models.Model):
    """What prevents granting a subsidy, then signing it: a draft shows it, the act refuses."""

    _inherit = "grant.subsidy"

    @api.depends(
        lambda self: (
            "state", "kind", "amount", "date_start", "date_end", "decision_number", "partner_id",
            *self._get_legal_dates(),
        )
    )  # fmt: skip
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_obstacles(self):
        if self.state == "draft":
            return self._get_granting_obstacles()
        if self.state == "granted":
            return [*self._get_signing_obstacles(), *self._get_room_obstacles()]
        return []

    def _get_granting_obstacles(self):
        """What prevents the council's decision from being recorded: a list of sentences."""
        required = ["amount", "date_start", "date_end"]
        if self.kind == "operator":
            # The council votes nothing for what the city spends itself.
            required += ["decision_number", "decision_date"]
        return [*self._get_unfilled(required), *self._get_legal_date_obstacles()]

    def _get_signing_obstacles(self):
        """What prevents the signature: a list of sentences."""
        return [
            *self._get_unfilled(["signature_date"]),
            # Once more: they may be older than the rule.
            *self._get_legal_date_obstacles(),
            *self._get_siret_obstacles(),
        ]

    def _get_room_obstacles(self):
        """What the ledger would refuse of a signature, in its words: it alone decides (R1)."""
        envelope, currency = self.envelope_id._origin, self.currency_id
        about = {"envelope": envelope.name}
        if envelope.state != "in_force":
            sentence = self.env["grant.entry"]._say_refusal("not_in_force", about)
            return [Obstacle(sentence, envelope.contract_id)]
        left = envelope._get_room_since(self.signature_date or self.company_id._grant_today())
        if currency.compare_amounts(self.amount, max(left, 0)) <= 0:
            return []
        about |= {"left": currency.format(left), "asked": currency.format(self.amount)}
        sentence = self.env["grant.entry"]._say_refusal("allocated_ceiling commitment", about)
        return [Obstacle(sentence, envelope)]
