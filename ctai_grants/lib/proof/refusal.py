"""Why a file is not taken: a code, which the application puts into words."""

#: Every code, with what it is said of; ``models/proof/grant_deliverable_refusal.py`` has the words.
CODES = {
    "name": "the name has a path, or characters that nobody sees",
    "double": "the name hides the extension of a program or of a page before an allowed one",
    "word": "a text of a kind that is not taken",
    "sheet": "a spreadsheet of a kind that is not taken",
    "picture": "a picture of a kind that is not taken",
    "archive": "an archive",
    "type": "anything else that is not taken",
    "empty": "no byte",
    "content": "the content is not what the extension promises",
    "damaged": "the library that reads such files cannot",
    "protected": "a password",
    "macros": "programs in an office document, of whatever age and name",
    "active": "objects, controls or links of an office document that act or fetch",
    "script": "what a PDF does by itself",
    "attached": "files within a PDF",
    "form": "a PDF that is a form of another kind (XFA)",
    "bomb": "it unpacks to more than anybody reads",
    "hidden": "something else beside what it says it is",
}


class Refused(ValueError):
    """A file that is not taken.

    :param code: a key of :data:`CODES`
    """

    def __init__(self, code):
        super().__init__(f"{code}: {CODES[code]}")
        self.code = code
