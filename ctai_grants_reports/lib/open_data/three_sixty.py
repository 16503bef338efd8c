"""The same lines as JSON of 360Giving (« 360Giving Data Standard », 1.4): other names, no other
facts.

Its schema is in no registry of packages: the rules that :func:`check` applies are ours, after its
list of required fields (``id``, ``title``, ``description``, ``currency``, ``amountAwarded``,
``awardDate``, ``recipientOrganization``, ``fundingOrganization``).
"""

import datetime
import json

from .scdl import Line, clean

MIMETYPE = "application/json"
# Of the registers of organisations: INSEE's (SIRENE), and that of associations.
SIRENE, ASSOCIATIONS = "FR-INSEE", "FR-RNA"
# What a grant has to say, and how.
REQUIRED = {
    "id": str, "title": str, "description": str, "currency": str, "amountAwarded": (int, float),
    "awardDate": str, "recipientOrganization": list, "fundingOrganization": list,
}  # fmt: skip


def write(lines: list[Line], identifiers: list[str]) -> bytes:
    """The JSON file of these lines; ``identifiers`` name each within the city, and for good."""
    grants = [
        _make_grant(line, identifier)
        for line, identifier in zip(lines, identifiers, strict=True)
    ]
    return json.dumps({"grants": grants}, ensure_ascii=False, indent=1).encode()


def _make_grant(line, identifier):
    grant = {
        "id": f"360G-FR-{line.grantor_siret[:9]}-{identifier}",
        "title": clean(line.purpose),
        "description": f"{clean(line.purpose)} ({line.nature})",
        "currency": "EUR",
        # Cents of a decimal number: JSON has no other.
        "amountAwarded": float(line.amount),
        "awardDate": str(line.convention_date or ""),
        "fundingOrganization": [_make_organisation(line.grantor, line.grantor_siret)],
        "recipientOrganization": [
            _make_organisation(line.beneficiary, line.beneficiary_siret, line.beneficiary_rna)
        ],
    }
    if line.paid_from and line.paid_to:
        grant["plannedDates"] = [
            {"startDate": str(line.paid_from), "endDate": str(line.paid_to)}
        ]
    return grant


def _make_organisation(name, siret, rna=""):
    identifier = f"{SIRENE}-{siret}" if siret else f"{ASSOCIATIONS}-{rna}"
    organisation = {"id": identifier, "name": clean(name)}
    return {**organisation, "charityNumber": rna} if rna else organisation


def check(content: bytes) -> list[tuple]:
    """Read a file anew: what each grant misses, as pairs of its place (from 1) and a field."""
    grants, problems, known = json.loads(content)["grants"], [], set()
    for number, grant in enumerate(grants, 1):
        for name, kind in REQUIRED.items():
            if not grant.get(name) or not isinstance(grant[name], kind):
                problems.append((number, name))
        if grant.get("id") in known:
            problems.append((number, "id"))
        known.add(grant.get("id"))
        try:
            datetime.date.fromisoformat(grant.get("awardDate", ""))
        except ValueError:
            problems.append((number, "awardDate"))
    return problems
