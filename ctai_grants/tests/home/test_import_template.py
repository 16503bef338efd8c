import csv
import io

from odoo.tests import HttpCase, tagged

from ..common import GrantsCommon

OPTIONS = {
    "has_headers": True, "separator": "", "quoting": '"', "encoding": "", "advanced": True,
    "float_decimal_separator": ".", "float_thousand_separator": ",", "date_format": "",
    "datetime_format": "", "keep_matches": False, "name_create_enabled_fields": {},
    "import_set_empty_fields": [], "import_skip_records": [], "fallback_values": {},
}  # fmt: skip


@tagged("post_install", "-at_install")
class TestImportTemplate(HttpCase, GrantsCommon):
    """What one is given to fill in is what Odoo's import takes, in French too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.coordinator.lang = "fr_FR"
        cls.coordinator.password = cls.coordinator.login

    def download(self, model):
        return self.url_open(f"/grants/import/{model}.csv")

    def fill(self, content, **values):
        """The template with other cells in its first line, by heading."""
        head, first, *rest = csv.reader(
            io.StringIO(content.decode("utf-8-sig")), delimiter=";"
        )
        first = [values.get(name, cell) for name, cell in zip(head, first, strict=True)]
        stream = io.StringIO()
        csv.writer(stream, delimiter=";").writerows([head, first, *rest])
        return stream.getvalue().encode()

    def take(self, model, content, user=None):
        """Import a file as the screen does: the records, and what it says."""
        env = self.env(user=user or self.coordinator, context={"lang": "fr_FR"})
        wizard = env["base_import.import"].create(
            {"res_model": model, "file": content, "file_type": "text/csv", "file_name": "x.csv"}
        )
        preview = wizard.parse_preview(dict(OPTIONS))
        self.assertNotIn("error", preview)
        matches = preview["matches"]
        paths = ["/".join(matches.get(i, ())) for i in range(len(preview["headers"]))]
        self.assertTrue(all(paths), f"{preview['headers']} {matches}")
        result = wizard.execute_import(paths, preview["headers"], preview["options"])
        return env[model].browse(result.get("ids") or []), result["messages"]

    def test_operators(self):
        self.authenticate(self.coordinator.login, self.coordinator.login)
        content = self.download("res.partner").content
        made, messages = self.take("res.partner", content)
        self.assertFalse(messages)
        self.assertEqual(made.mapped("grant_role"), ["operator"])
        self.assertEqual((made.country_id.code, made.legal_form), ("FR", "association"))
        again, messages = self.take("res.partner", content)
        self.assertFalse(again, "the same SIRET is not there twice")
        self.assertIn("SIRET", str(messages))

    def test_schedules(self):
        self.coordinator.group_ids |= self.env.ref("ctai_grants.group_administrator")
        self.authenticate(self.coordinator.login, self.coordinator.login)
        made, messages = self.take(
            "grant.schedule.template", self.download("grant.schedule.template").content
        )
        self.assertFalse(messages)
        self.assertEqual(made.tranche_ids.mapped("percentage"), [80, 20])

    def test_subsidies_and_instalments(self):
        self.authenticate(self.coordinator.login, self.coordinator.login)
        known = {"Enveloppe": self.envelope.display_name, "Opérateur": self.operator.name}
        content = self.fill(self.download("grant.subsidy").content, **known)
        made, messages = self.take("grant.subsidy", content)
        self.assertFalse(messages)
        self.assertEqual((made.amount, made.state), (10000, "draft"))
        # As it was given: what names nothing is said, and nothing is made.
        before = self.env["grant.subsidy"].search_count([])
        made, messages = self.take("grant.subsidy", self.download("grant.subsidy").content)
        self.assertTrue(messages)
        self.assertEqual(self.env["grant.subsidy"].search_count([]), before)

    def test_for_whom(self):
        self.assertEqual(
            self.env["grant.subsidy"].get_import_templates()[0]["template"],
            "/grants/import/grant.subsidy.csv",
        )
        self.reader.password = self.operator_user.password = "readers-password"
        for user in (self.reader, self.operator_user):
            self.authenticate(user.login, "readers-password")
            self.assertEqual(self.download("grant.subsidy").status_code, 404)
        self.assertEqual(self.download("res.users").status_code, 404)
