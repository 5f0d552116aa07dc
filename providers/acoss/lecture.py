"""What is printed on a certificate of vigilance: its security code and the date it speaks of.

Source: the PDF delivered by URSSAF. A document that can't be read is still a certificate: reading gives nothing,
never an error. Work is bounded: a hostile file costs little memory and little time.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from time import monotonic
from typing import Any, Final

from pypdf import Configuration, PageObject, PdfReader, apply_configuration

MAX_READ_BYTES: Final = 3_000_000
"""A certificate weighs some hundred kilobytes; a much larger file is delivered without being read."""
MAX_READ_TIME: Final = timedelta(seconds=2)
MONTHS_OF_VALIDITY: Final = 6

_BOUNDS: Final = Configuration().with_overwrites(
    maximum_declared_stream_length=MAX_READ_BYTES,
    array_based_stream_maximum_output_length=1_000_000,
    zlib_maximum_output_length=1_000_000,
    zlib_maximum_recovery_input_length=100_000,
    lzw_maximum_output_length=1_000_000,
    run_length_maximum_output_length=1_000_000,
    brotli_maximum_output_length=1_000_000,
    stream_decoding_work_maximum_length=10_000_000,
    stream_parsing_work_maximum_count=50_000,
    array_maximum_element_count=20_000,
    dictionary_maximum_element_count=20_000,
    page_tree_maximum_entries=500,
    page_tree_maximum_page_entries=5_000,
    xform_maximum_invocations_per_extraction=50,
)
_CODE: Final = re.compile(r"[A-Z0-9]{15}")
_START: Final = (
    re.compile(r"à la date du ([0-9]{2})/([0-9]{2})/([0-9]{4})"),
    # Micro-entrepreneurs in a liberal profession.
    re.compile(r"professionnelle - CFP\) exigibles au ([0-9]{2})/([0-9]{2})/([0-9]{4})"),
    re.compile(r"professionnelle - CFP\) au ([0-9]{2})/([0-9]{2})/([0-9]{4})"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lecture:
    """What a certificate says of itself."""

    code_securite: str
    date_debut_validite: date
    date_fin_validite: date


def lire(content: bytes) -> Lecture | None:
    """The facts printed on a certificate; `None` when any of them can't be read."""
    pages = first_pages(content)
    if pages is None:
        return None
    code, start = code_securite(pages[0]), date_debut(pages[1])
    end = fin_validite(start) if start else None
    if code is None or start is None or end is None:
        return None
    return Lecture(code_securite=code, date_debut_validite=start, date_fin_validite=end)


def first_pages(content: bytes) -> tuple[str, str] | None:
    """The text of the first two pages; later ones are blank or repeated."""
    if len(content) > MAX_READ_BYTES:
        return None
    try:
        with apply_configuration(_BOUNDS):
            reader = PdfReader(BytesIO(content))
            on_time = _deadline()
            return _page_text(reader.pages[0], on_time), _page_text(reader.pages[1], on_time)
    # pypdf raises nearly anything on a damaged file, down to RecursionError: all of it means "unreadable".
    except Exception:  # noqa: BLE001
        return None


def _page_text(page: PageObject, on_time: Callable[..., None]) -> str:
    return unicodedata.normalize("NFC", page.extract_text(visitor_operand_before=on_time))


def _deadline() -> Callable[..., None]:
    """Called by pypdf before each drawing operation: the only place where a long page can be stopped."""
    end = monotonic() + MAX_READ_TIME.total_seconds()

    def on_time(*_operation: Any) -> None:
        if monotonic() > end:
            raise TimeoutError

    return on_time


def code_securite(page: str) -> str | None:
    """The first line made of exactly fifteen capitals and digits."""
    return next((line.strip() for line in page.splitlines() if _CODE.fullmatch(line.strip())), None)


def date_debut(page: str) -> date | None:
    """The date at which the company was found in order; the sentence may be wrapped or have doubled blanks."""
    flat = " ".join(page.split())
    found = next((match for match in (pattern.search(flat) for pattern in _START) if match), None)
    if found is None:
        return None
    day, month, year = (int(part) for part in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def fin_validite(start: date) -> date | None:
    """Six calendar months later, then the last day of that month: 12 March gives 30 September."""
    years, month = divmod(start.month - 1 + MONTHS_OF_VALIDITY, 12)
    year = start.year + years
    if year > date.max.year:
        return None
    return date(year, month + 1, monthrange(year, month + 1)[1])
