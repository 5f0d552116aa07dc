"""The demonstration: simulators, API, three tokens and one profile, started together and stopped together."""

import asyncio
import contextlib
import csv
import hashlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import orjson
from rich.console import Console
from sqlalchemy.ext.asyncio import create_async_engine

from auth.caller import Usage
from auth.instants import now
from auth.issuing import grant, issue
from auth.scopes import OPEN_DATA
from auth.tokens import Tokens, key_of
from cli.profil import ApiError, ask, tree_of
from graph.schema import REGISTRY
from migrations import upgrade
from portal.graphiql import STATIC
from providers.agefiph import chargement
from sandbox.personas import CLAIR_VALLON, PERSONAS
from settings import PREFIX, Settings

TOKENS_FILE = Path("var/demo/jetons.json")
DINUM = "13002526500013"
"""SIRET of the body that the demonstration tokens are granted to."""
_START_SECONDS = 30.0

PROCUREMENT = frozenset({
    OPEN_DATA, "unites_legales_etablissements_insee", "associations_djepva", "data_subvention_subventions",
    "chiffre_affaires_dgfip", "attestation_fiscale_dgfip", "attestation_sociale_urssaf", "cotisations_msa",
})  # fmt: skip
"""The scopes that the habilitation form proposes for public procurement."""

HABILITATIONS: Mapping[str, frozenset[str]] = {
    "tous les droits": REGISTRY.all_scopes(),
    "données publiques seulement": frozenset({OPEN_DATA}),
    "marchés publics": PROCUREMENT,
}


def saved_token() -> str | None:
    """The all-rights token of the last demonstration, if there was one here."""
    try:
        tokens: dict[str, str] = orjson.loads(TOKENS_FILE.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return next(iter(tokens.values()), None)


async def load_agefiph(settings: Settings, path: Path) -> tuple[int, tuple[str, ...]]:
    """Put a hand-over in service. Raises `DeliveryRefused`, and then nothing has changed."""
    delivery = chargement.read(path)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(settings.database)
    try:
        await upgrade(engine)
        async with engine.begin() as connection:
            return await chargement.load(connection, delivery), delivery.rejected
    finally:
        await engine.dispose()


async def make_tokens(settings: Settings) -> dict[str, str]:
    """The three tokens of the demonstration, in a database of its own."""
    engine = create_async_engine(settings.database)
    await upgrade(engine)
    tokens = Tokens(
        engine,
        algorithm=settings.jwt_algorithm,
        key=key_of(settings.jwt_algorithm, settings.jwt_key.get_secret_value()),
        environment=settings.environment.value,
        known_scopes=REGISTRY.all_scopes(),
        clock=now,
    )
    texts: dict[str, str] = {}
    async with engine.begin() as connection:
        for label, scopes in HABILITATIONS.items():
            habilitation = await grant(
                connection,
                siret=DINUM,
                intitule=f"Démonstration : {label}",
                usage=Usage.BACK_OFFICE,
                scopes=scopes,
                now=now(),
            )
            issued = await issue(
                connection,
                tokens,
                habilitation=habilitation,
                intitule=f"Démonstration : {label}",
                scopes=scopes,
                now=now(),
            )
            texts[label] = issued.text
    await engine.dispose()
    return texts


def agefiph_delivery(folder: Path) -> Path:
    """A hand-over of the simulated AGEFIPH: the head offices of the personas that are companies."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(("siret", "derniere_annee_conformite"))
    lines = [
        (persona.head_office.siret, "" if persona.fate("agefiph") == "refus" else "2019")
        for persona in PERSONAS.values()
        if not persona.is_person and not persona.duplicate_of
    ]
    writer.writerows(lines)
    content = text.getvalue().encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "agefiph_conformite_20200915.csv"
    path.write_bytes(content)
    manifest = {"date_remise": "2020-09-15", "nombre_lignes": len(lines), "sha256": hashlib.sha256(content).hexdigest()}
    path.with_suffix(".json").write_bytes(orjson.dumps(manifest))
    return path


def run(settings: Settings, console: Console) -> int:
    """Start everything, show everything, wait for Ctrl-C, stop everything. Gives the exit status."""
    settings = settings.model_copy(update={"data_dir": TOKENS_FILE.parent})
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    settings.data_dir.mkdir(parents=True)
    tokens = asyncio.run(_prepared(settings))
    TOKENS_FILE.touch(mode=0o600)
    TOKENS_FILE.write_bytes(orjson.dumps(tokens))
    environment = {
        **os.environ,
        f"{PREFIX}DATA_DIR": str(settings.data_dir),
        f"{PREFIX}DEMO_TOKENS": orjson.dumps(tokens).decode(),
    }
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(_child(name, environment)) for name in ("sandbox", "serve")]
        try:
            if not _started(settings, children):
                console.print(
                    f"Le démarrage a échoué : un autre programme occupe peut-être le port {settings.port} ou ceux à "
                    f"partir de {settings.sandbox_port} (GRAPHE_PORT et GRAPHE_SANDBOX_PORT les changent).",
                    style="red",
                )
                return 1
            _show(settings, tokens, console)
            stack.enter_context(_graphiql(console))
            while all(child.poll() is None for child in children):
                time.sleep(0.2)
        except KeyboardInterrupt:
            console.print("\nArrêt.")
            return 0
    return 1


async def _prepared(settings: Settings) -> dict[str, str]:
    tokens = await make_tokens(settings)
    await load_agefiph(settings, agefiph_delivery(settings.data_dir / "agefiph"))
    return tokens


@contextlib.contextmanager
def _child(command: str, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A `graphe` command of its own session, so that Ctrl-C reaches it through us, in order."""
    child = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "cli", command], env=dict(environment), stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(timeout=25)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _started(settings: Settings, children: list["subprocess.Popen[bytes]"]) -> bool:
    urls = [f"{settings.base_url}/sante", f"http://{settings.sandbox_host}:{settings.sandbox_port}/"]
    deadline = time.monotonic() + _START_SECONDS
    while urls and time.monotonic() < deadline:
        if any(child.poll() is not None for child in children):
            return False
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(urls[0], timeout=2).status_code == 200:
                urls.pop(0)
                continue
        time.sleep(0.05)
    return not urls


