# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Play the contract's year through the methods the buttons call, as who would press them."""

import base64
import csv
import datetime
import io
from contextlib import contextmanager

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time

from . import Refused, accounts, asks, figures, hand_ins, people, reports, review, statements

DAY = datetime.date.fromisoformat
INVENTED = "Montant inventé pour la démonstration"


def run(env):
    """Play the year once; do nothing when the contract is in force already.

    :raise Refused: the contract is not loaded
    """
    contract = env.ref("poitiers_2021.contract", raise_if_not_found=False)
    if not contract:
        raise Refused("The contract is not loaded: nothing can be played.")
    if contract.state != "draft":
        print("The year is played already.")
        return
    # Activities are left as they would be, but nobody is written to about the past.
    env = env(context={**env.context, "mail_activity_quick_update": True})
    Year(env).play(contract.with_env(env))


def make_pdf(title, *lines):
    """A page that says it is a demonstration; the same title gives the same bytes."""
    from reportlab.pdfgen.canvas import Canvas

    stream = io.BytesIO()
    page = Canvas(stream, pagesize=(595, 842), invariant=1)
    page.setTitle(f"Document de démonstration : {title}")
    page.setFont("Helvetica-Bold", 18)
    page.drawString(60, 760, "Document de démonstration")
    page.setFont("Helvetica", 12)
    page.drawString(60, 730, title)
    page.drawString(60, 710, "Contenu inventé : ce document ne prouve rien.")
    for number, line in enumerate(lines):
        page.drawString(60, 670 - 20 * number, line)
    page.save()
    return stream.getvalue()


def make_extract(siret, rows, day):
    """What the treasury's accounting says it paid of a city's orders, in its own columns."""
    stream = io.StringIO()
    sheet = csv.writer(stream, delimiter=";")
    sheet.writerow((
        "CODE_INSEE_BC", "COLLEC", "TYPE MANDAT", "DATE_EMISSION", "NUM_MANDAT", "NUMERO_LIGNE",
        "OBJET_MANDAT", "MONTANT_PAIEMENT", "DATE_PAIEMENT", "NOM", "TYPE_IMMATRICULATION",
        "IMMATRICULATION",
    ))  # fmt: skip
    for number, amount, name, party in rows:
        sheet.writerow((
            siret, "VILLE", "1-Mandat(s) ordinaire(s)", f"{day - datetime.timedelta(8):%d/%m/%Y}",
            number, 1, "Démonstration", f"{amount:.2f}".replace(".", ","), f"{day:%d/%m/%Y}",
            name, "SIRET", party,
        ))  # fmt: skip
    return stream.getvalue().encode("utf-8-sig")


def make_csv(title):
    """Counts, as an operator exports them from its spreadsheet: semicolons and a mark."""
    stream = io.StringIO()
    sheet = csv.writer(stream, delimiter=";")
    sheet.writerow(["Document de démonstration", title])
    sheet.writerow(["indicateur (inventé)", "valeur (inventée)"])
    sheet.writerows([["Personnes accompagnées", 14], ["dont femmes", 6], ["Séances", 22]])
    return stream.getvalue().encode("utf-8-sig")


