"""The life of a token after its issue: shown, prolonged, revoked. The token itself never changes.

Source: the token life cycle of the "API Entreprise" platform: 18 months, prolonged in the last 90 days.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.contacts import Person, Role
from auth.instants import months_later
from auth.models import Contact, Habilitation, Jeton, Prolongation, Rappel
from auth.tokens import LIFETIME_MONTHS, PROLONGATION_WINDOW, rights_changed


class State(StrEnum):
    """How a token stands. The values are what the operator reads."""

    ACTIF = "actif"
    A_REMETTRE = "à remettre"
    """Granted by the habilitation service; nobody has been shown it yet."""
    EXPIRE = "expiré"
    REVOQUE = "révoqué"
    REVOCATION_PROGRAMMEE = "révocation programmée"


class LifeRefused(Exception):
    """The token can't be changed that way; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """One token with its habilitation, as the operator reads them."""

    jeton: str
    habilitation: str
    siret: str
    intitule: str
    procedure: str
    fondement: str
    usage: str
    etat_habilitation: str
    scopes: tuple[str, ...]
    adresses: tuple[str, ...]
    quota_par_minute: int | None
    emis_le: datetime
    expire_le: datetime
    revoque_le: datetime | None
    remis: bool

    def state(self, now: datetime) -> State:
        if self.revoque_le is not None and self.revoque_le <= now:
            return State.REVOQUE
        if self.expire_le <= now:
            return State.EXPIRE
        if self.revoque_le is not None:
            return State.REVOCATION_PROGRAMMEE
        return State.ACTIF if self.remis else State.A_REMETTRE

    def days_left(self, now: datetime) -> int:
        return (self.expire_le - now).days


_CARDS = select(
    Jeton.id.label("jeton"), Jeton.emis_le, Jeton.expire_le, Jeton.revoque_le, Jeton.empreinte,
    Habilitation.id.label("habilitation"), Habilitation.siret, Habilitation.intitule, Habilitation.procedure,
    Habilitation.fondement, Habilitation.usage, Habilitation.etat, Habilitation.scopes, Habilitation.adresses,
    Habilitation.quota_par_minute,
).join(Habilitation, Jeton.habilitation_id == Habilitation.id)  # fmt: skip


async def cards(connection: AsyncConnection, *, habilitation: str | None = None) -> list[Card]:
    """Every token, those that expire first on top."""
    statement = _CARDS.order_by(Jeton.expire_le, Jeton.id)
    if habilitation is not None:
        statement = statement.where(Habilitation.id == habilitation)
    return [_card(row) for row in (await connection.execute(statement)).mappings()]


async def card(connection: AsyncConnection, jeton: str) -> Card:
    """One token. Raises `LifeRefused` when there is none of that id."""
    row = (await connection.execute(_CARDS.where(Jeton.id == jeton))).mappings().first()
    if row is None:
        raise LifeRefused("Aucun jeton de cet identifiant. « graphe jetons lister » les montre tous.")
    return _card(row)


def _card(row: object) -> Card:
    values = dict(row)  # type: ignore[call-overload]  # SQLAlchemy's rows are mappings, said too loosely for the checker
    return Card(
        **{name: values[name] for name in _SAME},
        etat_habilitation=values["etat"],
        scopes=tuple(values["scopes"]),
        adresses=tuple(values["adresses"]),
        remis=values["empreinte"] is not None,
    )


_SAME = (
    "jeton", "habilitation", "siret", "intitule", "procedure", "fondement", "usage", "quota_par_minute", "emis_le",
    "expire_le", "revoque_le",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What happened to a token, and whom its habilitation names."""

    contacts: tuple[Person, ...]
    prolongations: tuple[tuple[datetime, datetime, datetime], ...]
    """(when, former expiry, new expiry)"""
    rappels: tuple[tuple[datetime, int, str], ...]
    """(when, threshold in days, role of the contact)"""


async def history(connection: AsyncConnection, shown: Card) -> History:
    people = await connection.execute(
        select(Contact.role, Contact.nom, Contact.courriel)
        .where(Contact.habilitation_id == shown.habilitation, Contact.retire_le.is_(None))
        .order_by(Contact.role)
    )
    longer = await connection.execute(
        select(Prolongation.le, Prolongation.ancienne, Prolongation.nouvelle)
        .where(Prolongation.jeton_id == shown.jeton)
        .order_by(Prolongation.le)
    )
    reminded = await connection.execute(
        select(Rappel.envoye_le, Rappel.jours, Contact.role)
        .join(Contact, Rappel.contact_id == Contact.id)
        .where(Rappel.jeton_id == shown.jeton)
        .order_by(Rappel.envoye_le)
    )
    return History(
        contacts=tuple(Person(Role(role), nom, courriel) for role, nom, courriel in people),
        prolongations=tuple((when, before, after) for when, before, after in longer),
        rappels=tuple((when, days, role) for when, days, role in reminded),
    )


async def prolong(connection: AsyncConnection, jeton: str, now: datetime, *, whenever: bool = False) -> datetime:
    """Make a token live 18 months from now; gives its new expiry. Raises `LifeRefused`.

    `whenever` is for a habilitation that was validated again: it prolongs at any time, even an expired token.
    """
    shown = await card(connection, jeton)
    if shown.revoque_le is not None:
        raise LifeRefused("Un jeton révoqué, ou dont la révocation est programmée, ne se prolonge pas.")
    if not whenever:
        if shown.expire_le <= now:
            raise LifeRefused("Ce jeton a expiré : l'habilitation doit être validée de nouveau pour le prolonger.")
        opening = shown.expire_le - PROLONGATION_WINDOW
        if now < opening:
            raise LifeRefused(
                f"Un jeton se prolonge dans ses {PROLONGATION_WINDOW.days} derniers jours : "
                f"celui-ci à partir du {opening:%d/%m/%Y}."
            )
    until = max(months_later(now, LIFETIME_MONTHS), shown.expire_le)
    await connection.execute(update(Jeton).where(Jeton.id == jeton).values(expire_le=until))
    await connection.execute(
        insert(Prolongation).values(jeton_id=jeton, le=now, ancienne=shown.expire_le, nouvelle=until)
    )
    await rights_changed(connection)
    return until


async def revoke(connection: AsyncConnection, jeton: str, at: datetime, now: datetime) -> datetime:
    """Refuse a token from `at` on, which may lie ahead; an earlier revocation stands. Gives the instant that holds."""
    shown = await card(connection, jeton)
    if shown.revoque_le is not None and shown.revoque_le <= now:
        return shown.revoque_le
    await connection.execute(update(Jeton).where(Jeton.id == jeton).values(revoque_le=at))
    await rights_changed(connection)
    return at


async def revoke_all(connection: AsyncConnection, habilitation: str, now: datetime) -> int:
    """Refuse every token of a habilitation from now on; gives how many were alive."""
    living = [
        shown.jeton
        for shown in await cards(connection, habilitation=habilitation)
        if shown.revoque_le is None or shown.revoque_le > now
    ]
    await connection.execute(update(Jeton).where(Jeton.id.in_(living)).values(revoque_le=now))
    await rights_changed(connection)
    return len(living)


def expiring_soon(expire_le: datetime, now: datetime) -> bool:
    """Whether a token is in the days in which its owner should prolong it."""
    return expire_le - now < timedelta(days=PROLONGATION_WINDOW.days)
