from odoo import models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ...lib.proof.refusal import Refused
from ...lib.proof.upload import ALLOWED, clean_name, judge

_lt = LazyTranslate(__name__)

# Which file, why, and what to do: by the codes of lib/proof/refusal.py.
SENTENCES = {
    "name": _lt(
        "The file “%(file)s” is not taken: its name has a folder in it, or characters that cannot "
        "be seen. Give it a plain name, then choose it again."
    ),
    "double": _lt(
        "The file “%(file)s” is not taken: its name has the extension of a program or of a web "
        "page before its own. Give it a name with one extension only."
    ),
    "word": _lt(
        "The file “%(file)s” is not of a type that is taken. Open it, save it as a PDF (or as "
        ".docx or .odt without macros), then hand that in."
    ),
    "sheet": _lt(
        "The file “%(file)s” is not of a type that is taken. Open it, save it as .xlsx or .ods "
        "(without macros) or as a PDF, then hand that in."
    ),
    "picture": _lt(
        "The file “%(file)s” is not of a type that is taken. Save the picture as JPEG or PNG, then "
        "hand that in. The photos of a telephone (JPEG, HEIC) are taken as they are."
    ),
    "archive": _lt(
        "The file “%(file)s” is an archive, and is not taken. Unpack it and hand in the files that "
        "are in it, several at once."
    ),
    "type": _lt(
        "The file “%(file)s” is not of a type that is taken (%(types)s). Save it as a PDF, then "
        "hand that in."
    ),
    "empty": _lt(
        "The file “%(file)s” is empty. Check that it opens on your side, and choose it again."
    ),
    "content": _lt(
        "The file “%(file)s” is not taken: its content is not that of a file of this type. Open "
        "it, save it as a PDF, then hand that in."
    ),
    "damaged": _lt(
        "The file “%(file)s” is not taken: it cannot be opened, it is damaged or incomplete. Check "
        "that it opens on your side; make it again, or save it as a PDF."
    ),
    "protected": _lt(
        "The file “%(file)s” is protected by a password, and is not taken. Open it, print it into "
        "a PDF (or save it) without a password, then hand that in."
    ),
    "macros": _lt(
        "The file “%(file)s” has macros, and is not taken. Save it as a PDF, or as a document "
        "without macros, then hand that in."
    ),
    "active": _lt(
        "The file “%(file)s” is not taken: it has objects or controls embedded in it, or links to "
        "other files. Save it as a PDF, then hand that in."
    ),
    "script": _lt(
        "The file “%(file)s” is not taken: this PDF acts by itself when it is opened or filled in. "
        "Print it into a new PDF, then hand that in."
    ),
    "attached": _lt(
        "The file “%(file)s” is not taken: other files are attached within this PDF. Hand them in "
        "beside it, and print this one into a new PDF."
    ),
    "form": _lt(
        "The file “%(file)s” is not taken: this PDF is a form that most readers cannot show (XFA). "
        "Print it into a new PDF, then hand that in."
    ),
    "bomb": _lt(
        "The file “%(file)s” is not taken: it is far larger than it seems once it is opened. Save "
        "it as a PDF, or a picture in a smaller size, then hand that in."
    ),
    "hidden": _lt(
        "The file “%(file)s” is not taken: it holds something else beside what it says it is. "
        "Print it into a new PDF, then hand that in."
    ),
}


class GrantDeliverable(models.Model):
    """Which files are taken, and in what words others are refused."""

    _inherit = "grant.deliverable"

    def _check_upload(self, filename, content):
        """Judge a file by its content.

        :return: its media type
        :raise UserError: empty, too large, not an allowed type, or one that does more than being
            read: which file, why, and what to do
        """
        self.ensure_one()
        largest = self.company_id.grant_upload_max_mb
        if len(content) > largest * 2**20:
            raise UserError(
                self.env._(
                    "The file “%(file)s” is larger than %(largest)s MB. Save it in a smaller size "
                    "or in several parts.",
                    file=clean_name(filename),
                    largest=largest,
                )
            )
        try:
            return judge(filename or "", content)
        except Refused as refused:
            sentence = self.env._(SENTENCES[refused.code])
            about = {"file": clean_name(filename), "types": ", ".join(sorted(ALLOWED))}
            raise UserError(sentence % about) from refused
