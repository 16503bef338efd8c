"""Extracts looked at as a whole: what comes back, whose it is, what an officer settles."""

import datetime

from odoo.exceptions import AccessError
from odoo.service.model import call_kw

from ...lib.accounting import spreadsheet
from ..common import make_siret
from .test_treasury import (
    CITY,
    HEAD,
    OTHER_SIRET,
    PAID,
    SIRET,
    STATE_HEAD,
    STRANGER,
    TreasuryCase,
    make_csv,
    make_xlsx,
    order_row,
    read,
    state_row,
)

NEW_CITY = CITY[:9] + "00025"
STATED = [*HEAD, "ETAT"]


def stated(state, *args, **values):
    """A row of an extract that has a column of states."""
    return [*order_row(*args, **values), state]


class ReturnsCase(TreasuryCase):
    def facts(self, treasury_import):
        return [
            (line.status, line.reason or None) for line in treasury_import.line_ids.sorted("id")
        ]

    def assertFacts(self, *expected, rows, head=None):
        """What becomes of these rows; nothing is booked."""
        self.env["grant.treasury.import"].search([("state", "=", "preview")]).unlink()
        found = self.upload(make_xlsx(("A", [head or HEAD, *rows])))
        self.assertEqual(self.facts(found), list(expected))
        for line in found.line_ids.filtered("reason"):
            self.assertTrue(line.message)
            self.assertNotEqual(line.message, line.about)
        return found

    def entries(self, tranche):
        """Date and amount of what the ledger says of a tranche, as it was posted."""
        found = tranche.subsidy_id.entry_ids.filtered(
            lambda entry: entry.kind == "payment" and entry.origin_id == tranche.id
        )
        return [(entry.date, entry.amount) for entry in found.sorted("id")]

    def book(self, *rows, user=None):
        found = self.preview(*rows)
        found.with_user(user or self.finance_officer).action_book()
        return found


