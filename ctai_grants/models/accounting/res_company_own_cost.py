from markupsafe import Markup

from odoo import Command, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..guard import transition

FIELD = "grant_own_cost_account_ids"


class ResCompany(models.Model):
    """The accounts of own costs: a change that moves money is an act, with its reason."""

    _inherit = "res.company"

    def write(self, vals):
        self, allowed = transition.spend(self)
        if FIELD in vals and FIELD not in allowed:
            for company in self:
                company._check_own_costs_stay(vals[FIELD])
        return super().write(vals)

    def _check_own_costs_stay(self, value):
        """Refuse to follow other accounts when the ledger would say other payments by that.

        :raise UserError: naming the accounts and the amounts
        """
        after = self._get_accounts_after(value)
        if after == self[FIELD] or not (effect := self._get_own_cost_effect(after)):
            return
        raise UserError(
            self.env._(
                "“%(setting)s” of %(company)s: %(change)s. The ledger would change by "
                "%(effect)s. Nothing was changed: “Change the accounts”, beside this setting, does "
                "it with a reason.",
                setting=self._fields[FIELD]._description_string(self.env),
                company=self.name,
                change=self._say_accounts_changed(after),
                effect="; ".join(self._say_own_cost_effect(effect)),
            )
        )

    def _get_accounts_after(self, value):
        """What a write of ``value`` makes of the accounts that are followed."""
        accounts = self[FIELD]
        for command in self.env["grant.guarded.mixin"]._as_commands(value):
            match command[0]:
                case Command.SET:
                    accounts = accounts.browse(command[2])
                case Command.CLEAR:
                    accounts = accounts.browse()
                case Command.LINK:
                    accounts |= accounts.browse(command[1])
                case Command.UNLINK | Command.DELETE:
                    accounts -= accounts.browse(command[1])
        return accounts

    def _say_accounts_changed(self, after):
        """Which accounts are followed from now on, and which not any more, in words."""
        accounts = self.with_company(self)[FIELD]
        after = after.with_env(accounts.env)
        said = []
        if added := after - accounts:
            said.append(
                self.env._("followed anew: %s", ", ".join(added.mapped("display_name")))
            )
        if dropped := accounts - after:
            said.append(
                self.env._("no longer followed: %s", ", ".join(dropped.mapped("display_name")))
            )
        return "; ".join(said)

    def _get_own_cost_effect(self, accounts):
        """What the ledger would post when own costs were followed on ``accounts``, and no others.

        :return: dict {cost of the city: euros}, without those that stay as they are
        """
        moves = self._get_own_cost_moves(accounts)
        return {subsidy: sum(days.values()) for subsidy, days in moves.items()}

    def _get_own_cost_moves(self, accounts):
        """The same by accounting date: dict {cost of the city: {date: euros}}."""
        self.ensure_one()
        # sudo: who sets the accounts may not see what is booked on them
        costs = self.env["grant.own.cost"].sudo()
        subsidies = costs.env["grant.subsidy"].search(
            [("company_id", "=", self.id), ("kind", "=", "own_cost")]
        )
        chosen = SQL(
            "SELECT %s AS company_id, unnest(%s::integer[]) AS account_id", self.id, accounts.ids
        )
        now = costs._get_differences(subsidies)
        then = costs._get_differences(subsidies, chosen)
        moves = {}
        for subsidy in subsidies:
            before, after = dict(now.get(subsidy, ())), dict(then.get(subsidy, ()))
            for date in {*before, *after}:
                change = after.get(date, 0.0) - before.get(date, 0.0)
                if not subsidy.currency_id.is_zero(change):
                    moves.setdefault(subsidy, {})[date] = change
        return moves

    def _say_own_cost_effect(self, effect):
        """A sentence for each cost of the city that would change."""
        return [
            self.env._(
                "%(subsidy)s: %(amount)s of payments",
                subsidy=subsidy.display_name,
                amount=("+" if amount > 0 else "") + subsidy.currency_id.format(amount),
            )
            for subsidy, amount in effect.items()
        ]

    def _change_own_cost_accounts(self, accounts, reason):
        """Follow own costs on ``accounts`` and no others; the ledger follows at once, and each
        cost of the city that it changes keeps the reason in its history.

        :raise UserError: costs of a contract that is closed would change, or what a closed period
            says was paid
        """
        self.ensure_one()
        moves = self._get_own_cost_moves(accounts)
        effect = {subsidy: sum(days.values()) for subsidy, days in moves.items()}
        for subsidy, days in moves.items():
            subsidy._check_costs_stay([date for date, amount in days.items() if amount < 0])
            if subsidy.envelope_id.state != "in_force":
                raise UserError(
                    self.env._(
                        "%(subsidy)s: its contract is closed, and what was counted there stays. "
                        "Keep the accounts that it was booked on.",
                        subsidy=subsidy.display_name,
                    )
                )
        change = self._say_accounts_changed(accounts)
        # sudo: who may do this, the window has checked; a company is written by its administrator
        company = self.sudo()
        transition.writing(company, {FIELD: None}).write({FIELD: [Command.set(accounts.ids)]})
        for subsidy, sentence in zip(effect, self._say_own_cost_effect(effect), strict=True):
            subsidy.message_post(
                body=Markup("<br/>").join((change, sentence, reason)),
                author_id=self.env.user.partner_id.id,
            )
