from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import email_normalize, format_date

from odoo.addons.ctai_grants.lib.guard.words import has_words


class GrantStatement(models.Model):
    """The way to the prefecture and back: sent, opened, downloaded, acknowledged or contested."""

    _inherit = "grant.statement"

    # ------------------------------------------------------------------
    # To the prefecture
    # ------------------------------------------------------------------

    def action_send(self):
        """Mail the funder the link to the page of this statement; its users and its own address.

        :raise UserError: not issued, or nobody there has a mail address
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Sending a statement")
        self._check_staff(what)
        for statement in self:
            statement.check_access("write")
            statement.lock_for_update(allow_referencing=True)
            statement._check_state(("issued", "sent", "contested", "acknowledged"), what)
            # sudo: who may send need not read who has a login there, nor write mails
            statement.sudo()._send()
        return True

    def _send(self):
        receivers = self._get_receivers()
        if not receivers:
            raise UserError(
                self.env._(
                    "%(statement)s was not sent: %(funder)s has no mail address. Write one on its "
                    "card, or give one of its people access to the portal.",
                    statement=self.display_name,
                    funder=self.funder_id.display_name,
                )
            )
        lang = receivers[0].lang or self.funder_id.lang or self.company_id.partner_id.lang
        letter = self.with_context(lang=lang or self.env.lang)
        title = letter.env._(
            "Financial statement %(number)s: %(contract)s as at %(date)s",
            number=self.name,
            contract=self.contract_id.name,
            date=format_date(letter.env, self.as_at),
        )
        body = letter.env["ir.qweb"]._render(
            "ctai_grants_reports.statement_mail",
            {
                "statement": letter, "title": title, "city": self.company_id,
                "link": f"{self.get_base_url()}/my/statements/{self.id}",
                "contact": self.env.user.name if self.env.user.email else self.company_id.name,
            },
        )  # fmt: skip
        self.env["mail.mail"].create(
            {
                "subject": title,
                "body_html": body,
                "body": body,
                "email_from": self.company_id.email_formatted or self.env.user.email_formatted,
                "reply_to": self.env.user.email_formatted or self.company_id.email_formatted,
                "author_id": self.env.user.partner_id.id,
                "recipient_ids": receivers.ids,
                "model": self._name,
                "res_id": self.id,
                "auto_delete": False,
            }
        )
        addresses = ", ".join(receivers.mapped(lambda one: one.email_formatted or ""))
        self._act("sent", text=addresses)

    def _get_receivers(self):
        """The people of the funder who have a login on the portal, and its own address."""
        funder = self.funder_id.commercial_partner_id
        users = self.env.ref("ctai_grants.group_portal_prefecture").all_user_ids
        people = users.filtered(
            lambda user: user.active and user.partner_id.commercial_partner_id == funder
        ).partner_id
        receivers = people | self.funder_id
        return receivers.filtered(lambda one: email_normalize(one.email or ""))

    # ------------------------------------------------------------------
    # What the prefecture does
    # ------------------------------------------------------------------

    def _check_answering(self):
        """Refuse who is not of the prefecture that may read this statement.

        :raise AccessError: somebody else
        """
        self.ensure_one().check_access("read")
        user = self.env.user
        # sudo: whose contract it is
        funder = self.sudo().funder_id.commercial_partner_id
        if (
            not user.has_group("ctai_grants.group_portal_prefecture")
            or user.partner_id.commercial_partner_id != funder
        ):
            raise AccessError(
                self.env._("A statement is answered by the service that it was made for.")
            )

    def _note_opened(self):
        """Note that a user of the prefecture opened this statement: the first time of each."""
        self._check_answering()
        # sudo: who reads a statement adds to its acts by that, and in no other way
        statement = self.sudo()
        opened = statement.act_ids.filtered(
            lambda act: act.kind == "opened" and act.user_id == self.env.user
        )
        if not opened and statement.state != "draft":
            statement._act("opened")

    def _get_served(self, kind):
        """The kept file of that kind (in sudo), for who may read this statement; a download of the
        prefecture is noted.

        :raise AccessError: the user may not read it
        """
        self.ensure_one().check_access("read")
        # sudo: portal users read no attachment; the statement was just checked
        file = self.sudo().file_ids.filtered(lambda one: one.kind == kind)
        if file and not self.env.user._is_internal():
            self._check_answering()
            # sudo: who downloads adds to the acts by that, and in no other way
            self.sudo()._act("downloaded", file_kind=kind)
        return file

    def _acknowledge(self, text=""):
        """The prefecture acknowledges this statement.

        :raise UserError: it was answered or replaced already
        """
        self._check_answering()
        # sudo: as in _note_opened; who answers was just checked
        statement = self.sudo()
        statement.lock_for_update(allow_referencing=True)
        statement._act("acknowledged", text=(text or "").strip() or False)
        statement._tell_answer()

    def _contest(self, text="", lines=None):
        """The prefecture contests this statement: in general, line by line, or both.

        :param lines: {id of a line: what is said of it}
        :raise UserError: nothing is said, or it was acknowledged or replaced already
        """
        self._check_answering()
        # sudo: as above
        statement = self.sudo()
        text = text.strip() if has_words(text) else ""
        said = {key: words.strip() for key, words in (lines or {}).items() if has_words(words)}
        own = {line.id for line in statement.line_ids}
        if not own.issuperset(said):
            raise AccessError(self.env._("This line is not of this statement."))
        if not text and not said:
            raise UserError(
                self.env._("Write what you contest, in general or beside the line that it is of.")
            )
        statement.lock_for_update(allow_referencing=True)
        if text:
            statement._act("contested", text=text)
        for line_id, words in said.items():
            statement._act("contested", text=words, line_id=line_id)
        statement._tell_answer()

    def _tell_answer(self):
        """Leave an activity to whom runs the contract, or issued the statement."""
        user = self.contract_id.user_id or self.issued_by_id
        labels = dict(self._fields["state"]._description_selection(self.env))
        note = self.env._(
            "%(statement)s: %(state)s by %(author)s.",
            statement=self.display_name,
            state=labels[self.state],
            author=self.env.user.partner_id.display_name,
        )
        self.activity_schedule("mail.mail_activity_data_todo", user_id=user.id, note=note)

    @api.model
    def _get_portal_domain(self):
        """The statements that a page lists: whatever the rules let through, and not drafts."""
        return [("state", "!=", "draft")]

    def _get_answers(self):
        """What the prefecture said of this statement (in sudo): the acts, the earliest first."""
        kinds = ("acknowledged", "contested")
        return self.act_ids.filtered(lambda act: act.kind in kinds).sorted("id")