class TestReturns(ReturnsCase):
    OUT = ("cancelled", "cancelled_out")

    def test_paid_and_returned(self):
        found = self.assertFacts(
            self.OUT, self.OUT, rows=[order_row(1), order_row(1, -1000.0, paid="10/12/2021")]
        )
        self.assertEqual((found.to_book_count, found.cancelled_count), (0, 2))
        self.assertIn("A 3", found.line_ids.sorted("id")[0].message)
        with self.assertRefused("nothing to book"):
            found.action_book()

    def test_paid_returned_and_paid_again(self):
        back = order_row(1, -1000.0, paid="10/12/2021")
        again = order_row(1, paid="10/12/2021", NUMERO_LIGNE=2.0)
        self.assertFacts(self.OUT, self.OUT, ("to_book", None), rows=[order_row(1), back, again])
        last = order_row(1, paid="17/12/2021")
        rows = [last, back, order_row(1)]  # in whatever order
        found = self.assertFacts(("to_book", None), self.OUT, self.OUT, rows=rows)
        found.action_book()
        self.assertEqual(
            (self.tranche.state, self.tranche.paid_date),
            ("paid", datetime.date(2021, 12, 17)),
        )
        later = self.upload(make_csv([HEAD, *reversed(rows)]))
        self.assertEqual(self.facts(later), [self.OUT, self.OUT, ("already", "recorded")])
        self.assertFalse(self.verify())

    def test_returned_on_its_day(self):
        """Until it came back, the money had left: at any date the ledger says so."""
        day = datetime.date(2022, 1, 10)
        back, again = order_row(1, -1000.0, paid="10/01/2022"), order_row(1, paid="20/01/2022")
        self.book(order_row(1))
        self.book(back, user=self.finance_manager)
        self.assertEqual(self.entries(self.tranche), [(PAID, 1000), (day, -1000)])
        known = ("already", "recorded")
        self.assertFacts(known, known, rows=[order_row(1), back])
        self.book(again)
        # And nothing of it is taken back once more, in whatever file it comes again.
        self.assertFacts(known, rows=[order_row(1, -1000.0, paid="10/01/2022", OBJET_MANDAT="")])
        self.assertFacts(known, known, known, rows=[again, back, order_row(1)])
        last = order_row(1, -1000.0, paid="15/02/2022")
        self.assertFacts(
            known, known, known, ("to_return", "return"), rows=[order_row(1), back, again, last]
        )
        self.assertEqual(self.tranche.state, "paid")
        self.assertFalse(self.verify())

    def test_taken_back_in_accounting_on_its_day(self):
        """By hand, too: what came back then is not taken from what was paid since."""
        day = datetime.date(2022, 1, 10)
        back, again = order_row(1, -1000.0, paid="10/01/2022"), order_row(1, paid="20/01/2022")
        self.book(order_row(1))
        payment = self.tranche._get_live_move()._get_payment_moves()
        payment._reverse_moves([{"date": day}], cancel=True)
        known = ("already", "recorded")
        self.assertFacts(known, rows=[back])
        self.book(again)
        self.assertFacts(known, rows=[back])
        self.assertFacts(known, known, known, rows=[order_row(1), back, again])

    def test_of_a_reduced_order(self):
        """What a credit note took off an order is not left to pay, nor awaited back."""
        bill = self.tranche._get_live_move()
        day = datetime.date(2021, 12, 1)
        note = bill._reverse_moves([{"date": day, "invoice_date": day}])
        note.invoice_line_ids.price_unit = 400
        note.action_post()
        (note | bill)._get_payment_lines().filtered(lambda line: not line.reconciled).reconcile()
        self.assertEqual(self.tranche.reduced_amount, 400)
        found = self.assertFacts(("refused", "too_much"), rows=[order_row(1)])
        self.assertIn("600.00", found.line_ids.message)
        self.assertFacts(("to_book", "partial"), rows=[order_row(1, 500.0)])
        self.assertFacts(("to_book", None), rows=[order_row("", 600.0)])
        self.assertFacts(("to_book", None), rows=[order_row(1, 600.0)])
        self.book(order_row(1, 600.0))
        self.assertEqual(self.tranche.state, "paid")
        back = order_row(1, -600.0, paid="10/12/2021")
        self.assertFacts(("to_return", "return"), rows=[back])
        self.book(back, user=self.finance_manager)
        self.assertEqual((self.tranche.state, self.tranche.residual_amount), ("ordered", 600))
        self.assertFalse(self.verify())

    def test_lines_of_one_payment_returned_at_once(self):
        lines = [order_row(1, 600.0), order_row(1, 400.0, NUMERO_LIGNE=2.0)]
        back = order_row(1, -1000.0, paid="10/12/2021")
        self.assertFacts(self.OUT, self.OUT, self.OUT, rows=[*lines, back])

    def test_reduction_above_zero(self):
        """Some write what a reduction takes back above zero."""
        reduction = order_row(1, paid="10/12/2021", **{"TYPE MANDAT": "2-Annulation"})
        self.assertFacts(self.OUT, self.OUT, rows=[order_row(1), reduction])

    def test_nothing_beside_an_unexplained_return(self):
        held = ("refused", "unexplained")
        for back in (
            order_row(1, -400.0, paid="10/12/2021"),
            order_row(1, -1000.0, paid="01/12/2021"),  # before the payment
            order_row(1, -1000.0, paid=""),
            order_row("", -1000.0, paid="10/12/2021"),
        ):
            with self.subTest(back=back):
                found = self.preview(order_row(1), back)
                statuses = {line.status for line in found.line_ids}
                self.assertFalse(statuses & {"to_book", "to_return"})
                self.assertFalse(found.to_book_count)
        self.assertFacts(
            held, ("refused", "reversal"), rows=[order_row(1), order_row(1, -400.0)]
        )
        # Of another order, or of another operator's: these are not held.
        self.assertFacts(
            ("to_book", None), ("refused", "reversal"), ("refused", "reversal"),
            rows=[order_row(1), order_row(2, -50.0), order_row(1, -1000.0, siret=OTHER_SIRET)],
        )  # fmt: skip

    def test_unreadable_amounts_below_zero(self):
        """Of the order that it names, or of any of its operator: nothing is offered."""
        for amount in ("-9.000", "(9.000)", "\u22129.000 €", "9.000-", "EUR -9.000"):
            for number in (1, "", 999):
                with self.subTest(amount=amount, number=number):
                    found = self.preview(
                        order_row(1), order_row(number, amount, paid="10/12/2021")
                    )
                    first = found.line_ids.sorted("id")[0]
                    self.assertEqual((first.status, first.reason), ("refused", "unexplained"))
        # A positive one says nothing of the order, nor one of another operator.
        for row in (order_row(1, "9.000"), order_row("", "-9.000", siret=OTHER_SIRET)):
            found = self.preview(order_row(1), row)
            self.assertEqual(found.to_book_count, 1)

    def test_reduction_with_a_number_of_its_own(self):
        back = order_row(999, -1000.0, paid="10/12/2021", **{"TYPE MANDAT": "2-Réduction"})
        for row in (back, order_row(2, -1000.0, paid="10/12/2021")):
            found = self.preview(order_row(1), row)
            line = found.line_ids.sorted("id")[0].with_user(self.finance_officer)
            self.assertEqual((line.status, line.reason), ("left_out", "other_return"))
            self.assertIn("A 3", line.message)
        line.action_put_back()
        found.action_book()
        self.assertEqual(self.tranche.state, "paid")
        # Of another amount, or operator, or before: nothing to doubt.
        for row in (
            order_row(999, -700.5, paid="10/12/2021"),
            order_row(999, -700.0, paid="10/12/2021", siret=OTHER_SIRET),
            order_row(999, -700.0, paid="01/12/2021"),
        ):
            self.assertEqual(self.preview(order_row(2, 700.0), row).to_book_count, 1)

    def test_reduction_of_an_order_paid_in_lines(self):
        lines = [order_row(1, 600.0), order_row(1, 400.0, NUMERO_LIGNE=2.0)]
        found = self.preview(*lines, order_row(999, -1000.0, paid="10/12/2021"))
        self.assertFalse(found.to_book_count)

    def test_return_in_the_future(self):
        """It cancels nothing, and is said."""
        future = ("refused", "future")
        back = order_row(1, -1000.0, paid="01/01/2099")
        self.assertFacts(("refused", "unexplained"), future, rows=[order_row(1), back])
        self.book(order_row(1))
        self.assertFacts(future, rows=[back])
        rejected = [stated("Rejeté", 1, paid="01/01/2099")]
        self.assertFacts(future, rows=rejected, head=STATED)

    def test_titles_of_receipt(self):
        """They have numbers of their own: neither payments nor returns of the order."""
        rows = [
            order_row(1, **{"TYPE MANDAT": kind}, paid="04/12/2021")
            for kind in ("2-Titre de recette", "Titre annulé")
        ]
        said = ("refused", "not_a_payment")
        self.assertFacts(("to_book", None), said, said, rows=[order_row(1), *rows])

    def test_comments(self):
        """What people write beside a payment may say that it was none: an officer looks at it."""
        for heading in ("Observations", "COMMENTAIRE", "Motif"):
            for cell, expected in (
                ("Virement rejeté, IBAN clos", ("left_out", "unclear_state")),
                ("retourné le 10/12", ("left_out", "unclear_state")),
                ("Subvention 2021, solde", ("to_book", None)),
                ("", ("to_book", None)),
            ):
                with self.subTest(heading=heading, cell=cell):
                    self.assertFacts(
                        expected, rows=[[*order_row(1), cell]], head=[*HEAD, heading]
                    )

    def test_columns_of_rejections(self):
        for heading, cell in (
            ("MOTIF REJET", "RIB invalide"), ("Motif de rejet", "05"),
            ("Date de rejet", "4/12/2021"),
        ):  # fmt: skip
            with self.subTest(heading=heading):
                found = self.assertFacts(
                    ("refused", "rejected"), rows=[stated(cell, 1)], head=[*HEAD, heading]
                )
                self.assertIn(cell, found.line_ids.message)
        for cell in ("", "Néant", "0", "Non"):
            with self.subTest(cell=cell):
                head = [*HEAD, "MOTIF REJET"]
                self.assertFacts(("to_book", None), rows=[stated(cell, 1)], head=head)

    def test_type_that_says_rejected(self):
        rows = [order_row(1, **{"TYPE MANDAT": "5-Rejet"})]
        self.assertFacts(("refused", "rejected"), rows=rows)

    def test_amount_of_many_digits(self):
        self.assertFacts(("refused", "bad_amount"), rows=[order_row(1, "9" * 400)])

    def test_return_issued_in_a_later_year(self):
        """Its number and party say which order; nothing is offered beside it."""
        back = order_row(1, -1000.0, paid="20/02/2022", DATE_EMISSION="05/02/2022")
        self.assertFacts(
            ("refused", "unexplained"), ("refused", "reversal"), rows=[order_row(1), back]
        )

    def test_return_of_what_an_earlier_file_paid(self):
        self.book(order_row(1))
        back = order_row(1, -1000.0, paid="10/12/2021")
        again = order_row(1, paid="17/12/2021")
        found = self.assertFacts(
            ("to_return", "return"), ("refused", "after_return"), rows=[back, again]
        )
        self.assertIn("came back", found.line_ids.sorted("id")[0].message)
        self.assertEqual(found.to_return_count, 1)
        with self.assertRefused("Finance", exception=AccessError):
            found.action_book()
        self.assertEqual(self.tranche.state, "paid")
        found.with_user(self.finance_manager).action_book()
        self.assertEqual(self.tranche.state, "ordered")
        decision = self.tranche.decision_ids.filtered(lambda d: d.decision == "unpaid")
        self.assertIn(found.name, decision.reason)
        self.assertEqual(self.facts(found)[0], ("booked", "return"))
        found.action_refresh()
        self.assertEqual(found.to_book_count, 1)
        found.action_book()
        self.assertEqual(
            (self.tranche.state, self.tranche.paid_date), ("paid", datetime.date(2021, 12, 17))
        )
        # A cumulative file finds all of it known.
        later = self.upload(make_csv([HEAD, order_row(1), back, again]))
        self.assertEqual(self.facts(later), [("already", "recorded")] * 3)
        alone = self.upload(make_csv([HEAD, back]))
        self.assertEqual(self.facts(alone), [("already", "recorded")])
        self.assertFalse(self.verify())

    def test_return_beside_payments(self):
        """An officer books the payments; the return waits for a manager."""
        self.book(order_row(1))
        found = self.preview(
            order_row(1), order_row(1, -1000.0, paid="10/12/2021"), order_row(2, 700.0)
        )
        self.assertEqual(
            self.facts(found),
            [("already", "recorded"), ("to_return", "return"), ("to_book", None)],
        )
        found.action_book()
        self.assertEqual((self.tranche.state, self.second.state), ("paid", "paid"))
        found.with_user(self.finance_manager).action_book()
        self.assertEqual((self.tranche.state, self.second.state), ("ordered", "paid"))
        found.action_refresh()
        self.assertEqual([line.status for line in found.line_ids.sorted("row_number")],
                         ["cancelled", "booked", "booked"])  # fmt: skip
        self.assertFalse(self.verify())

    def test_return_of_what_was_paid_by_hand(self):
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "P-1")
        back = order_row(1, -1000.0, paid="10/12/2021")
        found = self.assertFacts(("to_return", "return"), rows=[back])
        line = found.line_ids.with_user(self.finance_officer)
        line.action_leave_out()
        line.action_put_back()
        self.assertEqual(line.status, "to_return")
        self.ask(self.tranche, "unpay", self.finance_manager)
        found.action_refresh()
        self.assertEqual(self.facts(found), [("already", "recorded")])

    def test_part_returned_is_left_to_people(self):
        self.book(order_row(1))
        self.assertFacts(
            ("refused", "reversal"), rows=[order_row(1, -400.0, paid="10/12/2021")]
        )
        self.assertEqual(self.tranche.state, "paid")

    def test_one_of_two_parts_returned(self):
        """Taking back takes back the whole payment of an order: of a part, people do it."""
        self.book(order_row(1, 600.0), order_row(1, 400.0, paid="07/12/2021"))
        self.assertEqual(self.tranche.state, "paid")
        back = order_row(1, -600.0, paid="10/12/2021")
        self.assertFacts(("refused", "reversal"), rows=[back])
        # All of it at once is the whole.
        whole = order_row(1, -1000.0, paid="10/12/2021")
        self.assertFacts(("to_return", "return"), rows=[whole])

    def test_states_of_orders(self):
        for state in (
            "Rejeté", "ANNULÉ", "Suspendu", "En attente", "Non payé", "Retourné", "Échec", "KO",
            "Différé", "En cours", "Sans suite", "R", "Réimputé",
        ):
            with self.subTest(state=state):
                found = self.assertFacts(
                    ("refused", "rejected"), rows=[stated(state, 1)], head=STATED
                )
                self.assertIn(state, found.line_ids.message)
        for state in ("Payé", "Réglé", "Pris en charge", "Mandat visé", "VIREMENT ÉMIS", "OK", ""):
            with self.subTest(state=state):
                self.assertFacts(("to_book", None), rows=[stated(state, 1)], head=STATED)
        # What nobody foresaw is not taken for paid: the officer looks at it.
        for state in (
            "Anomalie", "Erreur", "Litige", "Retour banque", "Extourné", "Contrepassé", "Supprimé",
            "Non traité", "À traiter", "Brouillon", "Opposition", "Compensé", "RJ", "X", "1",
        ):  # fmt: skip
            with self.subTest(state=state):
                found = self.assertFacts(
                    ("left_out", "unclear_state"), rows=[stated(state, 1)], head=STATED
                )
                self.assertIn(f"“{state}”", found.line_ids.message)
        found.line_ids.with_user(self.finance_officer).action_put_back()
        found.action_refresh()
        self.assertEqual(self.facts(found), [("to_book", None)])
        # An officer who has looked at it may book it; a return takes it back all the same.
        back = stated("Payé", 1, -1000.0, paid="10/12/2021")
        self.assertFacts(self.OUT, self.OUT, rows=[stated("X", 1), back], head=STATED)
        # Rejected, then paid; paid, then rejected.
        rejected, paid = ("refused", "rejected"), ("to_book", None)
        rows = [stated("Rejeté", 1, paid="25/11/2021"), stated("Payé", 1)]
        self.assertFacts(rejected, paid, rows=rows, head=STATED)
        rows = [stated("Payé", 1), stated("Rejeté", 1, paid="10/12/2021")]
        self.assertFacts(("refused", "unexplained"), rejected, rows=rows, head=STATED)

    def test_several_columns_that_say_it(self):
        """Of an order, and of its transfer: whichever says that it was not paid."""
        rejected, unclear = ("refused", "rejected"), ("left_out", "unclear_state")
        for headings, cells, expected in (
            (["ETAT_MANDAT", "ETAT_PAIEMENT"], ["Visé", "Rejeté"], rejected),
            (["ETAT", "STATUT"], ["Payé", "Annulé"], rejected),
            (["ETAT", "STATUT_VIREMENT"], ["Payé", "Anomalie"], unclear),
            (["MOTIF_REJET", "DATE_REJET"], ["", "10/12/2021"], rejected),
            (["CODE_REJET"], ["AC04"], rejected),
            (["MOTIF_RETOUR_BANQUE"], ["Compte clos"], unclear),
            (["PAIEMENT_ANNULE"], ["O"], unclear),
            (["PAIEMENT_ANNULE", "MONTANT_REJETE", "RETOUR"], ["N", 0.0, ""], ("to_book", None)),
            (["MONTANT_REJETE"], ["0,00"], ("to_book", None)),
        ):
            with self.subTest(headings=headings, cells=cells):
                self.assertFacts(expected, rows=[[*order_row(1), *cells]], head=[*HEAD, *headings])

    def test_rejected_since(self):
        """The line of an earlier file comes back as rejected."""
        self.book(order_row(1))
        found = self.assertFacts(("to_return", "return"), rows=[stated("Rejeté", 1)], head=STATED)
        self.assertEqual(found.line_ids.amount, -1000)
        found.with_user(self.finance_manager).action_book()
        self.assertEqual(self.tranche.state, "ordered")


