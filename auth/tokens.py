"""From the bearer's token to a `Caller`: signature, then the database, which wins over the claims.

The expiry that a JWT claims is deliberately not read: prolonging a token needs no new one. Verified tokens
are cached by the hash of their text; expiry and revocation are checked on every hit, and any change of rights
in the database makes every worker read them again (see `Tokens.watch`). While the database is away nobody is trusted, but
for public data where the operator says so.
Source: the token chapter of the "API Entreprise" platform facts; RFC 7519.
"""

import asyncio
import contextlib
import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Final

import orjson
from cachetools import LRUCache
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from auth.caller import Caller, Usage
from auth.instants import Clock
from auth.models import Habilitation, Jeton, Version
from auth.scopes import effective, unknown

logger = logging.getLogger(__name__)

LIFETIME_MONTHS = 18
PROLONGATION_WINDOW = timedelta(days=90)
PATIENCE: Final = 5.0
"""Beyond so many seconds, a database that does not answer is one that is away."""
_MAX_TOKEN_LENGTH = 8192
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


@dataclass(eq=False)
class TokenRefused(Exception):
    """No valid token: the request gets this answer and nothing else.

    `code` is for clients to branch on, `code_api` the ecosystem's five digits, `status` the HTTP status.
    """

    message: str
    reason: str
    code_api: str
    status: int = 401
    code: str = "UNAUTHENTICATED"

    def __str__(self) -> str:
        return self.message


def missing() -> TokenRefused:
    return TokenRefused(
        "Jeton absent. Ajoutez l'en-tête « Authorization: Bearer VOTRE_JETON ».", "JETON_ABSENT", "00101"
    )


def malformed() -> TokenRefused:
    return TokenRefused(
        "Jeton mal formé. Copiez-le en entier, sans espace ni guillemet, tel qu'il vous a été remis.",
        "JETON_MAL_FORME",
        "00101",
    )


def bad_signature() -> TokenRefused:
    return TokenRefused(
        "Signature du jeton invalide. Vérifiez qu'il s'agit bien d'un jeton de cet environnement, copié en entier.",
        "JETON_SIGNATURE_INVALIDE",
        "00101",
    )


def unknown_token() -> TokenRefused:
    return TokenRefused(
        "Jeton inconnu. Demandez au demandeur de l'habilitation le jeton en vigueur.", "JETON_INCONNU", "00101"
    )


def wrong_environment() -> TokenRefused:
    return TokenRefused(
        "Ce jeton appartient à un autre environnement (test ou production). Utilisez celui de cet environnement.",
        "JETON_AUTRE_ENVIRONNEMENT",
        "00101",
    )


def expired() -> TokenRefused:
    return TokenRefused(
        "Jeton expiré. Le demandeur de l'habilitation peut en demander un nouveau.", "JETON_EXPIRE", "00103"
    )


def revoked() -> TokenRefused:
    return TokenRefused(
        "Jeton révoqué. Contactez le demandeur de l'habilitation pour obtenir le jeton en vigueur.",
        "JETON_REVOQUE",
        "00105",
    )


def forbidden_address() -> TokenRefused:
    return TokenRefused(
        "Cette adresse IP n'est pas autorisée pour ce jeton. Faites-la ajouter aux adresses de l'habilitation.",
        "ADRESSE_INTERDITE",
        "00107",
        status=403,
        code="FORBIDDEN",
    )


class DatabaseAway(TokenRefused):
    """Not the caller's fault: the store of the tokens can't be reached."""


def unavailable() -> DatabaseAway:
    return DatabaseAway(
        "Les jetons ne peuvent pas être vérifiés pour le moment. Réessayez dans quelques secondes.",
        "VERIFICATION_INDISPONIBLE",
        "00500",
        status=503,
        code="SERVICE_UNAVAILABLE",
    )


def key_of(algorithm: str, material: str) -> Key:
    """The key that signs and verifies tokens: a shared secret (HS…) or a PEM key (RS…, ES…, EdDSA)."""
    if algorithm.startswith("HS"):
        return OctKey.import_key(material)
    if algorithm.startswith(("RS", "PS")):
        return RSAKey.import_key(material)
    if algorithm.startswith("ES"):
        return ECKey.import_key(material)
    return OKPKey.import_key(material)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    revoque_le: datetime | None
    empreinte: str | None
    generation: int = 0
    """What `Tokens` had heard of changes when the row was read."""


