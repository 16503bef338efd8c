"""What the administrator of Odoo calls, to take away what the ledger stands on or to post past the
documents: refused, in a sentence, with nothing changed (R3). By calls as they come over RPC."""

import datetime

import psycopg2

from odoo.exceptions import AccessError, MissingError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

from ...models.ledger import grant_entry_keeper
from ..common import PDF, GrantsCommon

# What the database holds, beside rows: tables and columns, constraints, indexes, triggers.
SHAPE = """
    WITH ours AS (SELECT oid, relname FROM pg_class
                   WHERE relnamespace = current_schema::regnamespace
                     AND relkind = 'r' AND relname ~ '^(grant_|account_(move|pay|part)|ir_rule)')
    SELECT 'column', relname || '.' || attname FROM pg_attribute JOIN ours ON ours.oid = attrelid
     WHERE attnum > 0 AND NOT attisdropped
     UNION ALL SELECT 'constraint', relname || '.' || conname
      FROM pg_constraint JOIN ours ON ours.oid = conrelid
     UNION ALL SELECT 'index', relname || '.' || indexrelid::regclass::text
      FROM pg_index JOIN ours ON ours.oid = indrelid
     UNION ALL SELECT 'trigger', tgname::text || tgenabled::text FROM pg_trigger
     WHERE NOT tgisinternal
     UNION ALL SELECT 'module', name || state FROM ir_module_module WHERE state <> 'uninstalled'
     UNION ALL SELECT 'subsidy', id::text || state FROM grant_subsidy
     UNION ALL SELECT 'entry', hash FROM grant_entry
"""
FORCED = {MODULE_UNINSTALL_FLAG: True}
ROLES = "base.group_system,ctai_grants.group_administrator,account.group_account_manager"
KEPT = ("ctai_grants", "account", "mail", "l10n_fr_siret", "base")


class AdministratorCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.sign(cls.make_subsidy())
        cls.direct = cls.sign(cls.make_subsidy(envelope_id=cls.direct_envelope.id))
        cls.system = new_test_user(cls.env, "test_system", ROLES, password="test_system")
        cls.env.flush_all()

    def call(self, model, method, /, *args, **context):
        """A call as it comes over RPC."""
        result = call_kw(self.env[model].with_user(self.system), method, args, {"context": context})
        self.env.flush_all()
        return result

    def find(self, model, /, **values):
        domain = [(name.replace("__", "."), "=", value) for name, value in values.items()]
        return self.env[model].search(domain)

    def get_shape(self):
        return set(self.env.execute_query(SQL(SHAPE)))

    def assertKept(self, attack, *parts, exception=UserError, **about):
        """What is tried is refused with all of ``parts``, and has changed nothing."""
        before = self.get_shape()
        with (
            self.subTest(**about),
            mute_logger("odoo.sql_db", "odoo.addons.base.models.ir_actions"),
            self.assertRefused(*parts, exception=exception),
            self.env.cr.savepoint(),
        ):
            attack()
        self.env.invalidate_all()
        self.assertEqual(self.get_shape(), before)