class TestOtherNumbers(ReturnsCase):
    def test_a_number_is_never_guessed(self):
        """Order 999 is not order 2, whatever its amount: the true line comes later."""
        found = self.assertFacts(("refused", "other_number"), rows=[order_row(999, 700.0)])
        for part in ("999", "Order 2"):
            self.assertIn(part, found.line_ids.message)
        self.assertFacts(("to_book", None), rows=[order_row(2, 700.0)])
        self.book(order_row(2, 700.0))
        self.assertFacts(("refused", "unknown_order"), rows=[order_row(999, 700.0)])


class TestWhose(ReturnsCase):
    def test_the_siret_of_the_city_changed(self):
        """The whole file, or some of its lines: left to the officer, who settles it."""
        moved = {"CODE_INSEE_BC": NEW_CITY}
        for rows in ([order_row(1, **moved)], [order_row(1, **moved), order_row(2, 700.0)]):
            found = self.preview(*rows)
            line = found.line_ids.sorted("id")[0]
            self.assertEqual((line.status, line.reason), ("left_out", "city_siret"))
            self.assertIn(NEW_CITY, line.message)
            self.assertEqual(found.city_sirets, NEW_CITY)
            self.assertFalse(found.ignored_count)
        line.with_user(self.finance_officer).action_put_back()
        found.action_book()
        self.assertEqual((self.tranche.state, self.second.state), ("paid", "paid"))

    def test_the_siret_of_the_city_is_corrected(self):
        found = self.preview(order_row(1, CODE_INSEE_BC=NEW_CITY))
        self.company.partner_id.company_registry = NEW_CITY
        found.action_refresh()
        self.assertEqual(self.facts(found), [("to_book", None)])
        self.assertFalse(found.city_sirets)

    def test_the_former_siret_of_the_city(self):
        """Of another SIREN, too: communes merge, and extracts still name the former one."""
        self.company.partner_id.company_registry = make_siret()
        for rows in (
            [HEAD, order_row(1)],
            [["SIRET", CITY], HEAD, order_row(1, CODE_INSEE_BC="86194")],
        ):
            found = self.upload(make_xlsx(("A", rows)))
            self.assertEqual(self.facts(found), [("left_out", "city_siret")])
            self.assertEqual(found.city_sirets, CITY)
        found.line_ids.with_user(self.finance_officer).action_put_back()
        found.action_book()
        self.assertEqual(self.tranche.state, "paid")

    def test_another_budget_takes_nothing(self):
        """The same numbers in another budget of the city are not confused with ours."""
        found = self.preview(
            order_row(1, CODE_INSEE_BC=NEW_CITY),
            order_row(1),
            order_row(1, -1000.0, paid="10/12/2021", CODE_INSEE_BC=NEW_CITY),
        )
        self.assertFalse(found.to_return_count)
        self.assertEqual(found.line_ids.sorted("id")[1].status, "to_book")

    def test_titles_that_name_another_city(self):
        for title in (
            ["Collectivité : Commune de Saint-Exemple"],
            ["GRAND EXEMPLE COMMUNAUTÉ URBAINE"],
            ["Collectivité", "", "SAINT-EXEMPLE"],
            [f"Extrait des paiements - SIRET {STRANGER}"],
            ["Budget : Grand Exemple"],
            ["Budget", "CCAS D'EXEMPLE"],
            ["Budget annexe - Caisse des écoles d'Exemple"],
            ["SIRET", f"{STRANGER[:3]} {STRANGER[3:6]} {STRANGER[6:9]} {STRANGER[9:]}"],
        ):
            with self.subTest(title=title):
                rows = [title, [], HEAD, order_row(1, CODE_INSEE_BC="86194")]
                found = self.upload(make_xlsx(("A", rows)))
                self.assertEqual(self.facts(found), [("left_out", "title_city")])
        found.line_ids.with_user(self.finance_officer).action_put_back()
        found.action_book()
        self.assertEqual(self.tranche.state, "paid")

    def test_titles_that_name_the_city(self):
        self.company.name = "Ville d'Exemple"
        for title in (
            ["Ville d'Exemple - paiements de 2021"],
            ["Collectivité : VILLE D'EXEMPLE"],
            [f"SIRET {CITY}", "Commune de Saint-Exemple"],
            ["Direction générale des finances publiques"],
            ["Mandats de la ville payés en 2021"],
            ["Budget : 00100 - Budget principal 2021"],
            ["Budget : VILLE D'EXEMPLE"],
            ["Budget primitif 2021"],
        ):
            with self.subTest(title=title):
                rows = [title, [], HEAD, order_row(1, CODE_INSEE_BC="86194")]
                found = self.upload(make_xlsx(("A", rows)))
                self.assertEqual(self.facts(found), [("to_book", None)])
                found.unlink()
        titled = [["SIRET", NEW_CITY], HEAD, order_row(1, CODE_INSEE_BC="86194")]
        found = self.upload(make_xlsx(("A", titled)))
        self.assertEqual(self.facts(found), [("left_out", "city_siret")])

    def test_an_operator_that_moved(self):
        found = self.preview(order_row(1, siret=SIRET[:9] + "00025"))
        self.assertEqual(self.facts(found), [("to_book", "other_siret")])
        self.assertIn(SIRET[:9] + "00025", found.line_ids.message)


    def test_an_operator_of_another_siren(self):
        """Associations merge: what names its order and its former SIRET is left to the officer."""
        self.operator.company_registry = make_siret()
        old, new = order_row(1), order_row(2, 700.0, siret=self.operator.company_registry)
        left = ("left_out", "former_siret")
        found = self.assertFacts(left, ("to_book", None), rows=[old, new])
        line = found.line_ids.sorted("id")[0]
        for part in (SIRET, self.operator.company_registry, self.operator.name):
            self.assertIn(part, line.message)
        # Without the number of an order it says nothing, nor once it is somebody else's.
        self.assertFacts(("refused", "unknown_operator"), rows=[order_row("")])
        back = order_row(1, -1000.0, paid="10/12/2021")
        out = ("cancelled", "cancelled_out")
        self.assertFacts(out, out, rows=[old, back])
        found = self.preview(old)
        found.line_ids.with_user(self.finance_officer).action_put_back()
        found.action_book()
        self.assertEqual(self.tranche.state, "paid")
        self.other_operator.company_registry = SIRET
        found = self.assertFacts(("to_book", None), rows=[order_row(3, 500.0, siret=SIRET)])


