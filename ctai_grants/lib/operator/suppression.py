"""Small counts that leave the city: which cells of a table are shown, and which are not (R9).

A count of 1 to 4 could point at persons: it is shown as “< 5”. Zero points at nobody and stays.
Totals could give a hidden count away, by subtraction: so further cells are kept back, until
whoever knows the table as it is published, and this method, finds of each hidden count that it can
be all of 1 to 4, and of each cell that is kept back at least as many values.

What is published are lines that add up: cells of rows and columns, the totals of both, the total of
all. That is a flow: a cell runs from its row to its column, totals close the circle. How far one
cell can go, the published ones being what they are, is a maximum flow: an exact bound, in whole
numbers. (A table of one column has totals of that column only, and one of a single row likewise.)
"""

from collections import defaultdict, deque
from enum import Enum

#: Counts below this, and above zero, are not published.
SMALL = 5
#: How many values a cell can be at least, to who only sees what is published.
SPREAD = SMALL - 1
FREE = 10**12


class Mark(Enum):
    """What is published of a cell."""

    SHOWN = "shown"
    FEW = "few"  # “< 5”
    KEPT = "kept"  # not published, or others could be worked out


class Table:
    """Whole counts by (row, column), with their totals: (row, None), (None, column) and (None,
    None). What is not there is zero."""

    def __init__(self, counts):
        self.values = {key: count for key, count in counts.items() if None not in key}
        self.rows = list(dict.fromkeys(row for row, _column in self.values))
        self.columns = list(dict.fromkeys(column for _row, column in self.values))
        self.members = defaultdict(list)
        for row, column in self.values:
            for total in self._get_totals(row, column):
                self.members[total].append((row, column))
        for total, members in self.members.items():
            self.values[total] = sum(self.values[key] for key in members)
        self.ends = {key: self._get_ends(*key) for key in self.values}

    def _get_totals(self, row, column):
        if len(self.columns) == 1:
            return [(None, column)]
        if len(self.rows) == 1:
            return [(row, None)]
        return [(row, None), (None, column), (None, None)]

    def _get_ends(self, row, column):
        """The nodes that a cell runs from and to. Of a single column, rows have no totals: there
        the circle closes at once, and likewise of a single row."""
        one_column = len(self.columns) == 1
        one_row = len(self.rows) == 1 and not one_column
        of_row = "all" if one_column else ("row", row)
        of_column = "all" if one_row else ("column", column)
        if row is None and column is None:
            return "rows", "columns"
        if row is None:
            return of_column, "all" if one_column else "rows"
        if column is None:
            return "all" if one_row else "columns", of_row
        return of_row, of_column


def suppress(counts, forced=()):
    """What is published of each cell and total: dict {key: :class:`Mark`}.

    >>> marks = suppress({("A", "all"): 3, ("B", "all"): 12, ("C", "all"): 20, ("D", "all"): 0})
    >>> [marks[name, "all"].value for name in "ABCD"], marks[None, "all"].value
    (['few', 'kept', 'shown', 'shown'], 'shown')

    :param counts: whole numbers by (row, column), zero or more
    :param forced: keys, of totals too, that are not shown for another reason
    """
    table = Table(counts)
    marks = {key: _mark(table, key, key in forced) for key in table.values}
    while unsafe := next((key for key in marks if not _is_safe(table, marks, key)), None):
        key = min(_get_candidates(table, marks, unsafe))[-1]
        marks[key] = Mark.KEPT if None in key else _mark(table, key, True)
    return marks


