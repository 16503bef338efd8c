from odoo import api, fields, models

# What a page of the portal may be about, and has somebody who follows it.
FOLLOWED = ("grant.subsidy", "grant.contract")


class ResCompany(models.Model):
    """What a city says of itself on the portal: who answers, and what the law asks it to say."""

    _inherit = "res.company"

    grant_publication_director = fields.Char(
        string="Director of Publication",
        help="Who answers for what the portal publishes, usually the mayor (loi 2004-575).",
    )
    grant_host = fields.Char(
        string="Host of the Portal",
        help="Name, address and telephone of who runs the machines (loi 2004-575).",
    )
    grant_dpo = fields.Char(
        string="Data Protection Officer",
        help="Address, mail or telephone of the data protection officer (RGPD, art. 13 and 37).",
    )
    grant_retention_years = fields.Integer(
        string="Years That Files Are Kept",
        default=10,
        help="After the subsidy is closed; then the public archives decide. Said on the portal: "
        "nothing is destroyed by itself.",
    )

    _grant_retention_years_positive = models.Constraint(
        "CHECK (grant_retention_years BETWEEN 1 AND 100)",
        "Files of a subsidy are kept 1 to 100 years.",
    )

    @api.model
    def _get_portal_contact(self, document=None):
        """Who answers a question about a page of the portal.

        :param document: the subsidy or contract that the page shows, in sudo; another or none: the
            last one that the user may read
        :return: dict with ``city``, ``name`` (a person; the city when nobody follows the document),
            ``phone`` and ``email``
        """
        if document is None or document._name not in FOLLOWED or len(document) != 1:
            document = self._get_last_followed()
        # sudo: who follows a document of the user, and how to reach the city
        document_sudo, own_sudo = document.sudo(), self.env.company.sudo()
        city = document_sudo.company_id or own_sudo
        follower = city.browse().partner_id
        if document_sudo._name == "grant.subsidy":
            follower = document_sudo._get_coordinator().partner_id
        elif document_sudo.user_id.active:
            follower = document_sudo.user_id.partner_id
        return {
            "city": city.name,
            "name": follower.name or city.name,
            "phone": follower.phone or city.phone,
            "email": follower.email or city.email,
        }

    @api.model
    def _get_last_followed(self):
        """The subsidy, or else the contract, that the user's own rules show last; maybe none."""
        for model in map(self.env.__getitem__, FOLLOWED):
            if self.env.user._is_portal() and model.has_access("read"):
                if found := model.search([], limit=1, order="id desc"):
                    return found
        return model.browse()

    @api.model
    def _get_portal_cities(self):
        """The cities (in sudo) whose subsidies or contracts the user reads; without any, the one
        that shows the page."""
        cities = self.browse()
        for model in map(self.env.__getitem__, FOLLOWED):
            if self.env.user._is_portal() and model.has_access("read"):
                cities |= self.browse(
                    city.id for [city] in model._read_group([], ["company_id"])
                )
        # sudo: what they say of themselves to everybody
        return (cities or self.env.company).sudo()