def _show(settings: Settings, tokens: Mapping[str, str], console: Console) -> None:
    with contextlib.suppress(ApiError):
        console.print(tree_of(ask(settings.base_url, next(iter(tokens.values())), CLAIR_VALLON)))
    console.print("\n[bold]Jetons de démonstration[/bold]")
    for label, text in tokens.items():
        console.print(f"\n  {label} :")
        print(text)  # noqa: T201 - whole and unwrapped, to be copied
    console.print("\n[bold]Une requête, à coller dans un terminal[/bold]\n")
    query = f'{{ entreprise(siren: \\"{CLAIR_VALLON}\\") {{ sirene {{ etatAdministratif }} siege {{ siret }} }} }}'
    token = tokens["données publiques seulement"]
    print(  # noqa: T201 - as above
        f"curl -s {settings.base_url}/graphql -H 'Content-Type: application/json' "
        f"-H 'Authorization: Bearer {token}' -d '{{\"query\": \"{query}\"}}'"
    )
    page = f"{settings.base_url}/graphiql"
    console.print(f"\n[bold]GraphiQL[/bold] : {page}", highlight=False)
    console.print("\nCtrl-C arrête tout.")


@contextlib.contextmanager
def _graphiql(console: Console) -> Iterator[None]:
    """Build GraphiQL beside the running demonstration; a plain query page is served until then, or instead."""
    if (STATIC / "graphiql" / "index.html").is_file():
        yield
        return
    npm = shutil.which("npm")
    if npm is None:
        console.print("npm est absent : une page de requête simple remplace GraphiQL.")
        yield
        return
    console.print("GraphiQL se construit (une vingtaine de secondes) ; d'ici là, une page simple le remplace.")
    build = f"{shlex.quote(npm)} ci --no-audit --no-fund --silent && {shlex.quote(npm)} run --silent build"
    child = subprocess.Popen(  # noqa: S602 - two commands of ours, npm's path quoted
        build, shell=True, cwd=STATIC.parent / "graphiql", stdout=subprocess.DEVNULL, start_new_session=True
    )

    def tell() -> None:
        if child.wait() == 0:
            console.print("GraphiQL est prêt : rechargez la page.")
        elif child.returncode > 0:
            console.print("npm n'a pas pu construire GraphiQL : la page de requête simple reste en service.")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        teller.join(10)
