from collections import defaultdict

from odoo import api, models


class Accounted(list):
    """Lines that another book says, accounting: made by what reads it, in the add-on's sources. A
    server action has no name for this class."""


class GrantSourceMixin(models.AbstractModel):
    """A document that entries of the ledger come from.

    The ledger knows no document: each says here which kinds of entries it posts, and how what it
    posted is compared with accounting.
    """

    _name = "grant.source.mixin"
    _description = "Source of Ledger Entries"

    # Kinds of the entries that come from such a document.
    _entry_kinds = ()
    # The field that names it where a line of the ledger is shown, or a path to it.
    _entry_name = None

    @api.private
    def _get_entry_names(self):
        """What these documents are called in lists of entries: dict {id: name}, without those that
        are gone or were never there."""
        return {
            document.id: str(document.mapped(self._entry_name)[0]) for document in self.exists()
        }

    def _check_entries(self, lines):
        """Refuse entries that are not this document's: of another kind, of a document that a
        statement could not name, and what no document asks for.

        :raise ValueError: naming the model: an error in a program
        :raise UserError: as :meth:`grant.counted.mixin._check_owed`
        """
        if not self._entry_name:
            raise ValueError(f"{self._name} has no name for statements: _entry_name.")
        for line in lines:
            if line["kind"] not in self._entry_kinds:
                raise ValueError(f"{self._name} posts no entries of the kind {line['kind']}.")
        if type(lines) is not Accounted:
            self._check_asked(lines)

    def _check_asked(self, lines):
        """Refuse entries beyond what subsidies and envelopes say by their present state."""
        asked = defaultdict(float)
        for line in lines:
            model, record_id = "grant.subsidy", line.get("subsidy_id")
            if not record_id:
                model, record_id = "grant.envelope", line["envelope_id"]
            asked[model, record_id, line["kind"]] += line["amount"]
        for (model, record_id, kind), amount in asked.items():
            # sudo: only compared; who posts may read less than what it is compared with
            self.env[model].sudo().browse(record_id)._check_owed(kind, amount, self)

    def _post_entries(self, lines):
        """Append ``lines`` to the ledger as :meth:`grant.entry._post`, with this document."""
        return self.env["grant.entry"]._post(self, lines)

    def _check_taken_back(self):
        """Refuse to take back what these documents posted, while something rests on it; by default
        nothing does.

        :raise UserError: naming the document and what to do first
        """

    @api.model
    def _get_unbalanced(self, envelopes):
        """Sentences naming the documents of ``envelopes`` whose ledger and accounting differ; none
        where accounting knows nothing of such documents."""
        return []

    @api.model
    def _get_misdated(self, envelopes):
        """Sentences naming the documents of ``envelopes`` whose dates do not follow each other;
        none where a document has no such dates."""
        return []
