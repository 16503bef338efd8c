import datetime

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...lib.award.history import local_date
from ..guard.reading import read_lines

#: Of the states of a step, beside their words; in the order in which they are told.
ICONS = {
    "done": "fa-check", "late": "fa-exclamation", "city": "fa-hourglass-half",
    "to_come": "fa-circle-o",
}  # fmt: skip


#: Fields of a subsidy that their list shows.
LISTED = [
    "name", "code", "date_start", "date_end", "state", "amount", "currency_id", "paid_amount",
    "recovered_amount",
]  # fmt: skip


class GrantSubsidy(models.Model):
    """What the operator's pages say of a subsidy: what to do next, what happened, what is to come.
    These methods are called in sudo, on what the user's own rules found."""

    _inherit = "grant.subsidy"

    operator_file_ids = fields.Many2many(
        "ir.attachment",
        "grant_subsidy_operator_file_rel",
        string="Files for the Operator",
        copy=False,
        help="Convention, award notice, letters: the operator downloads them in its portal. Signed "
        "amendments, letters of recovery and notices of payment are there by themselves.",
    )

    @api.constrains("operator_file_ids")
    def _check_operator_files(self):
        for subsidy in self:
            # sudo: whose file it is, whoever may read it
            others = subsidy.sudo().operator_file_ids.filtered(
                lambda file, subsidy=subsidy: (file.res_model, file.res_id)
                != (subsidy._name, subsidy.id)
            )
            if others:
                raise ValidationError(
                    self.env._(
                        "%(subsidy)s: “%(file)s” is a file of another document. Add it here as a "
                        "file of its own.",
                        subsidy=subsidy.display_name,
                        file=others[0].name,
                    )
                )

    def _get_documents(self):
        """The files (attachments) that the operator of this subsidy downloads: those that the city
        chose for it, and its signed amendments. List of pairs: what it is, and the file."""
        self.ensure_one()
        chosen = [(file.name, file) for file in self.operator_file_ids.sorted("id")]
        signed = self.amendment_ids.filtered(lambda amendment: amendment.state == "signed")
        return chosen + [
            (amendment.display_name, file)
            for amendment in signed.sorted("number")
            for file in amendment.attachment_ids
        ]

    def _get_shared_file(self, attachment_id):
        """The attachment with this id, if it is one of :meth:`_get_documents`, or of a letter that
        left; else none."""
        files = self.env["ir.attachment"].union(*(file for _what, file in self._get_documents()))
        files |= self._get_sent_letters().attachment_id
        return files.filtered(lambda file: file.id == attachment_id)

    def _get_told_recoveries(self):
        """What the operator was told by letter, nothing before."""
        return self.recovery_ids.filtered("notified_date")

    def _get_net_paid_amount(self):
        """Euros that the operator has of this subsidy: paid, less what it paid back."""
        self.ensure_one()
        return self.currency_id.round(self.paid_amount - self.recovered_amount)

    def _get_list_rows(self):
        """What the list of these subsidies says of each: dicts with ``subsidy``, ``piece`` (the one
        to hand in next, or none) and ``owed`` (euros on their way to be paid)."""
        # Of all of them together, and nothing else: an operator may have hundreds.
        self.fetch(LISTED)
        read_lines(self, "deliverable_ids", ["name", "state", "due_date", "company_id"])
        read_lines(self, "disbursement_ids", ["amount", "state", "due_date", "payment_deadline"])
        asked = self.deliverable_ids._get_asked().grouped("subsidy_id")
        # Together: what is late is computed of each alone otherwise.
        nexts = self.deliverable_ids.browse(pieces[0].id for pieces in asked.values())
        nexts = nexts.grouped("subsidy_id")
        owed = self.disbursement_ids._get_owed_tranches().grouped("subsidy_id")
        return [
            {
                "subsidy": subsidy,
                "piece": nexts.get(subsidy),
                "owed": sum(owed[subsidy].mapped("amount")) if subsidy in owed else 0.0,
            }
            for subsidy in self
        ]

    def _get_steps(self, gains=None):
        """What the operator has to do for these subsidies, the most urgent first: as
        ``grant.deliverable`` ``_get_steps``, letters to answer and figures to enter among them."""
        steps = self.deliverable_ids._get_asked()._get_steps(gains)
        recoveries = self.recovery_ids.filtered(lambda recovery: recovery.state == "notified")
        steps += recoveries._get_steps()
        steps += self._get_figure_steps(self.company_id, SQL("subsidy.id = ANY(%s)", self.ids))
        return sorted(steps, key=lambda step: step["date"])

    # ------------------------------------------------------------------
    # The steps, in their order
    # ------------------------------------------------------------------

    def _get_timeline(self):
        """The steps of this subsidy, the past first, then what is late, and the rest: list of dicts
        with ``date``, ``state`` (``done``, ``late``, ``city``: waits for the city, ``to_come``),
        ``icon``, ``title`` and ``note``; ``url`` where there is a page."""
        self.ensure_one()
        steps = [
            *self._get_award_steps(),
            *map(self._get_piece_step, self.deliverable_ids),
            *(
                self._get_tranche_step(tranche)
                for tranche in self.disbursement_ids
                if tranche.state != "cancelled"
            ),
            *map(self._get_recovery_step, self._get_told_recoveries()),
        ]
        order, last = list(ICONS), datetime.date.max
        return sorted(
            steps, key=lambda step: (order.index(step["state"]), step["date"] or last)
        )

    def _make_step(self, date, state, title, note=False, url=False):
        return {
            "date": date or False,
            "state": state,
            "icon": ICONS[state],
            "title": title,
            "note": note,
            "url": url,
        }

    def _get_award_steps(self):
        if self.decision_date:
            yield self._make_step(self.decision_date, "done", self.env._("Subsidy granted"))
        if self.signature_date and self.state in ("signed", "closed"):
            yield self._make_step(self.signature_date, "done", self.env._("Subsidy signed"))
        elif self.state == "granted":
            yield self._make_step(False, "city", self.env._("Subsidy to be signed"))

    def _get_day(self, moment):
        """The day of a moment, where the city is."""
        return moment and local_date(moment, self.company_id._grant_timezone())

    def _get_piece_step(self, piece):
        url = piece._get_page_url()
        match piece.state:
            case "accepted":
                day = self._get_day(piece.answered_at)
                return self._make_step(day, "done", piece.name, self.env._("Accepted"), url)
            case "waived":
                day = self._get_day(piece.answered_at)
                note = self.env._("Not needed any more")
                return self._make_step(day, "done", piece.name, note, url)
            case "submitted":
                day = self._get_day(piece.last_version_id.submitted_at)
                note = self.env._("Handed in, the city is reviewing it")
                return self._make_step(day, "city", piece.name, note, url)
        note = self.env._("To hand in")
        if piece.state == "to_complete":
            note = self.env._("To complete")
        state = "late" if piece.is_late else "to_come"
        return self._make_step(piece.due_date, state, piece.name, note, url)

    def _get_tranche_step(self, tranche):
        amount = tranche.currency_id.format(tranche.amount)
        if tranche.state == "paid":
            title = self.env._(
                "%(tranche)s: %(amount)s paid to you", tranche=tranche.name, amount=amount
            )
            return self._make_step(tranche.paid_date, "done", title)
        title = self.env._(
            "%(tranche)s: %(amount)s to be paid", tranche=tranche.name, amount=amount
        )
        if tranche in self.disbursement_ids._get_owed_tranches():
            note = self.env._("The city is preparing the payment")
            if tranche.payment_path == "direct":
                note = self.env._("The State pays it")
            return self._make_step(tranche._get_payment_day(), "city", title, note)
        return self._make_step(tranche.due_date, "to_come", title)

    def _get_recovery_step(self, recovery):
        amount = recovery.currency_id.format(recovery.amount)
        title = self.env._("%(amount)s to pay back", amount=amount)
        match recovery.state:
            case "collected":
                title = self.env._("%(amount)s paid back", amount=amount)
                return self._make_step(recovery.collected_date, "done", title)
            case "waived":
                note = self.env._("The city does not ask for it any more")
                return self._make_step(recovery.notified_date, "done", title, note)
            case "notified":
                note, where = recovery._say_delay()
                return self._make_step(recovery.answer_deadline, where, title, note)
        day = recovery.claim_date or recovery.decided_date
        return self._make_step(day, "to_come", title, recovery._get_state_label())
