"""Loading a hand-over of AGEFIPH: a CSV file and its manifest, checked whole before anything changes.

The file: `agefiph_conformite_AAAAMMJJ.csv`, UTF-8 (a BOM is accepted), `;` between columns, a header with `siret` and
`derniere_annee_conformite` in any order, other columns ignored. The manifest: the same name in `.json`, with
`date_remise`, `nombre_lignes` (without the header) and `sha256`. A bad file is refused whole, with the lines and
the reasons; the delivery before it stays in service.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from providers.agefiph.table import CONFORMITES, LIVRAISONS
from providers.identifiers import InvalidIdentifier, Siret, siret

FIRST_YEAR = 1987
"""The year of the law that made the obligation."""
MAX_REJECTED = 0.01
MAX_SHRINKING = 0.20
_MAX_SHOWN = 20
_BATCH = 5_000


class DeliveryRefused(Exception):
    """The file is not loaded; `reasons` say which line and why, in French."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Delivery:
    """A checked hand-over. `years` holds the later year of each establishment; `rejected` the refused lines."""

    remise_le: date
    fichier: str
    sha256: str
    lignes: int
    years: Mapping[Siret, str | None]
    rejected: tuple[str, ...]


def read(path: Path) -> Delivery:
    """Check a file against its manifest and read it. Raises `DeliveryRefused`."""
    try:
        content = path.read_bytes()
        manifest = orjson.loads(path.with_suffix(".json").read_bytes())
    except OSError as error:
        raise DeliveryRefused(f"Fichier illisible : {error.filename} ({error.strerror}).") from None
    except orjson.JSONDecodeError:
        raise DeliveryRefused(f"Le manifeste {path.with_suffix('.json').name} n'est pas du JSON valable.") from None
    return check(path.name, content, manifest)


def check(name: str, content: bytes, manifest: object) -> Delivery:
    """The delivery of these bytes. Raises `DeliveryRefused` with every reason that could be found."""
    handed_over, expected_lines, expected_digest = _manifest(manifest)
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected_digest:
        raise DeliveryRefused(
            "L'empreinte SHA-256 du fichier n'est pas celle du manifeste : fichier altéré ou incomplet."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DeliveryRefused(f"Ligne {line} : le fichier n'est pas encodé en UTF-8.") from None
    lines, years, rejected = _lines(text, handed_over)
    if lines != expected_lines:
        raise DeliveryRefused(f"Le fichier a {lines} lignes, le manifeste en annonce {expected_lines}.")
    if len(rejected) > MAX_REJECTED * lines:
        more = [f"… et {len(rejected) - _MAX_SHOWN} autres lignes."] if len(rejected) > _MAX_SHOWN else []
        raise DeliveryRefused(
            f"{len(rejected)} lignes refusées sur {lines}, plus de 1 % : rien n'est chargé.",
            *rejected[:_MAX_SHOWN],
            *more,
        )
    return Delivery(handed_over, name, digest, lines, years, tuple(rejected))


def _manifest(manifest: object) -> tuple[date, int, str]:
    if isinstance(manifest, dict):
        handed_over, lines, digest = (manifest.get(key) for key in ("date_remise", "nombre_lignes", "sha256"))
        if isinstance(handed_over, str) and isinstance(lines, int) and isinstance(digest, str):
            try:
                return date.fromisoformat(handed_over), lines, digest.lower()
            except ValueError:
                pass
    raise DeliveryRefused(
        "Manifeste incomplet : il faut « date_remise » (AAAA-MM-JJ), « nombre_lignes » (entier) et « sha256 »."
    )


def _lines(text: str, handed_over: date) -> tuple[int, dict[Siret, str | None], list[str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";")
    if not {"siret", "derniere_annee_conformite"} <= set(reader.fieldnames or ()):
        raise DeliveryRefused(
            "Ligne 1 : l'en-tête doit nommer les colonnes « siret » et « derniere_annee_conformite »."
        )
    years: dict[Siret, str | None] = {}
    rejected: list[str] = []
    count = 0
    for count, row in enumerate(_rows(reader), start=1):
        try:
            key = siret((row["siret"] or "").replace(" ", ""))
            year = _year((row["derniere_annee_conformite"] or "").strip(), handed_over)
        except (InvalidIdentifier, ValueError) as error:
            rejected.append(f"Ligne {count + 1} : {error}")
            continue
        # One line a year would also be a sensible file: the later year wins.
        years[key] = max(filter(None, (years.get(key), year)), default=None)
    return count, years, rejected


def _rows(reader: "csv.DictReader[str]") -> Iterator[dict[str, str | None]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DeliveryRefused(f"Ligne {reader.line_num} : le fichier n'est pas un CSV lisible ({error}).") from None


def _year(text: str, handed_over: date) -> str | None:
    if not text:
        return None
    if not (len(text) == 4 and text.isascii() and text.isdigit() and FIRST_YEAR <= int(text) <= handed_over.year):
        raise ValueError(f"année hors de {FIRST_YEAR} à {handed_over.year}, ou mal écrite (AAAA attendu).")
    return text


async def load(connection: AsyncConnection, delivery: Delivery) -> int:
    """Put a delivery in service, whole, in the caller's transaction; gives its number of establishments.

    Raises `DeliveryRefused` when it is 20 % smaller than the one in service: a truncated export, most likely.
    """
    before = (await connection.execute(select(func.count()).select_from(CONFORMITES))).scalar_one()
    if len(delivery.years) < before * (1 - MAX_SHRINKING):
        raise DeliveryRefused(
            f"Le fichier a {len(delivery.years)} établissements, la livraison en service {before} : plus de 20 % de "
            "moins. Rien n'est chargé."
        )
    await connection.execute(delete(CONFORMITES))
    rows = [
        {"siret": key, "derniere_annee": year, "remise_le": delivery.remise_le} for key, year in delivery.years.items()
    ]
    for start in range(0, len(rows), _BATCH):
        await connection.execute(insert(CONFORMITES), rows[start : start + _BATCH])
    await connection.execute(
        insert(LIVRAISONS).values(
            remise_le=delivery.remise_le, fichier=delivery.fichier, sha256=delivery.sha256, lignes=delivery.lignes
        )
    )
    return len(rows)
