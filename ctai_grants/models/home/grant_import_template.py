import csv
import io

from odoo import api, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

#: What one fills in, by model: the path of a field as Odoo's import reads it, and what stands in
#: the example, invented: texts, and of a selection its key. A list: one line each.
COLUMNS = {
    "res.partner": {
        "name": _lt("Example association (invented: replace this line)"),
        # Of nobody, nor of the demonstration: no SIREN begins with 000.
        "company_registry": "00008888000018",
        "is_company": "1",
        "grant_role": "operator",
        "legal_form": "association",
        "street": "1 rue Exemple",
        "zip": "86000",
        "city": "Poitiers",
        "country_id": "France",
        "email": "contact@association.example",
    },
    "grant.subsidy": {
        "name": _lt("Example workshops (invented: replace this line)"),
        "partner_id": _lt("Name of an operator that is there"),
        "envelope_id": _lt("Name of an envelope that is there"),
        "amount": "10000.00",
        "date_start": "2022-01-01",
        "date_end": "2022-12-31",
        "template_id": "",
        "decision_number": "2022-001",
        "decision_date": "2022-01-10",
    },
    "grant.funding": {
        "name": _lt("First instalment (invented: replace this line)"),
        "envelope_id": _lt("Name of an envelope that is there"),
        "amount": "75000.00",
        "due_date": "2022-03-31",
    },
    "grant.schedule.template": {
        "name": [_lt("Example schedule (invented: replace these lines)"), ""],
        "tranche_ids/name": [_lt("Advance"), _lt("Balance")],
        "tranche_ids/kind": ["advance", "balance"],
        "tranche_ids/percentage": ["80", "20"],
        "tranche_ids/date_base": ["signature", "end"],
        "tranche_ids/months": ["1", "6"],
    },
}


class GrantImportTemplate(models.AbstractModel):
    """The files that one fills in and imports: headings in the user's own language, by which Odoo's
    import knows the fields, and an example that is imported as it stands where all is there."""

    _name = "grant.import.template"
    _description = "Templates of Imports"

    @api.model
    def _get_template(self, model):
        """As Odoo's import screen offers it: a list of one."""
        label = self.env._("Template to fill in (CSV)")
        return [{"label": label, "template": f"/grants/import/{model}.csv"}]

    @api.model
    def _make(self, model):
        """The file of a model: its name and its bytes, CSV in UTF-8 that a spreadsheet opens.

        :raise AccessError: the user makes none of these
        """
        self.env[model].check_access("create")
        paths = COLUMNS[model]
        fields = [self._find_field(model, path) for path in paths]
        lines = [said if isinstance(said, list) else [said] for said in paths.values()]
        columns = [
            [self._say(field, value) for value in values]
            for field, values in zip(fields, lines, strict=True)
        ]
        stream = io.StringIO()
        # What a French spreadsheet takes for columns; Odoo's import finds it out.
        writer = csv.writer(stream, delimiter=";")
        writer.writerow([self._get_heading(model, path) for path in paths])
        writer.writerows(zip(*columns, strict=True))
        return f"{self.env[model]._description}.csv", stream.getvalue().encode("utf-8-sig")

    def _find_field(self, model, path):
        name, _slash, rest = path.partition("/")
        field = self.env[model]._fields[name]
        return self._find_field(field.comodel_name, rest) if rest else field

    def _get_heading(self, model, path):
        """Labels, with a slash where the field is of a line."""
        name, _slash, rest = path.partition("/")
        field = self.env[model]._fields[name]
        label = field._description_string(self.env)
        return f"{label}/{self._get_heading(field.comodel_name, rest)}" if rest else label

    def _say(self, field, value):
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, "")
        return value._translate(self.env.lang) if hasattr(value, "_translate") else value


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.model
    def get_import_templates(self):
        """Of the list of operators, ours."""
        if self.env.context.get("default_grant_role") == "operator":
            return self.env["grant.import.template"]._get_template(self._name)
        return super().get_import_templates()


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    @api.model
    def get_import_templates(self):
        """What Odoo's import offers to fill in."""
        return self.env["grant.import.template"]._get_template(self._name)


class GrantFunding(models.Model):
    _inherit = "grant.funding"

    @api.model
    def get_import_templates(self):
        """What Odoo's import offers to fill in."""
        return self.env["grant.import.template"]._get_template(self._name)


class GrantScheduleTemplate(models.Model):
    _inherit = "grant.schedule.template"

    @api.model
    def get_import_templates(self):
        """What Odoo's import offers to fill in."""
        return self.env["grant.import.template"]._get_template(self._name)
