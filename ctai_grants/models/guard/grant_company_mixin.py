from odoo import models
from odoo.exceptions import AccessError, UserError


class GrantCompanyMixin(models.AbstractModel):
    """What is another company's is refused in words: Odoo's own have no translation, and do not say
    what to do."""

    _name = "grant.company.mixin"
    _description = "Refuses what is another company's"

    def _check_company(self, fnames=None):
        try:
            return super()._check_company(fnames)
        except AccessError:
            # Of what the user may not read nothing is told, not even its name.
            raise
        except UserError as refusal:
            raise UserError(self._say_other_company(fnames) or str(refusal)) from refusal

    def _say_other_company(self, fnames):
        """Which field of these records names what is another company's, in a sentence."""
        names = [
            name
            for name, field in self._fields.items()
            if field.relational and field.check_company
        ]
        if fnames and "company_id" not in fnames:
            names = [name for name in names if name in fnames]
        for record in self:
            company = record if record._name == "res.company" else record.company_id
            for name in names:
                # sudo: as Odoo looks there; what is refused is called by its name, and no more
                for value in record.sudo()[name].with_context(active_test=False):
                    domain = value._check_company_domain(company)
                    if domain and not value.filtered_domain(domain):
                        return record._say_other_value(company, name, value)
        return None

    def _say_other_value(self, company, name, value):
        others = value.company_id if "company_id" in value._fields else value.company_ids
        return self.env._(
            "%(document)s: “%(field)s” is to be of %(company)s, and %(value)s is of %(others)s. "
            "Nothing was changed: choose one of %(company)s.",
            document=self.display_name,
            field=self._fields[name]._description_string(self.env),
            company=company.display_name,
            value=value.display_name,
            others=", ".join(others.mapped("name")),
        )
