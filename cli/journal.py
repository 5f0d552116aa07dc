"""`graphe journal`: the access journal, for the operator: search, export, verify, purge, count."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from auth.instants import now
from settings import Settings
from tracing import anomalies as reports
from tracing import archive, export, keys, retention, search
from tracing.entry import Entry, Issue
from tracing.export import Format
from tracing.journal import Journal, JournalUnavailable, store_for
from tracing.search import Axe, Filter
from tracing.store import Store, StoreError
from tracing.verification import Anchor, Report

T = TypeVar("T")

app = typer.Typer(
    help="Chercher, exporter, vérifier et purger le journal des accès.", no_args_is_help=True, rich_markup_mode=None
)
console = Console()
errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Écrire du JSON plutôt qu'un tableau.")]
Since = Annotated[str, typer.Option("--depuis", help="Premier instant, ISO 8601 (à défaut UTC) : 2026-03-01.")]
Until = Annotated[str, typer.Option("--jusqua", help="Instant de fin, exclu.")]
Habilitation = Annotated[str, typer.Option("--habilitation", help="Identifiant de l'habilitation.")]
Token = Annotated[str, typer.Option("--jeton", help="Identifiant du jeton (jamais le jeton).")]
Subject = Annotated[str, typer.Option("--sujet", help="SIREN, SIRET ou numéro RNA.")]
DatasetId = Annotated[str, typer.Option("--jeu", help="Jeu de données, par exemple insee.unite_legale.")]
Agent = Annotated[str, typer.Option("--agent", help="Empreinte de l'agent, telle que le journal la montre.")]
Ending = Annotated[Issue | None, typer.Option("--issue", help="Comment l'accès s'est terminé.")]
Request = Annotated[str, typer.Option("--requete", help="Identifiant d'une requête (en-tête X-Request-Id).")]
PublicKeys = Annotated[
    list[str] | None,
    typer.Option("--cle-publique", help="Clé publique des sceaux (base64 ou fichier PEM) ; à répéter."),
]


# --- Reading -----------------------------------------------------------------------------------------


@app.command()
def chercher(
    habilitation: Habilitation = "",
    jeton: Token = "",
    sujet: Subject = "",
    jeu: DatasetId = "",
    agent: Agent = "",
    issue: Ending = None,
    requete: Request = "",
    depuis: Since = "",
    jusqua: Until = "",
    nombre: Annotated[int, typer.Option("--nombre", "-n", help="Lignes au plus.", min=1, max=1000)] = 50,
    apres: Annotated[str, typer.Option("--apres", help="Curseur donné par la page précédente.")] = "",
    as_json: AsJson = False,
) -> None:
    """Montrer les accès, de la requête la plus récente à la plus ancienne."""
    wanted = _filter(habilitation, jeton, sujet, jeu, agent, issue, requete, depuis, jusqua)
    try:
        page = _with_store(lambda store: search.search(store, wanted, first=nombre, after=apres or None))
    except search.InvalidCursor:
        raise _stop("Ce curseur n'a pas été donné par « graphe journal chercher ».") from None
    if as_json:
        _print_json({"acces": [_plain(entry) for entry in page.entries], "suivant": page.suivant})
        return
    table = Table(
        Column("Instant (UTC)", no_wrap=True),
        Column("Issue", no_wrap=True),
        Column("Sujet", no_wrap=True),
        Column("Jeu de données, champs", overflow="fold"),
        Column("Habilitation", overflow="fold"),
        box=SIMPLE,
    )
    for entry in page.entries:
        what = f"{entry.jeu_de_donnees}\n{', '.join(entry.champs)}"
        table.add_row(
            f"{entry.instant:%Y-%m-%d %H:%M}", entry.issue.value, entry.sujet, escape(what), entry.origine.habilitation
        )
    console.print(table)
    if page.suivant is not None:
        errors.print(f"Suite : --apres {page.suivant}", markup=False, highlight=False)


@app.command()
def statistiques(
    par: Annotated[
        list[Axe] | None, typer.Option("--par", help="Axe ; à répéter. À défaut : par jeu et issue.")
    ] = None,
    habilitation: Habilitation = "",
    jeton: Token = "",
    depuis: Since = "",
    jusqua: Until = "",
    as_json: AsJson = False,
) -> None:
    """Compter les accès, groupés par jour, jeu de données, fournisseur, issue ou agent."""
    axes = par or [Axe.JEU_DE_DONNEES, Axe.ISSUE]
    wanted = _filter(habilitation, jeton, "", "", "", None, "", depuis, jusqua)
    groups = _with_store(lambda store: search.consumption(store, wanted, axes))
    if as_json:
        _print_json([
            {axe.value: value for axe, value in zip(axes, group.cle, strict=True)}
            | {"acces": group.acces, "depuisLeCache": group.depuis_le_cache}
            for group in groups
        ])  # fmt: skip
        return
    table = Table(*(axe.value for axe in axes), "Accès", "Depuis le cache", box=SIMPLE)
    for group in groups:
        words = ["" if value is None else str(value) for value in group.cle]
        table.add_row(*words, f"{group.acces:,}".replace(",", " "), f"{group.depuis_le_cache:,}".replace(",", " "))
    console.print(table)


@app.command()
def anomalies(
    habilitation: Annotated[str, typer.Argument(help="Identifiant de l'habilitation.")],
    jeton: Token = "",
    jours: Annotated[int, typer.Option("--jours", help="Jours examinés.", min=1, max=1200)] = 30,
    as_json: AsJson = False,
) -> None:
    """Dire ce qui mérite une question dans l'usage d'une habilitation, jeton par jeton."""
    from graph.schema import REGISTRY, SCHEMA
    from graph.types.journal import personal_datasets

    end = now() + timedelta(seconds=1)
    found = _with_store(
        lambda store: reports.anomalies(
            store,
            habilitation=habilitation,
            jeton=jeton or None,
            depuis=end - timedelta(days=jours),
            jusqua=end,
            jeux_personnels=personal_datasets(SCHEMA, REGISTRY),
        )
    )
    if as_json:
        _print_json([
            {"signe": one.signe.value, "jeton": one.jeton, "mesure": one.mesure, "seuil": one.seuil} for one in found
        ])  # fmt: skip
        return
    if not found:
        console.print("Rien à signaler.")
        return
    table = Table("Signe", "Jeton", "Mesure", "Seuil", box=SIMPLE)
    for one in found:
        table.add_row(one.signe.value, one.jeton, f"{one.mesure:g}", f"{one.seuil:g}")
    console.print(table)


# --- Files -------------------------------------------------------------------------------------------


@app.command()
def exporter(
    fichier: Annotated[Path, typer.Argument(help="Fichier à écrire ; son extension choisit le format.")],
    chaine: Annotated[
        bool, typer.Option("--chaine", help="Écrire la chaîne entière, que « verifier » relit sans la base.")
    ] = False,
    habilitation: Habilitation = "",
    jeton: Token = "",
    sujet: Subject = "",
    jeu: DatasetId = "",
    agent: Agent = "",
    issue: Ending = None,
    depuis: Since = "",
    jusqua: Until = "",
) -> None:
    """Écrire les accès dans un fichier .csv, .jsonl ou .parquet, ou la chaîne dans une archive."""
    if fichier.exists():
        raise _stop(f"{fichier} existe déjà : donnez un autre nom.")
    if chaine:
        _with_store(lambda store: _write_archive(store, fichier))
    else:
        try:
            format_ = Format(fichier.suffix.removeprefix(".").lower())
        except ValueError:
            raise _stop("Donnez un fichier .csv, .jsonl ou .parquet.") from None
        wanted = _filter(habilitation, jeton, sujet, jeu, agent, issue, "", depuis, jusqua)
        try:
            _with_store(lambda store: _write_export(store, wanted, format_, fichier))
        except export.ExtraMissing:
            fichier.unlink(missing_ok=True)
            raise _stop(
                "Le format Parquet demande l'extra « journal » : pip install graphe-entreprise[journal]."
            ) from None
    errors.print(f"Écrit : {fichier} ({fichier.stat().st_size:,} octets).".replace(",", " "), markup=False)


async def _write_export(store: Store, wanted: Filter, format_: Format, path: Path) -> None:
    total = await search.count(store, wanted)
    with _private(path).open("wb") as out, _progress() as progress:
        bar = progress.add_task("Export", total=total)
        await export.export(store, wanted, format_, out, lambda number: progress.advance(bar, number))


async def _write_archive(store: Store, path: Path) -> None:
    with _private(path).open("wb") as out, _progress() as progress:
        bar = progress.add_task("Archive", total=await _links(store))
        async for line in archive.archive(store):
            out.write(line)
            progress.advance(bar)


async def _links(store: Store) -> int:
    total = 0
    for month in await store.months():
        for table in ("origines", "entrees"):
            ((number,),) = await store.fetch(f"SELECT count(*) FROM {table}_{month.suffix}")  # noqa: S608 - a month of ours
            total += number
    return total


def _private(path: Path) -> Path:
    """An empty file that only its owner reads: it will hold who asked for whom."""
    path.touch(mode=0o600)
    return path


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=errors
    )


# --- The chain ---------------------------------------------------------------------------------------


@app.command()
def verifier(
    fichier: Annotated[
        Path | None, typer.Argument(help="Archive écrite par « exporter --chaine » ; à défaut, la base.", exists=True)
    ] = None,
    cle_publique: PublicKeys = None,
    ancre: Annotated[
        str,
        typer.Option("--ancre", help="Ancre donnée par une vérification précédente : prouve qu'aucun sceau ne manque."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Vérifier la chaîne : toute ligne modifiée, ôtée, insérée ou déplacée est dite, avec sa place."""
    public = _public_keys(cle_publique or [])
    anchor = _anchor(ancre)
    if fichier is not None:
        try:
            report = archive.verify_archive(fichier, public_keys=public, anchor=anchor)
        except archive.NotAnArchive as error:
            raise _stop(f"Ce fichier n'est pas une archive du journal : {error}.") from None
    else:
        report = _with_store(lambda store: archive.verify(store, public_keys=public, anchor=anchor))
    if as_json:
        _print_json(_report(report))
    else:
        _show(report, signed=bool(public))
    raise typer.Exit(0 if report.intact else 1)


