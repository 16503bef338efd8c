# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Real people at the same time: processes with transactions of their own, on a committed copy
of the test database. Money rules hold, nobody is refused who should not be, nothing is lost."""

import base64
import random
import time
from decimal import Decimal

import pytest
from clients import DAY, SET_UP_ACCOUNTING, WORKERS, passed, refusals
from stdnum import luhn

from odoo.addons.ctai_grants.tests.files import PDF

# ------------------------------------------------------------------------------------------
# R1: the ceilings
# ------------------------------------------------------------------------------------------


def test_signing_together_fills_the_envelope_to_the_last_one_that_fits(city):
    """24 subsidies of 10 000.01 for 150 000 from eight processes: 14 fit, 10 are refused."""
    contract, (envelope,) = city.make_contract(150000)
    subsidies = city.make_subsidies(envelope, *[10000.01] * 24)
    answers, start = [], time.monotonic()
    for turn in range(3):
        mine = subsidies[turn * WORKERS : (turn + 1) * WORKERS]
        answers += city.together(
            *[city.request("coordinator", "grant.subsidy", "action_sign", [s]) for s in mine]
        )
    assert len(passed(answers)) == 14
    assert len(refusals(answers)) == 10
    for text in refusals(answers):
        assert "E0" in text, text
    # Queueing on a lock, not failing and sleeping: Odoo tries nothing again.
    assert sum(answer["retries"] for answer in answers) == 0, answers
    assert time.monotonic() - start < 30
    assert city.read("grant.envelope", envelope, "committed_amount") == 140000.14
    states = [city.read("grant.subsidy", subsidy, "state") for subsidy in subsidies]
    assert [states[number] for number in passed(answers)] == ["signed"] * 14
    assert states.count("granted") == 10
    city.verify(contract)


def test_signing_mixed_amounts_never_refuses_what_still_fits(city):
    """Commitments only grow here: who was refused would not fit at the end either."""
    rnd = random.Random(20211021)
    contract, (envelope,) = city.make_contract(100000.37)
    amounts = [Decimal(rnd.randrange(1, 2500000)) / 100 for _number in range(24)]
    subsidies = city.make_subsidies(envelope, *map(float, amounts))
    answers = []
    for turn in range(3):
        mine = subsidies[turn * WORKERS : (turn + 1) * WORKERS]
        answers += city.together(
            *[city.request("coordinator", "grant.subsidy", "action_sign", [s]) for s in mine]
        )
    taken = sum(amounts[number] for number in passed(answers))
    left = Decimal("100000.37") - taken
    assert left >= 0
    assert city.read("grant.envelope", envelope, "committed_amount") == float(taken)
    refused = [amount for n, amount in enumerate(amounts) if n not in passed(answers)]
    assert refused and min(refused) > left
    city.verify(contract)


def test_exactly_what_is_left(city):
    """Eight that fit together to the cent all pass."""
    contract, (envelope,) = city.make_contract(0.08)
    subsidies = city.make_subsidies(envelope, *[0.01] * 8)
    answers = city.together(
        *[city.request("coordinator", "grant.subsidy", "action_sign", [s]) for s in subsidies]
    )
    assert len(passed(answers)) == 8
    assert city.read("grant.envelope", envelope, "available_amount") == 0
    city.verify(contract)


def test_recoveries_entered_together_never_exceed_what_was_paid(city):
    """Eight times 300 out of 1 000 paid: three fit. Then each of them asks for the 100 that are
    left: one gets them."""
    contract, (envelope,) = city.make_contract(10000, path="direct")
    (subsidy,) = city.make_subsidies(envelope, 1000, state="signed")
    (tranche,) = city.make_tranches(subsidy, 1000)
    pay = city.wizard(
        "finance_officer", "grant.disbursement.pay", disbursement_id=tranche, paid_date=DAY
    )
    assert passed(city.together(pay))

    def ask(amount):
        values = [{"subsidy_id": subsidy, "amount": amount}]
        request = city.request("coordinator", "grant.recovery", "create", values)
        return city.together(*[request] * WORKERS)

    answers = ask(300)
    assert len(passed(answers)) == 3 and len(refusals(answers)) == 5, answers
    recoveries = [answers[number]["value"][0] for number in passed(answers)]
    answers = city.together(*[
        city.request("coordinator", "grant.recovery", "write", [recovery], {"amount": 400})
        for recovery in recoveries
    ])  # fmt: skip
    assert len(passed(answers)) == 1, answers
    amounts = [city.read("grant.recovery", recovery, "amount") for recovery in recoveries]
    assert sorted(amounts) == [300, 300, 400]
    city.verify(contract)


def test_the_same_subsidy_is_signed_once(city):
    contract, (envelope,) = city.make_contract(1000)
    (subsidy,) = city.make_subsidies(envelope, 100)
    request = city.request("coordinator", "grant.subsidy", "action_sign", [subsidy])
    answers = city.together(*[request] * WORKERS)
    assert len(passed(answers)) == 1
    assert city.read("grant.subsidy", subsidy, "committed_amount") == 100
    city.verify(contract)


def test_eight_envelopes_do_not_wait_for_each_other(city):
    contract, envelopes = city.make_contract(*[100] * WORKERS)
    subsidies = [city.make_subsidies(envelope, 100)[0] for envelope in envelopes]
    answers = city.together(
        *[city.request("coordinator", "grant.subsidy", "action_sign", [s]) for s in subsidies]
    )
    assert len(passed(answers)) == WORKERS
    city.verify(contract)


def test_direct_payments_of_one_subsidy(city):
    """Two tranches of 600 for 1 000, paid at once: one passes, the other names the ceiling."""
    contract, (envelope,) = city.make_contract(5000, path="direct")
    (subsidy,) = city.make_subsidies(envelope, 1000, state="signed")
    tranches = city.make_tranches(subsidy, 600, 600)
    answers = city.together(
        *[
            city.wizard(
                "finance_officer", "grant.disbursement.pay", disbursement_id=tranche, paid_date=DAY
            )
            for tranche in tranches
        ]
    )
    assert len(passed(answers)) == 1
    assert "E0" in refusals(answers)[0]
    assert city.read("grant.subsidy", subsidy, "paid_amount") == 600
    states = [city.read("grant.disbursement", tranche, "state") for tranche in tranches]
    assert sorted(states) == ["certified", "paid"]
    city.verify(contract)


def test_one_tranche_is_paid_once(city):
    contract, (envelope,) = city.make_contract(5000, path="direct")
    (subsidy,) = city.make_subsidies(envelope, 1000, state="signed")
    (tranche,) = city.make_tranches(subsidy, 100)
    answers = city.together(
        *[
            city.wizard(
                "finance_officer", "grant.disbursement.pay", disbursement_id=tranche, paid_date=DAY
            )
            for _number in range(WORKERS)
        ]
    )
    assert len(passed(answers)) == 1
    assert city.read("grant.subsidy", subsidy, "paid_amount") == 100
    city.verify(contract)


def prepare_to_pay(city, subsidy):
    """Set up the accounting, and give the operator of a subsidy a verified account (invented: no
    bank has code 99999)."""
    city.code(
        SET_UP_ACCOUNTING + f"partner = env['grant.subsidy'].browse({subsidy}).partner_id\n"
        "partner.write({'bank_ids': [(0, 0, {'acc_number': 'FR7699999000010000000000115',\n"
        "                                    'allow_out_payment': True})]})\n"
    )


@pytest.mark.parametrize("kinds", (1, WORKERS))
def test_files_handed_in_at_once(city, kinds):
    """A second click makes no second version; different files are numbered, and none is lost."""
    _contract, (envelope,) = city.make_contract(5000)
    (subsidy,) = city.make_subsidies(envelope, 1000, state="signed")
    (piece,) = city.code(
        f"milestone = env['grant.milestone'].create({{'name': 'M', 'subsidy_id': {subsidy},\n"
        "    'date': '2090-01-01'})\n"
        "out += env['grant.deliverable'].create({'name': 'P', 'milestone_id': milestone.id}).ids"
    )
    answers = city.together(
        *[
            city.wizard(
                "coordinator", "grant.deliverable.submit", deliverable_id=piece, filename="p.pdf",
                file=base64.b64encode(PDF + str(number % kinds).encode()).decode(),
            )
            for number in range(WORKERS)
        ]
    )  # fmt: skip
    assert passed(answers) == list(range(WORKERS)), refusals(answers)
    versions = city.code(
        f"out += env['grant.deliverable'].browse({piece}).version_ids.mapped('number')"
    )
    assert sorted(versions) == list(range(1, kinds + 1))


def test_orders_of_one_subsidy(city):
    """An order moves no counter, and yet two of them do not exceed the commitment."""
    contract, (envelope,) = city.make_contract(5000)
    (subsidy,) = city.make_subsidies(envelope, 1000, state="signed")
    prepare_to_pay(city, subsidy)
    tranches = city.make_tranches(subsidy, 600, 600, 400, 400)
    answers = city.together(
        *[
            city.wizard(
                "finance_officer",
                "grant.disbursement.order",
                disbursement_ids=[[6, 0, [tranche]]],
                order_number=f"M-{tranche}",
            )
            for tranche in tranches
        ]  # fmt: skip
    )
    ordered = [
        amount
        for tranche, amount in zip(tranches, (600, 600, 400, 400), strict=True)
        if city.read("grant.disbursement", tranche, "state") == "ordered"
    ]
    # 600 + 400, 400 + 400: as much as fits, and never more.
    assert sum(ordered) in (1000, 800)
    assert len(ordered) == len(passed(answers)) == 2
    city.verify(contract)


def test_an_extract_uploaded_and_booked_twice(city):
    """Two officers, the same file: it is imported once, and each order is paid once."""
    contract, (envelope,) = city.make_contract(5000)
    (subsidy,) = city.make_subsidies(envelope, 1000, state="signed")
    prepare_to_pay(city, subsidy)
    tranches = city.make_tranches(subsidy, 600, 400)
    for number, tranche in enumerate(tranches):
        order = city.wizard(
            "finance_officer", "grant.disbursement.order",
            disbursement_ids=[[6, 0, [tranche]]], order_number=f"77{number}", order_date=DAY,
        )  # fmt: skip
        assert passed(city.together(order))
    rows = ["NUM_MANDAT;MONTANT_PAIEMENT;DATE_PAIEMENT;IMMATRICULATION"]
    rows += [f"770;600,00;{DAY};", f"771;400,00;{DAY};"]
    file = base64.b64encode("\n".join(rows).encode()).decode()
    uploads = [
        city.wizard(user, "grant.treasury.upload", filename="extrait.csv", file=file)
        for user in ("finance_officer", "finance_manager") * 2
    ]
    answers = city.together(*uploads)
    imports = {answers[number]["value"]["res_id"] for number in passed(answers)}
    assert len(imports) == 1, answers
    assert all("at the same moment" in said for said in refusals(answers)), answers
    book = city.request("finance_officer", "grant.treasury.import", "action_book", [*imports])
    answers = city.together(book, book, *uploads[:1])
    assert len(passed(answers[:2])) == 1, answers
    assert city.read("grant.subsidy", subsidy, "paid_amount") == 1000
    assert city.code(
        f"out.append(env['grant.entry'].search_count([('subsidy_id', '=', {subsidy}),\n"
        "                                               ('kind', '=', 'payment')]))\n"
    ) == [2]
    city.verify(contract)


# ------------------------------------------------------------------------------------------
# Each decision once
# ------------------------------------------------------------------------------------------


def test_put_in_force_once(city):
    contract, envelopes = city.make_contract(100, 200, in_force=False)
    request = city.request("finance_manager", "grant.contract", "action_put_in_force", [contract])
    answers = city.together(*[request] * WORKERS)
    assert len(passed(answers)) == 1
    assert city.read("grant.contract", contract, "allocated_amount") == 300
    city.verify(contract)


def test_receipts(city):
    contract, (envelope,) = city.make_contract(1000)
    city.code(SET_UP_ACCOUNTING)
    (funding,) = city.call(
        "finance_officer", "grant.funding", "create",
        [{"name": "F", "envelope_id": envelope, "amount": 100}],
    )  # fmt: skip
    receive = [
        city.wizard(
            "finance_officer", "grant.funding.receive",
            funding_id=funding, amount=100, received_date=DAY,
        )
        for _number in range(WORKERS)
    ]  # fmt: skip
    assert len(passed(city.together(*receive))) == 1
    assert city.read("grant.envelope", envelope, "received_amount") == 100
    cancel = city.request("finance_manager", "grant.funding", "action_cancel_receipt", [funding])
    assert len(passed(city.together(*[cancel] * WORKERS))) == 1
    assert city.read("grant.envelope", envelope, "received_amount") == 0
    city.verify(contract)


def test_certified_and_cancelled_at_once(city):
    """Either order is possible; the decisions tell which, and the tranche is in their state."""
    contract, (envelope,) = city.make_contract(1000)
    for _turn in range(3):
        (subsidy,) = city.make_subsidies(envelope, 10, state="signed")
        prepare_to_pay(city, subsidy)
        (tranche,) = city.make_tranches(subsidy, 10, certified=False)
        answers = city.together(
            city.request("coordinator", "grant.disbursement", "action_certify", [tranche]),
            city.reason("finance_manager", "grant.disbursement", tranche, "cancel"),
        )
        assert passed(answers), answers
        decisions = city.code(
            f"tranche = env['grant.disbursement'].browse({tranche})\n"
            "out += tranche.decision_ids.sorted('id').mapped('decision')"
        )
        assert city.read("grant.disbursement", tranche, "state") == decisions[-1]
        assert decisions in (["certified"], ["cancelled"], ["certified", "cancelled"])
        assert len(decisions) == len(passed(answers))
    city.verify(contract)


def test_cancelled_and_paid_at_once(city):
    """A subsidy is cancelled while its tranche is paid: money cannot leave a cancelled one."""
    contract, (envelope,) = city.make_contract(1000, path="direct")
    for _turn in range(3):
        (subsidy,) = city.make_subsidies(envelope, 100, state="signed")
        (tranche,) = city.make_tranches(subsidy, 40)
        answers = city.together(
            city.wizard(
                "finance_officer", "grant.disbursement.pay", disbursement_id=tranche, paid_date=DAY
            ),
            city.reason("coordinator", "grant.subsidy", subsidy, "cancel"),
        )
        assert len(passed(answers)) == 1, answers
        state, paid, committed = city.read(
            "grant.subsidy", subsidy, "state", "paid_amount", "committed_amount"
        )
        assert (state, paid, committed) in (("signed", 40, 100), ("cancelled", 0, 0))
    city.verify(contract)


def draft_amendment(city, subsidy, **values):
    """A draft amendment, decided and signed, and the request that applies it."""
    amendment = city.call(
        "coordinator", "grant.amendment", "create", [
            {
                "subsidy_id": subsidy, "reason": "R", "signature_date": DAY,
                "decision_number": "D2", "decision_date": "2021-11-15",
                "executory_date": "2021-11-20", **values,
            }
        ],
    )[0]  # fmt: skip
    file = {"name": "avenant.pdf", "res_model": "grant.amendment", "res_id": amendment}
    file = city.call("coordinator", "ir.attachment", "create", [{**file, "raw": "%PDF-1.4"}])
    city.call(
        "coordinator", "grant.amendment", "write", [amendment], {"attachment_ids": [[6, 0, file]]}
    )
    return amendment, city.request("finance_manager", "grant.amendment", "action_sign", [amendment])


def own_cost(city, envelope, amount):
    (subsidy,) = city.make_subsidies(envelope, amount, state="draft")
    own = {"kind": "own_cost", "partner_id": city.ref("base.main_partner")}
    city.call("coordinator", "grant.subsidy", "write", [subsidy], own)
    city.call("coordinator", "grant.subsidy", "action_grant", [subsidy])
    city.call("coordinator", "grant.subsidy", "action_sign", [subsidy])
    return subsidy


def test_own_costs_booked_together(city):
    """Payroll is posted whoever posts beside; what is counted stops at the commitment."""
    contract, (envelope,) = city.make_contract(1000)
    subsidy = own_cost(city, envelope, 1000)
    amounts = [180, 181, 182, 183, 184, 185, 1000]
    moves = make_payroll(city, envelope, amounts)
    answers = city.together(
        *(city.request("admin", "account.move", "action_post", [move]) for move in moves[:6])
    )
    assert len(passed(answers)) == 6, answers
    paid, not_covered = city.read("grant.subsidy", subsidy, "paid_amount", "not_covered_amount")
    assert (paid, not_covered) == (1000, sum(amounts[:6]) - 1000)
    answers = city.together(
        *(city.request("admin", "account.move", "button_draft", [move]) for move in moves[:6])
    )
    assert len(passed(answers)) == 6, answers
    # What is not covered moves no counter, and yet takes the place of what leaves meanwhile.
    small, large = moves[0], moves[-1]
    for _turn in range(4):
        city.call("admin", "account.move", "action_post", [large])
        answers = city.together(
            city.request("admin", "account.move", "action_post", [small]),
            city.request("admin", "account.move", "button_draft", [large]),
        )
        assert len(passed(answers)) == 2, answers
        assert city.read("grant.subsidy", subsidy, "paid_amount") == amounts[0]
        city.call("admin", "account.move", "button_draft", [small])
    city.verify(contract)


def make_payroll(city, envelope, amounts):
    """Draft entries of so many euros each, on the envelope's analytic account."""
    return city.code(
        SET_UP_ACCOUNTING + "from odoo import Command\n"
        "company = env.company\n"
        f"envelope = env['grant.envelope'].browse({envelope})\n"
        "share = {str(envelope._get_analytic_account().id): 100}\n"
        "pay = company.grant_own_cost_account_ids[0].id\n"
        "other = env['account.account'].search([('account_type', '=', 'liability_current')])[0]\n"
        f"for amount in {amounts}:\n"
        "    out.append(env['account.move'].create({\n"
        "        'move_type': 'entry', 'date': '2021-11-30',\n"
        "        'journal_id': company.grant_payroll_journal_id.id,\n"
        "        'line_ids': [\n"
        "            Command.create({'account_id': pay, 'balance': amount,\n"
        "                            'analytic_distribution': share}),\n"
        "            Command.create({'account_id': other.id, 'balance': -amount}),\n"
        "        ]}).id)\n"
    )


