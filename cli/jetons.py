"""`graphe jetons`: the tokens of the habilitations, from their issue to their end, for the operator."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from auth import lifecycle
from auth.caller import Usage
from auth.contacts import Person, Role
from auth.instants import now, utc
from auth.issuing import Issued, grant, hand_over, issue
from auth.lifecycle import Card, LifeRefused, State
from auth.mailer import mailer
from auth.presets import PRESETS
from auth.reminders import Reminder, pending, remind
from auth.scopes import effective, unknown
from auth.tokens import Tokens, key_of, scope_list
from graph.rights_page import page
from graph.schema import REGISTRY
from migrations import upgrade
from providers.identifiers import InvalidIdentifier, siret
from settings import Environment, Settings

T = TypeVar("T")

app = typer.Typer(
    help="Émettre, montrer, prolonger et révoquer les jetons des habilitations.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
console = Console()
errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Écrire du JSON plutôt qu'un tableau.")]
Identifier = Annotated[str, typer.Argument(help="Identifiant du jeton (UUID), donné par « graphe jetons lister ».")]

_PARIS = ZoneInfo("Europe/Paris")


# --- Commands ----------------------------------------------------------------------------------------


@app.command()
def emettre(
    siret_: Annotated[str, typer.Option("--siret", help="SIRET de l'organisme habilité.")] = "",
    intitule: Annotated[str, typer.Option("--intitule", help="Intitulé de l'habilitation.")] = "",
    procedure: Annotated[str, typer.Option("--procedure", help="Démarche administrative servie.")] = "",
    fondement: Annotated[str, typer.Option("--fondement", help="Fondement juridique de l'accès.")] = "",
    usage: Annotated[Usage | None, typer.Option("--usage", help="À défaut, celui du cas d'usage.")] = None,
    cas: Annotated[
        str, typer.Option("--cas", help=f"Cas d'usage, qui propose ses droits : {', '.join(PRESETS)}.")
    ] = "",
    scope: Annotated[list[str] | None, typer.Option("--scope", help="Droit de plus ; à répéter.")] = None,
    adresse: Annotated[
        list[str] | None, typer.Option("--adresse", help="Adresse ou bloc d'adresses IP autorisé ; à répéter.")
    ] = None,
    quota: Annotated[int | None, typer.Option("--quota", help="Appels par minute, tous groupes réunis.", min=1)] = None,
    contact: Annotated[
        list[str] | None,
        typer.Option("--contact", help="role:courriel:nom, où role est demandeur, technique ou metier ; à répéter."),
    ] = None,
    habilitation: Annotated[
        str, typer.Option("--habilitation", help="Émettre un jeton de plus pour cette habilitation.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Émettre un jeton de 18 mois, pour une nouvelle habilitation ou pour une habilitation existante.

    Le jeton est montré une seule fois : seule son empreinte est conservée.
    """
    if habilitation:
        issued = _run(lambda engine, settings: _issue_again(engine, settings, habilitation))
        _show_issued(issued, frozenset(), as_json)
        return
    if not siret_ or not intitule:
        raise _stop("Donnez --siret et --intitule, ou --habilitation.")
    try:
        siret(siret_)
    except InvalidIdentifier as error:
        raise _stop(str(error)) from None
    preset = PRESETS.get(cas)
    if cas and preset is None:
        raise _stop(f"Cas d'usage inconnu. Ceux qui existent : {', '.join(PRESETS)}.")
    scopes = frozenset(scope or ()) | (preset.scopes if preset else frozenset())
    if not scopes:
        raise _stop("Un jeton sans droit n'ouvre rien : donnez --cas, ou --scope.")
    if preset is not None and (barred := scopes & preset.barred):
        raise _stop(f"Jamais accordé pour ce cas d'usage : {', '.join(sorted(barred))}.")
    networks = tuple(map(_network, adresse or ()))
    people = tuple(map(_person, contact or ()))
    purpose = usage or (preset.usage if preset else Usage.BACK_OFFICE)

    async def work(engine: AsyncEngine, settings: Settings) -> Issued:
        async with engine.begin() as connection:
            identifier = await grant(
                connection,
                siret=siret_,
                intitule=intitule,
                usage=purpose,
                scopes=scopes,
                now=now(),
                procedure=procedure,
                fondement=fondement,
                addresses=networks,
                quota_par_minute=quota,
                contacts=people,
            )
            return await issue(
                connection,
                _tokens(engine, settings),
                habilitation=identifier,
                intitule=intitule,
                scopes=scopes,
                now=now(),
            )

    _show_issued(_run(work), unknown(effective(scopes), REGISTRY.all_scopes()), as_json)


