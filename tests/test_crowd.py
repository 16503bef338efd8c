# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""More than two at once: more clicks and uploads than the server begins a call again for. Each is
answered, and nothing is done twice."""

import threading

import requests
from lxml import html
from test_second_click import clicks, hand  # noqa: F401  fixtures

from odoo.addons.ctai_grants.tests.common import PDF

CROWD = 9
FILES = 7


def click(hand, path, end, number=CROWD, files=None, **values):  # noqa: F811
    """What the answers of a crowd of clicks say: status and alerts of each."""
    action, data = hand.get_form(path, end)
    answers, begin = [], threading.Barrier(number)

    def act():
        begin.wait()
        answer = requests.post(
            hand.url + action, data={**data, **values}, files=files and files(), timeout=120,
            cookies=hand.session.cookies,
        )  # fmt: skip
        alerts = html.fromstring(answer.content).xpath("//main//*[@role='alert']")
        said = [" ".join(alert.text_content().split()) for alert in alerts]
        answers.append((answer.status_code, said))

    threads = [threading.Thread(target=act) for _click in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_everybody_gets_an_answer(city, clicks, hand):  # noqa: F811
    page = f"/my/subsidies/{clicks['subsidy']}"
    asks = click(hand, f"{page}/asks/question", "/question", reason="Question de beaucoup ?")
    asked = city.read("grant.subsidy", clicks["subsidy"], "date_request_ids")
    gone = click(hand, f"{page}/asks", f"/asks/{asked[0]}/withdraw")
    written = click(hand, f"{page}/messages", "/messages", text="Bonjour de beaucoup")
    _action, data = hand.get_form(f"{page}/figures", "/figures")
    values = {n.replace("known_", "value_"): "77" for n in data if n.startswith("known_")}
    figures = click(hand, f"{page}/figures", "/figures", **values)
    piece = clicks["piece"]
    handed = click(
        hand, f"{page}/deliverables/{piece}", f"/{piece}",
        files=lambda: {"ufile": ("bilan.pdf", PDF.replace(b"invented", b"crowd"))},
    )  # fmt: skip
    counts = [
        len(city.read("grant.subsidy", clicks["subsidy"], name))
        for name in ("date_request_ids", "exchange_ids")
    ]
    versions = city.read("grant.deliverable", piece, "version_ids")
    for answers in (asks, gone, written, figures, handed):
        assert len(answers) == CROWD and {status for status, _said in answers} == {200}
        assert not any(said for _status, said in answers), answers
    assert counts == [1, 1] and len(versions) == 1


def test_uploads_at_once(city, clicks, hand):  # noqa: F811
    """Files chosen together are sent together: each is kept, none of them twice."""
    piece = city.code(f"""
from odoo import Command
subsidy = env['grant.subsidy'].browse({clicks['subsidy']})
milestone = env['grant.milestone'].create(
    {{'name': 'Foule', 'subsidy_id': subsidy.id, 'date': '2022-06-30'}})
out.append(env['grant.deliverable'].create(
    {{'name': 'Foule', 'milestone_id': milestone.id}}).id)
""")[0]
    page = f"/my/subsidies/{clicks['subsidy']}/deliverables/{piece}"
    form = html.fromstring(hand.session.get(hand.url + page, timeout=60).content).forms
    token = next(one.fields["csrf_token"] for one in form if "csrf_token" in one.fields)
    answers, begin = [], threading.Barrier(2 * FILES)

    def send(number):
        begin.wait()
        file = (f"{number}.pdf", PDF.replace(b"invented", b"file %04d" % number))
        answers.append(
            requests.post(
                f"{hand.url}{page}/draft", data={"csrf_token": token}, files={"ufile": file},
                timeout=120, cookies=hand.session.cookies,
            )
        )  # fmt: skip

    threads = [threading.Thread(target=send, args=(n % FILES,)) for n in range(2 * FILES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    names = city.code(f"""
draft = env['grant.hand.in'].search([('deliverable_id', '=', {piece})])
out.append(sorted(draft.file_ids.mapped('name')))
""")[0]
    assert names == [f"{number}.pdf" for number in range(FILES)]
