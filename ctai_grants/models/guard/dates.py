from odoo.tools.misc import format_date


def say_day(env, day):
    """A day in words, in the language of ``env``; nothing of none.

    The French say the first of a month as such, which Babel does not.
    """
    if not day:
        return ""
    said = format_date(env, day, date_format="long")
    is_french = (env.lang or "").startswith("fr")
    return f"1er{said[1:]}" if is_french and said.startswith("1 ") else said
