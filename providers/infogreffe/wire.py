"""How Infogreffe writes: XML inside SOAP, French numbers, French dates.

Source: the description of Infogreffe's web service "Produits" (SOAP 1.1, RPC/encoded). Texts are padded and the
tree is indented or not, so every reader trims.
"""

import re
import unicodedata
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

from lxml import etree

from providers.declaration import PARIS
from providers.errors import Unreadable
from providers.identifiers import iso_date

_MONTHS: Final = (
    "JANVIER", "FEVRIER", "MARS", "AVRIL", "MAI", "JUIN",
    "JUILLET", "AOUT", "SEPTEMBRE", "OCTOBRE", "NOVEMBRE", "DECEMBRE",
)  # fmt: skip
_FRENCH_DATE: Final = re.compile(r"([0-9]{1,2})(?:ER)? ([A-Z]+) ([0-9]{4})")
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def document(content: bytes) -> etree._Element:
    """The root of an XML document that declares no type: entities can't even be defined."""
    # Looked for before parsing, since the parser expands entities in attributes; NULs go because of UTF-16.
    if b"<!DOCTYPE" in content.replace(b"\0", b""):
        raise Unreadable
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.LxmlError, ValueError):
        raise Unreadable from None
    # lxml gives None for a document that it dropped altogether, which its stubs don't say.
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable
    return root


def child(parent: etree._Element | None, path: str) -> etree._Element | None:
    """The first element at that path below `parent`; none below nothing."""
    return None if parent is None else parent.find(path)


def children(parent: etree._Element | None, path: str) -> list[etree._Element]:
    return [] if parent is None else parent.findall(path)


def raw_text(element: etree._Element | None) -> str:
    """All the text of an element, padding included; "" for nothing."""
    return "" if element is None else "".join(str(part) for part in element.itertext())


def text(parent: etree._Element | None, path: str) -> str | None:
    """The trimmed text at that path; blank is nothing."""
    return raw_text(child(parent, path)).strip() or None


def attribute(element: etree._Element | None, name: str) -> str | None:
    """The trimmed attribute; blank is nothing."""
    value = None if element is None else element.get(name)
    return (str(value).strip() or None) if value is not None else None


def iso_day(value: str | None) -> date | None:
    """The date of an ISO attribute; one that is no real date is nothing, rather than the loss of the whole Kbis."""
    try:
        return iso_date(value)
    except ValueError:
        return None


def iso_month(value: str | None) -> str | None:
    """Year and month of an ISO attribute."""
    month = (value or "")[:7]
    return month if _MONTH.fullmatch(month) else None


def french_day(value: str | None) -> date | None:
    """The date of a label such as "4 MARS 2021" or "1ER AOÛT 2020"; an ISO date is understood as well."""
    if value is None:
        return None
    plain = unicodedata.normalize("NFD", " ".join(value.upper().split()))
    found = _FRENCH_DATE.fullmatch("".join(letter for letter in plain if not unicodedata.combining(letter)))
    if found is None or found[2] not in _MONTHS:
        return iso_day(value)
    try:
        return date(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    except ValueError:
        return None


def amount(value: str | None) -> Decimal | None:
    """A number, written with a dot or as "12 500,50" with any kind of space."""
    plain = "".join((value or "").split()).replace(",", ".")
    return Decimal(plain) if _AMOUNT.fullmatch(plain) else None


def paris_timestamp(day: date | None) -> int | None:
    """Unix time of the first instant of that day in Paris.

    A GraphQL `Int` has 32 bits: before 1902 and from 2038 on there is none.
    """
    if day is None or not 1902 <= day.year < 2038:
        return None
    return int(datetime.combine(day, time(), PARIS).timestamp())