@app.command()
def purger(
    oui: Annotated[
        bool, typer.Option("--oui", help="Purger ; sans cette option, montrer ce qui serait purgé.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Retirer les mois de plus de 36 mois ; la purge est elle-même journalisée."""
    months = _run(_purged(_settings())) if oui else _with_store(lambda store: retention.due(store, now()))
    if as_json:
        _print_json({"purges" if oui else "aPurger": [str(month) for month in months]})
    elif not months:
        console.print("Aucun mois n'a dépassé les 36 mois de conservation.")
    else:
        verb = "Purgés" if oui else "À purger (relancez avec --oui)"
        console.print(f"{verb} : {', '.join(str(month) for month in months)}.")


async def _purged(settings: Settings) -> list[Any]:
    journal = await Journal.open(settings.journal, signing_key=settings.journal_signing_key, clock=now)
    try:
        return list(await retention.purge(journal, now()))
    finally:
        await journal.close()


@app.command()
def cle() -> None:
    """Créer une clé de signature : la privée pour GRAPHE_JOURNAL_KEY, la publique pour qui vérifie."""
    private, public = keys.generate()
    if not sys.stdout.isatty():
        _print_json({"GRAPHE_JOURNAL_KEY": private, "clePublique": public})
        return
    console.print(f"GRAPHE_JOURNAL_KEY={private}", highlight=False, markup=False)
    console.print(f"Clé publique : {public}", highlight=False, markup=False)
    errors.print("Gardez la clé privée hors de la base du journal, et la clé publique chez qui vérifie.")


def _show(report: Report, *, signed: bool) -> None:
    console.print(f"{report.liens:,} maillons, {report.sceaux} sceaux.".replace(",", " "))
    if report.non_scelles:
        console.print(f"{report.non_scelles:,} maillons suivent le dernier sceau de leur écrivain.".replace(",", " "))
    if not signed:
        console.print("Aucune clé publique : les signatures n'ont pas été vérifiées.", style="yellow")
    if report.intact:
        console.print("La chaîne est intacte.", style="green")
    else:
        table = Table("Problème", "Écrivain", "Du maillon", "Au maillon", "Entrée", box=SIMPLE)
        for problem in report.problemes:
            writer = "(sceaux)" if problem.ecrivain is None else str(problem.ecrivain)
            table.add_row(problem.nature.value, writer, str(problem.premier), str(problem.dernier), problem.id or "")
        console.print(table)
        kinds = Counter(problem.nature.value for problem in report.problemes)
        console.print(", ".join(f"{word} : {number}" for word, number in kinds.items()), style="red")
    if report.ancre is not None:
        console.print(f"Ancre à noter hors de la base : {_anchor_text(report.ancre)}", highlight=False, markup=False)


def _report(report: Report) -> Mapping[str, Any]:
    return {
        "intact": report.intact,
        "maillons": report.liens,
        "sceaux": report.sceaux,
        "nonScelles": report.non_scelles,
        "ancre": None if report.ancre is None else _anchor_text(report.ancre),
        "problemes": [
            {
                "nature": problem.nature.value,
                "ecrivain": problem.ecrivain,
                "premier": problem.premier,
                "dernier": problem.dernier,
                "entree": problem.id,
            }
            for problem in report.problemes
        ],
    }


def _anchor_text(anchor: Anchor) -> str:
    return f"{anchor.numero}:{anchor.digest.hex()}"


def _anchor(text: str) -> Anchor | None:
    if not text:
        return None
    number, _, digest = text.partition(":")
    try:
        return Anchor(int(number), bytes.fromhex(digest))
    except ValueError:
        raise _stop("Cette ancre n'a pas été donnée par « graphe journal verifier ».") from None


def _public_keys(given: Sequence[str]) -> list[bytes]:
    """The keys given, and that of this service when it has one."""
    try:
        found = [keys.public_key(text) for text in given]
        own = _settings().journal_signing_key
    except keys.InvalidKey as error:
        raise _stop(str(error)) from None
    return found if own is None else [*found, keys.public_key_of(own)]


# --- Inside ------------------------------------------------------------------------------------------


def _filter(
    habilitation: str,
    jeton: str,
    sujet: str,
    jeu: str,
    agent: str,
    issue: Issue | None,
    requete: str,
    depuis: str,
    jusqua: str,
) -> Filter:
    return Filter(
        habilitation=habilitation or None,
        jeton=jeton or None,
        sujet=sujet or None,
        jeu_de_donnees=jeu or None,
        agent=agent or None,
        issue=issue,
        requete=requete or None,
        depuis=_instant(depuis),
        jusqua=_instant(jusqua),
    )


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _stop(
            f"« {text} » n'est pas un instant ISO 8601, par exemple 2026-03-01 ou 2026-03-01T08:00:00Z."
        ) from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _plain(entry: Entry) -> Mapping[str, Any]:
    """An entry as JSON: its words, then those of its request."""
    own = {name: getattr(entry, name) for name in entry.__struct_fields__ if name != "origine"}
    return own | {name: getattr(entry.origine, name) for name in entry.origine.__struct_fields__}


def _with_store(ask: Callable[[Store], Awaitable[T]]) -> T:
    settings = _settings()

    async def run() -> T:
        async with _opened(settings) as store:
            return await ask(store)

    return _run(run())


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    """The database of the journal, without a writer of ours."""
    store = store_for(settings.journal)
    try:
        await store.connect()
        yield store
    finally:
        await store.close()


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (StoreError, JournalUnavailable):
        raise _stop("Le journal est injoignable : vérifiez GRAPHE_JOURNAL_URL et la base.", 1) from None


def _settings() -> Settings:
    from cli.commands import settings_or_exit

    return settings_or_exit()


def _print_json(value: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def _stop(message: str, status: int = 2) -> typer.Exit:
    errors.print(message, style="red", markup=False)
    return typer.Exit(status)
