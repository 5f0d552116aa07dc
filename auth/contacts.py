"""The people of a habilitation: whom to write to, in which role."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.models import Contact


class Role(StrEnum):
    """Why a person is written to."""

    DEMANDEUR = "demandeur"
    TECHNIQUE = "technique"
    METIER = "metier"


@dataclass(frozen=True, slots=True)
class Person:
    """One contact, as a habilitation names it."""

    role: Role
    nom: str
    courriel: str


async def replace_contacts(
    connection: AsyncConnection, habilitation: str, people: Iterable[Person], now: datetime
) -> None:
    """Make these the contacts of a habilitation: those who stay keep their history, the others are retired."""
    statement = select(Contact).where(Contact.habilitation_id == habilitation, Contact.retire_le.is_(None))
    rows = (await connection.execute(statement)).mappings().all()
    present = {(row["role"], row["courriel"].casefold()): row["id"] for row in rows}
    for person in people:
        known = present.pop((person.role.value, person.courriel.casefold()), None)
        if known is not None:
            await connection.execute(update(Contact).where(Contact.id == known).values(nom=person.nom))
            continue
        await connection.execute(
            insert(Contact).values(
                id=str(uuid.uuid4()),
                habilitation_id=habilitation,
                role=person.role.value,
                nom=person.nom,
                courriel=person.courriel,
            )
        )
    if present:
        await connection.execute(update(Contact).where(Contact.id.in_(present.values())).values(retire_le=now))
