# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The documents of one round of contended calls, and the calls: run by a client, in one
transaction, before all of them press their buttons.

Amounts are units, the same everywhere, so that how many of them fit is a plain division: under each
ceiling more is asked than there is room for, and whoever may pass is then a matter of the queue.
"""

import datetime

from freezegun import freeze_time

from odoo import Command, fields

from odoo.addons.ctai_grants.models.guard import transition
from odoo.addons.ctai_grants.tests.common import IBANS, PDF, make_siret, set_up_accounting

UNIT = 100.01
DAY = datetime.timedelta(days=1)
SIGNED_FROM, SIGNED_TO = "2021-10-25", "2031-12-31"
# How many units the envelopes have room for in a round: for the city's, less than is asked.
ROOM = {"city": 24, "direct": 9}


class Round:
    """What one round works on; ``calls`` are the buttons, ``fits`` says how many of each group
    pass."""

    def __init__(self, env, users, contract, number, today, presses=1):
        quiet = {"tracking_disable": True, "mail_create_nolog": True, "mail_notrack": True}
        self.envs = {
            role: env(user=uid, context={**env.context, **quiet}) for role, uid in users.items()
        }
        self.env = env(context={**env.context, **quiet})
        self.contract = env["grant.contract"].browse(contract)
        self.city, self.direct = self.contract.envelope_ids
        self.number, self.today = number, fields.Date.to_date(today)
        self.presses = presses
        # From here on the ceilings are what they are: later than any of them.
        self.since = self.today - 300 * DAY
        self.calls, self.fits = [], {}
        set_up_accounting(env.company)

    def model(self, role, name):
        return self.envs[role][name]

    def press(self, group, role, records, method, times=1):
        """Each of ``records`` is asked for by a call of its own."""
        for record in records:
            call = {"role": role, "model": record._name, "method": method, "args": [record.ids]}
            self.calls += [{"group": group, **call}] * times * self.presses

    def window(self, group, role, model, values, times=1):
        """Each window is confirmed by a call of its own."""
        windows = self.model(role, model).create(values)
        self.press(group, role, windows, "action_confirm", times)

    def day(self, number):
        """A day of the last month: acts are not entered in the order of their dates."""
        return self.today - number * 7 % 30 * DAY

    # --- documents --------------------------------------------------------------------------

    def make_operator(self):
        partners = self.env["res.partner"]
        count = partners.search_count([("name", "like", "Contention")])
        partner = partners.create({
            "name": f"Contention {count}", "is_company": True, "grant_role": "operator",
            "company_registry": make_siret(10**6 + count),
            # Invented: no bank has code 99999.
            "bank_ids": [Command.create(
                {"acc_number": IBANS[0], "allow_out_payment": True}
            )],
        })  # fmt: skip
        return partner

    def make_subsidies(self, envelope, units, count=1, state="signed", spread=False, **values):
        operator = self.make_operator()
        subsidies = self.model("coordinator", "grant.subsidy").create([
            {
                "name": "Subvention", "envelope_id": envelope.id, "amount": round(units * UNIT, 2),
                "partner_id": operator.id, "date_start": SIGNED_FROM, "date_end": SIGNED_TO,
                "decision_number": "D", "decision_date": "2021-09-27",
                "executory_date": "2021-10-01", "convention_reference": "C",
                "signature_date": self.day(number) if spread else self.today,
                **values,
            }
            for number in range(count)
        ])  # fmt: skip
        subsidies.action_grant()
        if state == "signed":
            subsidies.action_sign()
        return subsidies

    def make_tranches(self, subsidies, count=1, certified=True):
        """Of a unit each: beyond their subsidy too, as data from before may have them."""
        values = [
            {"name": "Tranche", "subsidy_id": subsidy.id, "amount": UNIT}
            for subsidy in subsidies
            for _number in range(count)
        ]
        tranches = transition.creating(self.env["grant.disbursement"], values).create(values)
        if certified:
            tranches.with_env(self.envs["coordinator"]).action_certify()
        return tranches

    def make_own_cost(self, units, day, **values):
        """What the city spends itself on one day: no other subsidy covers that day."""
        partner = self.env.company.partner_id
        return self.make_subsidies(
            self.city, units, kind="own_cost", partner_id=partner.id, date_start=day, date_end=day,
            **values,
        )  # fmt: skip

    def make_paid(self, envelope, units, **values):
        """A subsidy, paid whole by one tranche."""
        subsidy = self.make_subsidies(envelope, units, **values)
        tranche = self.model("finance_manager", "grant.disbursement").create(
            {"name": "Tout", "subsidy_id": subsidy.id, "amount": subsidy.amount}
        )
        tranche.with_env(self.envs["coordinator"]).action_certify()
        tranche = tranche.with_env(self.envs["finance_officer"])
        if envelope == self.city:
            tranche._do_order(self.get_number(tranche), self.today)
        tranche._do_pay(self.today, "VIR")
        return subsidy

    def get_number(self, tranche):
        return f"{self.number}{tranche.id:06d}"

    def make_recoveries(self, subsidies, collected):
        """Claims of a unit each, that the operator was heard about; paid back or not yet."""
        before = self.today - 17 * DAY
        recoveries = self.model("coordinator", "grant.recovery").create([
            {"subsidy_id": s.id, "amount": UNIT, "facts": "F", "reason": "condition", "letter": "L"}
            for s in subsidies
        ])  # fmt: skip
        with freeze_time(before):
            for recovery in recoveries.with_env(self.envs["finance_officer"]):
                recovery._do_notify(before)
        for recovery in recoveries.with_env(self.envs["finance_manager"]):
            recovery._do_decide("Fondé")
        for recovery in recoveries.with_env(self.envs["finance_officer"]):
            recovery._do_claim(self.today)
            if collected:
                recovery._do_collect(self.today, "VIR")
        return recoveries

    # --- the acts ---------------------------------------------------------------------------

    def prepare(self):
        """All documents of the round, then the ceilings of the envelopes, nearly full."""
        self.raise_ceilings(1000)
        # Not where cancellations make room: that is of today.
        spread = not self.number % 2
        self.prepare_commitments(spread)
        self.prepare_orders()
        self.prepare_payments()
        self.prepare_own_costs()
        self.prepare_recoveries()
        self.prepare_set_offs()
        if not spread:
            self.prepare_cancellations()
        self.lower_ceilings()
        return {"calls": self.calls, "fits": self.fits, "spread": spread}

    def raise_ceilings(self, units):
        self.amend_contract({
            envelope: envelope.allocated_amount + units * UNIT
            for envelope in (self.city, self.direct)
        })  # fmt: skip

    def lower_ceilings(self):
        """What is left is what :data:`ROOM` says."""
        self.env.flush_all()
        self.env.invalidate_all()
        self.amend_contract({
            envelope: envelope.committed_amount + ROOM[path] * UNIT
            for envelope, path in ((self.city, "city"), (self.direct, "direct"))
        })  # fmt: skip

    def amend(self, **values):
        amendment = self.model("coordinator", "grant.amendment").create(
            {
                "reason": "R", "decision_number": "D2", "decision_date": self.since,
                "executory_date": self.since, "signature_date": self.since, **values,
            }
        )  # fmt: skip
        file = {"name": "a.pdf", "raw": PDF, "res_model": amendment._name, "res_id": amendment.id}
        amendment.attachment_ids = self.model("coordinator", "ir.attachment").create(file)
        return amendment

    def amend_contract(self, amounts):
        amendment = self.amend(contract_id=self.contract.id)
        for line in amendment.envelope_line_ids:
            line.amount = round(
                next(amount for e, amount in amounts.items() if e.id == line.item_id), 2
            )
        amendment.with_env(self.envs["finance_manager"]).action_sign()

    def prepare_commitments(self, spread):
        """Signatures, amendments, own costs and a bounced repayment under one ceiling."""
        self.fits |= {"city": ROOM["city"], "direct": ROOM["direct"]}
        for group, envelope, count in (("city", self.city, 24), ("direct", self.direct, 15)):
            granted = self.make_subsidies(envelope, 1, count, state="granted", spread=spread)
            self.press(group, "coordinator", granted[:6], "action_sign", times=2)
            self.press(group, "coordinator", granted[6:], "action_sign")
        for subsidy in self.make_subsidies(self.city, 1, 6):
            amendment = self.amend(
                subsidy_id=subsidy.id, amount=round(2 * UNIT, 2), signature_date=self.today
            )
            self.press("city", "finance_manager", amendment, "action_sign")
        for own_costs in range(3 * self.number, 3 * self.number + 3):
            own = self.make_own_cost(1, self.today + DAY * (1 + own_costs), state="granted")
            self.press("city", "coordinator", own, "action_sign")
        for _number in range(3):
            closed = self.make_paid(self.city, 1)
            recovery = self.make_recoveries(closed, collected=True)
            closed.with_env(self.envs["finance_manager"])._do_close("Terminé")
            self.ask_reason("city", "finance_manager", recovery, "uncollect", times=2)

    def ask_reason(self, group, role, records, action, times=1):
        values = {"res_model": records._name, "action": action, "reason": "R"}
        rows = [{**values, "res_ids": record.ids} for record in records]
        self.window(group, role, "grant.reason", rows, times)

    def prepare_orders(self):
        subsidy = self.make_subsidies(self.city, 8)
        self.fits["order"] = 8
        for tranche in self.make_tranches(subsidy, 12):
            values = {"order_number": self.get_number(tranche), "order_date": self.today}
            values["disbursement_ids"] = [Command.set(tranche.ids)]
            self.window("order", "finance_officer", "grant.disbursement.order", values)
        tranches = self.make_tranches(self.make_subsidies(self.city, 6), 6, certified=False)
        self.fits["certify"] = 6
        self.press("certify", "coordinator", tranches, "action_certify", times=2)

    def prepare_payments(self):
        """The State's beyond their subsidy; the city's, each twice."""
        tranches = self.make_tranches(self.make_subsidies(self.direct, 8), 12)
        self.fits |= {"pay direct": 8, "pay": 5}
        self.pay("pay direct", tranches, 1)
        tranches = self.make_tranches(self.make_subsidies(self.city, 5), 5)
        self.order_each(tranches)
        self.pay("pay", tranches, 2)

    def order_each(self, tranches):
        for tranche in tranches.with_env(self.envs["finance_officer"]):
            tranche._do_order(self.get_number(tranche), self.today)

    def pay(self, group, tranches, times):
        rows = [{"disbursement_id": t.id, "paid_date": self.today} for t in tranches]
        self.window(group, "finance_officer", "grant.disbursement.pay", rows, times)

    def prepare_own_costs(self):
        """Eight entries of half a unit each, of two units committed: the rest is not covered."""
        day = self.since + DAY * self.number
        self.make_own_cost(2, day, signature_date=day)
        company = self.env.company
        share = {str(self.city._get_analytic_account().id): 100}
        pay = company.grant_own_cost_account_ids[0]
        other = self.env["account.account"].search([("account_type", "=", "liability_current")])[0]
        moves = self.env["account.move"].create([
            {
                "move_type": "entry", "date": day,
                "journal_id": company.grant_payroll_journal_id.id,
                "line_ids": [
                    Command.create(
                        {"account_id": pay.id, "balance": 50, "analytic_distribution": share}
                    ),
                    Command.create({"account_id": other.id, "balance": -50}),
                ],
            }
            for _number in range(8)
        ])  # fmt: skip
        self.fits["own cost"] = 8
        self.press("own cost", "accountant", moves, "action_post")

    def prepare_recoveries(self):
        subsidy = self.make_paid(self.city, 3)
        values = [{"subsidy_id": subsidy.id, "amount": UNIT}]
        create = {"model": "grant.recovery", "method": "create", "args": [values]}
        self.fits |= {"recover": 3, "collect": 3, "bounce": 3}
        self.calls += [{"group": "recover", "role": "coordinator", **create}] * 6
        claimed = self.make_recoveries([self.make_paid(self.city, 3)] * 3, collected=False)
        rows = [{"recovery_id": r.id, "step": "collect", "date": self.today} for r in claimed]
        self.window("collect", "finance_officer", "grant.recovery.step", rows, times=2)
        collected = self.make_recoveries([self.make_paid(self.city, 3)] * 3, collected=True)
        self.ask_reason("bounce", "finance_manager", collected, "uncollect", times=2)

    def prepare_set_offs(self):
        """Six orders against a claim on the operator that three of them extinguish."""
        subsidy = self.make_subsidies(self.city, 6)
        tranches = self.make_tranches(subsidy, 6)
        self.order_each(tranches)
        company, accounts = self.env.company, self.env["account.account"]
        rent = accounts.search([("code", "=", "752X")]) or accounts.create(
            {"code": "752X", "name": "Loyers", "account_type": "income"}
        )
        claim = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": subsidy.partner_id.id,
            "journal_id": company.grant_sale_journal_id.id, "invoice_date": self.today,
            "date": self.today,
            "invoice_line_ids": [Command.create({
                "name": "Loyer", "price_unit": round(3 * UNIT, 2), "account_id": rent.id,
                "tax_ids": [Command.clear()],
            })],
        })  # fmt: skip
        claim.action_post()
        set_offs = self.model("finance_manager", "grant.set.off").create([
            {
                "debt_move_id": tranche.move_ids.id, "claim_move_id": claim.id, "amount": UNIT,
                "date": self.today, "reference": "COMP", "reason": "Compensation",
            }
            for tranche in tranches
        ])  # fmt: skip
        self.fits["set off"] = 3
        self.press("set off", "finance_manager", set_offs, "action_record")

    def prepare_cancellations(self):
        """Signed subsidies that make room for others meanwhile."""
        signed = self.make_subsidies(self.city, 1, 4)
        self.ask_reason("cancel", "coordinator", signed, "cancel")
        self.fits["cancel"] = 4
        self.fits["city"] += 4
