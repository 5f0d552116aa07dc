"""What the habilitation service says, and what it changes here: habilitations granted, renewed, revoked, archived.

Deliveries may come twice, late, out of order or be replayed by hand: each body counts once, and nothing that happened
before the last change of a habilitation changes it back. Unknown events are kept and change nothing.
Source: the webhook of the State's habilitation service.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from auth.caller import Usage
from auth.contacts import Person, Role, replace_contacts
from auth.issuing import grant, open_token
from auth.lifecycle import cards, prolong, revoke_all
from auth.models import Evenement, Habilitation
from auth.tokens import rights_changed, scope_list

_PREFIX = "sha256="


class Effet(StrEnum):
    """What a delivery changed."""

    ESSAI = "essai"
    JETON_CREE = "jeton_cree"
    JETON_PROLONGE = "jeton_prolonge"
    REVOQUEE = "revoquee"
    ARCHIVEE = "archivee"
    SANS_EFFET = "sans_effet"
    PERIMEE = "perimee"
    """It happened before the last change that was applied: it changes nothing."""


class Unprocessable(Exception):
    """The delivery can't be applied; the message names the field at fault, never its content."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a delivery changed; the token's id, which the habilitation service keeps to link to its page."""

    effet: Effet
    jeton: str | None = None
    deja_recu: bool = False


def signature_holds(body: bytes, header: str, secret: str) -> bool:
    """Whether `header` signs this very body, compared in constant time."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = header.removeprefix(_PREFIX) if header.startswith(_PREFIX) else ""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


# --- What is read of a delivery ----------------------------------------------------------------------


class _Organization(msgspec.Struct):
    siret: str


class _Applicant(msgspec.Struct):
    email: str
    given_name: str | None = None
    family_name: str | None = None


class _Answers(msgspec.Struct):
    """The answers of the form."""

    intitule: str = ""
    description: str = ""
    scopes: list[str] = []
    cadre_juridique_nature: str | None = None
    cadre_juridique_url: str | None = None
    contact_technique_email: str | None = None
    contact_technique_given_name: str | None = None
    contact_technique_family_name: str | None = None
    contact_metier_email: str | None = None
    contact_metier_given_name: str | None = None
    contact_metier_family_name: str | None = None


class _Request(msgspec.Struct):
    organization: _Organization
    applicant: _Applicant
    data: _Answers
    form_uid: str = ""


class _Event(msgspec.Struct):
    event: str
    fired_at: int
    model_id: int | str
    data: _Request


class _Test(msgspec.Struct):
    test: bool = False


def _read(body: bytes) -> _Event | None:
    """The event, or `None` for the service's test call. Raises `Unprocessable`."""
    try:
        if msgspec.json.decode(body, type=_Test).test:
            return None
        event = msgspec.json.decode(body, type=_Event)
    except msgspec.MsgspecError as error:
        # msgspec names the place and the expected type; what stood there stays unsaid.
        raise Unprocessable(f"Livraison illisible ({str(error).rpartition(' - ')[2]}).") from None
    siret = event.data.organization.siret
    if not (siret.isascii() and siret.isdigit() and len(siret) == 14):
        raise Unprocessable("Livraison illisible (organization.siret).")
    return event


# --- What it changes ---------------------------------------------------------------------------------


async def receive(engine: AsyncEngine, body: bytes, now: datetime) -> Outcome:
    """Apply one delivery whose signature holds. Raises `Unprocessable`: the service will deliver it again."""
    event = _read(body)
    if event is None:
        return Outcome(Effet.ESSAI)
    identifier = hashlib.sha256(body).hexdigest()
    model = str(event.model_id).removeprefix("D").removeprefix("H")
    try:
        async with engine.begin() as connection:
            return await _once(connection, identifier, model, event, now)
    except IntegrityError:
        # The same delivery, or the first one of the same habilitation, is being applied by another worker.
        async with engine.begin() as connection:
            return await _once(connection, identifier, model, event, now)


async def _once(connection: AsyncConnection, identifier: str, model: str, event: _Event, now: datetime) -> Outcome:
    known = await connection.scalar(select(Evenement.effet).where(Evenement.id == identifier))
    if known is not None:
        token = await _living_token(connection, model)
        return Outcome(Effet(known), token, deja_recu=True)
    await connection.execute(
        insert(Evenement).values(
            id=identifier, modele_id=model, evenement=event.event[:40], emis=event.fired_at, recu_le=now, effet=""
        )
    )
    outcome = await _apply(connection, model, event, now)
    await connection.execute(update(Evenement).where(Evenement.id == identifier).values(effet=outcome.effet.value))
    return replace(outcome, jeton=outcome.jeton or await _living_token(connection, model))


