"""Which tranche each line of an extract pays: in dictionaries, nothing is asked of a database.

Matching decides and says why; booking checks again, by the rules of the documents.
"""

from collections import defaultdict
from decimal import Decimal


class Tranche:
    """A tranche ordered, certified or paid, as matching sees it."""

    __slots__ = (
        "id", "state", "amount", "date", "due", "number", "exercise", "keys", "commitment",
        "paid_date", "reference", "left",
    )  # fmt: skip

    def __init__(self, **values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))


def normal_number(number: str) -> str:
    """A number of an order without spaces, and without zeros at its head."""
    number = "".join(number.split()).upper()
    return number.lstrip("0") or "0" if number.isdecimal() else number


def operator_key(identifier: str) -> str:
    """What names an operator in an identifier: the SIREN of its SIRET, or its RNA."""
    return identifier[:9] if identifier.isdecimal() and len(identifier) == 14 else identifier


def is_city(identifier: str) -> bool:
    """Whether what a line says of the city that paid is a SIRET or SIREN."""
    return len(identifier) in (9, 14) and identifier.isdecimal()


class OrderMatcher:
    """Matches the payments of orders: by number, then by operator, amount and period.

    :param tranches: ordered and paid tranches
    :param ledger: euros recorded as paid {(id of the tranche, date): Decimal}
    :param journal: euros booked by earlier imports, likewise, cancelled since or not
    :param operators: keys of all operators, to tell who is unknown
    :param booked: euros booked by the present import, likewise: its lines are not matched again
    """

    def __init__(self, tranches, ledger, journal, operators, booked):
        self.ledger, self.journal, self.operators = ledger, journal, operators
        self.by_number, self.by_operator = defaultdict(list), defaultdict(list)
        for tranche in tranches:
            self.by_number[normal_number(tranche.number)].append(tranche)
            for key in tranche.keys:
                self.by_operator[key].append(tranche)
        self.by_id = {tranche.id: tranche for tranche in tranches}
        self.seen = defaultdict(Decimal, booked)

    def match(self, lines):
        """Set status, reason, tranche and method of ``lines``."""
        lines = [line for line in lines if not line.status]
        waiting = []
        for line in lines:
            found, contradicted = self._find_by_number(line)
            if len(found) == 1:
                self._assign(line, found[0], "number")
            else:
                waiting.append((line, found, contradicted))
        # Orders that a line names are not guessed for another.
        named = {line.tranche_id for line in lines}
        for line in lines:
            self._settle(line)
        for line, found, contradicted in waiting:
            if found:
                line.refuse("several", found[0].number)
            else:
                self._find_by_amount(line, named, contradicted)
                self._settle(line)

    def _find_by_number(self, line):
        """Orders with the number of a line, and whether there are only those of others."""
        numbered = line.number and self.by_number.get(normal_number(line.number))
        if not numbered:
            return [], None
        years, key = _get_years(line), operator_key(line.identifier)
        numbered = [tranche for tranche in numbered if tranche.exercise in years]
        found = [t for t in numbered if not key or not t.keys or key in t.keys]
        if len(found) > 1:
            found = [t for t in found if t.left == line.amount] or found
        return found, numbered[0] if numbered and not found else None

    def _find_by_amount(self, line, named, contradicted):
        key = operator_key(line.identifier)
        orders = self.by_operator.get(key, ())
        years = orders and _get_years(line)
        orders = [
            tranche
            for tranche in orders
            if tranche.id not in named and tranche.exercise in years and tranche.date <= line.date
        ]
        for tranche in orders:
            known = max(self._get_known(tranche, line.date))
            if self.seen[tranche.id, line.date] + line.amount <= known:
                return self._assign(line, tranche, "amount")
        orders = [t for t in orders if t.state == "ordered" and t.left == line.amount]
        if len(orders) == 1:
            self._assign(line, orders[0], "amount")
        elif orders:
            line.refuse("several", ", ".join(tranche.number for tranche in orders))
        elif contradicted:
            line.refuse("other_operator", contradicted.number)
        elif key and key not in self.operators:
            line.refuse("unknown_operator")
        else:
            line.refuse("unknown_order")

    def _assign(self, line, tranche, method):
        line.tranche_id, line.method = tranche.id, method

    def _get_known(self, tranche, day):
        moment = (tranche.id, day)
        return self.ledger.get(moment, 0), self.journal.get(moment, 0)

    def _settle(self, line):
        """Say what becomes of a line whose order is found."""
        if not line.tranche_id or line.status:
            return
        tranche = self.by_id[line.tranche_id]
        ledger, journal = self._get_known(tranche, line.date)
        total = self.seen[tranche.id, line.date] + line.amount
        if total <= ledger or total <= journal:
            self.seen[tranche.id, line.date] = total
        if total <= ledger:
            line.status, line.reason = "already", "recorded"
        elif total <= journal:
            line.refuse("cancelled_since")
        elif line.date < tranche.date:
            line.refuse("before_order", tranche.date)
        elif tranche.state == "paid":
            line.refuse("paid_before")
        elif line.amount > tranche.left:
            line.refuse("too_much", tranche.left)
        else:
            tranche.left -= line.amount
            line.status = "to_book"
            if tranche.left:
                line.reason, line.about = "partial", str(tranche.left)


