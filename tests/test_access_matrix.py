# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who may do what: every model, rule, public method and route of both add-ons, tried as each role
and compared with `access_matrix.csv`. What is new and not in the table fails the test, by its name:

    CTAI_ACCESS_MATRIX=write ./ctai test -k access_matrix

writes the table anew; its diff is what a reviewer reads. Cells of a model: ``r w c d`` (read,
write, create, delete, by access rights; its rules say of which records); of a rule: ``x`` where it
binds; of a method and a route: ``x`` where the door is open (it answers, or refuses for the state
of the document), ``w`` where the call wrote something. An empty cell is a shut door.
"""

import csv
import difflib
import functools
import inspect
import io
import os
import re
import threading
from contextlib import closing
from pathlib import Path

from odoo import models
from odoo.exceptions import AccessError, MissingError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.ctai_grants.tests.common import PDF
from odoo.addons.ctai_grants.tests.portal.test_portal import PortalCase

TABLE = Path(__file__).with_name("access_matrix.csv")
OWN = ("odoo.addons.ctai_grants.", "odoo.addons.ctai_grants_reports.")
# The first four are nobody here, two have a door of their own, the others work for the city.
STRANGERS = ("public", "portal", "employee", "other_operator")
# Odoo's home, and the notices that stand below every page.
FOR_ALL = ("/my", "/my/home", "/my/help", "/my/legal", "/my/accessibility")
ROLES = (
    *STRANGERS, "operator", "prefecture", "reader", "coordinator", "finance_officer",
    "finance_manager", "administrator",
)  # fmt: skip
HEAD = ("kind", "name", "detail", *ROLES)
OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}
# What a GET may write, and why.
OWN_AFFAIRS = {
    "ir_attachment": "Odoo keeps the bundles of scripts and styles that it makes",
    "res_device_log": "Odoo notes the devices of a session",
    "grant_chain": "the chain of what is noted in the next one",
    "grant_statement_act": "that the prefecture opened or downloaded a statement is noted",
}
# What a route needs besides its path.
QUERIES = {
    "/grants/contracts/<int:contract_id>/statement": "?as_at=2021-12-31",
    # Of a record that is in no database.
    "/report/download": '?data=["/report/typst/ctai_grants_reports.convention/999999999","typst"]',
}
KINDS = {
    "/grants/statements/<int:statement_id>/<string:kind>": "pdf",
    "/my/contracts/<int:contract_id>/indicators/<string:kind>": "csv",
}
DAY = "2021-11-26 10:00:00"
EXTRACT = """NUM_MANDAT;MONTANT_PAIEMENT;DATE_PAIEMENT;NOM
9999;12,00;25/11/2021;Autre
"""


def is_own(function):
    return (getattr(function, "__module__", None) or "").startswith(OWN)


class AccessCase(PortalCase):
    """A record of most models, in each state that is simply made, and a user of each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            "public": cls.env.ref("base.public_user"),
            "portal": new_test_user(cls.env, "test_plain_portal", "base.group_portal"),
            "employee": new_test_user(cls.env, "test_employee", "base.group_user"),
            "other_operator": cls.other_operator_user,
            "operator": cls.operator_user,
            "prefecture": cls.prefecture_user,
            **{role: getattr(cls, role) for role in ROLES[6:]},
        }
        cls.draft = cls.make_subsidy(name="Projet")
        cls.make_tranche(cls.draft)
        cls.version = cls.piece.with_user(cls.operator_user)._do_submit("bilan.pdf", PDF)
        accepted = cls.make_deliverable(cls.mine, name="Statuts")
        accepted.with_user(cls.operator_user)._do_submit("statuts.pdf", PDF)
        accepted.with_user(cls.coordinator).action_accept()
        cls.paid = cls.make_tranche(cls.mine, amount=500)
        cls.pay(cls.paid)
        cls.order(cls.make_tranche(cls.mine, amount=400))
        cls.odoos_own = {
            "account.move": cls.paid.move_ids[:1].with_env(cls.env), "res.partner": cls.operator,
        }  # fmt: skip
        cls._make_issued()
        cls._make_closing()
        cls.mine.with_user(cls.coordinator).action_amend()
        cls.env["grant.funding"].create(
            {"name": "Versement", "envelope_id": cls.envelope.id, "amount": 1000,
             "due_date": "2021-12-01"}
        )  # fmt: skip
        cls.env["grant.reminder"].create(
            {"kind": "piece", "subsidy_id": cls.mine.id, "deliverable_id": cls.piece.id,
             "due_date": "2022-06-30", "days": -30, "sent_at": "2022-05-31 10:00:00"}
        )  # fmt: skip
        with freeze_time(DAY):
            cls.env["grant.treasury.import"].with_user(cls.finance_officer)._import(
                "extrait.csv", EXTRACT.encode()
            )

    @classmethod
    def _make_issued(cls):
        """What leaves the city: a statement and an annual review."""
        vals = {"contract_id": cls.contract.id, "as_at": "2021-12-31"}
        cls.statement = cls.env["grant.statement"].with_user(cls.coordinator).create(vals)
        cls.statement.with_user(cls.finance_manager)._do_issue_anyway("Parce que")
        vals = {"contract_id": cls.contract.id, "year": 2021}
        cls.review = cls.env["grant.annual.review"].with_user(cls.coordinator).create(vals)
        cls.review.action_issue()

    @classmethod
    def _make_closing(cls):
        """A report of finances, and money to take back with its letter."""
        cls.env["grant.financial.report"].with_user(cls.coordinator).create(
            {"subsidy_id": cls.mine.id, "exercise_start": "2021-10-25",
             "exercise_end": "2022-06-30", "budget_amount": 20000, "actual_amount": 20000,
             "eligible_amount": 20000, "version_id": cls.version.id}
        )  # fmt: skip
        cls.recovery = cls.env["grant.recovery"].with_user(cls.coordinator).create(
            {"subsidy_id": cls.mine.id, "reason": "condition", "facts": "Rien.", "amount": 100}
        )  # fmt: skip
        cls.recovery.action_write_letter()


