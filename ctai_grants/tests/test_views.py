from datetime import date

from dateutil.relativedelta import relativedelta
from lxml import etree

from odoo import fields
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import GrantsCommon

ROLES = ("reader", "coordinator", "finance_officer", "finance_manager", "administrator")
EVERYBODY = {
    "menu_today", "menu_letters",
    "menu_subsidies", "menu_late_pieces", "menu_pieces", "menu_due_dates", "menu_tranches",
    "menu_fundings", "menu_envelopes", "menu_contracts", "menu_ledger", "menu_actions",
    "menu_decisions", "menu_partners", "menu_order_batches", "menu_treasury_imports",
    "menu_treasury_lines", "menu_financial_reports", "menu_recoveries", "menu_conditions",
    "menu_own_costs", "menu_amendments", "menu_aids_in_kind",
    "menu_registers", "menu_ledger_comparison",
    "menu_budgets", "menu_date_requests",
    "menu_reminders", "menu_figures", "menu_indicators",
    "menu_evaluations",
}  # fmt: skip
COORDINATION = {
    "menu_my_subsidies", "menu_pieces_to_review", "menu_tranches_to_certify",
    "menu_register_upload",
}  # fmt: skip
FINANCE = {
    "menu_tranches_to_order", "menu_tranches_to_pay", "menu_accounting_control", "menu_set_offs",
}  # fmt: skip
MANAGEMENT = {"menu_recoveries_to_decide", "menu_heads", "menu_findings"}
CONFIGURATION = {
    "menu_letter_wordings",
    "menu_accounts", "menu_schedule_templates", "menu_themes", "menu_audiences",
    "menu_deliverable_types", "menu_own_cost_accounts", "menu_budget_accounts",
    "menu_indicator_definitions", "menu_criteria",
}  # fmt: skip
MENUS = {
    "reader": EVERYBODY,
    "coordinator": EVERYBODY | COORDINATION,
    "finance_officer": EVERYBODY | FINANCE,
    "finance_manager": EVERYBODY | FINANCE | MANAGEMENT,
    "administrator": EVERYBODY | COORDINATION | FINANCE | MANAGEMENT | CONFIGURATION,
}

