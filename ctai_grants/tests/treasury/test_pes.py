import base64
import datetime
import gzip
from decimal import Decimal
from pathlib import Path

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged
from odoo.tools.misc import mute_logger

from ...lib.treasury import pes
from ..common import PDF, GrantsCommon, make_siret

DAY = datetime.date(2021, 11, 20)
# Invented: their keys are right, nobody has them.
SENDER = pes.Sender("Ville de test", "00090001900019", "086999", "001", "00", "Budget – principal")
HOSTILE = "Cœur & <âmes> “d’été” – 5 € 😀\nÉcole " + "très " * 60


def get_schema(case):
    """The treasury's schema, kept out of this repository."""
    candidates = [parent / "shared" for parent in Path(__file__).resolve().parents]
    for shared in candidates:
        path = shared / "data/pes/schemas_pes_v5.17/PES_V2/Rev0/PES_Aller.xsd"
        if path.exists():
            return etree.XMLSchema(etree.parse(str(path)))
    case.skipTest("the schemas of PES v2 are not beside the project (shared/data/pes)")


def values(root, name):
    return [element.get("V") for element in root.iter(name)]


class PesCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {"grant_pes_post": "086999", "grant_pes_entity": "001", "grant_pes_budget": "00"}
        )
        cls.company.partner_id.write(
            {"country_id": cls.env.ref("base.fr").id, "company_registry": "00090003500015"}
        )
        cls.address = {"street": "1 rue des Tests", "zip": "86000", "city": "Poitiers"}
        # Before the orders: what it is later is not of their day.
        with freeze_time("2021-10-01"):
            cls.operator.write(cls.address)
        cls.subsidy = cls.sign(cls.make_subsidy(amount=3000)).with_env(cls.env)

    def make_batch(self, *amounts):
        tranches = self.env["grant.disbursement"]
        for amount in amounts:
            tranches |= self.make_tranche(self.subsidy, amount=amount).with_env(self.env)
        self.certify(tranches)
        tranches.with_user(self.finance_officer)._do_order("0041", DAY)
        return tranches.order_batch_id

    def make_file(self, document, user=None):
        document.with_user(user or self.finance_officer).action_make_pes()
        message = document.message_ids.sorted("id")[-1]
        return message.attachment_ids, message


@tagged("-at_install", "post_install")
class TestPesFile(PesCase):
    """Files that the treasury's own schemas accept, whatever people wrote."""

    def assertValid(self, content):
        schema = get_schema(self)
        root = etree.fromstring(content)
        self.assertTrue(schema.validate(root), schema.error_log)
        return root

    def make(self, kind="orders", pieces=1, **changes):
        party = pes.Party(
            "Association", "00090001900019", "association", "1 rue", "86000", "Poitiers",
            "FR7699999000980000000000115", "", "Association",
        )  # fmt: skip
        piece = {
            "object": "Avance", "amount": Decimal("1000.10"), "account": "65748", "party": party,
            **changes,
        }  # fmt: skip
        batch = pes.Batch(
            2021, 7, DAY, [pes.Piece(number=n, **piece) for n in range(1, pieces + 1)]
        )
        return (pes.make_orders if kind == "orders" else pes.make_claims)(SENDER, batch)

    def test_orders(self):
        content, shortened = self.make(pieces=200)
        root = self.assertValid(content)
        self.assertFalse(shortened)
        self.assertEqual(values(root, "MtBordHT"), ["200020.00"])
        self.assertEqual(values(root, "NbrPce"), ["200"])
        self.assertEqual(content, self.make(pieces=200)[0])

    def test_claims_and_reductions(self):
        root = self.assertValid(self.make("claims")[0])
        self.assertEqual(values(root, "MtBordHt"), ["1000.10"])
        root = self.assertValid(self.make(reduces=(2021, 345))[0])
        self.assertEqual(values(root, "TypBord"), ["02"])
        # Its series is its own: a batch of orders may have the same number.
        self.assertIn("_RED_", values(root, "NomFic")[0])
        orders = self.assertValid(self.make()[0])
        self.assertEqual(values(root, "IdBord"), values(orders, "IdBord"))
        self.assertIn("_DEP_", values(orders, "NomFic")[0])
        self.assertEqual(values(root, "IdPceOrig"), ["345"])

    def test_hostile_words(self):
        party = pes.Party(
            HOSTILE, "00090001900019", "company", HOSTILE, "86000", HOSTILE,
            "FR7699999000980000000000115", "", HOSTILE,
        )  # fmt: skip
        for kind in ("orders", "claims"):
            with self.subTest(kind=kind):
                content, shortened = self.make(kind, object=HOSTILE, party=party)
                root = self.assertValid(content)
                name = values(root, "Nom")[0]
                self.assertTrue(name.startswith("Coeur & <âmes> \"d'été\" - 5 EUR"), name)
                self.assertLessEqual(len(name), 38)
                self.assertIn((HOSTILE, name), shortened)

    def test_documents(self):
        files = [
            pes.File("Bilan d’été/2021.pdf", "application/pdf", PDF, "Bilan"),
            pes.File("x" * 300 + ".jpeg", "image/jpeg", b"\xff\xd8\xff", HOSTILE),
        ]
        root = self.assertValid(self.make(files=files, pieces=2)[0])
        sent = [gzip.decompress(base64.b64decode(f.text)) for f in root.iter("Fichier")]
        self.assertEqual(sent, [PDF, b"\xff\xd8\xff"] * 2)
        references = [
            element.find("IdUnique").get("V") for element in root.iter("PJRef")
        ]
        self.assertEqual(references, [pj.find("IdUnique").get("V") for pj in root.iter("PJ")])
        self.assertEqual(len(set(references)), 4)


