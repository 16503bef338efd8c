"""The dates of an operator as a calendar file."""

import datetime
import doctest

import vobject

from odoo import fields
from odoo.tests import freeze_time, tagged

from ...lib.operator import calendar_file
from ..portal.test_portal import PortalCase


@tagged("post_install", "-at_install")
class TestCalendarFile(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.operator_user)

    def get_events(self, path):
        answer = self.url_open(path)
        self.assertEqual((answer.status_code, answer.history), (200, []))
        self.assertTrue(answer.headers["Content-Type"].startswith("text/calendar"))
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        text = answer.content.decode()
        self.assertEqual(text.count("\r\n"), text.count("\n"))
        for line in answer.content.split(b"\r\n"):
            self.assertLessEqual(len(line), 75)
        self.assertNotIn("token", text)
        return list(vobject.readOne(text).vevent_list)

    def test_what_is_due_of_one_subsidy_and_of_all(self):
        name = "Bilan; détaillé, « chiffré » \\ signé " + "é" * 80
        self.piece.name = name
        second = self.make_subsidy(name="Deuxième")
        other = self.make_deliverable(second, name="Budget")
        self.sign(second)
        [event] = self.get_events(f"/my/subsidies/{self.mine.id}/calendar.ics")
        self.assertIn(name, event.summary.value)
        self.assertEqual(event.dtstart.value, self.piece.due_date)
        self.assertEqual(event.dtend.value, self.piece.due_date + datetime.timedelta(days=1))
        self.assertEqual(event.valarm.trigger.value, datetime.timedelta(days=-7))
        page = f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}"
        self.assertTrue(event.url.value.endswith(page))
        events = self.get_events("/my/subsidies/calendar.ics")
        uids = {event.uid.value.partition("@")[0] for event in events}
        self.assertEqual(uids, {f"piece-{piece.id}" for piece in self.piece | other})

    def test_letters_and_figures(self):
        """What is to be answered and entered is there too, as far as it still can be."""
        indicator = self.env["grant.indicator"].create({"name": "Heures", "code": "HEURES"})
        subsidy = self.make_subsidy(name="Suivie")
        self.env["grant.indicator.target"].create(
            {"subsidy_id": subsidy.id, "indicator_id": indicator.id, "frequency": "year"}
        )
        self.sign(subsidy)
        page = f"/my/subsidies/{subsidy.id}"
        link = f"{page}/calendar.ics"
        with freeze_time(fields.Date.subtract(subsidy.date_end, days=40)):
            self.assertTrue(self.page(page).xpath(f"//a[@href='{link}']"))
            events = self.get_events(link)
        days = {event.dtstart.value for event in events}
        self.assertIn(fields.Date.add(subsidy.date_end, days=1), days)
        for event in events:
            self.assertTrue(event.url.value.endswith(f"{page}/figures"))

    def test_nothing_of_others(self):
        path = f"/my/subsidies/{self.theirs.id}/calendar.ics"
        self.assertEqual(self.url_open(path).status_code, 404)
        self.login(self.prefecture_user)
        self.assertEqual(self.url_open("/my/subsidies/calendar.ics").status_code, 404)

    def test_what_was_handed_in_leaves(self):
        link = f"/my/subsidies/{self.mine.id}/calendar.ics"
        page = f"/my/subsidies/{self.mine.id}"
        self.assertTrue(self.page(page).xpath(f"//a[@href='{link}']"))
        self.piece.with_user(self.operator_user)._do_submit("a.csv", b"a;b\n1;2\n")
        self.assertFalse(self.page(page).xpath(f"//a[@href='{link}']"))
        answer = self.url_open(link, allow_redirects=False)
        self.assertEqual(answer.status_code, 303)

    def test_examples_hold(self):
        self.assertEqual(doctest.testmod(calendar_file).failed, 0)
