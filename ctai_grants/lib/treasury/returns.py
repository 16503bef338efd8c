"""Payments of one order and what takes them back, looked at together."""


def sort_lines(lines):
    """Lines as they happened."""
    return sorted(lines, key=lambda line: (line.date, line.row))


def pair_returns(lines):
    """What each return takes back: the last payment of its amount before it, or the payments of one
    day that make that amount, since an order may be paid in lines.

    :param lines: lines of one order, with a date and an amount
    :return: list of (payments, return); the payments and the returns that have no other side
    """
    free, pairs, left = sort_lines(line for line in lines if line.amount > 0), [], []
    for back in sort_lines(line for line in lines if line.amount < 0):
        if paid := _find_payments(free, back):
            pairs.append((paid, back))
            free = [line for line in free if line not in paid]
        else:
            left.append(back)
    return pairs, free, left


def _find_payments(free, back):
    # What may be another city's takes back only what may be that city's.
    same = [line for line in free if bool(line.doubt) == bool(back.doubt)]
    moment = (back.date, back.row)
    # On one day the order of the rows says what came first, unless only the reverse makes sense.
    return _find_amount([line for line in same if (line.date, line.row) < moment], back) or (
        _find_amount([line for line in same if line.date == back.date], back)
    )


def _find_amount(before, back):
    equal = [line for line in before if line.amount == -back.amount]
    if equal:
        # A line twice in the file, or rejected, is no payment as long as another one is.
        return sorted(equal, key=lambda line: (not line.is_rejected, not line.twin))[-1:]
    days = {}
    for line in before:
        if not line.is_rejected and not line.twin:
            days.setdefault(line.date, []).append(line)
    for _day, paid in sorted(days.items(), reverse=True):
        if sum(line.amount for line in paid) == -back.amount:
            return paid
    return []


def cancel_out(paid, back):
    """Say of payments and their return that together they are nothing."""
    for line in paid:
        line.set("cancelled", "cancelled_out", back.get_place())
    if back.status != "booked":
        back.set("cancelled", "cancelled_out", paid[0].get_place())


def is_recorded(back, tranche_id, returned, undone):
    """Whether a return is recorded: by an import, or on its day by whoever did it; then it is said.

    :param dict returned: what imports have taken back: {(id of the tranche, date): Decimal}
    :param dict undone: what the ledger says was: {id of the tranche: [(date, Decimal)]}
    """
    amount, moment = abs(back.amount), (tranche_id, back.date)
    by_hand = (back.date, amount) in undone.get(tranche_id, ())
    by_import = returned.get(moment, 0) >= amount
    if back.is_rejected or not (by_hand or by_import):
        return False
    # Each is one return, and no other's.
    if by_import:
        returned[moment] -= amount
    if by_hand:
        undone[tranche_id].remove((back.date, amount))
    back.set("already", "recorded")
    return True


def apply_doubt(line):
    """Leave out what would be booked of a doubtful line until an officer puts it back."""
    unclear = line.unclear and ("unclear_state", line.unclear)
    doubt = line.doubt or unclear or line.twin and ("duplicate", line.twin)
    if not doubt:
        return
    if line.status in ("to_book", "to_return"):
        line.set("left_out", *doubt)
    elif line.status == "refused" and (line.tranche_id or not line.doubt):
        line.set("refused", *doubt)
