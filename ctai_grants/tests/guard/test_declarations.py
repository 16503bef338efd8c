import ast
import inspect
import textwrap

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools.safe_eval import safe_eval

from ..common import GrantsCommon

# What the portal may read of each model, and nothing else (R7): written here a second time, so that
# a field that somebody declares by the way is noticed.
PORTAL = {
    "grant.action": (
        "amount", "company_id", "currency_id", "name", "sequence", "subsidy_id",
    ),
    "grant.contract": (
        "access_url", "active", "allocated_amount", "available_amount", "code", "committed_amount",
        "company_id", "currency_id", "date_end", "date_start", "envelope_ids", "funder_id",
        "justified_amount", "name", "paid_amount", "received_amount", "recovered_amount",
        "signature_date", "state", "to_pay_amount", "unjustified_amount",
    ),
    "grant.deliverable": (
        "answer", "answered_at", "company_id", "due_date", "instructions", "is_late", "name",
        "state", "subsidy_id", "version_ids",
    ),
    "grant.deliverable.version": (
        "company_id", "deliverable_id", "file_ids", "name", "number", "sha256", "size",
        "submitted_at", "subsidy_id", "taken_back_at",
    ),
    "grant.deliverable.file": (
        "infected_by", "mimetype", "name", "position", "purged_at", "scan", "sha256", "size",
        "version_id",
    ),
    "grant.disbursement": (
        "amount", "company_id", "currency_id", "deliverable_ids", "due_date", "kind", "name",
        "paid_date", "sequence", "state", "subsidy_id",
    ),
    "grant.envelope": (
        "allocated_amount", "available_amount", "code", "committed_amount", "company_id",
        "contract_id", "currency_id", "justified_amount", "name", "paid_amount", "payment_path",
        "received_amount", "recovered_amount", "sequence", "state", "to_pay_amount",
        "unjustified_amount",
    ),
    "grant.subsidy": (
        "access_url", "action_ids", "active", "amount", "code", "committed_amount", "company_id",
        "contract_id", "currency_id", "date_end", "date_start", "deliverable_ids",
        "disbursement_ids", "justified_amount", "name", "paid_amount", "partner_id",
        "recovered_amount", "state", "to_pay_amount",
    ),
}  # fmt: skip