class TestUninstalling(AdministratorCase):
    """Add-ons, tables, columns and constraints stay while the ledger holds entries."""

    def test_add_ons(self):
        for name in KEPT:
            module = self.find("ir.module.module", name=name)
            for method, *values in (
                ("button_uninstall",),
                ("module_uninstall",),
                ("unlink",),
                ("write", {"state": "to remove"}),
                ("write", {"state": "uninstalled"}),
                ("write", {"state": "to install"}),
                ("write", {"state": False}),
                ("write", {"name": "another"}),
            ):
                # Of base, Odoo itself says no first.
                told = ("grants_uninstall",) if name != "base" else ()
                self.assertKept(
                    lambda m=module, f=method, v=values: self.call(
                        "ir.module.module", f, m.ids, *v, **FORCED
                    ),
                    *told, module=name, method=method, values=values,
                )  # fmt: skip

    def test_an_add_on_that_depends_on_nothing(self):
        """What the database says of dependencies is anybody's to write who administers."""
        ours = self.find("ir.module.module", name="ctai_grants")
        self.call("ir.module.module.dependency", "unlink", ours.dependencies_id.ids)
        siret = self.find("ir.module.module", name="l10n_fr_siret")
        self.assertKept(
            lambda: self.call("ir.module.module", "button_uninstall", siret.ids), "l10n_fr_siret"
        )

    def test_by_sql(self):
        for name in KEPT:
            for query in (
                "UPDATE ir_module_module SET state = 'to remove' WHERE name = %s",
                "UPDATE ir_module_module SET state = 'uninstalled' WHERE name = %s",
                "UPDATE ir_module_module SET name = 'x' || name WHERE name = %s",
                "DELETE FROM ir_module_module WHERE name = %s",
            ):
                with (
                    self.subTest(name=name, query=query),
                    mute_logger("odoo.sql_db"),
                    self.assertRaisesRegex(psycopg2.errors.CheckViolation, "uninstall"),
                    self.env.cr.savepoint(),
                ):
                    self.env.cr.execute(query, [name])

    def test_told_in_words(self):
        """What only the database has refused, too."""
        with mute_logger("odoo.sql_db"), self.env.cr.savepoint() as savepoint:
            try:
                self.env.cr.execute("DELETE FROM ir_module_module WHERE name = 'mail'")
            except psycopg2.errors.CheckViolation as error:
                savepoint.rollback()
                told = self.env["ir.module.module"]._sql_error_to_message(error)
        self.assertIn("“mail”", told)
        self.assertIn("odoo grants_uninstall", told)

    def test_what_is_named_is_told_in_words(self):
        """PostgreSQL 18 has a code of its own for it, which Odoo shows as it is."""
        subsidy = self.make_subsidy()
        theme = self.env["grant.theme"].create({"name": "Thème de test"})
        values = {"name": "FLE", "subsidy_id": subsidy.id, "theme_ids": theme.ids}
        self.env["grant.action"].create(values)
        self.sign(subsidy)
        if self.env.cr.connection.server_version < 180000:
            self.skipTest("Odoo has words for the code of this PostgreSQL")
        for record, document in (
            (theme, "Action"), (self.coordinator, "Grant"), (self.envelope, "Grant")
        ):
            with (
                self.subTest(record=record),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.RestrictViolation) as caught,
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(
                    SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(record._table), record.id)
                )
            told = self.env["base"]._find_who_refuses(caught.exception)
            told = told._sql_error_to_message(caught.exception)
            self.assertIn(document, told)
            self.assertIn("Archive it instead", told)

    def test_other_add_ons_come_and_go(self):
        # Nothing of ours stands on it, whether the city has it or not.
        module = self.find("ir.module.module", name="base_automation")
        module.state = "installed"
        module.with_user(self.system).button_uninstall()
        self.assertEqual(module.state, "to remove")
        module.state = "installed"
        ours = self.find("ir.module.module", name="ctai_grants")
        ours.state = "to upgrade"
        ours.state = "installed"

    def test_where_every_road_ends(self):
        """Loading, with a state that somebody wrote past all this; the hook, then the data."""
        hook = lambda: grant_entry_keeper.leave(self.env)  # noqa: E731
        self.assertKept(hook, "ctai_grants", "grants_uninstall")
        for name in KEPT:
            self.assertKept(
                lambda n=name: self.env["ir.model.data"]._module_data_uninstall([n]), name
            )

    def test_an_empty_ledger_is_nobodys(self):
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        self.env.cr.execute("DELETE FROM grant_entry")
        self.call("ir.module.module", "write", self.find("ir.module.module", name="mail").ids,
                  {"state": "to remove"})  # fmt: skip

    def test_models_and_fields(self):
        for name in ("grant.entry", "grant.decision", "grant.envelope", "account.move", "ir.rule"):
            model = self.find("ir.model", model=name)
            for context in ({}, FORCED):
                self.assertKept(
                    lambda m=model, c=context: self.call("ir.model", "unlink", m.ids, **c),
                    name, "grants_uninstall", model=name,
                )  # fmt: skip
        for model, name in (
            ("grant.entry", "memo"), ("grant.entry", "amount"), ("grant.subsidy", "paid_amount"),
            ("account.move", "grant_origin_id"), ("account.move", "amount_total"),
        ):  # fmt: skip
            field = self.find("ir.model.fields", model=model, name=name)
            self.assertKept(
                lambda f=field: self.call("ir.model.fields", "unlink", f.ids, **FORCED),
                f"{model}.{name}", field=name,
            )  # fmt: skip

    def test_constraints(self):
        found = self.env["ir.model.constraint"].search([("model.model", "like", "grant.")])
        # Not those of tables of links, which Odoo drops with these alone.
        there = {name for kind, name in self.get_shape() if kind != "column"}
        # Odoo's runner tests an add-on before those that depend on it are loaded.
        found = found.filtered(lambda line: line.model.model in self.env)
        models = {line: self.env[line.model.model] for line in found}
        found = found.filtered(lambda line: f"{models[line]._table}.{line.name}" in there)
        self.assertGreater(len(found), 100)
        before = self.get_shape()
        for constraint in found:
            if models[constraint]._transient:
                continue
            with self.subTest(constraint=constraint.name), self.assertRefused(constraint.name):
                self.call("ir.model.constraint", "unlink", constraint.ids)
        self.assertEqual(self.get_shape(), before)
        with self.assertRefused("…", "grants_uninstall"):
            self.call("ir.model.constraint", "unlink", found.ids)

    def test_a_constraint_under_another_line(self):
        """The line is anybody's to write: it is the constraint that counts."""
        envelope = self.find("ir.model", model="grant.envelope")
        line = self.find("ir.model.constraint", model__model="res.country")[0]
        name = "grant_envelope_committed_within_allocated"
        values = {"name": name, "model": envelope.id, "type": "u"}
        self.call("ir.model.constraint", "write", line.ids, values)
        lines = self.find("ir.model.constraint", name=name)
        self.assertKept(lambda: self.call("ir.model.constraint", "unlink", lines.ids), name)

    def test_values_of_selections(self):
        for model, name, value in (
            ("grant.subsidy", "state", "signed"), ("grant.entry", "kind", "payment"),
            ("account.move", "state", "posted"),
        ):  # fmt: skip
            line = self.find("ir.model.fields.selection", field_id__model=model,
                             field_id__name=name, value=value)  # fmt: skip
            for method, values in (("write", [{"value": "other"}]), ("unlink", [])):
                self.assertKept(
                    lambda m=method, v=values, s=line: self.call(
                        "ir.model.fields.selection", m, s.ids, *v, **FORCED
                    ),
                    f"{model}.{name} = {value}", model=model, method=method,
                )  # fmt: skip
            self.call("ir.model.fields.selection", "write", line.ids, {"name": "Autrement"})

    def test_tables_named_by_another_add_on(self):
        other = self.find("ir.module.module", name="base_automation")
        model = self.find("ir.model", model="res.users")
        for table in ("grant_entry", "grant_disbursement_deliverable_rel", "account_move"):
            self.call("ir.model.relation", "create",
                      {"name": table, "model": model.id, "module": other.id})  # fmt: skip
        before = self.get_shape()
        self.find("ir.model.relation", module=other.id).filtered(
            lambda relation: relation.name in ("grant_entry", "account_move")
            or relation.name.startswith("grant_")
        )._module_data_uninstall()
        self.assertEqual(self.get_shape(), before)
        self.assertFalse(self.find("ir.model.relation", module=other.id, name="grant_entry"))

    def test_documents_named_as_parts_of_an_add_on(self):
        """An upgrade deletes what its files have no longer: no document, whoever named it."""
        tranche = self.make_tranche(self.subsidy)
        self.pay(tranche)
        self.env["ir.attachment"].create({"name": "x", "res_model": "res.partner", "raw": b"x"})
        data = self.env["ir.model.data"]
        before = self.get_shape()
        for record in (
            self.subsidy, tranche, self.contract, tranche.move_ids, self.subsidy.entry_ids[0],
            self.find("ir.model", model="grant.entry"),
            self.find("ir.model.fields", model="grant.entry", name="amount"),
            self.find("ir.model.constraint", name="grant_envelope_committed_within_allocated"),
        ):  # fmt: skip
            with self.subTest(record=record), self.assertLogs("odoo.addons.ctai_grants", "WARNING"):
                data._process_end_unlink_record(record.with_env(self.env).with_context(**FORCED))
            self.assertTrue(record.exists())
        self.assertEqual(self.get_shape(), before)
        # A screen goes as ever.
        view = self.env["ir.ui.view"].create({"name": "x", "type": "qweb", "arch": "<p/>"})
        data._process_end_unlink_record(view.with_context(**FORCED))
        self.assertFalse(view.exists())

    def test_fields_that_delete(self):
        for name in ("grant.disbursement", "account.move", "res.partner"):
            values = {
                "name": "x_tag", "model_id": self.find("ir.model", model=name).id,
                "ttype": "many2one", "relation": "res.partner.category",
            }  # fmt: skip
            self.assertKept(
                lambda v=values: self.call(
                    "ir.model.fields", "create", {**v, "on_delete": "cascade"}
                ),
                "x_tag", "Cascade", model=name,
            )  # fmt: skip
            self.assertKept(
                lambda v=values: self.call(
                    "ir.model.fields", "create", v, default_on_delete="cascade"
                ),
                "x_tag", "Cascade", model=name,
            )  # fmt: skip


