import io

import openpyxl
from lxml import html

from odoo.tests import HttpCase, freeze_time, tagged

from .test_indicators import IndicatorCase


@tagged("post_install", "-at_install")
@freeze_time("2022-02-10 12:00:00")
class TestFiguresPage(IndicatorCase, HttpCase):
    """The form as a browser without JavaScript sends it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.portal_users:
            user.password = user.login
        cls.subsidy = cls.make_asked(
            (cls.people, 60, {}), (cls.people, 20, {"audience_id": cls.women.id}),
            (cls.satisfied, 80, {"frequency": "once"}),
        )  # fmt: skip
        cls.url = f"/my/subsidies/{cls.subsidy.id}/figures"

    def setUp(self):
        super().setUp()
        self.of_people = self.line(self.subsidy, self.people)
        self.field = f"{self.of_people.id}_2021-Q4"
        self.log_in(self.operator_user)

    def log_in(self, user):
        self.authenticate(user.login, user.login)

    def page(self, url=None, status=200):
        response = self.url_open(url or self.url)
        self.assertEqual(response.status_code, status)
        return html.fromstring(response.text)

    def post(self, page, **values):
        """Send the form of a page with what it holds and ``values``."""
        (form,) = (form for form in page.forms if form.get("action") == self.url)
        data = {name: value for name, value in form.form_values() if value is not None}
        return self.url_open(self.url, data={**data, **values})

    def test_the_whole_way(self):
        page = self.page(f"/my/subsidies/{self.subsidy.id}")
        self.assertTrue(page.xpath(f"//section[@id='figures']//a[@href='{self.url}']"))
        response = self.post(self.page(), **{
            f"value_{self.field}": "1 012", f"comment_{self.field}": "Depuis octobre"
        })  # fmt: skip
        self.assertIn("Your figures are entered", response.text)
        value = self.of_people.value_ids
        self.assertEqual((value.value, value.comment), (1012, "Depuis octobre"))
        self.assertEqual(value.user_id, self.operator_user)
        # Sent again, it says nothing new; corrected, the old one stays readable.
        page = self.page()
        self.post(page)
        self.post(page, **{f"value_{self.field}": "12"})
        self.assertEqual(self.of_people.value_ids.sorted("number").mapped("value"), [1012, 12])
        (earlier,) = self.page().xpath("//details[summary[contains(., 'Earlier figures (1)')]]")
        self.assertIn("1,012", earlier.text_content())
        # Emptied, it is withdrawn.
        self.post(self.page(), **{f"value_{self.field}": "", f"comment_{self.field}": ""})
        self.assertTrue(self.of_people.value_ids.sorted("number")[-1].is_withdrawn)

    def test_errors_stand_beside_their_field(self):
        base = f"{self.line(self.subsidy, self.satisfied).id}_all"
        response = self.post(self.page(), **{
            f"value_{self.field}": "douze", f"value_{base}": "50 %",
            f"comment_{self.field}": "<b>Depuis</b>",
        })  # fmt: skip
        page = html.fromstring(response.text)
        field = page.get_element_by_id(f"field_value_{self.field}")
        self.assertEqual((field.get("value"), field.get("aria-invalid")), ("douze", "true"))
        described = field.get("aria-describedby").split()
        said = " ".join(page.get_element_by_id(one).text_content() for one in described)
        self.assertIn("This is no number", said)
        comment = page.get_element_by_id(f"field_comment_{self.field}")
        self.assertEqual(comment.get("value"), "<b>Depuis</b>")
        self.assertTrue(page.xpath(f"//a[@href='#field_value_{self.field}']"))
        # The next: of how many.
        response = self.post(page, **{f"value_{self.field}": "12"})
        page = html.fromstring(response.text)
        self.assertEqual(page.get_element_by_id(f"field_base_{base}").get("aria-invalid"), "true")
        self.assertFalse(self.of_people.value_ids)
        self.post(page, **{f"base_{base}": "8"})
        self.assertEqual(self.of_people.value_ids.value, 12)

    def test_every_field_has_a_label(self):
        page = self.page()
        for field in page.xpath("//form[@action=$url]//input[@type='text']", url=self.url):
            self.assertTrue(page.xpath("//label[@for=$id]", id=field.get("id")))
            for one in field.get("aria-labelledby").split():
                page.get_element_by_id(one)

    def test_the_colleague_was_faster(self):
        page = self.page()
        self.tell(self.of_people, 12, user=self.coordinator)
        response = self.post(page, **{f"value_{self.field}": "14"})
        self.assertIn("look at the page again", response.text)
        self.assertEqual(self.of_people.value_ids.value, 12)
        # What was typed is there still.
        page = html.fromstring(response.text)
        self.assertEqual(page.get_element_by_id(f"field_value_{self.field}").get("value"), "14")

    def test_what_no_browser_sends(self):
        page = self.page()
        for values in (
            {"known": "x"}, {"known": "-1"}, {"known": "9" * 30}, {"known": "²"},
        ):  # fmt: skip
            values = {f"known_{self.field}": values["known"], f"value_{self.field}": "14"}
            self.assertEqual(self.post(page, **values).status_code, 200)
        self.post(page, **{f"value_{self.of_people.id}_2030-Q1": "14", "value_0_all": "3"})
        self.assertFalse(self.of_people.value_ids)

    def test_whose_page_it_is(self):
        for user in (self.other_operator_user, self.prefecture_user):
            self.log_in(user)
            self.page(status=404)
            response = self.url_open(self.url, data={"csrf_token": "x"})
            self.assertIn(response.status_code, (400, 404))
        # Nothing by looking, and no page where nothing is asked for.
        self.log_in(self.operator_user)
        self.page(f"{self.url}?value_{self.field}=3")
        self.assertFalse(self.of_people.value_ids)
        bare = self.sign(self.make_subsidy())
        self.page(f"/my/subsidies/{bare.id}/figures", 404)
        page = self.page(f"/my/subsidies/{bare.id}")
        self.assertFalse(page.xpath("//section[@id='figures']"))

    def test_read_only_once_closed(self):
        self.tell(self.of_people, 12)
        page = self.page()
        self.subsidy.sudo()._transition(state="closed")
        closed = self.page()
        self.assertFalse(closed.xpath("//form[@action=$url]//input[@type='text']", url=self.url))
        response = self.post(page, **{f"value_{self.field}": "14"})
        self.assertIn("Closed Out", response.text)
        self.assertEqual(self.of_people.value_ids.value, 12)


@tagged("post_install", "-at_install")
@freeze_time("2022-07-10 12:00:00")
class TestPublished(IndicatorCase, HttpCase):
    """What leaves the city, as the prefecture sees it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.portal_users:
            user.password = user.login
        lines = [
            (cls.people, 60, {}), (cls.people, 20, {"audience_id": cls.women.id}),
            (cls.sessions, 20, {}), (cls.sessions, 0, {"audience_id": cls.women.id}),
            (cls.satisfied, 80, {}),
        ]  # fmt: skip
        cls.subsidies = [
            cls.make_asked(*lines, partner_id=partner.id, name=name)
            for name, partner in (
                ("Un", cls.operator), ("Deux", cls.other_operator), ("Trois", cls.operator),
            )
        ]  # fmt: skip

    def tell_each(self, indicator, *values, audience=None, period="2021-Q4", bases=(None,) * 3):
        for subsidy, value, base in zip(self.subsidies, values, bases, strict=True):
            line = self.line(subsidy, indicator, audience)
            if value is not None:
                self.assertFalse(self.tell(line, value, period, self.coordinator, base=base))

    def published(self, indicator):
        self.env.flush_all()
        self.env.invalidate_all()
        contract = self.contract.with_user(self.prefecture_user).sudo()
        (found,) = (
            one for theme in contract._get_published_indicators() for one in theme["indicators"]
            if one["name"] == indicator.display_name
        )  # fmt: skip
        cells = {row["detail"]: row["cells"] for row in found["rows"]}
        total = found["total"] and found["total"]["cells"]
        return cells, total, {part["name"]: part["value"] for part in found["parts"]}

    def test_no_total_gives_a_small_count_away(self):
        self.tell_each(self.sessions, 3, 12, 40)
        cells, total, _parts = self.published(self.sessions)
        self.assertEqual(cells, {"Un": ["< 5"], "Deux": ["withheld"], "Trois": ["40"]})
        self.assertEqual(total, ["55"])
        # By year too.
        self.tell_each(self.sessions, 20, 30, 40, period="2022-Q1")
        cells, total, _parts = self.published(self.sessions)
        self.assertEqual(cells["Un"][0], "< 5")
        self.assertEqual(cells["Un"][1:].count("withheld"), 1)
        self.assertEqual(total[-1], "145")
        # Zero is no secret, nothing told is none either.
        self.assertEqual(self.published(self.people)[0]["Un"], ["–"])

    def test_a_rate_gives_nothing_away(self):
        self.tell_each(self.sessions, 3, 12, 40)
        self.env.flush_all()
        found = self.contract.sudo()._get_published_indicators()
        rates = {
            row["detail"]: row["rate"] for theme in found for one in theme["indicators"]
            for row in one["rows"] if one["name"] == self.sessions.display_name
        }  # fmt: skip
        self.assertEqual(rates, {"Un": "", "Deux": "", "Trois": "200 %"})

    def test_people_counted_once(self):
        self.tell_each(self.people, 3, 12, 40)
        cells, total, _parts = self.published(self.people)
        # Nothing is added up: nothing else has to be kept back.
        self.assertEqual(cells, {"Un": ["< 5"], "Deux": ["12"], "Trois": ["40"]})
        self.assertEqual(total, ["at least 40"])
        self.tell_each(self.people, 3, 3, 2, period="2022-Q1")
        _cells, total, _parts = self.published(self.people)
        self.assertIsNone(total)

    def test_parts(self):
        name = "of which: Femmes"
        self.tell_each(self.sessions, 20, 30, 40)
        self.tell_each(self.sessions, 8, 10, 12, audience=self.women)
        self.assertEqual(self.published(self.sessions)[2], {name: "30"})
        # All but three are women.
        for period, women in (("2022-Q1", 50), ("2022-Q2", 7)):
            self.tell_each(self.sessions, women, None, None, period=period)
            self.tell_each(self.sessions, women, None, None, audience=self.women, period=period)
        self.assertEqual(self.published(self.sessions)[2], {name: "87"})
        for subsidy, women in zip(self.subsidies, (20, 29, 38), strict=True):
            line = self.line(subsidy, self.sessions, self.women)
            self.assertFalse(self.tell(line, women, user=self.coordinator, known=1))
        self.assertEqual(self.published(self.sessions)[2], {name: "withheld"})
        self.tell_each(self.people, 20, 30, 40)
        self.tell_each(self.people, 17, 3, 12, audience=self.women)
        parts = self.published(self.people)[2]
        self.assertEqual(sorted(parts.values()), sorted(["withheld", "< 5", "12"]), parts)

    def test_percentages_of_few(self):
        self.tell_each(self.satisfied, 50, 50, 80, bases=(4, 40, 50))
        cells, total, _parts = self.published(self.satisfied)
        self.assertEqual(cells, {"Un": ["withheld"], "Deux": ["50 %"], "Trois": ["80 %"]})
        self.assertEqual(total, ["withheld"])
        # Three of twenty are few people, too.
        self.tell_each(self.satisfied, 85, 15, None, period="2022-Q1", bases=(20, 20, None))
        self.assertEqual(self.published(self.satisfied)[0]["Trois"], ["80 %"])

    def test_nothing_small_on_the_page(self):
        """No figure of 1 to 4 is anywhere in what the prefecture is sent."""
        self.tell_each(self.sessions, 3, 12, 41)
        self.tell_each(self.people, 2, 13, 43)
        self.tell_each(self.people, 1, 12, 3, audience=self.women)
        self.env["grant.context.figure"].create({
            "contract_id": self.contract.id, "name": "Personnes protégées", "value": 229,
            "date": "2021-12-31", "source": "Préfecture",
        })  # fmt: skip
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        response = self.url_open(f"/my/contracts/{self.contract.id}")
        (section,) = html.fromstring(response.text).xpath("//section[@id='indicators']")
        self.assertIn("229", section.text_content())
        cells = {cell.text_content().split(":")[-1].strip() for cell in section.xpath(".//td")}
        self.assertIn("< 5", cells)
        self.assertFalse({"1", "2", "3", "4"} & cells)
        for small in ("value", "comment", "test_coordinator"):
            self.assertNotIn(f">{small}", html.tostring(section, encoding="unicode"))
        # And not for whom it is not.
        self.authenticate(self.operator_user.login, self.operator_user.login)
        self.assertEqual(self.url_open(f"/my/contracts/{self.contract.id}").status_code, 404)

    def test_downloaded_as_it_is_shown(self):
        self.tell_each(self.sessions, 3, 12, 40)
        self.operator.name = "=HYPERLINK(1)"
        self.env.flush_all()
        self.env.invalidate_all()
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        url = f"/my/contracts/{self.contract.id}/indicators"
        answer = self.url_open(f"{url}/xlsx")
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        rows = [row for row in sheet.iter_rows(min_row=2, values_only=True)
                if row[1] == self.sessions.display_name]  # fmt: skip
        figures = {row[3]: (row[5], row[7]) for row in rows}
        self.assertEqual(figures["Un"], (20, "< 5"))
        self.assertEqual(figures["Deux"], (20, "withheld"))
        self.assertEqual(figures["Trois"], (20, 40))
        self.assertEqual(rows[0][2], "=HYPERLINK(1)")
        text = self.url_open(f"{url}/csv").content.decode("utf-8-sig")
        self.assertIn(";'=HYPERLINK(1);Un;;20;", text)
        self.assertIn(";< 5;", text)
        for number in ("3", "12"):
            self.assertNotIn(f";{number};", text)
        self.assertEqual(self.url_open(f"{url}/ods").status_code, 404)
        for user in (self.operator_user, self.other_operator_user):
            self.authenticate(user.login, user.login)
            self.assertEqual(self.url_open(f"{url}/csv").status_code, 404)
