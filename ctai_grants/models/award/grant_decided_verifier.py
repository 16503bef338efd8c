from odoo import api, models
from odoo.exceptions import UserError


class GrantDecidedMixin(models.AbstractModel):
    """The verifier of states: each follows from the decisions, which are chained."""

    _inherit = "grant.decided.mixin"

    @api.model
    def _get_undecided(self, envelopes):
        """Sentences naming the documents of ``envelopes`` whose state nobody decided."""
        if "state" not in self._fields:
            return []
        domain = [("company_id", "in", envelopes.company_id.ids)]
        if "envelope_id" in self._fields:
            domain = [("envelope_id", "in", envelopes.ids)]
        elif "subsidy_id" in self._fields:
            domain = [("subsidy_id.envelope_id", "in", envelopes.ids)]
        documents = self.with_context(active_test=False).search(domain)
        zone = self.env.company._grant_timezone()
        try:
            histories = documents._get_histories(zone)
        except UserError:
            # One by one, to name each.
            return [sentence for document in documents for sentence in document._judge_state(zone)]
        return [
            document._say_undecided(histories[document.id][-1].state)
            for document in documents
            if document._get_decided_state() != histories[document.id][-1].state
        ]

    def _judge_state(self, zone):
        try:
            state = self._get_histories(zone)[self.id][-1].state
        except UserError as error:
            return [str(error)]
        return [self._say_undecided(state)] if state != self._get_decided_state() else []

    def _get_decided_state(self):
        """The state of this document, as decisions know it."""
        return self.state

    def _say_undecided(self, state):
        return self.env._(
            "%(document)s: its state is “%(state)s”, by its decisions “%(decided)s”.",
            document=self.display_name,
            state=self._get_state_label(),
            decided=dict(self._fields["state"]._description_selection(self.env)).get(state, state),
        )


class GrantEntry(models.Model):
    _inherit = "grant.entry"

    @api.private
    @api.model
    def _verify(self, envelopes):
        names = sorted(self.pool.descendants(["grant.decided.mixin"], "_inherit"))
        return super()._verify(envelopes) + [
            sentence
            for name in names
            if not self.env[name]._abstract
            for sentence in self.env[name]._get_undecided(envelopes)
        ]
