"""The Ed25519 keys that sign the seals of the journal: as an operator keeps them, as the chain uses them."""

import base64
import binascii
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

_SIZE: Final = 32


class InvalidKey(ValueError):
    """Not an Ed25519 key; the message, in French, never repeats it."""


def generate() -> tuple[str, str]:
    """A new private key and its public key, in base64."""
    private = Ed25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def private_key(text: str) -> bytes | None:
    """The 32 bytes of a private key, in base64 or PEM; none of an empty text. Raises `InvalidKey`."""
    if not text.strip():
        return None
    if "-----BEGIN" in text:
        try:
            # An environment variable often carries its line ends escaped.
            found = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            found = None
        if not isinstance(found, Ed25519PrivateKey):
            raise InvalidKey("La clé du journal n'est pas une clé privée Ed25519 au format PEM, sans mot de passe.")
        return found.private_bytes_raw()
    return _decoded(text, "La clé du journal doit être une clé privée Ed25519 : 32 octets en base64, ou PEM.")


def public_key(text: str) -> bytes:
    """The 32 bytes of a public key, in base64, PEM, or a file that holds one. Raises `InvalidKey`."""
    if "-----BEGIN" not in text and (path := Path(text)).is_file():
        text = path.read_text(encoding="utf-8", errors="replace")
    if "-----BEGIN" in text:
        try:
            found = load_pem_public_key(text.encode())
        except (ValueError, TypeError, UnsupportedAlgorithm):
            found = None
        if not isinstance(found, Ed25519PublicKey):
            raise InvalidKey("Ce n'est pas une clé publique Ed25519 au format PEM.")
        return found.public_bytes_raw()
    return _decoded(text, "Une clé publique Ed25519 : 32 octets en base64, ou un fichier PEM.")


def public_key_of(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _decoded(text: str, message: str) -> bytes:
    try:
        found = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != _SIZE:
        raise InvalidKey(message)
    return found


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
