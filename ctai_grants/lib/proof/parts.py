"""The parts of an office document, read without trusting what they say."""

import zipfile

from lxml import etree

from .refusal import Refused

ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Parts:
    """The parts of an archive whose sums and sizes were looked at."""

    def __init__(self, archive: zipfile.ZipFile):
        self.archive = archive
        self.names = archive.namelist()

    def walk(self, name):
        """Yield the elements of an XML part, each once it is whole, and forget it then.

        :raise Refused: hidden, when it declares a document type of its own
        """
        with self.archive.open(name) as stream:
            walked = etree.iterparse(
                stream, events=("end",), resolve_entities=False, no_network=True, load_dtd=False,
                remove_comments=True,
            )  # fmt: skip
            for _event, element in walked:
                if isinstance(element.tag, str):
                    yield element
                element.clear(keep_tail=False)
                while element.getprevious() is not None:
                    del element.getparent()[0]
            if walked.root is not None and walked.root.getroottree().docinfo.doctype:
                raise Refused("hidden")


def local(name) -> str:
    """Name of an element or attribute without its namespace.

    >>> local("{urn:x}document"), local("a")
    ('document', 'a')
    """
    return name.rpartition("}")[2]


def attribute(element, name, default=""):
    """Value of the attribute of that name, in whatever namespace."""
    for key, value in element.attrib.items():
        if local(key) == name:
            return value
    return default
