"""What is printed on a Qualibat certificate: dates, insurances, qualifications.

The PDF is encrypted with an empty password. The rules work on lines that keep their columns as runs of spaces.
A document that can't be read is still a certificate: reading then tells why, and gives nothing else. Work is
bounded: a hostile file costs little memory.
Source: the PDF delivered by Qualibat.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from time import monotonic
from typing import Final

from pypdf import Configuration, PdfReader, apply_configuration

MAX_READ_BYTES: Final = 5_000_000
MAX_PAGES: Final = 30
"""A certificate has six pages or so; a much longer document is something else."""
MAX_READ_TIME: Final = timedelta(seconds=3)
INVALID: Final = "invalid_file"

_BOUNDS: Final = Configuration().with_overwrites(
    maximum_declared_stream_length=MAX_READ_BYTES,
    array_based_stream_maximum_output_length=2_000_000,
    zlib_maximum_output_length=2_000_000,
    zlib_maximum_recovery_input_length=100_000,
    lzw_maximum_output_length=2_000_000,
    run_length_maximum_output_length=2_000_000,
    brotli_maximum_output_length=2_000_000,
    stream_decoding_work_maximum_length=20_000_000,
    stream_parsing_work_maximum_count=50_000,
    array_maximum_element_count=20_000,
    dictionary_maximum_element_count=20_000,
    page_tree_maximum_entries=500,
    page_tree_maximum_page_entries=5_000,
    xform_maximum_invocations_per_extraction=50,
)
_OTHER_KINDS: Final = (
    ("TRAITEMENT DE L'AMIANTE", "amiante"),
    ("MESURES DE LA PERMÉABILITE A L'AIR", "permeabilite_air"),
    ("MÉTALLERIE FEU", "metallerie_feu"),
    ("RÉSEAUX AÉRAULIQUES", "reseaux_aerauliques"),
    ("TRAITEMENT DES BOIS", "traitement_bois"),
    ("CORDISTES", "cordistes"),
    ("VÉRIFICATIONS ET MESURES DES SYSTÈMES DE VENTILATION", "verification_mesures_systemes_ventilation"),
)
"""Certificates of another layout, known by words of their first page, letter for letter."""

INSURERS: Final = tuple(sorted((
    "ABEILLE", "ABEILLE IARD & SANTE", "ACM-IARD SA", "ACTE IARD", "AIG", "ALLIANZ IARD", "APRIL", "AREAS",
    "AUXILIAIRE", "AVIVA", "AXA CSA", "AXA FRANCE IARD", "AXAASSURANCES", "AXELLIANCE", "AXERIA IARD", "BHEI",
    "BPCE ASSURANCES", "BPCE IARD", "CAMBTP", "CAMCA ASSURANCE", "CHUBB", "CREDIT AGRICOLE ASSURANCE", "ENTORIA",
    "ERGO", "EUROMAF", "GAN", "GENERALI IARD", "GOTHAER VERSICHERUNGBANK", "GROUPAMA", "HDI GLOBAL", "LA BRESSE",
    "LIBERTY MUTUAL INSURANCE", "MAAF", "MACIF", "MIC ASSURANCE", "MIC INSURANCE", "MMA IARD",
    "MONCEAU GENERALE ASSURANCES", "MUTUELLE BRESSE BUGEY", "MUTUELLE DE POITIERS ASSURANCES",
    "MUTUELLE VAL DE SAÔNE BEAUJOLAIS", "PACIFICA", "QBE", "SAM BTP", "SMA", "SMA COURTAGE", "SMA SA", "SMABTP",
    "SWISSLIFE", "THELEMASSURANCES", "UNIRE", "VHV", "XL INSURANCE", "ZURICH INSURANCE",
), key=len, reverse=True))  # fmt: skip
"""The longest names first: several begin like another one."""

_TITLE: Final = re.compile(r"CERTIFICAT\s+QUALIBAT", re.IGNORECASE)
_RGE_TITLE: Final = re.compile(r"CERTIFICAT\s+QUALIBAT.*RGE")
_CODE: Final = re.compile(r"[0-9]{2,4}")
_DAY: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_LABEL: Final = re.compile(r"\s*(?:PROB\b\s*)?(\S+(?: \S+)*)\s{2,}[0-9]+\s")
"""A label, and the headcount of the next column: without a gap between them, nothing says where the label ends."""
_RIGHT_COLUMN: Final = " " * 10


@dataclass(frozen=True, slots=True)
class Insurance:
    """An insurer and the number of the policy."""

    nom: str | None = None
    identifiant: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A qualification, as its row says it."""

    code: str
    nom: str | None
    rge: bool
    date_attribution: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Lecture:
    """What a certificate says of itself; with an `error`, nothing else."""

    error: str | None = None
    date_emission: date | None = None
    date_fin_validite: date | None = None
    travaux: Insurance = Insurance()
    civile: Insurance = Insurance()
    rows: tuple[Row, ...] = ()


def lire(content: bytes) -> Lecture:
    """The facts printed on a certificate, or the reason why they can't be read."""
    pages = pages_of(content)
    return Lecture(error=INVALID) if pages is None else lire_pages(pages)


