from functools import partial

from odoo import models
from odoo.http import request

# What calls a method of a model: all that it does is in the transaction, and its parameters are
# read from the body again when it is called again.
CALLS = ("/web/dataset/call_kw", "/web/dataset/call_button", "/json/2/")


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """Let calls of methods wait for their turn to post, around all overrides of `_dispatch`:
        one of another add-on could hold a savepoint."""
        result = super()._pre_dispatch(rule, args)
        dispatcher = request.dispatcher
        if request.httprequest.path.startswith(CALLS):
            # The class's: Odoo's retries come here again, with the same dispatcher.
            dispatch = partial(type(dispatcher).dispatch, dispatcher)
            dispatcher.dispatch = partial(request.env["grant.entry"]._restartable, dispatch)
        return result
