# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Hand-ins that do not go straight: a virus, an account that is not the one on file, a draft; all
of it is invented."""

from unittest.mock import patch

SCANNER = "odoo.addons.ctai_grants.models.operator.grant_file_scan.scan"
VIRUS = "Eicar-Test-Signature"
#: The RIB of this operator alone has another account than the one on file; its bank is none.
MOVED = "ufolep_vienne"
OTHER_IBAN = "FR7699999000010000000010882"


def get_iban(year, operator):
    """The account that a RIB of the demonstration names."""
    if operator == year.env.ref(f"poitiers_2021.{MOVED}"):
        return OTHER_IBAN
    return operator.bank_ids[:1].sanitized_acc_number or ""


def hand_in_infected(year, piece):
    """A first try, in which the scanner finds a virus: it destroys the file, and says so."""
    company = piece.company_id
    with year._at_day_of(piece):
        company.grant_clamd = "/run/demonstration/clamd.ctl"
        year._submit(piece)
        with patch(SCANNER, return_value=VIRUS):
            for file in piece.last_version_id.file_ids:
                year.env["grant.file.scan"]._scan_file(company, file)
        # Not a scanner that this machine has: what is handed in later is not kept for it.
        company.write({"grant_clamd": False, "grant_clamd_since": False})


def read_ribs(year):
    """Read the RIB as the server does when it has time."""
    ribs = year.env["grant.file.iban"]
    for file in year.env["grant.deliverable.file"].search(ribs._get_unread_domain()):
        ribs._read(file)


def begin_draft(year, piece, make):
    """A draft under way; of today, as drafts go after a month."""
    piece = piece.with_user(year._get_operator(piece.partner_id))
    refused = piece._keep_files([("Annexe 3 signée (démo).pdf", make("Annexe 3, signée"))])
    if refused:
        raise AssertionError(refused)
    piece._keep_comment("L'annexe 3 signée. Il manque encore le rapport (brouillon inventé).")
