from odoo import models
from odoo.tools import format_date

from ..guard.obstacle import Obstacle
from ..ledger.grant_envelope import compare_code
from .grant_amendment import LINE_FIELDS


class GrantAmendment(models.Model):
    """What would forbid the signature of an amendment: a draft shows it (R2), the signature refuses
    for it."""

    _inherit = "grant.amendment"

    def _get_obstacles(self):
        """What forbids signing this draft as it stands: a list of sentences.

        The draft shows them (R2), the signature refuses for them.
        """
        self.ensure_one()
        if self.state != "draft":
            return []
        # What has no dates may stay without.
        dates = [name for name in ("date_start", "date_end") if self[f"{name}_before"]]
        obstacles = [
            *self._get_unfilled([*self._get_required(), *dates]), *self._get_line_obstacles()
        ]  # fmt: skip
        if stale := self._get_stale():
            obstacles.append(
                self.env._(
                    "%(document)s has changed since this was drafted (%(changes)s): press "
                    "“Refresh”, and look at it again.",
                    document=self._get_document().display_name,
                    changes="; ".join(stale),
                )
            )
        obstacles += self._get_date_obstacles()
        if self.date_start and self.date_end and self.date_end < self.date_start:
            sentence = self.env._("The end comes before the start.")
            obstacles.append(Obstacle(sentence, self, "date_end"))
        if self.subsidy_id:
            return obstacles + self._get_subsidy_obstacles()
        return obstacles + self._get_contract_obstacles()

    def _get_required(self):
        """Names of the fields without which nothing is signed."""
        council = ("decision_number", "decision_date", "executory_date")
        if self.kind == "own_cost":
            return ["reason", "signature_date"]
        return ["reason", *council, "signature_date", "attachment_ids"]

    def _get_date_obstacles(self):
        """Signed today at the latest, after the document and what amended it before, in the order
        of the acts that it needs: the ledger and statements follow the dates of signature."""
        signed = self.signature_date
        document = self._get_document()
        obstacles = []
        if signed and (
            signed > self.company_id._grant_today()
            or (document.signature_date and signed < document.signature_date)
        ):
            sentence = self.env._(
                "It is signed after the document it amends, and today at the latest."
            )
            obstacles.append(Obstacle(sentence, self, "signature_date"))
        obstacles += [
            Obstacle(sentence, self, "signature_date")
            for sentence in (self._get_order_obstacles() if signed else ())
        ]
        order = ("decision_date", "executory_date", "signature_date")
        dates = [(self[name], name) for name in order if self[name]]
        for (earlier, before), (later, after) in zip(dates, dates[1:], strict=False):
            if later < earlier:
                sentence = self.env._(
                    "“%(after)s” comes before “%(before)s”.",
                    after=self._fields[after]._description_string(self.env),
                    before=self._fields[before]._description_string(self.env),
                )
                obstacles.append(Obstacle(sentence, self, after))
        return obstacles

    def _get_order_obstacles(self):
        """Amendments follow each other: sentences on what this one would overtake."""
        signed, obstacles = self.signature_date, []
        before, after = self._get_signed_around()
        # Of one day, in the order of their drafts: what an earlier day looked like is read so.
        own = (signed, self._origin.id or float("inf"))
        for last in before[-1:]:
            if signed < last.signature_date:
                obstacles.append(
                    self.env._(
                        "It is dated %(date)s, before %(last)s, signed on %(signed)s: amendments "
                        "follow each other. Date it of that day, or later.",
                        date=format_date(self.env, signed),
                        last=last.display_name,
                        signed=format_date(self.env, last.signature_date),
                    )
                )
            elif own < (last.signature_date, last.id):
                obstacles.append(self._say_of_one_day(last))
        for following in after[:1]:
            if signed > following.signature_date:
                obstacles.append(
                    self.env._(
                        "It is dated %(date)s, after %(next)s, signed on %(signed)s and following "
                        "it. Date it of that day, or before.",
                        date=format_date(self.env, signed),
                        next=following.display_name,
                        signed=format_date(self.env, following.signature_date),
                    )
                )
            elif own > (following.signature_date, following.id):
                obstacles.append(self._say_of_one_day(following))
        return obstacles

    def _say_of_one_day(self, other):
        return self.env._(
            "%(other)s is signed on the same day: of one day, amendments follow each other as they "
            "were drafted, and this one would be out of turn. Date it of another day, or draft it "
            "anew.",
            other=other.display_name,
        )

    def _get_signed_around(self):
        """The amendments to the same document that were signed before this one and, if this one is
        signed too, after it."""
        others = self._get_document().amendment_ids - self._origin
        signed = others.filtered(lambda other: other.state == "signed")
        signed = signed.sorted(lambda other: (other.signature_date, other.id))
        own = self._origin
        if own.state != "signed":
            return signed, signed.browse()
        before = signed.filtered(
            lambda other: (other.signature_date, other.id) < (own.signature_date, own.id)
        )
        return before, signed - before

    def _get_day(self):
        """The day from which this amendment counts: of its signature, today while there is none."""
        return self.signature_date or self.company_id._grant_today()

    def _get_stale(self):
        """What the document says now and did not when this was drafted: a list of sentences."""
        document = self._get_document()
        stale = [
            self.env._(
                "%(item)s: %(before)s then, %(now)s now",
                item=self._fields[name]._description_string(self.env),
                before=self._format(name, self[f"{name}_before"]),
                now=self._format(name, document[name]),
            )
            for name in self._get_amended_fields()
            if document[name] != self[f"{name}_before"]
        ]
        for line in self._get_lines():
            stale += line._get_stale()
        # A form that was never saved has no lines yet.
        for item in self._get_missing_items() if self._origin else ():
            stale.append(self.env._("“%(item)s” was added", item=item.display_name))
        return stale

    def _blame(self, line, sentence):
        """What is lifted in the list of a line."""
        return Obstacle(sentence, self, LINE_FIELDS[line.item_model])

    def _get_line_obstacles(self):
        obstacles = []
        for line in self._get_lines():
            if line.is_settled and line.operation != "same":
                sentence = self.env._(
                    "%(item)s is certified, ordered, paid, claimed or reached: it does not "
                    "change any more.",
                    item=line._get_label(),
                )
                obstacles.append(self._blame(line, sentence))
            if line.item_model == "grant.milestone" and not line.date:
                sentence = self.env._("%(item)s needs a date.", item=line._get_label())
                obstacles.append(self._blame(line, sentence))
            needs_amount = line.item_model in ("grant.disbursement", "grant.funding")
            if needs_amount and line.operation != "cancel" and not line.amount:
                sentence = self.env._("%(item)s needs an amount.", item=line._get_label())
                obstacles.append(self._blame(line, sentence))
        return obstacles

    def _get_subsidy_obstacles(self):
        subsidy, currency = self.subsidy_id, self.currency_id
        obstacles = [
            Obstacle(sentence, self, "date_end")
            for sentence in subsidy._get_period_errors(self, subsidy.contract_id)
        ]
        if report := subsidy._get_report():
            sentence = self.env._(
                "The financial report of %(subsidy)s is accepted, what is due is settled: "
                "reopen the report first.",
                subsidy=subsidy.display_name,
            )
            obstacles.append(Obstacle(sentence, report))
        asked = self.amount - self.amount_before
        left = subsidy.envelope_id._get_room_since(self._get_day()) if asked > 0 else 0.0
        if currency.compare_amounts(asked, max(left, 0)) > 0:
            sentence = self.env._(
                "Envelope “%(envelope)s”: %(left)s left to commit, %(asked)s asked: "
                "%(over)s too much.",
                envelope=subsidy.envelope_id.display_name,
                left=currency.format(left),
                asked=currency.format(asked),
                over=currency.format(asked - left),
            )
            obstacles.append(Obstacle(sentence, subsidy.envelope_id))
        return obstacles + self._get_schedule_obstacles()

    def _get_schedule_obstacles(self):
        return [
            Obstacle(
                self.env._(
                    "%(subsidy)s: %(problem)s.",
                    subsidy=self.subsidy_id.display_name,
                    problem=sentence % {"gap": self.currency_id.format(gap)},
                ),
                self,
                field,
            )
            for gap, sentence, field in self._get_gaps()
            if self.currency_id.compare_amounts(gap, 0) > 0
        ]

    def _get_gaps(self):
        """By how many euros the schedule does not follow the amount: rows of euros, sentence and
        the field to mend; none where it is zero or less."""
        tranches, actions = self.tranche_line_ids, self.action_line_ids
        # Of what was ordered, a part may not be paid any more: it is planned again elsewhere.
        reduced = sum(
            self.subsidy_id.disbursement_ids.filtered(lambda d: d.state != "cancelled").mapped(
                "amount"
            )
        )
        reduced -= self.subsidy_id._get_planned_amount()
        settled = sum(tranches.filtered("is_settled").mapped("amount")) - reduced
        taken = self.amount_before - self.amount
        kept = taken - self.subsidy_id._get_room_since(self._get_day()) if taken > 0 else 0.0
        planned = sum(t.amount for t in tranches if t.operation != "cancel") - reduced
        of_actions = sum(actions.mapped("amount"))
        short = self.amount - planned
        # It may have been signed short of its amount: not shorter than it was.
        before = sum(tranches.mapped("amount_before")) - reduced
        missing = max(0.0, self.amount_before - before)
        # What is not to be undone counts by tranche and in the ledger, where parts of tranches and
        # repayments are, by date: the larger one binds.
        return (
            (
                max(settled - self.amount, kept),
                self.env._("certified, ordered or paid is more than the amount by %(gap)s"),
                "amount",
            ),
            (
                -short,
                self.env._("the tranches exceed the amount by %(gap)s in all"),
                "tranche_line_ids",
            ),
            (
                short - missing if planned else 0.0,
                self.env._("the tranches fall short of the amount by %(gap)s"),
                "tranche_line_ids",
            ),
            (
                of_actions - self.amount,
                self.env._("the actions exceed the amount by %(gap)s"),
                "action_line_ids",
            ),
        )

    def _get_contract_obstacles(self):
        currency, contract = self.currency_id, self.contract_id
        obstacles = [
            Obstacle(sentence, subsidy)
            for subsidy in contract.subsidy_ids.filtered(lambda s: s.state != "cancelled")
            for sentence in subsidy._get_period_errors(subsidy, self)
        ]
        for line in self.envelope_line_ids.filtered("item_id"):
            asked = line.amount_before - line.amount
            left = line._get_item()._get_room_since(self._get_day()) if asked > 0 else 0.0
            if currency.compare_amounts(asked, left) > 0:
                sentence = self.env._(
                    "Envelope “%(envelope)s”: the allocation cannot go down by %(asked)s, "
                    "only %(left)s are not committed: %(over)s too much.",
                    envelope=line.name,
                    asked=currency.format(asked),
                    left=currency.format(left),
                    over=currency.format(asked - left),
                )
                obstacles.append(self._blame(line, sentence))
        return obstacles + self._get_code_obstacles()

    def _get_code_obstacles(self):
        """New envelopes have a code of their own, new instalments that of a city's envelope."""
        codes = [compare_code(line.envelope_code) for line in self.envelope_line_ids]
        city = self.envelope_line_ids.filtered(lambda line: line.payment_path == "city")
        obstacles = [
            self._blame(
                line,
                self.env._("%(item)s: give it a code that no other has.", item=line._get_label()),
            )
            for line in self.envelope_line_ids
            if not (code := compare_code(line.envelope_code)) or codes.count(code) > 1
        ]
        return obstacles + [
            self._blame(
                line,
                self.env._(
                    "%(item)s: enter the code of an envelope paid through the city's accounts.",
                    item=line._get_label(),
                ),
            )
            for line in self.funding_line_ids
            if line.envelope_code not in city.mapped("envelope_code")
        ]

    def _get_advice(self):
        """What the State owes usually adds up to what it allots: sentences where it does not."""
        remaining = self.funding_line_ids.filtered(lambda line: line.operation != "cancel")
        due = remaining.grouped("envelope_code")
        return [
            self.env._(
                "Envelope “%(envelope)s”: its instalments add up to %(due)s, its amount is "
                "%(amount)s.",
                envelope=line.name,
                due=self.currency_id.format(sum(due[line.envelope_code].mapped("amount"))),
                amount=self.currency_id.format(line.amount),
            )
            for line in self.envelope_line_ids
            if line.envelope_code in due
            and self.currency_id.compare_amounts(
                sum(due[line.envelope_code].mapped("amount")), line.amount
            )
        ]