def lire_pages(pages: Sequence[str]) -> Lecture:
    """The same from the text of the pages, columns kept."""
    first = pages[0] if pages else ""
    kind = next((kind for words, kind in _OTHER_KINDS if words in first), None)
    if kind is not None:
        return Lecture(error=f"{kind}_pdf_not_supported")
    certification = [lines for lines in map(_lines, pages) if any(_TITLE.search(line) for line in lines[:6])]
    if not certification:
        return Lecture(error=INVALID)
    try:
        rows = _rows(certification)
    except ValueError:  # a date that doesn't exist: better nothing than a list without that row
        return Lecture(error=INVALID)
    opening = _lines(first)
    return Lecture(
        date_emission=_last_day(opening, "ÉDITÉ LE", "Edité le"),
        date_fin_validite=_last_day(opening, "VALABLE JUSQU'AU", "Valable du", "Validité du"),
        travaux=insurance(opening, "Assurance Responsabilité Travaux"),
        civile=insurance(opening, "Assurance Responsabilité Civile"),
        rows=tuple(rows),
    )


# --- Text of the pages -----------------------------------------------------------------------------


def pages_of(content: bytes) -> list[str] | None:
    """The text of each page in its layout; `None` when the document can't be opened or read."""
    if len(content) > MAX_READ_BYTES:
        return None
    end = monotonic() + MAX_READ_TIME.total_seconds()
    texts: list[str] = []
    try:
        with apply_configuration(_BOUNDS):
            # The empty password is tried by the reader itself; the "no copy" flag forbids nothing here.
            reader = PdfReader(BytesIO(content))
            if len(reader.pages) > MAX_PAGES:
                return None
            for page in reader.pages:
                if monotonic() > end:
                    return None
                text = page.extract_text(extraction_mode="layout", layout_mode_space_vertically=False)
                texts.append(unicodedata.normalize("NFC", text).replace("’", "'"))
    # pypdf raises nearly anything on a damaged file, down to RecursionError: all of it means "unreadable".
    except Exception:  # noqa: BLE001
        return None
    return texts


def _lines(page: str) -> list[str]:
    """Lines with something on them, inner spaces kept."""
    return [line for line in page.splitlines() if line.strip()]


# --- Qualifications --------------------------------------------------------------------------------


def _rows(pages: Sequence[Sequence[str]]) -> list[Row]:
    """The rows of all pages. A code read again replaces what was read of it without RGE, and comes last."""
    rows: list[Row] = []
    for lines in pages:
        rge = any(_RGE_TITLE.search(line) for line in lines)
        for row in _rows_of_page(lines, rge=rge):
            rows = [known for known in rows if known.code != row.code or known.rge]
            rows.append(row)
    return rows


def _rows_of_page(lines: Sequence[str], *, rge: bool) -> list[Row]:
    """The rows under the heading of the table; a page without heading is an annex."""
    start = next((index for index, line in enumerate(lines) if "d'attribution" in line), len(lines))
    rows = []
    for index in range(start, len(lines)):
        line = lines[index]
        code, day = _CODE.match(line.strip()), _DAY.search(line)
        # Both together: "1000 m2" is the end of a label.
        if code and day:
            around = (lines[index - 1], lines[index + 1] if index + 1 < len(lines) else "")
            rows.append(Row(code[0], _label(line, around), rge, _date(day)))
    return rows


def _label(line: str, around: tuple[str, str]) -> str | None:
    """The label printed on a row; none when it is wrapped or runs into the next column: it would be a wrong one."""
    code = _CODE.search(line)
    found = _LABEL.match(line, code.end()) if code else None
    if found is None or found[1].isdigit() or _DAY.match(found[1]):
        return None
    column = found.start(1)
    if any("d'attribution" not in other and abs(_indent(other) - column) <= 2 for other in around if other):
        return None
    return found[1]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _date(found: re.Match[str]) -> date:
    return date(int(found[3]), int(found[2]), int(found[1]))


# --- Dates and insurances of the first page --------------------------------------------------------


def _last_day(lines: Sequence[str], *labels: str) -> date | None:
    """The date that ends the first line with one of these labels, in this order: the second one of a range."""
    line = next((line for label in labels for line in lines if label in line), "")
    found = _DAY.fullmatch(line.split()[-1]) if line else None
    try:
        return _date(found) if found else None
    except ValueError:
        return None


def insurance(lines: Sequence[str], label: str) -> Insurance:
    """The insurer named in the left column of one of the two lines under the label."""
    index = next((index for index, line in enumerate(lines) if label in line), len(lines))
    for line in lines[index + 1 : index + 3]:
        text = line.strip().partition(_RIGHT_COLUMN)[0].strip()
        if "Assurance Responsabilité" in text:
            # The next heading: what follows belongs to it.
            break
        name = next((name for name in INSURERS if name in text), None)
        if name is not None:
            before, _, after = text.partition(name)
            rest = before + after.removeprefix(" ")
            return Insurance(name, rest.strip() or None)
    return Insurance()
