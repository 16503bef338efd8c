# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Write the lists of the order batches, and their files for the treasury."""


def run(env, output):
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
