"""Euros: exact, with two decimals."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
#: Cents stay exact in a float far above it, and no contract comes near: a trillion of euros.
LARGEST_AMOUNT = 10**12


def euros(amount):
    """The euros that a stored amount (a float, or nothing) stands for.

    >>> euros(0.1 + 0.2), euros(False), euros(-13500)
    (Decimal('0.30'), Decimal('0.00'), Decimal('-13500.00'))
    """
    # By its shortest text: made of the float itself, a Decimal keeps its last bits, and half a
    # cent falls on either side.
    return round_euros(Decimal(repr(float(amount or 0))))


def round_euros(amount):
    """A Decimal of euros, to the cent, a half away from zero.

    >>> round_euros(Decimal("2.675")), round_euros(Decimal("-0.005"))
    (Decimal('2.68'), Decimal('-0.01'))
    """
    return amount.quantize(CENT, ROUND_HALF_UP)


def is_number(value, largest=LARGEST_AMOUNT):
    """Whether a value that somebody typed or sent is a number below ``largest``.

    >>> is_number(2.5), is_number(False), is_number("12"), is_number(-3, 2)
    (True, True, True, False)
    >>> is_number(float("nan")), is_number(float("-inf")), is_number("x"), is_number(True)
    (False, False, False, False)
    """
    # As for money.
    if value is True:
        return False
    try:
        # Not a number fails every comparison.
        return abs(float(value or 0)) < largest
    except (TypeError, ValueError, OverflowError):
        return False


def is_money(value):
    """Whether a value that somebody typed or sent is an amount of euros: a number below a trillion,
    with two decimals at most.

    >>> is_money(0.1 + 0.2), is_money(False), is_money("12.5")
    (True, True, True)
    >>> is_money(0.005), is_money(float("nan")), is_money("a lot"), is_money(1e12), is_money(True)
    (False, False, False, False, False)
    """
    # A tick is no euro; False is the nothing that Odoo's clients send.
    if value is True:
        return False
    try:
        amount = float(value or 0.0)
    except (TypeError, ValueError):
        return False
    # A sum of floats is off by some last bits, a third decimal by more. Not a number fails every
    # comparison.
    return abs(amount) < LARGEST_AMOUNT and (
        abs(amount - round(amount, 2)) < 1e-6 + abs(amount) * 1e-15
    )
