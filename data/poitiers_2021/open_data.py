# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Publish the essential data of the subsidies, and write the files."""

import base64


def run(env, output):
    """Publish what the law asks, once, and write each file of the last publication; print where.

    :param Path output: an existing folder
    """
    if "grant.publication" not in env:
        # The add-on of what leaves the city is not installed.
        return
    coordinator = env.ref("ctai_grants.user_coordinator")
    publications = env["grant.publication"].with_user(coordinator)
    city = env.ref("poitiers_2021.contract").company_id.with_user(coordinator)
    publication = publications.search([("company_id", "=", city.id)], limit=1)
    publication = publication or publications._publish(city, leave_out=True)
    for file in publication.file_ids:
        path = output / file.name
        path.write_bytes(base64.b64decode(file.file))
        print(path)
