"""Functions and triggers as SQL files of ours define them, in plain Python: what the database is
compared with."""

import re
from typing import NamedTuple

_FUNCTION = re.compile(
    r"CREATE OR REPLACE FUNCTION (\w+)\s*\([^$]*?\) RETURNS \w+\s+LANGUAGE (\w+)"
    r"(?: (IMMUTABLE|STABLE))? AS \$\$(.*?)\$\$;",
    re.DOTALL,
)
_TRIGGER = re.compile(
    r"CREATE OR REPLACE TRIGGER (\w+) (BEFORE|AFTER) ([A-Z ]+?) ON (\w+)\s+"
    r"(?:REFERENCING NEW TABLE AS (\w+) )?FOR EACH (ROW|STATEMENT)\s+(?:WHEN \((.*?)\)\s+)?"
    r"EXECUTE FUNCTION (\w+)\(([^)]*)\);",
    re.DOTALL,
)
# Bits of pg_trigger.tgtype.
_BITS = {"ROW": 1, "BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}


class Function(NamedTuple):
    language: str
    volatility: str
    source: str


class Trigger(NamedTuple):
    type: int
    function: str
    arguments: tuple[str, ...]
    new_table: str | None
    condition: str | None


def functions(sql: str) -> dict[str, Function]:
    """The functions that ``sql`` makes, by name.

    >>> functions("CREATE OR REPLACE FUNCTION one() RETURNS integer "
    ...           "LANGUAGE sql IMMUTABLE AS $$ SELECT 1 $$;")
    {'one': Function(language='sql', volatility='i', source=' SELECT 1 ')}
    """
    return {
        name: Function(language, (volatility or "VOLATILE")[0].lower(), source)
        for name, language, volatility, source in _FUNCTION.findall(sql)
    }


def triggers(sql: str) -> dict[tuple[str, str], Trigger]:
    """The triggers that ``sql`` makes, by table and name.

    >>> triggers("CREATE OR REPLACE TRIGGER t BEFORE UPDATE OR DELETE ON a FOR EACH ROW "
    ...          "WHEN (OLD.b) EXECUTE FUNCTION f('c', 'd');")
    {('a', 't'): Trigger(type=27, function='f', arguments=('c', 'd'), new_table=None, \
condition='OLD.b')}
    """
    return {
        (table, name): Trigger(
            sum(_BITS.get(word, 0) for word in {timing, scope, *events.split(" OR ")}),
            function,
            tuple(re.findall(r"'(\w+)'", arguments)),
            new_table or None,
            condition or None,
        )
        for name, timing, events, table, new_table, scope, condition, function, arguments
        in _TRIGGER.findall(sql)
    }  # fmt: skip


def count(sql: str) -> int:
    """How many functions and triggers ``sql`` makes, whatever they look like."""
    return len(re.findall(r"^\s*CREATE[A-Z ]* (?:FUNCTION|TRIGGER) ", sql, re.MULTILINE))


def index_parts(definition: str) -> tuple[list[str], str | None]:
    """The columns of an index, and its condition.

    >>> index_parts("(a, ltrim(b, '0')) WHERE c IS NOT NULL")
    (['a', "ltrim(b, '0')"], 'c IS NOT NULL')
    """
    depth, place, parts = 0, -1, [""]
    for letter in definition:
        place += 1
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if not depth:
            break
        if letter == "," and depth == 1:
            parts.append("")
        else:
            parts[-1] += letter
    condition = definition[place + 1 :].partition("WHERE")[2].strip()
    return [parts[0][1:].strip(), *(part.strip() for part in parts[1:])], condition or None
