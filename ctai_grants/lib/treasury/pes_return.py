"""What the treasury answers to a PES file: an acknowledgement (PES_ACQUIT) says whether a batch was
taken in, a return (PES_Retour) what became of each order or claim.

Format: the DGFiP's schemas v5.17. Labels of the reasons are the official ones, hence French.
"""

import datetime
import re
from typing import NamedTuple

from lxml import etree

LARGEST = 20 * 2**20
REASONS = {
    "01": "Absence totale ou invalidité des pièces justificatives",
    "02": "Insuffisance de pièces justificatives",
    "03": "Insuffisance de crédits budgétaires",
    "04": "Liquidation erronée",
    "05": "Absence de certification du service fait et du caractère exécutoire",
    "06": "Autre motif",
    "07": "Double paiement",
    "09": "Domiciliation bancaire absente ou erronée",
    "10": "Récupération d'avance non effectuée",
    "11": "Incompétence du donneur d'ordre",
    "13": "Prescription et déchéance",
    "16": "Mandat non établi au nom du véritable créancier",
    "23": "Erreur d'imputation comptable et budgétaire",
    "24": "Rejet technique",
}
# EtatPce of a return; a claim may be taken in charge in part (03).
_STATES = {"01": "pending", "02": "taken", "03": "taken", "04": "rejected", "05": "settled"}
# DomaineAck
_DOMAINS = {"5": "DEP", "6": "REC"}
# TypBord of a return: ordinary ones, and those that reduce orders.
_KINDS = {"01": "DEP", "02": "REDUCTION"}


class Unreadable(ValueError):
    """The file is no answer of the treasury: a code."""


class Answer(NamedTuple):
    """What the treasury says of one order or claim, or of a whole batch when ``number`` is empty.

    ``kind`` is that of the batch: ``DEP`` orders, ``REDUCTION`` of orders, ``REC`` claims; of an
    acknowledgement, ``DEP`` may be either of the first two. Numbers are as they are written: other
    software of the city may put letters in. ``state`` is empty when it is none that we know.
    """

    kind: str
    exercise: str
    batch: str
    number: str
    state: str
    reason: str


class Answers(NamedTuple):
    """``entity`` and ``budget`` (CodCol, CodBud) tell the budgets of one SIRET apart; they are
    empty when the file does not say them."""

    siret: str
    entity: str
    budget: str
    date: datetime.date
    answers: list


def is_number(text, number) -> bool:
    """Whether a number as somebody wrote it is that ``number``.

    >>> is_number("0041", "41"), is_number("41a", "41A"), is_number("A-41", "41")
    (True, True, False)
    """
    text, number = str(text or "").strip(), str(number or "").strip()
    if text.isdecimal() and number.isdecimal():
        return int(text) == int(number)
    return bool(text) and text.casefold() == number.casefold()


def read_answers(content: bytes) -> Answers:
    """What the file answers about orders and claims.

    :raise Unreadable: ``too_large``, ``not_xml``, ``not_pes``
    """
    if len(content) > LARGEST:
        raise Unreadable("too_large")
    # Neither entities nor the network: the file comes from outside.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise Unreadable("not_xml") from error
    if root.getroottree().docinfo.doctype:
        raise Unreadable("not_xml")
    read = {"PES_ACQUIT": _read_acknowledgement, "PES_Retour": _read_return}.get(
        etree.QName(root).localname
    )
    try:
        if not read:
            raise ValueError(root.tag)
        siret = _get(root, "EnTetePES/IdColl").zfill(14)
        # Of a return, and of an acknowledgement.
        entity = _get(root, "EnTetePES/CodColl") or _get(root, "EnTetePES/CodCol")
        budget = _get(root, "EnTetePES/CodBud")
        date = datetime.date.fromisoformat(_get(root, "EnTetePES/DteStr"))
        return Answers(siret, entity, budget, date, list(read(root)))
    except ValueError as error:
        raise Unreadable("not_pes") from error


def _get(element, path):
    found = element.find(path)
    return "" if found is None else (found.get("V") or "").strip()


def _read_return(root):
    for batch in root.iterfind("PES_DepenseRetour/Bordereau"):
        if kind := _KINDS.get(_get(batch, "BlocBordereau/TypBord")):
            yield from _read_pieces(batch, kind, "InfoPiece", "InfoLignePiece")
    for batch in root.iterfind("PES_RecetteRetour/Bordereau"):
        if _get(batch, "BlocBordereau/TypBord") == "01":
            yield from _read_pieces(batch, "REC", "BlocPiece", "BlocLignePiece")


def _read_pieces(batch, kind, piece_name, line_name):
    exercise, number = (_get(batch, f"BlocBordereau/{name}") for name in ("Exer", "IdBord"))
    for piece in batch.iterfind("Piece"):
        about = piece.find(piece_name)
        if about is None:
            continue
        state = _STATES.get(_get(about, "EtatPce"), "")
        is_explained = state in ("rejected", "pending")
        reason = _say_reasons([about, *piece.iter(line_name)]) if is_explained else ""
        yield Answer(kind, exercise, number, _get(about, "IdPce"), state, reason)


def _say_reasons(elements):
    """Observations and comments, each once, as they are: they are free text. What is nothing but
    codes of reasons is said in words too."""
    said = []
    for element in elements:
        observed = _get(element, "ObsEtat")
        codes = re.split(r"[\s,;/-]+", observed)
        if all(code in REASONS for code in codes):
            said += [f"{code} – {REASONS[code]}" for code in codes]
        else:
            said.append(observed)
        said.append(_get(element, "Commentaire"))
    return "\n".join(dict.fromkeys(filter(None, said)))


def _read_acknowledgement(root):
    for element in root.iterfind("ACQUIT/ElementACQUIT"):
        kind = _DOMAINS.get(_get(element, "DomaineAck"))
        if not kind or element.find(".//NumBord") is None:
            continue
        about = kind, _get(element, ".//ExerciceBord"), _get(element, ".//NumBord")
        if _get(element, "EtatAck") in ("1", "true"):
            yield Answer(*about, "", "received", "")
            continue
        # The whole batch goes back; each order with its own errors, or the batch's.
        yield Answer(*about, "", "rejected", _say_errors(element.findall("Erreur")))
        for piece in element.iterfind("DetailPiece"):
            reason = _say_errors(piece.iter("Erreur"))
            yield Answer(*about, _get(piece, "NumPiece"), "rejected", reason)


def _say_errors(errors):
    said = [" ".join((_get(e, "NumAnoAck"), _get(e, "LibelleAnoAck"))).strip() for e in errors]
    return "\n".join(dict.fromkeys(filter(None, said)))
