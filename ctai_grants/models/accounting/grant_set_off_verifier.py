from odoo import api, models
from odoo.tools import SQL


class GrantSetOff(models.Model):
    """The verifier of set-offs: recorded, their entry stands, of their amount and day."""

    _inherit = "grant.set.off"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT document.id, said.name, said.stored, said.said
                     FROM grant_set_off document
                     LEFT JOIN account_move move ON move.id = document.move_id
                     LEFT JOIN LATERAL (SELECT sum(debit) AS debit FROM account_move_line
                                         WHERE move_id = move.id) item ON TRUE
                     JOIN LATERAL (VALUES
                              ('amount', amount::text, debit::text,
                               document.state <> 'draft' AND amount IS DISTINCT FROM debit),
                              ('date', document.date::text, move.date::text,
                               document.state <> 'draft'
                               AND document.date IS DISTINCT FROM move.date),
                              ('state', document.state, 'done',
                               document.state = 'draft' AND move.id IS NOT NULL)
                          ) said (name, stored, said, differs) ON differs
                    WHERE document.company_id = ANY(%s) ORDER BY 1""",
                envelopes.company_id.ids,
            ),
        ]