@app.command()
def remettre(identifiant: Identifier, as_json: AsJson = False) -> None:
    """Montrer, une seule fois, le jeton qu'une validation du service des habilitations a créé."""

    async def work(engine: AsyncEngine, settings: Settings) -> Issued:
        async with engine.begin() as connection:
            return await hand_over(connection, _tokens(engine, settings), identifiant, now())

    _show_issued(_run(work), frozenset(), as_json)


@app.command()
def lister(
    etat: Annotated[State | None, typer.Option("--etat", help="Seulement les jetons dans cet état.")] = None,
    siret_: Annotated[str, typer.Option("--siret", help="Seulement ceux de cet organisme.")] = "",
    as_json: AsJson = False,
) -> None:
    """Lister les jetons, ceux qui expirent le plus tôt d'abord."""

    async def work(engine: AsyncEngine, _settings: Settings) -> list[Card]:
        async with engine.connect() as connection:
            return await lifecycle.cards(connection)

    instant = now()
    shown = [card for card in _run(work) if etat in (None, card.state(instant)) and siret_ in ("", card.siret)]
    if as_json:
        _write_json([_as_dict(card, instant) for card in shown])
        return
    table = Table(
        Column("Jeton", no_wrap=True),
        "Habilitation",
        Column("Expire le", no_wrap=True),
        Column("État", no_wrap=True),
        box=SIMPLE,
    )
    for card in shown:
        state = card.state(instant)
        left = card.days_left(instant)
        days = f", {left} j" if state is State.ACTIF else ""
        who = f"{card.intitule}\n[dim]{card.siret}, {card.usage}[/]"
        table.add_row(card.jeton, who, _day(card.expire_le), f"[{_colour(state, left)}]{state.value}{days}[/]")
    console.print(table)
    console.print(f"{len(shown)} jeton{'s' if len(shown) > 1 else ''}.")


@app.command()
def montrer(identifiant: Identifier, as_json: AsJson = False) -> None:
    """Montrer un jeton : habilitation, droits, jeux de données ouverts, contacts, prolongations, rappels."""

    async def work(engine: AsyncEngine, _settings: Settings) -> tuple[Card, lifecycle.History]:
        async with engine.connect() as connection:
            card = await lifecycle.card(connection, identifiant)
            return card, await lifecycle.history(connection, card)

    card, history = _run(work)
    instant = now()
    if as_json:
        _write_json({**_as_dict(card, instant), **asdict(history)})
        return
    held = effective(frozenset(card.scopes))
    strange = unknown(held, REGISTRY.all_scopes())
    table = Table(show_header=False, title=card.intitule, title_justify="left")
    state = card.state(instant)
    left = card.days_left(instant)
    rows = {
        "Jeton": card.jeton,
        "État": f"[{_colour(state, left)}]{state.value}[/]",
        "Habilitation": f"{card.habilitation} ({card.etat_habilitation})",
        "Organisme": card.siret,
        "Démarche": card.procedure,
        "Fondement": card.fondement,
        "Usage": card.usage,
        "Émis le": _day(card.emis_le),
        "Expire le": f"{_day(card.expire_le)} ({left} jours)" if left >= 0 else _day(card.expire_le),
        "Révoqué le": _instant(card.revoque_le) if card.revoque_le else "",
        "Adresses": ", ".join(card.adresses) or "toutes",
        "Quota": f"{card.quota_par_minute} appels par minute" if card.quota_par_minute else "celui des groupes",
        "Droits": "\n".join(sorted(held - strange)),
        "Droits inconnus ici": "\n".join(sorted(strange)),
        "Contacts": "\n".join(f"{one.role.value} : {one.nom} <{one.courriel}>" for one in history.contacts),
        "Prolongations": "\n".join(
            f"{_day(when)} : {_day(before)} → {_day(after)}" for when, before, after in history.prolongations
        ),
        "Rappels": "\n".join(f"{_day(when)} : J-{days}, {role}" for when, days, role in history.rappels),
    }
    for label, value in rows.items():
        if value:
            table.add_row(label, value)
    console.print(table)


