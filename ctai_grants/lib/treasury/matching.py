"""Which tranche each line of an extract pays: in dictionaries, nothing is asked of a database.

Matching decides and says why; booking checks again, by the rules of the documents.
"""

import datetime
import functools
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from .returns import apply_doubt, cancel_out, is_recorded, pair_returns


@dataclass(slots=True, eq=False)
class Tranche:
    """A tranche ordered, certified or paid, as matching sees it."""

    id: int
    state: str
    amount: Decimal
    left: Decimal = None  # what is not paid of it
    date: datetime.date = None  # of its order
    due: datetime.date = None
    number: str = None
    exercise: int = None
    keys: set = None  # what may name its operator (operator_key)
    former: set = frozenset()  # what named it before its number changed
    siret: str = None
    commitment: str = None
    paid_date: datetime.date = None
    reference: str = None


def normal_number(number: str) -> str:
    """A number of an order without spaces, and without zeros at its head."""
    if not number.isdecimal():
        number = "".join(number.split()).upper()
    return number.lstrip("0") or "0" if number.isdecimal() else number


@functools.lru_cache(4096)
def operator_key(identifier: str) -> str:
    """What names an operator in an identifier: the SIREN of its SIRET, or its RNA."""
    return identifier[:9] if identifier.isdecimal() and len(identifier) == 14 else identifier


def is_city(identifier: str) -> bool:
    """Whether what a line says of the city that paid is a SIRET or SIREN."""
    return len(identifier) in (9, 14) and identifier.isdecimal()


class Known(NamedTuple):
    """What is known of money, in euros: by id of a tranche and date where nothing else is said."""

    ledger: dict  # recorded as paid
    undone: dict  # recorded as paid and taken back: {id of the tranche: [(date, Decimal)]}
    journal: dict  # booked by imports, cancelled since or not
    returned: dict  # taken back by imports
    booked: list  # the lines that the present import has booked: they are not matched again


# What reading refuses, and the other lines of an order may explain.
LOOKED_AT = ("duplicate", "reversal", "rejected")


