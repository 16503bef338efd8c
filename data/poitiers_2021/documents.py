# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Write one of each official document, as its Print menu makes it."""

#: Report, and which records it is of.
DOCUMENTS = (
    (
        "ctai_grants_reports.report_convention",
        [("kind", "=", "operator"), ("state", "=", "signed")],
    ),
    (
        "ctai_grants_reports.report_award_notice",
        [("kind", "=", "operator"), ("state", "=", "signed")],
    ),
    ("ctai_grants_reports.report_amendment", []),
    ("ctai_grants_reports.report_payment_certificate", [("certified_at", "!=", False)]),
    ("ctai_grants_reports.report_financial_report", []),
    ("ctai_grants.report_recovery_letter", [("letter", "!=", False)]),
    ("ctai_grants.report_payment_notice", [("state", "=", "paid")]),
    ("ctai_grants.report_receipt", [("receipt_ids", "!=", False)]),
)


def run(env, output):
    """Write the first document of each kind, and print where.

    :param Path output: an existing folder
    """
    officer = env.ref("ctai_grants.user_coordinator")
    reports = env["ir.actions.report"].with_user(officer)
    for name, domain in DOCUMENTS:
        report = env.ref(name, raise_if_not_found=False)
        if not report:
            continue
        record = env[report.model].with_user(officer).search(domain, order="id", limit=1)
        for title, content in reports._make_typst(name, record.ids) if record else ():
            path = output / f"{title.replace('/', '-')}.pdf"
            path.write_bytes(content)
            print(path)
