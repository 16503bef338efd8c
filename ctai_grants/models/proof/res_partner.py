from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date

MONTHS = [
    ("1", "January"), ("2", "February"), ("3", "March"), ("4", "April"), ("5", "May"),
    ("6", "June"), ("7", "July"), ("8", "August"), ("9", "September"), ("10", "October"),
    ("11", "November"), ("12", "December"),
]  # fmt: skip


class ResPartner(models.Model):
    _inherit = "res.partner"

    fiscalyear_end_month = fields.Selection(
        MONTHS,
        string="Financial Year Ends In",
        default="12",
        help="Month whose last day ends the organisation's financial year: financial reports are "
        "due six months later (loi 2000-321, art. 10).",
    )
    grant_debts = fields.Text(
        string="Owed to the City",
        compute="_compute_grant_debts",
        help="Pieces late and repayments claimed: one a line.",
    )

    @api.depends("grant_subsidy_ids", "grant_body")
    def _compute_grant_debts(self):
        debts = self._get_grant_debts()
        for partner in self:
            owed = debts.get(partner.grant_body, ())
            partner.grant_debts = "\n".join(sentence for _subsidy, _company, sentence in owed)

    def _get_grant_debts(self):
        """What these operators still owe the city, whichever of their records it is asked of, as
        far as the user may see it.

        :return: dict: body (``grant_body``): list of (subsidy of a late piece or nothing, company,
            sentence)
        """
        debts = defaultdict(list)
        pieces = self.env["grant.deliverable"]
        # Shown on the form of any contact, to whoever opens it.
        if not pieces.has_access("read"):
            return debts
        overdue = Domain("partner_id.grant_body", "in", self.mapped("grant_body"))
        overdue &= pieces._get_overdue_domain()
        # A body has few pieces: which of them are of signed subsidies is asked of these, and not
        # of the database, which would look through all signed ones.
        for piece in pieces.search(overdue).filtered("is_late"):
            sentence = self.env._(
                "Late: “%(piece)s” of %(subsidy)s, due on %(date)s.",
                piece=piece.name,
                subsidy=piece.subsidy_id.code,
                date=format_date(self.env, piece.due_date),
            )
            owed = (piece.subsidy_id, piece.company_id, sentence)
            debts[piece.partner_id.grant_body].append(owed)
        return debts
