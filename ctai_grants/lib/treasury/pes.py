"""Files of the PES v2 exchange with the treasury (Hélios), unsigned: a batch of orders to pay
(PES_DepenseAller) or of claims (PES_RecetteAller), with the pieces that justify them.

Format: the DGFiP's schemas v5.17. Every value is the attribute ``V`` of an element; the encoding is
ISO-8859-1. The same batch makes the same bytes.
"""

import base64
import datetime
import gzip
import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from ..guard.money import round_euros

NAMESPACE = "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller"
#: legal form: category and legal nature of a third party (CatTiers, NatJur)
THIRD_PARTY = {"company": ("60", "03"), "public": ("29", "09"), "state": ("20", "07")}
ASSOCIATION = ("60", "06")
# What ISO-8859-1 lacks and people write; letters with a stroke have no plainer form in Unicode.
_PLAIN = str.maketrans({
    "œ": "oe", "Œ": "OE", "€": "EUR", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-",
    "…": "...", "\u202f": " ", "\u2009": " ", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h",
    "Ħ": "H", "ı": "i", "ŧ": "t", "Ŧ": "T", "ŋ": "ng", "Ŋ": "NG", "ẞ": "SS", "ĸ": "k",
})  # fmt: skip
# In the place of a letter of another script.
_LOST = "?"


@dataclass
class Sender:
    """The city, as the treasury knows it: name, SIRET, number of its accounting post, codes."""

    name: str
    siret: str
    post: str
    entity: str
    budget: str
    budget_label: str = ""


@dataclass
class Party:
    """Whom an order pays, or whom a claim is on."""

    name: str
    siret: str
    legal_form: str = ""
    street: str = ""
    zip: str = ""
    city: str = ""
    iban: str = ""
    bic: str = ""
    holder: str = ""
    country: str = ""


@dataclass
class File:
    """A justifying document: name with its extension, media type, content."""

    name: str
    mimetype: str
    content: bytes
    description: str


@dataclass
class Piece:
    """An order, its reduction, or a claim, of one line: number, object, euros, account, party,
    documents."""

    number: int
    object: str
    amount: Decimal
    account: str
    party: Party
    files: list = field(default_factory=list)
    #: codes of the service and of the function in the city's budget, where they are known
    service: str = ""
    function: str = ""
    #: of a reduction: year and number of the order that it reduces
    reduces: tuple | None = None


@dataclass
class Batch:
    """Orders, reductions, or claims, sent together (bordereau)."""

    exercise: int
    number: int
    date: datetime.date
    pieces: list


def to_latin(text: str) -> str:
    """``text`` in the characters that the treasury's files have: letters of other Latin alphabets
    in their plain form, signs like emoji left out, a letter of another script as a question mark.

    >>> to_latin("Œuvre Łódź 😀 – Ağrı"), to_latin("团结 2021")
    ('OEuvre Lódz - Agri', '?? 2021')
    """
    # Composed first: é written as e and an accent is é.
    composed = unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN)
    return " ".join("".join(map(_plain_letter, composed)).split())


def _plain_letter(char):
    if char.isspace():
        return " "
    # Of more than one character, like a letter with two accents, the plain ones are kept.
    for form in (char, unicodedata.normalize("NFKD", char)):
        kept = form.encode("iso-8859-1", "ignore").decode("iso-8859-1")
        if kept and kept.isprintable():
            return kept
    return _LOST if unicodedata.category(char)[0] in "LN" else ""


# Overseas territories have codes of their own, and are in France for the treasury.
_FRENCH = frozenset("FR GP MQ GF RE YT PM BL MF WF PF NC TF".split())


def find_gaps(party, needs_account: bool) -> list[str]:
    """What the treasury asks for of a third party, beyond what its schemas refuse: codes.

    Those of fields: ``siret``, ``name``, ``street``, ``zip``, ``city``, ``iban``;
    ``<field>_script`` of what is not in Latin letters; ``abroad`` of an address that it knows by a
    code of its own.
    """
    gaps = [] if party.siret else ["siret"]
    for name in ("name", "street", "city", *(["holder"] if needs_account else [])):
        value = getattr(party, name)
        if not any(char.isalnum() for char in value):
            # The account is then in the name of the party.
            gaps += [name] if name != "holder" else []
        elif to_latin(value).count(_LOST) > value.count(_LOST):
            gaps.append(f"{name}_script")
    if party.country and party.country not in _FRENCH:
        gaps.append("abroad")
    elif not re.fullmatch(r"\d{5}", party.zip):
        gaps.append("zip")
    if needs_account and not party.iban:
        gaps.append("iban")
    return gaps