class Walk:
    """The rows of the table: {(kind, name, detail): {role: cell}}."""

    def __init__(self, case):
        self.case, self.env, self.users = case, case.env, case.users
        self.rows = {}

    def note(self, kind, name, detail, judge):
        cells = {role: judge(user.with_env(self.env)) for role, user in self.users.items()}
        self.rows[kind, name, detail] = cells

    def text(self):
        """The table as it is kept."""
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(HEAD)
        for key, cells in sorted(self.rows.items()):
            table.writerow([*key, *(cells[role] for role in ROLES)])
        return out.getvalue()

    # --- models and rules -----------------------------------------------------------------------

    def walk_models(self):
        for name, model in sorted(self.env.items()):
            if model._abstract or not name.startswith("grant."):
                continue
            detail = "window" if model._transient else "" if model._auto else "view"
            self.note("model", name, detail, functools.partial(self._rights, model))

    def _rights(self, model, user):
        records = model.with_user(user)
        return "".join(c for c, operation in OPERATIONS.items() if records.has_access(operation))

    def walk_rules(self):
        rules = self.env["ir.rule"].search([])
        for rule, xmlid in rules.get_external_id().items():
            rule = rules.browse(rule)
            if f"odoo.addons.{xmlid}".startswith(OWN):
                self.note(
                    "rule", f"{rule.model_id.model}: {xmlid}", self._describe(rule),
                    lambda user, rule=rule: (
                        "x" if not rule.groups or rule.groups & user.all_group_ids else ""
                    ),
                )  # fmt: skip

    def _describe(self, rule):
        letters = "".join(
            letter for letter, operation in OPERATIONS.items() if rule[f"perm_{operation}"]
        )
        return f"{letters}: {' '.join((rule.domain_force or '[]').split())}"

    # --- methods --------------------------------------------------------------------------------

    def walk_methods(self):
        for name, model in sorted(self.env.items()):
            records = self._records(model)
            for method in self._methods(model):
                detail = self._signature(model, method, records)
                call = functools.partial(self._call, model, method, records)
                self.note("method", f"{name}.{method}", detail, call)

    def _methods(self, model):
        """Public methods of which we wrote a part, without those of every model."""
        kind = type(model)
        for name in sorted(dir(kind)):
            if name.startswith("_") or hasattr(models.BaseModel, name):
                continue
            # The one door of Odoo's for all that is discussed.
            if name == "message_process" and model._name != "mail.thread":
                continue
            if not any(is_own(parent) and name in vars(parent) for parent in kind.mro()):
                continue
            try:
                get_public_method(model, name)
            except (AccessError, AttributeError):
                continue
            yield name

    def _signature(self, model, name, records):
        parts = self._required(model, name)
        said = [f"({', '.join(parts)})"] if parts else []
        is_of_model = self._is_of_model(model, name)
        said += ["@api.model"] if is_of_model else []
        if not model._transient and not is_of_model and not records:
            said.append("on nothing")
        return " ".join(said)

    def _required(self, model, name):
        parameters = list(inspect.signature(getattr(type(model), name)).parameters.values())[1:]
        return [p.name for p in parameters if p.default is p.empty and p.kind < 2]

    def _is_of_model(self, model, name):
        return getattr(getattr(type(model), name), "_api_model", False)

    def _records(self, model):
        """One record in each state, of the models of ours; of Odoo's the one that we work with."""
        if model._name in self.case.odoos_own:
            return self.case.odoos_own[model._name]
        if model._abstract or model._transient or not model._name.startswith("grant."):
            return model.browse()
        # In the operator's own city, and its own where there is a choice.
        found = model.search([], order="id").filtered(
            lambda record: "partner_id" not in record or record.partner_id == self.case.operator
        )
        if "state" not in model._fields:
            return found[:1]
        return model.union(*(group[0] for group in found.grouped("state").values()))

    def _call(self, model, method, records, user):
        if not model.with_user(user).has_access("read"):
            records = records[:1]  # the door is the model's, whatever state a document is in
        best = ""
        for record in records or [records]:
            best = max(best, self._try(model, method, record, user), key=("", "x", "w").index)
            if best == "w":
                break
        return best

    def _try(self, model, method, record, user):
        written = []
        hooks = threading.current_thread().__dict__.setdefault("query_hooks", [])

        def note(_cr, query, *_args):
            if str(query).lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
                written.append(query)

        env = self.env(user=user)
        env.invalidate_all()
        hooks.append(note)
        try:
            with closing(env.cr.savepoint()):
                record = record.with_env(env)
                if model._transient and not self._is_of_model(model, method):
                    record = record.create({})
                    env.flush_all()
                written.clear()
                own = [] if self._is_of_model(model, method) else [record.ids]
                nothing = [False] * len(self._required(model, method))
                call_kw(env[model._name], method, own + nothing, {})
                env.flush_all()
            return "w" if written else "x"
        except (AccessError, MissingError):
            return ""
        except Exception:  # its state or what it was given is not what it takes: the door is open
            return "x"
        finally:
            hooks.remove(note)
            if written:
                # What the caches keep of it, no savepoint takes back: a login without its groups.
                env.registry.clear_cache()

    # --- routes ---------------------------------------------------------------------------------

    def routes(self):
        """The routes of ours, by their pattern: {pattern: what was said of it}."""
        found = self.env["ir.http"].routing_map().iter_rules()
        return {
            rule.rule: rule.endpoint.routing for rule in found if is_own(rule.endpoint.func)
        }

    def walk_routes(self):
        for pattern, routing in sorted(self.routes().items()):
            methods = ",".join(routing["methods"] or ("any",))
            csrf = "csrf" if routing["type"] == "http" and routing.get("csrf", True) else "NO CSRF"
            detail = f"{routing['type']} {methods} auth={routing['auth']} {csrf}"
            is_page = "GET" in (routing["methods"] or ("GET",))
            knock = functools.partial(self._knock, pattern, is_page)
            self.note("route", pattern, detail, knock)

    def _knock(self, pattern, is_page, user):
        self.case.knock_as(user)
        answer = self.case.url_open(self.case.address(pattern), allow_redirects=False)
        if "/web/login" in answer.headers.get("Location", ""):
            return ""
        if answer.status_code == 303 and not is_page:
            # Whoever asks is led to the page of the form, which is another door.
            return ""
        # 400: a page that says why not.
        return "x" if answer.status_code in (200, 303, 400) else ""