def test_two_amendments_at_once(city):
    """Of one subsidy: the second was drafted against what the first has changed. Of two, when
    the envelope has room for one: the other is told how much is left."""
    contract, (envelope,) = city.make_contract(250)
    first, second = city.make_subsidies(envelope, 100, 100, state="signed")
    drafts = [draft_amendment(city, first, amount=amount)[1] for amount in (110, 105)]
    answers = city.together(*drafts)
    assert len(passed(answers)) == 1, answers
    assert len(refusals(answers)) == 1
    amount, committed = city.read("grant.subsidy", first, "amount", "committed_amount")
    assert amount == committed == (110, 105)[passed(answers)[0]]
    left = 250 - 100 - amount
    drafts = [
        draft_amendment(city, subsidy, amount=wanted + left)[1]
        for subsidy, wanted in ((first, amount), (second, 100))
    ]
    answers = city.together(*drafts)
    assert len(passed(answers)) == 1, answers
    assert "E0" in refusals(answers)[0]
    assert city.read("grant.envelope", envelope, "available_amount") == 0
    city.verify(contract)


def correct(city, model, record, date, user="finance_manager"):
    """The request that corrects the day of a signature."""
    return city.wizard(
        user, "grant.date.correction", res_model=model, res_id=record,
        date_name="signature_date", date=date, reason="Erreur de saisie",
    )  # fmt: skip


