import base64
import csv
import io
import tempfile
import tracemalloc
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path

from odoo.tests import BaseCase, new_test_user

from ...lib.award.registers import RegisterError, read_register
from ...wizards.award import grant_register_upload
from ..commands import CommandMixin
from ..common import GrantsCommon

# Columns as they are published; shortened to those that are read and a few that are not.
ESTABLISHMENTS = (
    "siren,nic,siret,statutDiffusionEtablissement,etablissementSiege,"
    "numeroVoieEtablissement,indiceRepetitionEtablissement,typeVoieEtablissement,"
    "libelleVoieEtablissement,codePostalEtablissement,libelleCommuneEtablissement,dateDebut,"
    "etatAdministratifEtablissement"
)
UNITS = (
    "siren,statutDiffusionUniteLegale,dateDebut,etatAdministratifUniteLegale,"
    "denominationUniteLegale,nicSiegeUniteLegale"
)
WALDEC = (
    "id;id_ex;siret;date_disso;titre;adrs_numvoie;adrs_repetition;adrs_typevoie;adrs_libvoie;"
    "adrs_codepostal;adrs_libcommune;position;maj_time"
)


class TestRegisterFiles(BaseCase):
    """The readers alone, without a database."""

    def read_all(self, content, keys, name="x.csv"):
        return list(read_register(io.BytesIO(content), name, set(keys)))

    def test_layouts(self):
        lines = "000900019,00010,00090001900019,O,true,12,,AV,DE PARIS,86000,POITIERS,2020-01-01,A"
        (answer,) = self.read_all(f"{ESTABLISHMENTS}\n{lines}\n".encode(), ["00090001900019"])
        self.assertEqual((answer.street, answer.zip, answer.line), ("12 AV DE PARIS", "86000", 2))
        self.assertTrue(answer.is_open)
        text = f"{UNITS}\n000900019,O,2025-03-01,C,L'ÉCOLE,00019\n"
        (answer,) = self.read_all(text.encode("utf-8-sig"), ["000900019"])
        self.assertEqual((answer.is_open, str(answer.closed_on)), (False, "2025-03-01"))
        self.assertEqual((answer.name, answer.siret), ("L'ÉCOLE", "00090001900019"))
        row = '"W863001234";"";"";"0001-01-01";"L\'école; libre";"1";"";"";"X";"86000";"P";"A";""'
        (answer,) = self.read_all(f"{WALDEC}\n{row}\n".encode("cp1252"), ["W863001234"])
        self.assertEqual((answer.name, answer.is_open), ("L'école; libre", True))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("rna.csv", f"{WALDEC}\n{row}\n".encode())
        self.assertEqual(len(self.read_all(archive.getvalue(), ["W863001234"], "rna.zip")), 1)

    def test_damaged_archives(self):
        for packing in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", packing) as file:
                file.writestr("rna.csv", f"{UNITS}\n000900019,O,,A,X,00010\n" * 20)
            whole = archive.getvalue()
            for damaged in (whole[7:], *(
                whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]
                for place in range(4, len(whole), 11)
            )):  # fmt: skip
                with suppress(RegisterError):
                    self.read_all(damaged, ["000900019"], "rna.zip")

    def test_refusals(self):
        for content, name, code, line in (
            (b"", "x.csv", "empty", None),
            (b"PK\3\4 cut off", "x.zip", "bad_zip", None),
            (b"a,b\n1,2\n", "x.csv", "unknown_columns", 1),
            (f"{UNITS}\n000900019,O,,A,X\n".encode(), "x.csv", "bad_line", 2),
            (f"{UNITS}\n000900019,O,,?,X,1\n".encode(), "x.csv", "bad_state", 2),
            (f"{UNITS}\n1.8E+1,O,,A,X,1\n".encode(), "x.csv", "bad_number", 2),
            (f"{UNITS}\n".encode() + b"000900027,O,,A,X,00010\n" * 4000 + b"\xff\xfe,,\n", "x.csv",
             "not_text", 4002),
        ):  # fmt: skip
            with self.subTest(code=code), self.assertRaises(RegisterError) as caught:
                self.read_all(content, ["000900019"], name)
            self.assertEqual(caught.exception.code, code)
            if code != "not_text":
                self.assertEqual(caught.exception.line, line)

    def test_memory_is_flat(self):
        def read(count):
            lines = b"000900027,O,2020-01-01,A,ASSOCIATION,00010\n" * count
            stream = io.BytesIO(f"{UNITS}\n".encode() + lines)
            tracemalloc.start()
            list(read_register(stream, "x.csv", {"000900019"}))
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

        self.assertLess(read(100_000), 1.5 * read(10_000) + 100_000)

    def test_published_files(self):
        """Real extracts, where they are beside the project: they are read to the end."""
        folders = [p / "shared/data/registers" for p in Path(__file__).resolve().parents]
        files = [path for folder in folders for path in sorted(folder.glob("*.[cz]*"))]
        if not files:
            self.skipTest("no extracts are beside the project (shared/data/registers)")
        for path in files:
            with self.subTest(file=path.name), path.open("rb") as stream:
                list(read_register(stream, path.name, {"000900019"}))


