# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What the demonstration hands out: the files of the order batches, and the logins."""

LOGINS = (
    ("Coordinator", "coordinator"),
    ("Finance officer", "finance_officer"),
    ("Finance manager", "finance_manager"),
    ("Reader", "reader"),
    ("Grants administrator", "administrator"),
    ("Operator (portal)", "coallia"),
    ("Operator paid by the State", "toit-du-monde"),
    ("Prefecture (portal)", "prefecture86"),
)


def write_orders(env, output):
    """Write the list (PDF) and the PES file of each batch of several orders, and print where.

    :param Path output: an existing folder
    """
    officer = env.ref("ctai_grants.user_finance_officer")
    batches = env["grant.order.batch"].search([], order="exercise, number")
    for batch in batches.filtered(lambda batch: batch.disbursement_count > 1).with_user(officer):
        title, pdf = batch._make_pdf()
        name, pes, _shortened = batch._make_pes()
        for path, content in ((output / f"{title}.pdf", pdf), (output / name, pes)):
            path.write_bytes(content)
            print(path)


def tell_logins(env):
    """Print each role with its login; the demonstration's passwords are the logins."""
    known = set(env["res.users"].search([]).mapped("login"))
    print(f"  {'role':<25} {'login':<25} password")
    for role, login in LOGINS:
        if login in known:
            print(f"  {role:<25} {login:<25} {login}")
