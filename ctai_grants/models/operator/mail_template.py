from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import html2plaintext, html_sanitize

from ...lib.guard.words import has_words
from ...lib.operator.placeholders import fill, fill_html, find_errors


class MailTemplate(models.Model):
    """The wordings of our letters: subject and text, with names in braces and no code at all,
    whoever edits them; and only administrators of grants do."""

    _inherit = "mail.template"

    # Set by our data alone.
    grant_letter = fields.Char(string="Letter of Grants", readonly=True, copy=False)
    grant_placeholders = fields.Char(
        string="Names to Use",
        compute="_compute_grant_placeholders",
        help="Written between double braces, what they stand for is put in their place.",
    )

    _grant_letter_uniq = models.UniqueIndex(
        "(grant_letter) WHERE grant_letter IS NOT NULL", "A letter has one wording."
    )

    @api.depends("grant_letter")
    def _compute_grant_placeholders(self):
        letters = self.env["grant.letter"]
        for template in self:
            names = letters._get_names(template.grant_letter) if template.grant_letter else ()
            template.grant_placeholders = "  ".join(f"{{{{ {name} }}}}" for name in names)

    @api.constrains("subject", "body_html", "grant_letter")
    def _check_grant_letter(self):
        for template in self.filtered("grant_letter"):
            names = self.env["grant.letter"]._get_names(template.grant_letter)
            errors = find_errors(template.subject, names) + find_errors(template.body_html, names)
            if errors:
                raise ValidationError(
                    self.env._(
                        "“%(letter)s”: %(errors)s cannot stand in the wording of a letter. Use "
                        "these names: %(names)s.",
                        letter=template.name,
                        errors=", ".join(errors),
                        names=template.grant_placeholders,
                    )
                )

    def _check_can_be_rendered(self, fnames=None, render_options=None):
        others = self.filtered(lambda template: not template.grant_letter)
        return super(MailTemplate, others)._check_can_be_rendered(fnames, render_options)

    def _has_unsafe_expression(self):
        # Ours have none: they are looked at more strictly.
        others = self.filtered(lambda template: not template.sudo().grant_letter)
        return super(MailTemplate, others)._has_unsafe_expression()

    def _check_letter_editor(self):
        """Refuse who may not word letters in the city's name.

        :raise AccessError: the user is no administrator of grants
        """
        # sudo() is our own data, and upgrades.
        if self.env.su or not self.filtered("grant_letter"):
            return
        self.env["grant.subsidy"]._check_group(
            "group_administrator", self.env._("Wording the letters to operators")
        )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and any(vals.get("grant_letter") for vals in vals_list):
            raise AccessError(self.env._("The letters to operators are what they are."))
        templates = super().create(vals_list)
        if templates.filtered("grant_letter"):
            self.env.registry.clear_cache()
        return templates

    def write(self, vals):
        self._check_letter_editor()
        if "grant_letter" in vals and not self.env.su:
            raise AccessError(self.env._("The letters to operators are what they are."))
        return super().write(vals)

    def unlink(self):
        self._check_letter_editor()
        self.env.registry.clear_cache()
        return super().unlink()

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=""):
        self._check_letter_editor()
        result = super()._update_field_translations(field_name, translations, digest, source_lang)
        for lang in translations:
            self.with_context(lang=lang)._check_grant_letter()
        return result

    @tools.ormcache("kind")
    def _find_letter(self, kind):
        # sudo: which one it is, for whoever sends
        templates = self.sudo().with_context(active_test=False)
        return templates.search([("grant_letter", "=", kind)], limit=1).id

    @api.model
    def _word_letter(self, kind, values):
        """Subject and body of a letter in the language of the context, in the city's words.

        :param dict values: of each name; what is HTML stays so
        :raise UserError: the wording is empty, or not one
        """
        # sudo: what everybody who gets the letter reads
        template = self.sudo().browse(self._find_letter(kind))
        subject, body = template.subject or "", template.body_html or ""
        if not has_words(subject) or not has_words(html2plaintext(body)):
            raise UserError(
                self.env._(
                    "The wording of the letter “%s” is empty: an administrator writes it, under "
                    "Configuration, Wording of Letters.",
                    template.name or kind,
                )
            )
        # As it is kept: as HTML, the braces of a link would become %20.
        body = html_sanitize(
            body, sanitize_attributes=True, strip_classes=True, output_method="xml"
        )
        if errors := find_errors(subject, values) + find_errors(body, values):
            raise UserError(
                self.env._(
                    "The wording of the letter “%(letter)s” is to be corrected: %(errors)s.",
                    letter=template.name,
                    errors=", ".join(errors),
                )
            )
        return " ".join(fill(subject, values).split()), fill_html(body, values)