async def _apply(connection: AsyncConnection, model: str, event: _Event, now: datetime) -> Outcome:
    statement = select(Habilitation.id, Habilitation.etat)
    # Locked where the database can: two deliveries about one habilitation are applied one after the other.
    row = (await connection.execute(statement.where(Habilitation.datapass_id == model).with_for_update())).first()
    granted = await _latest(connection, model, "approve", "validate", "transfer")
    revoked = await _latest(connection, model, "revoke")
    # A revocation counts even when it comes before the approval that it ends; in the same second, it wins.
    ended = event.event != "revoke" and event.fired_at <= revoked
    if event.fired_at < granted or ended:
        return Outcome(Effet.PERIMEE)
    match event.event:
        case "approve" | "validate":
            outcome, habilitation = await _approved(connection, model, None if row is None else row.id, event, now)
            if event.fired_at < await _latest(connection, model, "archive"):
                await _state(connection, habilitation, "archivee")
        case "revoke" if row is not None:
            await revoke_all(connection, row.id, now)
            await _state(connection, row.id, "revoquee")
            outcome, habilitation = Outcome(Effet.REVOQUEE), row.id
        case "archive" if row is not None:
            await _state(connection, row.id, "archivee" if row.etat == "active" else row.etat)
            outcome, habilitation = Outcome(Effet.ARCHIVEE), row.id
        case "transfer" if row is not None:
            await _rewrite(connection, row.id, event, now)
            outcome, habilitation = Outcome(Effet.SANS_EFFET), row.id
        case _:
            return Outcome(Effet.SANS_EFFET)
    await connection.execute(
        update(Habilitation).where(Habilitation.id == habilitation).values(datapass_dernier=event.fired_at)
    )
    return outcome


async def _latest(connection: AsyncConnection, model: str, *events: str) -> int:
    """When the latest of these events happened, among all that were received; -1 when none was."""
    found = await connection.scalar(
        select(func.max(Evenement.emis)).where(Evenement.modele_id == model, Evenement.evenement.in_(events))
    )
    return -1 if found is None else int(found)


async def _approved(
    connection: AsyncConnection, model: str, habilitation: str | None, event: _Event, now: datetime
) -> tuple[Outcome, str]:
    """A habilitation was validated: its scopes are rewritten, its living token prolonged, or a first one opened."""
    answers = event.data.data
    if habilitation is None:
        habilitation = await grant(
            connection,
            siret=event.data.organization.siret,
            intitule=answers.intitule,
            usage=_usage(event.data.form_uid),
            scopes=answers.scopes,
            now=now,
            procedure=answers.description,
            fondement=_legal_basis(answers),
            contacts=_people(event.data),
            datapass_id=model,
            habilitation_id=str(uuid.uuid4()),
        )
    else:
        await _rewrite(connection, habilitation, event, now)
        await _state(connection, habilitation, "active")
    living = [card for card in await cards(connection, habilitation=habilitation) if card.revoque_le is None]
    for card in living:
        await prolong(connection, card.jeton, now, whenever=True)
    if living:
        return Outcome(Effet.JETON_PROLONGE, living[-1].jeton), habilitation
    token = await open_token(connection, habilitation=habilitation, now=now)
    await rights_changed(connection)
    return Outcome(Effet.JETON_CREE, token), habilitation


async def _rewrite(connection: AsyncConnection, habilitation: str, event: _Event, now: datetime) -> None:
    answers = event.data.data
    await connection.execute(
        update(Habilitation)
        .where(Habilitation.id == habilitation)
        .values(
            siret=event.data.organization.siret,
            intitule=answers.intitule,
            procedure=answers.description,
            fondement=_legal_basis(answers),
            usage=_usage(event.data.form_uid).value,
            scopes=scope_list(answers.scopes),
        )
    )
    await replace_contacts(connection, habilitation, _people(event.data), now)
    await rights_changed(connection)


async def _state(connection: AsyncConnection, habilitation: str, state: str) -> None:
    await connection.execute(update(Habilitation).where(Habilitation.id == habilitation).values(etat=state))


async def _living_token(connection: AsyncConnection, model: str) -> str | None:
    habilitation = await connection.scalar(select(Habilitation.id).where(Habilitation.datapass_id == model))
    if habilitation is None:
        return None
    living = [card.jeton for card in await cards(connection, habilitation=habilitation) if card.revoque_le is None]
    return living[-1] if living else None


def _usage(form: str) -> Usage:
    """The form tells the use case: those of pre-filling say it in their name."""
    return Usage.PRE_REMPLISSAGE if "preremplissage" in form.replace("-", "") else Usage.BACK_OFFICE


def _legal_basis(answers: _Answers) -> str:
    return " ".join(filter(None, (answers.cadre_juridique_nature, answers.cadre_juridique_url)))


def _people(request: _Request) -> list[Person]:
    answers = request.data
    given = (
        (Role.DEMANDEUR, request.applicant.email, request.applicant.given_name, request.applicant.family_name),
        (
            Role.TECHNIQUE,
            answers.contact_technique_email,
            answers.contact_technique_given_name,
            answers.contact_technique_family_name,
        ),
        (
            Role.METIER,
            answers.contact_metier_email,
            answers.contact_metier_given_name,
            answers.contact_metier_family_name,
        ),
    )
    return [
        Person(role, " ".join(filter(None, (first, last))), address) for role, address, first, last in given if address
    ]
