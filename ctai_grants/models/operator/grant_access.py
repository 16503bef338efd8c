import datetime
import re

from psycopg2 import errors

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_normalize
from odoo.tools.misc import hash_sign, verify_hash_signed

from ...lib.guard.words import clean
from ..guard import transition

SCOPE = "ctai_grants.access"
VALIDITY = datetime.timedelta(days=7)
#: Mails of invitation that the people of one operator may have sent within a day.
MOST_INVITATIONS = 10
LONGEST_NAME, LONGEST_EMAIL = 80, 254
# Names of persons; no address of a page, “site.fr” either, which a mail of the city would carry to
# strangers.
NAME = re.compile(r"(?!.*[.][^\W\d_]{2})[^\W\d_][^\W\d_ '’.\-]*(?:[ '’.\-]+[^\W\d_]+)*\.?")


class GrantAccess(models.Model):
    """A person who acts for an operator on the portal, or is invited to.

    A person has one login, of one organisation: what gives access is still whose contact the user
    is (the rules of security/). This says who let it in, who represents the organisation, and takes
    the login away when the person leaves. Only its methods write: each checks who acts.
    """

    _name = "grant.access"
    _description = "Person Acting for an Operator"
    _inherit = ["grant.document.mixin"]
    _order = "state, name, id"

    operator_id = fields.Many2one(
        "res.partner", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(
        "res.company", string="Invited by the City", required=True, readonly=True,
        ondelete="restrict",
    )  # fmt: skip
    name = fields.Char(required=True, readonly=True)
    email = fields.Char(readonly=True, help="Where the invitation goes; then the login.")
    user_id = fields.Many2one(
        "res.users", string="Login", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    is_representative = fields.Boolean(
        string="Representative", readonly=True,
        help="May invite and remove colleagues. The city decides who is.",
    )  # fmt: skip
    state = fields.Selection(
        [("active", "Has Access"), ("invited", "Invited"), ("ended", "Ended")],
        required=True, default="invited", readonly=True, index=True,
    )  # fmt: skip
    sending = fields.Integer(
        string="Times Sent", readonly=True, help="Only the link of the last invitation works."
    )
    expires_at = fields.Datetime(string="Link Works Until", readonly=True)
    is_expired = fields.Boolean(compute="_compute_is_expired")
    act_ids = fields.One2many("grant.access.act", "access_id", string="Trace")

    _invited_once = models.UniqueIndex(
        "(operator_id, email) WHERE state = 'invited'", "This person is invited already."
    )
    _one_login = models.UniqueIndex(
        "(user_id) WHERE state = 'active'", "A login acts for one organisation."
    )

    @api.depends("expires_at", "state")
    def _compute_is_expired(self):
        now = fields.Datetime.now()
        for access in self:
            access.is_expired = bool(
                access.state == "invited" and access.expires_at and access.expires_at < now
            )

    def _note(self, what, user=None):
        """Add a line to the trace of each of these.

        :param user: who acts, when that is not the present user
        """
        user = user or self.env.user
        # A transition is for lines that there are.
        if not self:
            return
        self.env["grant.access.act"]._append(
            [
                {
                    "access_id": access.id,
                    "what": what,
                    "user_id": user.id,
                    "user_name": user.partner_id.name,
                    "by_city": user._is_internal(),
                    "done_at": fields.Datetime.now(),
                }
                for access in self
            ]
        )

    # ------------------------------------------------------------------
    # Inviting
    # ------------------------------------------------------------------

    @api.model
    def _invite(self, operator, name, email, is_representative=False):
        """Invite somebody to act for an operator: a mail with a link that works for seven days.

        :param operator: an organisation, in sudo
        :return: the invitation, in sudo
        :raise UserError: no name or address, in use by another login, too many
        :raise AccessError: neither a coordinator of its cities nor its representative; who is a
            representative, the city alone decides
        """
        what = self.env._("Inviting somebody")
        self._check_manager(operator, what, by_city=is_representative)
        if operator.grant_role != "operator" or operator.commercial_partner_id != operator:
            raise UserError(
                self.env._("%s is no operator: nobody is invited to act for it.", operator.name)
            )
        name, email = self._check_person(name, email)
        self._check_rate(operator)
        self._check_free(operator, email)
        vals = {
            "operator_id": operator.id,
            "company_id": self._get_city(operator).id,
            "name": name,
            "email": email,
            "is_representative": is_representative,
        }
        try:
            with self.env.cr.savepoint():
                # sudo: no one has the right to write here but these methods, which check who acts
                invitation = transition.creating(self.sudo(), [vals]).create(vals)
                # Out of the transition, which is spent.
                invitation = invitation.with_env(self.sudo().env)
                self.env.flush_all()
        except errors.UniqueViolation as error:
            raise self._say_invited(name, email) from error
        invitation._send("invited")
        return invitation

    def _get_city(self, operator):
        """In whose name a mail goes: the coordinator's city, or else that of the last subsidy."""
        if self.env.user._is_internal():
            return self.env.company
        # sudo: the city is named by every page of the operator
        last = self.env["grant.subsidy"].sudo().search(
            [("partner_id.commercial_partner_id", "=", operator.id)], order="id desc", limit=1
        )  # fmt: skip
        return last.company_id or self.env.user.company_id

    def _check_person(self, name, email):
        name = clean(name, LONGEST_NAME + 1)
        if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
            raise UserError(
                self.env._(
                    "Write the first name and the name of the person, in letters (%s at most).",
                    LONGEST_NAME,
                )
            )
        email = email_normalize(clean(email, LONGEST_EMAIL + 1)) or ""
        if not email or len(email) > LONGEST_EMAIL:
            raise UserError(
                self.env._("Write one e-mail address, like prenom.nom@exemple.fr.")
            )
        return name, email

    def _check_rate(self, operator):
        """Refuse that an operator's people send mails of the city to everybody."""
        if self.env.user._is_internal():
            return
        since = fields.Datetime.now() - datetime.timedelta(days=1)
        # sudo: a number
        sent = self.env["grant.access.act"].sudo().search_count(
            [
                ("access_id.operator_id", "=", operator.id), ("by_city", "=", False),
                ("what", "in", ("invited", "sent_again")), ("done_at", ">", since),
            ]
        )  # fmt: skip
        if sent >= MOST_INVITATIONS:
            raise UserError(
                self.env._(
                    "%s invitations were sent within a day: wait until tomorrow, or ask the city.",
                    sent,
                )
            )

    def _say_invited(self, name, email):
        return UserError(
            self.env._(
                "%(name)s (%(email)s) is invited already: look at the list, and send the "
                "invitation again if it is lost.",
                name=name, email=email,
            )
        )  # fmt: skip

    def _check_free(self, operator, email, but=None):
        """Refuse an address that already opens a login of an organisation or of the staff, or is
        invited already.

        :param but: the invitation that is about it
        """
        # sudo: whether a login is free; whose it is, only the city's staff is told
        accesses = self.sudo().search(
            [
                ("operator_id", "=", operator.id), ("email", "=", email),
                # Of who has access, it may be what it says of itself: told, and no obstacle later.
                ("state", "in", ("invited",) if but else ("invited", "active")),
            ]
        )  # fmt: skip
        if accesses - (but or accesses.browse()):
            raise self._say_invited(accesses[0].name, email)
        users = self._get_logins(email)
        # Of who has a portal, the address of its contact is what it says of itself: with
        # somebody else's it would keep that one out.
        # sudo: as above
        users |= users.search(
            [("share", "=", False), ("partner_id.email_normalized", "=", email)]
        ).filtered("active")
        users -= self._filter_private(users)
        if not users:
            return
        about = {"email": email, "operator": operator.name}
        if not self.env.user._is_internal():
            message = self.env._(
                "No invitation can be sent to %(email)s: it opens another login here. Give another "
                "address of this person, or ask the city.", **about
            )  # fmt: skip
        elif users.filtered(lambda user: user._is_internal()):
            message = self.env._(
                "%(email)s is the address of a member of the staff, who cannot act for "
                "%(operator)s.", **about
            )  # fmt: skip
        elif users.filtered(lambda user: user.commercial_partner_id == operator):
            message = self.env._(
                "%(email)s opened a login of %(operator)s that was closed in Odoo: free it there "
                "first, or give another address.", **about
            )  # fmt: skip
        else:
            message = self.env._(
                "%(email)s opens the login of another organisation. A login acts for one: invite "
                "this person with another address, or have the first access ended.", **about
            )  # fmt: skip
        raise UserError(message)

    @api.model
    def _get_logins(self, email):
        """The logins (in sudo) that an address opens, or did before they were closed."""
        pattern = re.sub(r"([\\%_])", r"\\\1", email)
        # sudo: as in _check_free
        users = self.env["res.users"].sudo().with_context(active_test=False)
        return users.search([("login", "=ilike", pattern)])

    @api.model
    def _filter_private(self, users):
        """Of these, the logins of people who act for nobody. Where anybody may sign up, with any
        address, they are no proof of whose address that is, and keep nobody out."""
        return users.filtered(
            lambda user: user.active and user._is_portal()
            and user.commercial_partner_id == user.partner_id
            and not user.partner_id.is_company and not user.partner_id.grant_role
        )  # fmt: skip

    def _get_private_logins(self):
        """The logins (in sudo) that are closed when this invitation is accepted."""
        self.ensure_one()
        return self._filter_private(self._get_logins(self.email))

    def _send(self, what):
        """Send the mail of the invitation; the links sent before stop to work."""
        self.ensure_one()
        self._transition(
            sending=self.sending + 1, expires_at=fields.Datetime.now() + VALIDITY
        )
        self._note(what)
        self._mail_invitation()

    def _get_token(self):
        """What the link of the last invitation carries. It is stored nowhere."""
        self.ensure_one()
        # sudo: the secret that signs it
        return hash_sign(self.sudo().env, SCOPE, [self.id, self.sending], expiration=VALIDITY)

    # ------------------------------------------------------------------
    # Accepting
    # ------------------------------------------------------------------

    @api.model
    def _find_invitation(self, token):
        """The invitation (in sudo) of a link: the last one that was sent, neither withdrawn, nor
        expired, nor used; None."""
        if not isinstance(token, str):
            return None
        try:
            # sudo: the secret that signs it
            access_id, sending = verify_hash_signed(self.sudo().env, SCOPE, token) or (0, 0)
        except ValueError:
            # Whatever somebody typed.
            return None
        # sudo: who has the link is who was invited
        access = self.sudo().browse(access_id).exists()
        if not access or access.sending != sending or access.expires_at < fields.Datetime.now():
            return None
        # Until the first login: who closed the page before choosing a password comes back.
        is_waiting = access.state == "active" and not access.user_id.login_date
        return access if access.state == "invited" or is_waiting else None

    def _accept(self):
        """Make the login of who was invited; where to choose its password.

        :return: an address of Odoo's own page, with a token made for this moment
        :raise UserError: the address opens another login meanwhile
        """
        self.ensure_one()
        # Two clicks: the second waits, fails to write what the first wrote, and begins again.
        self.env.cr.execute(SQL("SELECT FROM grant_access WHERE id = %s FOR UPDATE", self.id))
        if self.state == "invited":
            self._check_free(self.operator_id, self.email, but=self)
            # Who has the link reads the mail of this address; whoever made that login may not.
            self._close(self._get_private_logins())
            # As Odoo's own invitation does; the login follows (_follow) and takes this one over.
            users = self.env["res.users"].with_user(SUPERUSER_ID)
            users.with_context(no_reset_password=True)._create_user_from_template(
                {
                    "login": self.email,
                    "email": self.email,
                    "partner_id": self._get_contact().id,
                    "company_id": self.company_id.id,
                    "company_ids": [fields.Command.set(self.company_id.ids)],
                }
            )
        # sudo: as above
        contact = self.user_id.partner_id.sudo()
        contact.signup_prepare()
        urls = contact.with_context(relative_url=True)._get_signup_url_for_action(url="/my")
        return urls[contact.id]

    def _get_contact(self):
        """The contact of the person: the one it had when it acted for this operator before, or a
        new one. The organisation itself stays as it is."""
        before = self.search(
            [
                ("operator_id", "=", self.operator_id.id), ("email", "=", self.email),
                ("state", "=", "ended"), ("user_id", "!=", False),
            ]
        ).user_id.partner_id.filtered(
            lambda contact: contact.active and contact.parent_id == self.operator_id
            and contact.email_normalized == self.email
        )  # fmt: skip
        return before[:1] or self.env["res.partner"].with_user(SUPERUSER_ID).create(
            {
                "name": self.name,
                "email": self.email,
                "parent_id": self.operator_id.id,
                "lang": self.operator_id.lang,
            }
        )
