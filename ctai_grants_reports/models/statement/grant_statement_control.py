import datetime

from odoo import api, models
from odoo.tools import SQL, format_date

from odoo.addons.ctai_grants.lib.guard.money import ZERO, euros
from odoo.addons.ctai_grants.models.accounting.grant_own_cost import select_own_payments


class GrantStatement(models.Model):
    """Controls: what the statement says, beside what is found by another road."""

    _inherit = "grant.statement"

    def _get_controls(self, facts, lines):
        """The controls of this statement: list of dicts, as ``grant.statement.check``.

        :param lines: what it says (:meth:`_get_live_lines`)
        """
        self.env.flush_all()
        envelopes = [line for line in lines if not line["subsidy_id"]]
        stated = {
            name: sum((line[name] for line in envelopes), ZERO) for name in ("allocated", "paid")
        }
        city = {
            name: sum((li[name] for li in envelopes if li["payment_path"] == "city"), ZERO)
            for name in ("received", "paid", "recovered")
        }
        subsidies = [line for line in lines if line["subsidy_id"]]
        paid = sum((line["paid"] for line in subsidies), ZERO)
        committed = sum((line["committed"] for line in subsidies), ZERO)
        return [
            self._compare(
                self.env._("Allocations = contract and amendments"),
                stated["allocated"], self._find_allocated(),
            ),
            *self._compare_accounting(city),
            self._compare(
                self.env._("Payments = sum of the subsidies'"), stated["paid"], paid
            ),
            self._compare(
                self.env._("Commitments = sum of the subsidies'"),
                sum((line["committed"] for line in envelopes), ZERO), committed,
            ),
            *self._compare_ledger(facts),
            *self._compare_readiness(),
        ]  # fmt: skip

    def _compare(self, name, found, expected):
        """A control of two amounts."""
        return {
            "name": name,
            "found": self.currency_id.format(float(found)),
            "expected": self.currency_id.format(float(expected)),
            "is_held": found == expected,
        }

    # ------------------------------------------------------------------
    # What the contract says
    # ------------------------------------------------------------------

    def _find_allocated(self):
        """What the contract and its amendments allot at the date: from these documents, not from
        the ledger."""
        ((amount,),) = self.env.execute_query(
            SQL(
                """SELECT COALESCE(sum(envelope.amount), 0) - COALESCE((
                          SELECT sum(line.amount - COALESCE(line.amount_before, 0))
                            FROM grant_amendment amendment
                            JOIN grant_amendment_line line ON line.amendment_id = amendment.id
                           WHERE amendment.contract_id = %(contract)s
                             AND amendment.state = 'signed' AND line.item_model = 'grant.envelope'
                             AND amendment.signature_date > %(as_at)s), 0)
                     FROM grant_envelope envelope
                     JOIN grant_contract contract ON contract.id = envelope.contract_id
                    WHERE contract.id = %(contract)s AND contract.signature_date <= %(as_at)s""",
                contract=self.contract_id.id,
                as_at=self.as_at,
            )
        )
        return euros(amount)

    # ------------------------------------------------------------------
    # What accounting says
    # ------------------------------------------------------------------

    def _compare_accounting(self, city):
        labels = {
            "received": self.env._("Receipts from the State = accounting"),
            "paid": self.env._("Payments of the city = accounting"),
            "recovered": self.env._("Repayments = accounting"),
        }
        found = self._find_banked()
        return [
            self._compare(label, city[name], found.get(name, ZERO))
            for name, label in labels.items()
        ]

    def _find_banked(self):
        """What accounting says of the city's envelopes until the date: from the bank's side, and
        the costs of the city. Not from the ledger."""
        banked = self.env["grant.disbursement"]._select_banked()
        rows = self.env.execute_query(
            SQL(
                """SELECT moved.kind, sum(moved.amount)
                     FROM (SELECT 'paid' AS kind, envelope_id, banked.date, banked.amount
                             FROM (%(banked)s) banked
                             JOIN grant_disbursement document ON document.id = origin_id
                              AND origin_model = 'grant.disbursement'
                            UNION ALL
                           SELECT 'received', envelope_id, banked.date, banked.amount
                             FROM (%(banked)s) banked
                             JOIN grant_funding document ON document.id = origin_id
                              AND origin_model = 'grant.funding'
                            UNION ALL
                           SELECT 'recovered', envelope_id, banked.date, banked.amount
                             FROM (%(banked)s) banked
                             JOIN grant_recovery document ON document.id = origin_id
                              AND origin_model = 'grant.recovery'
                            UNION ALL
                           SELECT 'paid', envelope_id, own.date, own.amount
                             FROM (%(own)s) own
                             JOIN grant_subsidy subsidy ON subsidy.id = own.subsidy_id) moved
                     JOIN grant_envelope envelope ON envelope.id = moved.envelope_id
                    WHERE envelope.contract_id = %(contract)s AND envelope.payment_path = 'city'
                      AND moved.date <= %(as_at)s
                 GROUP BY moved.kind""",
                banked=banked,
                own=select_own_payments(self.env),
                contract=self.contract_id.id,
                as_at=self.as_at,
            )
        )
        return {kind: euros(amount) for kind, amount in rows}

    # ------------------------------------------------------------------
    # What the ledger says of itself
    # ------------------------------------------------------------------

    def _compare_ledger(self, facts):
        wrong = self.env["grant.entry"]._get_untied(facts.envelopes)
        ((number,),) = self.env.execute_query(
            SQL(
                "SELECT count(*) FROM grant_entry WHERE envelope_id = ANY(%s)",
                facts.envelopes.ids,
            )
        )
        counted = sum(facts.envelopes.mapped("entry_count"))
        told = self.env._("%(number)s entries", number=number)
        return [
            {
                "name": self.env._("Hashes of the ledger's entries, verified"),
                "found": self.env._("%(number)s entries", number=counted),
                "expected": wrong[0] if wrong else told,
                "is_held": not wrong and counted == number,
            }
        ]

    # ------------------------------------------------------------------
    # Whether it is time
    # ------------------------------------------------------------------

    def _compare_readiness(self):
        today = self.company_id._grant_today()
        amendments = self._get_pending_amendments()
        return [
            {
                "name": self.env._("The period has ended"),
                "found": format_date(self.env, self.as_at),
                "expected": self.env._(
                    "until %(date)s", date=format_date(self.env, today - datetime.timedelta(1))
                ),
                "is_held": self.as_at < today,
            },
            {
                "name": self.env._("No amendment in preparation"),
                "found": "0",
                "expected": ", ".join(amendments.mapped("display_name")) or "0",
                "is_held": not amendments,
            },
        ]

    @api.model
    def _get_pending_amendments(self):
        """Amendments of the contract and of its subsidies that are not signed yet."""
        return self.env["grant.amendment"].search(
            [
                ("state", "=", "draft"), "|", ("contract_id", "=", self.contract_id.id),
                ("subsidy_id.contract_id", "=", self.contract_id.id),
            ]
        )  # fmt: skip
