import base64
import io
from pathlib import Path

from PIL import Image

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import file_path

from ...lib.guard.typeset import SUBSTITUTE, Unprintable, make, wrap

#: Pixels of a logo, at 300 to the inch: more makes files large and nothing sharper.
LOGO = (1200, 400)


class GrantPdfMixin(models.AbstractModel):
    """A document that is printed (:mod:`ctai_grants.lib.guard.typeset`).

    A report of type ``typst`` whose name ends in ``.letter`` calls ``_print_letter`` of each
    record: name of the file, and the PDF.
    """

    _name = "grant.pdf.mixin"
    _description = "Printed Document"

    def _typeset(self, template, data, company=None, assets=None):
        """The PDF that a template makes of ``data``, in the language of this record's context.

        :param str template: path of the ``.typ`` file, the add-on first
        :param dict data: ``title`` and ``date`` (a date), and what the template prints; of what
            every page shows, what is not given here is the company's (``_get_page_data``)
        :param company: whose logo is shown, by default that of the record
        :param dict assets: pictures, by the names under which the template finds them
        :raise UserError: no PDF can be made of it
        """
        note = self.env._(
            "%(sign)s stands for a sign that cannot be printed in this document.", sign=SUBSTITUTE
        )
        company, date = self.company_id if company is None else company, data["date"]
        page, pictures = self._get_page_data(company, data)
        values = {**page, **data, "date": [date.year, date.month, date.day]}
        path = Path(file_path(template, filter_ext=(".typ",)))
        try:
            return make(path, values, note=note, assets={**pictures, **(assets or {})})
        except Unprintable as error:
            raise UserError(
                self.env._(
                    "%(document)s: the PDF cannot be made. Look for unusual signs in its names and "
                    "texts. What the program says: %(error)s",
                    document=self.display_name,
                    error=error,
                )
            ) from error

    def _get_page_data(self, company, data):
        """What each page shows of the city, on the day of a document: data, and pictures.

        :param dict data: of the document: ``date``, ``kind`` (which one it is), …
        """
        # sudo: name and logo of the city, which every page of its portal shows too
        company = company.sudo()
        page = {"lang": (self.env.lang or "fr_FR")[:2], "city": company.name or ""}
        logo = b"" if company.uses_default_logo else _shrink(company.logo)
        if not logo:
            return page, {}
        page |= {"logo": "logo.svg", "logo_alt": self.env._("Logo of %s", company.name)}
        return page, {"logo.svg": logo}


def _shrink(logo):
    """The logo in a useful size; nothing of a picture that cannot be read."""
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(logo or b"")))
        picture.load()
    except (OSError, ValueError, Image.DecompressionBombError):
        return b""
    picture = picture.convert("RGBA")
    picture.thumbnail(LOGO)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return wrap(stream.getvalue(), *picture.size)
