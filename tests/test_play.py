# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A year of a subsidy, played by its people: a volunteer with a telephone, the coordinator and the
finance officer of the city, the prefecture, each in a browser of its own, in French, on a server
with two workers. What the screens did is read in the database."""

import io
import resource

import openpyxl
import pikepdf
import pytest
from play_people import Clerk, Person, Volunteer
from playwright.sync_api import expect, sync_playwright
from running_server import OdooServer

from odoo.tests.common import _find_executable

from odoo.addons.ctai_grants.lib.operator.workbook import ACTUAL, COMMENT, KEY
from odoo.addons.ctai_grants.tests.files import (
    DOCX,
    ODS,
    make_opendocument,
    make_openxml,
    make_pdf,
    make_picture,
)

ATTESTED = {"name": "Odile Exemple", "quality": "Présidente", "place": "Poitiers"}


@pytest.fixture(scope="module")
def stage(city):
    """Ids of what stands before the play begins."""
    return city.code("from play_stage import Stage\nout.append(Stage.set(env))")[0]


@pytest.fixture(scope="module")
def server(database, stage, tmp_path_factory):
    """Odoo with two workers on the same database."""
    server = OdooServer(database, tmp_path_factory.mktemp("play") / "odoo.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser():
    """Chromium, which reserves addresses by the terabyte: Odoo limits those of its process."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limits[1], limits[1]))
    try:
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(
                executable_path=_find_executable(), args=["--no-sandbox"]
            ) as browser,
        ):
            yield browser
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def make_file(name, content, mimetype="application/octet-stream"):
    return {"name": name, "mimeType": mimetype, "buffer": content}


def make_photo(seed):
    """As a telephone held upright takes it."""
    photo = make_picture("JPEG", turned=True, size=(1200, 900), seed=seed)
    return make_file(f"IMG_{seed}.jpg", photo, "image/jpeg")


