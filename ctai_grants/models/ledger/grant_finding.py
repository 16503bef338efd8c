from odoo import api, fields, models


class GrantFinding(models.Model):
    """What the verifier found in the night, as long as it finds it: nobody has to ask it."""

    _name = "grant.finding"
    _description = "Finding of the Verifier"
    _order = "found_at desc, id desc"
    _rec_name = "sentence"

    sentence = fields.Text(string="What Is Wrong", readonly=True, required=True)
    company_id = fields.Many2one(
        "res.company", readonly=True, index=True, ondelete="cascade",
        help="Whose ledger it is about; of none: the tables of all.",
    )  # fmt: skip
    found_at = fields.Datetime(
        string="Found Since", readonly=True, required=True, default=fields.Datetime.now
    )

    @api.model
    def _cron_verify(self):
        """Each night: verify the ledger of each city and what guards it (R3 to R6). What holds
        again goes; what is new is added, with the moment."""
        found = self._find()
        known = {(one.company_id, one.sentence): one for one in self.search(fields.Domain.TRUE)}
        self.union(*(one for key, one in known.items() if key not in found)).unlink()
        self.create([
            {"company_id": company.id, "sentence": sentence}
            for company, sentence in found if (company, sentence) not in known
        ])  # fmt: skip

    @api.model
    def _find(self):
        """Pairs of a city, or none, and a sentence in its language, each once, in their order."""
        nobody = self.env["res.company"]
        entries = self.env["grant.entry"]
        envelopes = self.env["grant.envelope"].search(fields.Domain.TRUE)
        found = {}
        for company, own in envelopes.grouped("company_id").items():
            spoken = entries.with_context(lang=company.partner_id.lang or self.env.lang)
            sentences = spoken._verify_city(own.with_env(spoken.env))
            found.update({(company, sentence): None for sentence in sentences})
        lang = self.env.company.partner_id.lang or self.env.lang
        spoken = entries.with_context(lang=lang)
        sentences = spoken._verify_tables(envelopes.with_env(spoken.env))
        return {**found, **{(nobody, sentence): None for sentence in sentences}}
