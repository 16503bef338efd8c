import base64
import csv
import io
import tempfile
import zipfile
from contextlib import suppress

from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...lib.ledger import copies
from ...lib.ledger.chain import GENESIS, LEDGER_FIELDS, entry_hash
from ...lib.ledger.heads import write_heads
from ..commands import CommandMixin
from .test_ledger import LedgerCase

TIME = "2021-12-31T00:05:00+01:00"


class CopiesCase(CommandMixin, LedgerCase):
    """What left the database earlier, and a ledger that somebody rewrote since."""

    def export(self, *envelopes):
        """A ledger.csv, as a statement has it."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(LEDGER_FIELDS)
        for envelope in envelopes or [self.envelope]:
            for entry in self.env["grant.entry"]._get_chain_rows(envelope):
                writer.writerow([entry[name] for name in LEDGER_FIELDS])
        return text.getvalue()

    def export_heads(self, time=TIME):
        heads = self.env["grant.heads"]._get_heads(self.company)
        # Of our contract: the city may have others, and documents older than an hour.
        ours = set(self.contract.envelope_ids.ids)
        mine = [head for head in heads if head.kind == "envelope" and head.id in ours]
        return write_heads(mine, time, header=True)

    def compare(self, text, name="ledger.csv"):
        """The first difference (or None), and what is told else."""
        content = text if isinstance(text, bytes) else text.encode()
        return self.env["grant.entry"]._verify_against(io.BytesIO(content), name)

    def assertDifference(self, text, *expected):
        difference, _told = self.compare(text)
        for part in expected:
            self.assertIn(part, difference or "nothing")

    def assertNotCompared(self, text, *expected):
        with self.assertRaises(UserError) as caught:
            self.compare(text)
        for part in expected:
            self.assertIn(part, str(caught.exception))

    def rewrite(self, change="memo = 'Rewritten'", number=2, envelope=None):
        """Change an entry and all hashes from there on, as who owns the tables can."""
        envelope = envelope or self.envelope
        self.env.flush_all()
        cr = self.env.cr
        for table in ("grant_entry", "grant_envelope"):
            cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cr.execute(
            SQL(
                "UPDATE grant_entry SET %s WHERE envelope_id = %s AND number = %s",
                SQL(change), envelope.id, number,
            )
        )  # fmt: skip
        previous = GENESIS
        for entry in list(self.env["grant.entry"]._get_chain_rows(envelope)):
            found = entry_hash(previous, entry)
            cr.execute(
                "UPDATE grant_entry SET previous_hash = %s, hash = %s"
                " WHERE envelope_id = %s AND number = %s",
                [previous, found, envelope.id, entry["number"]],
            )
            previous = found
        cr.execute(
            "UPDATE grant_envelope SET chain_head = %s WHERE id = %s", [previous, envelope.id]
        )
        for table in ("grant_entry", "grant_envelope"):
            cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def cut(self, text, number):
        """Without the line of that number, from 1."""
        lines = text.splitlines(keepends=True)
        return "".join(lines[: number - 1] + lines[number:])


class TestCopies(CopiesCase):
    """An older ledger.csv is in today's ledger, or the first difference is named."""

    def test_contained(self):
        copy = self.export(self.envelope, self.direct_envelope)
        difference, told = self.compare(copy)
        self.assertIsNone(difference)
        self.assertRegex(told, r"ledger.csv: its 6 entries of 2 envelopes are unchanged")
        # It is older by then.
        self.sign(self.make_subsidy(amount=5))
        self.assertIsNone(self.compare(copy)[0])

    def test_of_one_contract(self):
        self.assertIsNone(self.compare(self.export(self.direct_envelope))[0])

    def test_in_the_archive_of_a_statement(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr("1-synthese.csv", "x")
            target.writestr("ledger.csv", self.export())
        self.assertIn("5 entries", self.compare(archive.getvalue(), "etat.zip")[1])
        damaged = bytearray(archive.getvalue())
        damaged[len(damaged) // 3] ^= 255
        self.assertNotCompared(bytes(damaged), "damaged")
        empty = io.BytesIO()
        with zipfile.ZipFile(empty, "w") as target:
            target.writestr("[Content_Types].xml", "x")
        self.assertNotCompared(empty.getvalue(), "no ledger.csv")

    def test_damaged_anywhere(self):
        """However it was packed, and wherever it is damaged: a sentence, never what Python says."""
        copy = self.export()
        packings = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        for packing in packings:
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", packing) as target:
                target.writestr("ledger.csv", copy)
            whole = archive.getvalue()
            cut = [whole[start:] for start in (7, 60)]
            for damaged in cut + [
                whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :]
                for place in range(4, len(whole), 11)
            ]:
                # Some damage says nothing: dates of files, and what is only for other systems.
                with suppress(UserError):
                    self.compare(damaged)
        for long in ("x" * 200_000, f"chain,number,{'x' * 200_000}"):
            self.assertNotCompared(long, "neither a ledger.csv nor a list of heads")

    def test_a_rewritten_chain(self):
        """All hashes recomputed: the ledger holds in itself, and not beside its copy."""
        copy, heads = self.export(self.direct_envelope, self.envelope), self.export_heads()
        self.rewrite()
        self.assertFalse(self.verify(), "nothing in the database tells")
        self.assertDifference(
            copy,
            "ledger.csv, line 4: entry 2 of envelope “TEST-2021/A – Protection” (2021-",
            "Its “memo” is “CONV-42” in the file, and “Rewritten” in the ledger today",
        )
        self.assertDifference(heads, "line 2: on 2021-12-31T00:05:00+01:00, envelope", "entry 5")

    def test_each_field(self):
        copy = self.export()
        changes = {
            "amount": "3999.99",
            "date": "'2021-11-26'",
            "kind": "'payment'",
            "partner_id": str(self.other_operator.id),
            "action_id": "NULL",
            "user_id": str(self.reader.id),
            "origin_id": "origin_id + 1",
            "posted_at": "posted_at + interval '1 microsecond'",
        }
        for name, value in changes.items():
            with self.subTest(field=name), self.env.cr.savepoint() as savepoint:
                self.rewrite(f"{name} = {value}")
                self.assertDifference(copy, "line 3: entry 2 ", f"“{name}”")
                savepoint.rollback()

    def test_from_the_first_entry(self):
        copy = self.export()
        self.rewrite("posted_at = posted_at + interval '1 day'", number=1)
        self.assertDifference(copy, "entry 1 ", "of another database, or the whole chain")

    def test_altered_without_its_hash(self):
        """What the chain tells too, with what stood there before."""
        copy = self.export()
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE grant_entry SET amount = 900 WHERE id = %s", [self.entries[3].id]
        )
        self.assertDifference(copy, "“amount” is “1000.00” in the file, and “900.00”")

    def test_deleted_entries(self):
        copy, heads = self.export(), self.export_heads()
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        self.env.cr.execute("DELETE FROM grant_entry WHERE id = %s", [self.entries[4].id])
        self.assertDifference(copy, "line 6", "entry 5 of ", "not in the ledger any more")
        self.assertDifference(heads, "line 2", "entry 5 of ", "not in the ledger any more")
        self.env.cr.execute("DELETE FROM grant_entry WHERE id = %s", [self.entries[1].id])
        self.assertDifference(copy, "line 3", "entry 2 of ", "not in the ledger any more")

    def test_of_another_database(self):
        entry = next(self.env["grant.entry"]._get_chain_rows(self.envelope))
        for chain in (999999999, 99999999999999999):
            other = {**entry, "envelope_id": chain}
            other["hash"] = entry_hash(GENESIS, other)
            text = io.StringIO()
            csv.writer(text).writerows([LEDGER_FIELDS, [other[name] for name in LEDGER_FIELDS]])
            self.assertDifference(text.getvalue(), "line 2: there is no envelope", str(chain))
        line = f"envelope 999999999 X/A,4,{'0' * 64},{TIME}\n"
        self.assertDifference(line, "line 1: there is no envelope", "another database")
        self.assertDifference(line.replace("envelope", "voucher"), "no voucher 999999999 here")

    def test_part_of_a_chain(self):
        """From the middle on: compared all the same."""
        lines = self.export().splitlines(keepends=True)
        part = "".join([lines[0], *lines[3:]])
        self.assertIn("3 entries of 1 envelopes", self.compare(part)[1])
        self.rewrite()
        self.assertDifference(part, "line 2: entry 3 ", "“previous_hash”")

    def test_in_another_order(self):
        """By date, the chains mixed: each is followed for itself."""
        mine = self.export().splitlines(keepends=True)
        theirs = self.export(self.direct_envelope).splitlines(keepends=True)
        self.assertIsNone(self.compare("".join(mine[:3] + theirs[1:] + mine[3:]))[0])

    def test_the_copy_itself(self):
        copy = self.export()
        self.assertDifference(
            copy.replace("1000.00", "1000.01"), "in this file, the hash of entry 4", "was altered"
        )
        self.assertDifference(self.cut(copy, 3), "entry 3 of", "comes after entry 1")
        self.assertDifference(self.cut(copy, 3).replace("\n3,", "\n2,"), "does not follow")
        lines = copy.splitlines(keepends=True)
        self.assertDifference(copy + "".join(lines[-2:]), "entry 5 ", "comes after entry 5")

    def test_a_spreadsheet_was_there(self):
        copy = self.export()
        date = copy.splitlines()[1].split(",")[2]
        french = "/".join(reversed(date.split("-")))
        for changed, expected in (
            (copy.replace(",", ";"), ("line 1", "separated by “;”")),
            (copy.replace(",", "\t"), ("line 1", "separated by “\t”")),
            (copy.replace(f",{date},", f",{french},"), ("line 2", f"“{french}”", "“date”")),
            (copy.replace("150000.00", "150000"), ("line 2", "“150000”", "“amount”")),
            (copy.replace("1000.00", "1 000,00"), ("line 5", "not the fields")),
            (copy.replace("posted_at,", ""), ("line 1", "missing: posted_at")),
            (copy.encode("utf-16"), ("line 1", "UTF-8")),
            (copy.encode("cp1252"), ("line 6", "UTF-8")),
        ):
            with self.subTest(expected=expected):
                self.assertNotCompared(changed, *expected)
        # Nothing of the content changes by these.
        self.assertIsNone(self.compare("\ufeff" + copy)[0])
        self.assertIsNone(self.compare(copy.replace("\r\n", "\n") + "\n")[0])

    def test_other_files(self):
        copy = self.export()
        for content, expected in (
            ("", "holds no entry"),
            ("\n\n", "line 1"),
            (copy.splitlines()[0], "holds no entry"),
            ("Bonjour,\nvoici le bilan", "line 1: this is neither"),
            (b"\x89PNG\r\n\x1a\n\0\0\xff", "line 1: this is no text"),
            (b"%PDF-1.7", "line 1: this is neither"),
            (b"PK\x03\x04broken", "line 1"),
            (copy[:-90], "line 6"),
            (copy.replace("Mémo", '"Mémo'), "line 6"),
            ("x" * 3_000_000, "line 1"),
        ):
            with self.subTest(content=content[:20]):
                self.assertNotCompared(content, "ledger.csv", expected)

    def test_a_quotation_mark_too_many(self):
        """It does not swallow the file: the line where it stands is named soon."""
        lines = self.export().splitlines(keepends=True)
        lines[2] = lines[2].replace("CONV-42", '"CONV-42')
        with self.assertRaises(copies.CopyError) as caught:
            endless = io.BytesIO("".join(lines + lines[3:4] * 20_000).encode())
            list(copies.read_entries(endless))
        self.assertEqual(caught.exception.line, 3)


