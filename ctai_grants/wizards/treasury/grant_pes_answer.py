from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...lib.proof.upload import decode
from ...lib.treasury.pes_return import Unreadable, read_answers


class GrantPesAnswer(models.TransientModel):
    """Takes what the treasury answers to a file of orders, and marks them."""

    _name = "grant.pes.answer"
    _description = "Answer of the Treasury"
    _inherit = ["grant.text.mixin"]

    # Not required: a file of nothing is no value either, and is told in words that it is empty.
    file = fields.Binary(attachment=False)
    filename = fields.Char()
    result = fields.Text(readonly=True)

    def action_confirm(self):
        """Mark the orders and claims of the file; the same file again changes nothing.

        :raise UserError: the file is no answer of the treasury, another city's, or of a day that
            has not come
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        batches = self.env["grant.order.batch"]
        batches._check_group("group_finance_officer", self.env._("Reading the treasury's answer"))
        content, answers = self._read()
        # Of the cities that one works for, the one it answers.
        ours = self.env.companies.filtered(lambda city: city._has_answered_budget(answers))
        company = ours[:1] or self.env.company
        self._check_answers(company, answers)
        if len(ours) > 1:
            raise UserError(
                self.env._(
                    "“%(file)s” may answer %(cities)s, which have one SIRET: nothing was read. "
                    "Choose one of them alone as your company, and read it again.",
                    file=self.filename or "",
                    cities=", ".join(ours.mapped("name")),
                )
            )
        reader = self.env["grant.pes.reader"]
        sentences = reader._take_answers(company, answers, content, self.filename or "PES.xml")
        self.result = "\n".join(sentences)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Answer of the Treasury"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def _check_answers(self, company, answers):
        if answers.siret not in company.partner_id._get_sirets_ever():
            raise UserError(
                self.env._(
                    "This answers another city or budget: SIRET %(theirs)s, and %(company)s has "
                    "%(ours)s.",
                    theirs=answers.siret,
                    company=company.name,
                    ours=company._get_siret() or self.env._("none"),
                )
            )
        if not company._has_answered_budget(answers):
            raise UserError(
                self.env._(
                    "This answers another budget: %(theirs)s, and %(company)s is %(ours)s "
                    "(Settings > Grants > Treasury).",
                    theirs=f"{answers.entity} {answers.budget}".strip(),
                    company=company.name,
                    ours=f"{company.grant_pes_entity} {company.grant_pes_budget}",
                )
            )
        if answers.date > company._grant_today():
            raise UserError(
                self.env._(
                    "“%(file)s” is dated %(date)s, a day that has not come: nothing was read. Ask "
                    "the treasury for it again.",
                    file=self.filename or "",
                    date=format_date(self.env, answers.date),
                )
            )

    def _read(self):
        content = decode(self.file)
        if not content:
            raise UserError(self.env._("The file is empty."))
        try:
            return content, read_answers(content)
        except Unreadable as error:
            if str(error) == "too_large":
                raise UserError(self.env._("The file is too large.")) from error
            raise UserError(
                self.env._(
                    "“%(file)s” is no answer of the treasury: a PES acknowledgement (ACQUIT) or "
                    "return (Retour) is expected, in XML.",
                    file=self.filename or "",
                )
            ) from error
