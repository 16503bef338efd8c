from . import archive, console, controllers, models, wizards
from .models.ledger.grant_entry_keeper import leave


def post_init_hook(env):
    """Close the open sign-up that nobody uses."""
    env["res.users"]._close_unused_sign_up()


def uninstall_hook(env):
    """Keep the ledger, or drop the database functions, and with them the triggers that guard the
    tables."""
    leave(env)
    types = env["ir.model.data"].search(
        [("module", "=", "ctai_grants"), ("model", "=", "mail.activity.type")]
    )
    # A type that has activities cannot be deleted with the add-on.
    # Done ones too: they are archived.
    activities = env["mail.activity"].with_context(active_test=False)
    activities.search([("activity_type_id", "in", types.mapped("res_id"))]).unlink()
    env.cr.execute("""
        DROP FUNCTION IF EXISTS
            grant_entry_post, grant_append_only, grant_counters_guard, grant_entry_text,
            grant_entry_refuse, grant_entry_queue, grant_entry_count, grant_entry_overrun,
            grant_entry_sign, grant_envelope_guard, grant_subsidy_guard, grant_identity_keep,
            grant_module_keep, grant_line_chain, grant_line_text CASCADE;
        DROP TABLE IF EXISTS grant_chain, grant_body_number
    """)