@app.command()
def prolonger(identifiant: Identifier, as_json: AsJson = False) -> None:
    """Prolonger un jeton de 18 mois, dans ses 90 derniers jours : c'est le même jeton qui continue."""

    async def work(engine: AsyncEngine, _settings: Settings) -> datetime:
        async with engine.begin() as connection:
            return await lifecycle.prolong(connection, identifiant, now())

    until = _run(work)
    if as_json:
        _write_json({"jeton": identifiant, "expire_le": until})
    else:
        console.print(f"Jeton prolongé jusqu'au {_day(until)}.")


@app.command()
def revoquer(
    identifiant: Identifier,
    le: Annotated[
        datetime | None, typer.Option("--le", help="Instant de la révocation, heure de Paris ; à défaut, maintenant.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Révoquer un jeton, tout de suite (en moins d'une seconde partout) ou à un instant donné."""
    at = now() if le is None else utc(le.replace(tzinfo=_PARIS))

    async def work(engine: AsyncEngine, _settings: Settings) -> datetime:
        async with engine.begin() as connection:
            return await lifecycle.revoke(connection, identifiant, at, now())

    held = _run(work)
    if as_json:
        _write_json({"jeton": identifiant, "revoque_le": held})
    else:
        console.print(f"Jeton révoqué à compter du {_instant(held)}.")


@app.command()
def rappels(
    simulation: Annotated[bool, typer.Option("--simulation", help="Montrer sans rien envoyer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Envoyer les rappels d'expiration dus (J-90, 60, 30, 15, 7 et 0) : à lancer toutes les quelques heures."""

    async def work(engine: AsyncEngine, settings: Settings) -> tuple[tuple[Reminder, ...], tuple[Reminder, ...]]:
        if simulation:
            async with engine.connect() as connection:
                return tuple(await pending(connection, now())), ()
        post = mailer(settings.smtp_url.get_secret_value(), settings.data_dir / "courriels", settings.mail_from)
        done = await remind(engine, post, now())
        return done.reminders, done.failed

    sent, failed = _run(work)
    if as_json:
        _write_json({"envoyes": [asdict(one) for one in sent], "echecs": [asdict(one) for one in failed]})
    else:
        table = Table("Jeton", "Habilitation", "Destinataire", "Seuil", "Expire le", "Envoi")
        for one, outcome in [*((one, "fait") for one in sent), *((one, "échec") for one in failed)]:
            table.add_row(
                one.jeton,
                one.intitule,
                f"{one.courriel} ({one.role})",
                f"J-{one.jours}",
                _day(one.expire_le),
                "à faire" if simulation else outcome,
            )
        console.print(table if sent or failed else "Aucun rappel à envoyer.")
    if failed:
        raise typer.Exit(1)


@app.command()
def droits(
    fichier: Annotated[
        Path | None, typer.Option("--fichier", help="Écrire dans ce fichier plutôt qu'à l'écran.")
    ] = None,
) -> None:
    """Imprimer la table des droits : cas d'usage, jeux de données, champs, quotas (Markdown)."""
    text = page(REGISTRY)
    if fichier is None:
        print(text)  # noqa: T201 - to be piped
    else:
        fichier.write_text(text + "\n", encoding="utf-8")


# --- Inside ------------------------------------------------------------------------------------------


def _run(work: Callable[[AsyncEngine, Settings], Awaitable[T]]) -> T:
    """Run against the database of the settings; what can't be done is one sentence and exit status 1."""
    settings = Settings()

    async def run() -> T:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(settings.database)
        try:
            if settings.environment is Environment.SANDBOX:
                await upgrade(engine)
            return await work(engine, settings)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(run())
    except LifeRefused as error:
        raise _stop(str(error)) from None


async def _issue_again(engine: AsyncEngine, settings: Settings, habilitation: str) -> Issued:
    async with engine.begin() as connection:
        known = await lifecycle.cards(connection, habilitation=habilitation)
        if not known or known[0].etat_habilitation == "revoquee":
            raise LifeRefused("Aucune habilitation en vigueur de cet identifiant.")
        return await issue(
            connection,
            _tokens(engine, settings),
            habilitation=habilitation,
            intitule=known[0].intitule,
            scopes=known[0].scopes,
            now=now(),
        )


def _tokens(engine: AsyncEngine, settings: Settings) -> Tokens:
    return Tokens(
        engine,
        algorithm=settings.jwt_algorithm,
        key=key_of(settings.jwt_algorithm, settings.jwt_key.get_secret_value()),
        environment=settings.environment.value,
        known_scopes=REGISTRY.all_scopes(),
        clock=now,
    )


def _show_issued(issued: Issued, strange: frozenset[str], as_json: bool) -> None:
    if as_json:
        _write_json(
            {
                "jeton": issued.jeton,
                "habilitation": issued.habilitation,
                "expire_le": issued.expire_le,
                "texte": issued.text,
                "droits_inconnus": scope_list(strange),
            }
        )
        return
    console.print(f"Jeton {issued.jeton}, valable jusqu'au {_day(issued.expire_le)}.")
    console.print(f"Habilitation {issued.habilitation}.")
    if strange:
        console.print(f"Droits inconnus ici, qui n'ouvrent rien : {', '.join(sorted(strange))}.", style="yellow")
    console.print("Voici le jeton. Il ne sera plus montré : transmettez-le sans courriel.")
    print(issued.text)  # noqa: T201 - whole and unwrapped, to be copied


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise _stop(f"« {text} » n'est ni une adresse IP ni un bloc d'adresses (192.0.2.0/24).") from None


def _person(text: str) -> Person:
    role, _, rest = text.partition(":")
    address, _, name = rest.partition(":")
    if role not in {known.value for known in Role} or "@" not in address:
        raise _stop("Un contact s'écrit role:courriel:nom, où role est demandeur, technique ou metier.")
    return Person(Role(role), name, address)


def _stop(message: str) -> typer.Exit:
    errors.print(message, style="red", markup=False)
    return typer.Exit(1)


def _colour(state: State, left: int) -> str:
    """The colours of the ecosystem's portal: red under 30 days, orange under 90."""
    if state in (State.REVOQUE, State.EXPIRE):
        return "dim"
    if left < 30:
        return "red"
    return "dark_orange" if left < 90 else "green"


def _day(instant: datetime) -> str:
    return f"{instant.astimezone(_PARIS):%d/%m/%Y}"


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(_PARIS):%d/%m/%Y à %H:%M:%S}"


def _as_dict(card: Card, instant: datetime) -> dict[str, Any]:
    return {
        **asdict(card),
        "etat": card.state(instant).value,
        "jours_restants": max(card.days_left(instant), 0),
        "droits_inconnus": scope_list(unknown(effective(frozenset(card.scopes)), REGISTRY.all_scopes())),
    }


def _write_json(value: Any) -> None:
    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())  # noqa: T201 - to be piped
