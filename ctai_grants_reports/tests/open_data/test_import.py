import base64

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.common import SIRETS, make_siret

from .common import CITY_SIRET, OpenDataCase
from .test_awards_file import make_text

CITY = {"idAttribuant": CITY_SIRET}


@tagged("post_install", "-at_install")
class TestImport(OpenDataCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.imports = cls.env["grant.award.import"].with_user(cls.coordinator)
        cls.siren = SIRETS[0][:9]

    def read_rows(self, *rows, user=None, **options):
        text = make_text([{**CITY, **row} for row in rows], **options)
        return self.read_bytes(text.encode(), user)

    def read_bytes(self, content, user=None):
        imports = self.imports.with_user(user or self.coordinator)
        return imports._import(self.envelope, "awards.csv", content)

    def count(self):
        return (
            self.env["grant.subsidy"].search_count([]),
            self.env["res.partner"].search_count([]),
        )

    def test_drafts(self):
        before = self.count()
        other = {"idBeneficiaire": SIRETS[1], "montant": "1 200,00"}
        found = self.read_rows({}, other, delimiter=";")
        # Nothing is made by looking at it.
        self.assertEqual(self.count(), before)
        self.assertEqual((found.ready_count, found.ready_amount), (2, 31200.5))
        found.action_import()
        first, second = found.line_ids.subsidy_id.sorted("id")
        self.assertRecordValues(
            first,
            [
                {
                    "state": "draft",
                    "partner_id": self.operator.id,
                    "name": "Ateliers de français",
                    "amount": 30000.5,
                    "decision_number": "2021-0042",
                    "envelope_id": self.envelope.id,
                }
            ],
        )
        self.assertEqual(str(first.signature_date), "2021-10-25")
        self.assertEqual(second.partner_id, self.other_operator.with_env(second.env))
        self.assertEqual(found.state, "imported")
        self.assertEqual(found.imported_by_id, self.coordinator)

    def test_same_file_again(self):
        content = make_text([CITY, CITY]).encode()
        self.read_bytes(content).action_import()
        before = self.count()
        with self.assertRaisesRegex(UserError, "imported already.*nothing was done"):
            self.read_bytes(content)
        # Saved anew by another program, with a line more.
        other = {**CITY, "objet": "Autre"}
        again = self.read_bytes(make_text([CITY, CITY, other], delimiter=";").encode("utf-16"))
        self.assertEqual((again.known_count, again.ready_count), (2, 1))
        again.action_import()
        self.assertEqual(self.count(), (before[0] + 1, before[1]))
        # One that was deleted since may come again.
        again.line_ids.subsidy_id.unlink()
        once = self.read_rows(other)
        self.assertEqual((once.known_count, once.ready_count), (0, 1))

    def test_preview_again(self):
        content = make_text([CITY]).encode()
        first = self.read_bytes(content)
        self.assertEqual(self.read_bytes(content), first)
        other = self.imports._import(self.direct_envelope, "awards.csv", content)
        self.assertEqual(other.envelope_id, self.direct_envelope.with_env(other.env))
        self.assertFalse(first.exists())
        other.unlink()
        done = self.read_bytes(content)
        done.action_import()
        with self.assertRaises(UserError):
            done.unlink()

    def test_siret_then_siren(self):
        other_siret = make_siret(int(self.siren[:8]), 2)
        found = self.read_rows(
            {"idBeneficiaire": self.siren},
            {"idBeneficiaire": other_siret, "objet": "B"},
            {"idBeneficiaire": SIRETS[0], "objet": "C"},
        )
        self.assertEqual(found.line_ids.mapped("match"), ["siren", "siren", "siret"])
        self.assertEqual(found.line_ids.partner_id, self.operator.with_env(found.env))
        self.assertIn(other_siret, found.line_ids[1].message)
        # Once that establishment has a record of its own, the SIREN alone says too little.
        branch = self.env["res.partner"].create(
            {"name": "Antenne", "is_company": True, "company_registry": other_siret,
             "country_id": self.env.ref("base.fr").id}
        )  # fmt: skip
        found.action_refresh()
        first, second, third = found.line_ids
        self.assertEqual((first.status, second.status, third.status),
                         ("refused", "ready", "ready"))  # fmt: skip
        self.assertIn("several records", first.message.lower())
        self.assertEqual(second.partner_id, branch.with_env(second.env))

    def test_new_operator(self):
        number = make_siret()
        rows = [
            {"idBeneficiaire": number, "nomBeneficiaire": "Nouvelle association"},
            {"idBeneficiaire": number, "nomBeneficiaire": "Nouvelle assoc.", "objet": "B"},
        ]
        found = self.read_rows(*rows)
        self.assertEqual(found.operator_count, 1)
        found.action_import()
        partner = found.line_ids.subsidy_id.partner_id
        self.assertRecordValues(
            partner,
            [{"name": "Nouvelle association", "company_registry": number, "is_company": True,
              "grant_role": "operator", "grant_body": number[:9]}],
        )  # fmt: skip
        # A SIREN that nobody has makes no operator, nor a SIRET without a name.
        found = self.read_rows(
            {"idBeneficiaire": make_siret()[:9]},
            {"idBeneficiaire": make_siret(), "nomBeneficiaire": ""},
        )
        self.assertEqual(found.refused_count, 2)

    def test_errors_by_line_and_column(self):
        found = self.read_rows(
            {"idBeneficiaire": "2,43E+13"},
            {"montant": "1.234", "dateConvention": "2021-02-30"},
            {},
            {"idAttribuant": SIRETS[1]},
            {"nature": "aide en nature"},
            {"idBeneficiaire": CITY_SIRET},
            delimiter=";",
        )
        lines = {line.row_number: line for line in found.line_ids}
        self.assertIn("idBeneficiaire “2,43E+13”: a spreadsheet has shortened", lines[2].message)
        self.assertIn("montant “1.234”", lines[3].message)
        self.assertIn("dateConvention “2021-02-30”", lines[3].message)
        self.assertEqual(lines[4].status, "ready")
        self.assertIn("not the SIREN of this city", lines[5].message)
        self.assertIn("aid in kind", lines[6].message.lower())
        self.assertIn("the city itself", lines[7].message)
        found.action_import()
        self.assertEqual(len(found.line_ids.subsidy_id), 1)

    def test_all_or_nothing(self):
        """A rule that refuses one line lets none in."""
        before = self.count()
        found = self.read_rows({"idBeneficiaire": make_siret()}, {"objet": "B"})
        reason = "No B."
        constrain = self.env.registry["grant.subsidy"]._check_actions_total

        def refuse(subsidies):
            if subsidies.filtered(lambda subsidy: subsidy.name == "B"):
                raise ValidationError(reason)
            return constrain(subsidies)

        self.patch(self.env.registry["grant.subsidy"], "_check_actions_total", refuse)
        with self.assertRaisesRegex(UserError, "Line 3.*No B.*\nNothing was imported"), (
            self.env.cr.savepoint()
        ):
            found.action_import()
        self.env.invalidate_all()
        self.assertEqual(self.count(), before)
        self.assertEqual(found.state, "preview")

    def test_changed_since_the_preview(self):
        number = make_siret()
        found = self.read_rows({"idBeneficiaire": number})
        self._make_organisation("Entrée entre-temps", "operator").company_registry = number
        with self.assertRaisesRegex(UserError, "changed since the preview"):
            found.action_import()

    def test_bad_files(self):
        before = self.imports.search_count([])
        for content, message in (
            (b"", "The file is empty"),
            (b"%PDF-1.7", "no spreadsheet"),
            (b"a;b\n1;2\n", "Not found: idBeneficiaire, montant, objet"),
            (b"siret;objet;montant\n", "no award below"),
            (b"siret;siret;objet;montant\n1;2;3;4\n", "there twice"),
            (b"\x00" * 100, "."),
        ):
            with self.assertRaisesRegex(UserError, message), self.env.cr.savepoint():
                self.read_bytes(content)
        self.assertEqual(self.imports.search_count([]), before)

    def test_roles(self):
        for user in (self.reader, self.finance_officer, self.finance_manager):
            with self.assertRaises(AccessError):
                self.read_rows(CITY, user=user)
        found = self.read_rows({})
        for user in (self.reader, self.finance_officer):
            self.assertEqual(found.with_user(user).line_ids.amount, 30000.5)
            for act in ("action_import", "action_refresh", "unlink"):
                with self.assertRaises(AccessError):
                    getattr(found.with_user(user), act)()
        for user in self.portal_users:
            with self.assertRaises(AccessError):
                found.with_user(user).read(["name"])
        for record, values in (
            (found, {"state": "imported"}),
            (found.line_ids, {"amount": 1}),
            (found.line_ids, {"status": "done"}),
        ):
            with self.assertRaises(AccessError):
                record.write(values)
            with self.assertRaises(AccessError):
                record.with_user(self.administrator).sudo().write(values)

    def test_window(self):
        window = self.env["grant.award.upload"].with_user(self.coordinator).create(
            {
                "envelope_id": self.envelope.id,
                "filename": "a.csv",
                "file": base64.b64encode(make_text([CITY]).encode()),
            }
        )  # fmt: skip
        action = window.action_confirm()
        self.assertEqual(self.imports.browse(action["res_id"]).ready_count, 1)
