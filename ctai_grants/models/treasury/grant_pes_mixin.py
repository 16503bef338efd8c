import hashlib
import re

from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError

from ...lib.guard.money import euros
from ...lib.treasury import pes
from ...lib.treasury.pes_return import is_number


class GrantPesMixin(models.AbstractModel):
    """A document that is sent to the treasury as a PES file (:mod:`ctai_grants.lib.treasury.pes`).

    The file is unsigned: the city signs it in its own tool. Each one made stays in the history of
    its document, with its SHA-256.
    """

    _name = "grant.pes.mixin"
    _description = "Document for the Treasury"

    def action_make_pes(self):
        """Make the PES file of this document, and download it.

        :raise UserError: what the treasury asks for is missing: said of what, and where to enter it
        :raise AccessError: the user is not a finance officer
        """
        name, content, shortened = self._make_pes()
        sha256 = hashlib.sha256(content).hexdigest()
        lines = [self.env._("File for the treasury, to be signed. SHA-256: %s", sha256)]
        lines += [
            self.env._("Shortened: “%(value)s” is sent as “%(sent)s”.", value=value, sent=sent)
            for value, sent in dict(shortened).items()
        ]
        message = self.message_post(
            body=Markup("<br/>").join(lines),
            attachments=[(name, content)],
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{message.attachment_ids.id}?download=true",
            "target": "download",
        }

    def _make_pes(self):
        """The file: its name, its bytes, and what was shortened in it; raises as
        :meth:`action_make_pes`."""
        self.ensure_one()
        self._check_group("group_finance_officer", self.env._("Making a file for the treasury"))
        sender = self._get_pes_sender()
        kind, batch = self._get_pes_batch()
        make = pes.make_orders if kind == "DEP" else pes.make_claims
        content, shortened = make(sender, batch)
        return f"{pes.get_file_name(sender, batch, kind)}.xml", content, shortened

    def _get_pes_batch(self):
        """What is sent: ``DEP`` or ``REC``, and the batch.

        :raise UserError: see :meth:`action_make_pes`
        """
        raise NotImplementedError

    def _get_pes_sender(self):
        company = self.company_id
        sender = pes.Sender(
            name=company.name,
            siret=company._get_siret() or "",
            post=company.grant_pes_post or "",
            entity=company.grant_pes_entity or "",
            budget=company.grant_pes_budget or "",
            budget_label=company.grant_pes_budget_label or "",
        )
        required = {
            "siret": self.env._("SIRET of the company"),
            "post": company._fields["grant_pes_post"]._description_string(self.env),
            "entity": company._fields["grant_pes_entity"]._description_string(self.env),
            "budget": company._fields["grant_pes_budget"]._description_string(self.env),
        }
        if missing := [label for name, label in required.items() if not getattr(sender, name)]:
            raise UserError(
                self.env._(
                    "The treasury asks for: %(missing)s. See Settings > Grants > Treasury.",
                    missing=", ".join(missing),
                )
            )
        return sender

    def _get_pes_party(self, partner, bank=None):
        """The third party of an order, with its account, or of a claim, with its address."""
        partner = partner.commercial_partner_id
        party = pes.Party(
            name=partner.name,
            siret=partner._get_siret() or "",
            legal_form=partner.legal_form or "",
            street=" ".join(filter(None, (partner.street, partner.street2))),
            zip=partner.zip if re.fullmatch(r"\d{5}", partner.zip or "") else "",
            city=partner.city or "",
            iban=bank.sanitized_acc_number if bank else "",
            bic=bank.bank_bic or "" if bank else "",
            holder=bank.acc_holder_name or "" if bank else "",
        )
        labels = {name: partner._fields[name]._description_string(self.env) for name in
                  ("street", "zip", "city")}  # fmt: skip
        required = {"siret": "SIRET", "iban": "IBAN"} if bank is not None else {
            "siret": "SIRET", **labels
        }  # fmt: skip
        if missing := [label for name, label in required.items() if not getattr(party, name)]:
            raise UserError(
                self.env._(
                    "%(partner)s: the treasury asks for %(missing)s. Enter it on the form of the "
                    "organisation.",
                    partner=partner.display_name,
                    missing=", ".join(missing),
                )
            )
        return party

    def _get_pes_claim(self, move, partner, label):
        """The batch of one claim: numbered as its invoice, in the journal's own sequence."""
        piece = pes.Piece(
            number=move.sequence_number,
            object=label,
            amount=euros(move.amount_total),
            account=self._get_pes_account(move),
            party=self._get_pes_party(partner),
        )
        return "REC", pes.Batch(move.date.year, move.sequence_number, move.date, [piece])

    # ------------------------------------------------------------------
    # What the treasury answers
    # ------------------------------------------------------------------

    @api.model
    def _find_answered(self, company):
        """The documents of ``company`` that are sent as files of their own.

        :return: list of ((kind of :class:`Answer`, year, number of the batch), document)
        """
        raise NotImplementedError

    def _get_answered_number(self, kind):
        """A claim under the number that the treasury knows: see :meth:`_find_answered`."""
        # sudo: who reads the treasury's answer may not read every journal entry
        move = self.sudo()._get_live_move()
        return (kind, str(move.date.year), str(move.sequence_number)), self

    def _get_answered(self, answer):
        """The orders or claims that an answer is about, of those sent with this document."""
        self.ensure_one()
        is_ours = not answer.number or is_number(answer.batch, answer.number)
        return self if is_ours else self.browse()

    def _get_pes_number(self, tranche):
        number = tranche.order_number or ""
        if not (number.isdecimal() and 0 < int(number) < 10**8):
            raise UserError(
                self.env._(
                    "%(tranche)s: the treasury numbers orders with 8 digits at most, and this one "
                    "is “%(number)s”.",
                    tranche=tranche.display_name,
                    number=number,
                )
            )
        return int(number)

    def _get_pes_account(self, move):
        account = move.invoice_line_ids.account_id
        if not re.fullmatch(r"\d{1,12}", account.code or ""):
            raise UserError(
                self.env._(
                    "%(move)s: “%(account)s” is no account of the nomenclature: digits are "
                    "expected.",
                    move=move.display_name,
                    account=account.display_name,
                )
            )
        return account.code
