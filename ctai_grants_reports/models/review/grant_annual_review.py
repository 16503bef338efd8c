import datetime
import json

from markupsafe import Markup

from odoo import Command, api, fields, models


class GrantAnnualReview(models.Model):
    """“Bilan et perspectives” of a year of a contract: what a city publishes about it.

    Written from the data as at a date, in paragraphs that one may write anew around figures that
    nobody types (:mod:`ctai_grants_reports.lib.review.prose`). Issued, it is frozen: its content
    and its PDF are kept with their SHA-256; to correct it is to issue another that replaces it.
    """

    _name = "grant.annual.review"
    _description = "Annual Review"
    _inherit = [
        "grant.document.mixin", "grant.thread.mixin", "mail.activity.mixin", "grant.pdf.mixin"
    ]  # fmt: skip
    _order = "year desc, contract_id, number desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"

    contract_id = fields.Many2one(
        "grant.contract", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('state', '!=', 'draft')]",
    )  # fmt: skip
    company_id = fields.Many2one(related="contract_id.company_id", store=True)
    currency_id = fields.Many2one(related="contract_id.currency_id")
    year = fields.Integer(
        required=True, aggregator=None,
        default=lambda self: self.env.company._grant_today().year - 1,
    )  # fmt: skip
    as_at = fields.Date(
        compute="_compute_as_at", store=True, readonly=False, required=True,
        precompute=True, help="Accounting date up to which the ledger counts.",
    )  # fmt: skip
    lang = fields.Char(readonly=True, copy=False, help="The language that it is written in.")
    user_id = fields.Many2one(
        "res.users", string="Written By", default=lambda self: self.env.user, check_company=True,
        domain="[('share', '=', False)]",
    )  # fmt: skip
    paragraph_ids = fields.One2many("grant.annual.review.paragraph", "review_id", string="Text")
    state = fields.Selection(
        [("draft", "Draft"), ("issued", "Issued"), ("replaced", "Replaced")],
        required=True, default="draft", readonly=True, copy=False, tracking=True, index=True,
    )  # fmt: skip
    number = fields.Integer(
        readonly=True, copy=False, aggregator=None, help="Of those issued for this year."
    )
    replaces_id = fields.Many2one(
        "grant.annual.review", readonly=True, copy=False, ondelete="restrict",
        index="btree_not_null",
    )  # fmt: skip
    correction = fields.Text(
        string="What Is Corrected", help="Said at the head of what replaces another review."
    )
    issued_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    issued_date = fields.Date(string="Issued On", readonly=True, copy=False)
    content = fields.Text(
        readonly=True, copy=False, help="All that it says, as it was issued (JSON)."
    )
    content_hash = fields.Char(string="SHA-256 of the Content", readonly=True, copy=False)
    pdf_id = fields.Many2one(
        "ir.attachment", string="PDF", readonly=True, copy=False, ondelete="restrict"
    )
    pdf_hash = fields.Char(string="SHA-256 of the PDF", readonly=True, copy=False)
    obstacles = fields.Text(string="What Prevents It", compute="_compute_obstacles")
    facts_html = fields.Html(string="What Stands for a Figure", compute="_compute_facts_html")
    preview = fields.Html(compute="_compute_preview", sanitize=False)

    _one_issued = models.UniqueIndex(
        "(contract_id, year) WHERE state = 'issued'",
        "This year of the contract has its annual review already: correct that one.",
    )
    _one_draft = models.UniqueIndex(
        "(contract_id, year) WHERE state = 'draft'",
        "An annual review of this year is being written already.",
    )
    _year_range = models.Constraint("CHECK (year BETWEEN 2000 AND 2100)", "A year has four digits.")

    @api.depends("year")
    def _compute_as_at(self):
        for review in self:
            if 2000 <= review.year <= 2100:
                review.as_at = datetime.date(review.year, 12, 31)

    @api.depends("contract_id.code", "year", "number")
    def _compute_display_name(self):
        for review in self:
            about = {"contract": review.contract_id.code or "", "year": review.year}
            name = self.env._("Annual review %(year)s, %(contract)s", **about)
            is_again = review.number > 1
            if is_again:
                name = self.env._("%(name)s, corrected (no. %(number)s)", name=name,
                                  number=review.number)  # fmt: skip
            review.display_name = name

    @api.depends("as_at", "correction", "paragraph_ids.body", "paragraph_ids.title", "state")
    def _compute_obstacles(self):
        for review in self:
            is_open = review.state == "draft" and review._origin
            review.obstacles = "\n".join(review._get_obstacles() if is_open else []) or False

    @api.depends("as_at", "contract_id")
    def _compute_facts_html(self):
        row = Markup("<tr><td><code>{{%s}}</code></td><td>%s</td></tr>")
        for review in self:
            facts = review._get_facts() if review.state == "draft" and review._origin else {}
            rows = Markup("").join(row % pair for pair in facts.items())
            review.facts_html = rows and Markup("<table class='table table-sm'>%s</table>") % rows

    @api.depends("as_at", "paragraph_ids.body", "paragraph_ids.title", "paragraph_ids.block")
    def _compute_preview(self):
        for review in self:
            content = review._origin and review._get_content()
            review.preview = content and self.env["ir.qweb"]._render(
                "ctai_grants_reports.annual_review_content", {"content": content, "level": 3}
            )

    @api.model_create_multi
    def create(self, vals_list):
        reviews = super().create(vals_list)
        for review in reviews:
            what = self.env._("Writing an annual review")
            review.contract_id._check_state(("in_force", "closed"), what)
            # Of who writes it: whoever reads it later reads that.
            review._transition(lang=self.env.lang or self.env.user.lang or "fr_FR")
            if not review.paragraph_ids:
                review.paragraph_ids = [
                    Command.create(vals) for vals in review._prepare_paragraphs()
                ]
        return reviews

    def action_refresh(self):
        """Write again, from the data as they are now, what nobody has edited.

        :raise UserError: issued already
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Refreshing an annual review")
        self._check_group("group_coordinator", what)
        self._check_state(("draft",), what)
        for review in self:
            review._refresh()
        return True

    def _refresh(self):
        known = {paragraph.section: paragraph for paragraph in self.paragraph_ids}
        for vals in self._prepare_paragraphs():
            paragraph = known.get(vals["section"])
            if paragraph and not paragraph.is_edited:
                paragraph.write({name: vals[name] for name in ("body", "written")})

    def _in_words(self):
        """This review in the language that it is written in."""
        self.ensure_one()
        return self.with_context(lang=self.lang or self.env.lang)

    def _get_content(self):
        """All that it says: as issued, or as it would be now.

        :return: dict with ``title``, ``subtitle``, ``correction``, ``sections`` (dicts with
            ``title``, ``paragraphs`` and ``blocks``) and ``facts`` (label and value)
        """
        self.ensure_one()
        return json.loads(self.content) if self.content else self._make_content()

    def _get_frozen_fields(self):
        if self.state == "draft":
            # The figures of the two would be others.
            return frozenset({"contract_id", "year"} if self.replaces_id else ())
        return frozenset({
            "contract_id", "year", "as_at", "user_id", "paragraph_ids", "correction",
        })  # fmt: skip

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        self._check_state(("draft",), self.env._("Deleting an annual review"))

    def _keeps_file(self, file):
        return self.state != "draft" and file == self.pdf_id

    def action_open_page(self):
        """Open the page that the prefecture sees, or will see.

        :raise UserError: not issued
        """
        self.ensure_one()
        self._check_state(("issued", "replaced"), self.env._("Looking at the page"))
        return {"type": "ir.actions.act_url", "url": self._get_page_url(), "target": "new"}

    def _get_page_url(self):
        return f"/my/contracts/{self.contract_id.id}/reviews/{self.id}"


class GrantContract(models.Model):
    _inherit = "grant.contract"

    annual_review_ids = fields.One2many("grant.annual.review", "contract_id")

    def action_view_annual_reviews(self):
        """Open the annual reviews of these contracts."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants_reports.grant_annual_review_action"
        )
        return {
            **action,
            "domain": [("contract_id", "in", self.ids)],
            "context": {"default_contract_id": self.id if len(self) == 1 else False},
        }

    def _get_issued_reviews(self):
        """Those that the funder reads: in sudo, after the check that the user reads this."""
        # sudo: the caller has checked the contract; what was issued was written to be read
        reviews = self.env["grant.annual.review"].sudo()
        return reviews.search([("contract_id", "=", self.id), ("state", "=", "issued")])

