import datetime
from collections.abc import Callable
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate, frozendict
from odoo.tools.misc import format_date

_lt = LazyTranslate(__name__)
#: Days: what is paid later is not told yet, and how far one looks ahead.
SOON, AHEAD = 10, 30
#: Days: each night the ledger is verified; a night may fail.
VERIFIED = 2
#: More than a screen of each is a list, not a line of days.
MOST = 20
REPORT_TYPE = "ctai_grants.deliverable_type_financial_report"


def _of_state(state):
    return lambda _home: Domain("state", "=", state)


class Tile(NamedTuple):
    """Something to do: who does it, the list that it opens and which of its lines; of what its
    euros are the sum, and of which lines when not of those."""

    key: str
    label: str
    group: str
    action: str
    get_domain: Callable
    amount: str = ""
    summed: str = ""
    get_summed: Callable | None = None


COORDINATOR, OFFICER, MANAGER = (
    f"ctai_grants.group_{role}" for role in ("coordinator", "finance_officer", "finance_manager")
)
TILES = (
    Tile(
        "review", _lt("To review"), COORDINATOR, "grant_review_action", _of_state("submitted"),
        "amount", "grant.disbursement", lambda home: home._get_blocked_by_review(),
    ),
    Tile(
        "requests", _lt("Requests of operators"), COORDINATOR, "grant_date_request_action",
        _of_state("asked"),
    ),
    Tile(
        "certify", _lt("Tranches to certify"), COORDINATOR, "grant_disbursement_action_certify",
        _of_state("ready"), "amount",
    ),
    Tile(
        "reports", _lt("Financial reports awaited"), COORDINATOR, "grant_deliverable_action",
        lambda home: home._get_awaited(home.env.ref(REPORT_TYPE, False)),
    ),
    Tile(
        "late", _lt("Late pieces"), COORDINATOR, "grant_deliverable_action_late",
        lambda _home: Domain("is_late", "=", True),
    ),
    Tile(
        "accounts", _lt("Tranches that wait for a confirmed account"), MANAGER,
        "grant_condition_action",
        lambda _home: (
            Domain("code", "=", "bank") & Domain("state", "=", "unmet")
            & Domain("tranche_state", "=", "planned") & Domain("subsidy_id.state", "=", "signed")
        ),
    ),
    Tile(
        "contracts", _lt("Contracts to put in force"), MANAGER, "grant_contract_action",
        # Signed: what is still being written waits for nobody.
        lambda _home: (
            Domain("state", "=", "draft") & Domain("signature_date", "!=", False)
            & Domain("envelope_ids.amount", ">", 0)
        ),
    ),
    Tile(
        "amendments", _lt("Amendments in preparation"), MANAGER, "grant_amendment_action",
        _of_state("draft"),
    ),
    Tile(
        "recoveries", _lt("Recoveries to decide"), MANAGER, "grant_recovery_action_decide",
        lambda _home: Domain("is_delay_over", "=", True), "amount",
    ),
    Tile(
        "order", _lt("Payments to order"), OFFICER, "grant_disbursement_action_order",
        lambda _home: (
            Domain("state", "=", "certified") & Domain("envelope_id.payment_path", "=", "city")
        ),
        "amount",
    ),
    Tile(
        "pay", _lt("Payments due within 10 days or late"), OFFICER,
        "grant_disbursement_action_pay", lambda home: home._get_to_pay_soon(),
    ),
    Tile(
        "instalments", _lt("State instalments to claim"), OFFICER, "grant_funding_action",
        lambda home: Domain("state", "=", "expected") & home._until("due_date", 0), "amount",
    ),
    Tile(
        "findings", _lt("Alerts of the verifier"), MANAGER, "grant_finding_action",
        lambda _home: Domain.TRUE,
    ),
    Tile(
        "differences", _lt("Ledger and accounting differ"), OFFICER,
        "grant_accounting_control_action", lambda _home: Domain("is_different", "=", True),
    ),
)  # fmt: skip
# What happens on a day: of what model and states, the field of the day; what that is called.
DAYS = {
    "grant.deliverable": ("due_date", ("expected", "to_complete")),
    "grant.disbursement": ("payment_deadline", ("planned", "ready", "certified", "ordered")),
    "grant.funding": ("due_date", ("expected",)),
    "grant.recovery": ("answer_deadline", ("notified",)),
    "grant.contract": ("date_end", ("in_force",)),
}
CALLED = {
    "grant.deliverable": _lt("Piece due"),
    "grant.disbursement": _lt("To pay before"),
    "grant.funding": _lt("State instalment due"),
    "grant.recovery": _lt("Delay to answer ends"),
    "grant.contract": _lt("Contract ends"),
}


