"""What the treasury answers to a PES file: an acknowledgement (PES_ACQUIT) says whether a batch was
taken in, a return (PES_Retour) what became of each order.

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
# EtatPce of a return.
_STATES = {"01": "pending", "02": "taken", "04": "rejected", "05": "settled"}
_EXPENSES = "5"  # DomaineAck


class Unreadable(ValueError):
    """The file is no answer of the treasury: a code."""


class Answer(NamedTuple):
    """What the treasury says of one order, or of a whole batch when ``number`` is None."""

    exercise: int
    batch: int
    number: int | None
    state: str
    reason: str


class Answers(NamedTuple):
    siret: str
    date: datetime.date
    answers: list


def read_answers(content: bytes) -> Answers:
    """Answers about orders to pay; those about claims are left out.

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
        date = datetime.date.fromisoformat(_get(root, "EnTetePES/DteStr"))
        return Answers(siret, date, list(read(root)))
    except (ValueError, KeyError) as error:
        raise Unreadable("not_pes") from error


def _get(element, path):
    found = element.find(path)
    return "" if found is None else (found.get("V") or "").strip()


def _read_return(root):
    for batch in root.iterfind("PES_DepenseRetour/Bordereau"):
        exercise = int(_get(batch, "BlocBordereau/Exer"))
        number = int(_get(batch, "BlocBordereau/IdBord"))
        if _get(batch, "BlocBordereau/TypBord") != "01":
            continue
        for piece in batch.iterfind("Piece"):
            about = piece.find("InfoPiece")
            state = _STATES[_get(about, "EtatPce")]
            lines = [line for line in piece.iter("InfoLignePiece")]
            reason = _say_reasons([about, *lines]) if state in ("rejected", "pending") else ""
            yield Answer(exercise, number, int(_get(about, "IdPce")), state, reason)


def _say_reasons(elements):
    """Codes in words, then the comments, each once."""
    said = []
    for element in elements:
        codes = re.findall(r"\d{2}", _get(element, "ObsEtat"))
        said += [REASONS.get(code, code) for code in codes]
        said += [_get(element, "ObsEtat")] if not codes else []
        said += [_get(element, "Commentaire")]
    return "\n".join(dict.fromkeys(filter(None, said)))


def _read_acknowledgement(root):
    for element in root.iterfind("ACQUIT/ElementACQUIT"):
        if _get(element, "DomaineAck") != _EXPENSES or element.find(".//NumBord") is None:
            continue
        exercise, batch = (int(_get(element, f".//{n}")) for n in ("ExerciceBord", "NumBord"))
        if _get(element, "EtatAck") in ("1", "true"):
            yield Answer(exercise, batch, None, "received", "")
            continue
        # The whole batch goes back; each order with its own errors, or the batch's.
        yield Answer(exercise, batch, None, "rejected", _say_errors(element.findall("Erreur")))
        for piece in element.iterfind("DetailPiece"):
            reason = _say_errors(piece.iter("Erreur"))
            yield Answer(exercise, batch, int(_get(piece, "NumPiece")), "rejected", reason)


def _say_errors(errors):
    said = [" ".join((_get(e, "NumAnoAck"), _get(e, "LibelleAnoAck"))).strip() for e in errors]
    return "\n".join(dict.fromkeys(filter(None, said)))
