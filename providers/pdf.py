"""A document that a provider delivers as a PDF: what every room checks before it is one, and the file that it becomes."""

import base64
import binascii
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

import httpx

from providers.declaration import Access, Call, Delivered, File, Http, NotKept, Source, Timeouts
from providers.errors import Unreadable

K = TypeVar("K")
R = TypeVar("R")

MAGIC: Final = b"%PDF-"
MAX_BYTES: Final = 15_000_000
"""The largest certificate that is read: real ones weigh some hundreds of kilobytes."""


def is_pdf(content: bytes) -> bool:
    """By its first bytes: no provider's declared type is to be trusted."""
    return content.startswith(MAGIC)


def pdf_file(content: bytes, *, name: str, kept_for: timedelta, producer: str) -> File:
    """The file of a document, named to those who download it; `producer` is how the messages name who sent it."""
    if not content:
        raise Unreadable(f"{producer} a remis un document vide.", "056")
    if not is_pdf(content):
        raise Unreadable(f"{producer} a remis un document qui n'est pas un PDF.", "055")
    return File(content=content, name=name, media_type="application/pdf", kept_for=kept_for)


def strict_base64(encoded: bytes | str) -> bytes | None:
    """The bytes behind base64 without blank nor line break, exactly padded; `None` for anything else."""
    if isinstance(encoded, str):
        if not encoded.isascii():
            return None
        encoded = encoded.encode()
    if encoded.endswith(b"==="):  # Python's own check lets too much padding through
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None


def certificate_source(
    id_: str,
    call: Callable[[K, Access], Call],
    parse: Callable[[httpx.Response, K], R | Delivered[R]],
    *,
    max_bytes: int,
) -> Source[K, R]:
    """A certificate, or the verdict in its place: asked one at a time, and again each time, since it may change any day."""
    return Source(
        id=id_,
        how=Http(call=call, parse=parse, bulk=None, steps=1),
        timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
        life=NotKept(),
        not_found_life=NotKept(),
        completion=None,
        max_bytes=max_bytes,
    )