class TestKept(ReturnsCase):
    def test_two_true_payments(self):
        rows = [order_row(1, 500.0), order_row(1, 500.0)]
        found = self.assertFacts(("to_book", "partial"), ("left_out", "duplicate"), rows=rows)
        twin = found.line_ids.sorted("id")[1].with_user(self.finance_officer)
        self.assertIn("A 2", twin.message)
        twin.action_put_back()
        found.action_book()
        self.assertEqual((self.tranche.state, found.booked_count), ("paid", 2))
        later = self.upload(make_csv([HEAD, *rows]))
        self.assertEqual(self.facts(later), [("already", "recorded")] * 2)

    def test_twice_the_same_line(self):
        """Not put back, the second is not booked; nor when it is left out again."""
        found = self.preview(order_row(1, 500.0), order_row(1, 500.0))
        twin = found.line_ids.sorted("id")[1].with_user(self.finance_officer)
        twin.action_put_back()
        twin.action_leave_out()
        found.action_book()
        self.assertEqual(self.tranche.residual_amount, 500)
        self.assertEqual(found.booked_count, 1)


class TestStateReturns(ReturnsCase):
    def test_unreadable_amounts_below_zero(self):
        for back in (
            state_row("-7.500"),
            state_row("(7 500)", siret="#"),
            state_row(-7500, paid="01/01/2099"),
            state_row("-7.500", ej=""),
        ):
            with self.subTest(back=back):
                found = self.state(state_row(7500), back)
                first = found.line_ids.sorted("id")[0]
                self.assertEqual((first.status, first.reason), ("refused", "unexplained"))

    def state(self, *rows):
        return self.upload(make_xlsx(("1. Extraction", [STATE_HEAD, *rows])))

    def test_no_commitment_number(self):
        """Of an operator: shown. Of others: counted."""
        found = self.state(state_row(12, ej="#"), state_row(12, ej="", siret=STRANGER))
        self.assertEqual(self.facts(found), [("refused", "no_number")])
        self.assertEqual(found.ignored_count, 1)
        self.assertIn("ASSO", found.line_ids.message)

    def test_paid_and_returned(self):
        out = ("cancelled", "cancelled_out")
        later = datetime.date(2021, 12, 10)
        back = state_row(-7500, dp="000199999", paid=later)
        self.assertEqual(self.facts(self.state(state_row(7500), back)), [out, out])
        found = self.state(state_row(7500), state_row(-500, dp="000199999", paid=later))
        self.assertEqual(
            self.facts(found), [("refused", "unexplained"), ("refused", "reversal")]
        )
        # A correction within one payment.
        found = self.state(state_row(8000), state_row(-500, part="2"))
        self.assertEqual(self.facts(found), [("to_book", None)] * 2)

    def test_returned_on_its_day(self):
        day = datetime.date(2022, 1, 10)
        self.state(state_row(7500)).action_book()
        back = self.state(state_row(-7500, dp="000199999", paid=day))
        back.with_user(self.finance_manager).action_book()
        self.assertEqual(self.entries(self.direct), [(PAID, 7500), (day, -7500)])
        self.assertEqual(self.direct.state, "certified")
        self.assertFalse(self.verify())

    def test_return_of_what_an_earlier_file_paid(self):
        self.state(state_row(7500)).action_book()
        later = datetime.date(2021, 12, 10)
        back = state_row(-7500, dp="000199999", paid=later)
        found = self.state(state_row(7500), back)
        self.assertEqual(self.facts(found), [("already", "recorded"), ("to_return", "return")])
        found.with_user(self.finance_manager).action_book()
        self.assertEqual(self.direct.state, "certified")
        alone = self.state(back, state_row(7500, dp="000200001", paid=datetime.date(2021, 12, 17)))
        self.assertEqual(self.facts(alone), [("already", "recorded"), ("to_book", None)])
        self.assertFalse(self.verify())


class TestWithoutForm(ReturnsCase):
    def test_an_empty_file(self):
        wizards = self.env["grant.treasury.upload"].with_user(self.finance_officer)
        for values in ({}, {"file": ""}, {"file": False, "filename": "vide.csv"}):
            made = call_kw(wizards, "create", [[values]], {})
            with self.subTest(values=values), self.assertRefused("The file is empty."):
                call_kw(wizards, "action_confirm", [made], {})

    def test_reading(self):
        (line,) = read([order_row(1, paid="2022/01/20")])
        self.assertEqual(line.date, datetime.date(2022, 1, 20))
        self.assertEqual(spreadsheet.parse_date("2022/01/20"), line.date)
