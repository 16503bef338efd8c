from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """A version has a set of files: of those that had one file, a set of one."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    versions = env["grant.deliverable.version"].search(
        [("attachment_id", "!=", False), ("file_ids", "=", False)], order="id"
    )
    files = [
        {
            "version_id": one.id,
            "position": 1,
            "name": one.name,
            "attachment_id": one.attachment_id.id,
            "mimetype": one.mimetype,
            "size": one.size,
            "sha256": one.sha256,
        }
        for one in versions
    ]
    if files:
        env["grant.deliverable.file"]._append(files)