class OrderMatcher:
    """Matches the payments of orders: by number or, of lines without one, by operator, amount and
    period. The lines of one order are looked at together.

    :param tranches: ordered and paid tranches
    :param known: :class:`Known`
    :param operators: keys of all operators, to tell who is unknown
    """

    def __init__(self, tranches, known, operators):
        self.known, self.operators = known, operators
        self.by_number, self.by_operator = defaultdict(list), defaultdict(list)
        for tranche in tranches:
            self.by_number[normal_number(tranche.number)].append(tranche)
            for key in tranche.keys:
                self.by_operator[key].append(tranche)
        self.by_id = {tranche.id: tranche for tranche in tranches}
        self.paid = {tranche.id: tranche.amount - tranche.left for tranche in tranches}
        self.days = defaultdict(list)
        for tranche_id, day in known.ledger:
            self.days[tranche_id].append(day)
        self.booked, self.taken_back = defaultdict(Decimal), defaultdict(list)
        paid = defaultdict(Decimal)
        for line in known.booked:
            paid[line.tranche_id] += line.amount
            if line.amount > 0:
                self.booked[line.tranche_id, line.date] += line.amount
            else:
                self.taken_back[line.tranche_id].append(line)
        # What it has both booked and taken back explains no other line of its file.
        for tranche_id, lines in self.taken_back.items():
            if paid[tranche_id] >= 0:
                lines.clear()
        self.seen = defaultdict(Decimal, self.booked)
        self.returned = dict(known.returned)
        self.undone = {tranche_id: list(undone) for tranche_id, undone in known.undone.items()}
        self.orders = defaultdict(list)
        self.held = {}  # why nothing is offered of an order: the place of a line
        self.loose = []  # what takes money back and is not explained, maybe of another order

    def match(self, lines):
        """Set status, reason, tranche and method of ``lines``."""
        waiting = defaultdict(list)
        for line in lines:
            if line.status == "ignored" or line.amount is None and not line.is_return:
                continue
            if line.amount is None or not line.date or (
                line.status and line.reason not in LOOKED_AT
            ):  # fmt: skip
                self._hold_unread(line)
            elif line.number:
                self._find_by_number(line)
            else:
                waiting[operator_key(line.identifier)].append(line)
        # Orders that a line names are not guessed for another.
        named = set(self.orders)
        units = [unit for group in waiting.values() for unit in self._pair_unnamed(group, named)]
        for tranche_id, group in self.orders.items():
            self._settle_order(self.by_id[tranche_id], group)
        for unit in units:
            self._find_by_amount(unit, named)
        self._doubt_loose(lines)

    # --- which order ----------------------------------------------------------------------------

    def _hold_unread(self, line):
        """A line that cannot be used may still say that money came back: of the order that it
        names, or of any of its operator."""
        if not line.is_return and (not line.is_rejected or line.reason != "future"):
            return
        found = self._get_numbered(line)[0] if line.number else []
        if not found and line.is_return:
            if line.amount is not None:
                self.loose.append(line)
            elif not line.number or not self.by_number.get(normal_number(line.number)):
                found = self.by_operator.get(operator_key(line.identifier), ())
        self.held.update((tranche.id, line.get_place()) for tranche in found)

    def _get_numbered(self, line):
        """Orders with the number of a line, and those of others among them."""
        numbered = self.by_number.get(normal_number(line.number), ())
        years, key = _get_years(line), operator_key(line.identifier)
        numbered = [tranche for tranche in numbered if not years or tranche.exercise in years]
        found = [t for t in numbered if not key or not t.keys or key in t.keys]
        found = found or [t for t in numbered if key in t.former]
        return found, [t for t in numbered if t not in found]

    def _find_by_number(self, line):
        if normal_number(line.number) not in self.by_number:
            # Most lines of an extract.
            self._refuse_number(line)
            if line.is_return:
                self.loose.append(line)
            return
        found, of_others = self._get_numbered(line)
        if len(found) > 1:
            same = [t for t in found if abs(line.amount) in (t.left, self.paid[t.id])]
            found = same or found
        if len(found) == 1:
            self._assign(line, found[0], "number")
        elif found:
            line.refuse("several", found[0].number)
            if line.amount < 0:
                self.held.update((t.id, line.get_place()) for t in found)
        elif of_others:
            line.refuse("other_operator", of_others[0].number)
        else:
            self._refuse_number(line)
            self._hold_other_year(line)
            if line.is_return:
                self.loose.append(line)

    def _hold_other_year(self, line):
        """What takes money back may be issued in a later year than the order that it names."""
        if line.amount >= 0:
            return
        key = operator_key(line.identifier)
        for tranche in self.by_number.get(normal_number(line.number), ()):
            is_theirs = not key or not tranche.keys or key in tranche.keys
            if is_theirs and tranche.date <= line.date:
                self.held[tranche.id] = line.get_place()

    def _refuse_number(self, line):
        """Nothing of ours has that number: it is another order, whatever its amount."""
        key = operator_key(line.identifier)
        if key and key not in self.operators:
            if line.is_rejected:
                line.set(None)
            line.refuse("unknown_operator")
            return
        waiting = [
            t for t in self.by_operator.get(key, ())
            if t.state == "ordered" and t.left == line.amount and t.id not in self.orders
        ]  # fmt: skip
        if waiting:
            line.refuse("other_number", waiting[0].number)
        else:
            line.refuse("unknown_order")

    def _assign(self, line, tranche, method):
        line.tranche_id, line.method = tranche.id, method
        self.orders[tranche.id].append(line)

    def _pair_unnamed(self, lines, named):
        """Lines of an operator that name no order: payments, each with its return if there is one.

        A return alone goes with the order that it may be of, or keeps all of these waiting.
        """
        if operator_key(lines[0].identifier) not in self.by_operator:
            return [([line], None) for line in lines if line.amount > 0]
        pairs, payments, returns = pair_returns(lines)
        for back in returns:
            amount = -back.amount
            orders = [
                tranche
                for tranche in self._get_orders(back)
                if amount in (tranche.amount, self.paid[tranche.id])
                or any(line.amount == amount for line in self.orders.get(tranche.id, ()))
            ]
            if len(orders) == 1:
                self._assign(back, orders[0], "amount")
            elif orders:
                self.held.update((tranche.id, back.get_place()) for tranche in orders)
        named.update(self.orders)
        return sorted([*pairs, *(([line], None) for line in payments)], key=lambda u: u[0][0].row)

    def _get_orders(self, line):
        """Orders of the operator of a line that are old enough to be paid by it."""
        orders = self.by_operator.get(operator_key(line.identifier), ())
        years = orders and _get_years(line)
        return [t for t in orders if t.exercise in years and t.date <= line.date]

    def _find_by_amount(self, unit, named):
        lines, back = unit
        line, amount = lines[0], sum(line.amount for line in lines)
        orders = [tranche for tranche in self._get_orders(line) if tranche.id not in named]
        found = [t for t in orders if self._get_seen(t, line) + amount <= self._get_known(t, line)]
        orders = found[:1] or [t for t in orders if t.state == "ordered" and t.left == amount]
        if len(orders) == 1:
            for each in filter(None, (*lines, back)):
                each.tranche_id, each.method = orders[0].id, "amount"
            self._settle_order(orders[0], [*lines, back] if back else lines)
            return
        key = operator_key(line.identifier)
        for line in lines:
            if orders:
                line.refuse("several", ", ".join(tranche.number for tranche in orders))
            elif key and key not in self.operators:
                line.refuse("unknown_operator")
            else:
                line.refuse("unknown_order")

    def _get_seen(self, tranche, line):
        return self.seen[tranche.id, line.date]

    def _get_known(self, tranche, line):
        moment = (tranche.id, line.date)
        return max(self.known.ledger.get(moment, 0), self.known.journal.get(moment, 0))

    # --- what becomes of its lines --------------------------------------------------------------

    def _settle_order(self, tranche, lines):
        """Say what becomes of the lines of an order.

        First what is recorded, then what cancels out, what was returned of what is recorded, and
        in the end what is left to book.
        """
        pairs, payments, returns = pair_returns(lines + self.taken_back[tranche.id])
        payments.sort(key=_put_doubts_last)
        payments = [line for line in payments if not self._is_known(tranche, line)]
        unexplained = self.held.get(tranche.id)
        for paid, back in pairs:
            if not self._settle_pair(tranche, paid, back):
                unexplained = back.get_place()
        rejected = [line for line in payments if line.is_rejected]
        for back in [*returns, *rejected]:
            if not self._settle_return(tranche, back):
                unexplained = back.get_place()
                self.loose.append(back)
        is_returning = any(line.status == "to_return" for line in lines)
        for line in payments:
            if not line.is_rejected:
                self._offer(tranche, line, unexplained, rejected, is_returning)
        for line in lines:
            apply_doubt(line)

    def _is_known(self, tranche, line):
        """Whether a payment is recorded, or was: then it is said."""
        moment = (tranche.id, line.date)
        ledger, journal = (d.get(moment, 0) for d in (self.known.ledger, self.known.journal))
        total = self.seen[moment] + line.amount
        if line.is_rejected or total > max(ledger, journal):
            return False
        self.seen[moment] = total
        if total <= ledger:
            line.set("already", "recorded")
        else:
            line.set("refused", "cancelled_since")
        return True

    def _settle_pair(self, tranche, paid, back):
        """Whether a payment and its return in one file are explained."""
        moment = (tranche.id, paid[0].date)
        total = self.seen[moment] + sum(line.amount for line in paid)
        if back.status == "booked" or total > self.known.ledger.get(moment, 0):
            cancel_out(paid, back)
            return True
        self.seen[moment] = total
        for line in paid:
            line.set("already", "recorded")
        return is_recorded(back, tranche.id, self.returned, self.undone) or self._propose(
            tranche, back, paid[0].date
        )

    def _settle_return(self, tranche, back):
        """Whether it is known what a line takes back that takes back no payment of the file."""
        amount = abs(back.amount)
        if back.status == "booked":
            return True
        if is_recorded(back, tranche.id, self.returned, self.undone):
            return True
        if day := self._find_recorded(tranche, back.date, amount):
            self.seen[tranche.id, day] += amount
            return self._propose(tranche, back, day)
        undone = [(d, a) for d, a in self.undone.get(tranche.id, ()) if d <= back.date]
        if not back.is_rejected and any(a == amount for _day, a in undone):
            back.set("already", "recorded")
        # Of a rejected line nothing is expected; the same line twice says no more than once.
        return back.status == "already" or back.is_rejected or bool(back.twin)

    def _find_recorded(self, tranche, day, amount):
        """The day of a recorded payment of that amount, which no other line of the file is."""
        days = sorted((d for d in self.days[tranche.id] if d <= day), reverse=True)
        for each in days:
            moment = (tranche.id, each)
            # What this import has booked is not in its lines any more, and may come back.
            seen = self.seen[moment] - self.booked.get(moment, 0)
            if self.known.ledger[moment] - seen == amount:
                return each
        # Paid in several times, returned at once.
        is_whole = len(days) == len(self.days[tranche.id]) and self.paid[tranche.id] == amount
        return days[0] if days and is_whole else None

    def _propose(self, tranche, back, day):
        """Propose to take the payment of an order back: the whole of it, or it is done by hand."""
        if tranche.state != "paid" or self.paid[tranche.id] != abs(back.amount):
            return False
        back.amount = -abs(back.amount)
        back.set("to_return", "return", day)
        return True

    def _offer(self, tranche, line, unexplained, rejected, is_returning):
        """Say what becomes of a payment that is not recorded."""
        line.set(None)
        later = [r for r in rejected if r.amount == line.amount and r.date >= line.date]
        if unexplained or later:
            line.refuse("unexplained", unexplained or later[0].get_place())
        elif is_returning:
            line.refuse("after_return")
        elif line.date < tranche.date:
            line.refuse("before_order", tranche.date)
        elif tranche.state == "paid":
            line.refuse("paid_before")
        elif line.amount > tranche.left:
            line.refuse("too_much", tranche.left)
        else:
            tranche.left -= line.amount
            line.set("to_book", "partial" if tranche.left else None, tranche.left or "")
            if operator_key(line.identifier) in tranche.former - tranche.keys:
                line.doubt_by("former_siret", tranche.siret)
            elif len(line.identifier) == 14 and tranche.siret not in ("", line.identifier):
                # The same SIREN: it has moved, or it is another of its establishments.
                line.set("to_book", "other_siret", tranche.siret)

    def _doubt_loose(self, lines):
        """A reduction may have a number of its own: beside one that nothing explains, an officer
        has to keep a payment of its operator and amount."""
        offered = defaultdict(list)
        for line in lines if self.loose else ():
            if line.status == "to_book":
                offered[line.tranche_id].append(line)
        for back in self.loose:
            key = operator_key(back.identifier)
            for tranche_id, paid in offered.items():
                before = [line for line in paid if not back.date or line.date <= back.date]
                same = [line for line in before if line.amount == -back.amount]
                if not same and sum(line.amount for line in before) == -back.amount:
                    same = before
                if key and key in self.by_id[tranche_id].keys:
                    for line in same:
                        line.doubt_by("other_return", back.get_place())


