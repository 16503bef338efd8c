from odoo import api, fields, models

from ...lib.review.prose import fill, judge

SECTIONS = [
    ("contract", "The contract"),
    ("actions", "Who did what"),
    ("money", "Money"),
    ("figures", "Figures"),
    ("evaluation", "Evaluation"),
    ("next", "What comes next"),
    ("own", "Of its own"),
]
BLOCKS = [
    ("actions", "Actions by theme"),
    ("money", "Envelopes"),
    ("figures", "Indicators"),
    ("evaluation", "Evaluations"),
    ("none", "Nothing"),
]


class GrantAnnualReviewParagraph(models.Model):
    """A part of an annual review: words that one may change around figures that one may not."""

    _name = "grant.annual.review.paragraph"
    _description = "Paragraph of an Annual Review"
    _inherit = ["grant.document.mixin"]
    _order = "review_id, sequence, id"
    _check_company_auto = True

    review_id = fields.Many2one(
        "grant.annual.review", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="review_id.company_id", store=True)
    sequence = fields.Integer(default=1000)
    section = fields.Selection(SECTIONS, required=True, default="own")
    title = fields.Char(required=True)
    body = fields.Text(
        string="Text", help="Figures stand as {{code}}: see the list of codes beside it."
    )
    block = fields.Selection(
        BLOCKS, string="Table Below", required=True, default="none",
        help="Made from the data, and not edited.",
    )  # fmt: skip
    written = fields.Text(
        string="Text from the Data", help="As it was written last, before somebody edited it."
    )
    is_edited = fields.Boolean(string="Edited", compute="_compute_is_edited")
    text = fields.Text(string="As It Reads", compute="_compute_text")
    faults = fields.Text(string="To Mend", compute="_compute_text")

    @api.depends("body", "written")
    def _compute_is_edited(self):
        for paragraph in self:
            written = (paragraph.written or "").strip()
            paragraph.is_edited = (paragraph.body or "").strip() != written

    @api.depends("body", "title", "review_id.as_at")
    def _compute_text(self):
        for review, paragraphs in self.grouped("review_id").items():
            facts = review._get_facts() if review.contract_id else {}
            for paragraph in paragraphs:
                paragraph.text = fill(paragraph.body, facts)
                paragraph.faults = "\n".join(paragraph._get_faults(facts)) or False

    def _get_faults(self, facts):
        """What keeps this paragraph from being published: sentences."""
        return [
            self._say_fault(fault)
            for text in (self.title, self.body)
            for fault in judge(text, facts)
        ]

    def _say_fault(self, fault):
        about = {"title": self.title, "what": fault.what, "meant": fault.meant}
        match fault.kind:
            case "unknown" if fault.meant:
                return self.env._(
                    "“%(title)s”: {{%(what)s}} stands for nothing. Is {{%(meant)s}} meant?", **about
                )
            case "unknown":
                return self.env._(
                    "“%(title)s”: {{%(what)s}} stands for nothing. Take one of the list.", **about
                )
            case "open":
                return self.env._(
                    "“%(title)s”: write {{code}} with both braces, not “%(what)s”.", **about
                )
        return self.env._(
            "“%(title)s”: “%(what)s” is typed. Figures come from the data: write the code that "
            "stands for it; of numbers, only years and days are typed.",
            **about,
        )

    def _get_state_label(self):
        # It has no state of its own: messages say its review's.
        return self.review_id._get_state_label()

    @api.model_create_multi
    def create(self, vals_list):
        paragraphs = super().create(vals_list)
        paragraphs._check_open()
        return paragraphs

    def write(self, vals):
        self._check_open()
        result = super().write(vals)
        # Moved to another review, that has to be a draft too.
        self._check_open()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        self._check_open()

    def _check_open(self):
        self.review_id._check_state(("draft",), self.env._("Changing an annual review"))

    def action_restore(self):
        """Take the text from the data again."""
        for paragraph in self:
            paragraph.body = paragraph.written
        return True
