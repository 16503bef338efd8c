# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Reminders while others work: processes with transactions of their own."""

from clients import WORKERS

from odoo.addons.ctai_grants.tests.files import PDF

# The scheduled action, at whatever hour and day the test is run.
REMIND = """
from unittest.mock import patch
with patch.object(env.registry["res.company"], "_is_reminder_time", lambda *_: True):
    env["grant.reminder"]._cron_remind()
"""


def make_pieces(city, number):
    """Pieces due in five days, of as many operators that have a mail address."""
    _contract, (envelope,) = city.make_contract(1000, date_end="2099-12-31")
    subsidies = city.make_subsidies(envelope, *[10] * number, state="signed")
    return city.code(
        "from datetime import timedelta\n"
        f"for subsidy in env['grant.subsidy'].browse({subsidies}):\n"
        "    subsidy.partner_id.email = f'a{subsidy.id}@asso.example'\n"
        "    due = env.company._grant_today() + timedelta(days=5)\n"
        "    step = env['grant.milestone'].create(\n"
        "        {'name': 'M', 'subsidy_id': subsidy.id, 'date': due})\n"
        "    out += env['grant.deliverable'].create({'name': 'P', 'milestone_id': step.id}).ids\n"
    )


def count(city, pieces):
    """Reminders and mails of these pieces, receipts of what was handed in aside."""
    return city.code(
        f"pieces = env['grant.deliverable'].browse({pieces})\n"
        "mails = env['mail.mail'].search([('model', '=', 'grant.subsidy'),\n"
        "    ('res_id', 'in', pieces.subsidy_id.ids)])\n"
        "receipts = pieces.version_ids.receipt_ids.mapped('name')\n"
        "told = [mail for mail in mails if not [n for n in receipts if n in mail.body_html]]\n"
        "out += [len(pieces.reminder_ids), len(told)]\n"
    )


def test_eight_at_once_write_once(city):
    pieces = make_pieces(city, 30)
    city.together(*[{"uid": 1, "code": REMIND}] * WORKERS)
    # Whom one skipped because another was at it, another has told.
    assert count(city, pieces) == [30, 30]
    city.code(REMIND)
    assert count(city, pieces) == [30, 30]


def test_killed_before_it_ends(city):
    """What had not been committed is as if it had not begun: no mail without its row."""
    (piece,) = make_pieces(city, 1)
    city.code(
        "class Killed(BaseException):\n"
        "    pass\n"
        "def kill(*_args):\n"
        "    raise Killed\n"
        "from unittest.mock import patch\n"
        "model = env.registry['grant.reminder']\n"
        "try:\n"
        "    with patch.object(model, '_escalate', kill), \\\n"
        "            patch.object(env.registry['res.company'], '_is_reminder_time',\n"
        "                         lambda *_: True):\n"
        "        env['grant.reminder']._cron_remind()\n"
        "except Killed:\n"
        "    env.cr.rollback()\n"
    )
    assert count(city, [piece]) == [0, 0]
    city.code(REMIND)
    assert count(city, [piece]) == [1, 1]


def test_handed_in_meanwhile(city):
    """Handing in waits for the mail, or the mail is not written: one of the two came first."""
    pieces = make_pieces(city, 7)
    submit = [
        {"uid": 2, "code": f"env['grant.deliverable'].browse({piece})._do_submit('a.pdf', {PDF})"}
        for piece in pieces
    ]
    answers = city.together({"uid": 1, "code": REMIND}, *submit)
    assert all("value" in answer for answer in answers), answers
    told, mails = count(city, pieces)
    assert told == mails
    city.code(REMIND)
    assert count(city, pieces) == [told, mails]