def _get_years(line):
    """Financial years that an order may be of: orders of a year are still issued and paid in
    the first weeks, or months, of the next."""
    if line.exercise:
        return {line.exercise}
    if line.issued:
        return {line.issued.year, line.issued.year - (line.issued.month == 1)}
    return {line.date.year, line.date.year - 1}


class StateMatcher:
    """Matches the State's payments to operators: by commitment, operator and amount.

    The State's accounting cuts a payment (DP) into lines: they are tried together first.

    :param tranches: tranches of direct envelopes, whatever their state
    :param journal: euros booked by earlier imports {(id of the tranche, date): Decimal}
    :param booked: euros booked by the present import, likewise: its lines are not matched again
    """

    def __init__(self, tranches, journal, booked):
        self.journal = journal
        self.by_commitment, self.by_operator = defaultdict(list), defaultdict(list)
        for tranche in sorted(tranches, key=lambda t: (t.due is None, t.due, t.id)):
            self.by_commitment[tranche.commitment].append(tranche)
            for key in tranche.keys:
                self.by_operator[key].append(tranche)
        self.used = {tranche_id for tranche_id, _day in booked}

    def match(self, lines):
        """Set status, reason, tranche and method of ``lines``."""
        payments = defaultdict(list)
        for line in lines:
            if not self._is_ours(line):
                # Of another party, whatever else is wrong with it.
                line.status = "ignored"
            elif not line.status:
                part = line.reference or (line.sheet, line.row)
                payments[line.number, line.identifier, line.exercise, part].append(line)
        for payment in payments.values():
            if len(payment) > 1 and self._match_payment(payment, final=False):
                continue
            for line in payment:
                self._match_payment([line], final=True)

    def _is_ours(self, line):
        if line.reason == "wrong_total" or line.number in self.by_commitment and line.number:
            return True
        key = operator_key(line.identifier)
        return any(
            tranche.state == "certified"
            and not tranche.commitment
            and tranche.amount == line.amount
            for tranche in self.by_operator.get(key, ())
        )

    def _match_payment(self, lines, final):
        """Match lines with one tranche, together; say why not when that is ``final``."""
        first, amount = lines[0], sum(line.amount for line in lines)
        of_commitment = self.by_commitment.get(first.number, ())
        key = operator_key(first.identifier)
        mine = [t for t in of_commitment if not key or not t.keys or key in t.keys]
        same = [t for t in mine if t.amount == amount and t.id not in self.used]
        if self._match_same(lines, same):
            return True
        if not final:
            return False
        for state, reason in (("paid", "paid_before"), ("waiting", "not_certified")):
            for tranche in same:
                if tranche.state == state:
                    return self._settle(lines, tranche, "refused", reason)
        if not of_commitment:
            first.refuse("no_commitment")
        elif not mine:
            first.refuse("other_operator", first.number)
        else:
            first.refuse("amount_differs", "")
        return True

    def _match_same(self, lines, tranches):
        """Match lines with one of the tranches of their amount, paid by them already or waiting."""
        reference, day = lines[0].reference, max(line.date for line in lines)
        for tranche in tranches:
            if tranche.state == "paid" and (
                tranche.paid_date == day or reference and tranche.reference == reference
            ):
                return self._settle(lines, tranche, "already", "recorded")
        for tranche in tranches:
            if tranche.state == "certified":
                if self.journal.get((tranche.id, day)):
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
