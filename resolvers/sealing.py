"""What leaves the process for a shared store: compressed, encrypted, and under names that say nothing of whom.

A sealed value is bound to the name that it is stored under: moved under another, it does not open.
"""

import hashlib
import hmac
import os
import zlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE: Final = 12
_LEVEL: Final = 1
_LARGEST: Final = 64_000_000
"""No value of ours inflates to more."""


class Seal:
    """The keys derived from the service's secret: one to encrypt, one to name."""

    def __init__(self, secret: str) -> None:
        self._cipher = AESGCM(_derived(secret, b"graphe shared values"))
        self._naming = _derived(secret, b"graphe shared names")

    def close(self, name: str, plain: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, zlib.compress(plain, _LEVEL), name.encode())

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """The value, or `None` for one that is not ours, not of this name, or damaged."""
        try:
            packed = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
            inflater = zlib.decompressobj()
            plain = inflater.decompress(packed, _LARGEST)
        except (InvalidTag, ValueError, zlib.error):
            return None
        return plain if inflater.eof else None

    def digest(self, text: str) -> str:
        """A name that does not show what it names: a SIREN may be a person's."""
        return hmac.digest(self._naming, text.encode(), "sha256").hex()[:40]


def _derived(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())


def digest_of(text: str) -> str:
    """A short fingerprint of a text that hides nothing: the shape of a type."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