def get_committed(city, subsidy):
    """What is committed of a subsidy, by date, where it is not zero."""
    return dict(
        city.code(
            "env.cr.execute('''SELECT date::text, sum(amount)::float FROM grant_entry\n"
            f"    WHERE subsidy_id = {subsidy} AND kind = 'commitment'\n"
            "    GROUP BY date HAVING sum(amount) <> 0 ORDER BY date''')\n"
            "out += env.cr.fetchall()\n"
        )
    )


def test_a_date_corrected_twice_at_once(city):
    """What a signature posted is on one day, whoever corrects it to which."""
    contract, (envelope,) = city.make_contract(1000, path="direct")
    (subsidy,) = city.make_subsidies(envelope, 100, state="signed")
    for days in (("2021-10-27", "2021-10-28"), ("2021-11-03", "2021-11-03")):
        answers = city.together(
            *(
                correct(city, "grant.subsidy", subsidy, day, user)
                for day, user in zip(days, ("finance_manager", "admin"), strict=True)
            )
        )
        # To the same day: for the second one nothing is left to correct.
        assert len(passed(answers)) == len(set(days)), answers
        signed = city.read("grant.subsidy", subsidy, "signature_date")
        assert signed in days
        assert get_committed(city, subsidy) == {signed: 100}
        city.verify(contract)