class TestHeadsCompared(CopiesCase):
    """A list of heads, as they leave each day."""

    def test_contained(self):
        first = self.export_heads()
        self.sign(self.make_subsidy(amount=5))
        second = self.export_heads("2022-01-01T00:05:00+01:00")
        difference, told = self.compare(first + second, "heads.csv")
        self.assertIsNone(difference)
        self.assertIn("4 heads of 2 chains", told)
        self.assertIn(f"from {TIME} to 2022-01-01", told)
        # Without its first line, and with another program's ends of lines.
        self.assertIsNone(self.compare(self.cut(first, 1).replace("\n", "\r\n"))[0])

    def test_a_code_with_a_comma(self):
        self.env.cr.execute(
            "UPDATE grant_contract SET code = %s WHERE id = %s", ['A, "b"\nc', self.contract.id]
        )
        self.env.invalidate_all()
        self.assertIsNone(self.compare(self.export_heads())[0])
        self.assertEqual(self.export_heads().count("\n"), 3)

    def test_a_damaged_line(self):
        heads = self.export_heads()
        lines = heads.splitlines(keepends=True)
        for damaged in (
            lines[1][:40] + "\n", lines[1].replace(",5,", ",x,"), '"\n', "\udcff\n",
            lines[1].replace("2021-12-31T", "31/12/2021 "), "\0\0\0\n",
        ):  # fmt: skip
            with self.subTest(damaged=damaged):
                content = "".join([lines[0], damaged, *lines[2:]])
                content = content.encode("utf-8", "surrogateescape")
                self.assertNotCompared(content, "line 2: this line is damaged")

    def test_a_damaged_line_hides_nothing(self):
        heads = self.export_heads()
        self.rewrite()
        self.assertDifference(heads.replace(TIME, TIME + "\nenvel", 1), "line 2: on 2021-12-31")
        self.assertDifference("chain,number,head,time\nx\n" + heads, "line 4: on 2021-12-31")


