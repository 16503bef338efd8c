def migrate(cr, version):
    """No operator is written to because the city upgraded: a city with subsidies switches its
    reminders on itself (Settings), after a look at those of the day."""
    cr.execute(
        "UPDATE res_company SET grant_reminders = FALSE"
        " WHERE id IN (SELECT company_id FROM grant_subsidy)"
    )
