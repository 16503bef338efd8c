from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain

# Décret 2017-779, art. 2: from the signature of the convention.
PUBLICATION = relativedelta(months=3)


class GrantReminder(models.Model):
    """The city's own deadlines: to pay, and to publish what it awarded."""

    _inherit = "grant.reminder"

    @api.model
    def _watch_deadlines(self):
        """Leave an activity to who has to keep a deadline that comes near, once; take those away
        of what was paid or cancelled since."""
        # sudo: the scheduled action's
        self = self.sudo()
        self._end_payments()
        for company in self.env["res.company"].search([("id", "!=", False)]):
            soon = company._grant_today() + relativedelta(days=company.grant_deadline_days)
            tranches = self._get_payments(company, soon)
            self._note_deadlines("payment", tranches, "payment_deadline")
            self._leave_activities("pay", tranches, self._say_pay)
            subsidies = self._get_publications(company, soon)
            self._note_deadlines("publication", subsidies, "publication_deadline")
            self._leave_activities("publish", subsidies, self._say_publish)

    def _say_pay(self):
        return self.env._("To pay before the legal term")

    def _say_publish(self):
        return self.env._("Publish the data of this award")

    @api.model
    def _get_payments(self, company, soon):
        """Tranches whose term comes by ``soon``, and that nobody was told of."""
        tranches = self.env["grant.disbursement"].search(
            [
                ("company_id", "=", company.id), ("state", "not in", ("paid", "cancelled")),
                ("payment_path", "=", "city"), ("subsidy_id.state", "=", "signed"),
                ("payment_deadline", "<=", soon),
            ],
            order="id",
        )  # fmt: skip
        return self._get_untold("disbursement_id", tranches, "payment_deadline")

    @api.model
    def _get_publications(self, company, soon):
        """Subsidies that are to be published by ``soon`` at the latest."""
        today = company._grant_today()
        subsidies = self.env["grant.subsidy"].search(
            [
                ("company_id", "=", company.id), ("state", "in", ("signed", "closed")),
                ("kind", "=", "operator"), ("signature_date", "<=", soon - PUBLICATION),
                # What was signed long ago was published, or found out.
                ("signature_date", ">=", today - 2 * PUBLICATION),
            ],
            order="id",
        )  # fmt: skip
        due = subsidies._filter_to_publish()
        return self._get_untold("subsidy_id", due, "publication_deadline")

    @api.model
    def _get_untold(self, key, documents, deadline):
        kind = "payment" if key == "disbursement_id" else "publication"
        told = self.search_fetch(
            Domain("kind", "=", kind) & Domain(key, "in", documents.ids), [key, "due_date"]
        )
        known = {(row[key], row.due_date) for row in told}
        return documents.filtered(lambda document: (document, document[deadline]) not in known)

    @api.model
    def _note_deadlines(self, kind, documents, deadline):
        self.create(
            [
                {
                    "kind": kind,
                    "subsidy_id": (document.subsidy_id if kind == "payment" else document).id,
                    "disbursement_id": document.id if kind == "payment" else False,
                    "due_date": document[deadline],
                    "days": -document.company_id.grant_deadline_days,
                    "sent_at": fields.Datetime.now(),
                }
                for document in documents
            ]
        )

    @api.model
    def _get_task(self, document):
        if document._name == "grant.subsidy":
            return document._get_coordinator(), document.publication_deadline
        if document._name == "grant.disbursement":
            # Finance once the work is certified, before that the coordinator.
            subsidy = document.subsidy_id
            is_certified = document.state in ("certified", "ordered")
            user = subsidy._get_finance_officer() if is_certified else subsidy._get_coordinator()
            return user, document.payment_deadline
        return super()._get_task(document)

    @api.model
    def _end_payments(self):
        kind = self.env.ref("ctai_grants.mail_activity_pay")
        activities = self.env["mail.activity"].search([("activity_type_id", "=", kind.id)])
        tranches = self.env["grant.disbursement"].browse(activities.mapped("res_id"))
        done = tranches.exists().filtered(lambda tranche: tranche.state in ("paid", "cancelled"))
        activities.filtered(lambda activity: activity.res_id in done.ids).unlink()
