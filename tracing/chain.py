"""The chain of the journal: pure functions over rows and seals, no database.

Each writer chains its links: the digest of a link covers the one before, its position and its content. From time to
time the head of a writer's chain is sealed: seals form one chain for all writers, each signed with Ed25519. A
purge leaves in the chain, as an entry, the runs of links it removed and the digest of the last of each.
"""

import hashlib
import struct
from dataclasses import dataclass, replace

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_sha256 = hashlib.sha256
_origin_position = struct.Struct(">cq").pack
_entry_position = struct.Struct(">cqqq").pack
_encode = msgspec.json.Encoder().encode

NO_SEAL = bytes(32)


def genesis(writer: int) -> bytes:
    """What the first link of a writer follows."""
    return _sha256(b"graphe journal 1 %d" % writer).digest()


def origin_digest(previous: bytes, rang: int, payload: bytes) -> bytes:
    return _sha256(previous + _origin_position(b"O", rang) + payload).digest()


def entry_digest(previous: bytes, rang: int, origine: int, demande: int, payload: bytes) -> bytes:
    return _sha256(previous + _entry_position(b"E", rang, origine, demande) + payload).digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Seal:
    """The head of one writer's chain at an instant, signed, after the seal before.

    `rang` is the last link covered and `tete` its digest; after a `final` seal the writer has no more links.
    `cle` names the public key; it and the signature are empty when the journal has no key.
    """

    numero: int
    rang: int
    tete: bytes
    instant: int
    final: bool
    precedent: bytes
    cle: str
    signature: bytes

    @property
    def message(self) -> bytes:
        """What is signed."""
        return _encode(
            (
                self.numero,
                self.rang,
                self.tete.hex(),
                self.instant,
                self.final,
                self.precedent.hex(),
                self.cle,
            )
        )

    @property
    def digest(self) -> bytes:
        return _sha256(self.message + self.signature).digest()


def key_name(public_key: bytes) -> str:
    """A short name of a public key, to find it among those of several years."""
    return _sha256(public_key).hexdigest()[:16]


def next_seal(
    last: Seal | None, *, rang: int, tete: bytes, instant: int, final: bool, key: Ed25519PrivateKey | None
) -> Seal:
    seal = Seal(
        numero=1 if last is None else last.numero + 1,
        rang=rang,
        tete=tete,
        instant=instant,
        final=final,
        precedent=NO_SEAL if last is None else last.digest,
        cle="" if key is None else key_name(key.public_key().public_bytes_raw()),
        signature=b"",
    )
    return seal if key is None else replace(seal, signature=key.sign(seal.message))


def signature_holds(seal: Seal, public_key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(seal.signature, seal.message)
    except InvalidSignature:
        return False
    return True
