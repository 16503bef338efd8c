from odoo import api, fields, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# What is wrong with a cell, and what to do about it.
FAULTS = {
    "missing": _lt("nothing is there."),
    "shifted": _lt("there is a cell more than headings: a comma in an amount or in a text?"),
    "siret_rounded": _lt(
        "a spreadsheet has shortened this SIRET, and its last digits are lost. Copy all 14 digits "
        "into a cell in the format “Text”."
    ),
    "siret_decimals": _lt(
        "a spreadsheet has made a number with decimals of this SIRET: it is whole no more. Copy "
        "all 14 digits into a cell in the format “Text”."
    ),
    "siret_zero": _lt(
        "a digit is missing, perhaps the zero at its head that a spreadsheet drops. Copy all 14 "
        "digits into a cell in the format “Text”."
    ),
    "siret_length": _lt("a SIRET has 14 digits, a SIREN nine."),
    "siret_letters": _lt("a SIRET has digits alone."),
    "siret_key": _lt("this is no SIRET: its last digit does not go with the others."),
    "rna": _lt("this is no RNA: W and nine characters are expected."),
    "bad_date": _lt("this is no day: write 2021-10-25 or 25/10/2021."),
    "bad_period": _lt("this is neither a day nor a period: write 2021-10-25/2022-06-30."),
    "order": _lt("the period ends before it begins."),
    "future": _lt("this day is still to come."),
    "bad_year": _lt("this is no year."),
    "bad_amount": _lt("this is no amount of euros."),
    "ambiguous_amount": _lt("this amount can be read in two ways: write 1234.00 or 1,23."),
    "nothing": _lt("an award is above zero."),
    "length": _lt("an object has at most 256 characters."),
    "nature": _lt("write “aide en numéraire” or “aide en nature”."),
    "both": _lt(
        "money and aid in kind are one amount here: write two lines, each with its own amount."
    ),
    "in_kind": _lt("aid in kind is no subsidy that is paid: record it on the operator."),
    "share": _lt("a share is between 0.01 and 1, 1 being the whole amount."),
    "other_city": _lt("this is not the SIREN of this city: it grants nothing here."),
    "several": _lt("several records have this number. Keep one of them, or write its SIRET."),
    "archived": _lt("this operator is archived. Unarchive it first."),
    "is_city": _lt("this is the city itself, which grants itself nothing."),
    "other_body": _lt("the RNA is that of an organisation with another SIREN."),
    "unknown": _lt("no operator has this number. A new one is made by its SIRET: 14 digits."),
    "no_name": _lt("no operator has this SIRET, and the line gives no name to make one."),
}


class GrantAwardLine(models.Model):
    """One award of a file, and what became of it."""

    _name = "grant.award.line"
    _description = "Imported Award"
    _inherit = ["grant.document.mixin"]
    _order = "import_id desc, id"
    # What is imported of them is in subsidies, which are sealed.
    _is_sealed = False
    _check_company_auto = True

    import_id = fields.Many2one(
        "grant.award.import", required=True, readonly=True, ondelete="cascade", index=True,
        check_company=True,
    )  # fmt: skip
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    sheet = fields.Char(readonly=True)
    row_number = fields.Integer(string="Line", readonly=True, aggregator=None)
    status = fields.Selection(
        [
            ("ready", "To import"),
            ("known", "Imported before"),
            ("refused", "With errors"),
            ("done", "Imported"),
        ],
        required=True,
        readonly=True,
    )
    key = fields.Char(required=True, readonly=True)
    faults = fields.Json(readonly=True)
    message = fields.Text(string="Remark", compute="_compute_message")
    match = fields.Selection(
        [
            ("siret", "By SIRET"),
            ("siren", "By SIREN"),
            ("rna", "By RNA"),
            ("new", "New operator"),
        ],
        string="Found",
        readonly=True,
    )
    partner_id = fields.Many2one(
        "res.partner", string="Operator", readonly=True, ondelete="set null", index="btree_not_null"
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy", readonly=True, ondelete="set null", index="btree_not_null",
        check_company=True,
    )  # fmt: skip
    known_id = fields.Many2one(
        "grant.subsidy", string="Imported Before As", readonly=True, ondelete="set null"
    )
    exercise = fields.Integer(string="Financial Year", readonly=True, aggregator=None)
    convention_date = fields.Date(string="Convention Signed On", readonly=True)
    decision = fields.Char(readonly=True)
    beneficiary = fields.Char(readonly=True, help="As the file calls it.")
    number = fields.Char(string="SIRET or SIREN", readonly=True)
    rna = fields.Char(string="RNA", readonly=True)
    purpose = fields.Char(string="Object", readonly=True)
    amount = fields.Monetary(readonly=True)
    terms = fields.Char(string="Terms of Payment", readonly=True)
    paid_from = fields.Date(string="First Payment", readonly=True)
    paid_to = fields.Date(string="Last Payment", readonly=True)

    _key_uniq = models.UniqueIndex(
        "(company_id, key) WHERE subsidy_id IS NOT NULL",
        "Somebody else has imported the same award at this very moment: match the file again.",
    )

    @api.depends("sheet", "row_number", "beneficiary")
    def _compute_display_name(self):
        for line in self:
            place = f"{line.sheet} {line.row_number}" if line.sheet else str(line.row_number)
            line.display_name = self.env._(
                "Line %(place)s (%(beneficiary)s)",
                place=place,
                beneficiary=line.beneficiary or line.number or line.rna or "–",
            )

    @api.depends("faults", "match", "status")
    @api.depends_context("lang")
    def _compute_message(self):
        for line in self:
            line.message = "\n".join(line._get_sentences())

    def _get_sentences(self):
        sentences = [self._say_fault(*fault) for fault in self.faults or ()]
        if not sentences and self.match == "siren" and len(self.number or "") == 14:
            sentences.append(
                self.env._(
                    "The file has another SIRET of the same SIREN, %(number)s: the operator keeps "
                    "its own.",
                    number=self.number,
                )
            )
        if not sentences and self.match == "new":
            sentences.append(self.env._("Nobody has this SIRET: the operator is made."))
        if self.status == "known":
            sentences.append(
                self.env._("Imported before as %(subsidy)s.", subsidy=self.known_id.display_name)
            )
        return sentences

    def _say_fault(self, column, code, cell):
        words = self.env["grant.publication"]
        return words._say_cell(column, cell, self.env._(FAULTS[code]))

    def _create_subsidy(self, operators):
        """Make the draft subsidy of this line, and its operator where nobody knew it.

        :param dict operators: made so far, by SIRET
        """
        partner = self.partner_id or operators.get(self.number)
        if not partner:
            partner = operators[self.number] = self.env["res.partner"].create(
                {
                    "name": self.beneficiary,
                    "is_company": True,
                    "grant_role": "operator",
                    "country_id": self.env.ref("base.fr").id,
                    "company_registry": self.number,
                    "rna": self.rna,
                }
            )
        return self.env["grant.subsidy"].create(
            {
                "name": self.purpose,
                "envelope_id": self.import_id.envelope_id.id,
                "partner_id": partner.id,
                "amount": self.amount,
                "decision_number": self.decision,
                "signature_date": self.convention_date,
            }
        )

    def action_open_subsidy(self):
        """Open the subsidy that was made of this line, now or before."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "grant.subsidy",
            "res_id": (self.subsidy_id or self.known_id).id,
            "views": [(False, "form")],
        }
