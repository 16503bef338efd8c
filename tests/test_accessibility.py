# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""axe-core finds nothing on any page of the portal: in French, empty, filled and with errors, on a
telephone and on a desk, Odoo's own pages included.

A new page is one more line of :data:`PAGES`, a form that can be wrong one more of :data:`ERRORS`.
"""

import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

from odoo.tests import tagged

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from portal_browser import WIDTHS, BrowserCase  # noqa: E402

from odoo.addons.ctai_grants.tests.operator.test_report_hand_in import ATTESTED  # noqa: E402

#: Who walks where. In braces: ids of the records that :meth:`get_places` names.
PAGES = {
    "nobody": (
        "/web/login", "/web/reset_password", "/my/help", "/my/legal", "/my/accessibility",
        "/my/invitation", "/my/invitation?token={token}", "{signup}", "/no/such/page",
    ),
    # Has nothing yet.
    "newcomer": ("/my", "/my/subsidies"),
    "operator": (
        "/my", "/my/account", "/my/addresses", "/my/security", "/my/legal", "/my/subsidies",
        "/my/subsidies/{filled}", "/my/subsidies/{empty}", "/my/subsidies/{begun}",
        "/my/subsidies/{filled}/report", "/my/subsidies/{begun}/report", "/my/subsidies/999999",
        "/my/people", "/my/subsidies/{begun}/messages", "/my/subsidies/{empty}/messages",
        "/my/subsidies/{begun}/figures", "/my/subsidies/{filled}/recoveries/{recovery}",
        "/my/subsidies/{begun}/asks", "/my/subsidies/{filled}/asks",
        *(f"/my/subsidies/{{begun}}/asks/{kind}"
          for kind in ("dates", "split", "action", "tranche", "question")),
        "/my/subsidies/{filled}/asks/tranche",
        # Pieces: accepted, being reviewed, sent back, awaited.
        *(f"/my/subsidies/{{filled}}/deliverables/{{{piece}}}"
          for piece in ("accepted", "handed_in", "sent_back")),
        "/my/subsidies/{begun}/deliverables/{awaited}",
        "/my/address", "/my/subsidies/{reported}", "/my/subsidies/{reported}/report",
        "/grants/files/999999",
        # Asked once more, and said that it is done.
        "/my/people/{own}/leave", "/my/people/{own}/remove", "/my/people?done=invited",
        "/my/subsidies/{filled}/deliverables/{handed_in}?handed_in=1",
        "/my/subsidies/{begun}/deliverables/{awaited}?taken_back=1",
        "/my/subsidies/{begun}/report?saved=1", "/my/subsidies/{begun}/asks?sent=1",
        "/my/subsidies/{begun}/messages?sent=1",
    ),
    "prefecture": ("/my", "/my/contracts", "/my/contracts/{contract}",
                   "/my/contracts/{contract}/lines?figure=committed",
                   "/my/contracts/{contract}/actions?theme={theme}",
                   "/my/contracts/{contract}/reviews/{review}",
                   "/my/contracts/{contract}/reviews/{replaced_review}",
                   "/my/contracts?search=zzz", "/my/statements?search=zzz",
                   "/my/statements", "/my/statements/{statement}", "/my/statements/{replaced}",
                   "/grants/contracts/{contract}/statement?file_format=xlsx&as_at=1990-01-01"),
}  # fmt: skip
#: Who, on which page, what is done wrong there; the focus is then on the error or its field.
ERRORS = (
    ("nobody", "/web/login", "wrong_password"),
    ("operator", "/my/subsidies/{filled}/deliverables/{sent_back}", "bad_file"),
    ("operator", "/my/subsidies/{begun}/deliverables/{awaited}", "bad_draft"),
    ("operator", "/my/people", "no_address"),
    ("operator", "/my/subsidies/{begun}/messages", "no_words"),
    ("operator", "/my/subsidies/{filled}/recoveries/{recovery}", "no_words"),
    ("operator", "/my/subsidies/{begun}/asks/dates", "no_date"),
    ("operator", "/my/subsidies/{begun}/asks/split", "no_words"),
    ("operator", "/my/subsidies/{begun}/asks/question", "no_words"),
    ("operator", "/my/subsidies/{begun}/figures", "no_number"),
    ("operator", "/my/subsidies/{begun}/report", "bad_figure"),
    ("operator", "/my/subsidies/{filled}/report", "no_reason"),
    ("operator", "/my/subsidies/{filled}/deliverables/{handed_in}", "old_page"),
    ("operator", "/my/subsidies/{filled}/deliverables/{sent_back}", "lost_session"),
    ("prefecture", "/my/statements/{statement}", "nothing_contested"),
)
#: Rules that are not held, by page, each with its reason: Odoo's own, which no template of ours can
#: mend. The accessibility statement lists them (``portal_accessibility``).
UNMENDED = {
    # A table of passkeys without a heading for its buttons, in a template of an add-on
    # (auth_passkey_portal) that ours does not depend on.
    "/my/security": ("empty-table-header",),
}
OPTIONS = {
    "resultTypes": ["violations"],
    # Off unless asked for: targets are large enough to be hit.
    "rules": {"target-size": {"enabled": True}},
}
#: The smallest screen that pages are made for.
NARROWEST = 320
WIDER = "document.documentElement.scrollWidth > window.innerWidth"


def describe(violation):
    nodes = [f"{node['target']} {node['html'][:160]}" for node in violation["nodes"][:4]]
    return "\n      ".join([f"{violation['id']}: {violation['help']}", *nodes])


@tagged("post_install", "-at_install")
class TestAccessibility(BrowserCase):
    @classmethod
    def _fill(cls):
        super()._fill()
        cls.replaced, cls.statement = cls._issue("grant.statement", as_at="2021-12-31")
        cls.replaced_review, cls.review = cls._issue("grant.annual.review", year=2021)
        cls._hand_in_report()
        accesses = cls.env["grant.access"]
        cls.own = accesses.search(
            [("user_id", "=", cls.operator_user.id), ("state", "=", "active")]
        )
        cls.invited = accesses.search([("email", "=", "nadia@asso.example")])
        other = accesses.with_user(cls.coordinator)._invite(
            cls.operator.sudo(), "Ali", "ali@asso.example"
        )
        cls.signup = other.sudo()._accept()
        cls.env.flush_all()

    @classmethod
    def _hand_in_report(cls):
        cls.reported = cls.sign(cls.make_subsidy(name="Rapport remis"))
        report = cls.env["grant.financial.report"].with_user(cls.operator_user)._begin(
            cls.reported.with_user(cls.operator_user).sudo(), "report"
        )
        spent = report.line_ids.filtered(lambda line: line.account_id.code == "641")
        values = {f"actual_{spent.id}": "100", "achieved": "Des ateliers", **ATTESTED}
        report._save_draft(values, report.revision)
        report._do_hand_in()

    @classmethod
    def _issue(cls, model, **values):
        """A document of the contract that was issued, and the one that replaced it."""
        document = cls.env[model].with_user(cls.coordinator).create(
            {"contract_id": cls.contract.id, **values}
        )  # fmt: skip
        document.action_issue()
        other = document.browse(document.action_correct()["res_id"])
        other.correction = "Une dépense de décembre manquait."
        other.action_issue()
        return document, other

    def do_nothing_contested(self, page):
        page.click("form[action$='/contest'] button")
        page.wait_for_selector("#statement_error")

    def get_places(self):
        return {
            "filled": self.mine.id, "empty": self.empty.id, "begun": self.begun.id,
            "contract": self.contract.id, "theme": self.theme.id, "recovery": self.recovery.id,
            "accepted": self.accepted.id, "handed_in": self.handed_in.id,
            "sent_back": self.sent_back.id, "awaited": self.awaited.id,
            "statement": self.statement.id, "replaced": self.replaced.id,
            "review": self.review.id, "replaced_review": self.replaced_review.id,
            "reported": self.reported.id, "own": self.own.id, "signup": self.signup,
            "token": self.invited._get_token(),
        }  # fmt: skip

    def get_user(self, who):
        return {
            "nobody": None, "newcomer": self.newcomer_user, "operator": self.operator_user,
            "prefecture": self.prefecture_user,
        }[who]  # fmt: skip

    def judge(self, page, name):
        """What is wrong with a page as it stands: sentences."""
        found = [
            describe(violation)
            for violation in Axe().run(page, options=OPTIONS).response["violations"]
            if violation["id"] not in UNMENDED.get(name, ())
        ]
        if not page.evaluate("document.documentElement.lang").startswith("fr"):
            found.append("its language is not said")
        if page.evaluate(WIDER):
            found.append("it is wider than the screen")
        if not page.title().endswith(f" – {self.company.name}"):
            found.append(f"its title is “{page.title()}”")
        return [f"{name} ({page.viewport_size['width']} px): {what}" for what in found]

    def walk(self, page, path):
        found = []
        page.goto(path.format(**self.get_places()))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_load_state("networkidle")
            if path == "/web/login":
                # Odoo looks for other accounts of this browser first.
                page.wait_for_selector("#login")
            found += self.judge(page, path)
        page.set_viewport_size({"width": NARROWEST, "height": 640})
        if page.evaluate(WIDER):
            found.append(f"{path} ({NARROWEST} px): it is wider than the screen")
        return found

    def test_axe_finds_nothing(self):
        found = []
        with self.browser_pages() as open_page:
            for who, paths in PAGES.items():
                page = open_page(self.get_user(who))
                for path in paths:
                    found += self.walk(page, path)
        self.assertFalse(found, "\n" + "\n".join(found))

    def test_axe_finds_nothing_on_errors(self):
        found = []
        with self.browser_pages() as open_page:
            for who, path, wrong in ERRORS:
                page = open_page(self.get_user(who))
                page.goto(path.format(**self.get_places()))
                getattr(self, f"do_{wrong}")(page)
                name = f"{path} {wrong}"
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 800})
                    found += self.judge(page, name)
                if not self.is_error_focused(page):
                    found.append(f"{name}: the focus is not on the error")
        self.assertFalse(found, "\n" + "\n".join(found))

    def is_error_focused(self, page):
        return page.evaluate(
            """() => {
                const field = document.activeElement;
                const named = (field.getAttribute("aria-describedby") || "").split(" ");
                return field.matches("[aria-invalid=true], [role=alert]")
                    || named.some((id) => document.getElementById(id)?.matches("[role=alert]"));
            }"""
        )

    # --- what is done wrong ---------------------------------------------------------------

    def do_wrong_password(self, page):
        page.fill("#login", "quelquun@asso.example")
        page.fill("#password", "faux")
        page.click("form.oe_login_form button[type=submit]")
        page.wait_for_selector("[role=alert]")

    def do_bad_file(self, page):
        """As without a script: a copy of the form, which the script does not know."""
        page.wait_for_load_state("networkidle")
        page.evaluate(
            "const form = document.querySelector('.o_grants_upload');"
            "form.replaceWith(form.cloneNode(true));"
        )
        form = page.locator(".o_grants_upload").first
        form.locator("input[type=file]").first.set_input_files(
            {"name": "vide.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-"}
        )
        form.locator("button.btn-primary").click()
        page.wait_for_selector("input[aria-invalid=true]")

    def do_bad_draft(self, page):
        """Sent as soon as it is chosen, and refused beside it."""
        page.wait_for_load_state("networkidle")
        chosen = page.locator(".o_grants_upload input[type=file]").first
        chosen.set_input_files(
            {"name": "vide.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-"}
        )
        page.wait_for_selector(".o_grants_files .text-danger")
        page.locator(".o_grants_upload button.btn-primary").click()

    def do_no_address(self, page):
        page.fill("#people_name", "Nadia")
        page.evaluate("document.querySelector('form[action$=\"/invite\"]').submit()")
        page.wait_for_selector("#people_error")

    def do_no_words(self, page):
        page.evaluate("document.querySelector('main textarea, #wrap textarea').form.submit()")
        page.wait_for_selector("[role=alert]")

    def do_no_date(self, page):
        page.evaluate("document.querySelector('#field_date_end').form.submit()")
        page.wait_for_selector("#ask_errors")

    def do_no_number(self, page):
        page.locator("input[name^=value_]").first.fill("douze")
        page.locator("form[action$='/figures'] button.btn-primary").click()
        page.wait_for_selector("#figures_errors")

    def do_bad_figure(self, page):
        page.wait_for_load_state("networkidle")
        page.locator("input[name^=actual_]:visible").first.fill("douze")
        page.evaluate("document.querySelector('form[action$=\"/save\"]').submit()")
        page.wait_for_selector("#report_errors")

    def do_no_reason(self, page):
        page.check("#outcome_new_dates")
        page.click("form[action$='/begin'] button[type=submit]")
        page.wait_for_selector("#report_errors")

    def do_lost_session(self, page):
        page.wait_for_load_state("networkidle")
        page.context.clear_cookies(name="session_id")
        page.evaluate("document.querySelector('.o_grants_upload').submit()")
        page.wait_for_selector("main a[href^='/web/login']")

    def do_old_page(self, page):
        page.evaluate("for (const t of document.querySelectorAll('[name=csrf_token]')) t.value = 1")
        page.evaluate("document.querySelector('form[action$=\"/take_back\"]').submit()")
        page.wait_for_selector("main [role=alert]")
