from odoo import models
from odoo.exceptions import UserError

from ...lib.closing.letter import SUBSTITUTE, Unprintable


class GrantPdfMixin(models.AbstractModel):
    """A document that is printed (:mod:`ctai_grants.lib.closing.letter`)."""

    _name = "grant.pdf.mixin"
    _description = "Printed Document"

    def _typeset(self, make, **values):
        """What ``make`` makes of ``values``, in the language of this record's context.

        :raise UserError: no PDF can be made of it
        """
        note = self.env._(
            "%(sign)s stands for a sign that cannot be printed in this document.", sign=SUBSTITUTE
        )
        try:
            return make(note=note, **values)
        except Unprintable as error:
            raise UserError(
                self.env._(
                    "%(document)s: the PDF cannot be made. Look for unusual signs in its names and "
                    "texts. What the program says: %(error)s",
                    document=self.display_name,
                    error=error,
                )
            ) from error