# What the methods behind the buttons check; None: whoever may read.
COORDINATOR, OFFICER, MANAGER = ("coordinator",), ("finance_officer",), ("finance_manager",)
BUTTONS = {
    "grant.contract": {
        # Of ctai_grants_reports.
        "action_steering": None,
        "action_view_annual_reviews": None,
        "action_view_statements": None,
        "action_compare_statements": None,
        "action_put_in_force": MANAGER,
        "action_reset_to_draft": MANAGER,
        "action_close": MANAGER,
        "action_reopen": MANAGER,
        "action_correct_date": MANAGER,
        "action_amend": COORDINATOR,
        "action_view_subsidies": None,
        "action_view_entries": None,
        "action_view_fundings": None,
        "action_renew": COORDINATOR,
        "action_view_amendments": None,
        "action_view_indicators": None,
    },
    "grant.envelope": {
        "action_view_subsidies": None,
        "action_view_entries": None,
        "action_change_account": MANAGER,
    },
    "grant.access": {
        "action_send_again": COORDINATOR,
        "action_withdraw": COORDINATOR,
        "action_remove": COORDINATOR,
        "action_name_representative": COORDINATOR,
        "action_unname_representative": COORDINATOR,
    },
    "grant.aid.in.kind": {
        "action_record": COORDINATOR + OFFICER,
        "action_cancel": COORDINATOR + OFFICER,
    },
    "grant.evaluation": {
        "action_view_results": None,
        "action_share": COORDINATOR,
        "action_conclude": COORDINATOR,
        "action_reopen": COORDINATOR,
        "action_prepare_next_year": COORDINATOR,
    },
    "grant.set.off": {"action_record": MANAGER, "action_undo": MANAGER},
    "grant.funding": {
        "action_claim": OFFICER,
        "action_receive": OFFICER,
        "action_cancel_receipt": MANAGER,
        "action_cancel_claim": MANAGER,
        "action_view_moves": OFFICER,
        "action_make_pes": OFFICER,
    },
    "grant.subsidy": {
        "action_send_award_notice": COORDINATOR + OFFICER,
        "action_send_convention": COORDINATOR + OFFICER,
        "action_send_closing": COORDINATOR + OFFICER,
        "action_view_signed_scans": None,
        "action_enter_figures": COORDINATOR,
        "action_view_figures": None,
        "action_write_to_operator": COORDINATOR + OFFICER,
        "action_grant": COORDINATOR,
        "action_apply_template": COORDINATOR,
        "action_import_budget": COORDINATOR,
        "action_renew": COORDINATOR,
        "action_rescale": COORDINATOR,
        "action_reapply_template": COORDINATOR,
        "action_sign": COORDINATOR,
        "action_reset_to_draft": COORDINATOR,
        "action_cancel": COORDINATOR,
        "action_close": MANAGER,
        "action_close_unpaid": MANAGER,
        "action_reopen": MANAGER,
        "action_waive_report": MANAGER,
        "action_correct_date": MANAGER,
        "action_amend": COORDINATOR,
        "action_carry_balance": COORDINATOR,
        "action_view_amendments": None,
        "action_view_report": None,
        "action_view_recoveries": None,
        "action_view_entries": None,
        "action_view_deliverables": None,
        "action_view_decisions": None,
    },
    "grant.disbursement": {
        "action_send_payment_notice": COORDINATOR + OFFICER,
        "action_view_signed_scans": None,
        "action_check": COORDINATOR + OFFICER,
        "action_ask_certificate": COORDINATOR,
        "action_return": COORDINATOR + OFFICER,
        "action_order": OFFICER,
        "action_pay": OFFICER,
        "action_unpay": MANAGER,
        "action_withdraw": OFFICER,
        "action_cancel": MANAGER,
        "action_replan": MANAGER,
        "action_set_off": MANAGER,
        "action_view_moves": OFFICER,
    },
    "grant.deliverable": {
        "action_remind": COORDINATOR + OFFICER,
        "action_submit": COORDINATOR,
        "action_accept": COORDINATOR,
        "action_send_back": COORDINATOR,
        "action_waive": COORDINATOR,
        "action_reopen": COORDINATOR,
        "action_purge": COORDINATOR,
        "action_release_files": MANAGER,
        "action_download": None,
    },
    "grant.financial.report": {
        "action_view_signed_scans": None,
        "action_review": COORDINATOR,
        "action_send_back": COORDINATOR,
        "action_load_lines": COORDINATOR,
        "action_reopen": MANAGER,
        "action_view_recoveries": None,
    },
    "grant.recovery": {
        "action_view_signed_scans": None,
        "action_write_letter": COORDINATOR + OFFICER,
        "action_print_letter": None,
        "action_notify": OFFICER,
        "action_observe": COORDINATOR + OFFICER,
        "action_decide": MANAGER,
        "action_claim": OFFICER,
        "action_collect": OFFICER,
        "action_uncollect": MANAGER,
        "action_waive": MANAGER,
        "action_set_off": MANAGER,
        "action_view_moves": OFFICER,
        "action_make_pes": OFFICER,
    },
    "grant.amendment": {
        "action_view_signed_scans": None,
        "action_sign": MANAGER,
        "action_correct_date": MANAGER,
        "action_refresh": COORDINATOR + MANAGER,
        "action_discard": COORDINATOR,
        "action_view_entries": None,
    },
    "grant.milestone": {"action_reach": COORDINATOR, "action_unreach": COORDINATOR},
    "grant.deliverable.version": {"action_download": None},
    "grant.condition": {"action_lift": None, "action_override": MANAGER},
    "grant.own.cost": {"action_open_move": OFFICER},
    "grant.treasury.import": {
        "action_book": OFFICER,
        "action_refresh": OFFICER,
        "action_view_lines": None,
    },
    "grant.treasury.line": {"action_leave_out": OFFICER, "action_put_back": OFFICER},
    "grant.order.batch": {"action_print": OFFICER, "action_make_pes": OFFICER},
    "grant.review": {
        "action_accept": COORDINATOR,
        "action_accept_all": COORDINATOR,
        "action_send_back": COORDINATOR,
        "action_waive": COORDINATOR,
        "action_purge": COORDINATOR,
        "action_open_document": COORDINATOR,
    },
    "grant.date.request": {
        "action_agree": COORDINATOR, "action_refuse": COORDINATOR, "action_answer": COORDINATOR,
    },
    "grant.entry": {"action_open_origin": None},
    "grant.ledger.comparison": {"action_confirm": None},
    "grant.register.upload": {"action_confirm": COORDINATOR},
    "grant.reminder": {"action_open_mail": None, "action_preview": COORDINATOR},
    "grant.letter": {
        "action_open_mail": None,
        "action_open_pdf": None,
        "action_send_again": COORDINATOR + OFFICER,
    },
    "grant.own.cost.accounts": {"action_confirm": ("administrator",)},
}


