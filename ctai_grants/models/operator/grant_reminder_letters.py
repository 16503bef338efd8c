from odoo import api, models

from .grant_reminder import Due


class GrantReminder(models.Model):
    """Reminding by hand, with the same mail and the same rows: what somebody tells today is no
    step that is told again."""

    _inherit = "grant.reminder"

    def _say_letter(self):
        return self.env._("A letter to the operator did not leave: see why")

    @api.model
    def _get_steps_of_today(self, pieces):
        """Of those of these pieces that an operator may be reminded of now: {id: days}."""
        # sudo: as the scheduled action; the user reads these pieces
        self = self.sudo()
        days = {}
        for piece in pieces.sudo().filtered("due_date"):  # sudo: as above
            if piece.partner_id.commercial_partner_id.grant_unreminded_reason:
                continue
            days[piece.id] = (piece.company_id._grant_today() - piece.due_date).days
        return self._lock(days)

    @api.model
    def _preview_by_hand(self, pieces):
        """As ``grant.letter`` ``_preview``, a mail an operator."""
        # sudo: names and addresses of an operator's people, for who writes to them
        self = self.sudo()
        pieces = pieces.with_env(self.env)
        open_ones = pieces.browse(self._get_steps_of_today(pieces))
        lines = [
            {"document": piece.name, "partner_id": piece.partner_id.id,
             "problem": self.env._(
                 "“%s” is not awaited now, or the operator was reminded of it today already.",
                 piece.name,
             )}
            for piece in pieces - open_ones
        ]  # fmt: skip
        for _company, owed in open_ones.grouped("company_id").items():
            for mail in self._make_letters(owed):
                lines.append(
                    {
                        "document": ", ".join((mail.get_pieces() & owed).mapped("name")),
                        "partner_id": mail.partner.id,
                        "recipients": ", ".join(mail.addresses),
                        "subject": mail.subject,
                        "body": mail.body,
                        "problem": not mail.addresses and self.env._(
                            "%s has nobody to write to: an activity will say so.",
                            mail.partner.display_name,
                        ),
                    }
                )  # fmt: skip
        return lines

    @api.model
    def _remind_by_hand(self, pieces):
        """Remind the operators of these pieces now, whatever the hour.

        :return: the new rows, in sudo
        """
        steps = self._get_steps_of_today(pieces)
        # sudo: rows that only these methods write
        rows = self.sudo()
        before = rows.search([("deliverable_id", "in", pieces.ids)])
        for company, owed in pieces.browse(steps).grouped("company_id").items():
            of_operators = owed.grouped(lambda piece: piece.partner_id.commercial_partner_id)
            rows._remind(
                [
                    Due(company.id, operator.id, {piece.id: steps[piece.id] for piece in own}, {})
                    for operator, own in of_operators.items()
                ]
            )
        return rows.search([("deliverable_id", "in", pieces.ids)]) - before


class GrantDeliverable(models.Model):
    _inherit = "grant.deliverable"

    def action_remind(self):
        """Show the mails that remind the operators of these pieces, before they are sent."""
        return self.env["grant.letter.window"]._open("reminder", self)
