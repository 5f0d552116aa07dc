"""The files that providers deliver: kept in an object store for their declared life, read as a stream.

A document's id is stable: the hash of its content. Its link is minted when it is read, for the token that
reads it, and ends with the document's life. Stored through obstore: a local folder or any S3-compatible store.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec
import obstore
import strawberry
from itsdangerous import BadSignature, URLSafeSerializer
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from auth.instants import Clock
from providers.declaration import File
from providers.errors import Unavailable
from providers.record import Document, DocumentDistant
from resolvers.sealing import Seal


class LinkRefused(Exception):
    """The link isn't one of ours, or its life is over. `expired` tells which."""

    def __init__(self, message: str, *, expired: bool) -> None:
        super().__init__(message)
        self.expired = expired


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What a signed link says: which document, whose token, of which subject and dataset, until when."""

    document: str
    name: str
    media_type: str
    token: str
    subject: str
    dataset: str
    until: datetime


class RemoteClaims(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What the link to a file that stays at its provider says."""

    document: str
    name: str
    media_type: str
    token: str
    subject: str
    dataset: str
    reference: str
    recipient: str
    until: int


REMOTE_LIFE: Final = timedelta(hours=1)
_REMOTE: Final = "documents distants"


class Documents:
    """The store of documents of this service."""

    def __init__(self, url: str, *, secret: str, base_url: str, clock: Clock) -> None:
        self._store = _open(url)
        self._serializer = URLSafeSerializer(secret, salt="documents")
        self._seal = Seal(secret)
        self._base_url = base_url
        self._clock = clock

    async def keep(self, file: File, *, subject: str, dataset: str) -> Document:
        """Store a file that a provider delivered. Raises `Unavailable` when the store does not answer."""
        digest = hashlib.sha256(file.content).hexdigest()
        try:
            await obstore.put_async(self._store, digest, file.content)
        except (BaseError, OSError) as error:
            raise Unavailable("Le dépôt des documents est momentanément indisponible.", code_api="00502") from error
        return Document(
            id=strawberry.ID(digest),
            nom=file.name,
            type=file.media_type,
            taille=len(file.content),
            sha256=digest,
            expire_le=self._clock() + file.kept_for,
            sujet=subject,
            jeu_de_donnees=dataset,
        )

    def link(self, document: Document, *, token: str) -> str:
        """A signed link to a document, valid for its remaining life, traced to the token that reads it."""
        until = int(document.expire_le.timestamp())
        claims = [document.id, document.nom, document.type, token, document.sujet, document.jeu_de_donnees, until]
        return f"{self._base_url}/documents/{self._serializer.dumps(claims)}"

    def read_link(self, signed: str) -> Link:
        """What a link says. Raises `LinkRefused`."""
        try:
            document, name, media_type, token, subject, dataset, until = self._serializer.loads(signed)
        except (BadSignature, ValueError, TypeError):
            raise LinkRefused("Ce lien n'est pas valable : redemandez-le par une requête.", expired=False) from None
        if self._serializer.dumps([document, name, media_type, token, subject, dataset, until]) != signed:
            # The decoding is lenient; a link is the one that was given, to the letter.
            raise LinkRefused("Ce lien n'est pas valable : redemandez-le par une requête.", expired=False)
        expiry = datetime.fromtimestamp(until, tz=self._clock().tzinfo)
        if expiry <= self._clock():
            raise LinkRefused("Ce lien a expiré : redemandez le document par une requête.", expired=True)
        return Link(
            document=document,
            name=name,
            media_type=media_type,
            token=token,
            subject=subject,
            dataset=dataset,
            until=expiry,
        )

    def remote_link(self, document: DocumentDistant, *, token: str, recipient: str) -> str:
        """A signed link to a file that stays at its provider, valid for one hour, traced to the token that reads it.

        What the provider needs to be asked again travels encrypted: it may be an address with a secret of its own.
        """
        until = int((self._clock() + REMOTE_LIFE).timestamp())
        claims = RemoteClaims(
            document=document.id,
            name=document.nom,
            media_type=document.type,
            token=token,
            subject=document.sujet,
            dataset=document.jeu_de_donnees,
            reference=document.reference,
            recipient=recipient,
            until=until,
        )
        sealed = self._seal.close(_REMOTE, msgspec.msgpack.encode(claims))
        return f"{self._base_url}/documents/distants/{urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def read_remote_link(self, sealed: str) -> RemoteClaims:
        """What such a link says. Raises `LinkRefused`."""
        try:
            plain = self._seal.open(_REMOTE, urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
        except ValueError:
            plain = None
        if (
            plain is None
            or urlsafe_b64encode(urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))).decode().rstrip("=") != sealed
        ):
            raise LinkRefused("Ce lien n'est pas valable : redemandez-le par une requête.", expired=False)
        claims = msgspec.msgpack.decode(plain, type=RemoteClaims)
        if claims.until <= self._clock().timestamp():
            raise LinkRefused("Ce lien a expiré : redemandez le document par une requête.", expired=True)
        return claims

    async def stream(self, document_id: str) -> tuple[int, AsyncIterator[bytes]]:
        """Size and content of a document, chunk by chunk. Raises `LookupError` when it is gone, `Unavailable`."""
        try:
            result = await obstore.get_async(self._store, document_id)
        except (NotFoundError, FileNotFoundError):
            raise LookupError(document_id) from None
        except (BaseError, OSError) as error:
            raise Unavailable("Le dépôt des documents est momentanément indisponible.", code_api="00502") from error

        async def chunks() -> AsyncIterator[bytes]:
            async for chunk in result.stream():
                yield bytes(chunk)

        return result.meta["size"], chunks()


def _open(url: str) -> ObjectStore:
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        folder.mkdir(parents=True, exist_ok=True)
        return LocalStore(folder)
    return from_url(url)