def test_dates_of_two_documents_corrected_at_once(city):
    """Each correction alone is possible, both together are not."""
    contract, (envelope,) = city.make_contract(1000, path="direct")
    (subsidy,) = city.make_subsidies(envelope, 100, state="signed")
    amendment, sign = draft_amendment(city, subsidy, amount=150, signature_date="2021-11-28")
    assert passed(city.together(sign))
    answers = city.together(
        correct(city, "grant.subsidy", subsidy, "2021-11-26"),
        correct(city, "grant.amendment", amendment, "2021-11-24", "admin"),
    )
    assert len(passed(answers)) == 1, answers
    first = city.read("grant.subsidy", subsidy, "signature_date")
    second = city.read("grant.amendment", amendment, "signature_date")
    assert first < second
    assert get_committed(city, subsidy) == {first: 100, second: 50}
    city.verify(contract)


def test_a_date_corrected_while_a_payment_is_recorded(city):
    """Nothing is paid before the signature, whoever was first."""
    contract, (envelope,) = city.make_contract(1000, path="direct")
    for _turn in range(3):
        (subsidy,) = city.make_subsidies(envelope, 100, state="signed")
        (tranche,) = city.make_tranches(subsidy, 100)
        answers = city.together(
            correct(city, "grant.subsidy", subsidy, "2021-11-20"),
            city.wizard(
                "finance_officer", "grant.disbursement.pay", disbursement_id=tranche,
                paid_date="2021-11-15",
            ),
        )  # fmt: skip
        assert len(passed(answers)) == 1, answers
        signed = city.read("grant.subsidy", subsidy, "signature_date")
        assert signed == ("2021-11-20" if 0 in passed(answers) else "2021-10-25")
        assert get_committed(city, subsidy) == {signed: 100}
        city.verify(contract)