class TestPostingWithoutDocument(AdministratorCase):
    """A server action may call what RPC may not: what no document asks for is not posted."""

    def run_code(self, code):
        action = self.env["ir.actions.server"].create(
            {
                "name": "Écriture",
                "model_id": self.find("ir.model", model="grant.subsidy").id,
                "state": "code",
                "code": code,
            }
        )
        self.call("ir.actions.server", "run", action.ids,
                  active_model="grant.subsidy", active_id=self.subsidy.id)  # fmt: skip

    def test_lines(self):
        tranche = self.make_tranche(self.subsidy)
        direct = self.make_tranche(self.direct)
        funding = self.env["grant.funding"].create(
            {"name": "F", "envelope_id": self.envelope.id, "amount": 1}
        )
        report = self.env["grant.financial.report"].create(
            {"subsidy_id": self.subsidy.id, "exercise_start": "2021-10-25",
             "exercise_end": "2022-06-30"}
        )  # fmt: skip
        amendment = self.env["grant.amendment"].create({"subsidy_id": self.subsidy.id})
        own = self.sign(
            self.make_subsidy(kind="own_cost", partner_id=self.company.partner_id.id, amount=10)
        )
        today = datetime.date.today().isoformat()
        for document, kind, subsidy in (
            (self.contract, "allocation", None), (self.subsidy, "commitment", self.subsidy),
            (amendment, "commitment", self.subsidy), (amendment, "allocation", None),
            (tranche, "payment", self.subsidy), (direct, "payment", self.direct),
            (own, "payment", own), (self.subsidy, "payment", self.subsidy),
            (funding, "receipt", None), (report, "justification", self.subsidy),
        ):  # fmt: skip
            for amount in (0.01, -0.01):
                line = {
                    "kind": kind, "amount": amount, "date": today,
                    "envelope_id": (subsidy.envelope_id if subsidy else self.envelope).id,
                    "subsidy_id": subsidy.id if subsidy else False,
                }  # fmt: skip
                found = f"env['{document._name}'].browse({document.id})"
                for code in (
                    f"{found}._post_entries([{line}])",
                    f"env['grant.entry'].sudo()._post({found}.sudo(), [{line}])",
                ):
                    self.assertKept(
                        lambda c=code: self.run_code(c), "nothing asks for this entry",
                        document=document, kind=kind, amount=amount,
                    )  # fmt: skip

    def test_by_the_documents_own_methods(self):
        tranche = self.make_tranche(self.direct)
        today = datetime.date.today().isoformat()
        for code in (
            "record._post_commitment(0.01, record.signature_date)",
            "record._post_commitment(-0.01, record.signature_date)",
            f"env['grant.disbursement'].browse({tranche.id})._post_payment(1000, '{today}')",
            "record.envelope_id._post_allocation(record.contract_id, '2021-10-21', 1)",
            "record.envelope_id._post_allocation(record.contract_id, '2021-10-21', -1)",
        ):
            self.assertKept(lambda c=code: self.run_code(c), "nothing asks for", code=code)

    def test_paid_once(self):
        """A document that is paid is not paid again."""
        tranche = self.make_tranche(self.direct)
        self.certify(tranche)
        tranche.with_user(self.finance_officer)._do_pay("2021-11-25")
        tranche_code = f"env['grant.disbursement'].browse({tranche.id})"
        for amount in (1000, -1000, 0.01):
            self.assertKept(
                lambda a=amount: self.run_code(f"{tranche_code}._post_payment({a}, '2021-11-25')"),
                "nothing asks for this entry", amount=amount,
            )  # fmt: skip
        self.ask(tranche, "unpay", self.finance_manager)
        self.assertEqual(self.direct.paid_amount, 0)
        self.assertFalse(self.verify())

    def test_no_document(self):
        line = {"kind": "justification", "envelope_id": self.envelope.id, "amount": 1,
                "subsidy_id": self.subsidy.id, "date": "2021-12-01"}  # fmt: skip
        reports = "env['grant.financial.report']"
        self.assertKept(
            lambda: self.run_code(f"env['grant.entry']._post({reports}.browse(987654), [{line}])"),
            exception=MissingError,
        )
        forged = f"{reports}.new({{'subsidy_id': {self.subsidy.id}, 'state': 'accepted'}})"
        self.assertKept(
            lambda: self.run_code(f"env['grant.entry']._post({forged}, [{line}])"), "nothing asks"
        )
        self.assertKept(
            lambda: self.run_code(f"env['grant.entry'].sudo()._append({line})"),
            "never typed in", exception=AccessError,
        )  # fmt: skip

    def test_a_rule_of_the_interface(self):
        """What writes fields without code."""
        action = self.env["ir.actions.server"].create(
            {
                "name": "x",
                "model_id": self.find("ir.model", model="grant.subsidy").id,
                "state": "object_write",
                "update_path": "committed_amount",
                "value": "1",
            }
        )
        context = {"active_model": "grant.subsidy", "active_id": self.subsidy.id}
        self.assertKept(
            lambda: self.call("ir.actions.server", "run", action.ids, **context), "not typed in"
        )


