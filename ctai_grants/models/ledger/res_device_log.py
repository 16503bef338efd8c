from odoo import api, models


class ResDeviceLog(models.Model):
    _inherit = "res.device.log"

    @api.model
    def _update_device(self, request):
        """Keep the device of a session at once, before the request begins.

        Odoo writes it in the transaction of a session's first request of an hour: one that has
        written cannot begin again when it is its turn to post (:meth:`grant.entry._restartable`),
        and whoever posts first thing in a busy hour was refused after five tries.
        """
        before = [dict(trace) for trace in request.session.get("_trace", ())]
        result = super()._update_device(request)
        if request.session.get("_trace", []) != before:
            # Nothing else is written yet: the session is looked at before anything is done.
            self.env.cr.commit()  # pylint: disable=invalid-commit
        return result