class TestDeclarations(GrantsCommon):
    """What is said of a field beside it."""

    def test_what_the_portal_reads(self):
        always = {"id", "display_name", "create_date"}
        for name, model in self.env.items():
            ours = model._original_module == "ctai_grants" and not model._abstract
            if ours and hasattr(model, "_get_portal_fields"):
                with self.subTest(model=name):
                    self.assertEqual(model._get_portal_fields() - always, {*PORTAL.get(name, ())})

    def test_a_tick_is_no_text(self):
        """Odoo would store the word “True”: as a reason, or the reference of a convention."""
        subsidy = self.make_subsidy()
        window = {"res_model": "grant.subsidy", "res_ids": subsidy.ids, "action": "cancel"}
        reasons = self.env["grant.reason"]
        with self.assertRefused("in words"):
            reasons.create({**window, "reason": True})
        with self.assertRefused("in words"):
            reasons.create({**window, "reason": "Parce que"}).reason = True
        with self.assertRefused("in words"):
            subsidy.convention_reference = True

    def test_related_fields_declare_for_themselves(self):
        """A field takes the attributes of the one it follows, but not what is said of that."""
        tranches = self.env["grant.disbursement"]
        self.assertIn("partner_id", self.env["grant.subsidy"]._get_portal_fields())
        self.assertTrue(tranches._fields["partner_id"].portal)
        self.assertNotIn("partner_id", tranches._get_portal_fields())

    def test_readonly_means_it(self):
        """Every stored field that is read-only is guarded, whichever layer adds it."""
        for name in ("grant.subsidy", "grant.disbursement", "grant.recovery", "grant.envelope"):
            model = self.env[name]
            guarded = model._get_guarded_fields()
            self.assertIn("state", guarded)
            for field in model._fields.values():
                if field.name in guarded:
                    self.assertTrue(field.store and field.readonly)
        added = self.env["grant.disbursement"]._get_guarded_fields()
        self.assertLessEqual({"certified_by_id", "order_number", "treasury_state"}, added)

    def test_what_an_amendment_changes(self):
        amendable = {
            "grant.contract": {"date_start", "date_end"},
            "grant.envelope": {"amount"},
            "grant.subsidy": {"amount", "date_start", "date_end"},
            "grant.disbursement": {"amount", "due_date"},
            "grant.action": {"amount"},
            "grant.budget.line": {"amount"},
            "grant.indicator.target": {"target"},
        }
        for name, model in self.env.items():
            if name.startswith("grant.") and hasattr(model, "_get_amendable_fields"):
                with self.subTest(model=name):
                    self.assertEqual(model._get_amendable_fields(), amendable.get(name, set()))
        subsidy = self.sign(self.make_subsidy())
        with self.assertRefused("Change it by an amendment"):
            subsidy.amount += 1

    def test_whoever_wakes_says_whom(self):
        """The methods that fields name are there, and return records that can be woken."""
        seen = 0
        for model in self.env.values():
            for method in set(getattr(model, "_get_wakers", dict)().values()):
                woken = getattr(model, method)()
                self.assertFalse(woken)
                self.assertTrue(callable(woken._wake), f"{model}.{method}")
                seen += 1
        self.assertGreater(seen, 8)

    def test_both_sides_of_a_link_are_woken(self):
        """A piece that moves from one tranche to another: each looks at its conditions again."""
        subsidy = self.make_subsidy()
        piece = self.make_deliverable(subsidy)
        first = self.make_tranche(subsidy)
        second = self.make_tranche(subsidy)
        piece.disbursement_ids = first
        waiting = (first | second).condition_ids.filtered("deliverable_id").disbursement_id
        self.assertEqual(waiting, first)
        piece.disbursement_ids = second
        waiting = (first | second).condition_ids.filtered("deliverable_id").disbursement_id
        self.assertEqual(waiting, second)

    def test_deleting_wakes(self):
        """An account that is deleted, or moved to another organisation, is verified no more."""
        subsidy = self.sign(self.make_subsidy())
        tranche = self.make_tranche(subsidy)
        bank = tranche.condition_ids.filtered(lambda row: row.code == "bank")
        account = self.operator.bank_ids
        self.assertEqual(bank.state, "met")
        account.partner_id = self.prefecture
        self.assertEqual(bank.state, "unmet")
        account.partner_id = self.operator
        self.assertEqual(bank.state, "met")
        account.unlink()
        self.assertEqual(bank.state, "unmet")


