# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""More than two at once: more clicks and uploads than the server begins a call again for. Each is
answered, and nothing is done twice."""

from odoo.addons.ctai_grants.tests.common import PDF

CROWD = 9
FILES = 7


def test_everybody_gets_an_answer(city, clicks, hand):
    page, piece = f"/my/subsidies/{clicks['subsidy']}", clicks["piece"]
    hand.click(CROWD, f"{page}/asks/question", "/question", reason="Question de beaucoup ?")
    asked = city.read("grant.subsidy", clicks["subsidy"], "date_request_ids")
    hand.click(CROWD, f"{page}/asks", f"/asks/{asked[0]}/withdraw")
    hand.click(CROWD, f"{page}/messages", "/messages", text="Bonjour de beaucoup")
    _action, data = hand.get_form(f"{page}/figures", "/figures")
    values = {n.replace("known_", "value_"): "77" for n in data if n.startswith("known_")}
    hand.click(CROWD, f"{page}/figures", "/figures", **values)
    content = PDF.replace(b"invented", b"crowd")
    hand.click(CROWD, f"{page}/deliverables/{piece}", f"/{piece}", {"ufile": ("a.pdf", content)})
    counts = [
        len(city.read("grant.subsidy", clicks["subsidy"], name))
        for name in ("date_request_ids", "exchange_ids")
    ]
    assert counts == [1, 1]
    assert len(city.read("grant.deliverable", piece, "version_ids")) == 1
    # Others of this run read the queue of the city.
    hand.click(1, f"{page}/deliverables/{piece}", "/take_back")


def test_uploads_at_once(city, clicks, hand):
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
    token = next(f.fields["csrf_token"] for f in hand.get(page).forms if "csrf_token" in f.fields)

    def get_files(number):
        file = number % FILES
        return {"ufile": (f"{file}.pdf", PDF.replace(b"invented", b"file %04d" % file))}

    answers = hand.send(2 * FILES, f"{page}/draft", {"csrf_token": token}, get_files)
    assert {answer.status_code for answer in answers} == {200}
    names = city.code(f"""
draft = env['grant.hand.in'].search([('deliverable_id', '=', {piece})])
out.append(sorted(draft.file_ids.mapped('name')))
""")[0]
    assert names == [f"{number}.pdf" for number in range(FILES)]
