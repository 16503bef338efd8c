from functools import partial

import psycopg2

from odoo import models
from odoo.exceptions import ValidationError
from odoo.http import request

# What calls a method of a model: all that it does is in the transaction, and its parameters are
# read from the body again when it is called again.
CALLS = ("/web/dataset/call_kw", "/web/dataset/call_button", "/json/2/")


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _pre_dispatch(cls, rule, args):
        """Let calls of methods wait for their turn to post, and say what they are refused, around
        all overrides of `_dispatch`: one of another add-on could hold a savepoint."""
        result = super()._pre_dispatch(rule, args)
        dispatcher = request.dispatcher
        if request.httprequest.path.startswith(CALLS):
            # The class's: Odoo's retries come here again, with the same dispatcher.
            dispatch = partial(type(dispatcher).dispatch, dispatcher)
            dispatch = partial(request.env["grant.entry"]._restartable, dispatch)
            dispatcher.dispatch = partial(cls._dispatch_in_words, dispatch)
        return result

    @classmethod
    def _dispatch_in_words(cls, dispatch, *args):
        """What a constraint of ours refuses is its sentence alone: Odoo's retries, where most are
        refused, begin it with “The operation cannot be completed:”."""
        try:
            response = dispatch(*args)
            # As the retries do: what waits in the cache is judged here. Who installs an add-on by a
            # button may have closed the cursor.
            if not request.env.cr.closed:
                request.env.cr.flush()
        except psycopg2.IntegrityError as error:
            cr = request.env.cr
            model = None if cr.closed else request.env["base"]._find_who_refuses(error)
            if model is None:
                raise
            # Its sentence may have to be read.
            cr.rollback()
            model.env.transaction.reset()
            raise ValidationError(model._sql_error_to_message(error)) from error
        return response
