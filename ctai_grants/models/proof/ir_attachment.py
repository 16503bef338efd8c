import os

from odoo import api, models

# Bytes that are compared at once: larger ones are mapped by the system each time.
BLOCK = 2**16


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _same_content(self, bin_data, filepath):
        """Whether a file holds just these bytes: as Odoo compares them, a kilobyte at a time, which
        takes longer than to hash them. A draft that is handed in is compared twice."""
        if os.path.getsize(filepath) != len(bin_data):
            return False
        with open(filepath, "rb") as stream:
            return all(
                stream.read(BLOCK) == bin_data[start : start + BLOCK]
                for start in range(0, len(bin_data), BLOCK)
            )

    @api.model
    def _file_write(self, bin_value, checksum):
        """Write a file beside its place, then move it there whole.

        Written in place, as Odoo does, half a file stays where the process is killed or the disk is
        full: nothing collects it, and the same file handed in again “collides with an existing
        file” for ever.
        """
        fname, full_path = self._get_path(bin_value, checksum)
        if not os.path.exists(full_path):
            part = f"{fname}-{os.getpid()}"
            # Before they are there: what belongs to no attachment then is collected.
            self._mark_for_gc(part)
            self._mark_for_gc(fname)
            with open(self._full_path(part), "wb") as stream:
                stream.write(bin_value)
                stream.flush()
                # What is acknowledged outlives a power cut, as the database does.
                os.fsync(stream.fileno())
            os.replace(self._full_path(part), full_path)
            os.unlink(self._full_path(f"checklist/{part}"))
        return fname