class Tokens:
    """The tokens of this environment, as one worker knows them."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        algorithm: str,
        key: Key,
        environment: str,
        known_scopes: frozenset[str],
        clock: Clock,
        public_data_unchecked: bool = False,
    ) -> None:
        """With `public_data_unchecked`, a token that was read before goes on while the database is away (see `Caller.checked`)."""
        self._engine = engine
        self._algorithm = algorithm
        self._key = key
        self._environment = environment
        self._known_scopes = known_scopes
        self._clock = clock
        self._public_data_unchecked = public_data_unchecked
        self._cache: LRUCache[bytes, _Known] = LRUCache(maxsize=10_000)
        self._generation = 0
        self.checked = True
        """Whether the last look at the changes of rights found the database."""
        self._version: int | None = None
        self._watcher: asyncio.Task[None] | None = None

    def sign(self, claims: bytes) -> str:
        """The compact JWT of these claims (JSON)."""
        header = {"alg": self._algorithm, "typ": "JWT"}
        return jws.serialize_compact(header, claims, self._key, algorithms=[self._algorithm])

    async def resolve(self, bearer: str | None, address: str) -> Caller:
        """The caller of a request. Raises `TokenRefused`, with a distinct answer for each cause."""
        if not bearer:
            raise missing()
        digest = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
        known = self._cache.get(digest)
        checked = True
        if known is None or known.generation != self._generation:
            # A right may change while the row is being read: what is read is good for this generation only.
            generation = self._generation
            try:
                found = await self._look_up(self._verified_id(bearer))
            except DatabaseAway:
                if known is None or not self._public_data_unchecked:
                    raise
                checked = False
            else:
                if found.empreinte not in (None, digest.hex()):
                    # Signed with our key, under the id of a token that we issued, and yet not that token.
                    raise bad_signature()
                known = self._cache[digest] = replace(found, generation=generation)
        caller = self._living(known)
        if not checked:
            caller = replace(caller, checked=False)
        if not caller.comes_from_allowed(address):
            raise forbidden_address()
        return caller

    async def still_valid(self, jti: str) -> Caller:
        """The caller of a token that was verified before: whoever a document's link was minted for."""
        return self._living(await self._look_up(jti))

    def _living(self, known: _Known) -> Caller:
        now = self._clock()
        if known.revoque_le is not None and known.revoque_le <= now:
            raise revoked()
        if known.caller.expire_le <= now:
            raise expired()
        return known.caller

    async def _look_up(self, jti: str) -> _Known:
        statement = select(Jeton, Habilitation).join(Habilitation).where(Jeton.id == jti)
        try:
            async with asyncio.timeout(PATIENCE), self._engine.connect() as connection:
                row = (await connection.execute(statement)).mappings().first()
        except (SQLAlchemyError, OSError) as error:
            if self.checked:  # the loss is told once, not by each request
                logger.error("tokens: the database can't be read (%s)", type(error).__name__)
            raise unavailable() from None
        if row is None:
            raise unknown_token()
        scopes = effective(frozenset(row[Habilitation.scopes.name]))
        caller = Caller(
            jeton=jti,
            habilitation=row["habilitation_id"],
            siret=row["siret"],
            intitule=row["intitule"],
            usage=Usage(row["usage"]),
            scopes=scopes,
            unknown_scopes=unknown(scopes, self._known_scopes),
            emis_le=row["emis_le"],
            expire_le=row["expire_le"],
            networks=tuple(ip_network(text, strict=False) for text in row["adresses"]),
            quota_par_minute=row["quota_par_minute"],
        )
        return _Known(caller, row["revoque_le"], row["empreinte"])

    def _verified_id(self, bearer: str) -> str:
        if len(bearer) > _MAX_TOKEN_LENGTH or not bearer.isascii() or bearer.count(".") != 2:
            raise malformed()
        try:
            verified = jws.deserialize_compact(bearer.encode(), self._key, algorithms=[self._algorithm])
        except (JoseError, ValueError) as error:
            raise (bad_signature() if _is_signed_by_another(error) else malformed()) from None
        claims = _claims(verified.payload)
        jti, uid = claims.get("jti"), claims.get("uid")
        if not (isinstance(jti, str) and isinstance(uid, str) and _UUID.match(jti) and _UUID.match(uid)):
            raise malformed()
        environment = claims.get("env", self._environment)
        if claims.get("sub") == "staging" and self._environment == "production":
            environment = "staging"
        if environment != self._environment:
            raise wrong_environment()
        return jti

    # --- Changes of rights ------------------------------------------------------------------------

    def forget(self) -> None:
        """The next request of each token reads the database."""
        self._generation += 1

    async def watch(self, every: timedelta) -> None:
        """Empty the cache whenever any process changes a right: bites within `every` on each worker."""
        self._watcher = asyncio.create_task(self._poll(every.total_seconds()))

    async def _poll(self, seconds: float) -> None:
        while True:
            try:
                async with asyncio.timeout(PATIENCE), self._engine.connect() as connection:
                    version = (await connection.execute(select(Version.numero))).scalar_one_or_none()
                self.checked = True
            except (SQLAlchemyError, OSError) as error:
                # Not knowing whether a token was revoked is a reason to ask again, not to go on trusting.
                if self.checked:
                    logger.warning("tokens: changes can't be read (%s)", type(error).__name__)
                self.checked = False
                version = None
                self.forget()
            if version != self._version:
                self._version = version
                self.forget()
            await asyncio.sleep(seconds)

    async def close(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher


async def rights_changed(connection: AsyncConnection) -> None:
    """To call inside every transaction that changes a token, its scopes, its addresses or its quota."""
    await connection.execute(update(Version).values(numero=Version.numero + 1))


def fingerprint(text: str) -> str:
    """What is kept of a token that we issued."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_signed_by_another(error: Exception) -> bool:
    return type(error).__name__ == "BadSignatureError"


def _claims(payload: bytes) -> dict[str, object]:
    try:
        claims = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise malformed() from None
    if not isinstance(claims, dict):
        raise malformed()
    return claims


def scope_list(scopes: Iterable[str]) -> list[str]:
    """Scopes as they are stored and shown: sorted, without doubles."""
    return sorted(set(scopes))