class TestRegister(CommandMixin, GrantsCommon):
    """What a register says is kept, with its date, and what differs is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator.write(
            {"rna": "W863001234", "street": "12 avenue de Paris", "zip": "86000",
             "city": "Poitiers"}
        )  # fmt: skip
        cls.siret = cls.operator.company_registry

    def upload(self, head, *rows, user=None, name="extrait.csv"):
        separator = ";" if ";" in head else ","
        text = io.StringIO()
        text.write(head + "\n")
        csv.writer(text, delimiter=separator).writerows(rows)
        file = base64.b64encode(text.getvalue().encode())
        uploads = self.env["grant.register.upload"].with_user(user or self.coordinator)
        return uploads.create({"file": file, "filename": name}).action_confirm()

    def establishment(self, street="DE PARIS", state="A", number="12", zip_="86000"):
        siret = self.siret
        return (siret[:9], siret[9:], siret, "O", "true", number, "", "AV", street, zip_,
                "POITIERS", "2020-01-01", state)  # fmt: skip

    def unit(self, name="ASSOCIATION DE TEST", state="A", nic=None):
        return (self.siret[:9], "O", "2025-03-01", state, name, nic or self.siret[9:])

    def association(self, title="Association de test", ended="", position="A"):
        return ("W863001234", "", "", ended, title, "12", "", "AV", "DE PARIS", "86000", "Poitiers",
                position, "")  # fmt: skip

    def get_last(self):
        answers = self.env["grant.register.answer"]
        return answers.search([("partner_id", "=", self.operator.id)], limit=1)

    def test_findings(self):
        for head, row, finding in (
            (ESTABLISHMENTS, self.establishment(), "same"),
            (ESTABLISHMENTS, self.establishment(state="F"), "closed"),
            (ESTABLISHMENTS, self.establishment(number="3", street="DES LILAS"), "moved"),
            (ESTABLISHMENTS, self.establishment(zip_="86100"), "moved"),
            (UNITS, self.unit(), "same"),
            (UNITS, self.unit(state="C"), "closed"),
            (UNITS, self.unit(name="ASSOCIATION NOUVELLE"), "renamed"),
            (UNITS, self.unit(nic="00028"), "moved"),
            (WALDEC, self.association(), "same"),
            (WALDEC, self.association(ended="2024-06-30", position="D"), "closed"),
            (WALDEC, self.association(title="Autre titre"), "renamed"),
        ):
            with self.subTest(row=row):
                self.upload(head, row)
                self.assertEqual(self.get_last().finding, finding)
        self.assertEqual(self.get_last().date, self.company._grant_today())
        self.assertIn("extrait.csv", self.get_last().source)

    def test_told_once_to_the_coordinator(self):
        subsidy = self.make_subsidy()
        activities = self.operator.activity_ids
        for _time in range(2):
            self.upload(UNITS, self.unit(name="ASSOCIATION NOUVELLE"))
        new = self.operator.activity_ids - activities
        self.assertEqual(new.user_id, subsidy.user_id)
        self.assertEqual(len(new), 1)
        self.assertIn("ASSOCIATION NOUVELLE", new.note)
        self.assertEqual(self.operator.name, "Association de test", "nothing is changed by itself")
        self.upload(UNITS, self.unit(name="ASSOCIATION NOUVELLE", state="C"))
        self.assertEqual(len(self.operator.activity_ids - activities), 2)

    def test_told_without_a_coordinator(self):
        first = new_test_user(self.env, "test_second", "ctai_grants.group_coordinator")
        self.upload(UNITS, self.unit(state="C"), user=first)
        (activity,) = self.operator.activity_ids
        self.assertTrue(activity.user_id.has_group("ctai_grants.group_coordinator"))

    def test_refused(self):
        for head, row, parts in (
            ("a,b", ("1", "2"), ("extrait.csv", "line 1")),
            (UNITS, self.unit(state="X"), ("extrait.csv", "line 2")),
            (UNITS, ("1.8E+8", *self.unit()[1:]), ("extrait.csv", "line 2", "1.8E+8")),
            (UNITS, self.unit()[:-1], ("extrait.csv", "line 2")),
        ):
            with self.subTest(row=row), self.assertRefused(*parts):
                self.upload(head, row)
        with self.assertRefused():
            self.env["grant.register.upload"].with_user(self.coordinator).create(
                {}
            ).action_confirm()
        with self.assertRefused():
            self.upload(UNITS, self.unit(), user=self.finance_officer)
        with self.assertRefused():
            self.env["grant.register.answer"].with_user(self.administrator).create(
                {"partner_id": self.operator.id, "date": "2021-01-01"}
            )
        self.assertFalse(self.operator.grant_register_answer_ids)

    def test_too_large_for_a_window(self):
        """What the whole server would hold in memory is read by a command instead."""
        self.patch(grant_register_upload, "LARGEST", 3 << 20)
        uploads = self.env["grant.register.upload"].with_user(self.coordinator)
        values = {"filename": "Stock.csv", "file": base64.b64encode(b"x" * ((3 << 20) + 3))}
        with self.assertRefused("Stock.csv", "4 MB", "3 MB", "odoo grants_register"):
            uploads.create(values)
        uploads.create({**values, "file": base64.b64encode(b"x" * (3 << 20))})

    def test_the_hook(self):
        """What an add-on that asks a service does."""
        stream = io.BytesIO(f"{UNITS}\n{','.join(self.unit(state='C'))}\n".encode())
        registers = self.env["grant.register"]
        self.assertFalse(registers._check())
        self.patch(
            self.registry["grant.register"], "_ask", lambda _self, keys: read_register(
                stream, "x.csv", keys
            )
        )  # fmt: skip
        self.assertEqual(registers._check("api.example.org"), {"closed": 1})
        self.assertIn("api.example.org", self.get_last().source)

    def test_command(self):
        with self.subTest("done"), self.make_file(f"{UNITS}\n{','.join(self.unit())}\n") as path:
            code, said = self.run_command("grants_register", path)
            self.assertEqual((code, said.strip()),
                             (0, "As Entered: 1, Closed: 0, Moved: 0, Renamed: 0"))  # fmt: skip
        with self.make_file("a,b\n1,2\n") as path:
            code, said = self.run_command("grants_register", path)
            self.assertEqual(code, 1)
            self.assertIn("line 1", said)
        self.assertEqual(self.run_command("grants_register", "/nowhere.csv")[0], 1)

    @contextmanager
    def make_file(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write(text)
            file.flush()
            yield file.name
