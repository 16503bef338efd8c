"""What a PDF does beside being read: scripts, programs, files within it, forms of another kind."""

import io
import re

import pikepdf

from .refusal import Refused

#: Bytes to which what describes its parts unpacks, one stream at a time; pictures are not unpacked.
LARGEST_PART = 32 * 2**20

# Some report engines write a mark of byte order or white space before the header.
HEADER = re.compile(rb"\A(?:\xef\xbb\xbf)?[\x00\t\n\f\r ]{0,64}%PDF-[0-9]\.[0-9]")
# Readers look for the end in the last kilobyte.
TAIL = 1024
# Names that are only written where one of them may matter: the rest of an object is not looked at.
SUSPECT = re.compile(
    rb"/(?:JS|JavaScript|Launch|ImportData|SubmitForm|GoToE|GoToR|Rendition|Movie|Sound|RichMedia\w*"
    rb"|EF|EmbeddedFile|FileAttachment|XFA|OpenAction|AA)\b"
)
# Kinds of action that act, wherever they stand; and the ones that may when nobody clicked.
ACTING = {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/Rendition", "/Movie",
          "/Sound", "/RichMediaExecute"}  # fmt: skip
UNASKED = {"/GoTo", "/Named"}

# Once, for the process: without it a stream of a few kilobytes unpacks to whatever it likes.
if set_limits := getattr(pikepdf.settings, "set_qpdf_limits", None):
    set_limits(
        flate_max_memory=LARGEST_PART,
        png_max_memory=LARGEST_PART,
        run_length_max_memory=LARGEST_PART,
        tiff_max_memory=LARGEST_PART,
        max_stream_filters=4,
        doc_max_warnings=500,
    )


def check_pdf(content: bytes):
    """Refuse a PDF that cannot be opened, or does more than being read.

    :raise Refused: damaged, protected, script, attached or form
    """
    if b"%%EOF" not in content[-TAIL:]:
        raise Refused("damaged")
    try:
        with pikepdf.open(io.BytesIO(content)) as document:
            if not len(document.pages):
                raise Refused("damaged")
            for thing in document.objects:
                _judge(thing)
            _judge_opening(document.Root)
    except pikepdf.PasswordError as error:
        raise Refused("protected") from error
    except (pikepdf.PdfError, pikepdf.DataDecodingError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("damaged") from error


def _judge(thing):
    """One object of the file, and what is written within it."""
    if isinstance(thing, pikepdf.Stream):
        thing = thing.stream_dict
    # By far most of the objects: one look in C.
    if not isinstance(thing, (pikepdf.Dictionary, pikepdf.Array)) or not SUSPECT.search(
        thing.unparse(resolved=True)
    ):
        return
    pending = [thing]
    while pending:
        value = pending.pop()
        if isinstance(value, pikepdf.Dictionary):
            _judge_dictionary(value)
            inner = [part for _name, part in value.items()]
        else:
            inner = list(value)
        # What is referred to is an object of its own, and comes in its turn.
        pending += [
            part
            for part in inner
            if isinstance(part, (pikepdf.Dictionary, pikepdf.Array)) and not part.is_indirect
        ]


def _judge_dictionary(value):
    kinds = {str(value.get(name)) for name in ("/S", "/Subtype", "/Type") if name in value}
    if "/JS" in value or "/RichMediaContent" in value or kinds & (ACTING | {"/RichMedia"}):
        raise Refused("script")
    if "/EF" in value or kinds & {"/EmbeddedFile", "/FileAttachment"}:
        raise Refused("attached")
    if "/XFA" in value:
        raise Refused("form")
    if isinstance(unasked := value.get("/AA"), pikepdf.Dictionary):
        for _event, action in unasked.items():
            _judge_unasked(action)


def _judge_opening(root):
    if isinstance(action := root.get("/OpenAction"), pikepdf.Dictionary):
        _judge_unasked(action)


def _judge_unasked(action, depth=0):
    """What happens without a click may turn a page, and nothing else."""
    if not isinstance(action, pikepdf.Dictionary):
        return
    if str(action.get("/S")) not in UNASKED or depth > 20:
        raise Refused("script")
    following = action.get("/Next")
    for after in following if isinstance(following, pikepdf.Array) else [following]:
        _judge_unasked(after, depth + 1)
