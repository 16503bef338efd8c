# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The documents of the acts that are cut off: prepared by a client in one transaction, each act
with documents of its own."""

from contention import UNIT, Round

from odoo import Command

from odoo.addons.ctai_grants.tests.common import new_test_user

BATCH = 6


class Documents(Round):
    """So many documents for each of the acts; ``prepare`` returns their ids."""

    def prepare_acts(self, count):
        self.raise_ceilings(100 * count)
        return {
            "posting": self.make_subsidies(self.city, 1, count, state="granted").ids,
            "batch": [self.make_batch() for _number in range(count)],
            "extract": [self.make_extract(number) for number in range(count)],
            "upload": self.make_pieces(count),
            "amendment": [self.make_amendment() for _number in range(count)],
            "contract": self.contract.id,
        }

    def make_batch(self):
        """The window that orders some tranches together."""
        tranches = self.make_tranches(self.make_subsidies(self.city, BATCH), BATCH)
        window = self.model("finance_officer", "grant.disbursement.order").create({
            "disbursement_ids": [Command.set(tranches.ids)],
            "order_number": self.get_number(tranches[0]), "order_date": self.today,
        })  # fmt: skip
        return {"window": window.id, "tranches": tranches.ids}

    def make_extract(self, number):
        """An extract that pays some orders, imported and not booked."""
        tranches = self.make_tranches(self.make_subsidies(self.city, 3), 3)
        self.order_each(tranches)
        rows = ["NUM_MANDAT;MONTANT_PAIEMENT;DATE_PAIEMENT;IMMATRICULATION"]
        amount = f"{UNIT:.2f}".replace(".", ",")
        rows += [f"{tranche.order_number};{amount};{self.today};" for tranche in tranches]
        imports = self.model("finance_officer", "grant.treasury.import")
        extract = imports._import(f"extrait-{number}.csv", "\n".join(rows).encode())
        return {"import": extract.id, "tranches": tranches.ids}

    def make_pieces(self, count):
        """Pieces of subsidies of one operator, who hands them in on the portal."""
        subsidies = self.make_subsidies(self.city, 1, count)
        user = new_test_user(self.env, "cut_operator", "ctai_grants.group_portal_operator")
        user.password = user.login
        user.partner_id.parent_id = subsidies.partner_id
        milestones = self.model("coordinator", "grant.milestone").create(
            [{"name": "M", "subsidy_id": s.id, "date": "2031-01-01"} for s in subsidies]
        )
        pieces = self.model("coordinator", "grant.deliverable").create(
            [{"name": "P", "milestone_id": milestone.id} for milestone in milestones]
        )
        return [{"subsidy": piece.subsidy_id.id, "piece": piece.id} for piece in pieces]

    def make_amendment(self):
        """One that raises a subsidy and its tranche."""
        subsidy = self.make_subsidies(self.city, 1, state="granted")
        tranche = self.model("coordinator", "grant.disbursement").create(
            {"name": "Tout", "subsidy_id": subsidy.id, "amount": UNIT}
        )
        subsidy.action_sign()
        amount = round(2 * UNIT, 2)
        amendment = self.amend(subsidy_id=subsidy.id, amount=amount, signature_date=self.today)
        amendment.tranche_line_ids.amount = amount
        return {"amendment": amendment.id, "subsidy": subsidy.id, "tranche": tranche.id}