@tagged("post_install", "-at_install")
class TestViews(GrantsCommon):
    """Every screen opens for each role that reaches it, and shows no button it cannot use."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env.ref("ctai_grants.schedule_template_three")
        cls.subsidy = cls.make_subsidy(template_id=cls.template.id)
        cls.subsidy.action_grant()
        cls.subsidy.action_apply_template()
        cls.subsidy.action_sign()
        cls.env["grant.funding"].create(
            {"name": "First", "envelope_id": cls.envelope.id, "amount": 75000}
        )
        tranche = cls.make_tranche(cls.sign(cls.make_subsidy()), amount=1000)
        cls.pay(tranche)
        of_subsidy = {"subsidy_id": tranche.subsidy_id.id}
        cls.env["grant.recovery"].create({**of_subsidy, "amount": 100})
        cls.env["grant.financial.report"].create(
            {**of_subsidy, "exercise_start": "2021-10-25", "exercise_end": "2022-06-30"}
        )
        cls.make_subsidy(envelope_id=cls.direct_envelope.id)
        cls.subsidy.action_carry_balance()

    # ------------------------------------------------------------------
    # Reading views as the web client does
    # ------------------------------------------------------------------

    def _get_menus(self, user):
        root = self.env.ref("ctai_grants.menu_grants")
        visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
        menus = self.env["ir.ui.menu"].search(
            [("id", "child_of", root.id), ("id", "in", list(visible)), ("action", "!=", False)]
        )
        # Those of this add-on: others have tests of their own.
        names = menus.get_external_id()
        return menus.filtered(lambda menu: names[menu.id].startswith("ctai_grants."))

    def _get_actions(self, user):
        # The page of the day has a test of its own.
        actions = set()
        for action in self._get_menus(user).mapped("action"):
            if action._name == "ir.actions.server":
                opened = action.with_user(user).run()["id"]
                action = self.env["ir.actions.act_window"].browse(opened)
            if action._name == "ir.actions.act_window":
                actions.add(action)
        return actions

    def _get_views(self, action, user):
        """The model as ``user`` and its views in the action, as trees by type."""
        model = self.env[action.res_model].with_user(user)
        result = model.get_views([*action.views, (action.search_view_id.id, "search")])
        return model, {
            kind: etree.fromstring(view["arch"]) for kind, view in result["views"].items()
        }

    def _get_specification(self, model, node):
        """What the web client asks for, to show the fields below ``node``."""
        specification = {}
        for child in node:
            if child.tag != "field":
                specification.update(self._get_specification(model, child))
                continue
            field = model._fields[child.get("name")]
            if field.type in ("one2many", "many2many"):
                comodel = model.env[field.comodel_name]
                below = {"display_name": {}, **self._get_specification(comodel, child)}
                specification[field.name] = {"fields": below}
            elif field.type == "many2one":
                specification[field.name] = {"fields": {"display_name": {}}}
            else:
                specification[field.name] = {}
        return specification

    def _evaluate(self, expression, user):
        return safe_eval(
            expression or "[]",
            {"uid": user.id, "context_today": date.today, "relativedelta": relativedelta},
        )

    def _open(self, action, user):
        """Open ``action`` as ``user``, each of its views."""
        domain = self._evaluate(action.domain, user)
        model, views = self._get_views(action, user)
        for kind, tree in views.items():
            if kind in ("pivot", "graph"):
                rows = [f.get("name") for f in tree.iter("field") if f.get("type") != "measure"]
                measures = [f.get("name") for f in tree.iter("field") if f.get("type") == "measure"]
                groupby = [f"{r}:month" if model._fields[r].type == "date" else r for r in rows]
                model.formatted_read_group(domain, groupby, [f"{name}:sum" for name in measures])
            elif kind not in ("search", "activity"):
                specification = self._get_specification(model, tree)
                found = model.web_search_read(domain, specification, limit=80)
                if tree.get("default_group_by"):
                    model.formatted_read_group(domain, [tree.get("default_group_by")], ["__count"])
                if kind == "form":
                    model.browse(r["id"] for r in found["records"]).web_read(specification)
                    if model.has_access("create"):
                        model.onchange({}, [], specification)
        return model, views, domain

    def _get_buttons(self, model, tree):
        """(model, method) of each button of ``tree``."""
        buttons = set()
        for button in tree.iter("button"):
            if button.get("type") != "object":
                continue
            owner = model
            for field in reversed([a for a in button.iterancestors("field")]):
                owner = owner.env[owner._fields[field.get("name")].comodel_name]
            buttons.add((owner._name, button.get("name")))
        return buttons

    # ------------------------------------------------------------------
    # Tests
    # ------------------------------------------------------------------

    def test_menus_by_role(self):
        """Each role finds its own work, nobody the work of others."""
        for role in ROLES:
            with self.subTest(role=role):
                menus = self._get_menus(getattr(self, role))
                names = {xmlid.split(".")[1] for xmlid in menus.get_external_id().values()}
                self.assertEqual(names - {"menu_grants"}, MENUS[role])

    def test_every_menu_opens(self):
        """Every view of every menu reads what it shows, for each role that sees it."""
        for role in ROLES:
            user = getattr(self, role)
            for action in self._get_actions(user):
                with self.subTest(role=role, action=action.path):
                    self._open(action, user)

    def test_dates_have_their_year(self):
        """Odoo leaves out the one that runs; a date of a partner is as Odoo shows it."""
        for action in self._get_actions(self.reader):
            model, views = self._get_views(action, self.reader)
            for kind in {"list", "form", "kanban"} & set(views):
                for node in views[kind].iter("field"):
                    owner = model
                    for field in reversed([a for a in node.iterancestors("field")]):
                        owner = owner.env[owner._fields[field.get("name")].comodel_name]
                    field = owner._fields[node.get("name")]
                    if field.type in ("date", "datetime"):
                        options = safe_eval(node.get("options", "{}"))
                        with self.subTest(model=owner._name, kind=kind, field=field.name):
                            ours = owner._name.startswith("grant.")
                            self.assertEqual(bool(options.get("numeric")), ours)

    def test_settings_open(self):
        """Whoever may change the settings of Odoo finds those of the grants there."""
        user = self.env.ref("base.user_admin")
        self.assertIn(self.env.ref("ctai_grants.menu_settings"), self._get_menus(user))
        action = self.env.ref("ctai_grants.res_config_settings_action")
        _model, views = self._get_views(action, user)
        self.assertTrue(views["form"].xpath("//field[@name='grant_convention_threshold']"))

    def test_every_filter_works(self):
        """Each filter and group of each search view is one the database can answer."""
        user = self.administrator
        tried = 0
        for action in self._get_actions(user):
            if action.res_model == "res.partner":
                continue  # its search view is Odoo's
            model, views, domain = self._open(action, user)
            for node in views["search"].iter("filter"):
                with self.subTest(action=action.path, filter=node.get("name")):
                    tried += 1
                    if node.get("context"):
                        group = self._evaluate(node.get("context"), user)["group_by"]
                        model.formatted_read_group(domain, [group], ["__count"])
                    elif node.get("date"):
                        self.assertEqual(model._fields[node.get("date")].store, True)
                    else:
                        model.search_count(domain + self._evaluate(node.get("domain"), user))
        self.assertGreater(tried, 50)

    def test_lists_find_what_they_show(self):
        """What is typed and sent is looked for in the name, and in the operator and the code of the
        subsidy beside it."""
        self.make_deliverable(self.make_subsidy(), name="Bilan")
        for model in (
            "grant.subsidy", "grant.disbursement", "grant.deliverable", "grant.recovery",
            "grant.financial.report", "grant.entry",
        ):  # fmt: skip
            records = self.env[model].with_user(self.reader)
            views = records.get_views([(False, "search")])["views"]
            field = etree.fromstring(views["search"]["arch"]).find("field")
            typed = field.get("filter_domain", f"[('{field.get('name')}', 'ilike', self)]")
            path = "code" if model == "grant.subsidy" else "subsidy_id.code"
            code = records.search([("partner_id", "=", self.operator.id)], limit=1).mapped(path)[0]
            for words in (self.operator.name, code):
                with self.subTest(model=model, words=words):
                    self.assertTrue(records.search_count(safe_eval(typed, {"self": words})))

    def test_every_action_has_an_address_and_a_word(self):
        """Each window has a readable address, and a sentence for when it is empty."""
        for action in self._get_actions(self.administrator):
            if action.target == "new":
                continue  # over another window, and never empty
            with self.subTest(action=action.name):
                self.assertTrue(action.path)
                self.assertIn("<p>", action.help or "")

    def test_buttons_by_role(self):
        """A button is there for those its method lets through, and for nobody else."""
        for role in ROLES:
            user = getattr(self, role)
            seen = set()
            for action in self._get_actions(user):
                model, views = self._get_views(action, user)
                for tree in views.values():
                    if model._name != "res.partner":
                        seen |= self._get_buttons(model, tree)
            expected = {
                (model, method)
                for model, methods in BUTTONS.items()
                for method, roles in methods.items()
                if roles is None
                or any(user.has_group(f"ctai_grants.group_{name}") for name in roles)
            }
            with self.subTest(role=role):
                self.assertEqual(seen, expected)

    def test_wizards_open(self):
        """The windows that ask for a reason, an order, a payment, a file or a receipt open."""
        for model, user in (
            ("grant.reason", self.coordinator),
            ("grant.deliverable.submit", self.coordinator),
            ("grant.disbursement.order", self.finance_officer),
            ("grant.disbursement.certify", self.coordinator),
            ("grant.disbursement.pay", self.finance_officer),
            ("grant.funding.claim", self.finance_officer),
            ("grant.funding.receive", self.finance_officer),
            ("grant.treasury.upload", self.finance_officer),
            ("grant.payroll.import", self.finance_officer),
            ("grant.pes.answer", self.finance_officer),
            ("grant.recovery.step", self.finance_officer),
        ):
            with self.subTest(model=model):
                wizard = self.env[model].with_user(user)
                views = wizard.get_views([(False, "form")])["views"]
                tree = etree.fromstring(views["form"]["arch"])
                self.assertTrue(tree.xpath("//button[@name='action_confirm']"))
                self.assertTrue(tree.xpath("//button[@special='cancel']"))
                wizard.onchange({}, [], self._get_specification(wizard, tree))

    def test_subsidy_typed_in(self):
        """A coordinator enters a subsidy on its form, from an empty one."""
        with Form(self.env["grant.subsidy"].with_user(self.coordinator)) as form:
            form.name = "Ateliers de cuisine"
            form.partner_id = self.operator
            form.envelope_id = self.envelope
            form.amount = 1200
            form.date_start = "2021-11-01"
            form.date_end = "2022-01-31"
            with form.action_ids.new() as action:
                action.name = "Cuisine"
                action.amount = 1200
        subsidy = form.record
        self.assertRegex(subsidy.code, r"^S\d{4}-\d+$")
        self.assertEqual(subsidy.action_ids.amount, 1200)
        self.assertFalse(subsidy.ceiling_warning)

    def test_codes_without_gaps(self):
        """Opening a form takes no number; saving does."""
        model = self.env["grant.subsidy"].with_user(self.coordinator)
        sequence = self.env.ref("ctai_grants.sequence_grant_subsidy")
        before = sequence.number_next_actual
        Form(model)
        sequence.invalidate_recordset()
        self.assertEqual(sequence.number_next_actual, before)
        self.make_subsidy()
        sequence.invalidate_recordset()
        self.assertEqual(sequence.number_next_actual, before + 1)

    def test_an_envelope_is_added_with_its_amount(self):
        """In its contract: the web client sends no field that only the cards' bar asks for."""
        model = self.env["grant.envelope"].with_user(self.finance_manager)
        arch = etree.fromstring(model.get_views([(False, "kanban")])["views"]["kanban"]["arch"])
        self.assertTrue(arch.xpath("/kanban/field[@name='amount']"))

    def test_a_piece_takes_the_name_of_its_type(self):
        kind = self.env["grant.deliverable.type"].create({"name": "Bilan", "code": "TEST-B"})
        milestone = self.env["grant.milestone"].search([], limit=1)
        form = Form(self.env["grant.deliverable"].with_user(self.coordinator))
        form.milestone_id = milestone
        form.type_id = kind
        self.assertEqual(form.name, "Bilan")
        form.name = "Bilan de mars"
        form.type_id = self.env["grant.deliverable.type"]
        self.assertEqual(form.name, "Bilan de mars")

    def test_envelope_choice(self):
        """An envelope can be chosen before the subsidy has a company, unless it is closed."""
        model = self.env["grant.subsidy"].with_user(self.coordinator)
        arch = etree.fromstring(model.get_views([(False, "form")])["views"]["form"]["arch"])
        domain = safe_eval(arch.xpath("//field[@name='envelope_id']")[0].get("domain"))
        contract = self.contract.copy({"signature_date": "2021-10-21"})
        contract = contract.with_user(self.finance_manager)
        contract.action_put_in_force()
        self.assertLessEqual(contract.envelope_ids, self.env["grant.envelope"].search(domain))
        contract.action_close()
        self.assertFalse(contract.envelope_ids & self.env["grant.envelope"].search(domain))

    def test_next_payment_alert(self):
        """What blocks the next payment names the pieces; then it says who acts."""
        first = self.subsidy.disbursement_ids[0]
        self.assertEqual(self.subsidy.next_disbursement_id, first)
        self.assertEqual(self.subsidy.next_amount, first.amount)
        for deliverable in first.deliverable_ids:
            self.assertIn(deliverable.name, self.say(self.subsidy.next_obstacles))
            deliverable.with_user(self.coordinator)._do_review("waived", ("expected",), "Test")
        self.assertFalse(self.subsidy.next_obstacles)
        self.assertEqual(self.subsidy.next_state, "ready")

    def test_ready_when_a_condition_is_typed_in(self):
        """The tranche comes to the list of those to certify when the convention is entered."""
        subsidy = self.sign(self.make_subsidy(amount=30000, convention_reference=False))
        tranche = self.env["grant.disbursement"].create(
            {"name": "Advance", "subsidy_id": subsidy.id, "amount": 30000}
        )
        self.assertEqual(tranche.state, "planned")
        subsidy.convention_reference = "CONV-43"
        self.assertEqual(tranche.state, "ready")

    def test_ready_when_the_account_is_verified(self):
        """The tranche is ready as soon as the operator's account is verified, and no longer
        when it is not."""
        account = self.operator.bank_ids
        account.allow_out_payment = False
        subsidy = self.sign(self.make_subsidy())
        tranche = self.env["grant.disbursement"].create(
            {"name": "Advance", "subsidy_id": subsidy.id, "amount": 10000}
        )
        self.assertEqual(tranche.state, "planned")
        account.with_user(self.finance_manager).allow_out_payment = True
        self.assertEqual(tranche.state, "ready")
        account.with_user(self.finance_manager).allow_out_payment = False
        self.assertEqual(tranche.state, "planned")

    def test_ledger_as_at(self):
        """The ledger's filters on the date keep what is dated at most then."""
        user = self.reader
        action = self.env.ref("ctai_grants.grant_entry_action")
        model, views, _domain = self._open(action, user)
        field = views["search"].xpath("//field[@name='date']")[0]
        self.assertEqual(field.get("operator"), "<=")
        today = fields.Date.context_today(model)
        ends = {
            "as_at_last_month": today.replace(day=1),
            "as_at_last_quarter": date(today.year, today.month - (today.month - 1) % 3, 1),
            "as_at_last_year": date(today.year, 1, 1),
        }
        for name, end in ends.items():
            with self.subTest(filter=name):
                node = views["search"].xpath(f"//filter[@name='{name}']")[0]
                found = model.search(self._evaluate(node.get("domain"), user))
                self.assertEqual(found, model.search([("date", "<", end)]))
        self.assertTrue(views["list"].get("create") == "0" and views["list"].get("edit") == "0")
