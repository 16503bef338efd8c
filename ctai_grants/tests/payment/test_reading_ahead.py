from odoo.exceptions import AccessError

from ...models.guard.reading import read_together
from ..common import GrantsCommon


class TestReadingAhead(GrantsCommon):
    """What is read together, for signing, is what the ORM reads one by one."""

    def test_signing(self):
        subsidy = self.make_subsidy()
        pieces = [self.make_deliverable(subsidy, name=f"Piece {n}") for n in range(3)]
        pieces[0].milestone_id.date = "2023-01-01"
        for day in ("2022-06-01", "2022-03-01", False):
            tranche = self.make_tranche(subsidy, amount=5, due_date=day)
            tranche.deliverable_ids = [piece.id for piece in pieces]
        # One that is not used any more stays in the cache, and is not shown.
        accounts = subsidy.partner_id.bank_ids
        accounts.copy({"acc_number": "FR7630001007941234567890185"}).active = False
        self.env.flush_all()

        subsidy.invalidate_recordset()
        self.env.invalidate_all()
        wanted = subsidy._get_wanted()
        read_together(wanted)
        cached = self._look(subsidy.sudo(), wanted)
        self.env.invalidate_all()
        self.assertEqual(self._look(subsidy.sudo(), wanted), cached)
        self.assertEqual(subsidy.partner_id.bank_ids, accounts)

    def _look(self, subsidy, wanted):
        tranches = subsidy.disbursement_ids
        lines = {
            "tranches": tranches.ids,
            "pieces": [tranche.deliverable_ids.ids for tranche in tranches],
            "accounts": subsidy.partner_id.bank_ids.ids,
            "actions": subsidy.action_ids.ids,
            "reports": subsidy.report_ids.ids if "report_ids" in subsidy else [],
        }
        records = {
            "grant.subsidy": subsidy, "grant.disbursement": tranches,
            "grant.deliverable": tranches.deliverable_ids, "res.partner": subsidy.partner_id,
            "res.partner.bank": subsidy.partner_id.bank_ids, "grant.action": subsidy.action_ids,
            "res.country": subsidy.partner_id.country_id, "res.currency": subsidy.currency_id,
            "grant.envelope": subsidy.envelope_id, "res.company": subsidy.company_id,
        }  # fmt: skip
        for model, names, _rows, _keep in wanted:
            for record in records.get(model._name, ()):
                for name in names:
                    lines[record, name] = record[name]
        return lines

    def test_what_who_signs_sees_afterwards(self):
        """Read in sudo, into the cache that he has too: no more than without."""
        city = self.env["res.company"].create({"name": "Autre ville"})
        subsidy = self.make_subsidy().with_user(self.coordinator)
        self.make_tranche(subsidy)
        number = "FR7630001007941234567890185"
        accounts = self.operator.bank_ids
        accounts |= accounts.copy({"acc_number": number, "company_id": city.id})
        subsidy.action_grant()
        self.env.flush_all()
        wanted = subsidy._get_wanted()
        self.env.invalidate_all()
        fresh = self._see(subsidy, wanted, accounts)
        self.env.invalidate_all()
        read_together(wanted)
        self.assertEqual(self._see(subsidy, wanted, accounts), fresh)

    def _see(self, subsidy, wanted, accounts):
        """What its user sees of each record that is read, as a field and in an answer."""
        records = {
            "grant.subsidy": subsidy, "grant.disbursement": subsidy.disbursement_ids,
            "res.partner": subsidy.partner_id, "res.partner.bank": accounts,
            "res.company": subsidy.company_id,
        }  # fmt: skip
        seen = {"accounts": subsidy.partner_id.bank_ids.ids}
        for model, names, _rows, _keep in wanted:
            for record in records.get(model._name, subsidy.browse()).with_env(subsidy.env):
                for name in names:
                    for way in (lambda r, n: r[n], lambda r, n: r.read([n])):
                        try:
                            value = way(record, name)
                        except AccessError:
                            value = AccessError
                        seen.setdefault((record, name), []).append(value)
        return seen

    def test_beside_what_is_not_flushed(self):
        subsidy = self.make_subsidy().with_user(self.coordinator)
        tranche = self.make_tranche(subsidy)
        self.env.invalidate_all()
        self.assertEqual(subsidy.disbursement_ids.mapped("amount"), [1000])
        tranche.amount = 777.77
        more = self.make_tranche(subsidy, amount=10.10)
        read_together(subsidy._get_wanted())
        self.assertEqual(sorted(subsidy.disbursement_ids.mapped("amount")), [10.10, 777.77])
        more.unlink()
        read_together(subsidy._get_wanted())
        self.assertEqual(subsidy.disbursement_ids.mapped("amount"), [777.77])
