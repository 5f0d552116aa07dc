"""The wire of Banque de France: a body that may still be compressed, and strings that stand for numbers.

Source: Banque de France, service of the last balance sheets (FIBEN).
"""

import re
import zlib
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import orjson

from providers.errors import Unreadable

Json = dict[str, Any]

MAX_BYTES: Final = 2_000_000
"""Three balance sheets weigh some ten kilobytes."""

_GZIP: Final = b"\x1f\x8b"
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{0,30})?")
_LENGTH: Final = re.compile(r"[0-9]{1,3}")
_MONTH: Final = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])")
_CENT: Final = Decimal("0.01")


def json_object(content: bytes) -> Json:
    """The JSON object of a body, even when it comes compressed without a word of it in the headers."""
    try:
        answer = orjson.loads(_decompressed(content) if content.startswith(_GZIP) else content)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if not isinstance(answer, dict):
        raise Unreadable
    return answer


def _decompressed(content: bytes) -> bytes:
    """At most `MAX_BYTES` of a gzip stream: a cut or an endless one is not an answer."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = stream.decompress(content, MAX_BYTES)
    except zlib.error:
        raise Unreadable from None
    if not stream.eof:
        raise Unreadable
    return plain


def text(item: Json, name: str) -> str:
    """The string under that key; nothing at all reads as an empty one."""
    value = item.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unreadable
    # Every value is documented as a string; a bare number says the same.
    return "".join(str(value).split())


def demanded(item: Json, name: str) -> str:
    """The same, of a key that every balance sheet has."""
    if item.get(name) is None:
        raise Unreadable
    return text(item, name)


def euros(kilo_euros: str) -> Decimal | None:
    """Euros of an amount in whole thousands of euros; nothing known is not zero."""
    if not kilo_euros:
        return None
    if not _WHOLE.fullmatch(kilo_euros):
        raise Unreadable
    return Decimal(int(kilo_euros) * 1000)


def percentage(written: str) -> float | None:
    """A change or a ratio, with a dot or a comma, to two decimals; empty or `-` when it can't be computed."""
    number = written.removesuffix("%").replace(",", ".")
    if number in ("", "-"):
        return None
    if not _NUMBER.fullmatch(number):
        raise Unreadable
    # Adding zero leaves no "-0.0" of a small decrease.
    return float(Decimal(number).quantize(_CENT, ROUND_HALF_UP)) + 0.0


def months(written: str) -> int | None:
    """A length in months; nothing else depends on it, so that nonsense counts as unknown."""
    return int(written) if _LENGTH.fullmatch(written) else None


def closing_month(written: str) -> tuple[str, str]:
    """Year and month of a closing date written `YYYYMM`."""
    if not _MONTH.fullmatch(written):
        raise Unreadable
    return written[:4], written[4:]