class Year:
    """The people of the contract, and what each does in turn."""

    def __init__(self, env):
        self.env = env
        self.coordinator = env.ref("ctai_grants.user_coordinator")
        self.officer = env.ref("ctai_grants.user_finance_officer")
        self.manager = env.ref("ctai_grants.user_finance_manager")
        self.administrator = env.ref("ctai_grants.user_administrator")

    def play(self, contract):
        """From the signature to the end of 2022: most is done, something is left to everyone."""
        print("Contract in force, State money")
        contract.with_user(self.manager).action_put_in_force()
        self._claim(self.env.ref("poitiers_2021.funding_1"), DAY("2021-10-25"))
        self._receive(self.env.ref("poitiers_2021.funding_1"), DAY("2021-11-22"))
        self._claim(self.env.ref("poitiers_2021.funding_2"), DAY("2022-07-05"))
        print("Subsidies granted and signed")
        reports.set_budgets(self.env)
        for name in (
            "coordination",
            "coallia",
            "audacia",
            "indigo_formation",
            "astre_en_moi",
            "ufolep_vienne",
            "beaulieu",
            "toit_du_monde",
        ):
            self._sign(name)
        figures.tell(self)
        print("Pieces, orders and payments; the coordinator's pay")
        self._play_coordination()
        self._play_first_batch("indigo_formation", "astre_en_moi", "ufolep_vienne")
        self._play_coallia()
        self._play_audacia()
        self._play_indigo_formation()
        self._play_astre_en_moi()
        self._play_ufolep_vienne()
        self._play_beaulieu()
        self._play_toit_du_monde()
        reports.play(self)
        people.play(self)
        print("What operators ask for")
        asks.play(self)
        people.warn(self)
        print("What the city lends")
        accounts.play(self)
        hand_ins.read_ribs(self)
        financial = self._get_piece(self._get_subsidy("coallia"), "financial_report")
        hand_ins.begin_draft(self, financial, make_pdf)
        print("Prolongations asked for 2022")
        self._get_subsidy("ufolep_2022").with_user(self.coordinator).action_grant()
        # The second add-on may not be there.
        if "grant.statement" in self.env:
            print("Statements to the prefecture")
            statements.play(self, contract)
        print("Evaluations, annual review")
        review.play(self)

    # --- who does what ----------------------------------------------------------------------

    def _play_coordination(self):
        """The coordinator's pay, imported from payroll each month and posted."""
        subsidy = self._get_subsidy("coordination")
        for month in range(13):
            day = DAY("2021-10-31") + relativedelta(months=month, day=31)
            self._import_payroll(subsidy, min(day, subsidy.date_end))

    def _import_payroll(self, subsidy, day):
        rows = (
            "641100;Rémunération (inventée);2 600,00;",
            "645100;Cotisations (inventées);780,00;",
            "421000;Net à payer (inventé);;2 080,00",
            "431000;Organismes (inventés);;1 300,00",
        )
        content = "\n".join(("Compte;Libellé;Débit;Crédit", *rows, "")).encode("cp1252")
        action = self._wizard(
            "grant.payroll.import",
            self.officer,
            subsidy_id=subsidy.id,
            date=day,
            filename=f"paie-{day:%Y-%m}-demo.csv",
            # The month in the file, so that no two are the same.
            file=base64.b64encode(content + f";Paie de {day:%m/%Y};;\n".encode("cp1252")),
        )
        self.env["account.move"].browse(action["res_id"]).with_user(self.officer).action_post()

    def _play_coallia(self):
        """Two tranches paid; the financial report was sent back: the balance is blocked."""
        advance, interim, balance = self._get_subsidy("coallia").disbursement_ids
        self._settle(advance.deliverable_ids)
        self._pay(advance, DAY("2021-11-30"))
        self._settle(interim.deliverable_ids)
        self._pay(interim, DAY("2022-06-03"))
        financial = self._get_piece(balance, "financial_report")
        self._settle(balance.deliverable_ids - financial)
        self._hand_in(financial)
        self._send_back(
            financial, "Le total des charges diffère des pièces : joignez l'annexe 3 signée."
        )

    def _play_audacia(self):
        """The advance is paid, the interim payment to certify, after a file with a virus; the last
        pieces wait for review."""
        advance, interim, balance = self._get_subsidy("audacia").disbursement_ids
        self._settle(advance.deliverable_ids)
        self._pay(advance, DAY("2021-12-07"))
        hand_ins.hand_in_infected(self, interim.deliverable_ids)
        self._hand_in(interim.deliverable_ids, "Bilan au 30 avril, en nombres.", make_csv)
        self._accept(interim.deliverable_ids)
        for piece in balance.deliverable_ids - self._get_piece(balance, "financial_report"):
            self._hand_in(piece)

    def _play_first_batch(self, *names):
        """The advances of three operators, ordered together; the treasury says what it paid."""
        advances = self.env["grant.disbursement"]
        for name in names:
            advances |= self._get_subsidy(name).disbursement_ids[0]
        self._settle(advances.deliverable_ids)
        self._order(advances, DAY("2021-12-06"))
        rows = [
            (tranche.order_number, tranche.amount, tranche.partner_id.name,
             tranche.partner_id.company_registry)
            for tranche in advances
        ] + [("9004", 1234.5, "Fournisseur inventé", "00000009900019")]  # fmt: skip
        content = make_extract(self.env.company.company_registry, rows, DAY("2021-12-14"))
        action = self._wizard(
            "grant.treasury.upload",
            self.officer,
            filename="extrait-helios-demo.csv",
            file=base64.b64encode(content),
        )
        extract = self.env[action["res_model"]].browse(action["res_id"])
        extract.with_user(self.officer).action_book()

    def _play_indigo_formation(self):
        """Less was spent than planned: a part is paid back, by the book, and all is closed."""
        subsidy = self._get_subsidy("indigo_formation")
        interim, balance = subsidy.disbursement_ids[1:]
        self._settle(interim.deliverable_ids)
        self._pay(interim, DAY("2022-06-21"))
        self._settle(balance.deliverable_ids)
        with freeze_time("2022-09-12"):
            # Typed off the operator's paper by one, accepted by another.
            report = self.env["grant.financial.report"].with_user(self.administrator).create(
                {
                    "subsidy_id": subsidy.id,
                    "exercise_start": subsidy.date_start,
                    "exercise_end": subsidy.date_end,
                    "budget_amount": 24000,
                    "actual_amount": 13500,
                    "eligible_amount": 13500,
                    "version_id": self._get_piece(
                        balance, "financial_report"
                    ).last_version_id.id,
                    "note": INVENTED,
                }
            )
            report.with_user(self.coordinator).action_accept()
        self._play_recovery(subsidy.recovery_ids)
        with freeze_time("2022-12-05"):
            self._ask(
                subsidy, "close", "Le trop-perçu est reversé, toutes les pièces sont acceptées."
            )

    def _play_recovery(self, recovery):
        """The operator is heard before anything is decided: each step on its day."""
        recovery = recovery.with_user(self.officer)
        with freeze_time("2022-09-19"):
            recovery.action_write_letter()
        steps = (
            ("2022-09-26", "notify", self.officer, {}),
            ("2022-10-17", "decide", self.manager, {
                "reason": "Les dépenses justifiées sont inférieures à la somme versée ; "
                "l'association ne conteste pas le montant (démonstration)."
            }),
            ("2022-10-24", "claim", self.officer, {}),
            ("2022-11-21", "collect", self.officer, {"reference": "DEMO-REV-0001"}),
        )  # fmt: skip
        for day, step, user, values in steps:
            if step == "decide":
                people.answer(self, recovery)
            with freeze_time(day):
                self._wizard(
                    "grant.recovery.step",
                    user,
                    recovery_id=recovery.id,
                    step=step,
                    date=DAY(day),
                    **values,
                )

    def _play_astre_en_moi(self):
        """The financial report is late: never handed in."""
        interim, balance = self._get_subsidy("astre_en_moi").disbursement_ids[1:]
        self._settle(interim.deliverable_ids)
        self._pay(interim, DAY("2022-06-14"))
        self._settle(balance.deliverable_ids - self._get_piece(balance, "financial_report"))

    def _play_ufolep_vienne(self):
        """The interim report passed at the second try: certified, finance has to order it."""
        subsidy = self._get_subsidy("ufolep_vienne")
        interim, balance = subsidy.disbursement_ids[1:]
        report = interim.deliverable_ids
        self._hand_in(report)
        self._send_back(report, "Il manque le nombre de séances par quartier.")
        self._hand_in(report, "Avec les séances par quartier.", make_pdf, make_csv)
        self._accept(report)
        self._certify(interim, DAY("2022-05-16"))
        self._prolong(subsidy, balance)

    def _prolong(self, subsidy, balance):
        """An amendment gives the operator until the end of 2022."""
        action = subsidy.with_user(self.coordinator).action_amend()
        amendment = self.env[action["res_model"]].browse(action["res_id"])
        amendment = amendment.with_user(self.coordinator)
        title = f"Avenant 1 à la convention {subsidy.convention_reference} (démo)"
        file = amendment.env["ir.attachment"].create(
            {
                "name": f"{title}.pdf",
                "raw": make_pdf(title),
                "res_model": amendment._name,
                "res_id": amendment.id,
            }
        )
        amendment.write(
            {
                "date_end": "2022-12-31",
                "reason": "Les séances annulées cet hiver auront lieu à l'automne (inventé).",
                "decision_number": "DEMO-2022-020",
                "decision_date": "2022-05-30",
                "executory_date": "2022-06-07",
                "signature_date": "2022-06-13",
                "attachment_ids": file.ids,
            }
        )
        lines = amendment.tranche_line_ids | amendment.milestone_line_ids
        for line in lines.filtered(lambda line: line.date and line.date >= subsidy.date_end):
            line.date += relativedelta(months=6)
        amendment.with_user(self.manager).action_sign()

    def _play_beaulieu(self):
        """One payment, ordered and not paid yet."""
        subsidy = self._get_subsidy("beaulieu")
        self._settle(subsidy.disbursement_ids.deliverable_ids)
        self._order(subsidy.disbursement_ids, DAY("2022-01-11"))
        self._settle(self._get_piece(subsidy, "financial_report"))

    def _play_toit_du_monde(self):
        """The State pays: the city records what the State declares."""
        advance, interim, balance = self._get_subsidy("toit_du_monde").disbursement_ids
        bank = self._get_piece(advance, "bank_details")
        self._ask(bank, "waive", "L'État paie directement l'association : il a son RIB.")
        self._settle(advance.deliverable_ids - bank)
        self._pay(advance, DAY("2021-12-02"))
        self._settle(interim.deliverable_ids)
        self._pay(interim, DAY("2022-06-15"))
        financial = self._get_piece(balance, "financial_report")
        self._settle(balance.deliverable_ids - financial)

    # --- the steps --------------------------------------------------------------------------

    def _get_subsidy(self, name):
        return self.env.ref(f"poitiers_2021.subsidy_{name}")

    def _get_piece(self, document, name):
        """The piece of that type that a tranche waits for, or a subsidy."""
        wanted = self.env.ref(f"ctai_grants.deliverable_type_{name}")
        return document.deliverable_ids.filtered(lambda piece: piece.type_id == wanted)

    def _sign(self, name):
        subsidy = self._get_subsidy(name).with_user(self.coordinator)
        subsidy.action_grant()
        figures.plan(self.env, name, subsidy)
        if subsidy.template_id:
            subsidy.action_apply_template()
            subsidy.disbursement_ids.note = INVENTED
        subsidy.action_sign()
        if subsidy.kind == "operator":
            self._share_convention(subsidy)

    def _share_convention(self, subsidy):
        """The convention, for the operator to download in its portal."""
        title = f"Convention {subsidy.convention_reference or subsidy.code} (démo)"
        values = {"res_model": subsidy._name, "res_id": subsidy.id, "name": f"{title}.pdf"}
        file = subsidy.env["ir.attachment"].create({**values, "raw": make_pdf(title)})
        subsidy.operator_file_ids = file

    def _claim(self, funding, date):
        self._wizard("grant.funding.claim", self.officer, funding_ids=funding.ids, claim_date=date)

    def _receive(self, funding, date):
        self._wizard(
            "grant.funding.receive",
            self.officer,
            funding_id=funding.id,
            received_date=date,
            reference="DEMO-EJ-0001",
        )

    def _get_operator(self, partner):
        return self.env["res.users"].search(
            [("partner_id.parent_id", "=", partner.id), ("share", "=", True)], limit=1
        )

    def _hand_in(self, piece, comment=None, *makers):
        """As the operator does on the portal, on its day."""
        with self._at_day_of(piece):
            self._submit(piece, comment, *makers)

    def _submit(self, piece, comment=None, *makers):
        """Hand in: the operator must be able to see the piece."""
        operator = self._get_operator(piece.partner_id)
        piece = piece.with_user(operator)
        piece.check_access("read")
        title = f"{piece.name}, {operator.partner_id.parent_id.name}"
        if piece.sudo().type_id == self.env.ref("ctai_grants.deliverable_type_bank_details"):
            account = hand_ins.get_iban(self, operator.partner_id.parent_id)
            files = [(f"{piece.name} (démo).pdf", make_pdf(title, f"IBAN (inventé) : {account}"))]
        else:
            files = [
                (f"{piece.name} (démo).{make.__name__.removeprefix('make_')}", make(title))
                for make in makers or (make_pdf,)
            ]
        piece._do_submit_files(files, comment)

    def _accept(self, piece):
        with self._at_day_of(piece, 3):
            piece.with_user(self.coordinator).action_accept()

    def _send_back(self, piece, reason):
        with self._at_day_of(piece, 3):
            self._ask(piece, "send_back", reason)

    @contextmanager
    def _at_day_of(self, piece, later=0):
        """The day that a piece is handed in: a week before it is due, and the last ones in summer
        2022, as the actions end in June; a second try comes ten days after the first."""
        tries = len(piece.sudo().version_ids) - bool(later)
        day = min(piece.sudo().due_date - datetime.timedelta(7), DAY("2022-07-11"))
        # A convention is not handed in before it is signed.
        day = max(day, piece.sudo().subsidy_id.signature_date)
        days = datetime.timedelta(10 * tries + later)
        with freeze_time(datetime.datetime.combine(day + days, datetime.time(9, 30))):
            yield
            # What the documents' histories say of it is written at the end of a transaction.
            self.env.flush_all()
            self.env.cr.precommit.run()

    def _settle(self, pieces):
        """Each piece is handed in and accepted."""
        for piece in pieces:
            self._hand_in(piece)
            self._accept(piece)

    def _order(self, tranches, date):
        """Order in one batch, numbered after the last one of the year."""
        self._certify(tranches, date)
        batches = self.env["grant.order.batch"]
        number = batches._get_next_order_number(tranches.company_id, date.year)
        self._wizard(
            "grant.disbursement.order",
            self.officer,
            disbursement_ids=tranches.ids,
            order_number=number,
            order_date=date,
        )

    def _certify(self, tranches, date):
        """The work is certified on the day of the order: never after it."""
        with freeze_time(date):
            tranches.with_user(self.coordinator).action_certify()

    def _pay(self, tranche, date):
        if tranche.payment_path == "direct":
            self._certify(tranche, date)
        else:
            self._order(tranche, date - datetime.timedelta(days=8))
        self._wizard(
            "grant.disbursement.pay",
            self.officer,
            disbursement_id=tranche.id,
            paid_date=date,
            payment_reference=f"DEMO-PAI-{date:%Y%m%d}",
        )

    def _wizard(self, model, user, **values):
        return self.env[model].with_user(user).create(values).action_confirm()

    def _ask(self, document, action, reason):
        user = self.manager if action == "close" else self.coordinator
        self._wizard(
            "grant.reason",
            user,
            res_model=document._name,
            res_ids=document.ids,
            action=action,
            reason=reason,
        )
