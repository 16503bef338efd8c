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