def test_amended_while_a_tranche_is_certified_or_ordered(city):
    """What is certified or ordered does not change any more: whoever comes second is told."""
    contract, (envelope,) = city.make_contract(1000, path="direct")
    for step in ("certify", "pay"):
        (subsidy,) = city.make_subsidies(envelope, 100, state="signed")
        (tranche,) = city.make_tranches(subsidy, 100, certified=step == "pay")
        amendment, sign = draft_amendment(city, subsidy, amount=90)
        (line,) = city.read("grant.amendment", amendment, "tranche_line_ids")
        city.call("coordinator", "grant.amendment.line", "write", [line], {"amount": 90})
        other = (
            city.request("coordinator", "grant.disbursement", "action_certify", [tranche])
            if step == "certify"
            else city.wizard(
                "finance_officer", "grant.disbursement.pay", disbursement_id=tranche, paid_date=DAY
            )
        )
        answers = city.together(sign, other)
        assert passed(answers), answers
        state, amount = city.read("grant.disbursement", tranche, "state", "amount")
        committed = city.read("grant.subsidy", subsidy, "committed_amount")
        assert amount == committed == (90 if 0 in passed(answers) else 100), answers
        assert (state in ("certified", "paid")) == (step == "pay" or 1 in passed(answers))
    city.verify(contract)


def test_reopened_while_the_contract_closes(city):
    """A closed contract has no open subsidy, whoever was first."""
    for _turn in range(3):
        contract, (envelope,) = city.make_contract(100)
        (subsidy,) = city.make_subsidies(envelope, 100, state="signed")
        city.together(city.reason("finance_manager", "grant.subsidy", subsidy, "close"))
        answers = city.together(
            city.request("finance_manager", "grant.subsidy", "action_reopen", [subsidy]),
            city.request("finance_manager", "grant.contract", "action_close", [contract]),
        )
        assert len(passed(answers)) == 1, answers
        states = (
            city.read("grant.contract", contract, "state"),
            city.read("grant.subsidy", subsidy, "state"),
        )
        assert states in (("closed", "closed"), ("in_force", "signed"))
        city.verify(contract)


def test_signed_while_the_contract_goes_back_to_draft(city):
    for _turn in range(3):
        contract, (envelope,) = city.make_contract(100)
        (subsidy,) = city.make_subsidies(envelope, 100)
        answers = city.together(
            city.request("coordinator", "grant.subsidy", "action_sign", [subsidy]),
            city.request("finance_manager", "grant.contract", "action_reset_to_draft", [contract]),
        )
        assert len(passed(answers)) == 1, answers
        city.verify(contract)


# ------------------------------------------------------------------------------------------
# Locks and lost work
# ------------------------------------------------------------------------------------------


def test_two_envelopes_in_crossed_order(city):
    """One request with several envelopes locks them in one order."""
    contract, (first, second) = city.make_contract(1000, 1000)
    requests = []
    for number in range(WORKERS):
        pair = [city.make_subsidies(envelope, 10)[0] for envelope in (first, second)]
        if number % 2:
            pair.reverse()
        requests.append(city.request("coordinator", "grant.subsidy", "action_sign", pair))
    answers = city.together(*requests)
    assert len(passed(answers)) == WORKERS, answers
    assert city.read("grant.contract", contract, "committed_amount") == 160
    city.verify(contract)


def test_crossed_order_by_somebody_elses_code(city):
    """A loop that signs one by one can deadlock: the database ends it, Odoo tries again."""
    contract, (first, second) = city.make_contract(1000, 1000)
    requests = []
    for pair in ((first, second), (second, first)):
        one, two = (city.make_subsidies(envelope, 10)[0] for envelope in pair)
        source = (
            f"env['grant.subsidy'].browse({one}).action_sign()\ntime.sleep(0.3)\n"
            f"env['grant.subsidy'].browse({two}).action_sign()\n"
        )
        requests.append({"uid": city.users["coordinator"], "code": source})
    answers = city.together(*requests)
    assert len(passed(answers)) == 2, answers
    assert sum(answer["retries"] for answer in answers) >= 1, "there was no deadlock to survive"
    assert city.read("grant.contract", contract, "committed_amount") == 40
    city.verify(contract)


SLOW_SIGN = """
env['grant.subsidy'].browse({0}).action_sign()
time.sleep(0.5)
"""


@pytest.mark.parametrize("restartable", [False, True])
def test_inside_a_savepoint(city, restartable):
    """Whoever posts within a savepoint keeps it, whether somebody else posts or not."""
    contract, (envelope,) = city.make_contract(1000)
    slow, inside, alone = city.make_subsidies(envelope, 10, 10, 10)
    guarded = """
env['grant.subsidy'].browse({0}).state
time.sleep(0.1)
with env.cr.savepoint():
    env['grant.subsidy'].browse({0}).action_sign()
env['grant.subsidy'].browse({0}).note = 'after'
"""
    call = {"uid": city.users["coordinator"], "restartable": restartable}
    city.together({**call, "code": guarded.format(alone)})
    answers = city.together(
        {**call, "code": SLOW_SIGN.format(slow)}, {**call, "code": guarded.format(inside)}
    )
    assert len(passed(answers)) == 2, answers
    assert answers[1]["retries"] == (0 if restartable else 1), answers
    for subsidy in (inside, alone):
        state, note = city.read("grant.subsidy", subsidy, "state", "note")
        assert state == "signed" and "after" in note
    city.verify(contract)


