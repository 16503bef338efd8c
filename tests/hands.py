# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""An impatient hand on the portal, without JavaScript: several clicks reach the server at once."""

import itertools
import threading
from contextlib import contextmanager

import requests
from lxml import html
from play_stage import SIREN
from running_server import OdooServer

#: Each module clicks on a subsidy of its own.
NUMBERS = itertools.count()


def set_clicks(city):
    """Ids of a subsidy to click on and of its piece, and the login of who does it."""
    number = next(NUMBERS)
    return city.code(f"""
from play_stage import Stage
out.append(Stage.set_clicks(env, 'click{number}', {SIREN} + {50 + 2 * number}))
""")[0]


@contextmanager
def open_hand(database, login, path):
    """Somebody who is logged in on a server of their own."""
    server = OdooServer(database, path / "odoo.log")
    server.start()
    try:
        yield Hand(server.url, login)
    finally:
        server.stop()


class Hand:
    def __init__(self, url, login):
        self.url, self.session = url, requests.Session()
        page = self.get("/web/login")
        [form] = page.xpath("//form[@action='/web/login']")
        data = {**dict(form.fields), "login": login, "password": login}
        self.session.post(f"{url}/web/login", data=data)

    def get(self, path):
        return html.fromstring(self.session.get(self.url + path, timeout=60).content)

    def get_form(self, path, end):
        """Address and values of the form of that page."""
        form = next(one for one in self.get(path).forms if one.get("action", "").endswith(end))
        return form.get("action"), {k: v for k, v in form.form_values() if v is not None}

    def click(self, number, path, end, files=None, **values):
        """That many clicks at once: each is answered by a page, and none by an error."""
        action, data = self.get_form(path, end)
        answers = self.send(number, action, {**data, **values}, lambda _number: files)
        for answer in answers:
            alerts = html.fromstring(answer.content).xpath("//main//*[@role='alert']")
            said = [" ".join(alert.text_content().split()) for alert in alerts]
            assert answer.status_code == 200 and not said, (end, answer.status_code, said)

    def send(self, number, action, data, get_files):
        """All answers to that many requests that begin together."""
        answers, begin = [], threading.Barrier(number)

        def act(each):
            begin.wait()
            answers.append(
                requests.post(
                    self.url + action, data=data, files=get_files(each), timeout=120,
                    cookies=self.session.cookies,
                )
            )  # fmt: skip

        threads = [threading.Thread(target=act, args=(each,)) for each in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == number
        return answers
