"""Records to measure on. Every name, date, account and amount made here is invented."""

from _common import connect, environment
from stdnum import luhn

from odoo import SUPERUSER_ID, Command

# The SIRET of the first operator. Of nobody: no SIREN begins with 000.
SIRET = "00000001800010"
# An account of no bank: there is no bank 99999.
IBAN = "FR7699999000010000000000115"
OPERATOR = "Bench operator"


def make_user(env, role):
    """A user with one role of the add-on, called like it (bench_coordinator)."""
    group = env.ref(f"ctai_grants.group_{role}")
    values = {"name": f"Bench {role}", "login": f"bench_{role}"}
    return (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create({**values, "group_ids": [Command.set(group.ids)]})
    )


def make_contract(env, amounts):
    """A contract in force, with an envelope of each amount, of a French city."""
    # Found once the configuration has said where add-ons are.
    from odoo.addons.ctai_grants.tests.common import make_french

    make_french(env.company)
    funder = _make_organisation(env, "Bench prefecture")
    contract = env["grant.contract"].create(
        {
            "name": "Bench contract",
            "code": "BENCH",
            "funder_id": funder.id,
            "signature_date": "2021-10-21",
            "date_start": "2021-10-21",
            "date_end": "2022-12-31",
            "envelope_ids": [
                Command.create({"name": f"Envelope {n}", "code": f"E{n}", "amount": amount})
                for n, amount in enumerate(amounts, 1)
            ],
        }
    )
    contract.with_user(make_user(env, "finance_manager")).action_put_in_force()
    return contract


def make_subsidy(env, envelope, amount):
    """A granted subsidy with two actions and a schedule of three tranches, as its coordinator
    would make it; ``env`` is theirs."""
    # sudo: whose job it is to make operators is not measured here
    operator = _make_organisation(env(su=True), OPERATOR)
    account = {"acc_number": IBAN, "allow_out_payment": True, "partner_id": operator.id}
    # A coordinator does not verify accounts.
    env(user=SUPERUSER_ID)["res.partner.bank"].create(account)
    themes = env["grant.theme"].search([], limit=2)
    half = amount / 2
    subsidy = env["grant.subsidy"].create(
        {
            "name": "Bench subsidy",
            "code": f"BENCH-{envelope.code}",
            "envelope_id": envelope.id,
            "partner_id": operator.id,
            "amount": amount,
            "date_start": "2021-10-25",
            "date_end": "2022-06-30",
            "decision_number": "BENCH-1",
            "decision_date": "2021-09-27",
            "executory_date": "2021-10-01",
            "convention_reference": "BENCH-C",
            "signature_date": "2021-10-25",
            "template_id": env.ref("ctai_grants.schedule_template_three").id,
            "action_ids": [
                Command.create({"name": theme.name, "amount": half, "theme_ids": theme.ids})
                for theme in themes
            ],
        }
    )
    subsidy.action_grant()
    subsidy.action_apply_template()
    return subsidy


def _make_organisation(env, name):
    partners = env["res.partner"]
    values = {"name": name, "is_company": True, "country_id": env.ref("base.fr").id}
    if name == OPERATOR:
        # One for each: a body has one record.
        values["company_registry"] = _make_siret(partners.search_count([("name", "=", name)]))
    return partners.create(values)


def _make_siret(number):
    siren = f"{number + 1:08d}"
    siret = f"{siren}{luhn.calc_check_digit(siren)}0001"
    return siret + luhn.calc_check_digit(siret)


def copy_subsidy(env, subsidy, count, of_one=False):
    """Copy a granted subsidy ``count`` times, each for an operator of its own (or all of one), with
    its actions, schedule, decisions and followers: in a few statements, since the ORM takes minutes
    for thousands.

    :return: the ids of the copies
    """
    env.flush_all()
    cr, subsidy_id, partner_id = env.cr, subsidy.id, subsidy.partner_id.id
    partners = [partner_id] * count if of_one else _copy_partners(cr, partner_id, count)
    copies = _copy(
        cr, "grant_subsidy", "unnest(%s) WITH ORDINALITY p(id, n) WHERE t.id = %s",
        [partners, subsidy_id], partner_id="p.id", code="t.code || '-' || p.n", access_token="NULL",
    )  # fmt: skip
    source = "grant_subsidy s WHERE t.subsidy_id = %s AND s.id = ANY(%s)"
    for table in ("action", "milestone", "deliverable", "disbursement", "condition", "decision"):
        _copy(
            cr, f"grant_{table}", source, [subsidy_id, copies], subsidy_id="s.id",
            partner_id="s.partner_id",
            milestone_id=_same("milestone", "milestone_id"),
            disbursement_id=_same("disbursement", "disbursement_id"),
            deliverable_id=_same("deliverable", "deliverable_id"),
        )  # fmt: skip
    _copy_links(cr, "grant_action_grant_theme_rel", subsidy_id, copies, grant_action_id="action")
    _copy_links(
        cr, "grant_disbursement_deliverable_rel", subsidy_id, copies,
        grant_disbursement_id="disbursement", grant_deliverable_id="deliverable",
    )  # fmt: skip
    source = "unnest(%s) s(id) WHERE t.res_model = 'grant.subsidy' AND t.res_id = %s"
    _copy(cr, "mail_followers", source, [copies, subsidy_id], res_id="s.id")
    cr.execute("ANALYZE")
    env.invalidate_all()
    return copies


