"""What is printed: each from its record, for who reads it, right files, in the order of reading."""

import base64
import io

import pikepdf
from PIL import Image

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged

from odoo.addons.ctai_grants.tests.common import PDF, make_siret
from odoo.addons.ctai_grants.tests.pdf_rules import find_faults

from .common import HOSTILE, DocumentsCase


@tagged("post_install", "-at_install")
class TestDocuments(DocumentsCase):
    def test_convention(self):
        content = self.render("convention", self.subsidy, self.reader)
        text = self.extract(content)
        self.assertOrder(
            text, "Convention CONV-42", "Between, on the one hand,", self.city.name,
            self.operator.name, "SIRET", "2000-321", "Article 1", "Object",
            "10,000.00", "Sanctions", "For ", "Annex 1", "4,000.00", "Annex 2", "Bilan", "Annex 3",
        )  # fmt: skip
        self.assertEqual(content, self.render("convention", self.subsidy, self.reader))
        self.assertNotIn("DRAFT", text)
        self.assertIn("DRAFT", self.extract(self.render("convention", self.make_subsidy())))

    def test_award_notice(self):
        text = self.extract(self.render("award_notice", self.subsidy))
        self.assertOrder(
            text, self.city.name, self.operator.name, "Award notice", "2021-0042", "10,000.00",
            "within 60 days of the notification", "six months", "Payment schedule", "R421-1",
        )  # fmt: skip
        with self.assertRefused("Draft"):
            self.render("award_notice", self.make_subsidy())

    def test_amendment(self):
        text = self.extract(self.render("amendment", self.make_amendment()))
        self.assertOrder(
            text, "Amendment no. 1", self.operator.name, "Plus long", "→", "12/31/2022"
        )

    def test_amended_since(self):
        """The convention says what has become of it since, and that it does; the award notice what
        was decided."""
        later = self.make_tranche(self.subsidy, name="Solde", amount=9000, due_date="2022-05-31")
        self.assertNotIn("CONSOLIDATED", self.extract(self.render("convention", self.subsidy)))
        amendment = self.make_amendment(
            amount=12345, decision_number="A1", decision_date="2022-01-03",
            executory_date="2022-01-04", signature_date="2022-01-05",
        )  # fmt: skip
        line = amendment.tranche_line_ids.filtered(lambda one: one.item_id == later.id)
        line.write({"amount": 11345, "date": "2022-11-30"})
        for line in amendment.budget_line_ids.filtered(lambda one: one.amount >= 6000):
            line.amount += 2345
        file = {"name": "a.pdf", "raw": PDF, "res_model": amendment._name, "res_id": amendment.id}
        amendment.attachment_ids = self.env["ir.attachment"].create(file)
        amendment.with_user(self.finance_manager).action_sign()
        text = self.extract(self.render("convention", self.subsidy))
        self.assertOrder(text, "up to amendment no. 1 of 01/05/2022", "12/31/2022", "12,345.00")
        self.assertIn("CONSOLIDATED", text)
        text = self.extract(self.render("award_notice", self.subsidy))
        self.assertOrder(text, "10,000.00", "06/30/2022", "05/31/2022", "9,000.00", "10,000.00")
        for since in ("12,345.00", "11,345.00", "12/31/2022", "11/30/2022"):
            self.assertNotIn(since, text)

    def test_payment_certificate(self):
        text = self.extract(self.render("payment_certificate", self.tranche))
        self.assertOrder(
            text, "Payment certificate", "Beneficiary", self.operator.name, "SIRET", "In words",
            "I certify", "Conditions of the payment", "Certified on", self.coordinator.name,
        )  # fmt: skip
        with self.assertRefused("Planned"):
            self.render("payment_certificate", self.make_tranche(self.make_subsidy()))

    def test_certifying_makes_its_certificate(self):
        subsidy = self.make_subsidy(code="CONV-43")
        tranche = self.make_tranche(subsidy)
        self.sign(subsidy)
        window = self.env["grant.disbursement.certify"].with_user(self.coordinator)
        values = {"service_date": "2021-11-30", "comment": "Ateliers vus sur place"}
        window.create({"disbursement_ids": tranche.ids, **values}).action_confirm()
        (file,) = tranche.message_ids.attachment_ids
        self.assertOrder(
            self.extract(file.raw), "Payment certificate", "CONV-43", "found done on 11/30/2021",
            "Ateliers vus sur place", self.coordinator.name,
        )  # fmt: skip
        self.assertEqual(find_faults(file.raw), [])

    def test_names_of_their_day(self):
        """Both parties become another body: papers of before say who they were, throughout."""
        operator, city = self.operator, self.city.partner_id
        numbers = make_siret(), make_siret()
        with freeze_time("2021-01-04"):
            for partner, number in zip((operator, city), numbers, strict=True):
                partner.write({"company_registry": number, "street": "1 rue d'avant"})
        names = operator.name, city.name
        amendment = self.make_amendment(signature_date="2022-01-10")
        recovery = self.make_recovery()
        recovery.with_user(self.coordinator).action_write_letter()
        recovery.letter_date = "2022-02-01"
        for partner in (operator, city):
            partner.write(
                {"name": f"Zzz {partner.id}", "company_registry": make_siret(), "street": "Zzz",
                 "legal_representative": "Zzz"}
            )  # fmt: skip
        self.set_dates(self.subsidy, notification_date="2021-10-28")
        for name, record, module in (
            ("convention", self.subsidy, None),
            ("award_notice", self.subsidy, None),
            ("payment_certificate", self.tranche, None),
            ("amendment", amendment, None),
            ("recovery_letter", recovery, "ctai_grants"),
            ("payment_notice", self.tranche, "ctai_grants"),
        ):
            with self.subTest(name):
                more = {"module": module} if module else {}
                text = self.extract(self.render(name, record, **more))
                self.assertNotIn("Zzz", text)
                self.assertIn(names[0], text)
                self.assertIn(names[1], text)
                if name in {"convention", "payment_certificate", "amendment"}:
                    self.assertIn(numbers[0], text.replace(" ", ""))
        self.assertNotIn("Zzz", self.subsidy._print_convention()[0])
        # Of today: who they are now.
        self.set_dates(self.subsidy, notification_date=None)
        text = self.extract(self.render("award_notice", self.subsidy))
        self.assertIn(f"paid back to Zzz {city.id}", text)
        self.assertNotIn(names[1], text)

    def test_financial_report(self):
        """The three sheets, each of the 52 lines, what each funder gives; and one of no line."""
        report = self.make_financial_report()
        content = self.render("financial_report", report)
        text = self.extract(content)
        self.assertOrder(
            text, "Cerfa no. 15059*02", "1. Qualitative report", "2. Table of figures", "Charges",
            "60 Purchases", "Total: Charges", "70 Sales", "3. Annex", "I, the undersigned",
        )  # fmt: skip
        accounts = self.env["grant.budget.account"].search([("is_total", "=", False)])
        self.assertEqual(len(accounts), 52)
        squeezed = text.replace(" ", "").replace("-", "").replace("\xad", "")
        for account in accounts:
            name = account.display_name.replace(" ", "").replace("-", "")
            self.assertIn(name, squeezed)
        self.assertIn("10,000.00", text)
        empty = self.make_subsidy()
        self.sign(empty)
        report = self.make_financial_report(empty)
        report.line_ids.unlink()
        report.actual_amount = 4321
        self.assertIn("4,321.00", self.extract(self.render("financial_report", report)))

    def test_letters_lists_and_notices(self):
        recovery = self.make_recovery()
        text = self.extract(self.render("recovery_letter", recovery, module="ctai_grants"))
        self.assertIn(recovery.name, text)
        self.assertIn("CTAI-", text)
        text = self.extract(self.render("payment_notice", self.tranche, module="ctai_grants"))
        self.assertIn("gives no right to another one", text)
        batch = self.tranche.order_batch_id
        content = self.render("order_batch", batch, self.finance_officer, module="ctai_grants")
        self.assertIn(self.operator.name, self.extract(content))
        with self.assertRaises(AccessError):
            self.render("order_batch", batch, self.coordinator, module="ctai_grants")

    def test_names_of_the_day(self):
        """A name of today is not that of a paper of then."""
        before = self.operator.name
        self.operator.write({"name": "Nouveau nom"})
        for name, record in (("convention", self.subsidy), ("payment_certificate", self.tranche)):
            text = self.extract(self.render(name, record))
            self.assertIn(before, text)
            self.assertNotIn("Nouveau nom", text)

    def test_language_of_who_reads(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.operator.lang = "fr_FR"
        content = self.render("convention", self.subsidy)
        with pikepdf.open(io.BytesIO(content)) as pdf:
            self.assertEqual(str(pdf.Root.Lang), "fr")
        self.assertIn(
            "10 000,00 €" if "€" in self.extract(content) else "10 000,00", self.extract(content)
        )
        self.assertIn("Page 1 sur", self.extract(content))

    def test_who_may_not(self):
        for user in (self.operator_user, self.other_operator_user):
            for name, record in (("convention", self.subsidy), ("award_notice", self.subsidy)):
                with self.assertRaises(AccessError):
                    self.render(name, record, user)
        with self.assertRaises(UserError):
            self.render(
                "convention", self.make_subsidy(kind="own_cost", partner_id=self.city.partner_id.id)
            )  # noqa: E501

    def test_any_text(self):
        """Long names, quotes, right to left, pictures, markup, nothing at all, and many lines."""
        names = (
            "a" * 300, "L’« Été » d'\"Ève\" =1+1", "مؤسسة خيرية",
            "Fête 🎉 👨‍👩‍👧 \u202eabc", HOSTILE,
        )  # fmt: skip
        for name in names:
            subsidy = self.make_subsidy(name=name)
            subsidy.action_ids = [(0, 0, {"name": name, "amount": 1}) for _number in range(60)]
            text = self.extract(self.render("convention", subsidy)).replace(" ", "")
            if name == HOSTILE:
                self.assertIn(HOSTILE.replace(" ", ""), text)
            if name[:2] == "aa":
                self.assertIn("a" * 300, text)


@tagged("post_install", "-at_install")
class TestLogo(DocumentsCase):
    def test_logo(self):
        """The city's own, whatever it is in; none of what is no picture."""
        pictures = {}
        for kind in ("PNG", "JPEG"):
            stream = io.BytesIO()
            Image.new("RGB", (3000, 500), "red").save(stream, kind)
            self.city.logo = base64.b64encode(stream.getvalue())
            content = self.render("convention", self.subsidy)
            self.assertIn(b"Logo of", self.get_alts(content))
            pictures[kind] = content
        self.assertNotEqual(pictures["PNG"], pictures["JPEG"])
        self.city.logo = False
        self.assertNotIn(b"Logo of", self.get_alts(self.render("convention", self.subsidy)))

    @staticmethod
    def get_alts(content):
        with pikepdf.open(io.BytesIO(content)) as pdf:
            found = [
                str(thing["/Alt"])
                for thing in pdf.objects
                if isinstance(thing, pikepdf.Dictionary) and "/Alt" in thing
            ]
        return "\n".join(found).encode()


@tagged("post_install", "-at_install")
class TestWording(DocumentsCase):
    def word(self, kind="convention", **values):
        wordings = self.env["grant.document.wording"].with_user(self.administrator)
        return wordings.create({"kind": kind, **values})

    def test_own_words(self):
        """The city's own words, as they are: text."""
        self.word(
            heading=f"Titre {HOSTILE}", grounds=f"Vu {HOSTILE}\n\nVu le reste", footer=HOSTILE,
            signatory="Pour le maire,\nL’adjointe", clauses=f"Une clause\n{HOSTILE}",
        )  # fmt: skip
        text = self.extract(self.render("convention", self.subsidy))
        squeezed = text.replace(" ", "")
        self.assertGreaterEqual(squeezed.count(HOSTILE.replace(" ", "")), 4)
        self.assertOrder(text, "Titre", "Vu le reste", "Une clause", "L’adjointe")
        self.assertNotIn("Sanctions", text)
        self.word("award_notice", signatory="Moi")
        self.assertIn("Moi", self.extract(self.render("award_notice", self.subsidy)))
        self.word("recovery_letter", signatory="Moi aussi", heading="Mise en demeure")
        letter = self.render("recovery_letter", self.make_recovery(), module="ctai_grants")
        text = self.extract(letter)
        self.assertOrder(text, "Mise en demeure", "Moi aussi")

    def test_who_words(self):
        wordings = self.env["grant.document.wording"]
        for user in (self.coordinator, self.finance_officer, self.reader, self.operator_user):
            with self.assertRaises(AccessError):
                wordings.with_user(user).create({"kind": "convention", "heading": "x"})
        self.assertFalse(wordings.with_user(self.reader).search([]))


class TestRules(DocumentsCase):
    """A wrong file is found wrong: the judge of these tests can say no."""

    def test_wrong_files(self):
        right = self.render("convention", self.subsidy)
        breaks = {
            "no structure": lambda pdf: pdf.Root.__delitem__("/StructTreeRoot"),
            "no language": lambda pdf: pdf.Root.__delitem__("/Lang"),
            "no output intent": lambda pdf: pdf.Root.__delitem__("/OutputIntents"),
            "not marked": lambda pdf: pdf.Root.__delitem__("/MarkInfo"),
            "metadata does not say": lambda pdf: pdf.Root.__delitem__("/Metadata"),
            "is not embedded": self.lose_font,
            "without a text": self.lose_alt,
            "/JavaScript is not allowed": lambda pdf: pdf.Root.__setitem__(
                "/Names", pikepdf.Dictionary(JavaScript=pikepdf.Dictionary())
            ),
        }
        for sentence, spoil in breaks.items():
            with pikepdf.open(io.BytesIO(right)) as pdf:
                spoil(pdf)
                stream = io.BytesIO()
                pdf.save(stream)
            faults = find_faults(stream.getvalue())
            self.assertTrue([fault for fault in faults if sentence in fault], (sentence, faults))
        self.assertTrue(find_faults(b"%PDF-1.7 nothing"))

    @staticmethod
    def lose_font(pdf):
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor":
                for key in ("/FontFile", "/FontFile2", "/FontFile3"):
                    if key in thing:
                        del thing[key]

    @staticmethod
    def lose_alt(pdf):
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/S") == "/Figure":
                del thing["/Alt"]
