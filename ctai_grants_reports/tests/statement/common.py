import io
import json

from odoo.tests import freeze_time
from odoo.tools import SQL

from ..common import YEAR_END, StatementCase

#: When the statements of these tests are issued: the year has ended.
ISSUED = "2022-01-20 10:00:00"


class IssuedCase(StatementCase):
    """A contract with a subsidy that is paid, and its statement of the year."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(code="S-CITY", amount=10000)
        cls.advance = cls.make_tranche(cls.subsidy, name="Avance", amount=4000.10)
        cls.balance = cls.make_tranche(cls.subsidy, name="Solde", amount=2000)
        cls.sign(cls.subsidy)
        cls.pay(cls.advance)

    @classmethod
    def draft(cls, user=None, contract=None, **values):
        return (
            cls.env["grant.statement"]
            .with_user(user or cls.coordinator)
            .create({"contract_id": (contract or cls.contract).id, "as_at": YEAR_END, **values})
        )

    @classmethod
    def issue(cls, statement=None, moment=ISSUED):
        statement = statement or cls.draft()
        with freeze_time(moment):
            statement.action_issue()
        return statement

    def read_file(self, statement, kind):
        return statement.sudo().file_ids.filtered(lambda f: f.kind == kind).attachment_id.raw

    def read_json(self, statement):
        return json.load(io.BytesIO(self.read_file(statement, "json")))

    def change_sql(self, table, query, *values):
        """As who owns the table: past the guards of the database."""
        self.env.flush_all()
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        self.env.cr.execute(query, values)
        self.env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
        self.env.invalidate_all()
