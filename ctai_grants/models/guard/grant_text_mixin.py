from odoo import api, models
from odoo.exceptions import ValidationError


class GrantTextMixin(models.AbstractModel):
    """Texts are written: a tick is none, and Odoo would store the word “True”."""

    _name = "grant.text.mixin"
    _description = "Texts That Somebody Wrote"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_texts(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_texts(vals)
        return super().write(vals)

    @api.model
    def _check_texts(self, vals):
        """Refuse a tick where words are asked for, a reason or a reference, and what no database
        keeps.

        :raise ValidationError: naming the field
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            if not field or field.type not in ("char", "text", "html"):
                continue
            if isinstance(value, str) and "\0" in value:
                raise ValidationError(
                    self.env._(
                        "“%(field)s” of %(model)s: it holds a NUL character, which is no text. "
                        "Write it without.",
                        field=field._description_string(self.env),
                        model=self._get_model_label(),
                    )
                )
            if value is True:
                raise ValidationError(
                    self.env._(
                        "“%(field)s” of %(model)s: write it, in words.",
                        field=field._description_string(self.env),
                        model=self._get_model_label(),
                    )
                )

    def _get_model_label(self):
        # sudo: the name only
        return self.env["ir.model"]._get(self._name).sudo().name
