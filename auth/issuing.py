"""Habilitations and their tokens: created here, signed once, stored as a hash only.

Source: the token life cycle of the "API Entreprise" platform: 18 months, one habilitation per procedure.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

import orjson
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.caller import Usage
from auth.contacts import Person, replace_contacts
from auth.instants import months_later
from auth.lifecycle import LifeRefused, State, card
from auth.models import Habilitation, Jeton
from auth.tokens import LIFETIME_MONTHS, Tokens, fingerprint, rights_changed, scope_list


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    """A new token. `text` is shown once: only its hash is kept."""

    jeton: str
    habilitation: str
    text: str
    expire_le: datetime


async def grant(
    connection: AsyncConnection,
    *,
    siret: str,
    intitule: str,
    usage: Usage,
    scopes: Iterable[str],
    now: datetime,
    procedure: str = "",
    fondement: str = "",
    addresses: Iterable[str] = (),
    quota_par_minute: int | None = None,
    contacts: Iterable[Person] = (),
    datapass_id: str | None = None,
    habilitation_id: str | None = None,
) -> str:
    """Create a habilitation; gives its id."""
    identifier = habilitation_id or str(uuid.uuid4())
    await connection.execute(
        insert(Habilitation).values(
            id=identifier,
            siret=siret,
            intitule=intitule,
            procedure=procedure,
            fondement=fondement,
            usage=usage.value,
            etat="active",
            scopes=scope_list(scopes),
            adresses=[str(ip_network(address, strict=False)) for address in addresses],
            quota_par_minute=quota_par_minute,
            datapass_id=datapass_id,
            creee_le=now,
        )
    )
    await replace_contacts(connection, identifier, contacts, now)
    return identifier


async def issue(
    connection: AsyncConnection,
    tokens: Tokens,
    *,
    habilitation: str,
    intitule: str,
    scopes: Iterable[str],
    now: datetime,
) -> Issued:
    """Sign a token of a habilitation, valid 18 months."""
    jti = await open_token(connection, habilitation=habilitation, now=now)
    text = _signed(tokens, jti, intitule, scopes, now, months_later(now, LIFETIME_MONTHS))
    await connection.execute(update(Jeton).where(Jeton.id == jti).values(empreinte=fingerprint(text)))
    await rights_changed(connection)
    return Issued(jeton=jti, habilitation=habilitation, text=text, expire_le=months_later(now, LIFETIME_MONTHS))


async def open_token(connection: AsyncConnection, *, habilitation: str, now: datetime) -> str:
    """A token that nobody has been shown yet: its row alone, to be handed over by `hand_over`."""
    jti = str(uuid.uuid4())
    await connection.execute(
        insert(Jeton).values(
            id=jti, habilitation_id=habilitation, emis_le=now, expire_le=months_later(now, LIFETIME_MONTHS)
        )
    )
    return jti


async def hand_over(connection: AsyncConnection, tokens: Tokens, jeton: str, now: datetime) -> Issued:
    """Sign the token that a habilitation's validation opened, and give it: once. Raises `LifeRefused`."""
    shown = await card(connection, jeton)
    if shown.state(now) is not State.A_REMETTRE:
        raise LifeRefused(
            "Ce jeton a déjà été remis, ou n'est plus valable : il n'est conservé nulle part. "
            "« graphe jetons emettre --habilitation » en crée un autre."
        )
    text = _signed(tokens, jeton, shown.intitule, shown.scopes, shown.emis_le, shown.expire_le)
    statement = update(Jeton).where(Jeton.id == jeton, Jeton.empreinte.is_(None)).values(empreinte=fingerprint(text))
    if (await connection.execute(statement)).rowcount != 1:
        raise LifeRefused("Ce jeton vient d'être remis à quelqu'un d'autre.")
    await rights_changed(connection)
    return Issued(jeton=jeton, habilitation=shown.habilitation, text=text, expire_le=shown.expire_le)


def _signed(tokens: Tokens, jti: str, intitule: str, scopes: Iterable[str], issued: datetime, until: datetime) -> str:
    claims = {
        "uid": jti,
        "jti": jti,
        "scopes": scope_list(scopes),
        "sub": intitule,
        "iat": int(issued.timestamp()),
        "exp": int(until.timestamp()),
        "version": "1.0",
    }
    return tokens.sign(orjson.dumps(claims))