class TestReasonActions(GrantsCommon):
    def test_only_what_is_declared(self):
        """The window calls what a model declares and nothing else."""
        subsidy = self.sign(self.make_subsidy())
        reasons = self.env["grant.reason"].with_user(self.finance_manager)
        for model, action in (
            ("grant.subsidy", "unlink"),
            ("grant.subsidy", "_do_close"),
            ("grant.subsidy", "withdraw"),
            ("grant.entry", "close"),
            ("res.partner", "close"),
            ("no.model", "close"),
        ):
            with self.subTest(model=model, action=action), self.assertRaises(UserError):
                reasons.create(
                    {"res_model": model, "res_ids": subsidy.ids, "action": action, "reason": "R"}
                ).action_confirm()
        self.assertEqual(subsidy.state, "signed")

    def test_titles_are_translated(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._get("ctai_grants")._update_translations(["fr_FR"])
        for model in self.env.values():
            for name, (method, title) in getattr(model, "_get_reason_actions", dict)().items():
                with self.subTest(model=model._name, action=name):
                    self.assertTrue(callable(getattr(model, method)))
                    french = model.with_context(lang="fr_FR").env._(title)
                    self.assertNotEqual(str(french), title._source)


class TestGuardedDefaults(GrantsCommon):
    def test_a_portal_user_reads_no_undeclared_field(self):
        subsidy = self.sign(self.make_subsidy(note="<p>Entre nous</p>"))
        own = subsidy.with_user(self.operator_user)
        self.assertEqual(own.read(["amount"])[0]["amount"], 10000)
        with self.assertRaises(AccessError):
            own.read(["note"])

    def test_amounts_are_money_in_every_model(self):
        for value in (0.001, float("inf"), 1e12, "beaucoup"):
            with self.subTest(value=value), self.assertRefused("is not an amount of money"):
                self.make_subsidy(amount=value)
        self.assertEqual(self.make_subsidy(amount="12.50").amount, 12.5)
        self.assertFalse(fields.Date.to_date(False))


def always_answers(body):
    """Whether each way through these statements ends with a value, or is refused."""
    last = body[-1]
    match last:
        case ast.Return():
            return last.value is not None
        case ast.Raise():
            return True
        case ast.If():
            return bool(last.orelse) and always_answers(last.body) and always_answers(last.orelse)
        case ast.With():
            return always_answers(last.body)
        case ast.Try():
            ways = [last.orelse or last.body, *(handler.body for handler in last.handlers)]
            return all(map(always_answers, ways))
    return False


class TestAnswers(GrantsCommon):
    """What a client calls answers something: XML-RPC has no word for nothing, and the fault comes
    after the act is done."""

    def test_public_methods_answer(self):
        checked, silent = 0, set()
        for model in self.env.values():
            for owner in type(model).mro():
                if not owner.__module__.startswith("odoo.addons.ctai_grants"):
                    continue
                for name, method in vars(owner).items():
                    # `init` is called by the registry alone.
                    if name.startswith("_") or name == "init" or not inspect.isfunction(method):
                        continue
                    if getattr(method, "_api_private", False):
                        continue
                    source = textwrap.dedent(inspect.getsource(inspect.unwrap(method)))
                    (function,) = ast.parse(source).body
                    bare = any(
                        isinstance(node, ast.Return) and node.value is None
                        for node in ast.walk(function)
                    )
                    checked += 1
                    if bare or not always_answers(function.body):
                        silent.add(f"{owner.__module__} {name}")
        self.assertGreater(checked, 100)
        self.assertFalse(silent, "\n".join(sorted(silent)))


class TestChoices(GrantsCommon):
    """What a screen offers for a new document that has its company from what is chosen there."""

    def get_choices(self):
        """Such fields: of which model, the field, and what it names."""
        for name in self.env:
            model = self.env[name]
            company = model._fields.get("company_id")
            if name.startswith("grant.") and not model._abstract and company and company.related:
                field = model._fields[company.related.split(".")[0]]
                if getattr(field, "check_company", False):
                    yield model, field

    def test_of_the_users_companies(self):
        choices = list(self.get_choices())
        self.assertIn(("grant.envelope", "contract_id"),
                      [(model._name, field.name) for model, field in choices])  # fmt: skip
        # Whether it is the right one, is not asked here: of which company.
        other = self.env["res.company"].create({"name": "Autre ville"})
        for _model, field in choices:
            text = field.get_description(self.env)["domain"]
            for companies, asked in (
                ([self.company.id], False), ([self.company.id], self.company.id),
                ([other.id], False), ([other.id], other.id),
            ):  # fmt: skip
                with self.subTest(field=str(field), companies=companies, asked=asked):
                    values = {"company_id": asked, "allowed_company_ids": companies}
                    [(name, operator, ids), *_more] = safe_eval(text, values)
                    self.assertEqual((name, operator), ("company_id", "in"))
                    self.assertEqual([one for one in ids if one], companies)
