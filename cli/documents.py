"""`graphe documents`: register the requests of a client, and hold its tokens to them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from auth.instants import now
from auth.models import Habilitation, Jeton
from auth.registry import Registry
from graph.cost import scopes_of
from graph.documents import Documents
from graph.schema import REGISTRY, SCHEMA
from graph.trusted.manifests import ManifestRefused, Registered, read_manifest
from graph.trusted.ready import USE_CASES
from graph.trusted.store import lock, register
from settings import Settings

documents = typer.Typer(help="Enregistrer les requêtes d'un client, et y tenir ses jetons.", no_args_is_help=True)
console = Console()
errors = Console(stderr=True)

Work = Callable[[AsyncConnection], Awaitable[None]]


def _in_database(work: Work) -> None:
    async def run() -> None:
        engine = create_async_engine(Settings().database)
        try:
            async with engine.begin() as connection:
                await work(connection)
        finally:
            await engine.dispose()

    asyncio.run(run())


async def _known(connection: AsyncConnection, column: "ColumnElement[str]", value: str, what: str) -> None:
    if (await connection.execute(select(column).where(column == value))).first() is None:
        errors.print(f"{what} : « {value} » n'existe pas.", style="red", markup=False)
        raise typer.Exit(1)


def faults_of(manifest: tuple[Registered, ...], settings: Settings) -> list[str]:
    """Why documents can't be put in service: each fault with the identifier of its document."""
    prepared = Documents(SCHEMA, REGISTRY, settings.limits)
    return [
        f"{document.identifier} : {error.message}"
        for document in manifest
        for error in prepared.prepare(document.text).errors
    ]


@documents.command()
def enregistrer(
    manifeste: Annotated[Path, typer.Argument(help="Manifeste d'Apollo, de Relay ou de graphql-codegen (JSON).")],
    habilitation: Annotated[str, typer.Option("--habilitation", help="Identifiant de l'habilitation du client.")],
) -> None:
    """Vérifier puis enregistrer les documents d'un manifeste ; un seul document fautif, et rien n'est enregistré."""
    try:
        found = read_manifest(manifeste.read_bytes())
    except (ManifestRefused, OSError) as error:
        errors.print(f"Manifeste refusé : {error}", style="red", markup=False)
        raise typer.Exit(1) from None
    faults = faults_of(found, Settings())
    if faults:
        errors.print("Manifeste refusé, rien n'est enregistré :", style="red")
        for fault in faults:
            errors.print(f"  - {fault}", markup=False)
        raise typer.Exit(1)

    async def work(connection: AsyncConnection) -> None:
        await _known(connection, Habilitation.__table__.c.id, habilitation, "Habilitation")
        await register(connection, habilitation, found, now())

    _in_database(work)
    for document in found:
        scopes = ", ".join(scopes_needed(document.text)) or "aucun scope"
        console.print(f"{document.identifier} : {scopes}", markup=False, soft_wrap=True)
    console.print(f"{len(found)} documents enregistrés.")


@documents.command()
def verrouiller(
    jeton: Annotated[str, typer.Argument(help="Identifiant (jti) du jeton.")],
    liberer: Annotated[bool, typer.Option("--liberer", help="Rendre au jeton toutes les requêtes.")] = False,
) -> None:
    """Tenir un jeton aux seuls documents enregistrés de son habilitation, ou l'en libérer."""

    async def work(connection: AsyncConnection) -> None:
        await _known(connection, Jeton.__table__.c.id, jeton, "Jeton")
        await lock(connection, jeton, now(), locked=not liberer)

    _in_database(work)
    console.print("Jeton libéré." if liberer else "Jeton verrouillé sur les documents enregistrés.")


@documents.command()
def prets() -> None:
    """Montrer les documents prêts à l'emploi, par cas d'usage, et les scopes que chacun demande."""
    table = Table("documentId", "Cas d'usage", "Scopes : un de chaque ligne")
    for case in USE_CASES:
        table.add_row(case.identifier, case.usage, "\n".join(scopes_needed(case.text)))
    console.print(table)


def scopes_needed(text: str, registry: Registry = REGISTRY) -> list[str]:
    """For each protected field of a document, the scopes any of which opens it."""
    prepared = Documents(SCHEMA, registry).prepare(text)
    needed = {scopes for plan in prepared.plans.values() for scopes in scopes_of(plan, registry)}
    return sorted(" ou ".join(sorted(scopes)) for scopes in needed)
