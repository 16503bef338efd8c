from odoo import Command
from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..common import PDF, GrantsCommon, set_up_accounting

ALL = "create read unlink write"
READ = "read"
CHANGE = "read write"
KEEP = "create read write"
LINES = (
    "grant.entry", "grant.deliverable.version", "grant.deliverable.file", "grant.decision"
)  # fmt: skip
SETTINGS = (
    "grant.theme",
    "grant.audience",
    "grant.deliverable.type",
    "grant.schedule.template",
    "grant.schedule.deliverable",
    "grant.schedule.tranche",
)
# What each role may do with the documents; their states and decisions are another matter.
RIGHTS = {
    "reader": {},
    "coordinator": dict.fromkeys(
        (
            "grant.contract",
            "grant.envelope",
            "grant.funding",
            "grant.subsidy",
            "grant.action",
            "grant.milestone",
            "grant.deliverable",
            "grant.disbursement",
        ),
        ALL,
    )
    | {"grant.financial.report": ALL, "grant.recovery": KEEP},
    "finance_officer": {
        "grant.contract": CHANGE,
        "grant.envelope": CHANGE,
        "grant.funding": ALL,
        "grant.subsidy": CHANGE,
        "grant.milestone": CHANGE,
        "grant.deliverable": CHANGE,
        "grant.disbursement": CHANGE,
        "grant.financial.report": CHANGE,
        "grant.recovery": KEEP,
    },
}
RIGHTS["finance_manager"] = {
    **RIGHTS["finance_officer"],
    "grant.contract": ALL,
    "grant.envelope": ALL,
    "grant.disbursement": ALL,
}
RIGHTS["administrator"] = {**RIGHTS["coordinator"], **dict.fromkeys(SETTINGS, ALL)}
DOCUMENTS = (*RIGHTS["coordinator"], *LINES, *SETTINGS)
PORTAL = {
    "operator_user": {
        "grant.subsidy",
        "grant.action",
        "grant.deliverable",
        "grant.deliverable.version",
        "grant.deliverable.file",
        "grant.disbursement",
    },
    "prefecture_user": {
        "grant.contract",
        "grant.envelope",
        "grant.subsidy",
        "grant.deliverable.version",
        "grant.deliverable.file",
    },
}


class TestRoles(GrantsCommon):
    def get_rights(self, user, model):
        records = self.env[model].with_user(user)
        return " ".join(right for right in ALL.split() if records.has_access(right))

    def test_staff(self):
        for role, rights in RIGHTS.items():
            for model in DOCUMENTS:
                expected = rights.get(model, READ)
                found = self.get_rights(getattr(self, role), model)
                if model == "grant.decision":
                    # Those who decide add one, through a document's method only.
                    found = found.replace("create ", "")
                with self.subTest(role=role, model=model):
                    self.assertEqual(found, expected)

    def test_portal(self):
        for name, readable in PORTAL.items():
            for model in DOCUMENTS:
                with self.subTest(user=name, model=model):
                    self.assertEqual(
                        self.get_rights(getattr(self, name), model),
                        READ if model in readable else "",
                    )

    def test_strangers(self):
        """An employee without a role, and the public, see nothing at all."""
        employee = new_test_user(self.env, "test_employee", "base.group_user")
        for user in (employee, self.env.ref("base.public_user")):
            for model in DOCUMENTS:
                with self.subTest(user=user.login, model=model):
                    self.assertEqual(self.get_rights(user, model), "")

    def test_every_model_is_covered(self):
        models = self.env["ir.model"].search(
            [("model", "=like", "grant.%"), ("transient", "=", False), ("abstract", "=", False)]
        )
        self.assertLessEqual(set(DOCUMENTS), set(models.mapped("model")))
        # Not those of an add-on that is loaded later: tests/access_matrix.csv has all.
        for model in (set(models.mapped("model")) & set(self.registry)) - set(DOCUMENTS):
            # Those of other add-ons: no reader may write, no stranger may read.
            with self.subTest(model=model):
                self.assertIn(self.get_rights(self.reader, model), ("", READ))
                self.assertEqual(self.get_rights(self.env.ref("base.public_user"), model), "")

    def test_roles_imply_each_other(self):
        for user, roles in (
            (self.coordinator, {"reader"}),
            (self.finance_officer, {"reader"}),
            (self.finance_manager, {"reader", "finance_officer"}),
            (self.administrator, {"reader", "coordinator", "finance_officer", "finance_manager"}),
        ):
            for role in ("coordinator", "finance_officer", "finance_manager", "administrator"):
                with self.subTest(user=user.login, role=role):
                    own = user.login == f"test_{role}"
                    self.assertEqual(
                        user.has_group(f"ctai_grants.group_{role}"), role in roles or own
                    )


