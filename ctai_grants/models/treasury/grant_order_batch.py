from odoo import api, models

from ...lib.guard.money import euros
from ...lib.treasury import pes


class GrantOrderBatch(models.Model):
    """A batch as a file for the treasury, and what the treasury answers."""

    _name = "grant.order.batch"
    _inherit = ["grant.order.batch", "grant.pes.mixin"]

    def _get_pes_batch(self):
        pieces = [self._get_pes_piece(tranche, bill) for tranche, bill in self._get_bills().items()]
        return "DEP", pes.Batch(self.exercise, self.number, self.date, pieces)

    def _get_pes_piece(self, tranche, bill):
        files = self.env["ir.attachment"].search(
            [("res_model", "=", bill._name), ("res_id", "=", bill.id)], order="id"
        )
        return pes.Piece(
            number=self._get_pes_number(tranche),
            object=f"{tranche.subsidy_id.code} {tranche.name} {tranche.subsidy_id.name}",
            amount=euros(tranche.amount),
            account=self._get_pes_account(bill),
            party=self._get_pes_party(tranche.partner_id, bill.partner_bank_id),
            files=[pes.File(f.name, f.mimetype, f.raw, f.description or f.name) for f in files],
        )

    @api.model
    def _take_answers(self, company, answers):
        """Mark the orders that the treasury answers about.

        :param answers: of :func:`ctai_grants.lib.treasury.pes_return.read_answers`
        :return: what was done, a list of sentences
        """
        batches = self.search([("company_id", "=", company.id)])
        by_number = {(batch.exercise, batch.number): batch for batch in batches}
        marked, unknown = self.env["grant.disbursement"], []
        for answer in answers.answers:
            batch = by_number.get((answer.exercise, answer.batch), self.browse())
            orders = batch.disbursement_ids.filtered(
                lambda order, number=answer.number: number is None
                or (order.order_number.isdecimal() and int(order.order_number) == number)
            )
            if not orders:
                unknown.append(answer)
            for order in orders:
                if order._take_answer(answer, answers.date):
                    marked |= order
        sentences = [self.env._("Orders marked: %s.", len(marked))]
        states = dict(marked._fields["treasury_state"]._description_selection(self.env))
        sentences += [
            self.env._(
                "%(state)s: order %(number)s, %(operator)s.",
                state=states[order.treasury_state],
                number=order.order_number,
                operator=order.partner_id.name,
            )
            for order in marked
            if order.treasury_state in ("rejected", "pending")
        ]
        if unknown:
            numbers = sorted({(a.exercise, a.batch, a.number or 0) for a in unknown})
            first = [f"{number or '–'} ({batch}/{year})" for year, batch, number in numbers[:5]]
            sentences.append(
                self.env._(
                    "Not orders of grants, left alone: %(count)s (%(first)s…).",
                    count=len(numbers),
                    first=", ".join(first),
                )
            )
        return sentences
