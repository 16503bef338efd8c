from odoo import api, models


class GrantSourceMixin(models.AbstractModel):
    """A document that entries of the ledger come from.

    The ledger knows no document: each says here which kinds of entries it posts, and how what it
    posted is compared with accounting.
    """

    _name = "grant.source.mixin"
    _description = "Source of Ledger Entries"

    # Kinds of the entries that come from such a document.
    _entry_kinds = ()

    def _check_entry_kinds(self, lines):
        """Refuse entries of a kind that is not this document's: an error in a program.

        :raise ValueError: naming the kind
        """
        for line in lines:
            if line["kind"] not in self._entry_kinds:
                raise ValueError(f"{self._name} posts no entries of the kind {line['kind']}.")

    def _post_entries(self, lines):
        """Append ``lines`` to the ledger as :meth:`grant.entry._post`, with this document."""
        return self.env["grant.entry"]._post(self, lines)

    @api.model
    def _get_unbalanced(self, envelopes):
        """Sentences naming the documents of ``envelopes`` whose ledger and accounting differ; none
        where accounting knows nothing of such documents."""
        return []
