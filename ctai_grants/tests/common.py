import datetime
import itertools
import threading
from contextlib import contextmanager
from unittest.mock import patch

from lxml import etree
from stdnum import luhn

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, freeze_time, new_test_user
from odoo.tools import SQL

from ..models.guard import transition
from .files import PDF  # noqa: F401  what most tests hand in

# The work is certified before the orders of these tests: in 2021, as they are.
CERTIFIED = "2021-11-08 12:00:00"
# Invented: no SIREN begins with 000. Nor are they the demonstration's, nor a code, a number or a
# login that a city may have: these tests pass in a database that holds data of its own.
SIRETS = ("00090001900019", "00090002700012")
# Of further organisations: one each.
numbers = itertools.count(90100)
# Invented accounts: no bank has the code 99999, and no branch of the demonstration's is 98.
IBANS = ("FR7699999000980000000000115", "FR7699999000980000000000212")


def make_siret(number=None, nic=1):
    """An invented SIRET: of a SIREN of its own, or establishment ``nic`` of SIREN ``number``."""
    siren = f"{next(numbers) if number is None else number:08d}"
    siret = f"{siren}{luhn.calc_check_digit(siren)}{nic:04d}"
    return siret + luhn.calc_check_digit(siret)


def make_french(company):
    """A city in France that counts in euros, with a chart of accounts of its own."""
    if company.is_france_country and company.currency_id.name == "EUR":
        return
    company.write({"country_id": company.env.ref("base.fr").id})
    company.write({"currency_id": company.env.ref("base.EUR").id, "chart_template": False})


def set_up_accounting(company):
    """What a company's accounting has: journals and the accounts of third parties."""
    env = company.env
    make_french(company)
    if company.grant_purchase_journal_id:
        return

    def make_account(code, name, account_type):
        values = {"code": code, "name": name, "account_type": account_type}
        return env["account.account"].create({**values, "company_ids": company.ids})

    def make_journal(code, name, kind, account=None):
        values = {"code": code, "name": name, "type": kind, "company_id": company.id}
        if account:
            values["default_account_id"] = account.id
        return env["account.journal"].create(values)

    for code, name, side in (
        ("T401", "Fournisseurs de test", "liability_payable"),
        ("T411", "Débiteurs de test", "asset_receivable"),
    ):
        account = make_account(code, name, side)
        field = f"property_account_{side.partition('_')[2]}_id"
        env["ir.default"].set("res.partner", field, account.id, company_id=company.id)
    treasury = make_account("T515", "Compte au Trésor de test", "asset_cash")
    if not company.account_journal_suspense_account_id:
        waiting = make_account("T471", "Compte d’attente de test", "asset_current")
        company.account_journal_suspense_account_id = waiting
    company.grant_purchase_journal_id = make_journal("TMAN", "Mandats", "purchase")
    company.grant_sale_journal_id = make_journal("TTIT", "Titres", "sale")
    company.grant_payment_journal_id = make_journal("TTRE", "Trésor", "bank", treasury)
    company._set_up_grant_accounting()


