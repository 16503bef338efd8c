import io
import time
import zlib

from reportlab.pdfgen import canvas

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ...lib.operator import iban
from ..files import make_pdf
from .test_hand_in_drafts import DraftCase

OTHER = "FR7630006000011234567890189"


def make_rib(*lines):
    """A RIB as a bank prints it."""
    stream = io.BytesIO()
    page = canvas.Canvas(stream)
    for number, line in enumerate(lines):
        page.drawString(80, 700 - 20 * number, line)
    page.save()
    return stream.getvalue()


def make_bomb():
    """A PDF of less than a megabyte, whose page is a text of 800 of them."""
    packer, spaces = zlib.compressobj(9), b" " * 2**20
    stream = b"".join(packer.compress(spaces) for _ in range(800)) + packer.flush()
    plain = make_pdf()
    page = plain.replace(b"/MediaBox", b"/Contents 4 0 R/MediaBox").replace(b"/Size 4", b"/Size 5")
    content = b"4 0 obj\n<</Filter/FlateDecode/Length %d>>\nstream\n" % len(stream)
    return page.replace(b"trailer", content + stream + b"\nendstream\nendobj\ntrailer", 1)


@tagged("post_install", "-at_install")
class TestRib(DraftCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.piece.sudo().type_id = cls.env.ref("ctai_grants.deliverable_type_bank_details")

    def read_ribs(self):
        self.env.ref("ctai_grants.ir_cron_read_ribs").method_direct_trigger()
        self.env.invalidate_all()

    def get_warning(self, record=None):
        return (record or self.piece).with_user(self.finance_officer).rib_warning

    def test_another_account_is_shown_before_any_payment(self):
        self.hand_in(("rib.pdf", make_rib("Titulaire", "IBAN FR76 3000 6000 0112 3456 7890 189")))
        self.assertIn("is not read yet", self.get_warning())
        with self.assertNoLogs("odoo", "WARNING"):
            self.read_ribs()
        for record in (self.piece, self.tranche):
            warning = self.get_warning(record)
            self.assertIn("FR76 3000 6000 0112 3456 7890 189", warning)
            for account in self.operator.bank_ids:
                self.assertIn(account.acc_number, warning)
        # Once for each file.
        self.read_ribs()
        self.assertEqual(len(self.piece.version_ids.file_ids.sudo().iban_ids), 1)

    def test_the_account_on_file_says_nothing(self):
        [account] = self.operator.bank_ids
        self.hand_in(("rib.pdf", make_rib(f"IBAN {account.sanitized_acc_number}")))
        self.read_ribs()
        self.assertFalse(self.get_warning())
        self.assertFalse(self.get_warning(self.tranche))

    def test_where_it_is_paid(self):
        """On the journal entry, in the window that pays it, and on the batch; no more once paid."""
        self.hand_in(("rib.pdf", make_rib(f"IBAN {OTHER}")))
        self.read_ribs()
        tranche = self.order(self.tranche)
        bill, batch = tranche.move_ids, tranche.order_batch_id
        known, shown = self.operator.bank_ids, "FR76 3000 6000 0112 3456 7890 189"
        officer = self.finance_officer
        register = {"active_model": "account.move", "active_ids": bill.ids}
        for record, name in (
            (bill, "grant_rib_warning"), (batch, "rib_warning"),
            (self.env["account.payment.register"].with_user(officer).with_context(**register).create({}),
             "grant_rib_warning"),
        ):  # fmt: skip
            warning = record.with_user(officer)[name]
            self.assertIn(shown, warning)
            self.assertIn(known.acc_number, warning)
        # Who keeps the books, and no more, sees that there are two, and not which.
        bookkeeper = new_test_user(
            self.env, "test_bookkeeper", "account.group_account_invoice",
            company_ids=self.company.ids, company_id=self.company.id,
        )  # fmt: skip
        warning = bill.with_user(bookkeeper).grant_rib_warning
        self.assertIn("FR76 •••• 0189", warning)
        self.assertIn(known._get_masked_number(short=True), warning)
        for number in (shown, known.acc_number, OTHER):
            self.assertNotIn(number, warning)
        for user in (self.operator_user, self.prefecture_user):
            with self.assertRaises(AccessError):
                bill.with_user(user).read(["grant_rib_warning"])
        tranche.with_user(officer)._do_pay("2021-11-25", "P-1")
        self.env.invalidate_all()
        self.assertFalse(bill.with_user(officer).grant_rib_warning)
        self.assertFalse(batch.with_user(officer).rib_warning)

    def test_not_for_others(self):
        self.hand_in(("rib.pdf", make_rib(f"IBAN {OTHER}")))
        self.read_ribs()
        for user in (self.reader, self.operator_user, self.prefecture_user):
            with self.assertRaises(AccessError):
                self.piece.with_user(user).read(["rib_warning"])
            self.assertFalse(self.env["grant.file.iban"].with_user(user).has_access("read"))
        messages = self.piece.message_ids.mapped("body")
        self.assertFalse([body for body in messages if OTHER in body.replace(" ", "")])

    def test_purged_with_its_file(self):
        self.hand_in(("rib.pdf", make_rib(f"IBAN {OTHER}")))
        self.read_ribs()
        self.piece.with_user(self.coordinator)._do_purge("Compte d’une personne")
        self.assertFalse(self.env["grant.file.iban"].search([("ibans", "=", OTHER)]))
        self.assertFalse(self.get_warning())

    def test_what_cannot_be_read_says_nothing(self):
        self.hand_in(("rib.pdf", make_pdf(500)))
        self.read_ribs()
        self.assertFalse(self.get_warning())

    def test_hostile_pdf(self):
        """Within its time and memory, or not at all."""
        self.assertIsNone(iban.read_text(b"%PDF-1.7 nothing"))
        start = time.monotonic()
        self.assertIsNone(iban.read_text(make_bomb()))
        self.assertLess(time.monotonic() - start, 3 * iban.SECONDS)
        self.assertIn(OTHER, iban.read_text(make_rib(f"IBAN {OTHER}")))

    def test_found_in_text(self):
        self.assertEqual(iban.find_ibans(f"xIBAN{OTHER}"), [])
        self.assertEqual(iban.find_ibans(f"IBAN {OTHER}\nBIC BNPAFRPP"), [OTHER])
        self.assertEqual(iban.find_ibans("FR76 3000 6000 0112 3456 7890 189\n" * 2), [OTHER])
