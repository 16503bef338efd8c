# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Write the lists of the order batches, and their files for the treasury."""

import io
from pathlib import Path

from launcher.inside.statement import keep


def run(env, output_dir):
    """Write the list (PDF) and the PES file of each batch of several orders, and print where.

    :param str output_dir: an existing folder
    """
    officer = env.ref("ctai_grants.user_finance_officer")
    batches = env["grant.order.batch"].search([], order="exercise, number")
    for batch in batches.filtered(lambda batch: batch.disbursement_count > 1).with_user(officer):
        name, content = batch._make_pdf()
        print(keep(io.BytesIO(content), Path(output_dir) / f"{name}.pdf"))
        name, content, _shortened = batch._make_pes()
        print(keep(io.BytesIO(content), Path(output_dir) / name))