class TestComparison(CopiesCase):
    """The same on screen, for readers."""

    def compare_on_screen(self, text, user=None):
        window = self.env["grant.ledger.comparison"].with_user(user or self.reader).create(
            {"file": base64.b64encode(text.encode()), "filename": "ancien.csv"}
        )  # fmt: skip
        self.assertEqual(window.action_confirm()["res_id"], window.id)
        return window.is_different, window.told

    def test_contained(self):
        is_different, told = self.compare_on_screen(self.export())
        self.assertFalse(is_different)
        self.assertIn("5 entries", told)

    def test_rewritten(self):
        copy, heads = self.export(), self.export_heads()
        self.rewrite()
        for text, expected in ((copy, "ancien.csv, line 3: entry 2"), (heads, "ancien.csv, line")):
            is_different, told = self.compare_on_screen(text)
            self.assertTrue(is_different)
            self.assertIn(expected, told)

    def test_heads_of_a_chain_that_does_not_hold(self):
        heads = self.export_heads()
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE grant_entry SET amount = 900 WHERE id = %s", [self.entries[3].id]
        )
        self.assertIn("entry 4 was altered", self.compare_on_screen(heads)[1])

    def test_what_cannot_be_compared(self):
        with self.assertRaisesRegex(UserError, "line 1"):
            self.compare_on_screen(self.export().replace(",", ";"))
        with self.assertRaisesRegex(UserError, "first"):
            self.env["grant.ledger.comparison"].create({}).action_confirm()
        with self.assertRaises(AccessError):
            self.compare_on_screen(self.export(), self.operator_user)


