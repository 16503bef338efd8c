# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Two clicks of an impatient hand, without JavaScript: both requests are with the server at once,
on two workers. What was asked for is done once, and both answers say so."""

import threading

import pytest
import requests
from lxml import html
from play_stage import SIREN
from running_server import OdooServer

from odoo.addons.ctai_grants.tests.common import PDF

ROUNDS = 4
MAKE = f"""
from play_stage import Stage
out.append(Stage.set_clicks(env, {SIREN} + 50))
"""


@pytest.fixture(scope="module")
def clicks(city):
    """Ids of a subsidy to click on."""
    return city.code(MAKE)[0]


@pytest.fixture(scope="module")
def hand(database, clicks, tmp_path_factory):
    """Somebody who clicks twice."""
    server = OdooServer(database, tmp_path_factory.mktemp("clicks") / "odoo.log")
    server.start()
    yield Hand(server.url, "click_volunteer")
    server.stop()


class Hand:
    def __init__(self, url, login):
        self.url, self.session = url, requests.Session()
        page = html.fromstring(self.session.get(f"{url}/web/login").content)
        [form] = page.xpath("//form[@action='/web/login']")
        data = {**dict(form.fields), "login": login, "password": login}
        self.session.post(f"{url}/web/login", data=data)

    def get_form(self, path, end):
        page = html.fromstring(self.session.get(self.url + path, timeout=60).content)
        form = next(one for one in page.forms if one.get("action", "").endswith(end))
        return form.get("action"), {k: v for k, v in form.form_values() if v is not None}

    def click_twice(self, path, end, files=None, **values):
        """Both answers, as the pages that the browser shows then."""
        action, data = self.get_form(path, end)
        answers = []

        def click():
            answers.append(
                requests.post(
                    self.url + action, data={**data, **values}, files=files, timeout=60,
                    cookies=self.session.cookies,
                )
            )  # fmt: skip

        threads = [threading.Thread(target=click) for _click in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for answer in answers:
            alerts = html.fromstring(answer.content).xpath("//main//*[@role='alert']")
            said = [" ".join(alert.text_content().split()) for alert in alerts]
            assert answer.status_code == 200 and not said, (end, answer.status_code, said)
        assert len(answers) == 2


def test_asking_and_withdrawing(city, clicks, hand):
    page = f"/my/subsidies/{clicks['subsidy']}/asks"
    for number in range(ROUNDS):
        hand.click_twice(f"{page}/question", "/question", reason=f"Question {number} ?")
        asked = city.read("grant.subsidy", clicks["subsidy"], "date_request_ids")
        assert len(asked) == number + 1
        hand.click_twice(page, f"/asks/{asked[0]}/withdraw")
        assert city.read("grant.date.request", asked[0], "state") == "withdrawn"


def test_figures(city, clicks, hand):
    page = f"/my/subsidies/{clicks['subsidy']}/figures"
    count = f"env['grant.indicator.value'].search_count([('subsidy_id', '=', {clicks['subsidy']})])"
    for number in range(ROUNDS):
        before = city.code(f"out.append({count})")[0]
        _action, data = hand.get_form(page, "/figures")
        names = [name for name in data if name.startswith("known_")]
        values = {name.replace("known_", "value_"): str(10 + number) for name in names}
        hand.click_twice(page, "/figures", **values)
        assert city.code(f"out.append({count})")[0] - before == len(names)


def test_handing_in_and_taking_back(city, clicks, hand):
    piece = clicks["piece"]
    page = f"/my/subsidies/{clicks['subsidy']}/deliverables/{piece}"
    for number in range(ROUNDS):
        content = PDF.replace(b"invented", b"click %d" % number)
        hand.click_twice(page, f"/{piece}", {"ufile": ("bilan.pdf", content)})
        versions = city.read("grant.deliverable", piece, "version_ids")
        assert len(versions) == number + 1
        hand.click_twice(page, "/take_back")
        assert city.read("grant.deliverable", piece, "state") == "expected"


def test_beginning_a_report(city, clicks, hand):
    hand.click_twice(f"/my/subsidies/{clicks['subsidy']}/report", "/begin", outcome="report")
    assert len(city.read("grant.subsidy", clicks["subsidy"], "report_ids")) == 1


def test_writing_to_the_city(city, clicks, hand):
    page = f"/my/subsidies/{clicks['subsidy']}/messages"
    for number in range(ROUNDS):
        hand.click_twice(page, "/messages", text=f"Bonjour {number}")
        assert len(city.read("grant.subsidy", clicks["subsidy"], "exchange_ids")) == number + 1
