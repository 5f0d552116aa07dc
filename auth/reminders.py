"""Letters that warn of a token's end: 90, 60, 30, 15, 7 and 0 days before, once each per contact.

A threshold is claimed in the database before its letter leaves: two schedulers, a second run or a clock that goes
back can't send it twice; a letter that could not leave gives its claim back. Nothing is made up for afterwards: a
contact is told the present count, never an old one. A prolongation starts a new series, a revocation ends it.
Source: the reminder rules of the "API Entreprise" platform, as documented.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from auth.mailer import Letter, Mailer, NotSent
from auth.models import Contact, Habilitation, Jeton, Rappel

logger = logging.getLogger(__name__)

THRESHOLDS: Final = (90, 60, 30, 15, 7, 0)
_SILENT_AFTER: Final = 15
"""Days after the expiry from which nobody is written to any more."""
_PARIS: Final = ZoneInfo("Europe/Paris")
_ROLES: Final = ("demandeur", "technique", "metier")


def days_left(expire_le: datetime, now: datetime) -> int:
    """Calendar days in Paris between today and the day of expiry: 0 on that day, negative after it."""
    return (_day(expire_le) - _day(now)).days


def _day(instant: datetime) -> date:
    return instant.astimezone(_PARIS).date()


def due(left: int, sent: Iterable[int]) -> int | None:
    """The threshold to tell now, with so many days left and these already told; `None` when there is none.

    Only the present one: those that were missed, or that a clock set back would bring again, stay untold.
    """
    present = min((threshold for threshold in THRESHOLDS if left <= threshold), default=None)
    if present is None or left < -_SILENT_AFTER or any(threshold <= present for threshold in sent):
        return None
    return present


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminder:
    """One letter to send."""

    jeton: str
    contact: str
    courriel: str
    role: str
    intitule: str
    expire_le: datetime
    jours: int
    restants: int


async def pending(connection: AsyncConnection, now: datetime) -> list[Reminder]:
    """The letters that should leave now."""
    statement = (
        select(
            Jeton.id.label("jeton"), Jeton.expire_le, Habilitation.intitule,
            Contact.id.label("contact"), Contact.courriel, Contact.role,
        )
        .join(Habilitation, Jeton.habilitation_id == Habilitation.id)
        .join(Contact, Contact.habilitation_id == Habilitation.id)
        .where(
            Jeton.revoque_le.is_(None),
            Habilitation.etat == "active",
            Contact.retire_le.is_(None),
            Jeton.expire_le < now + timedelta(days=THRESHOLDS[0] + 1),
            Jeton.expire_le > now - timedelta(days=_SILENT_AFTER + 1),
        )
    )  # fmt: skip
    rows = (await connection.execute(statement)).mappings().all()
    told = await _told(connection, {row["jeton"] for row in rows})
    found: list[Reminder] = []
    seen: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda row: (row["jeton"], _ROLES.index(row["role"]))):
        # Somebody who holds two roles is one person: one letter.
        person = (row["jeton"], row["courriel"].casefold())
        left = days_left(row["expire_le"], now)
        threshold = due(left, told.get((*person, row["expire_le"]), ()))
        if threshold is None or person in seen:
            continue
        seen.add(person)
        found.append(Reminder(**row, jours=threshold, restants=left))
    return found


async def _told(connection: AsyncConnection, tokens: set[str]) -> dict[tuple[str, str, datetime], set[int]]:
    statement = (
        select(Rappel.jeton_id, Rappel.expire_le, Rappel.jours, Contact.courriel)
        .join(Contact, Rappel.contact_id == Contact.id)
        .where(Rappel.jeton_id.in_(tokens))
    )
    told: dict[tuple[str, str, datetime], set[int]] = {}
    for token, expiry, days, address in await connection.execute(statement):
        told.setdefault((token, address.casefold(), expiry), set()).add(days)
    return told


@dataclass(frozen=True, slots=True)
class Sent:
    """What one run did."""

    reminders: tuple[Reminder, ...]
    failed: tuple[Reminder, ...]


async def remind(engine: AsyncEngine, mailer: Mailer, now: datetime) -> Sent:
    """Send every letter that is due. Those that could not leave are tried again by the next run."""
    async with engine.connect() as connection:
        wanted = await pending(connection, now)
    sent: list[Reminder] = []
    failed: list[Reminder] = []
    for reminder in wanted:
        if not await _claim(engine, reminder, now):
            continue
        try:
            await mailer.send(letter_of(reminder))
        except NotSent as error:
            logger.warning("reminders: a letter about token %s could not leave (%s)", reminder.jeton, error)
            await _release(engine, reminder)
            failed.append(reminder)
        else:
            sent.append(reminder)
    return Sent(tuple(sent), tuple(failed))


async def _claim(engine: AsyncEngine, reminder: Reminder, now: datetime) -> bool:
    """Whether this letter is ours to send: somebody else may have claimed it meanwhile."""
    try:
        async with engine.begin() as connection:
            await connection.execute(
                insert(Rappel).values(
                    jeton_id=reminder.jeton,
                    contact_id=reminder.contact,
                    expire_le=reminder.expire_le,
                    jours=reminder.jours,
                    envoye_le=now,
                )
            )
    except IntegrityError:
        return False
    return True


async def _release(engine: AsyncEngine, reminder: Reminder) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            delete(Rappel).where(
                Rappel.jeton_id == reminder.jeton,
                Rappel.contact_id == reminder.contact,
                Rappel.expire_le == reminder.expire_le,
                Rappel.jours == reminder.jours,
            )
        )


def letter_of(reminder: Reminder) -> Letter:
    """What the contact reads. It names the habilitation, never the token."""
    day = f"{reminder.expire_le.astimezone(_PARIS):%d/%m/%Y}"
    left = reminder.restants
    if left < 0:
        subject = f"Votre jeton a expiré le {day}"
    elif left == 0:
        subject = "Votre jeton expire aujourd'hui"
    else:
        subject = f"Votre jeton expire dans {left} jour{'s' if left > 1 else ''}"
    who = (
        "Vous pouvez le prolonger de 18 mois : c'est le même jeton qui continue, rien n'est à changer dans vos logiciels."
        if reminder.role == "demandeur"
        else "Seul le demandeur de l'habilitation peut le prolonger : assurez-vous qu'il le fasse."
    )
    text = (
        "Bonjour,\n\n"
        f"Le jeton de l'habilitation « {reminder.intitule} » {'a expiré' if left < 0 else 'expire'} le {day}. "
        "Passé cette date, vos appels sont refusés.\n\n"
        f"{who}\n\n"
        "Ce message est automatique. Il ne contient pas votre jeton, et nous ne vous le demanderons jamais.\n"
    )
    return Letter(to=reminder.courriel, subject=subject, text=text)