def test_asked_at_once(city):
    """Several people ask for new dates at the same moment: one is asked, the others are told."""
    _contract, (envelope,) = city.make_contract(1000)
    (subsidy,) = city.make_subsidies(envelope, 20, state="signed")
    ask = (
        "import datetime\n"
        "user = env.ref('base.user_admin')\n"
        f"subsidy = env['grant.subsidy'].browse({subsidy}).with_user(user).sudo()\n"
        "later = subsidy.date_end + datetime.timedelta(days={number})\n"
        "asks = env['grant.date.request'].with_user(user)\n"
        "out += asks._ask_dates(subsidy, later, 'Retard').ids\n"
    )
    city.code(
        "env.ref('base.user_admin').group_ids = "
        "[(4, env.ref('ctai_grants.group_coordinator').id)]"
    )
    answers = city.together(
        *[{"uid": 1, "code": ask.format(number=number + 1)} for number in range(WORKERS)]
    )
    assert len(passed(answers)) == 1, refusals(answers)
    for answer in answers:
        assert "value" in answer or answer["kind"] in ("LockError", "UserError"), answer
    states = city.code(
        f"out += env['grant.subsidy'].browse({subsidy}).date_request_ids.mapped('state')"
    )
    assert states == ["asked"]


def test_who_comes_while_somebody_changes_a_document_is_told_which(city):
    """Nobody waits for another's screen, and nobody reads of records that cannot be grabbed."""
    _contract, (envelope,) = city.make_contract(1000)
    (subsidy,) = city.make_subsidies(envelope, 20, state="signed")
    held, free = city.make_tranches(subsidy, 10, 10, certified=False)
    hold = f"env['grant.disbursement'].browse({held}).lock_for_update()\ntime.sleep(3)\n"
    cancel = city.wizard(
        "finance_manager", "grant.reason", res_model="grant.disbursement", res_ids=[free, held],
        action="cancel", reason="R",
    )  # fmt: skip
    first, second = city.together({"uid": 1, "code": hold}, {**cancel, "after": 0.3})
    assert "value" in first, first
    assert second["kind"] == "LockError" and second["retries"] == 0, second
    # That one alone.
    name = city.read("grant.disbursement", held, "display_name")
    assert second["refused"].startswith(f"{name}: somebody else is changing it"), second
    assert city.read("grant.disbursement", free, "state") != "cancelled"
    (again,) = city.together(cancel)
    assert "value" in again, again
    assert city.read("grant.disbursement", held, "state") == "cancelled"


def test_a_refusal_in_a_savepoint_leaves_the_rest(city):
    """A batch that goes on after a refusal keeps what it did before and does after."""
    contract, (envelope,) = city.make_contract(100)
    subsidies = city.make_subsidies(envelope, 60, 50, 40)
    source = f"""
from odoo.exceptions import UserError
for subsidy in env['grant.subsidy'].browse({subsidies}):
    try:
        with env.cr.savepoint():
            subsidy.action_sign()
            out.append('signed')
    except UserError:
        out.append('refused')
"""
    (answer,) = city.together({"uid": city.users["coordinator"], "code": source})
    assert answer["value"] == ["signed", "refused", "signed"]
    states = [city.read("grant.subsidy", subsidy, "state") for subsidy in subsidies]
    assert states == ["signed", "granted", "signed"]
    city.verify(contract)


SIGN = "env['grant.subsidy'].browse({0}).action_sign()"
PREPARED = {
    # Not tracked: that would be a hook already.
    "a pending write": "subsidy.with_context(tracking_disable=True).note = 'before'",
    "a write": "subsidy.with_context(tracking_disable=True).note = 'before'\nenv.flush_all()",
    "a lock": "env.cr.execute('SELECT FROM grant_subsidy WHERE id = %s FOR UPDATE', subsidy.ids)",
    "before the commit": "env.cr.precommit.add(lambda: out.append('hook'))",
    "after the commit": "env.cr.postcommit.add(lambda: out.append('hook'))",
    "before a rollback": "env.cr.prerollback.add(lambda: None)",
    "after a rollback": "env.cr.postrollback.add(lambda: None)",
}


@pytest.mark.parametrize("prepared", PREPARED.values(), ids=PREPARED)
def test_what_was_prepared_before_is_kept(city, prepared):
    """The opt-in comes too late: the transaction is Odoo's to try again, from its beginning."""
    contract, (envelope,) = city.make_contract(1000)
    slow, mine = city.make_subsidies(envelope, 10, 10)
    source = f"""
subsidy = env['grant.subsidy'].browse({mine})
{prepared}
time.sleep(0.2)
env['grant.entry']._restartable(subsidy.action_sign)
out.append(len(runs))
"""
    uid = city.users["coordinator"]
    slow_answer, answer = city.together(
        {"uid": uid, "code": SLOW_SIGN.format(slow)}, {"uid": uid, "code": source}
    )
    assert answer["value"] == ([2, "hook"] if "'hook'" in prepared else [2]), answer
    assert answer["retries"] == 1
    state, note = city.read("grant.subsidy", mine, "state", "note")
    assert state == "signed" and ("note" not in prepared or "before" in note)
    city.verify(contract)


def test_the_device_of_a_request_is_kept(city):
    """Odoo writes it before it dispatches the first request of a session: by itself, so that this
    one waits for its turn like any other."""
    contract, (envelope,) = city.make_contract(1000)
    slow, mine = city.make_subsidies(envelope, 10, 10)
    count = "out.append(env['res.device.log'].search_count([]))"
    (before,) = city.code(count)
    sign = city.request("coordinator", "grant.subsidy", "action_sign", [mine])
    answers = city.together(
        {"uid": city.users["coordinator"], "code": SLOW_SIGN.format(slow)},
        {**sign, "after": 0.2, "is_new": True},
    )
    assert len(passed(answers)) == 2, answers
    assert answers[1]["retries"] == 0
    assert city.code(count) == [before + 1]
    city.verify(contract)


