from markupsafe import Markup

from odoo import models
from odoo.tools import format_date


class GrantAmendment(models.Model):
    """The signature of an amendment: all of it is applied, or nothing (R10)."""

    _inherit = "grant.amendment"

    def action_sign(self):
        """Apply these amendments, all of them or nothing, dated of their signature.

        Signed by the mayor once the council's decision is executory (CGCT L2131-1).

        :raise UserError: something is missing, a ceiling refuses (R1), the schedule does not
            follow the amount, or the document has changed since the draft
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Signing an amendment")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(
            self.subsidy_id.envelope_id | self.contract_id.envelope_ids
        )
        self._check_state(("draft",), what)
        for amendment in self:
            amendment._get_document()._check_state(("signed", "in_force"), what)
            amendment._lock_items()
            obstacles = amendment._get_obstacles()
            if not amendment._get_sentences():
                obstacles.append(self.env._("It changes nothing."))
            amendment._check_obstacles(what, obstacles)
            amendment._apply()
            amendment._record_signature()
        return True

    def _lock_items(self):
        """The document, then what it is made of: nobody certifies a tranche meanwhile."""
        # sudo: locks what the amendment changes, read below
        document = self._get_document().sudo()
        # Referred to they may be: who only names them (a message, an entry) does not wait.
        document.lock_for_update(allow_referencing=True)
        # sudo: the same
        for items in self.sudo()._get_items():
            items.lock_for_update(allow_referencing=True)

    def _apply(self):
        # sudo: whoever signs an amendment does what it says, to each document it names
        self_sudo = self.sudo()
        changed = self_sudo.line_ids.filtered(lambda line: line.operation != "same")
        # What takes less, the whole, what takes more: the parts fit in the whole at each step.
        first = changed.filtered(lambda line: line._goes_first())
        first._apply()
        document = self_sudo._get_document()
        document._transition(**{name: self[name] for name in self._get_amended_fields()})
        # Envelopes come before their instalments.
        (changed - first).sorted("item_model")._apply()
        if entries := self._prepare_entries():
            self._post_entries(entries)

    def _prepare_entries(self):
        """Lines of the ledger: what each envelope, or each action, gains or loses."""
        if self.contract_id:
            gains = [
                {"kind": "allocation", "envelope_id": line.item_id, "amount": gain}
                for line in self.envelope_line_ids
                if (gain := line._get_gain())
            ]
        else:
            subsidy = {
                "kind": "commitment",
                "envelope_id": self.subsidy_id.envelope_id.id,
                "subsidy_id": self.subsidy_id.id,
            }
            gains = [
                {**subsidy, "action_id": line.item_id, "amount": gain}
                for line in self.action_line_ids
                if (gain := line._get_gain())
            ]
            rest = self.amount - self.amount_before - sum(gain["amount"] for gain in gains)
            if not self.currency_id.is_zero(rest):
                gains.append({**subsidy, "amount": self.currency_id.round(rest)})
        # In one statement: what actions lose and gain of each other nets together.
        return [{**gain, "date": self.signature_date, "memo": self.display_name} for gain in gains]

    def _keeps_file(self, file):
        return self.state == "signed" and file in self.attachment_ids

    def _record_signature(self):
        """Freeze the amendment and its files, and tell the document's readers."""
        owner = {"res_model": self._name, "res_id": self.id}
        own = self.attachment_ids.filtered_domain([(name, "=", owner[name]) for name in owner])
        # Another document keeps its own: this one gets a copy, that nobody may change any more.
        files = own | (self.attachment_ids - own).copy(owner)
        self._transition(state="signed", signed_by_id=self.env.uid, attachment_ids=files.ids)
        # A decision is about a subsidy: of a contract's amendment, its own fields say who signed.
        if self.subsidy_id:
            self._decide("amended", self.reason)
        self._get_document().message_post(
            body=self.env._(
                "%(amendment)s, signed on %(date)s:%(summary)s",
                amendment=self.display_name,
                date=format_date(self.env, self.signature_date),
                summary=Markup("").join(
                    Markup("<br/>• %s") % sentence for sentence in self._get_sentences()
                ),
            )
        )
