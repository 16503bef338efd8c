"""Pictures: opened once, and several photos made one PDF."""

import io

import pillow_heif
from PIL import Image, ImageOps

from .refusal import Refused

#: Points of one picture: no telephone of today takes a larger one by itself.
MOST_POINTS = 89_000_000
# A page of A4 at 200 points an inch: what is written on a photographed receipt can be read.
PAGE, RESOLUTION = (1654, 2339), 200
_FORMATS = ("JPEG", "PNG")
# Where the kind of an ISO media file stands, and the kinds that are HEIC.
_KIND = slice(4, 12)
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}


def is_heic(content: bytes) -> bool:
    """Whether a file says it is a HEIC.

    >>> is_heic(bytes(3) + b"\\x18ftypheic"), is_heic(bytes(3) + b"\\x18ftypisom"), is_heic(b"")
    (True, False, False)
    """
    kind = content[_KIND]
    return kind[:4] == b"ftyp" and kind[4:] in _HEIC


def check_picture(content: bytes):
    """Refuse a picture that cannot be opened.

    :raise Refused: damaged or bomb
    """
    try:
        with _open(content) as picture:
            if picture.format == "PNG":
                # Its parts carry sums: nothing has to be unpacked.
                picture.verify()
            else:
                # As small as the format allows: the whole file is read all the same.
                picture.draft("L", (1, 1))
                picture.load()
    except Image.DecompressionBombError as error:
        raise Refused("bomb") from error
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused("damaged") from error


def _open(content):
    if is_heic(content):
        opened = pillow_heif.open_heif(io.BytesIO(content))
        _check_size(opened.size)
        return opened.to_pillow()
    picture = Image.open(io.BytesIO(content), formats=_FORMATS)
    _check_size(picture.size)
    return picture


def _check_size(size):
    if size[0] * size[1] > MOST_POINTS:
        raise Refused("bomb")


def make_pdf(photos: list[bytes]) -> bytes:
    """One PDF of several photos, each upright on a page of its own, in their order.

    Where and with what they were taken is not kept. The same photos give the same bytes.

    :param photos: JPEG, PNG or HEIC, each judged before
    """
    pages = [_make_page(photo) for photo in photos]
    stream = io.BytesIO()
    pages[0].save(
        stream, "PDF", save_all=True, append_images=pages[1:], resolution=RESOLUTION, quality=85,
        creationDate=None, modDate=None,
    )  # fmt: skip
    return stream.getvalue()


def make_jpeg(photo: bytes) -> bytes:
    """A picture made anew, upright, for who looks at it: of what the file held besides, where it
    was taken for one, nothing is left.

    :param photo: JPEG, PNG or HEIC, judged before
    """
    stream = io.BytesIO()
    _make_page(photo).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _make_page(photo):
    with _open(photo) as picture:
        picture.draft("RGB", PAGE)
        page = ImageOps.exif_transpose(picture)
    wide = page.width > page.height
    if page.mode in ("RGBA", "LA", "P"):
        # What is see-through would be black.
        page = page.convert("RGBA")
        page = Image.alpha_composite(Image.new("RGBA", page.size, "white"), page)
    page = page.convert("RGB")
    page.thumbnail(PAGE[::-1] if wide else PAGE)
    return page