@pytest.mark.parametrize(
    "way",
    [
        {"path": "/web/dataset/call_kw/x"}, {"path": "/web/dataset/call_button"}, {"json2": True},
        {"savepoint": True},
    ],
    ids=["call_kw", "call_button", "json2", "another add-on's savepoint around"],
)  # fmt: skip
def test_calls_of_methods_wait_for_their_turn(city, way):
    """Those of the web client and of the API, whatever another add-on does around."""
    contract, (envelope,) = city.make_contract(1000)
    slow, mine = city.make_subsidies(envelope, 10, 10)
    sign = city.request("coordinator", "grant.subsidy", "action_sign", [mine])
    answers = city.together(
        {"uid": city.users["coordinator"], "code": SLOW_SIGN.format(slow)},
        {**sign, **way, "after": 0.2},
    )
    assert len(passed(answers)) == 2, answers
    assert answers[1]["retries"] == 0, "Odoo had to try again"
    assert city.read("grant.subsidy", mine, "state") == "signed"
    city.verify(contract)


def test_a_request_that_reads_first_reads_again(city):
    """It knows nothing of before the wait when it posts, not even in a variable of its own."""
    contract, (envelope,) = city.make_contract(100)
    slow, mine = city.make_subsidies(envelope, 60, 40)
    source = f"""
left = env['grant.envelope'].browse({envelope}).available_amount
time.sleep(0.2)
{SIGN.format(mine)}
out += [left, len(runs)]
"""
    call = {"uid": city.users["coordinator"], "restartable": True}
    slow_answer, answer = city.together(
        {**call, "code": SLOW_SIGN.format(slow)}, {**call, "code": source}
    )
    assert "value" in slow_answer
    assert answer["value"] == [40, 2], answer
    assert answer["retries"] == 0
    city.verify(contract)


def test_a_failure_that_somebody_keeps_to_himself(city):
    """An add-on that goes on after any failure goes on with what it wrote."""
    contract, (envelope,) = city.make_contract(100)
    slow, mine = city.make_subsidies(envelope, 60, 40)
    source = f"""
env['grant.subsidy'].browse({mine}).state
time.sleep(0.2)
try:
    with env.cr.savepoint():
        {SIGN.format(mine)}
except Exception:
    env['grant.subsidy'].browse({mine}).note = 'after'
"""
    call = {"uid": city.users["coordinator"], "restartable": True}
    answers = city.together({**call, "code": SLOW_SIGN.format(slow)}, {**call, "code": source})
    assert len(passed(answers)) == 2, answers
    state, note = city.read("grant.subsidy", mine, "state", "note")
    assert state == "granted" and "after" in note
    city.verify(contract)


def test_an_envelope_that_changes_out_of_turn(city):
    """Somebody who does not queue writes on it again and again: that is for Odoo's retries."""
    contract, (envelope,) = city.make_contract(100)
    (mine,) = city.make_subsidies(envelope, 40)
    source = f"""
env['grant.subsidy'].browse({mine}).state
if len(runs) < 3:
    with env.registry.cursor() as other:
        other.execute("UPDATE grant_envelope SET note = now() WHERE id = {envelope}")
{SIGN.format(mine)}
out.append(len(runs))
"""
    (answer,) = city.together(
        {"uid": city.users["coordinator"], "restartable": True, "code": source}
    )
    assert answer["value"] == [3], answer
    assert answer["retries"] == 1
    city.verify(contract)


def test_a_wait_that_fails_leaves_no_lock(city):
    """The connection goes back to Odoo's pool: a lock left on it would block posting for ever."""
    contract, envelopes = city.make_contract(100, 100, in_force=False)
    hold = f"""
env.cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", [0x4752, {max(envelopes)}])
time.sleep(0.6)
env.cr.execute("SELECT pg_cancel_backend(pid) FROM pg_locks "
               "WHERE locktype = 'advisory' AND NOT granted")
time.sleep(0.2)
"""
    impatient = f"""
import psycopg2
time.sleep(0.3)
try:
    env['grant.entry']._restart({sorted(envelopes)})
except psycopg2.errors.QueryCanceled:
    out.append('waited')
env.cr.execute('''SELECT count(*) FROM pg_locks
                   WHERE locktype = 'advisory' AND pid = pg_backend_pid()''')
out.append(env.cr.fetchone()[0])
"""
    answers = city.together(
        {"uid": 1, "code": hold}, {"uid": city.users["finance_manager"], "code": impatient}
    )
    assert answers[1]["value"] == ["waited", 0], answers
    city.call("finance_manager", "grant.contract", "action_put_in_force", [contract])
    city.verify(contract)


def test_no_lock_is_left_at_all(city):
    """After all the races of this module: nothing on any connection of any process."""
    left = city.code(
        "env.cr.execute('''SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'\n"
        "    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())''')\n"
        "out.append(env.cr.fetchone()[0])"
    )
    assert left == [0]


def test_server_actions_and_scheduled_ones(city):
    """Configured by an administrator, far from our own dispatch: they post, or change nothing."""
    contract, (envelope,) = city.make_contract(1000)
    slow, mine, scheduled = city.make_subsidies(envelope, 10, 10, 10)
    model = city.ref("ctai_grants.model_grant_subsidy")
    action = city.call("admin", "ir.actions.server", "create", [
        {"name": "Sign", "model_id": model, "state": "code", "code": "records.action_sign()"}
    ])[0]  # fmt: skip
    button = city.request("admin", "ir.actions.server", "run", [action])
    button["kwargs"] = {
        "context": {"active_model": "grant.subsidy", "active_ids": [mine], "active_id": mine}
    }
    answers = city.together(
        {"uid": city.users["coordinator"], "code": SLOW_SIGN.format(slow)}, button
    )
    assert len(passed(answers)) == 2, answers
    assert city.read("grant.subsidy", mine, "state") == "signed"
    cron = city.call("admin", "ir.cron", "create", [
        {
            "name": "Sign", "model_id": model, "state": "code", "interval_type": "days",
            "code": f"env['grant.subsidy'].browse({scheduled}).action_sign()",
        }
    ])[0]  # fmt: skip
    city.call("admin", "ir.cron", "method_direct_trigger", [cron])
    assert city.read("grant.subsidy", scheduled, "state") == "signed"
    assert city.read("grant.envelope", envelope, "committed_amount") == 30
    city.verify(contract)


