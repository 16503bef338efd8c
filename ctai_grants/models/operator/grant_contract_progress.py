from odoo import models
from odoo.fields import Domain

# The figures that lines of the ledger stand behind: what they are called in an address, and the
# kind of entry that the ledger sums up.
FIGURES = {
    "allocated": "allocation",
    "received": "receipt",
    "committed": "commitment",
    "paid": "payment",
    "justified": "justification",
    "recovered": "recovery",
}
# Documents whose name may be shown outside the city; of the others, the kind of entry says enough.
NAMED = (
    "grant.disbursement", "grant.funding", "grant.subsidy", "grant.amendment", "grant.recovery",
    "grant.contract",
)  # fmt: skip


class GrantContract(models.Model):
    """How far a contract is, for the service that funds it, and what stands behind each figure.

    All of it in sudo, after the check that the user reads the contract: what it may read itself is
    given as ``subsidies``, and no other is named."""

    _inherit = "grant.contract"

    def _get_progress_by_operator(self, subsidies):
        """What each operator was committed, paid and has justified.

        :param subsidies: those of the contract that the user reads, in sudo
        :return: list of dicts, by name
        """
        return [
            {
                "operator": operator,
                "subsidies": own,
                **{name: sum(own.mapped(f"{name}_amount"))
                   for name in ("committed", "paid", "justified")},
            }
            for operator, own in sorted(
                subsidies.grouped("partner_id").items(), key=lambda item: item[0].name or ""
            )
        ]  # fmt: skip

    def _get_progress_by_theme(self, subsidies):
        """The actions of each theme, of signed and closed subsidies: their number, operators, and
        amounts. One of several themes is among those of each.

        :return: list of dicts, by theme; last those without one
        """
        actions = subsidies.filtered(lambda one: one.state in ("signed", "closed")).action_ids
        rows = [
            (theme, actions.filtered(lambda action, theme=theme: theme in action.theme_ids))
            for theme in actions.theme_ids.sorted()
        ]
        rows.append((actions.theme_ids.browse(), actions.filtered(lambda one: not one.theme_ids)))
        return [
            {
                "theme": theme,
                "actions": own,
                "operators": own.partner_id,
                "amount": sum(own.mapped("amount")),
            }
            for theme, own in rows
            if own
        ]

    def _get_figure(self, figure, subsidies, envelope, only, limit, offset=0):
        """The lines of the ledger behind a figure of this contract.

        :param str figure: one of :data:`FIGURES`
        :param subsidies: those of the contract that the user reads
        :param envelope: of this contract, or none: all
        :param only: subsidies among these that the figure is of; None: all of the contract
        :return: dict with ``entries`` (of one page), ``count`` (of all), ``total`` (of all) and
            ``untold``: the part of the total that is of subsidies that the user does not read
        """
        self.ensure_one()
        entries = self.env["grant.entry"]
        domain = Domain("contract_id", "=", self.id) & Domain("kind", "=", FIGURES[figure])
        if envelope:
            domain &= Domain("envelope_id", "=", envelope.id)
        told = Domain("subsidy_id", "in", subsidies.ids)
        if only is not None:
            domain &= Domain("subsidy_id", "in", only.ids)
        else:
            told |= Domain("subsidy_id", "=", False)
        [[total]] = entries._read_group(domain, [], ["amount:sum"])
        [[shown]] = entries._read_group(domain & told, [], ["amount:sum"])
        return {
            "entries": entries.search(domain & told, limit=limit, offset=offset),
            "count": entries.search_count(domain & told),
            "total": total or 0.0,
            "untold": self.currency_id.round((total or 0.0) - (shown or 0.0)),
        }

    def _name_origins(self, entries):
        """What each entry comes from, in words for outside the city: dict {entry: name}."""
        names = {}
        labels = dict(entries._fields["kind"]._description_selection(self.env))
        for model, own in entries.grouped("origin_model").items():
            documents = self.env[model].browse(own.mapped("origin_id")).exists()
            known = {one.id: one.name for one in documents} if model in NAMED else {}
            for entry in own:
                names[entry] = known.get(entry.origin_id) or labels[entry.kind]
        return names
