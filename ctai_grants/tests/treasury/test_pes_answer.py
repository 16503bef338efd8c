import base64

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged
from odoo.tools.misc import mute_logger

from ..common import make_siret
from .test_pes import DAY, PesCase

RETURN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<n:PES_Retour xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour">
<EnTetePES><DteStr V="{date}"/><IdPost V="086999"/><IdColl V="{siret}"/></EnTetePES>
<PES_DepenseRetour><Bordereau>
<BlocBordereau><Exer V="2021"/><IdBord V="{batch}"/><TypBord V="01"/></BlocBordereau>{pieces}
</Bordereau></PES_DepenseRetour></n:PES_Retour>"""
PIECE = """<Piece><InfoPiece><IdPce V="{number}"/><EtatPce V="{state}"/><ObsEtat V="{reasons}"/>
<Commentaire V="{comment}"/></InfoPiece></Piece>"""
CLAIM = """<Piece><BlocPiece><IdPce V="{number}"/><EtatPce V="{state}"/>
<ObsEtat V="{reasons}"/></BlocPiece></Piece>"""
ACQUIT = """<?xml version="1.0" encoding="UTF-8"?>
<n:PES_ACQUIT xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/retour/v2">
<EnTetePES><DteStr V="2021-11-22"/><IdColl V="00090003500015"/></EnTetePES>
<ACQUIT><ElementACQUIT><DomaineAck V="{domain}"/><EtatAck V="{state}"/>
<NumBord V="{batch}"/><ExerciceBord V="2021"/>
<Erreur><NumAnoAck V="201"/><LibelleAnoAck V="Poste inconnu"/></Erreur>
</ElementACQUIT></ACQUIT></n:PES_ACQUIT>"""


@tagged("-at_install", "post_install")
class TestPesAnswer(PesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.batch = cls.make_batch(cls, 100, 200)
        cls.first, cls.second = cls.batch.disbursement_ids.sorted("order_number")

    def answer(self, content, user=None):
        content = content if isinstance(content, bytes) else content.encode("latin-1")
        wizard = self.env["grant.pes.answer"].with_user(user or self.finance_officer)
        wizard = wizard.create({"file": base64.b64encode(content), "filename": "retour.xml"})
        wizard.action_confirm()
        return wizard.result

    def answer_return(self, *pieces, date="2021-11-25", siret="00090003500015", batch=None):
        body = "".join(
            PIECE.format(number=number, state=state, reasons=reasons, comment=comment)
            for number, state, reasons, comment in pieces
        )
        batch = batch or self.batch.number
        return self.answer(RETURN.format(date=date, siret=siret, batch=batch, pieces=body))

    def test_return_to_the_former_siret(self):
        """The city's SIRET changed between the orders and the answer."""
        self.company.partner_id.company_registry = make_siret()
        self.answer_return((41, "02", "", ""))
        self.assertEqual(self.first.treasury_state, "taken")

    def test_return(self):
        result = self.answer_return((41, "02", "", ""), (42, "04", "09,16", "RIB refusé"))
        self.assertIn(f"Rejected: order 0042, {self.second.partner_id.name}", result)
        self.assertNotIn("0041", result)
        self.assertEqual(self.first.treasury_state, "taken")
        self.assertEqual(self.second.treasury_state, "rejected")
        for part in ("09 – Domiciliation bancaire", "16 – Mandat non établi", "RIB refusé"):
            self.assertIn(part, self.second.treasury_reason)
        decision = self.second.decision_ids.sorted("id")[-1]
        self.assertEqual(decision.decision, "treasury_rejected")
        decisions = len(self.batch.disbursement_ids.decision_ids)
        result = self.answer_return((41, "02", "", ""), (42, "04", "09,16", "RIB refusé"))
        self.assertIn("0", result)
        self.assertEqual(len(self.batch.disbursement_ids.decision_ids), decisions)
        self.answer_return((41, "05", "", ""), date="2021-12-03")
        self.answer_return((41, "02", "", ""), date="2021-11-25")
        self.assertEqual(self.first.treasury_state, "settled", "an older file says nothing new")
        # Nothing is paid by that: the extract says what was.
        self.assertEqual(self.first.state, "ordered")

    def test_rejected_then_ordered_again(self):
        self.answer_return((41, "04", "01", ""))
        self.ask(self.first, "withdraw", self.finance_officer, "Pièces absentes")
        self.assertEqual((self.first.state, self.first.treasury_state), ("certified", False))
        self.assertFalse(self.first.order_batch_id)
        self.first.with_user(self.finance_officer)._do_order("43", DAY)
        self.assertEqual(self.first.state, "ordered")
        self.assertFalse(self.verify())
        with self.assertRaises(AccessError):
            self.ask(self.first, "withdraw", self.coordinator)

    def test_acknowledgement(self):
        self.answer(ACQUIT.format(domain=5, state=1, batch=self.batch.number))
        self.assertEqual(set(self.batch.disbursement_ids.mapped("treasury_state")), {"received"})
        self.answer(ACQUIT.format(domain=6, state=0, batch=self.batch.number))
        self.assertEqual(self.first.treasury_state, "received", "about a claim")
        self.answer(ACQUIT.format(domain=5, state=0, batch=self.batch.number))
        self.assertEqual(self.second.treasury_state, "rejected")
        self.assertIn("Poste inconnu", self.second.treasury_reason)

    def test_unknown_orders(self):
        result = self.answer_return((41, "02", "", ""), (777, "02", "", ""))
        self.assertIn("777", result)
        self.assertIn("999", self.answer_return((41, "02", "", ""), batch=999))
        # The first of them, as numbers.
        result = self.answer_return(*((number, "02", "", "") for number in (1000, 999, 100, 99)))
        numbers = [f"{n} ({self.batch.number}/2021)" for n in (99, 100, 999, 1000)]
        self.assertIn(", ".join(numbers), result)

    def test_one_number_however_it_is_written(self):
        """To the treasury, orders 41 and 0041 are the same: it would answer about both."""
        tranche = self.make_tranche(self.subsidy, amount=50)
        self.certify(tranche)
        for number in ("41", "00041"):
            with (
                self.subTest(number=number),
                mute_logger("odoo.sql_db"),
                self.assertRaisesRegex(Exception, "order_number_uniq"),
                self.env.cr.savepoint(),
            ):
                tranche.with_user(self.finance_officer)._do_order(number, DAY)
                self.env.flush_all()

    def test_bad_files(self):
        entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
        for content in (
            b"%PDF-1.7", b"<x/>", b"<x", entity,
            RETURN.format(date="hier", siret="1", batch=1, pieces=""),
        ):  # fmt: skip
            with self.subTest(content=content), self.assertRefused():
                self.answer(content)
        with self.assertRefused("another city", "00090001900019"):
            self.answer_return((41, "02", "", ""), siret="00090001900019")
        for user in (self.reader, self.coordinator):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.answer(RETURN, user)
        self.assertFalse(self.first.treasury_state)

    # ------------------------------------------------------------------
    # Several answers
    # ------------------------------------------------------------------

    def test_refused_then_taken_on_the_same_day(self):
        refused = ACQUIT.format(domain=5, state=0, batch=self.batch.number)
        self.answer(refused)
        self.assertEqual(self.first.treasury_state, "rejected")
        self.answer(ACQUIT.format(domain=5, state=1, batch=self.batch.number))
        self.assertEqual(self.first.treasury_state, "received")
        self.assertFalse(self.first.treasury_reason)
        # Read again, the first file changes nothing.
        self.assertIn("marked: 0", self.answer(refused))
        self.assertEqual(self.first.treasury_state, "received")
        kept = self.env["ir.attachment"].search(
            [("res_model", "=", self.batch._name), ("res_id", "=", self.batch.id)]
        )
        self.assertEqual(len(kept), 2)
        # What a piece became counts, whichever of the day's files is read first.
        self.answer_return((41, "02", "", ""), date="2021-11-22")
        later = ACQUIT.replace("<ACQUIT>", "<!-- again --><ACQUIT>")
        self.answer(later.format(domain=5, state=1, batch=self.batch.number))
        self.assertEqual(self.first.treasury_state, "taken")

    def test_a_day_that_has_not_come(self):
        with self.assertRefused("2099", "has not come"):
            self.answer_return((41, "04", "01", ""), date="2099-01-01")
        self.assertFalse(self.first.treasury_state)
        # Read before this was refused: it blocks nothing.
        self.first._transition(treasury_state="rejected", treasury_date="2099-01-01")
        self.answer_return((41, "02", "", ""))
        self.assertEqual(self.first.treasury_state, "taken")

    # ------------------------------------------------------------------
    # What is in the file
    # ------------------------------------------------------------------

    def test_observations_are_words(self):
        for number, observed, said in (
            (1, "Facture 2021 du 15/01", "Facture 2021 du 15/01"),
            (2, "voir courrier 06", "voir courrier 06"),
            (3, "99", "99"),
            (4, "02 - 07", "02 – Insuffisance de pièces justificatives\n07 – Double paiement"),
        ):  # fmt: skip
            with self.subTest(observed):
                self.answer_return((41, "04", observed, ""), date=f"2021-11-{24 + number}")
                self.assertEqual(self.first.treasury_reason, said)

    def test_letters_in_numbers(self):
        """A return speaks of all that the city sent, by whatever software."""
        result = self.answer_return((41, "02", "", ""), ("A-7", "02", "", ""), (42, "77", "", ""))
        self.assertEqual(self.first.treasury_state, "taken")
        self.assertFalse(self.second.treasury_state)
        self.assertIn("A-7", result)
        self.assertIn("state that the format does not have", result)
        result = self.answer_return((41, "05", "", ""), batch="B12")
        self.assertIn("B12", result)
        self.second._transition(order_number="M-9a")
        self.answer_return(("m-9A", "02", "", ""), date="2021-11-26")
        self.assertEqual(self.second.treasury_state, "taken")

    # ------------------------------------------------------------------
    # Paid and rejected
    # ------------------------------------------------------------------

    def control(self, tranche):
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["grant.accounting.control"].search(
            [("origin_model", "=", tranche._name), ("origin_id", "=", tranche.id)]
        )

    def test_a_paid_order_is_rejected(self):
        self.first.with_user(self.finance_officer)._do_pay(DAY, "P-1")
        self.assertFalse(self.control(self.first).is_different)
        result = self.answer_return((41, "04", "07", ""))
        self.assertIn("payment is recorded here already", result)
        control = self.control(self.first)
        self.assertTrue(control.is_different)
        self.assertIn("rejected its order", control.remark)
        self.assertIn(control.remark, self.verify())
        self.answer_return((41, "05", "", ""), date="2021-11-30")
        self.assertFalse(self.control(self.first).is_different)
        self.assertFalse(self.verify())

    def test_a_rejected_order_is_paid(self):
        self.answer_return((41, "04", "07", ""))
        self.first.with_user(self.finance_officer)._do_pay(DAY, "P-1")
        self.assertIn("rejected its order", self.control(self.first).remark)
        self.assertIn("rejected its order", self.first.message_ids.mapped("body")[0])

    def test_a_rejected_order_is_paid_in_part(self):
        self.answer_return((41, "04", "07", ""))
        self.assertFalse(self.verify())
        self.first.with_user(self.finance_officer)._register_payment(DAY, 40, "P-1")
        self.assertIn("11/20/2021", self.control(self.first).remark)
        self.assertEqual(self.verify(), [self.control(self.first).remark])
        self.ask(self.first, "unpay", self.finance_manager)
        self.assertFalse(self.verify())

    # ------------------------------------------------------------------
    # Claims
    # ------------------------------------------------------------------

    def make_claim(self):
        funding = self.env["grant.funding"].create(
            {"name": "Acompte", "envelope_id": self.envelope.id, "amount": 75000}
        )
        funding.with_user(self.finance_officer)._do_claim(DAY)
        return funding, funding._get_live_move().sequence_number

    def answer_claim(self, number, state, observed="", date="2021-11-25"):
        piece = CLAIM.format(number=number, state=state, reasons=observed)
        content = RETURN.format(date=date, siret="00090003500015", batch=number, pieces=piece)
        return self.answer(content.replace("PES_DepenseRetour", "PES_RecetteRetour"))

    def test_claims(self):
        funding, number = self.make_claim()
        result = self.answer_claim(number, "04", "Débiteur inconnu")
        self.assertIn("Claims marked: 1", result)
        self.assertIn("Acompte", result)
        self.assertEqual(funding.treasury_state, "rejected")
        self.assertEqual(funding.treasury_reason, "Débiteur inconnu")
        self.assertEqual(funding.state, "claimed")
        self.answer(ACQUIT.format(domain=6, state=1, batch=number).replace("11-22", "11-28"))
        self.assertEqual(funding.treasury_state, "received")
        self.answer_claim(number, "03", date="2021-11-29")
        self.assertEqual(funding.treasury_state, "taken")
        # What the treasury answered goes with the claim.
        funding.with_user(self.finance_manager).action_cancel_claim()
        self.assertEqual((funding.state, funding.treasury_state), ("expected", False))
        self.assertIn("left alone", self.answer_claim(number + 1, "02"))

    def test_recoveries(self):
        self.pay_second()
        for date, kind, kept in (("2022-02-01", "01", "taken"), ("2021-12-01", "02", "taken")):
            recovery = self.make_recovery()
            with self.subTest(date=date):
                recovery.with_user(self.finance_officer)._do_claim(date)
                self.assertEqual(bool(recovery.reduced_disbursement_id), kind == "02")
                number = recovery._get_live_move()._get_grant_number()
                if kind == "02":
                    piece = PIECE.format(number=number, state="02", reasons="", comment="")
                    content = RETURN.replace('TypBord V="01"', 'TypBord V="02"').format(
                        date="2022-03-01", siret="00090003500015", batch=number, pieces=piece
                    )
                else:
                    piece = CLAIM.format(number=number, state="02", reasons="")
                    content = RETURN.replace("Depense", "Recette").replace("2021", "2022").format(
                        date="2022-03-01", siret="00090003500015", batch=number, pieces=piece
                    )
                self.assertIn("Claims marked: 1", self.answer(content))
                self.assertEqual(recovery.treasury_state, kept)
                decision = recovery.decision_ids.sorted("id")[-1].decision
                self.assertEqual(decision, "treasury_taken")

    def test_one_number_in_a_year(self):
        """Journals of bills begin anew each month, and the treasury counts by year."""
        self.pay_second()
        numbers = []
        for date in ("2021-12-01", "2021-12-02", "2022-02-01"):
            recovery = self.make_recovery()
            recovery.with_user(self.finance_officer)._do_claim(date)
            _kind, batch = recovery._get_pes_batch()
            numbers.append((batch.exercise, batch.number))
            self.assertLess(batch.number, 10**7)
        with freeze_time("2021-11-30"):
            recovery = self.make_recovery()
            recovery._transition(decided_date="2021-11-29")
            recovery.with_user(self.finance_officer)._do_claim("2021-11-30")
        _kind, batch = recovery._get_pes_batch()
        self.assertTrue(recovery.reduced_disbursement_id)
        numbers.append((batch.exercise, batch.number))
        self.assertEqual(len(set(numbers)), len(numbers))

    # ------------------------------------------------------------------
    # Budgets
    # ------------------------------------------------------------------

    def test_budgets_of_one_siret(self):
        """Each numbers its orders for itself: the answer to one says nothing of the other."""
        other = self.env["res.company"].create({
            "name": "Budget annexe", "parent_id": self.company.id, "grant_pes_post": "086999",
            "grant_pes_entity": "001", "grant_pes_budget": "01",
        })  # fmt: skip
        other.partner_id.write(
            {"country_id": self.env.ref("base.fr").id, "company_registry": "00090003500015"}
        )
        user = self.finance_officer
        about = '<IdColl V="00090003500015"/><CodColl V="001"/><CodBud V="{}"/>'
        piece = PIECE.format(number=41, state="04", reasons="01", comment="")
        plain = RETURN.format(
            date="2021-11-25", siret="00090003500015", batch=self.batch.number, pieces=piece
        )
        theirs, ours = (
            plain.replace('<IdColl V="00090003500015"/>', about.format(budget))
            for budget in ("01", "00")
        )
        with self.assertRefused("001 01", self.company.name, "001 00"):
            self.answer(theirs)
        user.company_ids |= other
        cities = {"allowed_company_ids": (self.company | other).ids}
        user = user.with_user(user).with_context(**cities)
        wizard = user.env["grant.pes.answer"]
        for content, refused in ((theirs, False), (plain, True)):
            found = wizard.create({"file": base64.b64encode(content.encode()), "filename": "r.xml"})
            if refused:
                with self.assertRefused("r.xml", self.company.name, other.name):
                    found.action_confirm()
            else:
                found.action_confirm()
        self.assertFalse(self.first.treasury_state)
        found = wizard.create({"file": base64.b64encode(ours.encode()), "filename": "r.xml"})
        found.action_confirm()
        self.assertEqual(self.first.treasury_state, "rejected")

    def test_before_the_batch(self):
        """What answers a batch from before this one had its number."""
        result = self.answer_return((41, "04", "01", ""), date="2021-11-19")
        self.assertIn(f"left alone: 1 (41 ({self.batch.number}/2021))", result)
        self.assertFalse(self.first.treasury_state)
        self.answer_return((41, "04", "01", ""), date="2021-11-20")
        self.assertEqual(self.first.treasury_state, "rejected")

    def pay_second(self):
        self.second.with_user(self.finance_officer)._do_pay(DAY, "P-1")

    def make_recovery(self):
        recovery = self.env["grant.recovery"].create(
            {"subsidy_id": self.subsidy.id, "amount": 50, "reason": "overpaid", "facts": "Trop"}
        )
        recovery._transition(
            state="decided", notified_date="2021-11-26", notified_amount=50,
            answer_deadline="2021-11-28", decided_date="2021-12-01",
        )  # fmt: skip
        return recovery
