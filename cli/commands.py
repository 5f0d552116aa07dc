"""Each command and its help, in French: what the operator and the newcomer type."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.table import Table

from cli import demo as demonstration
from cli import jetons, journal
from cli.documents import documents
from cli.profil import DEFAULT_URL, ApiError, ask, tree_of
from graph.connections import Lingering
from providers import PROVIDERS
from providers.identifiers import InvalidIdentifier
from providers.identifiers import siren as checked_siren
from settings import PREFIX, Settings, provider_settings, sandbox_port, variable

app = typer.Typer(
    help="Graphe Entreprise : une API GraphQL au-dessus des fournisseurs publics de données d'entreprises.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
charger = typer.Typer(help="Charger les fichiers remis par un fournisseur qui n'a pas d'API.", no_args_is_help=True)
app.add_typer(charger, name="charger")
app.add_typer(documents, name="documents")
app.add_typer(jetons.app, name="jetons")
app.add_typer(journal.app, name="journal")
console = Console()
errors = Console(stderr=True)


def settings_or_exit() -> Settings:
    """The settings, or a sentence that says which one is wrong and the end of the command."""
    try:
        return Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = PREFIX + "_".join(str(part) for part in fault["loc"]).upper() if fault["loc"] else "Réglages"
            errors.print(f"{name} : {fault['msg']}", style="red", markup=False)
        raise typer.Exit(2) from None


@app.command()
def serve() -> None:
    """Démarrer l'API (adresse et port : GRAPHE_HOST, GRAPHE_PORT ; voir « graphe config »)."""
    settings = settings_or_exit()
    uvicorn.run(
        "graph.app:from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        http=Lingering,
        # Longer than balancers keep their connections: or one would be closed on a request that it has just sent.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
    )


@app.command()
def sandbox() -> None:
    """Démarrer les fournisseurs simulés, chacun sur son port, avec leurs personnages inventés."""
    from sandbox.serve import SIMULATORS, Sandbox
    from sandbox.serve import serve as serve_sandbox

    settings = settings_or_exit()
    ports = {provider.id: sandbox_port(settings, provider) for provider in PROVIDERS if provider.id in SIMULATORS}
    for name, port in ports.items():
        console.print(f"{name:24} http://{settings.sandbox_host}:{port}", highlight=False)
    console.print(f"{'administration':24} http://{settings.sandbox_host}:{settings.sandbox_port}", highlight=False)
    try:
        asyncio.run(serve_sandbox(Sandbox(), settings.sandbox_host, settings.sandbox_port, ports))
    except KeyboardInterrupt:
        return


@app.command()
def schema(
    fichier: Annotated[
        Path | None, typer.Option("--fichier", help="Écrire dans ce fichier plutôt qu'à l'écran.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--reference", help="Écrire aussi la page qui se lit (docs/schema.md).")
    ] = None,
) -> None:
    """Imprimer le schéma GraphQL (SDL), tel qu'il est gardé dans schema.graphql."""
    from graph.reference import reference
    from graph.schema import REGISTRY, SCHEMA, sdl

    if page is not None:
        page.write_text(reference(SCHEMA, REGISTRY), encoding="utf-8")
    if fichier is None:
        sys.stdout.write(sdl())
    else:
        fichier.write_text(sdl(), encoding="utf-8")


@app.command()
def config() -> None:
    """Montrer chaque réglage, sa valeur (secrets cachés) et la variable d'environnement qui le change."""
    settings = settings_or_exit()
    table = Table("Variable", "Valeur", "Sens", title="Service", title_justify="left")
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        shown = _hidden(value.get_secret_value()) if isinstance(value, SecretStr) else str(value)
        table.add_row(PREFIX + name.upper(), shown, field.description)
    console.print(table)
    for provider in PROVIDERS:
        if not provider.settings:
            continue
        values = provider_settings(settings, provider)
        table = Table("Variable", "Valeur", "Sens", title=provider.title, title_justify="left")
        for setting in provider.settings:
            value = values[setting.name]
            table.add_row(variable(provider, setting), _hidden(value) if setting.secret else value, setting.help)
        console.print(table)


def _hidden(secret: str) -> str:
    return "•••••• (renseigné)" if secret and secret != "{}" else "(vide)"


@app.command()
def migrer() -> None:
    """Amener la base de données à la dernière version de son schéma (à faire avant de démarrer en production)."""
    from sqlalchemy.ext.asyncio import create_async_engine

    from migrations import upgrade

    settings = settings_or_exit()

    async def run() -> None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(settings.database)
        await upgrade(engine)
        await engine.dispose()

    asyncio.run(run())
    console.print("Base de données à jour.")


@app.command()
def profil(
    siren: Annotated[str, typer.Argument(help="Numéro SIREN de l'entreprise, neuf chiffres.")],
    jeton: Annotated[
        str, typer.Option(envvar="GRAPHE_JETON", help="Jeton ; à défaut, celui de la démonstration.")
    ] = "",
    url: Annotated[str, typer.Option(help="Adresse de l'API.")] = DEFAULT_URL,
) -> None:
    """Imprimer le profil d'une entreprise en arbre, avec fournisseur, fraîcheur et durée de chaque donnée."""
    try:
        checked_siren(siren)
    except InvalidIdentifier as error:
        errors.print(str(error), style="red")
        raise typer.Exit(2) from None
    token = jeton or demonstration.saved_token()
    if token is None:
        errors.print(
            "Aucun jeton : donnez --jeton ou GRAPHE_JETON, ou lancez « make demo » qui en crée un.", style="red"
        )
        raise typer.Exit(2)
    try:
        answer = ask(url, token, siren)
    except ApiError as error:
        errors.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    console.print(tree_of(answer))


@app.command()
def demo() -> None:
    """Tout démarrer d'un coup : fournisseurs simulés, API, jetons de démonstration ; Ctrl-C arrête tout."""
    raise typer.Exit(demonstration.run(settings_or_exit(), console))


@charger.command("agefiph")
def charger_agefiph(
    fichier: Annotated[Path, typer.Argument(help="Fichier CSV ; son manifeste .json est à côté, du même nom.")],
) -> None:
    """Vérifier puis mettre en service un fichier de l'AGEFIPH ; un mauvais fichier est refusé en entier."""
    from providers.agefiph.chargement import DeliveryRefused

    settings = settings_or_exit()
    try:
        count, rejected = asyncio.run(demonstration.load_agefiph(settings, fichier))
    except DeliveryRefused as error:
        errors.print("Fichier refusé, la livraison précédente reste en service :", style="red")
        for reason in error.reasons:
            errors.print(f"  - {reason}", markup=False)
        raise typer.Exit(1) from None
    console.print(f"{count} établissements en service.")
    for line in rejected:
        console.print(f"  ligne ignorée : {line}", markup=False)


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment for a child process that must share these settings."""
    return {**os.environ, f"{PREFIX}DATA_DIR": str(settings.data_dir)}
