# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Two clicks of an impatient hand, without JavaScript: both requests are with the server at once,
on two workers. What was asked for is done once, and both answers say so."""

from odoo.addons.ctai_grants.tests.common import PDF

ROUNDS = 4


def test_asking_and_withdrawing(city, clicks, hand):
    page = f"/my/subsidies/{clicks['subsidy']}/asks"
    for number in range(ROUNDS):
        hand.click(2, f"{page}/question", "/question", reason=f"Question {number} ?")
        asked = city.read("grant.subsidy", clicks["subsidy"], "date_request_ids")
        assert len(asked) == number + 1
        hand.click(2, page, f"/asks/{asked[0]}/withdraw")
        assert city.read("grant.date.request", asked[0], "state") == "withdrawn"


def test_figures(city, clicks, hand):
    page = f"/my/subsidies/{clicks['subsidy']}/figures"
    count = f"env['grant.indicator.value'].search_count([('subsidy_id', '=', {clicks['subsidy']})])"
    for number in range(ROUNDS):
        before = city.code(f"out.append({count})")[0]
        _action, data = hand.get_form(page, "/figures")
        names = [name for name in data if name.startswith("known_")]
        values = {name.replace("known_", "value_"): str(10 + number) for name in names}
        hand.click(2, page, "/figures", **values)
        assert city.code(f"out.append({count})")[0] - before == len(names)


def test_handing_in_and_taking_back(city, clicks, hand):
    piece = clicks["piece"]
    page = f"/my/subsidies/{clicks['subsidy']}/deliverables/{piece}"
    for number in range(ROUNDS):
        content = PDF.replace(b"invented", b"click %d" % number)
        hand.click(2, page, f"/{piece}", {"ufile": ("bilan.pdf", content)})
        versions = city.read("grant.deliverable", piece, "version_ids")
        assert len(versions) == number + 1
        hand.click(2, page, "/take_back")
        assert city.read("grant.deliverable", piece, "state") == "expected"


def test_beginning_a_report(city, clicks, hand):
    hand.click(2, f"/my/subsidies/{clicks['subsidy']}/report", "/begin", outcome="report")
    assert len(city.read("grant.subsidy", clicks["subsidy"], "report_ids")) == 1


def test_writing_to_the_city(city, clicks, hand):
    page = f"/my/subsidies/{clicks['subsidy']}/messages"
    for number in range(ROUNDS):
        hand.click(2, page, "/messages", text=f"Bonjour {number}")
        assert len(city.read("grant.subsidy", clicks["subsidy"], "exchange_ids")) == number + 1
