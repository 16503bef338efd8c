from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...lib.award.registers import RegisterError, read_register, simplify
from .res_partner_body import get_digits


class GrantRegister(models.AbstractModel):
    """Compares organisations with the public registers of them, Sirene and RNA.

    Their extracts are imported here (:meth:`_import`); an add-on that asks an online service
    yields its answers in :meth:`_ask`.
    """

    _name = "grant.register"
    _description = "Public Registers of Organisations"

    @api.model
    def _ask(self, keys):
        """Hook: what a service says of ``keys`` (SIRET, SIREN, RNA).

        :return: iterable of :class:`ctai_grants.lib.award.registers.Answer`; nothing here
        """
        return ()

    @api.model
    def _check(self, source="service"):
        """Ask the service of :meth:`_ask` about every organisation with a role in grants.

        :return: dict {finding: number of answers}
        """
        known = self._get_known()
        return self._keep(known, self._ask(set(known)), source)

    @api.model
    def _import(self, stream, filename):
        """Compare every organisation with a role in grants with a public extract.

        :param stream: binary file
        :return: dict {finding: number of answers}
        :raise UserError: the file cannot be read, naming it and the line; nothing is kept then
        :raise AccessError: the user is not a coordinator
        """
        self.env["grant.subsidy"]._check_group(
            "group_coordinator", self.env._("Comparing organisations with a public register")
        )
        known = self._get_known()
        try:
            return self._keep(known, read_register(stream, filename, set(known)), filename)
        except RegisterError as error:
            raise UserError(self._get_refusal(error, filename)) from error

    @api.model
    def _get_known(self):
        """The organisations that are checked: dict {SIRET, SIREN or RNA: partners}."""
        partners = self.env["res.partner"].search([("grant_role", "!=", False)])
        known = {}
        for partner in partners:
            registry = get_digits(partner.company_registry) if partner._is_french() else ""
            for key in {registry, registry[:9], partner.rna or ""} - {""}:
                known[key] = known.get(key, partners.browse()) | partner
        return known

    @api.model
    def _keep(self, known, answers, source):
        """Keep ``answers`` with their date on the organisations that they are about, and tell the
        coordinator of what is new in them and differs."""
        # sudo: answers are written by the check alone
        kept = self.env["grant.register.answer"].sudo()
        counts, about = {}, {"date": self.env.company._grant_today()}
        for answer in answers:
            for partner in known[answer.key]:
                finding = self._compare(partner, answer)
                vals = {
                    **about, **answer._asdict(), "partner_id": partner.id, "finding": finding,
                    "source": self._get_source(source, answer.line),
                }  # fmt: skip
                del vals["line"], vals["is_open"]
                is_new = kept._is_new(partner, vals)
                kept.create(vals)
                counts[finding] = counts.get(finding, 0) + 1
                if finding != "same" and is_new:
                    self._tell(partner, finding, vals)
        return counts

    def _get_source(self, source, line):
        return self.env._("%(file)s, line %(line)s", file=source, line=line) if line else source

    @api.model
    def _compare(self, partner, answer):
        """What an answer says that differs from what was entered: ``closed``, ``moved``,
        ``renamed`` or ``same``."""
        if not answer.is_open:
            return "closed"
        registry = get_digits(partner.company_registry)
        if answer.siret and len(registry) == 14 and answer.siret != registry:
            return "moved"
        if answer.zip and partner.zip and answer.zip != partner.zip.strip():
            return "moved"
        street = simplify(f"{partner.street or ''} {partner.street2 or ''}")
        # Registers add floors and postal boxes: their street is to be in ours, or ours in it.
        theirs = simplify(answer.street)
        if theirs and street and not (set(theirs) <= set(street) or set(street) <= set(theirs)):
            return "moved"
        name, entered = simplify(answer.name), simplify(partner.name)
        if name and "".join(name) != "".join(entered):
            return "renamed"
        return "same"

    @api.model
    def _tell(self, partner, finding, vals):
        """Make it an activity of who follows the organisation."""
        address = " ".join(filter(None, (vals["street"], vals["zip"], vals["city"])))
        about = {
            "key": vals["key"], "origin": vals["source"], "name": vals["name"], "address": address,
            "closed": format_date(self.env, vals["closed_on"]) or "–", "siret": vals["siret"],
        }  # fmt: skip
        match finding:
            case "closed":
                note = self.env._("%(key)s is closed there since %(closed)s (%(origin)s).", **about)
            case "renamed":
                note = self.env._("%(key)s is called “%(name)s” there (%(origin)s).", **about)
            case _ if vals["siret"]:
                note = self.env._("Its head office is %(siret)s there (%(origin)s).", **about)
            case _:
                note = self.env._("%(key)s is at %(address)s there (%(origin)s).", **about)
        finding = dict(
            self.env["grant.register.answer"]._fields["finding"]._description_selection(self.env)
        )[finding]
        for user in self._get_followers(partner):
            # sudo: who imports the register may not write every organisation
            partner.sudo().activity_schedule(
                "ctai_grants.mail_activity_register",
                user_id=user.id,
                summary=self.env._("Public register: %(finding)s", finding=finding.lower()),
                note=note,
            )

    @api.model
    def _get_followers(self, partner):
        """In each city, the coordinator of the body's last subsidy there; without one, a
        coordinator of this city, or who asks."""
        followed = [
            *partner._get_subsidies_domain(),
            ("user_id.active", "=", True), ("state", "!=", "cancelled"),
        ]  # fmt: skip
        if partner.company_id:
            # That city's own record of the body.
            followed.append(("company_id", "=", partner.company_id.id))
        # sudo: an answer is told once, and each city that pays the body has to hear of it
        subsidies = self.env["grant.subsidy"].sudo().search(followed, order="id")
        if last := {subsidy.company_id: subsidy.user_id for subsidy in subsidies}:
            return self.env["res.users"].union(*last.values())
        # sudo: the members of a group are not everybody's to read
        group = self.env.ref("ctai_grants.group_coordinator").sudo()
        members = group.all_user_ids.filtered(
            lambda user: user.active and self.env.company in user.company_ids
        )
        return members.sorted("id")[:1] or self.env.user

    @api.model
    def _get_refusal(self, error, filename):
        about = {"file": filename, "line": error.line, "cell": error.cell}
        match error.code:
            case "empty":
                return self.env._("%(file)s is empty.", **about)
            case "bad_zip":
                return self.env._(
                    "%(file)s: this archive cannot be read, or holds no CSV file. Download it "
                    "again.",
                    **about,
                )
            case "not_text":
                return self.env._(
                    "%(file)s, line %(line)s: this is no text. Take the CSV file of the register, "
                    "as it is published.",
                    **about,
                )
            case "unknown_columns":
                return self.env._(
                    "%(file)s, line 1: its columns (%(cell)s) are those of no register. Take "
                    "StockEtablissement or StockUniteLegale of Sirene, or rna_waldec or rna_import "
                    "of the RNA.",
                    **about,
                )
            case "bad_number" | "bad_state":
                return self.env._(
                    "%(file)s, line %(line)s: “%(cell)s” is not what is expected there. Download "
                    "the file again: a spreadsheet may have changed it.",
                    **about,
                )
        return self.env._(
            "%(file)s, line %(line)s: this line has not the columns of the first. The file is cut "
            "off or was changed: download it again.",
            **about,
        )