@tagged("standard", "post_install", "-at_install")
class TestAccessMatrix(AccessCase):
    def setUp(self):
        super().setUp()
        # As it is installed, whatever was before.
        self.env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2b")
        # The first request makes the map of the routes.
        self.url_open("/web/login")
        # Dozens of refusals, each logged.
        self.enterContext(mute_logger("odoo.models", "odoo.sql_db", "odoo.addons.base.models",
                                      "odoo.http"))  # fmt: skip

    def knock_as(self, user):
        public = user == self.users["public"]
        self.authenticate(None if public else user.login, user.login)

    def address(self, pattern):
        """A route's address with the operator's own documents in it."""
        documents = {
            "subsidy_id": self.mine, "deliverable_id": self.piece, "version_id": self.version,
            "file_id": self.version.sudo().file_ids[:1], "tranche_id": self.paid,
            # Of these there is none, in whatever database.
            **dict.fromkeys(("attachment_id", "ask_id", "access_id", "wizard_id"), "999999999"),
            "statement_id": self.statement, "review_id": self.review, "ending": "csv",
            "model": "grant.subsidy",
            "converter": "typst", "reportname": "ctai_grants_reports.convention",
            "docids": self.mine,
            "kind": KINDS.get(pattern, "question"),
            "act": "remove",
            "contract_id": self.contract, "recovery_id": self.recovery,
            "batch_id": self.paid.order_batch_id, "page": None,
        }  # fmt: skip

        def fill(match):
            self.assertIn(match[1], documents, f"{pattern}: say here which document it is tried on")
            document = documents[match[1]]
            return document if isinstance(document, str) else str(document.id if document else 1)

        return re.sub(r"<(?:[^<>:]+:)?(\w+)>", fill, pattern) + QUERIES.get(pattern, "")

    def test_nothing_is_missing(self):
        walk = Walk(self)
        walk.walk_models()
        walk.walk_rules()
        with freeze_time(DAY):
            walk.walk_methods()
        walk.walk_routes()
        self.assertStrangersSeeNothing(walk.rows)
        if os.environ.get("CTAI_ACCESS_MATRIX") == "write":
            TABLE.write_text(walk.text(), encoding="utf-8")
        kept, found = TABLE.read_text(encoding="utf-8").splitlines(), walk.text().splitlines()
        changes = list(difflib.unified_diff(kept, found, "kept", "found", n=0, lineterm=""))
        if changes:
            how = "If it is meant: CTAI_ACCESS_MATRIX=write ./ctai test -k access_matrix"
            about = f"Who may do what is not what {TABLE.name} says:"
            self.fail("\n".join([about, *changes[2:], how]))

    def assertStrangersSeeNothing(self, rows):
        """What no table may allow."""
        for (kind, name, _detail), cells in rows.items():
            with self.subTest(kind=kind, name=name):
                if kind == "model":
                    for role in STRANGERS[:3]:
                        self.assertEqual(cells[role], "", role)
                    for role in ("operator", "prefecture"):
                        self.assertIn(cells[role], ("", "r"), role)
                        # Never the whole table: a rule of that role says which records.
                        if cells[role]:
                            group = self.env.ref(f"ctai_grants.group_portal_{role}")
                            rules = self.env["ir.rule"].search(
                                [("model_id.model", "=", name), ("groups", "in", group.ids)]
                            )
                            self.assertTrue(rules, f"{role} reads all of it")
                elif kind == "route":
                    # Odoo's own answers 200 to say to its staff that there is no such document.
                    if name not in (*FOR_ALL, "/report/download"):
                        self.assertEqual([cells[role] for role in STRANGERS[:3]], [""] * 3)
                elif kind == "method":
                    for role in STRANGERS:
                        self.assertNotEqual(cells[role], "w", role)

    def count_changes(self):
        """Rows written in this transaction so far, by table."""
        self.env.flush_all()
        return dict(
            self.env.execute_query(
                SQL(
                    "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del"
                    "  FROM pg_stat_xact_user_tables WHERE relname != ALL(%s)",
                    [*OWN_AFFAIRS],
                )
            )
        )

    def test_looking_changes_nothing(self):
        """No GET writes a row, whoever asks; no POST without its token is heard."""
        patterns = Walk(self).routes()
        self.assertGreater(len(patterns), 9, "the list of routes is not empty by mistake")
        for role in ("operator", "prefecture", "administrator", "public"):
            self.knock_as(self.users[role])
            for pattern, routing in patterns.items():
                address = self.address(pattern)
                with self.subTest(role=role, route=pattern):
                    self.assertTrue(routing["type"] != "http" or routing.get("csrf", True))
                    before = self.count_changes()
                    self.url_open(address, allow_redirects=False)
                    written = dict(self.count_changes().items() - before.items())
                    self.assertEqual(written, {}, "a GET wrote")
                    if "POST" in (routing["methods"] or ("POST",)) and role != "public":
                        answer = self.url_open(address, data={"a": "b"}, allow_redirects=False)
                        self.assertEqual(answer.status_code, 400, "a POST without a token")
                        self.assertEqual(self.count_changes(), before)
