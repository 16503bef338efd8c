# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Play the contract's year through the methods the buttons call, as who would press them."""

import datetime

DAY = datetime.date.fromisoformat

DOCUMENT = """%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R
/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length {length}>>stream
{text}
endstream endobj
trailer<</Root 1 0 R>>
%%EOF
"""


def run(env):
    """Play the year once; do nothing when the contract is in force already."""
    contract = env.ref("poitiers_2021.contract")
    if contract.state != "draft":
        print("The year is played already.")
        return
    Year(env).play(contract)


def make_document(title):
    """A one-page PDF that says it is a demonstration."""
    text = f"BT /F1 14 Tf 60 760 Td (Document de demonstration : {title}) Tj ET"
    text = text.encode("ascii", "replace").decode()
    return DOCUMENT.format(length=len(text), text=text).encode("ascii")


class Year:
    """The people of the contract, and what each does in turn."""

    def __init__(self, env):
        self.env = env
        self.coordinator = env.ref("ctai_grants.user_coordinator")
        self.officer = env.ref("ctai_grants.user_finance_officer")
        self.manager = env.ref("ctai_grants.user_finance_manager")
        self.orders = 0

    def play(self, contract):
        """From the signature to the state of a contract in its second year."""
        print("Contract in force, State money")
        contract.with_user(self.manager).action_put_in_force()
        self._receive(self.env.ref("poitiers_2021.funding_1"), DAY("2021-11-22"))
        self.env.ref("poitiers_2021.funding_2").with_user(self.officer).action_claim()
        print("Subsidies granted and signed")
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
            self._sign(self._get_subsidy(name))
        self._get_subsidy("ufolep_2022").with_user(self.coordinator).action_grant()
        print("Pieces and payments")
        self._play_coordination()
        self._play_coallia()
        self._play_audacia()
        self._play_indigo_formation()
        self._play_small_operators()
        self._play_toit_du_monde()

    # --- who does what ----------------------------------------------------------------------

    def _play_coordination(self):
        costs = self._get_subsidy("coordination").disbursement_ids
        self._pay(costs[0], DAY("2021-12-31"))
        self._pay(costs[1], DAY("2022-03-31"))

    def _play_coallia(self):
        """Two tranches paid; the financial report was sent back: the balance is blocked."""
        subsidy = self._get_subsidy("coallia")
        advance, interim, balance = subsidy.disbursement_ids
        self._hand_in_conditions(advance)
        self._pay(advance, DAY("2021-11-30"))
        self._hand_in_conditions(interim)
        self._pay(interim, DAY("2022-06-03"))
        activity, financial = balance.deliverable_ids.sorted("id")
        self._hand_in(activity)
        activity.with_user(self.coordinator).action_accept()
        self._hand_in(financial)
        self._ask(
            financial,
            "send_back",
            "Le total des charges ne correspond pas aux pièces : joignez l'annexe 3 signée.",
        )

    def _play_audacia(self):
        """The advance is paid, the interim report waits for its review."""
        advance, interim = self._get_subsidy("audacia").disbursement_ids[:2]
        self._hand_in_conditions(advance)
        self._pay(advance, DAY("2021-12-07"))
        for piece in interim.deliverable_ids:
            self._hand_in(piece, "Bilan au 30 avril, en nombres.")

    def _play_indigo_formation(self):
        """Everything done: all paid, the subsidy closed."""
        subsidy = self._get_subsidy("indigo_formation")
        dates = (DAY("2021-12-14"), DAY("2022-06-21"), DAY("2023-07-18"))
        for tranche, date in zip(subsidy.disbursement_ids, dates, strict=True):
            self._hand_in_conditions(tranche)
            self._pay(tranche, date)
        self._ask(subsidy, "close", "Toutes les pièces sont acceptées et les tranches versées.")

    def _play_small_operators(self):
        """One late piece, one tranche to order, one order not paid yet."""
        late = self._get_subsidy("astre_en_moi").disbursement_ids[0]
        self._hand_in_conditions(late)
        self._pay(late, DAY("2021-12-14"))
        advance, interim = self._get_subsidy("ufolep_vienne").disbursement_ids[:2]
        self._hand_in_conditions(advance)
        self._pay(advance, DAY("2021-12-14"))
        self._hand_in_conditions(interim)
        interim.with_user(self.coordinator).action_certify()
        single = self._get_subsidy("beaulieu").disbursement_ids
        self._hand_in_conditions(single)
        self._order(single, DAY("2022-01-11"))

    def _play_toit_du_monde(self):
        """The State pays: the city records what the State declares."""
        advance, interim = self._get_subsidy("toit_du_monde").disbursement_ids[:2]
        bank, convention = advance.deliverable_ids.sorted("id")
        self._ask(bank, "waive", "L'État paie directement l'association : il a son RIB.")
        self._hand_in(convention)
        convention.with_user(self.coordinator).action_accept()
        self._pay(advance, DAY("2021-12-02"))
        self._hand_in_conditions(interim)
        self._pay(interim, DAY("2022-06-15"))

    # --- the steps --------------------------------------------------------------------------

    def _get_subsidy(self, name):
        return self.env.ref(f"poitiers_2021.subsidy_{name}")

    def _sign(self, subsidy):
        subsidy = subsidy.with_user(self.coordinator)
        subsidy.action_grant()
        if subsidy.template_id:
            subsidy.action_apply_template()
        subsidy.action_sign()

    def _receive(self, funding, date):
        funding.with_user(self.officer).action_claim()
        self._wizard(
            "grant.funding.receive",
            self.officer,
            funding_id=funding.id,
            received_date=date,
            reference="DEMO-EJ-0001",
        )

    def _hand_in(self, piece, comment=None):
        """As the operator does on the portal: it must be able to see the piece."""
        operator = self.env["res.users"].search(
            [("partner_id.parent_id", "=", piece.partner_id.id), ("share", "=", True)], limit=1
        )
        piece = piece.with_user(operator)
        piece.check_access("read")
        piece._do_submit(f"{piece.name}.pdf", make_document(piece.name), comment)

    def _hand_in_conditions(self, tranche):
        for piece in tranche.deliverable_ids:
            self._hand_in(piece)
            piece.with_user(self.coordinator).action_accept()

    def _order(self, tranche, date):
        tranche.with_user(self.coordinator).action_certify()
        self.orders += 1
        self._wizard(
            "grant.disbursement.order",
            self.officer,
            disbursement_id=tranche.id,
            order_number=f"DEMO-{self.orders:04d}",
            order_date=date,
        )

    def _pay(self, tranche, date):
        if tranche.payment_path == "direct":
            tranche.with_user(self.coordinator).action_certify()
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
        self.env[model].with_user(user).create(values).action_confirm()

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
