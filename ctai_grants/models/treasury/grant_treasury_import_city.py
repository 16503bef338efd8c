from odoo import models
from odoo.exceptions import UserError

from ...lib.treasury.matching import is_city
from ...lib.treasury.titles import is_other_body, names_city


class GrantTreasuryImport(models.Model):
    """Whose lines an extract has: the city's, another's, or one that may be either."""

    _inherit = "grant.treasury.import"

    def _set_cities_apart(self, lines):
        """Ignore the lines of other cities; doubt those of another SIRET of the city's SIREN (it
        has moved, or that is another budget), and those below titles that name another city.

        :return: what is found of the file, as :meth:`_match`
        :raise UserError: all are others', or the city's own SIRET is not known
        """
        payments = [line for line in lines if line.reason not in ("wrong_total", "unread_total")]
        siret = self.company_id._get_siret() or ""
        cities = {line.city for line in payments}
        named = set(filter(is_city, cities))
        if named and not siret:
            raise UserError(
                self.env._(
                    "The file says which city paid, and %(company)s has no SIRET: enter it first, "
                    "on the form of the company.",
                    company=self.company_id.name,
                )
            )
        ours = {city for city in named if siret.startswith(city)}
        # What was the city's own once may be another budget's, or was entered by mistake.
        former = self.company_id.partner_id._get_sirets_ever()
        near = {
            city
            for city in named - ours
            if city[:9] == siret[:9] or any(known.startswith(city) for known in former)
        }
        others = named - ours - near
        if others and others == cities:
            raise UserError(self._get_others_message(others, siret))
        # Lines of the city's own SIRET are hardly ever looked at again.
        unclear = [line for line in payments if line.city not in ours]
        titles = {line.titles for line in unclear if line.city not in named}
        doubts = {title: self._get_title_doubt(title, siret, former) for title in titles}
        for line in unclear:
            if line.city in others:
                line.set("ignored", "other_city")
            elif line.city in near:
                line.doubt = ("city_siret", line.city)
            else:
                line.doubt = doubts[line.titles]
        near |= {doubt[1] for doubt in doubts.values() if doubt and doubt[0] == "city_siret"}
        is_named = all(siret in title.sirets for title in titles)
        return {
            "names_city": bool(cities) and is_named,
            "city_sirets": ", ".join(sorted(near)) or False,
        }

    def _get_others_message(self, others, siret):
        return self.env._(
            "This is the extract of another city or budget: its lines are of SIRET %(theirs)s, and "
            "%(company)s has %(ours)s. If that is the city's own since it changed, enter it on the "
            "form of the company, and import again.",
            theirs=", ".join(sorted(others)[:3]),
            company=self.company_id.name,
            ours=siret,
        )

    def _get_title_doubt(self, titles, siret, former):
        """Why the lines below these titles may be another city's: (reason, about), or None."""
        if siret in titles.sirets:
            return None
        if near := [s for s in titles.sirets if s[:9] == siret[:9] or s in former]:
            return "city_siret", near[0]
        name = self.company_id.name
        if any(names_city(words, name) and not is_other_body(text, name)
               for words, text in titles.names):  # fmt: skip
            return None
        named = [*titles.sirets, *(name for _words, name in titles.names)]
        return ("title_city", named[0]) if named else None
