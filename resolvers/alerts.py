"""Answers of providers that we can't read: told to the operator with their shape, and none of their values."""

import codecs
import logging
import re
from typing import Final

import httpx

logger = logging.getLogger(__name__)

_SHOWN: Final = 200


_KINDS: Final = ((b"\x1f\x8b", "gzip"), (b"PK\x03\x04", "zip"), (b"%PDF-", "pdf"))
_NOT_OF_A_TEXT: Final = re.compile(r"[^\S \t\r\n]|[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def redacted(content: bytes) -> str:
    """The outline of a text: letters are `a`, digits `9`; punctuation and the first bytes' order stay.

    Of anything but UTF-8 text, only what kind of file it is: its bytes may be values, and nobody could read them.
    """
    kind = next((name for start, name in _KINDS if content.startswith(start)), None)
    try:
        # Incremental: the last character may be cut in two by the bound.
        text = codecs.getincrementaldecoder("utf-8")().decode(content[:_SHOWN], final=len(content) <= _SHOWN)
    except UnicodeDecodeError:
        text = "\0"
    if kind is not None or _NOT_OF_A_TEXT.search(text):
        return f"<{kind or 'not UTF-8 text'}>"
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "a", text)).replace("\n", " ").replace("\r", " ")


def unreadable(provider: str, response: httpx.Response) -> None:
    """An answer has none of the documented forms: the team must look at it."""
    logger.error(
        "alert: %s answered something unreadable: status %s, %s, %s bytes, outline %r",
        provider,
        response.status_code,
        response.headers.get("content-type", "no type").partition(";")[0][:60],
        len(response.content),
        redacted(response.content),
    )