class TestCompanies(GrantsCommon):
    """The documents of another company are invisible, untouchable, and cannot be linked."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Autre ville"})
        cls.strangers = cls.env["res.users"]
        for role in RIGHTS:
            cls.strangers |= new_test_user(
                cls.env,
                f"test_other_{role}",
                f"ctai_grants.group_{role}",
                company_id=cls.other_company.id,
                company_ids=[Command.set(cls.other_company.ids)],
            )
        cls.subsidy = cls.make_subsidy(
            action_ids=[Command.create({"name": "Atelier", "amount": 1})]
        )
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.tranche = cls.make_tranche(cls.subsidy)
        cls.sign(cls.subsidy)
        cls.piece.with_user(cls.coordinator)._do_submit("bilan.pdf", PDF)
        cls.report = cls.env["grant.financial.report"].create(
            {
                "subsidy_id": cls.subsidy.id,
                "exercise_start": "2021-10-25",
                "exercise_end": "2022-06-30",
            }
        )
        cls.pay(cls.tranche)
        cls.recovery = cls.env["grant.recovery"].create(
            {"subsidy_id": cls.subsidy.id, "amount": 1}
        )
        cls.funding = cls.env["grant.funding"].create(
            {"name": "F", "envelope_id": cls.envelope.id, "amount": 1}
        )
        # Somebody of both cities, to tell what is linked from what is seen.
        cls.both = cls.administrator
        cls.both.company_ids |= cls.other_company

    def get_documents(self):
        return (
            self.contract,
            self.envelope,
            self.funding,
            self.subsidy,
            self.subsidy.action_ids,
            self.piece.milestone_id,
            self.piece,
            self.piece.version_ids,
            self.tranche,
            self.report,
            self.recovery,
            self.subsidy.decision_ids,
            self.subsidy.entry_ids,
        )

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_invisible(self):
        for user in self.strangers:
            for document in self.get_documents():
                seen = document.with_user(user)
                with self.subTest(user=user.login, document=document):
                    self.assertFalse(seen.search([("id", "in", document.ids)]))
                    self.assertFalse(seen.search([("company_id", "=", self.company.id)], limit=1))
                    with self.assertRaises(AccessError):
                        call_kw(seen, "read", [document.ids, ["display_name"]], {})
                    with self.assertRaises(AccessError):
                        call_kw(
                            seen,
                            "read",
                            [document.ids, ["display_name"]],
                            {"context": {"allowed_company_ids": self.company.ids}},
                        )

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_untouchable(self):
        user = self.strangers.filtered(lambda user: user.login == "test_other_administrator")
        for document in self.get_documents():
            for method, *args in (
                ("write", {"name": "x"} if "name" in document else {"id": 1}),
                ("unlink",),
                ("copy",),
            ):
                with self.subTest(document=document, method=method), self.assertRaises(AccessError):
                    call_kw(document.with_user(user), method, [document.ids, *args], {})
        for document, methods in (
            (self.contract, ("action_close", "action_reset_to_draft", "action_reopen")),
            (self.subsidy, ("action_sign", "action_reopen", "action_reset_to_draft")),
            (self.tranche, ("action_certify", "action_replan", "action_check")),
            (self.piece, ("action_accept",)),
            (self.funding, ("action_cancel_claim", "action_cancel_receipt")),
            (self.report, ("action_accept",)),
            (self.recovery, ("action_write_letter", "action_print_letter")),
            (self.piece.milestone_id, ("action_reach", "action_unreach")),
        ):
            for method in methods:
                with self.subTest(method=method), self.assertRaises(AccessError):
                    call_kw(document.with_user(user), method, [document.ids], {})
        for document, action in (
            (self.subsidy, "cancel"),
            (self.subsidy, "close"),
            (self.tranche, "cancel"),
            (self.piece, "waive"),
            (self.report, "reopen_report"),
            (self.recovery, "waive_recovery"),
            (self.recovery, "observe"),
        ):
            with self.subTest(action=action), self.assertRaises(AccessError):
                self.ask(document, action, user)
        self.assertEqual((self.subsidy.state, self.tranche.state), ("signed", "paid"))

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_windows_tell_nothing(self):
        """Opened on a document of another company, they would show its amounts."""
        user = self.strangers.filtered(lambda user: user.login == "test_other_administrator")
        window = self.env["grant.disbursement.pay"].with_user(user)
        # Even its default date is that of the city whose tranche it is.
        with self.assertRaises(AccessError):
            window.create({"disbursement_id": self.tranche.id})
        window = window.create({"disbursement_id": self.tranche.id, "paid_date": "2021-12-01"})
        self.env.invalidate_all()
        for name in window.fields_get(["amount", "partner_id", "payment_path"]):
            with self.subTest(name=name), self.assertRaises(AccessError):
                window.read([name])
        with self.assertRaises(AccessError):
            window.browse().onchange(
                {"disbursement_id": self.tranche.id}, ["disbursement_id"], {name: {}}
            )
        for model, values in (
            ("grant.funding.receive", {"funding_id": self.funding.id}),
            ("grant.recovery.step", {"recovery_id": self.recovery.id, "step": "claim"}),
            ("grant.funding.claim", {"funding_ids": self.funding.ids}),
            (
                "grant.disbursement.order",
                {"disbursement_ids": self.tranche.ids, "order_number": "1"},
            ),
        ):
            with self.subTest(model=model), self.called_by(user), self.assertRaises(AccessError):
                self.env[model].with_user(user).create(values)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_templates(self):
        template = self.env["grant.schedule.template"].create(
            {
                "name": "Le nôtre",
                "tranche_ids": [Command.create({"name": "Avance", "percentage": 50})],
                "deliverable_ids": [
                    Command.create(
                        {
                            "milestone": "Bilan",
                            "type_id": self.env["grant.deliverable.type"].search([], limit=1).id,
                        }
                    )
                ],
            }
        )
        user = self.strangers.filtered(lambda user: user.login == "test_other_administrator")
        for lines in (template.tranche_ids, template.deliverable_ids):
            with self.subTest(lines=lines):
                self.assertFalse(lines.with_user(user).search([("id", "in", lines.ids)]))
                with self.assertRaises(AccessError):
                    lines.with_user(user).months = 1
        template.company_id = False
        self.assertEqual(lines.with_user(user).search([("id", "in", lines.ids)]), lines)

    def test_not_linkable(self):
        theirs = self.both.with_context(allowed_company_ids=self.other_company.ids)
        env = theirs.with_user(self.both).env
        partner = env["res.partner"].create(
            {"name": "De là-bas", "is_company": True, "company_id": self.other_company.id}
        )
        contract = env["grant.contract"].create(
            {
                "name": "Leur contrat",
                "code": self.contract.code,
                "company_id": self.other_company.id,
                "funder_id": partner.id,
                "envelope_ids": [Command.create({"name": "E", "code": "E", "amount": 10})],
            }
        )
        self.assertEqual(contract.envelope_ids.company_id, self.other_company)
        template = env["grant.schedule.template"].create(
            {"name": "Leur modèle", "company_id": self.other_company.id}
        )
        ours = self.env["grant.schedule.template"].create({"name": "Le nôtre"})
        both = self.both.with_context(allowed_company_ids=(self.company | self.other_company).ids)
        draft = self.make_subsidy().with_user(self.both).with_context(**both.env.context)
        for document, values in (
            (draft, {"partner_id": partner.id}),
            (draft, {"envelope_id": contract.envelope_ids.id, "template_id": ours.id}),
            (draft, {"template_id": template.id}),
            (self.contract.copy(), {"funder_id": partner.id}),
        ):
            with self.subTest(values=values), self.assertRefused("Nothing was changed"):
                document.write(values)
        # An operator that belongs to no company may go with its draft: it is theirs then.
        draft.envelope_id = contract.envelope_ids
        self.assertEqual(draft.company_id, self.other_company)

    def test_currency_of_the_ledger(self):
        """Its amounts would be read in another one."""
        company = self.other_company
        contract = self.contract.copy({"company_id": company.id})
        contract.signature_date = "2021-10-21"
        set_up_accounting(company)
        contract.action_put_in_force()
        self.assertEqual(contract.envelope_ids.entry_ids.currency_id, company.currency_id)
        with self.assertRefused(company.name):
            currency = {"name": "XAB", "symbol": "x"}
            company.currency_id = self.env["res.currency"].create(currency)
            self.env.flush_all()
        self.assertFalse(self.verify(contract))

    def test_portal_of_another_company(self):
        """Which companies a portal user is of says nothing: its organisation says what it sees."""
        self.operator_user.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        seen = self.env["grant.subsidy"].with_user(self.operator_user).search([])
        self.assertIn(self.subsidy, seen.with_env(self.env))
        self.assertEqual(seen.sudo().partner_id, self.operator)