class _Builder:
    """Builds elements, shortening what is too long; ``warnings`` says what was: (label, value)."""

    def __init__(self):
        self.warnings = []

    def add(self, parent, name, value=None):
        element = etree.SubElement(parent, name)
        if value is not None:
            element.set("V", str(value))
        return element

    def text(self, parent, name, value, length):
        """Add a text of so many characters at most, of those that the encoding has."""
        self.add(parent, name, self.fit(value, length))

    def fit(self, value, length):
        plain = " ".join(value.translate(_PLAIN).split())
        kept = to_latin(value)
        if len(kept) < len(plain) or kept.count(_LOST) > plain.count(_LOST) or len(kept) > length:
            self.warnings.append((value, kept[:length].rstrip()))
        return kept[:length].rstrip() or "-"


def make_orders(sender, batch):
    """The file of a batch of orders to pay, or of reductions of orders of the same year.

    :return: its bytes, and what was shortened in it: list of (value, what stands in the file)
    """
    return _make(sender, batch, "DEP", "Depense", "MtBordHT", _add_order, "003")


def make_claims(sender, batch):
    """The file of a batch of claims; returns as :func:`make_orders`."""
    return _make(sender, batch, "REC", "Recette", "MtBordHt", _add_claim, "002")


def _make(sender, batch, kind, section, total, add_piece, file_type):
    builder = _Builder()
    root = _make_envelope(builder, sender, batch, kind)
    body = builder.add(root, f"PES_{section}Aller")
    head = builder.add(body, f"EnTete{section}")
    builder.add(head, "IdVer", 2)
    builder.add(head, "InfoDematerialisee", 0)
    slip = _add_slip(builder, body, batch, total)
    for piece in batch.pieces:
        add_piece(builder, slip, batch, piece)
    _add_files(builder, root, batch, file_type)
    return _serialise(root), builder.warnings


def get_file_name(sender, batch, kind):
    """Name of the file, without extension: unique for a budget, a batch and a kind.

    Batches of reductions (``TypBord`` 02) are a series of their own, beside those of orders.
    """
    if any(piece.reduces for piece in batch.pieces):
        kind = "RED"
    budget = f"{sender.entity}{sender.budget}"
    return f"PESALR1_{sender.siret}_{budget}_{kind}_{batch.exercise}_{batch.number:07d}"


def _serialise(root):
    return etree.tostring(root, encoding="ISO-8859-1", xml_declaration=True, pretty_print=True)


def _make_envelope(builder, sender, batch, kind):
    root = etree.Element(f"{{{NAMESPACE}}}PES_Aller", nsmap={"n": NAMESPACE})
    envelope = builder.add(root, "Enveloppe")
    parameters = builder.add(envelope, "Parametres")
    builder.add(parameters, "Version", 2)
    builder.add(parameters, "TypFic", "PESALR1")
    builder.add(parameters, "NomFic", get_file_name(sender, batch, kind))
    emitter = builder.add(envelope, "Emetteur")
    builder.text(emitter, "Sigle", sender.name, 32)
    builder.add(emitter, "Adresse", "CTAI_GRANTS")
    head = builder.add(root, "EnTetePES")
    builder.add(head, "DteStr", batch.date.isoformat())
    builder.add(head, "IdPost", sender.post)
    builder.add(head, "IdColl", sender.siret)
    builder.add(head, "CodCol", sender.entity)
    builder.add(head, "CodBud", sender.budget)
    if sender.budget_label:
        builder.text(head, "LibelleColBud", sender.budget_label, 38)
    return root


def _add_slip(builder, body, batch, total):
    slip = builder.add(body, "Bordereau")
    block = builder.add(slip, "BlocBordereau")
    builder.add(block, "Exer", batch.exercise)
    builder.add(block, "IdBord", batch.number)
    builder.add(block, "DteBordEm", batch.date.isoformat())
    reduces = any(piece.reduces for piece in batch.pieces)
    builder.add(block, "TypBord", "02" if reduces else "01")
    builder.add(block, "NbrPce", len(batch.pieces))
    builder.add(block, total, _euros(sum(piece.amount for piece in batch.pieces)))
    return slip


def _euros(amount):
    return f"{round_euros(Decimal(amount))}"


