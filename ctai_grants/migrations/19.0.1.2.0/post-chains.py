from odoo import SUPERUSER_ID, api
from odoo.tools import SQL


def migrate(cr, version):
    """Chain the lines that are there, and seal the documents as they are: what is verified is what
    happens since."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute("ALTER TABLE grant_chain DISABLE TRIGGER USER; DELETE FROM grant_chain")
    for name in sorted(env.registry.descendants(["grant.append.only.mixin"], "_inherit")):
        model = env[name]
        if not model._abstract and (chained := model._get_chained_fields()):
            _chain(cr, SQL.identifier(model._table), chained)
    cr.execute("ALTER TABLE grant_chain ENABLE TRIGGER USER")
    for name in sorted(env.registry.descendants(["grant.sealed.mixin"], "_inherit")):
        if not env[name]._abstract and (sealed := env[name]._get_sealed_fields()):
            documents = env[name].with_context(active_test=False).search([], order="id")
            env["grant.seal"]._seal([(env[name], documents.ids, sealed)])


def _chain(cr, table, chained):
    """As the trigger chains what is inserted, each line in its turn."""
    cr.execute(
        SQL(
            """ALTER TABLE %(table)s DISABLE TRIGGER USER;
               CREATE TRIGGER grant_chain_anew BEFORE UPDATE ON %(table)s
                   FOR EACH ROW EXECUTE FUNCTION grant_line_chain(%(chained)s);
               DO $$
               DECLARE
                   line_id integer;
               BEGIN
                   FOR line_id IN SELECT id FROM %(table)s ORDER BY id LOOP
                       UPDATE %(table)s SET chain_hash = NULL WHERE id = line_id;
                   END LOOP;
               END $$;
               DROP TRIGGER grant_chain_anew ON %(table)s;
               ALTER TABLE %(table)s ENABLE TRIGGER USER""",
            table=table,
            chained=SQL(", ").join(chained),
        )
    )