def suppress_parts(whole, parts):
    """What is published of parts of a published count (“of which women”): dict {name: Mark}.

    Parts may overlap; where they do not, one follows from the others.

    >>> {name: mark.value for name, mark in suppress_parts(20, {"women": 17, "parents": 9}).items()}
    {'women': 'kept', 'parents': 'shown'}

    :param whole: a count that is shown
    :param parts: counts by name, none above ``whole``
    """
    if not parts:
        return {}
    # What is left of the whole is a small count as well: 17 of 20.
    forced = {("", name) for name, count in parts.items() if 0 < whole - count < SMALL}
    left = whole - sum(parts.values())
    cells = {("", name): count for name, count in parts.items()}
    if left < 0:
        table = Table(cells)
        return {name: _mark(table, ("", name), ("", name) in forced) for name in parts}
    # Under a name that no part has.
    marks = suppress({**cells, ("", ()): left}, forced)
    if marks["", None] is not Mark.SHOWN:
        # The whole is known: “< 5” beside “< 5” would say too much.
        return {name: Mark.KEPT if count else Mark.SHOWN for name, count in parts.items()}
    return {name: marks["", name] for name in parts}


def _mark(table, key, is_forced):
    value = table.values[key]
    if value == 0:
        return Mark.SHOWN
    if value < SMALL and not (is_forced and None in key):
        return Mark.FEW
    return Mark.KEPT if is_forced else Mark.SHOWN


def _get_bounds(table, marks, key):
    """What is known of one cell by its mark alone: the least and the most it can be."""
    match marks[key]:
        case Mark.SHOWN:
            return table.values[key], table.values[key]
        case Mark.FEW:
            return 1, SMALL - 1
        case _:
            # A cell that is kept back is no small one, or it would be shown as “< 5”.
            return (1 if None in key else SMALL), FREE


def _is_safe(table, marks, key):
    """Whether the published cells leave open what this one is."""
    if marks[key] is Mark.SHOWN:
        return True
    value = table.values[key]
    if marks[key] is Mark.FEW:
        down, up = value - 1, SMALL - 1 - value
        return _reach(table, marks, key, down, -1) == down and (
            _reach(table, marks, key, up, 1) == up
        )
    low, _high = _get_bounds(table, marks, key)
    up = _reach(table, marks, key, SPREAD - 1, 1)
    return up + _reach(table, marks, key, min(value - low, SPREAD - 1), -1) >= SPREAD - 1


def _get_candidates(table, marks, unsafe):
    """What can be told less of, the best first: pairs of a rank and a key."""
    for key, mark in marks.items():
        is_total = None in key
        if mark is Mark.KEPT or not table.values[key] or (mark is Mark.FEW and not is_total):
            continue
        near = key == unsafe or any(
            one == other and one is not None for one, other in zip(key, unsafe, strict=True)
        )
        # A total that says “< 5” of several cells says too much; then cells beside it, the smallest
        # first; totals are what a reader looks for.
        rank = (mark is not Mark.FEW, not near, is_total, key == (None, None), table.values[key])
        yield rank, repr(key), key


def _reach(table, marks, key, most, sign):
    """By how much the cell can be larger (``sign`` 1) or smaller (-1), up to ``most``, if all that
    is published stays as it is: a maximum flow around it."""
    if most <= 0:
        return 0
    room = defaultdict(lambda: defaultdict(int))
    for other, (tail, head) in table.ends.items():
        if other != key:
            low, high = _get_bounds(table, marks, other)
            room[tail][head] += high - table.values[other]
            room[head][tail] += table.values[other] - low
    tail, head = table.ends[key]
    source, sink = (head, tail) if sign > 0 else (tail, head)
    reached = 0
    while reached < most and (path := _find_path(room, source, sink)):
        step = min([most - reached, *(room[one][two] for one, two in path)])
        for one, two in path:
            room[one][two] -= step
            room[two][one] += step
        reached += step
    return reached


def _find_path(room, source, sink):
    """The shortest way along which something can still flow: pairs of nodes, or none."""
    before, queue = {source: None}, deque([source])
    while queue and sink not in before:
        node = queue.popleft()
        for other, left in room[node].items():
            if left > 0 and other not in before:
                before[other] = node
                queue.append(other)
    path, node = [], sink
    while before.get(node) is not None:
        path.append((before[node], node))
        node = before[node]
    return path
