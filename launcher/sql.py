# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Runs SQL for the launcher, with the environment's Python (the launcher has no driver).

Reads {"connect": {...}, "statements": [[sql, parameters], ...], "transaction": bool} on
standard input and prints the rows of the last statement; on failure prints the server's
own words on standard error.
"""

import json
import sys

import psycopg2


def main():
    """Run the statements of standard input."""
    task = json.load(sys.stdin)
    connection = psycopg2.connect(**task["connect"])
    connection.autocommit = not task["transaction"]
    rows = []
    with connection.cursor() as cursor:
        for statement, parameters in task["statements"]:
            cursor.execute(statement, parameters or None)
        if cursor.description:
            rows = cursor.fetchall()
    if task["transaction"]:
        connection.commit()
    connection.close()
    json.dump(rows, sys.stdout, default=str)


if __name__ == "__main__":
    try:
        main()
    except psycopg2.Error as error:
        sys.exit(" ".join(str(error).split()))
