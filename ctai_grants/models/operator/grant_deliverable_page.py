from collections import defaultdict

from odoo import models

from ..guard.dates import say_day

ASKED = ("expected", "to_complete")
#: Decisions on a piece that its operator reads, and the reasons of them.
TOLD = ("accepted", "to_complete", "waived", "taken_back", "purged")


class GrantDeliverable(models.Model):
    """What the operator's pages say of a piece: what to do for it, until when, and what for."""

    _inherit = "grant.deliverable"

    def _get_page_url(self):
        self.ensure_one()
        return f"/my/subsidies/{self.subsidy_id.id}/deliverables/{self.id}"

    def _get_asked(self):
        """Those of these pieces that the operator has to hand in now, the oldest first."""
        return self.filtered(
            lambda piece: piece.subsidy_id.state == "signed" and piece.state in ASKED
        ).sorted(lambda piece: (piece.due_date, piece.id))

    def _is_financial_report(self):
        self.ensure_one()
        # Asked of each piece of a page: without a query.
        name = "ctai_grants.deliverable_type_financial_report"
        kind_id = self.env["ir.model.data"]._xmlid_to_res_id(name)
        return bool(kind_id) and self.type_id.id == kind_id

    def _get_unlocked(self):
        """What the city pays once it has accepted each of these pieces.

        :return: dict {piece: (euros, whether nothing else is missing for them)}: of the tranches
            whose conditions wait for that piece
        """
        # sudo: operators read no conditions; of their own tranches they learn what is missing
        conditions = self.env["grant.condition"].sudo()
        waiting = [
            ("state", "=", "unmet"), ("disbursement_id.state", "in", ("planned", "ready"))
        ]  # fmt: skip
        names = ["disbursement_id", "deliverable_id", "code"]
        own = conditions.search_fetch([*waiting, ("deliverable_id", "in", self.ids)], names)
        if not own:
            return {}
        unmet = conditions.search_fetch(
            [*waiting, ("disbursement_id", "in", own.disbursement_id.ids)], names
        ).grouped("disbursement_id")
        unlocked = defaultdict(lambda: (0.0, True))
        for condition in own:
            piece, tranche = condition.deliverable_id.with_env(self.env), condition.disbursement_id
            amount, alone = unlocked[piece]
            others = unmet[tranche].filtered(lambda row, piece=piece: not row._is_of_piece(piece))
            unlocked[piece] = (amount + tranche.amount, alone and not others)
        return dict(unlocked)

    def _get_gains(self):
        """What comes of handing these pieces in, a sentence each: dict, of those that pay."""
        gains = {}
        for piece, (amount, alone) in self._get_unlocked().items():
            about = {"amount": piece.subsidy_id.currency_id.format(amount)}
            gains[piece] = (
                self.env._("Once it is accepted, %(amount)s can be paid to you.", **about)
                if alone
                else self.env._(
                    "It is needed for a payment of %(amount)s, together with other things.",
                    **about,
                )
            )
        return gains

    def _get_steps(self, gains=None):
        """What the operator has to do for these pieces: list of dicts for the pages, in the order
        of the pieces.

        :param dict gains: what :meth:`_get_gains` says of them, when that is known already
        """
        gains = self._get_gains() if gains is None else gains
        return [
            {
                "subsidy": piece.subsidy_id,
                "piece": piece,
                "date": piece.due_date,
                "late": piece.is_late,
                "sentence": piece._say_step(),
                "gain": gains.get(piece),
                "answer": piece.answer,
                "url": piece._get_page_url(),
                "button": self.env._("Complete it")
                if piece.state == "to_complete"
                else self.env._("Hand it in"),
            }
            for piece in self
        ]

    def _say_step(self):
        date = say_day(self.env, self.due_date)
        about = {"piece": self.name, "date": date}
        match self.state, self.is_late:
            case "to_complete", True:
                return self.env._("Complete “%(piece)s”: it was due on %(date)s.", **about)
            case "to_complete", False:
                return self.env._("Complete “%(piece)s” by %(date)s.", **about)
            case _, True:
                return self.env._("Hand in “%(piece)s”: it was due on %(date)s.", **about)
        return self.env._("Hand in “%(piece)s” by %(date)s.", **about)

    def _get_told_decisions(self):
        """The decisions on this piece that its operator reads, the latest first."""
        self.ensure_one()
        # sudo: operators read no decisions; of those on their own pieces they read what and why
        return self.sudo().decision_ids.filtered(lambda decision: decision.decision in TOLD)