class GrantsCommon(TransactionCase):
    """A contract in force with two envelopes, an operator in each, and a user of each role."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(
            context=dict(
                cls.env.context,
                tracking_disable=True,
                mail_create_nolog=True,
                mail_create_nosubscribe=True,
                mail_notrack=True,
                no_reset_password=True,
            )
        )
        # The sentences that tests read, in whatever language the database was made.
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env["ir.default"].set("res.partner", "lang", "en_US")
        if cls.env["grant.contract"].search_count([], limit=1):
            # A database that holds data: numbers of orders and bills are those of its company.
            cls.env.user.company_id = cls._make_city_beside()
        cls.company = cls.env.company
        # In Paris it is tomorrow already, late in the evening of the dates that tests take.
        cls.company.partner_id.write({"lang": "en_US", "tz": "UTC"})
        set_up_accounting(cls.company)
        for role in (
            "reader",
            "coordinator",
            "finance_officer",
            "finance_manager",
            "administrator",
        ):
            user = new_test_user(cls.env, f"test_{role}", f"ctai_grants.group_{role}")
            setattr(cls, role, user)
        # Somebody the city trusts with both jobs: R5 must still hold.
        cls.both_roles = new_test_user(
            cls.env,
            "test_both_roles",
            "ctai_grants.group_coordinator,ctai_grants.group_finance_manager",
        )
        cls.staff = (
            cls.reader
            | cls.coordinator
            | cls.finance_officer
            | cls.finance_manager
            | cls.administrator
            | cls.both_roles
        )
        cls.prefecture = cls._make_organisation("Préfecture de test", "prefecture")
        cls.operator = cls._make_organisation("Association de test", "operator", IBANS[0])
        cls.other_operator = cls._make_organisation("Autre association", "operator", IBANS[1])
        cls.operator_user = cls._make_portal_user("operator", cls.operator)
        cls.other_operator_user = cls._make_portal_user("operator", cls.other_operator, "other_")
        cls.prefecture_user = cls._make_portal_user("prefecture", cls.prefecture)
        cls.contract = cls.env["grant.contract"].create(
            {
                "name": "Contrat de test",
                "code": "TEST-2021",
                "funder_id": cls.prefecture.id,
                "signature_date": "2021-10-21",
                "date_start": "2021-10-21",
                "date_end": "2022-12-31",
                "envelope_ids": [
                    Command.create({"name": "Protection", "code": "A", "amount": 150000}),
                    Command.create(
                        {
                            "name": "Newcomers",
                            "code": "B",
                            "amount": 50000,
                            "payment_path": "direct",
                        }
                    ),
                ],
            }
        )
        cls.contract.with_user(cls.finance_manager).action_put_in_force()
        cls.envelope, cls.direct_envelope = cls.contract.envelope_ids
        cls.portal_users = cls.operator_user | cls.other_operator_user | cls.prefecture_user

    @classmethod
    def _make_city_beside(cls):
        city = cls.env["res.company"].create(
            {"name": "Ville de test", "country_id": cls.env.ref("base.fr").id,
             "currency_id": cls.env.ref("base.EUR").id}
        )  # fmt: skip
        cls.env.user.company_ids += city
        cls.env["account.chart.template"].try_loading("fr", city, install_demo=False)
        return city

    @classmethod
    def _make_organisation(cls, name, role, iban=None):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "grant_role": role,
                "country_id": cls.env.ref("base.fr").id,
                "company_registry": SIRETS[IBANS.index(iban)] if iban in IBANS else make_siret(),
                "bank_ids": [
                    Command.create({"acc_number": iban, "allow_out_payment": True})
                ]
                if iban
                else [],
            }
        )

    @classmethod
    def _make_portal_user(cls, role, organisation, prefix=""):
        user = new_test_user(
            cls.env, f"test_{prefix}portal_{role}", f"ctai_grants.group_portal_{role}"
        )
        user.partner_id.parent_id = organisation
        return user

    @classmethod
    def make_subsidy(cls, user=None, **values):
        """A draft subsidy of the coordinator, with all that granting and signing need."""
        decided = str(values.get("decision_date") or "2021-09-27")
        return (
            cls.env["grant.subsidy"]
            .with_user(user or cls.coordinator)
            .create(
                {
                    "name": "Ateliers",
                    "envelope_id": cls.envelope.id,
                    "partner_id": cls.operator.id,
                    "amount": 10000,
                    "date_start": "2021-10-25",
                    "date_end": "2022-06-30",
                    "decision_number": "2021-0042",
                    "decision_date": "2021-09-27",
                    # Neither comes before the decision.
                    "executory_date": max("2021-10-01", decided),
                    "convention_reference": "CONV-42",
                    "signature_date": max("2021-10-25", decided),
                    **values,
                }
            )
        )

    @classmethod
    def set_dates(cls, subsidy, **dates):
        """Give a subsidy dates as data from before the rule about them may have them."""
        cls.env.flush_all()
        for name, date in dates.items():
            cls.env.cr.execute(
                SQL(
                    "UPDATE grant_subsidy SET %s = %s WHERE id = %s",
                    SQL.identifier(name),
                    date,
                    subsidy.id,
                )
            )
        cls.env.invalidate_all()

    @classmethod
    def sign(cls, subsidy):
        """Grant and sign a draft subsidy, as the coordinator."""
        subsidy = subsidy.with_user(cls.coordinator)
        subsidy.action_grant()
        subsidy.action_sign()
        return subsidy

    @classmethod
    def make_tranche(cls, subsidy, user=None, **values):
        """A tranche of ``subsidy`` without conditions of its own."""
        is_open = subsidy.state in ("draft", "granted")
        return (
            cls.env["grant.disbursement"]
            .with_user(user or (cls.coordinator if is_open else cls.finance_manager))
            .create({"name": "Avance", "subsidy_id": subsidy.id, "amount": 1000, **values})
        )

    @classmethod
    def make_tranche_beyond(cls, subsidy, **values):
        """A tranche that a signed subsidy has no room for, as data from before may have it."""
        values = {"name": "De trop", "subsidy_id": subsidy.id, **values}
        tranches = cls.env["grant.disbursement"].with_user(cls.finance_manager)
        return transition.creating(tranches, [values]).create(values).with_user(cls.finance_manager)

    @classmethod
    def make_deliverable(cls, subsidy, user=None, **values):
        """A piece expected from ``subsidy``'s operator, at a milestone of its own."""
        milestone = cls.env["grant.milestone"].create(
            {"name": "Bilan", "subsidy_id": subsidy.id, "date": "2022-06-30"}
        )
        return (
            cls.env["grant.deliverable"]
            .with_user(user or cls.coordinator)
            .create({"name": "Bilan", "milestone_id": milestone.id, **values})
        )

    @classmethod
    def make_report_file(cls, subsidy, user=None):
        """The signed financial report of ``subsidy``, handed in: a version of a piece."""
        piece = cls.make_deliverable(subsidy, name="Compte rendu financier")
        # Not by who accepts the report.
        piece.with_user(user or cls.both_roles)._do_submit("compte-rendu.pdf", PDF)
        return piece.last_version_id

    @classmethod
    def certify(cls, tranches, user=None, moment=CERTIFIED):
        """Certify the work done as the coordinator, before it is ordered."""
        cls._certify(tranches, user, moment)

    @classmethod
    def _certify(cls, tranches, user=None, moment=CERTIFIED):
        # By itself: some tests have another way to certify, under that name.
        with freeze_time(moment):
            tranches.with_user(user or cls.coordinator).action_certify()

    @classmethod
    def order(cls, tranche, number=None):
        """Certify as the coordinator and order as the finance officer, on one day."""
        cls._certify(tranche, moment="2021-11-20 06:00:00")
        tranche.with_user(cls.finance_officer)._do_order(
            number or f"M-{tranche.id}", datetime.date(2021, 11, 20)
        )
        return tranche

    @classmethod
    def pay(cls, tranche, date=datetime.date(2021, 11, 25)):
        """Certify, order and record the payment, each as who does it."""
        if tranche.payment_path == "direct":
            tranche.with_user(cls.coordinator).action_certify()
        else:
            cls.order(tranche)
        tranche.with_user(cls.finance_officer)._do_pay(date, "P-1")
        return tranche

    @classmethod
    def ask(cls, records, action, user, reason="Parce que"):
        """Do what takes a reason, through its window, as ``user``."""
        return (
            cls.env["grant.reason"]
            .with_user(user)
            .create(
                {
                    "res_model": records._name,
                    "res_ids": records.ids,
                    "action": action,
                    "reason": reason,
                }
            )
            .action_confirm()
        )

    @classmethod
    def override(cls, tranche, code, reason="Parce que", piece=None, user=None):
        """Do without a condition of ``tranche``, as the finance manager."""
        condition = tranche.condition_ids.filtered(
            lambda row: row.code == code and row.deliverable_id == (piece or row.deliverable_id)
        )
        cls.ask(condition, "override", user or cls.finance_manager, reason)
        return condition

    def verify(self, contract=None):
        """What the verifier finds wrong in a contract's ledger: nothing, hopefully."""
        return self.env["grant.entry"]._verify((contract or self.contract).envelope_ids)

    def unasked(self):
        """Let documents post what nothing asks for: what refuses then is the database."""
        sources = self.registry["grant.source.mixin"]
        return patch.object(sources, "_check_asked", lambda *_: None)

    @contextmanager
    def called_by(self, user):
        """As in a call of ``user``: commands inside values have the rights of who calls."""
        transaction = self.env.transaction
        before, transaction.default_env = transaction.default_env, self.env(user=user)
        try:
            yield
        finally:
            transaction.default_env = before

    @contextmanager
    def assertRefused(self, *parts, exception=UserError):
        """A refusal whose message has all of ``parts``; what was tried is rolled back."""
        with self.assertRaises(exception) as caught:
            yield
        for part in parts:
            self.assertIn(part, str(caught.exception))

    @staticmethod
    def say(obstacles):
        """What the form says of obstacles, a sentence a line."""
        return "\n".join(obstacle["sentence"] for obstacle in obstacles or ())

    # ------------------------------------------------------------------
    # What hot paths cost
    # ------------------------------------------------------------------

    def assertQueries(self, most, act, *documents, user=None):
        """Doing ``act`` to a document takes ``most`` SQL statements, all that is pending included.

        Each document in turn, and the last one counts: by then the caches of the server are warm,
        those of records empty, as when a request begins. Tracking and messages are as for users.
        """
        statements = []
        hooks = threading.current_thread().__dict__.setdefault("query_hooks", [])

        def note(_cr, query, *_args):
            statements.append(" ".join(str(query).split())[:160])

        for document in documents:
            env = self.env(user=user or self.env.user, context={"lang": "en_US"})
            document = document.with_env(env)
            self._settle()
            statements.clear()
            hooks.append(note)
            try:
                act(document)
                self._settle()
            finally:
                hooks.remove(note)
        listed = "\n".join(statements)
        self.assertLessEqual(len(statements), most, f"{len(statements)} statements:\n{listed}")

    def _settle(self):
        self.env.flush_all()
        # What runs before a commit, tracking too.
        self.env.cr.flush()
        self.env.invalidate_all()

    def read_list(self, model):
        """Read what the web client reads to show the list of ``model``: of our contract."""
        arch = model.get_views([(False, "list")])["views"]["list"]["arch"]
        names = {node.get("name") for node in etree.fromstring(arch).iterfind(".//field")}
        shown = {
            name: {"fields": {"display_name": {}}} if model._fields[name].relational else {}
            for name in sorted(names)
        }
        ours = [("contract_id", "=", self.contract.id)]
        return model.web_search_read(ours, shown, limit=80)["records"]
