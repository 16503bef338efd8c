import logging
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from ..guard.dates import say_day

_logger = logging.getLogger(__name__)

#: Mails whose words are the city's: template of what they list, and kind of the wording.
WORDED = {"operator_mail_reminder": "reminder", "operator_mail_to_complete": "sent_back"}


class Letter(NamedTuple):
    """A mail to an operator, of one city."""

    partner: models.BaseModel
    pieces: models.BaseModel
    #: contacts of who acts for it on the portal; none: its own address
    contacts: models.BaseModel
    addresses: list
    subject: str
    body: str
    #: attachments
    files: models.BaseModel | tuple = ()

    def get_pieces(self):
        """The pieces that it is about; figures alone are none."""
        pieces = self.pieces.env["grant.deliverable"]
        return self.pieces if self.pieces._name == pieces._name else pieces

    @property
    def reply_to(self):
        """Who follows the subsidy, or else the city."""
        coordinator = self.pieces[0].subsidy_id._get_coordinator()
        return coordinator.email_formatted or self.pieces.company_id.email_formatted


class GrantReminder(models.Model):
    """The mails: what they say, in the language of who reads them, and to whom they go."""

    _inherit = "grant.reminder"

    # ------------------------------------------------------------------
    # To whom
    # ------------------------------------------------------------------

    @api.model
    def _address(self, pieces, write):
        """Letters about pieces, one an operator: to its portal users, or else to its own address.

        :param pieces: or other documents of subsidies; ``items`` of their values describe those
        :param write: what makes title, template and values of the operator's pieces, whose
            environment has the language of the letter
        """
        operators = pieces.partner_id.commercial_partner_id
        operators.fetch(["name", "lang", "email", "email_normalized"])
        users = operators._get_grant_representatives()
        letters = []
        for operator, owed in pieces.grouped(
            lambda piece: piece.partner_id.commercial_partner_id
        ).items():
            contacts = users[operator].partner_id if operator in users else operator.browse()
            # What a mail is about, of what its readers choose from; None: everybody gets it.
            contacts = contacts._get_takers(getattr(owed, "_mails_about", "pieces"))
            addresses = contacts.mapped("email_normalized")
            if not addresses and operator.email_normalized:
                addresses = [operator.email_normalized]
            languages = {contact.lang for contact in contacts}
            lang = languages.pop() if len(languages) == 1 else operator.lang
            owed = owed.with_context(lang=lang or self.env.lang)
            title, template, values = write(owed)
            title, body = self._render(owed, operator, template, {**values, "title": title})
            letters.append(
                Letter(
                    operator, owed.with_env(pieces.env), contacts, addresses,
                    owed.env._("%(city)s: %(title)s", city=owed.company_id.name, title=title),
                    body,
                )
            )  # fmt: skip
        return letters

    @api.model
    def _render(self, pieces, operator, template, values):
        city = pieces.company_id
        contact = pieces[0].subsidy_id._get_coordinator().partner_id or city.partner_id
        about = {
            "city": city.name,
            "operator": operator.name,
            "contact": ", ".join(filter(None, (contact.name, contact.phone, contact.email))),
        }
        values = {
            "city": city,
            "ask": pieces.env._(
                "A question, or something that does not work? Answer this mail, or ask "
                "%(contact)s.",
                **about,
            ),
            "why": pieces.env._(
                "You receive this mail because you act for %(operator)s, which receives a subsidy "
                "of %(city)s. The links ask for your login: nobody else can open them.",
                **about,
            ),
            **({} if "items" in values else {"items": self._get_items(pieces)}),
            **values,
            "intro": values["intro"] % about,
        }
        return self._word(pieces, template, {**about, **values})

    @api.model
    def _word(self, documents, template, values):
        """Title and body of a mail: what the city words is in its words, or in ours where it left
        none."""
        qweb = documents.env["ir.qweb"]
        if template not in WORDED:
            return values["title"], qweb._render(f"ctai_grants.{template}", values)
        values["content"] = qweb._render(f"ctai_grants.{template}", values)
        words = {
            "city": values["city"].name, "operator": values["operator"],
            "title": values["title"], "intro": values["intro"], "pieces": values["content"],
        }  # fmt: skip
        try:
            title, content = documents.env["mail.template"]._word_letter(WORDED[template], words)
            values |= {"title": title, "content": content, "intro": ""}
        except UserError as error:
            _logger.warning("A mail leaves without the city's words: %s", error)
        return values["title"], qweb._render("ctai_grants.operator_mail_letter", values)

    @api.model
    def _get_items(self, pieces):
        """What a letter lists."""
        return [
            self._describe(piece)
            for piece in pieces.sorted(lambda piece: (piece.due_date, piece.id))
        ]

    @api.model
    def _describe(self, piece):
        """What a letter says of a piece."""
        days = (piece.due_date - piece.company_id._grant_today()).days
        date = say_day(piece.env, piece.due_date)
        if days < 0:
            when = piece.env._("Was due on %(date)s: %(days)s days late", date=date, days=-days)
            if days == -1:
                when = piece.env._("Was due yesterday, %(date)s", date=date)
        elif days == 0:
            when = piece.env._("Is due today, %(date)s", date=date)
        elif days == 1:
            when = piece.env._("Is due tomorrow, %(date)s", date=date)
        else:
            when = piece.env._("Is due on %(date)s, in %(days)s days", date=date, days=days)
        base = piece.get_base_url()
        return {
            "name": piece.name,
            "subsidy": f"{piece.subsidy_id.name} ({piece.subsidy_id.code})",
            "when": when,
            "is_late": days < 0,
            "answer": piece.answer if piece.state == "to_complete" else False,
            "instructions": piece.instructions,
            "url": f"{base}/my/subsidies/{piece.subsidy_id.id}/deliverables/{piece.id}",
        }

    @api.model
    def _send(self, letters):
        """Hand the letters over to Odoo's queue of mails, within this transaction.

        :return: dict {operator: message}, without those that nobody gets
        """
        letters = [letter for letter in letters if letter.addresses]
        # sudo: who decides on a piece may not write mails in the city's name
        mails = self.env["mail.mail"].sudo().create(
            [
                {
                    "subject": letter.subject,
                    "body_html": letter.body,
                    "body": letter.body,
                    "email_from": letter.pieces.company_id.email_formatted or letter.reply_to,
                    "reply_to": letter.reply_to,
                    "author_id": letter.pieces.company_id.partner_id.id,
                    "recipient_ids": letter.contacts.ids,
                    "email_to": "" if letter.contacts else letter.partner.email_formatted,
                    # Read by who reads the subsidy; contacts are everybody's.
                    "model": "grant.subsidy",
                    "res_id": letter.pieces[0].subsidy_id.id,
                    "attachment_ids": [Command.link(file.id) for file in letter.files],
                    "auto_delete": False,
                    # Who is on holiday does not answer a machine.
                    "headers": {"Auto-Submitted": "auto-generated"},
                }
                for letter in letters
            ]
        )  # fmt: skip
        sent = zip(letters, mails, strict=True)
        return {letter.partner: mail.mail_message_id for letter, mail in sent}

    # ------------------------------------------------------------------
    # What is due
    # ------------------------------------------------------------------

    @api.model
    def _make_letters(self, pieces, figures=()):
        """Letters to the operators of these pieces and figures, of one city, about all that each
        owes now.

        :param figures: pairs, first of them the id of a subsidy
        """
        subsidies = self.env["grant.subsidy"].browse({subsidy for subsidy, _end in figures})
        company = pieces.company_id | subsidies.company_id
        operators = (pieces.partner_id | subsidies.partner_id).commercial_partner_id
        if not operators:
            return []
        pieces |= self._get_owed_too(company, operators)
        awaited = self._get_awaited_by(company, operators)
        others = operators - pieces.partner_id.commercial_partner_id
        lines = subsidies.indicator_target_ids.filtered(
            lambda line: line.partner_id.commercial_partner_id in others
        )
        return [
            *self._address(pieces, lambda owed: self._write_reminder(owed, awaited)),
            *self._address(lines, lambda owed: self._write_figures(owed, awaited)),
        ]

    @api.model
    def _get_owed_too(self, company, operators):
        """What these operators owe a city besides: late, or due soon."""
        horizon = company._grant_today() + relativedelta(days=-company._get_reminder_steps()[0])
        owed = self.env["grant.deliverable"].search(
            Domain("company_id", "=", company.id)
            & Domain("partner_id.commercial_partner_id", "in", operators.ids)
            & Domain("state", "in", ("expected", "to_complete"))
            & Domain("subsidy_id.state", "=", "signed")
            & Domain("subsidy_id.active", "=", True)
            & Domain("unreminded_reason", "in", (False, ""))
            & Domain("due_date", "<=", horizon),
            order="due_date, id",
        )
        return owed

    @api.model
    def _write_reminder(self, pieces, awaited):
        pieces = pieces.sorted(lambda piece: (piece.due_date, piece.id))
        late = pieces.filtered("is_late")
        about = {
            "piece": (late or pieces)[0].name,
            "date": say_day(pieces.env, (late or pieces)[0].due_date),
            "number": len(late or pieces),
        }
        if len(late) > 1:
            title = pieces.env._("%(number)s documents are late", **about)
        elif late:
            title = pieces.env._("“%(piece)s” is late", **about)
        elif len(pieces) > 1:
            title = pieces.env._(
                "%(number)s documents to hand in, the first by %(date)s", **about
            )
        else:
            title = pieces.env._("“%(piece)s” is to be handed in by %(date)s", **about)
        intro = pieces.env._("this is what %(city)s awaits from %(operator)s.")
        if late:
            intro = pieces.env._(
                "this is what %(city)s awaits from %(operator)s. Payments of your subsidy may be "
                "waiting for it."
            )
        items = self._get_items(pieces) + self._get_figure_items(pieces, awaited)
        return title, "operator_mail_reminder", {"intro": intro, "items": items}

    # ------------------------------------------------------------------
    # What was decided
    # ------------------------------------------------------------------

    @api.model
    def _tell_decided(self, pieces):
        """Write to the operators what became of the pieces that they handed in."""
        # sudo: who reviews a piece need not be allowed to read who has a login
        pieces = self.sudo().env["grant.deliverable"].browse(pieces.ids)
        for _state, decided in pieces.grouped(lambda one: (one.state, one.company_id)).items():
            self._send(self._address(decided, self._write_decided))

    @api.model
    def _write_decided(self, pieces):
        about = {"piece": pieces[0].name, "number": len(pieces)}
        if pieces[0].state == "accepted":
            title = pieces.env._("“%(piece)s” is accepted", **about)
            if len(pieces) > 1:
                title = pieces.env._("%(number)s documents are accepted", **about)
            intro = pieces.env._(
                "we have read what %(operator)s handed in, and accept it. There is nothing else to "
                "do for it. Thank you!"
            )
            return title, "operator_mail_accepted", {"intro": intro}
        title = pieces.env._("“%(piece)s” is to be completed", **about)
        if len(pieces) > 1:
            title = pieces.env._("%(number)s documents are to be completed", **about)
        intro = pieces.env._(
            "we have read what %(operator)s handed in. We cannot accept it as it is. Here is what "
            "is missing:"
        )
        return title, "operator_mail_to_complete", {"intro": intro}