@tagged("-at_install", "post_install")
class TestPesDocuments(PesCase):
    def test_batch(self):
        piece = self.make_deliverable(self.make_subsidy())
        subsidy = piece.subsidy_id.with_env(self.env)
        tranche = self.make_tranche(subsidy, amount=500, deliverable_ids=piece.ids)
        self.sign(subsidy)
        piece.with_user(self.both_roles)._do_submit("bilan.pdf", PDF)
        piece.with_user(self.coordinator).action_accept()
        subsidy.write({"budget_function": "424", "budget_service": "CULTURE"})
        self.order(tranche, "12")
        attachment, message = self.make_file(tranche.order_batch_id.with_env(self.env))
        root = etree.fromstring(attachment.raw)
        self.assertEqual(values(root, "IdPce"), ["12"])
        self.assertEqual(values(root, "CodServ"), ["CULTURE"])
        self.assertEqual(values(root, "Fonction"), ["424"])
        self.assertEqual(values(root, "Nature"), ["6574"])
        self.assertEqual(values(root, "IBAN"), ["FR7699999000980000000000115"])
        self.assertEqual(values(root, "IdBord"), [str(tranche.order_batch_id.number)])
        self.assertEqual(
            [gzip.decompress(base64.b64decode(f.text)) for f in root.iter("Fichier")], [PDF]
        )
        self.assertIn("SHA-256", message.body)
        self.assertTrue(get_schema(self).validate(root))

    def test_files_that_a_mail_brought(self):
        """Whoever answers a mail of Odoo's adds no file to what the treasury gets."""
        batch = self.make_batch(500)
        (bill,) = batch._get_bills().values()
        self.env["ir.attachment"].create(
            {"name": "a.pdf", "raw": PDF, "res_model": bill._name, "res_id": bill.id}
        )
        bill.message_post(
            body=HOSTILE, message_type="email", email_from="x@example.org",
            attachments=[("b.pdf", PDF + b"forged")],
        )  # fmt: skip
        root = etree.fromstring(self.make_file(batch)[0].raw)
        self.assertEqual(
            [gzip.decompress(base64.b64decode(f.text)) for f in root.iter("Fichier")], [PDF]
        )

    def test_numbers_are_no_words(self):
        """Order 9 comes before order 10, in the file and on the list, whatever is due first."""
        tranches = self.env["grant.disbursement"]
        for amount, due_date in ((1, "2021-12-03"), (2, "2021-12-01"), (3, "2021-12-02")):
            tranches |= self.make_tranche(self.subsidy, amount=amount, due_date=due_date)
        self.certify(tranches)
        tranches.with_user(self.finance_officer)._do_order("9", DAY)
        batch = tranches.order_batch_id.with_env(self.env)
        root = etree.fromstring(self.make_file(batch)[0].raw)
        self.assertEqual(values(root, "IdPce"), ["9", "10", "11"])
        self.assertEqual(values(root, "MtHT"), ["1.00", "2.00", "3.00"])
        self.assertEqual([bill.ref for bill in batch._get_bills().values()], ["9", "10", "11"])
        # Numbers that are no numbers come last, as words.
        for tranche, number in zip(tranches, ("M-2", "010", "M-1"), strict=True):
            tranche._transition(order_number=number)
        listed = [tranche.order_number for tranche in batch._get_bills()]
        self.assertEqual(listed, ["010", "M-1", "M-2"])

    def test_while_working_for_another_city(self):
        """An account has a code in the books of each city, and another one, or none, in others'."""
        batch = self.make_batch(100)
        other = self.env["res.company"].create({"name": "Autre ville"})
        officer = self.finance_officer
        officer.company_ids |= other
        cities = {"allowed_company_ids": (other | self.company).ids}
        batch = batch.with_user(officer).with_context(**cities)
        for account in batch._get_bills()[batch.disbursement_ids].invoice_line_ids.account_id:
            account.sudo().with_company(other).code = "999"
        _name, content, _changed = batch._make_pes()
        self.assertEqual(values(etree.fromstring(content), "Nature"), ["6574"])
        ((tranche, bill),) = batch._get_bills().items()
        self.assertIn("6574", batch._get_list_row(tranche, bill))

    def test_claim(self):
        self.prefecture.write({"street": "1 place", "zip": "86000", "city": "Poitiers"})
        funding = self.env["grant.funding"].create(
            {"name": "Acompte", "envelope_id": self.envelope.id, "amount": 75000}
        )
        with self.assertRefused("Expected"):
            self.make_file(funding)
        funding.with_user(self.finance_officer)._do_claim(DAY)
        root = etree.fromstring(self.make_file(funding)[0].raw)
        self.assertEqual(values(root, "MtHT"), ["75000.00"])
        self.assertEqual(values(root, "Nature"), ["74718"])
        self.assertTrue(get_schema(self).validate(root))

    def test_what_is_missing(self):
        batch = self.make_batch(100)
        tranche = batch.disbursement_ids
        for change, restore, part in (
            (lambda: self.company.write({"grant_pes_post": False}),
             lambda: self.company.write({"grant_pes_post": "086999"}), "Accounting Post"),
            (lambda: self.operator.write({"company_registry": False}),
             lambda: self.operator.write({"company_registry": "00090001900019"}), "SIRET"),
            (lambda: tranche._transition(order_number="M-1"),
             lambda: tranche._transition(order_number="41"), "M-1"),
        ):  # fmt: skip
            # Of the day of the orders: what the operator was called then counts.
            with freeze_time(DAY):
                change()
            with self.subTest(part=part), self.assertRefused(part):
                self.make_file(batch)
            with freeze_time(DAY):
                restore()
        self.make_file(batch)
        self.assertFalse(batch.pes_missing)
        tranche._get_live_move().button_draft()
        with self.assertRefused("taken back"):
            self.make_file(batch)

    def test_an_address(self):
        """What the schemas let pass, and the treasury does not: an empty code, a dash."""
        batch = self.make_batch(100)
        tranche = batch.disbursement_ids
        for changes, part in (
            ({"street": False, "street2": False}, "Street"),
            ({"street": " – "}, "Street"),
            ({"zip": False}, "five digits"),
            ({"zip": "8600"}, "five digits"),
            ({"city": False}, "City"),
            ({"city": "Αθήνα"}, "“City” in Latin letters, instead of “Αθήνα”"),
        ):
            with self.subTest(changes=changes):
                # On the day of the orders: what it is then is sent.
                with freeze_time(DAY):
                    self.operator.write(changes)
                for document in (batch, tranche):
                    document.invalidate_recordset()
                    gaps = document.with_user(self.finance_officer).pes_missing
                    self.assertEqual(gaps[0]["action"]["res_id"], self.operator.id)
                    missing = self.say(gaps)
                    self.assertIn(part, missing)
                    self.assertIn(self.operator.display_name, missing)
                with self.assertRefused(part, self.operator.display_name, batch.display_name):
                    self.make_file(batch)
            with freeze_time(DAY):
                self.operator.write(self.address)
        # Everything at once, so that it is entered at once.
        with freeze_time(DAY):
            self.operator.write({"zip": False, "street": False})
        self.company.grant_pes_budget = False
        with self.assertRefused("Street", "five digits", "Budget Code"):
            self.make_file(batch)
        self.company.grant_pes_budget = "00"
        self.operator.write({**self.address, "zip": "86 000"})
        root = etree.fromstring(self.make_file(batch)[0].raw)
        self.assertEqual(values(root, "CP"), ["86000"])
        self.assertTrue(get_schema(self).validate(root))

    def test_a_name(self):
        for name, part in (
            ("团结互助会", "Latin letters, instead of “团结互助会”"),
            ("جمعية التضامن", "Latin letters"),
            ("Maison 家", "Latin letters, instead of “Maison 家”"),
            ("🌍🌍", "Name"),
        ):
            with freeze_time(DAY):
                self.operator.name = name
            gaps = self.env["grant.order.batch"]._find_party_gaps(self.operator)
            with self.subTest(name=name):
                self.assertIn(part, "".join(gaps))
        with self.assertRefused("Name"):
            self.make_file(self.make_batch(100))

    def test_a_name_in_other_latin_letters(self):
        with freeze_time(DAY):
            self.operator.name = "L’Œuvre d’Łódź 🌍"
        attachment, message = self.make_file(self.make_batch(100))
        root = etree.fromstring(attachment.raw)
        self.assertEqual(values(root, "Nom"), ["L'OEuvre d'Lódz"])
        self.assertIn("is sent as", message.body)
        self.assertTrue(get_schema(self).validate(root))

    def test_abroad(self):
        vals = {"name": "Association belge", "is_company": True, **self.address}
        partner = self.env["res.partner"].create({**vals, "country_id": self.env.ref("base.be").id})
        gaps = self.env["grant.order.batch"]._find_party_gaps(partner)
        self.assertIn("an address in France", "".join(gaps))
        partner.country_id = self.env.ref("base.re")
        gaps = self.env["grant.order.batch"]._find_party_gaps(partner)
        self.assertNotIn("in France", "".join(gaps))

    def test_said_only_to_who_sends_files(self):
        with freeze_time(DAY):
            self.operator.zip = False
        self.company.grant_pes_post = False
        batch = self.make_batch(100)
        self.assertFalse(batch.pes_missing)
        self.assertFalse(batch.disbursement_ids.pes_missing)
        with self.assertRefused("five digits", "Accounting Post"):
            self.make_file(batch)

    def test_claims_say_it_too(self):
        funding = self.env["grant.funding"].create(
            {"name": "Acompte", "envelope_id": self.envelope.id, "amount": 75000}
        )
        funding.with_user(self.finance_officer)._do_claim(DAY)
        self.assertIn(self.prefecture.display_name, self.say(funding.pes_missing))
        self.prefecture.write(self.address)
        funding.invalidate_recordset()
        self.assertFalse(funding.pes_missing)
        self.make_file(funding)
    def test_identity_of_the_date(self):
        """The file, and the list, name everybody as on the day of the orders."""
        batch = self.make_batch(100)
        content = self.make_file(batch)[0].raw
        listed = batch.with_user(self.finance_officer)._make_pdf()
        self.operator.write({"name": "Nouveau nom", "company_registry": make_siret()})
        self.company.name = "Commune nouvelle"
        self.company.partner_id.company_registry = make_siret()
        self.assertEqual(self.make_file(batch)[0].raw, content)
        self.assertEqual(batch.with_user(self.finance_officer)._make_pdf(), listed)

    def test_what_was_wrong_is_corrected(self):
        """An address that the treasury does not take is no identity: the present one is sent."""
        with freeze_time(DAY):
            self.operator.zip = "8600"
        batch = self.make_batch(100)
        with self.assertRefused("five digits"):
            self.make_file(batch)
        self.operator.zip = "86000"
        self.assertEqual(values(etree.fromstring(self.make_file(batch)[0].raw), "CP"), ["86000"])

    @mute_logger("odoo.sql_db")
    def test_formats(self):
        for name, value in (("post", "12"), ("entity", "1"), ("budget", "A-")):
            with (
                self.subTest(name=name),
                self.assertRaisesRegex(Exception, "grant_pes_formats"),
                self.env.cr.savepoint(),
            ):
                self.company[f"grant_pes_{name}"] = value
                self.env.flush_all()

    def test_who(self):
        batch = self.make_batch(100)
        for user in (self.reader, self.coordinator):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.make_file(batch, user)
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                batch.with_user(user)._make_pdf()

    def test_list(self):
        batch = self.make_batch(*[10.5] * 40)
        name, content = batch.with_user(self.finance_officer)._make_pdf()
        self.assertTrue(content.startswith(b"%PDF"))
        self.assertEqual(batch.with_user(self.finance_officer)._make_pdf(), (name, content))
