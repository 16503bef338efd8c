# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Statements that are issued twice at once: one is, the other is told; nothing is half issued."""

from clients import passed, refusals


def make_drafts(city, contract, count):
    return [
        city.call(
            "coordinator", "grant.statement", "create",
            [{"contract_id": contract, "as_at": "2021-12-31"}],
        )[0]
        for _number in range(count)
    ]  # fmt: skip


def get_issued(city, drafts):
    states = [city.read("grant.statement", draft, "state") for draft in drafts]
    return [draft for draft, state in zip(drafts, states, strict=True) if state == "issued"]


def test_one_draft_issued_twice(city):
    contract, _envelopes = city.make_contract(1000)
    (draft,) = make_drafts(city, contract, 1)
    request = city.request("coordinator", "grant.statement", "action_issue", [draft])
    answers = city.together(*[request] * 4)
    assert len(passed(answers)) == 1, answers
    assert len(refusals(answers)) == 3, answers
    files = city.read("grant.statement", draft, "file_ids")
    assert len(files) == 4
    city.verify(contract)


def test_two_drafts_of_one_date(city):
    contract, _envelopes = city.make_contract(1000)
    drafts = make_drafts(city, contract, 4)
    answers = city.together(
        *[city.request("coordinator", "grant.statement", "action_issue", [d]) for d in drafts]
    )
    assert len(passed(answers)) == 1, answers
    assert len(refusals(answers)) == 3, answers
    assert len(get_issued(city, drafts)) == 1
    city.verify(contract)
