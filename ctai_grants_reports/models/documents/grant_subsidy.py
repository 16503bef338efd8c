import datetime

from odoo import models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

from odoo.addons.ctai_grants.models.guard.dates import say_day


class GrantSubsidy(models.Model):
    """The convention and the award notice, in the operator's language, with the names of their
    day."""

    _name = "grant.subsidy"
    _inherit = ["grant.subsidy", "grant.pdf.mixin"]

    def _print_convention(self):
        """The convention and its annexes: name and PDF.

        :raise UserError: a cost of the city has none
        """
        subsidy = self._as_printed()
        date = subsidy.signature_date or subsidy.company_id._grant_today()
        partner = subsidy.partner_id._get_identity(date)
        title = subsidy.env._("Convention %s", subsidy.convention_reference or subsidy.code)
        data = {
            "kind": "convention",
            "title": title,
            "date": date,
            "mark": subsidy._get_mark(),
            "subtitle": subsidy._get_subtitle(),
            "parties": subsidy._get_parties(date),
            "grounds": subsidy._get_grounds(),
            "article_word": subsidy.env._("Article"),
            "articles": subsidy._get_articles(),
            "signatures": subsidy._get_signatures(date),
            "annexes": subsidy._get_annexes(),
        }
        return f"{title} – {partner.name}", subsidy._typeset_official("convention", data)

    def _print_award_notice(self):
        """The notice of the award, whose receipt starts the delay of payment: name and PDF.

        :raise UserError: it is not granted, or a cost of the city
        """
        subsidy = self._as_printed()
        subsidy._check_state(
            ("granted", "signed", "closed"), self.env._("Printing the award notice")
        )
        date = subsidy.notification_date or subsidy.company_id._grant_today()
        partner = subsidy.partner_id._get_identity(date)
        title = subsidy.env._("Award notice %s", subsidy.code)
        data = {
            "kind": "award_notice",
            "title": title,
            "date": date,
            "recipient": self.env["grant.recovery"]._get_postal_lines(partner, with_person=True),
            "reference": f"{title} – {say_day(subsidy.env, date)}",
            "text": "\n\n".join(subsidy._get_notice_paragraphs(date)),
            "schedule": subsidy._get_schedule_table(subsidy._get_undone()),
            "appeal": subsidy._get_appeal(),
        }
        return f"{title} – {partner.name}", subsidy._typeset_official("award_notice", data)

    def _as_printed(self):
        """This subsidy in the language of who will read the paper."""
        self.ensure_one()
        if self.kind != "operator":
            raise UserError(
                self.env._("%s: a cost of the city has neither convention nor award notice.",
                           self.display_name)
            )  # fmt: skip
        return self.with_context(lang=self.partner_id.lang or self.env.lang)

    def _get_mark(self):
        if self.state == "cancelled":
            return self.env._("CANCELLED")
        if self._get_signed_amendments():
            # Not what was signed on the day of the convention: what has become of it since.
            return self.env._("CONSOLIDATED")
        return self.env._("DRAFT") if self.state == "draft" else ""

    def _get_subtitle(self):
        amendments = self._get_signed_amendments()
        if not amendments:
            return self.name
        return self.env._(
            "%(name)s – consolidated version, up to amendment no. %(number)s of %(date)s",
            name=self.name,
            number=amendments[-1].number,
            date=format_date(self.env, amendments[-1].signature_date),
        )

    def _get_signed_amendments(self):
        # sudo: which amendments there are, whoever prints the paper that they change
        amendments = self.sudo().amendment_ids.filtered(lambda one: one.state == "signed")
        return amendments.sorted(lambda one: (one.signature_date, one.id))

    def _get_parties(self, date):
        """Who signs, on that day: pairs of name and lines."""
        city = self.company_id.partner_id._get_identity(date)
        operator = self.partner_id._get_identity(date)
        return [
            [self.env._("Between, on the one hand,"), self._get_party_lines(city)],
            [self.env._("and, on the other hand,"), self._get_party_lines(operator)],
        ]

    def _get_party_lines(self, partner):
        lines = self.env["grant.recovery"]._get_postal_lines(partner)
        if siret := partner._get_siret():
            lines.append(f"SIRET {siret}")
        if partner.rna:
            lines.append(f"RNA {partner.rna}")
        if partner.legal_representative:
            lines.append(self.env._("represented by %s", partner.legal_representative))
        return lines

    def _get_grounds(self):
        """The legal grounds, unless the city words them."""
        grounds = [
            self.env._(
                "Having regard to the law no. 2000-321 of 12 April 2000, in particular its "
                "articles 9-1, 10 and 10-1, and the decree no. 2001-495 of 6 June 2001;"
            ),
            self.env._(
                "Having regard to the contract between the State and the city %(contract)s;",
                contract=self.contract_id.name,
            ),
        ]
        if self.decision_number and self.decision_date:
            grounds.append(self._say_deliberation(self.decision_number, self.decision_date))
        return "\n\n".join(grounds)

    def _say_deliberation(self, number, date):
        return self.env._(
            "Having regard to the deliberation no. %(number)s of %(date)s;",
            number=number,
            date=format_date(self.env, date),
        )

    def _get_signatures(self, date):
        city = self.company_id.partner_id._get_identity(date)
        operator = self.partner_id._get_identity(date)
        words = self.env["grant.document.wording"]._get_words(self.company_id, "convention")
        own = words.get("signatory", "").splitlines()
        return [
            own
            or [
                self.env._("For %(city)s,", city=city.name),
                city.legal_representative or self.env._("The mayor"),
            ],
            [
                self.env._("For %(city)s,", city=operator.name),
                operator.legal_representative or self.env._("The legal representative"),
            ],
        ]

    # ------------------------------------------------------------------
    # The award notice
    # ------------------------------------------------------------------

    def _get_undone(self):
        """What was decided, where amendments have changed it since: as
        :meth:`grant.amendment._get_undone`."""
        if not self._get_signed_amendments():
            return {}
        # sudo: as there; all of them, that of the very day of the signature too
        amendments = self.env["grant.amendment"].sudo()
        day = self.signature_date - datetime.timedelta(days=1)
        return amendments._get_undone(self.contract_id, day)

    def _get_notice_paragraphs(self, date):
        days = self.company_id.grant_payment_days
        city = self.company_id.partner_id._get_identity(date)
        decided = self._get_undone().get((self._name, self.id), self)
        start, end = decided["date_start"], decided["date_end"]
        granted = {
            "amount": self._format_euros(decided["amount"]),
            "object": self.name,
            "number": self.decision_number or self.code,
            "date": format_date(self.env, self.decision_date) if self.decision_date else "",
        }
        yield self.env._("Subject: award of a subsidy – %s", self.name)
        yield self.env._(
            "By decision %(number)s of %(date)s, the city grants you a subsidy of %(amount)s for: "
            "%(object)s.",
            **granted,
        )
        if start and end:
            yield self.env._(
                "It is for the period from %(start)s to %(end)s.",
                start=format_date(self.env, start),
                end=format_date(self.env, end),
            )
        if self.convention_required:
            yield self.env._(
                "Its amount asks for a convention, which both parties sign before any payment "
                "(law no. 2000-321 of 12 April 2000, article 10; decree no. 2001-495)."
            )
        yield self.env._(
            "It is paid within %(days)s days of the notification of this letter, unless the "
            "convention sets other dates or makes the payment depend on an event (law no. 2000-321 "
            "of 12 April 2000, article 10).",
            days=days,
        )
        yield self.env._(
            "It may be used for this object only. A financial report is due within six months of "
            "the end of the financial year for which it was granted. The part that is not used, or "
            "used for something else, is paid back to %(city)s.",
            city=city.name,
        )

    def _get_appeal(self):
        return self.env._(
            "This decision can be challenged before the administrative court within two months of "
            "its notification (code de justice administrative, article R421-1)."
        )

    def _get_schedule_table(self, undone=None):
        """The tranches: headings, rows, total.

        :param undone: as they were before amendments: see :meth:`_get_undone`
        """
        planned = []
        for tranche in self.disbursement_ids.sorted(lambda t: (t.sequence, t.id)):
            now = {"amount": tranche.amount, "date": tranche.due_date}
            then = (undone or {}).get((tranche._name, tranche.id), now)
            # One that was cancelled by an amendment was planned before it.
            if then and (tranche.state != "cancelled" or then is not now):
                planned.append((tranche, then["date"], then["amount"]))
        rows = [
            [
                tranche.name,
                format_date(self.env, day) if day else "",
                ", ".join(tranche.deliverable_ids.mapped("name")),
                self._format_euros(amount),
            ]
            for tranche, day, amount in planned
        ]
        total = sum(amount for _tranche, _day, amount in planned)
        return {
            "title": self.env._("Payment schedule"),
            "headings": [
                self.env._("Tranche"),
                self.env._("Payment due on"),
                self.env._("After acceptance of"),
                self.env._("Amount"),
            ],
            "rows": rows,
            "total": [
                self.env._("Total"), "", "", self._format_euros(total)
            ],
            "empty": self.env._("No tranche is planned yet."),
        }  # fmt: skip