def _put_doubts_last(line):
    return bool(line.doubt or line.unclear or line.twin), line.date, line.row


def _get_years(line):
    """Financial years that an order may be of: orders of a year are still issued and paid in
    the first weeks, or months, of the next."""
    if line.exercise:
        return {line.exercise}
    if not line.date:
        return None
    if line.issued:
        return {line.issued.year, line.issued.year - (line.issued.month == 1)}
    return {line.date.year, line.date.year - 1}


class StateMatcher:
    """Matches the State's payments to operators: by commitment, operator and amount.

    The State's accounting cuts a payment (DP) into lines: they are tried together first.

    :param tranches: tranches of direct envelopes, whatever their state
    :param known: :class:`Known`
    """

    def __init__(self, tranches, known):
        self.known, self.journal = known, known.journal
        self.by_commitment, self.by_operator = defaultdict(list), defaultdict(list)
        for tranche in sorted(tranches, key=lambda t: (t.due is None, t.due, t.id)):
            self.by_commitment[tranche.commitment].append(tranche)
            for key in tranche.keys:
                self.by_operator[key].append(tranche)
        # What the present import has taken back may be paid again.
        back = {line.tranche_id for line in known.booked if line.amount < 0}
        self.used = {line.tranche_id for line in known.booked} - back
        self.returning = set()
        self.unread = defaultdict(list)  # by commitment or operator: what may take money back

    def match(self, lines):
        """Set status, reason, tranche and method of ``lines``."""
        commitments = defaultdict(list)
        for line in lines:
            if not self._is_ours(line):
                # Of another party, whatever else is wrong with it.
                line.status = "ignored"
            elif line.date and line.amount and (not line.status or line.reason in LOOKED_AT):
                commitments[line.number, line.identifier].append(line)
            elif line.is_return or line.is_rejected and line.reason == "future":
                self.unread[line.number or operator_key(line.identifier)].append(line)
        # First those that name nobody: what they take back may be anybody's of that commitment.
        groups = sorted(commitments.items(), key=lambda group: bool(group[0][1]))
        for (_number, identifier), group in groups:
            held = self._match_commitment(group)
            for back in held if not identifier else ():
                self.unread[back.number].append(back)

    def _is_ours(self, line):
        if line.reason in ("wrong_total", "unread_total"):
            return True
        key = operator_key(line.identifier)
        if not line.number:
            return key in self.by_operator
        return line.number in self.by_commitment or any(
            tranche.state == "certified"
            and not tranche.commitment
            and tranche.amount == line.amount
            for tranche in self.by_operator.get(key, ())
        )

    def _match_commitment(self, lines):
        """Match the lines of one commitment and party: with what takes money back among them.

        :return: what takes money back and is not explained
        """
        parts = self._get_parts(lines)
        for part in parts:
            # A line below zero may correct another one of the same payment.
            if any(line.amount < 0 for line in part) and sum(line.amount for line in part) > 0:
                self._match_payment(part, final=False)
        lines = [line for line in lines if not line.tranche_id]
        pairs, payments, returns = pair_returns(lines)
        for paid, back in pairs:
            if not self._settle_return(back, paid[0]):
                cancel_out(paid, back)
            else:
                payments += paid
        rejected = [line for line in payments if line.is_rejected]
        held = [b for b in returns if not self._settle_return(b) and not b.twin]
        held += [line for line in rejected if not self._settle_return(line, line)]
        names = lines and {lines[0].number, operator_key(lines[0].identifier)} - {""} or ()
        held += [line for name in names for line in self.unread.get(name, ())]
        # Last what is doubtful, so that it takes no tranche from another line.
        twins = [[line] for line in payments if line.twin]
        sure = [line for line in payments if not line.twin and not line.is_rejected]
        for part in (*self._get_parts(sure), *twins):
            self._match_part(part, held)
        return held

    def _get_parts(self, lines):
        parts = defaultdict(list)
        for line in lines:
            if not line.twin and not line.is_rejected:
                key = line.reference or (line.sheet, line.row)
                parts[line.exercise, key].append(line)
        return list(parts.values())

    def _match_part(self, part, held):
        if len(part) == 1 or not self._match_payment(part, final=False):
            for line in part:
                self._match_payment([line], final=True)
        for line in part:
            later = [b for b in held if not b.is_rejected or b.date >= line.date]
            if line.status == "to_book" and later:
                line.set("refused", "unexplained", later[0].get_place())
            apply_doubt(line)

    def _settle_return(self, back, paid=None):
        """Whether a line takes back what is recorded of a tranche: that is proposed.

        :param paid: the line of the payment, if it is in the file
        """
        amount = abs(back.amount)
        tranches = [t for t in self._get_mine(back) if t.amount == amount]
        for tranche in tranches:
            if (
                tranche.state == "paid"
                and tranche.id not in self.used | self.returning
                and (_is_payment(tranche, paid) if paid else tranche.paid_date <= back.date)
            ):
                self.returning.add(tranche.id)
                back.amount, back.tranche_id, back.method = -amount, tranche.id, "commitment"
                back.set("to_return", "return", tranche.paid_date)
                return True
        if not paid and any(self._is_taken_back(tranche, back) for tranche in tranches):
            back.set("already", "recorded")
        return back.status == "already"

    def _is_taken_back(self, tranche, back):
        undone = self.known.undone.get(tranche.id, ())
        return (tranche.id, back.date) in self.known.returned or any(
            day <= back.date for day, _amount in undone
        )

    def _get_mine(self, line):
        """Tranches of the commitment and of the party that a line names."""
        key = operator_key(line.identifier)
        of_commitment = self.by_commitment.get(line.number, ()) if line.number else ()
        return [t for t in of_commitment if not key or not t.keys or key in t.keys]

    def _match_payment(self, lines, final):
        """Match lines with one tranche, together; say why not when that is ``final``."""
        first, amount = lines[0], sum(line.amount for line in lines)
        mine = self._get_mine(first)
        same = [t for t in mine if t.amount == amount and t.id not in self.used]
        if self._match_same(lines, same):
            return True
        if not final:
            return False
        for state, reason in (("paid", "paid_before"), ("waiting", "not_certified")):
            for tranche in same:
                if tranche.state == state:
                    reason = "after_return" if tranche.id in self.returning else reason
                    return self._settle(lines, tranche, "refused", reason)
        if not first.number:
            first.refuse("no_number")
        elif first.number not in self.by_commitment:
            first.refuse("no_commitment")
        elif not mine:
            first.refuse("other_operator", first.number)
        else:
            first.refuse("amount_differs", "")
        return True

    def _match_same(self, lines, tranches):
        """Match lines with one of the tranches of their amount, paid by them already or waiting."""
        last = max(lines, key=lambda line: line.date)
        for tranche in tranches:
            if tranche.state == "paid" and _is_payment(tranche, last):
                return self._settle(lines, tranche, "already", "recorded")
        for tranche in tranches:
            if tranche.state == "certified":
                if self.journal.get((tranche.id, last.date)):
                    return self._settle(lines, tranche, "refused", "cancelled_since")
                return self._settle(lines, tranche, "to_book", None)
        return False

    def _settle(self, lines, tranche, status, reason):
        self.used.add(tranche.id)
        day = max(line.date for line in lines)
        for line in lines:
            line.status, line.reason, line.about = status, reason, ""
            line.tranche_id, line.method, line.date = tranche.id, "commitment", day
        return True


def _is_payment(tranche, line):
    """Whether a line is what a tranche is paid by, by its date or its number (DP)."""
    return tranche.paid_date == line.date or bool(
        line.reference and tranche.reference == line.reference
    )