class TestBooks(AdministratorCase):
    """The accounting and the files behind the ledger, with the keys that Odoo itself uses."""

    def test_orders_and_payments(self):
        tranche = self.make_tranche(self.subsidy)
        self.pay(tranche)
        bill = tranche.move_ids
        keys = {**FORCED, "force_delete": True, "dynamic_unlink": True}
        for model, records in (
            ("account.move", bill), ("account.move.line", bill.line_ids),
            ("account.move", bill._get_payment_moves()),
        ):  # fmt: skip
            self.assertKept(
                lambda m=model, r=records: self.call(m, "unlink", r.ids, **keys), model=model
            )
        self.assertFalse(self.verify())

    def test_files(self):
        piece = self.make_deliverable(self.subsidy)
        version = piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        file = version.sudo().file_ids.attachment_id
        for method, *values in (
            ("unlink",), ("write", {"raw": b"x"}), ("write", {"datas": "eA=="}),
            ("write", {"res_model": "res.partner", "res_id": self.operator.id}),
            ("write", {"store_fname": "aa/bb"}), ("write", {"type": "url", "url": "http://x"}),
        ):  # fmt: skip
            self.assertKept(
                lambda m=method, v=values: self.call("ir.attachment", m, file.ids, *v, **FORCED),
                method=method, values=values,
            )  # fmt: skip

    def test_company_and_currency(self):
        dollars = self.env["res.currency"].with_context(active_test=False).search(
            [("id", "!=", self.company.currency_id.id)], limit=1
        )
        currency = self.company.currency_id
        for records, method, values, exception in (
            (self.company, "unlink", (), psycopg2.IntegrityError),
            (self.company, "write", ({"currency_id": dollars.id},), UserError),
            (currency, "unlink", (), psycopg2.IntegrityError),
        ):
            self.assertKept(
                lambda r=records, m=method, v=values: self.call(r._name, m, r.ids, *v, **FORCED),
                exception=exception, records=records, method=method,
            )  # fmt: skip


@tagged("post_install", "-at_install")
class TestOverHttp(HttpCase, AdministratorCase):
    """The same over the wire: the sentence arrives, and says what to do."""

    def test_json_rpc(self):
        self.authenticate("test_system", "test_system")
        constraint = self.find(
            "ir.model.constraint", name="grant_envelope_committed_within_allocated"
        )
        entries = self.find("ir.model", model="grant.entry")
        module = self.find("ir.module.module", name="ctai_grants")
        for record, method in (
            (constraint, "unlink"), (entries, "unlink"), (module, "unlink"),
            (module, "module_uninstall"), (module, "button_uninstall"),
        ):  # fmt: skip
            params = {
                "model": record._name, "method": method, "args": [record.ids],
                "kwargs": {"context": FORCED},
            }  # fmt: skip
            before = self.get_shape()
            with self.subTest(model=record._name, method=method), mute_logger("odoo.http"):
                path = f"/web/dataset/call_kw/{record._name}/{method}"
                answer = self.url_open(path, json={"params": params}).json()
                self.assertIn("odoo grants_uninstall", answer["error"]["data"]["message"])
            self.assertEqual(self.get_shape(), before)