def _add_order(builder, slip, batch, piece):
    element = builder.add(slip, "Piece")
    about = builder.add(builder.add(element, "BlocPiece"), "InfoPce")
    if piece.service:
        builder.text(about, "CodServ", piece.service, 10)
    builder.add(about, "IdPce", piece.number)
    builder.add(about, "TypPce", "02" if piece.reduces else "01")
    builder.add(about, "NatPce", "06" if piece.reduces else "01")
    builder.text(about, "Obj", piece.object, 100)
    _add_references(builder, about, batch, piece)
    line = builder.add(element, "LigneDePiece")
    block = builder.add(line, "BlocLignePiece")
    detail = builder.add(block, "InfoLignePce")
    builder.add(detail, "IdLigne", 1)
    builder.add(detail, "Nature", piece.account)
    if piece.function:
        builder.add(detail, "Fonction", piece.function)
    builder.text(detail, "LibVir1", piece.object, 70)
    builder.add(detail, "ModRegl", "03")
    builder.add(detail, "TVAIntraCom", 0)
    builder.add(detail, "MtHT", _euros(piece.amount))
    if piece.reduces:
        year, number = piece.reduces
        original = builder.add(block, "RattachPiece")
        builder.add(original, "NatPceOrig", "01")
        builder.add(original, "ExerRat", year)
        builder.add(original, "IdPceOrig", number)
        builder.add(original, "IdLigneOrig", 1)
    party = builder.add(line, "Tiers")
    _add_party(builder, party, piece.party, ())
    _add_address(builder, party, piece.party)
    account = builder.add(party, "CpteBancaire")
    if piece.party.bic:
        builder.add(account, "BIC", piece.party.bic)
    builder.add(account, "IBAN", piece.party.iban)
    builder.text(account, "TitCpte", piece.party.holder or piece.party.name, 32)


def _add_claim(builder, slip, batch, piece):
    element = builder.add(slip, "Piece")
    block = builder.add(element, "BlocPiece")
    builder.add(block, "IdPce", piece.number)
    builder.add(block, "TypPce", "01")
    builder.add(block, "NatPce", "01")
    builder.text(block, "ObjPce", piece.object, 160)
    _add_references(builder, block, batch, piece)
    line = builder.add(element, "LigneDePiece")
    detail = builder.add(builder.add(line, "BlocLignePiece"), "InfoLignePiece")
    builder.add(detail, "IdLigne", 1)
    builder.add(detail, "CodProdLoc", "SUBV")
    builder.add(detail, "Nature", piece.account)
    builder.add(detail, "Majo", 0)
    builder.add(detail, "TvaIntraCom", 0)
    builder.add(detail, "MtHT", _euros(piece.amount))
    party = builder.add(line, "Tiers")
    _add_party(builder, party, piece.party, ("TypTiers", "01"))
    _add_address(builder, party, piece.party)


def _add_party(builder, parent, party, kind):
    about = builder.add(parent, "InfoTiers")
    builder.add(about, "IdTiers", party.siret)
    builder.add(about, "NatIdTiers", "01")
    category, nature = THIRD_PARTY.get(party.legal_form, ASSOCIATION)
    builder.add(about, "CatTiers", category)
    builder.add(about, "NatJur", nature)
    if kind:
        builder.add(about, *kind)
    builder.text(about, "Nom", party.name, 38)


def _add_address(builder, parent, party):
    address = builder.add(parent, "Adresse")
    builder.add(address, "TypAdr", 1)
    builder.text(address, "Adr2", party.street, 38)
    builder.add(address, "CP", party.zip)
    builder.text(address, "Ville", party.city, 38)
    builder.add(address, "CodRes", 0)


# --- documents ----------------------------------------------------------------------------------


def _get_reference(batch, piece, index):
    """What names a document, in all that the city ever sends."""
    return f"CTAI{batch.exercise}B{batch.number:07d}P{piece.number:08d}N{index:03d}"


def _get_name(builder, file):
    stem, _dot, extension = file.name.rpartition(".")
    extension = re.sub(r"[^0-9a-zA-Z]", "", extension)[:4]
    # After the letters of other scripts have become question marks.
    stem = re.sub(r'[\\/:*?"<>|]', "-", builder.fit(stem, 90))
    return f"{stem}.{extension}"


def _add_references(builder, parent, batch, piece):
    for index, file in enumerate(piece.files, 1):
        reference = builder.add(parent, "PJRef")
        builder.add(reference, "Support", "01")
        builder.add(reference, "IdUnique", _get_reference(batch, piece, index))
        builder.add(reference, "NomPJ", _get_name(builder, file))


def _add_files(builder, root, batch, kind):
    if not any(piece.files for piece in batch.pieces):
        return
    body = builder.add(root, "PES_PJ")
    builder.add(builder.add(body, "EnTetePES_PJ"), "IdVer", 1)
    for piece in batch.pieces:
        for index, file in enumerate(piece.files, 1):
            element = builder.add(body, "PJ")
            content = builder.add(builder.add(element, "Contenu"), "Fichier")
            content.set("MIMEType", file.mimetype)
            # Without the time of compression: the same batch makes the same bytes.
            content.text = base64.b64encode(gzip.compress(file.content, mtime=0)).decode()
            builder.add(element, "IdUnique", _get_reference(batch, piece, index))
            builder.add(element, "NomPJ", _get_name(builder, file))
            builder.add(element, "TypePJ", kind)
            builder.text(element, "Description", file.description, 250)
