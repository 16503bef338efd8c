import hashlib
import re

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...lib.guard.money import euros
from ...lib.treasury import pes
from ...lib.treasury.pes_return import is_number
from ..guard.obstacle import Obstacle, describe


class GrantPesMixin(models.AbstractModel):
    """A document that is sent to the treasury as a PES file (:mod:`ctai_grants.lib.treasury.pes`).

    The file is unsigned: the city signs it in its own tool. Each one made stays in the history of
    its document, with its SHA-256. What the treasury needs and the schemas do not ask for is looked
    for before: all of it at once, by name.
    """

    _name = "grant.pes.mixin"
    _description = "Document for the Treasury"

    pes_missing = fields.Json(
        string="Missing for the Treasury",
        compute="_compute_pes_missing",
        groups="ctai_grants.group_finance_officer",
        help="What the treasury's file needs, and where to enter it: without it none is made.",
    )

    def _compute_pes_missing(self):
        for document in self:
            # As long as the city sends no files, nothing is missing for them.
            is_used = document.company_id.grant_pes_post and document._is_sent()
            gaps = document._find_pes_gaps() if is_used else []
            document.pes_missing = describe(gaps, self.env)

    def _is_sent(self):
        """Whether this document is, as it stands, for the treasury."""
        return self.state in self._answered_states

    def action_make_pes(self):
        """Make the PES file of this document, and download it.

        :raise UserError: what the treasury asks for is missing: said of what, and where to enter it
        :raise AccessError: the user is not a finance officer
        """
        name, content, shortened = self._make_pes()
        sha256 = hashlib.sha256(content).hexdigest()
        lines = [self.env._("File for the treasury, to be signed. SHA-256: %s", sha256)]
        lines += [
            self.env._("Changed: “%(value)s” is sent as “%(sent)s”.", value=value, sent=sent)
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
        """The file: its name, its bytes, and what was shortened or written otherwise in it; raises
        as :meth:`action_make_pes`."""
        self.ensure_one()
        self._check_group("group_finance_officer", self.env._("Making a file for the treasury"))
        if gaps := self._find_pes_gaps():
            raise UserError(
                self.env._(
                    "%(document)s: the treasury's file cannot be made yet.\n%(gaps)s",
                    document=self.display_name,
                    gaps="\n".join(gaps),
                )
            )
        kind, batch = self._get_pes_batch()
        sender = self._get_pes_sender(batch.date)
        make = pes.make_orders if kind == "DEP" else pes.make_claims
        content, changed = make(sender, batch)
        return f"{pes.get_file_name(sender, batch, kind)}.xml", content, changed

    def _get_pes_batch(self):
        """What is sent: ``DEP`` or ``REC``, and the batch; without gaps.

        :raise UserError: this is not the moment to send it
        """
        raise NotImplementedError

    # ------------------------------------------------------------------
    # What is missing
    # ------------------------------------------------------------------

    def _find_pes_gaps(self):
        """What is missing for the file, a sentence each: of the city, then of each piece."""
        self.ensure_one()
        try:
            # These first: they say when there is nothing to send yet, and no day of it.
            of_pieces = self._find_piece_gaps()
            return [*self._find_sender_gaps(), *of_pieces]
        except UserError as refusal:
            # A bill that is not what was certified, or gone.
            return [str(refusal)]

    def _find_piece_gaps(self):
        """What is missing of the orders or claims themselves, a sentence each."""
        raise NotImplementedError

    def _find_sender_gaps(self):
        company, sender = self.company_id, self._get_pes_sender(self._get_pes_date())
        required = {
            "siret": self.env._("SIRET of the company"),
            **{
                name: company._fields[f"grant_pes_{name}"]._description_string(self.env)
                for name in ("post", "entity", "budget")
            },
        }
        missing = [label for name, label in required.items() if not getattr(sender, name)]
        if not missing:
            return []
        sentence = self.env._(
            "The treasury asks for: %(missing)s. See Settings > Grants > Treasury.",
            missing=", ".join(missing),
        )
        return [Obstacle(sentence, action="ctai_grants.res_config_settings_action")]

    def _find_party_gaps(self, partner, bank=None, date=None):
        """What is missing of an organisation, a sentence or none.

        :param bank: the account that an order pays; None: a claim on the organisation
        :param date: of the order or claim; None: as it is now
        """
        party = self._get_pes_party(partner, bank, date)
        gaps = pes.find_gaps(party, needs_account=bank is not None)
        if not gaps:
            return []
        partner = partner.commercial_partner_id
        sentence = self.env._(
            "%(partner)s: the treasury asks for %(missing)s. Enter it on the form of the "
            "organisation.",
            partner=partner.display_name,
            missing=", ".join(self._say_gap(party, gap) for gap in gaps),
        )
        return [Obstacle(sentence, partner)]

    def _say_gap(self, party, gap):
        if gap == "abroad":
            return self.env._(
                "an address in France (an order for a payee abroad is made in the finance software)"
            )
        if gap in ("siret", "iban"):
            return gap.upper()
        name, _underscore, script = gap.partition("_")
        fields_of = {"holder": (self.env["res.partner.bank"], "acc_holder_name")}
        model, field = fields_of.get(name, (self.env["res.partner"], name))
        label = model._fields[field]._description_string(self.env)
        if script:
            return self.env._(
                "“%(field)s” in Latin letters, instead of “%(value)s”",
                field=label,
                value=getattr(party, name),
            )
        return self.env._("five digits for “%(field)s”", field=label) if name == "zip" else label

    def _find_number_gaps(self, tranche):
        number = tranche.order_number or ""
        if number.isdecimal() and 0 < int(number) < 10**8:
            return []
        sentence = self.env._(
            "%(tranche)s: the treasury numbers orders with 8 digits at most, and this one is "
            "“%(number)s”.",
            tranche=tranche.display_name,
            number=number,
        )
        return [Obstacle(sentence, tranche)]

    def _find_account_gaps(self, move):
        account = move._get_grant_account()
        if re.fullmatch(r"\d{1,12}", account.code or ""):
            return []
        sentence = self.env._(
            "%(move)s: “%(account)s” is no account of the nomenclature: digits are expected.",
            move=move.display_name,
            account=account.display_name,
        )
        return [Obstacle(sentence, account)]

    def _find_claim_gaps(self, partner):
        """Of a claim on ``partner``, whose invoice is this document's."""
        move = self._get_live_move()
        gaps = self._find_party_gaps(partner, date=move.date)
        return [*self._find_account_gaps(move), *gaps]

    # ------------------------------------------------------------------
    # What is sent
    # ------------------------------------------------------------------

    def _get_pes_date(self):
        """The day of what is sent: everybody is called as on it."""
        return self._get_live_move().date or self.company_id._grant_today()

    def _get_pes_sender(self, date):
        """The city, as it was called on ``date``."""
        company = self.company_id
        city = company.partner_id._get_identity(date)
        return pes.Sender(
            name=city.name,
            siret=city._get_siret() or "",
            post=company.grant_pes_post or "",
            entity=company.grant_pes_entity or "",
            budget=company.grant_pes_budget or "",
            budget_label=company.grant_pes_budget_label or "",
        )

    def _get_pes_party(self, partner, bank=None, date=None):
        """The third party of an order, with its account, or of a claim: as it was on ``date``; as
        it is now where the treasury would not take that."""
        partner = partner.commercial_partner_id
        if date:
            party = self._make_party(partner._get_identity(date), bank)
            if not pes.find_gaps(party, needs_account=bank is not None):
                return party
        return self._make_party(partner, bank)

    def _make_party(self, partner, bank):
        holder = bank and bank.acc_holder_name
        # Odoo renames the holder with its partner.
        if holder and holder == bank.partner_id.name:
            holder = partner.name
        return pes.Party(
            name=partner.name or "",
            siret=partner._get_siret() or "",
            legal_form=partner.legal_form or "",
            street=" ".join(filter(None, (partner.street, partner.street2))),
            zip=(partner.zip or "").replace(" ", ""),
            city=partner.city or "",
            country=partner.country_id.code or "",
            iban=bank.sanitized_acc_number or "" if bank else "",
            bic=bank.bank_bic or "" if bank else "",
            holder=holder or "",
        )

    def _get_pes_claim(self, move, partner, label):
        """The batch of one claim: numbered as its invoice, in the journal's own sequence."""
        number = move._get_grant_number()
        piece = pes.Piece(
            number=number,
            object=label,
            amount=euros(move.amount_total),
            account=move._get_grant_account().code,
            party=self._get_pes_party(partner, date=move.date),
        )
        return "REC", pes.Batch(move.date.year, number, move.date, [piece])

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
        return (kind, str(move.date.year), str(move._get_grant_number())), self

    def _get_answered(self, answer):
        """The orders or claims that an answer is about, of those sent with this document."""
        self.ensure_one()
        is_ours = not answer.number or is_number(answer.batch, answer.number)
        return self if is_ours else self.browse()