class Play:
    """The acts, in their order; ids of documents by what they are."""

    def __init__(self, city, stage, server, browser):
        self.city, self.ids, self.server = city, stage, server
        self.her = Volunteer(browser, server.url, "play_volunteer")
        self.clerk = Clerk(browser, server.url, "play_coordinator")
        self.payer = Clerk(browser, server.url, "play_finance_officer")
        self.state = Person(browser, server.url, "play_state")
        self.people = (self.her, self.clerk, self.payer, self.state)

    def read(self, model, what, *names):
        return self.city.read(f"grant.{model}", self.ids.get(what, what), *names)

    def get_url(self, subsidy, page=""):
        return f"/my/subsidies/{self.ids[subsidy]}{page}"

    def get_piece_url(self, piece):
        return self.get_url("ateliers", f"/deliverables/{self.ids[piece]}")

    def get_files(self, piece):
        """The last version of a piece, and its files by name: their contents in latin-1."""
        return self.city.code(
            f"version = env['grant.deliverable'].browse({self.ids[piece]}).last_version_id\n"
            "out += [version.id, version.number, version.comment, {file.name:"
            " file.sudo().attachment_id.raw.decode('latin-1') for file in version.file_ids}]"
        )

    def find_mail(self, words):
        """The body of the last mail that has ``words``."""
        found = self.city.code(
            "mails = env['mail.mail'].search([], order='id desc')\n"
            f"out += [mail.body_html for mail in mails if {words!r} in (mail.body_html or '')]"
        )
        assert found, f"no mail says “{words}”"
        return found[0]

    # --- the volunteer hands in -----------------------------------------------------------

    def hand_in_files(self):
        """Three files; in the middle the session ends, and the browser is closed."""
        her, piece = self.her, self.ids["balance"]
        comment = f"#comment_{piece}"
        her.log_in("/my")
        her.follow("/my/subsidies")
        her.follow(self.get_url("ateliers"))
        her.follow(self.get_piece_url("balance"))
        pdf = make_file("bilan.pdf", make_pdf(), "application/pdf")
        sheet = make_file("presences.ods", make_opendocument(ODS))
        her.choose(piece, [pdf, make_file("recit.docx", make_openxml(DOCX))])
        with her.page.expect_response("**/draft"):
            her.write(comment, "Le bilan au 30 juin")
        her.lose_session()
        her.page.set_input_files(f"#file_{piece}", [sheet])
        expect(her.page.locator(".o_grants_files .text-danger")).to_be_visible()
        her.close_browser()
        her.open_browser()
        # The link that she kept leads there again, after the log-in.
        her.log_in(self.get_piece_url("balance"))
        her.page.wait_for_url(f"**{self.get_piece_url('balance')}")
        expect(her.page.locator(".o_grants_files li")).to_have_count(2)
        expect(her.page.locator(comment)).to_have_value("Le bilan au 30 juin")
        her.page.wait_for_load_state("networkidle")
        her.choose(piece, [sheet])
        her.shoot("operateur-depot")
        self.send("balance")
        version, _number, said, files = self.get_files("balance")
        assert files.keys() == {"bilan.pdf", "recit.docx", "presences.ods"}
        assert said == "Le bilan au 30 juin"
        receipt = her.download(f"a[href='/grants/versions/{version}/receipt']")
        assert receipt.startswith(b"%PDF")
        self.find_mail("presences.ods")

    def send(self, piece):
        """Hand in what is chosen, by two taps of an impatient finger."""
        her = self.her
        her.press_twice(her.page.locator("#hand_in .o_grants_upload button.btn-primary"))
        her.page.wait_for_url("**handed_in=1")
        expect(her.page.locator("#piece [role=status]")).to_be_visible()
        assert self.read("deliverable", piece, "state") == "submitted"

    def hand_in_photos(self):
        """A receipt of two pages, photographed: one PDF, upright."""
        her, piece = self.her, "receipts"
        her.go_to(self.get_url("ateliers"))
        her.follow(self.get_piece_url(piece))
        for seed in range(2):
            her.choose(self.ids[piece], [make_photo(seed)], camera=True)
        expect(her.page.locator(f"#join_{self.ids[piece]}")).to_be_checked()
        self.send(piece)
        [content] = self.get_files(piece)[3].values()
        with pikepdf.open(io.BytesIO(content.encode("latin-1"))) as document:
            boxes = [[float(number) for number in page.mediabox] for page in document.pages]
        assert len(boxes) == 2
        assert all(top - bottom > right - left for left, bottom, right, top in boxes)

    def ask_for_the_tranche(self):
        """Asked for while the city looks at the proof; a second tap asks nothing more."""
        her = self.her
        her.go_to(self.get_url("ateliers"))
        her.follow(self.get_url("ateliers", "/asks"))
        her.follow(self.get_url("ateliers", "/asks/tranche"))
        her.write("#field_reason", "Les salaires de juin sont à payer le 30.")
        her.press_twice(her.page.locator("form[action$='/asks/tranche'] button[type=submit]"))
        her.page.wait_for_url("**/asks?sent=1")
        expect(her.page.locator("main [role=status]")).to_be_visible()
        [self.ids["asked"]] = self.read("subsidy", "ateliers", "date_request_ids")
        assert self.read("date.request", "asked", "state") == "asked"

    # --- the city reviews -----------------------------------------------------------------

    def review(self):
        """The coordinator reads both in the page, accepts one, says what the other lacks."""
        clerk = self.clerk
        clerk.log_in()
        clerk.go_to("to-review")
        clerk.open_row("Bilan intermédiaire")
        expect(clerk.page.locator(".o_grant_review_files")).to_contain_text("bilan.pdf")
        clerk.shoot("relecture")
        clerk.do("action_accept")
        # On to the next one by itself.
        expect(clerk.page.locator(".o_grant_review h1")).to_contain_text("Justificatifs")
        clerk.do("action_send_back")
        clerk.answer("La deuxième page est coupée : photographiez-la de nouveau.")
        self.leave("Justificatifs")
        assert self.read("deliverable", "balance", "state") == "accepted"
        assert self.read("deliverable", "receipts", "state") == "to_complete"
        assert self.get_piece_url("receipts") in self.find_mail("La deuxième page est coupée")

    def leave(self, title):
        """What was decided is gone from the screen: on to the next of the city, or to the list."""
        shown = self.clerk.page.locator(".o_grant_review h1", has_text=title)
        expect(shown).to_have_count(0)

    def complete(self):
        """What was sent back is the first thing that the volunteer's home tells."""
        her = self.her
        her.go_to("/my")
        her.shoot("operateur-accueil")
        her.follow(self.get_piece_url("receipts"), "#wrap")
        expect(her.page.locator("#piece .alert-warning")).to_contain_text("est coupée")
        for seed in (0, 3):
            her.choose(self.ids["receipts"], [make_photo(seed)], camera=True)
        self.send("receipts")
        assert self.get_files("receipts")[1] == 2

    def turn_ready(self):
        """What was corrected is accepted: finance sees the tranche turn ready."""
        payer, clerk = self.payer, self.clerk
        payer.log_in()
        payer.go_to("grant-tranches")
        column = payer.page.locator(".o_kanban_group", has_text="Acompte")
        expect(column.locator(".o_column_title")).to_contain_text("Prévue")
        clerk.go_to("to-review")
        clerk.open_row("Justificatifs")
        clerk.do("action_accept")
        self.leave("Justificatifs")
        payer.go_to("grant-tranches")
        expect(column.locator(".o_column_title")).to_contain_text("Prête")

    def certify(self):
        """The request agreed to, the work certified: finance has it to order."""
        payer, clerk = self.payer, self.clerk
        clerk.go_to(f"action-ctai_grants.grant_date_request_action/{self.ids['asked']}")
        clerk.do("action_agree")
        clerk.answer("D’accord : votre acompte est en préparation.")
        clerk.go_to("tranches-to-certify")
        clerk.open_row("Acompte")
        clerk.do("action_ask_certificate")
        clerk.page.locator(".modal footer button[name=action_confirm]").click()
        expect(clerk.get_button("action_ask_certificate")).to_have_count(0)
        payer.go_to("tranches-to-order")
        expect(payer.page.locator(".o_data_row", has_text="Acompte")).to_have_count(1)
        payer.shoot("a-mandater")
        assert self.read("date.request", "asked", "state") == "agreed"
        assert self.read("disbursement", "interim", "state") == "certified"
        self.find_mail("votre acompte est en préparation")

    # --- the volunteer reports ------------------------------------------------------------

    def tell_figures(self):
        her = self.her
        her.go_to(self.get_url("ateliers"))
        her.follow(self.get_url("ateliers", "/figures"))
        fields = her.page.locator("input[name^=value_]")
        for number in range(fields.count()):
            fields.nth(number).fill(str(12 + number))
        her.press_twice(her.page.locator("form[action$='/figures'] button.btn-primary"))
        her.page.wait_for_url("**entered=1")
        assert fields.count() and not her.page.locator(".text-bg-warning").count()

    def begin_report(self, subsidy):
        """Its lines: {code of the account: id of the field}."""
        her = self.her
        her.go_to(self.get_url(subsidy))
        her.follow(self.get_url(subsidy, "/report"))
        her.press_twice(her.page.locator("form[action$='/begin'] button.btn-primary"))
        her.page.wait_for_selector(".o_grants_report_form.o_grants_live")
        return self.city.code(
            f"report = env['grant.subsidy'].browse({self.ids[subsidy]}).report_ids\n"
            "out.append({x.account_id.code: f'actual_{x.id}' for x in report.line_ids})"
        )[0]

    def report_online(self):
        """Half filled in when the session ends; what is typed after that waits on the page."""
        her, page = self.her, self.get_url("ateliers", "/report")
        fields = self.begin_report("ateliers")
        kept = her.page.locator(".o_grants_report_form .o_grants_kept")
        her.write(f"#field_{fields['641']}", "12 000")
        her.write("#field_achieved", "Vingt ateliers")
        expect(kept).to_contain_text("Brouillon enregistré")
        her.lose_session()
        her.write("#field_places", "Au centre social, le mercredi")
        expect(kept).to_contain_text("Non enregistré")
        self.log_in_beside()
        # As the page says: then save here.
        her.press(her.page.locator(".o_grants_report_form .o_grants_bar button.btn-secondary"))
        her.page.wait_for_url("**saved=1")
        her.close_browser()
        her.open_browser()
        her.log_in(page)
        her.page.wait_for_selector(".o_grants_report_form.o_grants_live")
        for name, value in (
            (fields["641"], "12000,00"), ("achieved", "Vingt ateliers"),
            ("places", "Au centre social, le mercredi"),
        ):  # fmt: skip
            expect(her.page.locator(f"#field_{name}")).to_have_value(value)
        for code, amount in (("74com", "10000"), ("756", "2000")):
            her.write(f"#field_{fields[code]}", amount)
        her.shoot("operateur-compte-rendu")
        self.attest("ateliers", 12000)

    def log_in_beside(self):
        """In another tab of the same browser."""
        other = self.her.open_page()
        self.her.log_in("/my", other)
        other.close()

    def attest(self, subsidy, actual):
        her = self.her
        for name, value in ATTESTED.items():
            her.write(f"#field_attested_{name}", value)
        her.page.fill("#field_attested_date", "2022-09-12")
        her.press(her.page.locator("#field_attested"))
        her.press_twice(her.page.locator(".o_grants_report_form button[name=hand_in]"))
        expect(her.page.locator("main .alert-info[role=status]")).to_be_visible()
        [report] = self.read("subsidy", subsidy, "report_ids")
        told = self.read("financial.report", report, "hand_in", "actual_amount")
        assert told == ["submitted", actual]

    def report_by_workbook(self):
        her = self.her
        fields = self.begin_report("sorties")
        her.press(her.page.locator("details summary", has_text="classeur"))
        workbook = her.download("a[href$='/report/workbook']")
        filled = make_file("rapport.xlsx", self.fill_in(fields, workbook))
        her.page.set_input_files("#field_workbook", [filled])
        her.press_twice(her.page.locator("form[action$='/report/workbook'] button"))
        her.page.wait_for_url("**saved=1")
        her.page.wait_for_selector(".o_grants_report_form.o_grants_live")
        expect(her.page.locator("#field_achieved")).to_have_value("Six sorties")
        self.attest("sorties", 11500)

    def fill_in(self, fields, content):
        """What is typed into the workbook, with a program for spreadsheets."""
        typed = {fields["641"]: 11500, fields["74com"]: 10000, fields["756"]: 1500}
        typed["achieved"] = "Six sorties"
        book = openpyxl.load_workbook(io.BytesIO(content))
        for row in book.active.iter_rows():
            if row[KEY].value in typed:
                value = typed.pop(row[KEY].value)
                row[COMMENT if isinstance(value, str) else ACTUAL].value = value
        assert not typed, "each has its row"
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue()

    def accept_reports(self):
        """The one that came first is the first of the queue."""
        clerk = self.clerk
        for subsidy in ("ateliers", "sorties"):
            clerk.go_to("to-review")
            clerk.open_row("Compte rendu financier")
            clerk.do("action_accept")
            clerk.page.locator(".modal footer button.btn-primary").click()
            expect(clerk.page.locator(".modal")).to_have_count(0)
            [report] = self.read("subsidy", subsidy, "report_ids")
            assert self.read("financial.report", report, "state") == "accepted"
        clerk.go_to(f"action-ctai_grants.grant_contract_action/{self.ids['contract']}")
        clerk.shoot("contrat")
        clerk.go_to(f"action-ctai_grants.grant_subsidy_action/{self.ids['ateliers']}")
        clerk.shoot("subvention")

    # --- the prefecture -------------------------------------------------------------------

    def read_and_download(self):
        it, page = self.state, self.state.page
        it.log_in("/my")
        page.click("main a[href='/my/contracts']")
        page.click(f"main a[href$='/my/contracts/{self.ids['contract']}']")
        it.shoot("prefecture-contrat")
        link = f"a[href='/grants/versions/{self.get_files('balance')[0]}']"
        page.locator("details", has=page.locator(link)).locator("summary").click()
        pieces = it.download(link)
        assert pieces.startswith(b"PK"), "several files in one archive"
        page.locator("a[href*='lines?figure=justified']").first.click()
        page.wait_for_url("**/lines?figure=justified*")
        expect(page.locator(".o_grants_total")).to_contain_text("20")


ACTS = (
    "hand_in_files", "hand_in_photos", "ask_for_the_tranche", "review", "complete", "turn_ready",
    "certify", "tell_figures", "report_online", "report_by_workbook", "accept_reports",
    "read_and_download",
)  # fmt: skip


def test_play(city, stage, server, browser, tell):
    play = Play(city, stage, server, browser)
    for person in play.people:
        person.open_browser()
    for act in ACTS:
        try:
            getattr(play, act)()
        except Exception as error:
            error.add_note(f"in the act “{act}”")
            raise
    assert not [error for person in play.people for error in person.errors]
    city.verify(stage["contract"])
    tell(f"{len(ACTS)} acts of a play in four browsers")