def _copy_partners(cr, partner_id, count):
    partners = _copy(
        cr, "res_partner", "generate_series(1, %s) n WHERE t.id = %s", [count, partner_id],
        name="t.name || ' ' || n", complete_name="t.name || ' ' || n",
        # Each is a body of its own.
        grant_body="t.grant_body || '-' || n",
    )  # fmt: skip
    cr.execute("UPDATE res_partner SET commercial_partner_id = id WHERE id = ANY(%s)", [partners])
    source = "unnest(%s) p(id) WHERE t.partner_id = %s"
    _copy(cr, "res_partner_bank", source, [partners, partner_id], partner_id="p.id")
    return partners


def make_certified_tranches(database, count):
    """At least ``count`` certified tranches of subsidies of three, each of an operator of its own
    with a verified account, in a company whose accounting is set up.

    :return: id of the finance officer who may order them
    """
    # Found once the configuration has said where add-ons are.
    from odoo.addons.ctai_grants.tests.common import set_up_accounting

    with environment(database) as env:
        set_up_accounting(env.company)
        coordinator = make_user(env, "coordinator")
        officer_id = make_user(env, "finance_officer").id
        contract = make_contract(env, [10**9])
        subsidy = make_subsidy(env(user=coordinator.id), contract.envelope_ids, 9_000)
        ids = subsidy.ids + copy_subsidy(env, subsidy, -(-count // 3) - 1)
    connection = connect(database)
    post_entries(connection, ids, len(ids))
    connection.close()
    with environment(database) as env:
        env.cr.execute(
            "UPDATE grant_disbursement SET state = 'certified', certified_by_id = %s,"
            " certified_at = '2021-11-02' WHERE subsidy_id = ANY(%s)",
            [coordinator.id, ids],
        )
        env.cr.execute("UPDATE grant_condition SET state = 'met' WHERE state = 'unmet'")
        env.cr.execute("ANALYZE")
    return officer_id


def post_entries(connection, subsidy_ids, count, begin=0):
    """Post the entries from number ``begin`` to ``count`` by SQL, through the ledger's trigger: the
    commitment of each subsidy, then payments of some euros in turn, every tenth one justified.
    15 000 a day, one day after the other."""
    cr = connection.cursor()
    # Committed by parts: a transaction that updates a row a thousand times gets slow.
    for first in range(begin, count, 200):
        cr.execute(
            """INSERT INTO grant_entry (envelope_id, subsidy_id, date, kind, amount, memo,
                                        origin_model, origin_id, user_id)
               SELECT s.envelope_id, s.id, DATE '2021-10-25' + n / 15000,
                      CASE WHEN n < %(subsidies)s THEN 'commitment'
                           WHEN n %% 10 = 0 THEN 'justification' ELSE 'payment' END,
                      CASE WHEN n < %(subsidies)s THEN s.amount ELSE 1 + n %% 900 / 100.0 END,
                      'Invented entry ' || n, 'grant.subsidy', s.id, s.create_uid
                 FROM generate_series(%(first)s, %(last)s) n
                 JOIN unnest(%(ids)s) WITH ORDINALITY AS turn(id, k)
                      ON turn.k = n %% %(subsidies)s + 1
                 JOIN grant_subsidy s ON s.id = turn.id
                ORDER BY n""",
            {
                "first": first,
                "last": min(first + 200, count) - 1,
                "ids": subsidy_ids,
                "subsidies": len(subsidy_ids),
            },
        )
        connection.commit()
    cr.execute("UPDATE grant_subsidy SET state = 'signed' WHERE id = ANY(%s)", [subsidy_ids])
    connection.commit()


def _same(table, column):
    """SQL: id of the row of the subsidy ``s`` named like the one that ``t`` refers to."""
    return (
        f"(SELECT new.id FROM grant_{table} old JOIN grant_{table} new ON new.name = old.name"
        f" WHERE old.id = t.{column} AND new.subsidy_id = s.id)"
    )


def _copy_links(cr, table, subsidy_id, copies, **columns):
    first, source = next(iter(columns.items()))
    _copy(
        cr, table,
        f"grant_{source} o, grant_subsidy s "
        f"WHERE o.id = t.{first} AND o.subsidy_id = %s AND s.id = ANY(%s)",
        [subsidy_id, copies], returning=first,
        **{column: _same(source, column) for column, source in columns.items()},
    )  # fmt: skip


def _copy(cr, table, source, parameters, returning="id", **changes):
    """Copy each row ``t`` of ``table`` once for each row of ``source``, all columns but those of
    ``changes`` (column: SQL)."""
    cr.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,))
    columns = [name for (name,) in cr.fetchall() if name != "id"]
    values = ", ".join(changes.get(name, f't."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    cr.execute(
        f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}" t, {source} '
        f"RETURNING {returning}",
        parameters,
    )
    return [row[0] for row in cr.fetchall()]
