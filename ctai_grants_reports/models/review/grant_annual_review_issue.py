import hashlib
import json

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date

from odoo.addons.ctai_grants.lib.guard.words import has_words

from ...lib.review.prose import fill, find_numbers

TEMPLATE = "ctai_grants_reports/report/review/annual_review.typ"


class GrantAnnualReview(models.Model):
    """Issuing an annual review, and keeping it as it was."""

    _inherit = "grant.annual.review"

    # ------------------------------------------------------------------
    # What it says
    # ------------------------------------------------------------------

    def _make_content(self):
        """All that it says now: see :meth:`_get_content`."""
        review = self._in_words()
        contract, facts = review.contract_id, review._get_facts()
        return {
            "title": review.env._("Review and outlook %s", review.year),
            "subtitle": contract.name,
            "city": contract.company_id.partner_id._get_identity(review.as_at).name or "",
            "correction": review._say_correction(),
            "sections": [
                {
                    "title": fill(paragraph.title, facts),
                    "paragraphs": [
                        part.strip() for part in (paragraph.text or "").split("\n\n")
                        if part.strip()
                    ],
                    "blocks": review._get_block(paragraph.block),
                }
                for paragraph in review.paragraph_ids
            ],
            "facts": review._get_position(),
            "colon": review._get_colon(),
        }  # fmt: skip

    def _say_correction(self):
        if not self.replaces_id:
            return ""
        return self.env._(
            "This review replaces the one issued on %(date)s. What is corrected: %(what)s",
            date=format_date(self.env, self.replaces_id.issued_date),
            what=(self.correction or "").strip(),
        )

    def _get_position(self):
        """Where the ledger stood: labels and values."""
        return [
            [self.env._("Contract"), self.contract_id.code],
            [self.env._("Ledger as at"), format_date(self.env, self.as_at)],
            *(
                [self.env._("Chain of %(name)s, entry %(number)s", name=envelope.name,
                            number=envelope.entry_count), envelope.chain_head]
                for envelope in self.contract_id.envelope_ids
            ),
        ]  # fmt: skip

    def _get_obstacles(self):
        """What keeps it from being issued: sentences."""
        self.ensure_one()
        facts, today = self._get_facts(), self.company_id._grant_today()
        obstacles = [
            fault for paragraph in self.paragraph_ids for fault in paragraph._get_faults(facts)
        ]
        about = {"date": format_date(self.env, self.as_at), "year": self.year}
        if self.as_at >= today:
            obstacles.append(self.env._("%(date)s is not over yet.", **about))
        if self.as_at.year < self.year:
            obstacles.append(self.env._("%(date)s is before the year %(year)s.", **about))
        if self.contract_id.date_start and self.as_at < self.contract_id.date_start:
            obstacles.append(self.env._("%(date)s is before the contract.", **about))
        if not any(has_words(paragraph.body) for paragraph in self.paragraph_ids):
            obstacles.append(self.env._("It has no text."))
        if self.replaces_id and not has_words(self.correction):
            obstacles.append(self.env._("Write what is corrected."))
        obstacles += [
            self.env._(
                "What is corrected: “%s” is typed. Say in words which figure changes; the review "
                "itself has the right one.",
                number,
            )
            for number in find_numbers(self.correction)
        ]
        # The ledger that it is made from.
        return obstacles + self.env["grant.entry"]._get_untied(self.contract_id.envelope_ids)

    # ------------------------------------------------------------------
    # Issuing, correcting
    # ------------------------------------------------------------------

    def action_issue(self):
        """Freeze it: content and PDF are kept, with their SHA-256; the funder sees its page.

        :raise UserError: issued already, or naming all that prevents it
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Issuing an annual review")
        self._check_group("group_coordinator", what)
        for review in self:
            # Two at once: the second finds it issued, or the contract locked.
            (review | review.replaces_id).lock_for_update()
            review._check_state(("draft",), what)
            review._refresh()
            if obstacles := review._get_obstacles():
                raise UserError(
                    self.env._(
                        "%(review)s cannot be issued:\n%(obstacles)s",
                        review=review.display_name,
                        obstacles="\n".join(f"• {obstacle}" for obstacle in obstacles),
                    )
                )
            review._freeze()
        return True

    def _freeze(self):
        replaced = self.replaces_id
        if replaced:
            replaced._check_state(("issued",), self.env._("Replacing an annual review"))
            replaced._transition(state="replaced")
        # Before the other: no two are issued for one year.
        self.flush_model()
        content = json.dumps(self._make_content(), ensure_ascii=False, sort_keys=True)
        today = self.company_id._grant_today()
        self._transition(
            state="issued", number=(replaced.number or 0) + 1, issued_by_id=self.env.uid,
            issued_date=today, content=content, content_hash=_hash(content.encode()),
        )  # fmt: skip
        pdf = self._make_pdf(today)
        # sudo: kept by the review from now on, whoever may attach files to it
        file = self.env["ir.attachment"].sudo().create({
            "name": f"{self._in_words().display_name}.pdf", "raw": pdf,
            "res_model": self._name, "res_id": self.id, "mimetype": "application/pdf",
        })  # fmt: skip
        self._transition(pdf_id=file.id, pdf_hash=_hash(pdf))

    def action_correct(self):
        """Draft another one, which replaces this one when it is issued; open it.

        :raise UserError: not issued, or being corrected already
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Correcting an annual review")
        self._check_group("group_coordinator", what)
        self._check_state(("issued",), what)
        # Before the other: no two are drafts of one year.
        self.flush_model()
        draft = self.create({
            "contract_id": self.contract_id.id, "year": self.year, "as_at": self.as_at,
            "paragraph_ids": [
                (0, 0, {name: one[name] for name in (
                    "sequence", "section", "title", "body", "block", "written")})
                for one in self.paragraph_ids
            ],
        })  # fmt: skip
        draft._transition(replaces_id=self.id)
        return draft._get_records_action()

    # ------------------------------------------------------------------
    # PDF
    # ------------------------------------------------------------------

    def action_preview_pdf(self):
        """Download the PDF: as it was issued, or a draft that says so."""
        self.ensure_one()
        report = self.env.ref("ctai_grants_reports.report_annual_review")
        return report.report_action(self)

    def _print_annual_review(self):
        """Name and bytes of the PDF: the one that was issued, once it is."""
        self.ensure_one()
        name = self._in_words().display_name
        if self.state != "draft":
            return name, self._get_pdf()
        today = self.company_id._grant_today()
        return name, self._make_pdf(today)

    def _get_pdf(self):
        """The PDF as it was issued.

        :raise UserError: it is not the one any more
        """
        # sudo: whoever may read the review may read its file
        content = self.sudo().pdf_id.raw or b""
        if _hash(content) != self.pdf_hash:
            raise UserError(
                self.env._(
                    "%(review)s: the file that is kept is not the one that was issued (SHA-256 "
                    "%(hash)s). Take it from a backup, and have the ledger verified.",
                    review=self.display_name, hash=self.pdf_hash,
                )
            )  # fmt: skip
        return content

    def _make_pdf(self, date):
        review = self._in_words()
        content = review._get_content()
        is_draft = review.state == "draft"
        issued = review.env._("Issued on %s", format_date(review.env, date))
        data = {
            **content,
            "date": date,
            "running": f"{content['title']} – {content['subtitle']}",
            "draft": review.env._("Draft, not issued") if is_draft else "",
            "issued": "" if is_draft else issued,
            "position": review.env._("Where these figures come from"),
            "hash_words": review.env._(
                "Every amount is a sum of ledger entries up to that date; who recomputes the "
                "chains finds these heads."
            ),
        }
        return review._typeset(TEMPLATE, data)


def _hash(content):
    return hashlib.sha256(content).hexdigest()