class TestVerifyAgainst(CopiesCase):
    """`odoo grants_verify --against FILE`: exit codes."""

    def setUp(self):
        super().setUp()
        self.path = self.enterContext(self.make_file(self.export()))

    def make_file(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".csv", newline="", encoding="utf-8")
        file.write(text)
        file.flush()
        return file

    def run_against(self, path, *words):
        return self.run_command("grants_verify", "--against", path, *words)

    def test_contained(self):
        code, said = self.run_against(self.path.name)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"its 5 entries.*\n\d+ envelopes.* hold")

    def test_rewritten(self):
        heads = self.enterContext(self.make_file(self.export_heads()))
        self.rewrite()
        code, said = self.run_command("grants_verify")
        self.assertEqual(code, 0, said)
        for path, expected in ((self.path, "entry 2 of"), (heads, "ended with entry 5")):
            code, said = self.run_against(path.name)
            self.assertEqual(code, 1)
            self.assertIn(expected, said)
            self.assertEqual(len(said.splitlines()), 1)

    def test_what_cannot_be_compared(self):
        wrong = self.enterContext(self.make_file(self.export().replace(",", ";")))
        for path, expected in ((wrong.name, "line 1"), ("/nowhere.csv", "nowhere"), ("/", "/")):
            code, said = self.run_against(path)
            self.assertEqual(code, 2)
            self.assertIn(expected, said)
