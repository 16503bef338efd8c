# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What is published of small counts gives none of them away: an attacker tries."""

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from odoo.addons.ctai_grants.lib.operator.suppression import SMALL, Mark, suppress

#: Steps of a search: a table that takes more is left for another one (Hypothesis tells when that
#: is most of them).
LONGEST = 20_000
COUNTS = st.one_of(st.integers(0, 9), st.integers(0, 60))


@st.composite
def tables(draw, most=4):
    """Tables as cities have them: few rows and columns, some cells empty."""
    rows, columns = draw(st.integers(1, most)), draw(st.integers(1, most - 1))
    return {
        (f"r{row}", f"c{column}"): draw(COUNTS)
        for row in range(rows) for column in range(columns)
        if draw(st.integers(0, 9))
    }  # fmt: skip


class Attacker:
    """Knows the table as it is published, and the method: tries value after value for a cell, and
    looks whether all others can be completed. By search: nothing of it is the method's own."""

    def __init__(self, counts, marks):
        self.marks = marks
        self.values = dict(counts)
        rows = {row for row, _column in counts}
        columns = {column for _row, column in counts}
        lines = {(row, None): [k for k in counts if k[0] == row] for row in rows}
        lines |= {(None, column): [k for k in counts if k[1] == column] for column in columns}
        lines[None, None] = list(counts)
        self.lines = {total: keys for total, keys in lines.items() if total in marks}
        for total, keys in self.lines.items():
            self.values[total] = sum(counts[key] for key in keys)
        self.hidden = [key for key in counts if marks[key] is not Mark.SHOWN]

    def bounds(self, key):
        """What the mark of a cell says."""
        if self.marks[key] is Mark.SHOWN:
            return self.values[key], self.values[key]
        if self.marks[key] is Mark.FEW:
            return 1, 4
        return (1 if None in key else 5), 300

    def can_be(self, key, value):
        """Whether what is published allows ``value`` in a cell or total."""
        self.steps = 0
        return self._complete({key: (value, value)})

    def _complete(self, given):
        self.steps += 1
        if self.steps > LONGEST:
            reject()
        bounds = {key: given.get(key) or self.bounds(key) for key in self.marks}
        if not self._narrow(bounds):
            return False
        open_keys = [key for key in self.hidden if bounds[key][0] < bounds[key][1]]
        if not open_keys:
            return True
        key = min(open_keys, key=lambda key: bounds[key][1] - bounds[key][0])
        low, high = bounds[key]
        # What it is first: mostly little else has to move.
        guesses = sorted(range(low, high + 1), key=lambda guess: abs(guess - self.values[key]))
        known = {other: pair for other, pair in bounds.items() if pair[0] == pair[1]}
        return any(
            self._complete({**given, **known, key: (guess, guess)}) for guess in guesses[:40]
        )

    def _narrow(self, bounds):
        """What each line leaves its members; whether all of it is possible."""
        changed = True
        while changed:
            changed = False
            for total, keys in self.lines.items():
                low = sum(bounds[key][0] for key in keys)
                high = sum(bounds[key][1] for key in keys)
                new = {total: (low, high)}
                for key in keys:
                    least, most = bounds[key]
                    new[key] = (bounds[total][0] - (high - most), bounds[total][1] - (low - least))
                for key, (least, most) in new.items():
                    narrow = max(bounds[key][0], least), min(bounds[key][1], most)
                    if narrow[0] > narrow[1]:
                        return False
                    if narrow != bounds[key]:
                        bounds[key], changed = narrow, True
        return True


@tagged("post_install", "-at_install")
class TestSuppression(BaseCase):
    test_tags = {"standard", "post_install"}

    def assert_safe(self, counts, marks):
        attacker = Attacker(counts, marks)
        for key, mark in marks.items():
            value = attacker.values[key]
            about = f"{key} of {counts}: {marks}"
            if mark is Mark.SHOWN:
                self.assertFalse(0 < value < SMALL, about)
            elif mark is Mark.FEW:
                self.assertIn(value, range(1, SMALL))
                for guess in range(1, SMALL):
                    self.assertTrue(attacker.can_be(key, guess), f"not {guess}: {about}")
            else:
                # No narrower than what it protects.
                near = range(max(1, value - 3), value + 4)
                possible = [guess for guess in near if attacker.can_be(key, guess)]
                self.assertGreaterEqual(len(possible), SMALL - 1, about)

    @settings(max_examples=80, deadline=None)
    @given(tables())
    def test_nothing_is_worked_out(self, counts):
        self.assert_safe(counts, suppress(counts))

    @settings(max_examples=25, deadline=None)
    @given(tables(), st.data())
    def test_nothing_with_more_kept_back(self, counts, data):
        keys = sorted(suppress(counts), key=repr)
        forced = data.draw(st.sets(st.sampled_from(keys))) if keys else set()
        marks = suppress(counts, forced)
        self.assert_safe(counts, marks)
        for key in forced:
            value = Attacker(counts, marks).values[key]
            self.assertEqual(marks[key] is Mark.SHOWN, value == 0)

    @settings(max_examples=50, deadline=None)
    @given(tables())
    def test_zero_is_no_secret(self, counts):
        marks = suppress(counts)
        for key, value in counts.items():
            if value == 0:
                self.assertIs(marks[key], Mark.SHOWN)

    def test_no_more_than_it_takes(self):
        self.assertEqual(suppress({}), {})
        large = {("a", "x"): 12, ("b", "x"): 0, ("a", "y"): 40, ("b", "y"): 5}
        self.assertEqual(set(suppress(large).values()), {Mark.SHOWN})
        # Of one small count, another is kept back, and the total is told.
        marks = suppress({("a", "x"): 3, ("b", "x"): 12, ("c", "x"): 30})
        self.assertEqual(
            [marks[key].value for key in (("a", "x"), ("b", "x"), ("c", "x"), (None, "x"))],
            ["few", "kept", "shown", "shown"],
        )
        # Alone, it is the total: both say as little.
        self.assertEqual(set(suppress({("a", "x"): 3}).values()), {Mark.FEW})

    def test_small_ones_that_make_a_small_total(self):
        """Four times one: “< 5” beside “< 5” would tell that each is 1."""
        marks = suppress({(name, "x"): 1 for name in "abcd"})
        self.assertIs(marks[None, "x"], Mark.KEPT)
        self.assertIs(marks["a", "x"], Mark.FEW)

    def test_the_attacker_finds_what_is_there_to_find(self):
        """One small count and its published total: the attacker is no straw man."""
        counts = {("a", "x"): 3, ("b", "x"): 12}
        marks = {("a", "x"): Mark.FEW, ("b", "x"): Mark.SHOWN, (None, "x"): Mark.SHOWN}
        attacker = Attacker(counts, marks)
        found = [guess for guess in range(1, 5) if attacker.can_be(("a", "x"), guess)]
        self.assertEqual(found, [3])
        # A rectangle of four has to be hidden, not three of its corners.
        counts = {("a", "x"): 3, ("b", "x"): 12, ("a", "y"): 9, ("b", "y"): 20}
        marks = suppress(counts)
        marks["b", "y"] = Mark.SHOWN
        attacker = Attacker(counts, marks)
        if marks["b", None] is marks[None, "y"] is Mark.SHOWN:
            self.assertFalse(attacker.can_be(("a", "x"), 2))