def test_imports_and_edits_meanwhile(city):
    """Drafts imported into the envelope and notes written on it make no signature fail."""
    contract, (envelope,) = city.make_contract(1000)
    subsidies = city.make_subsidies(envelope, *[10] * 5)
    operator = city.make_partner("operator")
    header = ["name", "envelope_id/.id", "partner_id/.id", "amount"]
    rows = [[f"Import {n}", str(envelope), str(operator), "5"] for n in range(20)]
    answers = city.together(
        *[city.request("coordinator", "grant.subsidy", "action_sign", [s]) for s in subsidies],
        city.request("coordinator", "grant.subsidy", "load", header, rows),
        city.request("coordinator", "grant.subsidy", "load", header, rows),
        city.request("coordinator", "grant.envelope", "write", [envelope], {"note": "Vu"}),
    )
    assert len(passed(answers)) == WORKERS, answers
    for answer in answers[5:7]:
        assert len(answer["value"]["ids"]) == 20, answer
    assert city.read("grant.envelope", envelope, "note") == "Vu"
    assert city.read("grant.envelope", envelope, "committed_amount") == 50
    city.verify(contract)


# ------------------------------------------------------------------------------------------
# One body has one record
# ------------------------------------------------------------------------------------------


def enter(city, **values):
    partner = {"is_company": True, "grant_role": "operator", **values}
    return city.request("admin", "res.partner", "create", [partner])


@pytest.mark.parametrize("number", ["company_registry", "rna"])
def test_one_body_entered_together(city, number):
    """Eight people enter the same association at the same moment: one record, and the others are
    told whose number it is."""
    value = city.make_siret() if number == "company_registry" else f"W86{next(city.numbers):07d}"
    answers = city.together(*[enter(city, name=f"N{n}", **{number: value}) for n in range(WORKERS)])
    (winner,) = passed(answers)
    assert len(refusals(answers)) == WORKERS - 1
    for text in refusals(answers):
        assert value in text and f"“N{winner}”" in text, text


def test_two_records_get_one_number_together(city):
    """Of two records that are there, both are given the SIRET: by an edit."""
    partners = [city.make_partner("operator") for _number in range(2)]
    values = {"company_registry": city.make_siret()}
    answers = city.together(
        *[city.request("admin", "res.partner", "write", [p], values) for p in partners]
    )
    assert len(passed(answers)) == 1, answers


def test_establishments_entered_together(city):
    """Establishments of one SIREN are records of their own, and so are other bodies: none is
    refused."""
    siren = city.make_siret()[:9]
    sirets = []
    for nic in range(1, WORKERS):
        number = f"{siren}{nic:04d}"
        sirets.append(number + luhn.calc_check_digit(number))
    sirets.append(city.make_siret())
    answers = city.together(*[enter(city, name=s, company_registry=s) for s in sirets])
    assert len(passed(answers)) == WORKERS, answers


# ------------------------------------------------------------------------------------------
# What leaves the database each day
# ------------------------------------------------------------------------------------------


def send_heads(folder, again=False):
    """The text of the hourly action, with a folder in Odoo's configuration; also when the heads
    have left today."""
    return (
        "from odoo.tools import config\n"
        f"config.options['grants_heads_dir'] = {str(folder)!r}\n"
        "receivers = env['grant.heads.receiver']\n"
        f"for receiver in receivers.search([]) if {again} else ():\n"
        "    receiver._transition(sent_day='2021-01-01')\n"
        "    env.cr.commit()\n"
        "receivers._cron_send()\n"
    )


def test_the_heads_leave_once_whoever_sends_them(city, tmp_path):
    city.make_contract(10)
    city.code(send_heads(tmp_path))
    (path,) = tmp_path.glob("*.csv")
    path.unlink()
    city.code("env['grant.heads.receiver'].search([])._transition(sent_day='2021-01-01')")
    city.together(*[{"uid": 1, "code": send_heads(tmp_path)}] * WORKERS)
    lines = path.read_text().splitlines()
    assert lines[0] == "chain,number,head,time"
    chains = [line.split(",")[0] for line in lines[1:]]
    assert chains and sorted(chains) == sorted(set(chains))


def test_heads_that_leave_while_others_post(city, tmp_path):
    """Each of them is a hash of the ledger, then and afterwards."""
    contract, (envelope,) = city.make_contract(1000)
    subsidies = city.make_subsidies(envelope, *[1] * 30)
    send = {"uid": 1, "code": send_heads(tmp_path, again=True)}
    for turn in range(5):
        mine = subsidies[turn * 6 : turn * 6 + 6]
        requests = [city.request("coordinator", "grant.subsidy", "action_sign", [s]) for s in mine]
        assert len(passed(city.together(send, *requests))) == 7
    city.code(send["code"])
    (path,) = tmp_path.glob("*.csv")
    heads = [line for line in path.read_text().splitlines() if f"envelope {envelope} " in line]
    assert len(heads) == 6 and ",31," in heads[-1]
    assert not city.code(
        f"with open({str(path)!r}, 'rb') as stream:\n"
        "    difference, told = env['grant.entry']._verify_against(stream, 'heads')\n"
        "out += filter(None, [difference])\n"
    )
    city.verify(contract)