class GrantToday(models.AbstractModel):
    """The home of who works with grants: what waits for them, and what comes. Nothing is kept:
    each figure is counted by the domain of the list that it opens."""

    _name = "grant.today"
    _description = "Today"

    @api.model
    def get_today(self):
        """What the user has to do, as the page shows it: tiles in their order (those with nothing
        left out), envelopes of contracts in force, the next 30 days.

        The number of queries is that of the tiles, however many subsidies there are.

        :raise AccessError: the user does not read grants
        """
        self.env["grant.contract"].check_access("read")
        own = self._get_own_tiles()
        actions = self._get_actions(own)
        told = actions._fields.keys() & actions._get_readable_fields()
        # sudo: of these windows, what the web client is told of any
        rows = {row["id"]: row for row in actions.sudo().read(list(told))}
        tiles = [
            self._get_tile(tile, rows[action.id])
            for tile, action in zip(own, actions, strict=True)
        ]
        return {
            **self._get_empty_page(),
            "reads": True,
            "acts": bool(tiles),
            "tiles": [tile for tile in tiles if tile["count"]],
            "unverified": self._say_unverified(),
            "envelopes": self._get_envelopes(),
            "days": self._get_days(),
        }

    @api.model
    def get_counts(self):
        """How many lines wait for the user in the lists that have a tile: numbers by the id of
        the action, as menus show them; where there is nothing to do, nothing.

        :raise AccessError: the user does not read grants
        """
        # What the staff alone reads: a prefecture reads contracts.
        self.env["grant.review"].check_access("read")
        tiles, counts = self._get_own_tiles(), {}
        # sudo: of what model the lists are, of all of them at once
        for tile, action in zip(tiles, self._get_actions(tiles).sudo(), strict=True):
            if count := self.env[action.res_model].search_count(tile.get_domain(self)):
                counts[action.id] = counts.get(action.id, 0) + count
        return counts

    def _get_empty_page(self):
        return {
            "reads": False, "acts": False, "unverified": "", "tiles": [], "envelopes": [],
            "days": [], "most": MOST,
        }  # fmt: skip

    def _get_own_tiles(self):
        return [tile for tile in TILES if self.env.user.has_group(tile.group)]

    def _get_actions(self, tiles):
        find = self.env["ir.model.data"]._xmlid_to_res_id
        ids = [find(f"ctai_grants.{tile.action}") for tile in tiles]
        return self.env["ir.actions.act_window"].browse(ids)

    def _say_unverified(self):
        """That the ledger is not verified each night any more, to who is told what is found: no
        finding then means nothing."""
        if not self.env.user.has_group(MANAGER):
            return ""
        # sudo: when a job of ours ran last
        job = self.env.ref("ctai_grants.ir_cron_verify").sudo()
        last = job.first_failure_date or job.lastcall or job.create_date
        if last >= fields.Datetime.now() - datetime.timedelta(days=VERIFIED):
            return ""
        return self.env._(
            "The ledger was not verified since %(date)s: no alert means nothing. Ask an "
            "administrator to look at the scheduled action “%(job)s”.",
            date=format_date(self.env, last), job=job.name,
        )  # fmt: skip

    def _get_tile(self, tile, action):
        domain = tile.get_domain(self)
        summed = self.env[tile.summed or action["res_model"]]
        count, amounts = None, []
        if tile.amount:
            aggregates = ["__count", f"{tile.amount}:sum"]
            sought = tile.get_summed(self) if tile.get_summed else domain
            rows = summed._read_group(sought, ["currency_id"], aggregates)
            amounts = [currency.format(amount) for currency, _count, amount in rows if amount]
            count = sum(number for _currency, number, _amount in rows)
        if not tile.amount or tile.get_summed:
            count = self.env[action["res_model"]].search_count(domain)
        label = tile.label._translate(self.env.lang)
        # Nothing else than what was counted.
        action = {**action, "domain": list(domain), "context": {"create": False}, "name": label}
        return {
            "key": tile.key, "label": label, "count": count,
            "amount": " + ".join(amounts), "open": action,
        }  # fmt: skip

    # ------------------------------------------------------------------
    # Which lines
    # ------------------------------------------------------------------

    def _until(self, name, days):
        """Up to so many days from now, by the day of each city."""
        return self.env["res.company"]._get_grant_today_domain(
            lambda today: Domain(name, "<=", today + datetime.timedelta(days=days))
        )

    def _get_blocked_by_review(self):
        """Tranches that wait for something that was handed in: each counts once."""
        report = Domain("hand_in", "=", "submitted") & Domain("state", "=", "draft")
        waits = Domain("deliverable_id.state", "=", "submitted") | (
            Domain("code", "=", "report") & Domain("subsidy_id.report_ids", "any", report)
        )
        unmet = Domain("state", "=", "unmet") & waits
        return Domain("state", "=", "planned") & Domain("condition_ids", "any", unmet)

    def _get_awaited(self, kind):
        """Pieces of a kind, if there is one, that are due soon; those that are late have a tile."""
        if not kind:
            return Domain.FALSE
        return (
            Domain("type_id", "=", kind.id)
            & Domain("state", "in", ("expected", "to_complete"))
            & Domain("subsidy_id.state", "=", "signed")
            & Domain("is_late", "=", False)
            & self._until("due_date", AHEAD)
        )

    def _get_to_pay_soon(self):
        waits = Domain("state", "=", "ordered") | (
            Domain("state", "=", "certified") & Domain("envelope_id.payment_path", "=", "direct")
        )
        soon = self._until("payment_deadline", SOON) | Domain("payment_deadline", "=", False)
        return waits & soon

    # ------------------------------------------------------------------
    # Envelopes and days
    # ------------------------------------------------------------------

    def _get_envelopes(self):
        """Envelopes in force, as the bar of the form reads them."""
        envelopes = self.env["grant.envelope"].search(
            [("contract_id.state", "=", "in_force")], limit=MOST
        )
        names = (
            "display_name", "payment_path", "amount", "allocated_amount", "received_amount",
            "committed_amount", "paid_amount", "justified_amount", "recovered_amount",
            "draft_amount", "available_amount",
        )  # fmt: skip
        return [
            {
                **{name: envelope[name] for name in names},
                "id": envelope.id,
                "currency_id": envelope.currency_id.id,
                "contract": envelope.contract_id.display_name,
            }
            for envelope in envelopes
        ]

    def _get_days(self):
        """What is due in the next 30 days, in the order of its days."""
        found = [line for model in DAYS for line in self._get_lines(model)]
        found.sort(key=lambda line: line["day"])
        return [{**line, "day": format_date(self.env, line["day"])} for line in found[:MOST]]

    def _get_lines(self, model):
        field, states = DAYS[model]
        day = self.env["res.company"]._get_grant_today_domain(
            lambda today: Domain(field, ">=", today)
        )
        domain = Domain("state", "in", states) & day & self._until(field, AHEAD)
        if "subsidy_id" in self.env[model]._fields:
            domain &= Domain("subsidy_id.state", "=", "signed")
        records = self.env[model].search(domain, order=f"{field}, id", limit=MOST)
        open_form = frozendict(
            type="ir.actions.act_window", res_model=model, views=[(False, "form")]
        )
        return [
            {
                "key": f"{model}-{record.id}", "day": record[field],
                "what": CALLED[model]._translate(self.env.lang), "name": record.display_name,
                "open": {**open_form, "res_id": record.id},
            }
            for record in records
        ]  # fmt: skip
