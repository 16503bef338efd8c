from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Orders and claims made before leave Odoo's invoice portal as those made since; bank details
    are not for the prefecture."""
    env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
    moves = env["account.move"].search(
        ["|", ("grant_origin_id", "!=", False), ("reversed_entry_id.grant_origin_id", "!=", False)]
    )
    moves.filtered("access_token").write({"access_token": False})
    for move in moves:
        partners = move.message_partner_ids
        move.message_unsubscribe(
            partners.filtered(
                lambda partner: not any(u._is_internal() for u in partner.user_ids)
            ).ids
        )
    bank_details = env.ref("ctai_grants.deliverable_type_bank_details", raise_if_not_found=False)
    if bank_details:
        bank_details.for_prefecture = False
