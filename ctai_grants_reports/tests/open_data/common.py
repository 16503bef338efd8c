import base64
import csv
import io
import unittest
from pathlib import Path

from odoo.tests import freeze_time

from odoo.addons.ctai_grants.tests.common import GrantsCommon

# Invented: no SIREN begins with 000.
CITY_SIRET = "00090004300019"


def find_shared(name):
    """A file of the shared reference data, beside the checkout; its test skips without it."""
    for parent in Path(__file__).resolve().parents:
        path = parent / "shared" / "data" / name
        if path.exists():
            return path
    raise unittest.SkipTest(f"shared/data/{name} is not there: the official file is not judged.")


class OpenDataCase(GrantsCommon):
    """A city with a SIRET, and what it publishes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        france = cls.env.ref("base.fr")
        # Before the contract: it is what the city is called on its documents.
        with freeze_time("2021-01-01 12:00:00"):
            cls.company.partner_id.write(
                {"name": "Ville de test", "country_id": france.id, "company_registry": CITY_SIRET}
            )
        cls.publications = cls.env["grant.publication"].with_user(cls.coordinator)

    @classmethod
    def make_signed(cls, *due_dates, **values):
        """A signed subsidy with a tranche for each of these due dates."""
        subsidy = cls.make_subsidy(**{"amount": 30000, **values})
        for number, day in enumerate(due_dates or ("2021-11-15",), 1):
            amount = subsidy.amount / len(due_dates or (1,))
            cls.make_tranche(subsidy, name=f"T{number}", amount=amount, due_date=day)
        return cls.sign(subsidy)

    def publish(self, user=None, **options):
        publications = self.publications.with_user(user or self.coordinator)
        return publications._publish(self.company, **options)

    def get_file(self, publication, name="scdl"):
        file = publication.file_ids.filtered(lambda file: file.format == name)
        return base64.b64decode(file.file)

    def get_rows(self, publication, name="scdl"):
        """Rows of a file of ours, as dicts."""
        text = self.get_file(publication, name).decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))
