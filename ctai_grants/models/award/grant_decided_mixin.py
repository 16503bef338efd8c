from odoo import models


class GrantDecidedMixin(models.AbstractModel):
    """A document about which people decide: each decision is recorded with what it changes."""

    _name = "grant.decided.mixin"
    _description = "Document with Decisions"

    # The field of a decision that names such a document.
    _decision_key = None

    def _get_decided_subsidy(self):
        """The subsidy that a decision on this document is about."""
        return self.subsidy_id

    def _decide(self, decision, reason=None, details=None, **values):
        """Record a decision on this document, and write what it changes.

        :param str decision: as :meth:`grant.decision._record`
        :param dict details: more that the decision is about
        :param values: of fields of this document, guarded ones included
        """
        self.ensure_one()
        about = {self._decision_key: self.id} if self._decision_key else {}
        decisions = self.env["grant.decision"]
        subsidy = self._get_decided_subsidy()
        decisions._record(decision, subsidy, reason, **about, **(details or {}))
        if values:
            self._transition(**values)
