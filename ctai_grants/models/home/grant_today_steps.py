from collections.abc import Callable
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)


class Step(NamedTuple):
    """Something that a new city does once: why, where, who can; whether the data say it is done."""

    label: str
    why: str
    action: str
    group: str
    is_done: Callable


def _get_city_needs(company):
    """What is missing of the city's own facts: sentences, with the action where each is entered."""
    needs = company._get_grant_obstacles()
    if not company.company_registry:
        siret = company.env._("Its SIRET is missing: enter it as “Company ID”.")
        needs.insert(0, (siret, "base.action_res_company_form"))
    return needs


def _has_people(company):
    """Who certifies is not who orders: two persons; a manager puts contracts in force."""
    coordinator = company._get_grant_person("coordinator")
    officer = coordinator and company._get_grant_person("finance_officer", but=coordinator)
    return officer and company._get_grant_person("finance_manager")


STEPS = (
    Step(
        _lt("Your city"),
        _lt("Country, currency, SIRET and chart of accounts: papers and files name them."),
        "base.action_res_company_form", "base.group_system",
        lambda company: not _get_city_needs(company),
    ),
    Step(
        _lt("Journals and accounts"),
        _lt("In the settings, “Set up what is missing” makes those of subsidies."),
        "ctai_grants.res_config_settings_action", "base.group_system",
        lambda company: not company._get_missing_grant_settings(),
    ),
    Step(
        _lt("People and roles"),
        _lt("Who certifies the work done is not who orders its payment: two persons at least."),
        "base.action_res_users", "base.group_erp_manager", _has_people,
    ),
    Step(
        _lt("The contract and its envelopes"),
        _lt("Enter the contract with the State, its envelopes and instalments, put it in force."),
        "ctai_grants.grant_contract_action", "ctai_grants.group_coordinator",
        lambda company: company.env["grant.envelope"].search_count(
            [("company_id", "=", company.id), ("contract_id.state", "=", "in_force")], limit=1
        ),
    ),
    Step(
        _lt("Operators"),
        _lt("Enter them or import their list: name, SIRET, address, bank account."),
        "ctai_grants.res_partner_action", "ctai_grants.group_coordinator",
        lambda company: company.env["res.partner"].search_count(
            [("grant_role", "=", "operator"), ("company_id", "in", (False, company.id))], limit=1
        ),
    ),
    Step(
        _lt("The first subsidy"),
        _lt("Its schedule comes from a template. When all is done, this page is the day's work."),
        "ctai_grants.grant_subsidy_action", "ctai_grants.group_coordinator",
        lambda company: company.env["grant.subsidy"].search_count(
            [("company_id", "=", company.id), ("state", "not in", ("draft", "cancelled"))], limit=1
        ),
    ),
)  # fmt: skip


class GrantToday(models.AbstractModel):
    """The first hour of a city: what is to be set up, until all is done."""

    _inherit = "grant.today"

    @api.model
    def get_today(self):
        """As it is, with ``steps``: what a city sets up, in its order, while something is undone:
        dicts with ``label``, ``why``, ``done`` and ``open`` (the action, to who may do it); and
        ``steps_closed``: whether the user does not want to see them.

        To an administrator of Odoo without a role in grants: the steps only, as they give roles.
        """
        user = self.env.user
        is_system = user.has_group("base.group_system")
        if is_system and not user.has_group("ctai_grants.group_reader"):
            page = self._get_empty_page()
        else:
            page = super().get_today()
        # sudo: a preference of their own
        closed = user.sudo().res_users_settings_id.grant_steps_closed
        steps = self._get_steps() if page["acts"] or is_system else []
        return {**page, "steps": steps, "steps_closed": closed}

    def _get_steps(self):
        # sudo: whether it is done; who does it has the rights
        company = self.env.company.sudo()
        done = [bool(step.is_done(company)) for step in STEPS]
        if all(done):
            return []
        steps = [
            {
                "label": step.label._translate(self.env.lang),
                "why": step.why._translate(self.env.lang),
                "done": is_done,
                "open": self.env.user.has_group(step.group) and step.action,
            }
            for step, is_done in zip(STEPS, done, strict=True)
        ]
        city = steps[0]
        if city["open"] and not city["done"]:
            needs = _get_city_needs(company)
            city["why"] = " ".join(sentence for sentence, _action in needs)
            city["open"] = self._get_city_action(company, needs[0][1])
        return steps

    def _get_city_action(self, company, name):
        """Where a fact of the city is entered: its own form, not the list of companies."""
        if name != "base.action_res_company_form":
            return name
        action = self.env["ir.actions.act_window"]._for_xml_id(name)
        return {**action, "res_id": company.id, "views": [(False, "form")]}


class ResUsersSettings(models.Model):
    _inherit = "res.users.settings"

    grant_steps_closed = fields.Boolean("First Steps of Grants Closed")
