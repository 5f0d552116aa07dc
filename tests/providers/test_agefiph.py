"""AGEFIPH's oddities: no HTTP, a file handed over once a year, checked whole before it takes the place of the one before."""

import hashlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from providers.agefiph.chargement import DeliveryRefused, check, load, read
from providers.agefiph.emploi_travailleurs_handicapes import delivery, record_of, rows_of
from providers.agefiph.table import CONFORMITES, LIVRAISONS, METADATA
from providers.attestation import Situation
from providers.identifiers import Siret
from sandbox.personas import named, siret_of, with_check_digit

NAME = "agefiph_conformite_20200915.csv"
HEADER = "siret;derniere_annee_conformite\n"
CLAIR_VALLON, FOURNIL, GAEC = (Siret(named(slug).head_office.siret) for slug in ("clair-vallon", "fournil", "gaec"))
MANY = [siret_of(with_check_digit(f"{60000000 + number}"), 1) for number in range(200)]


def manifest(content: bytes, lines: int, **other: object) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    return {"date_remise": "2020-09-15", "nombre_lignes": lines, "sha256": digest, **other}


def checked(text: str | bytes, lines: int, **other: object) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    return check(NAME, content, manifest(content, lines, **other))


def refusal(text: str | bytes, lines: int, **other: object) -> str:
    with pytest.raises(DeliveryRefused) as refused:
        checked(text, lines, **other)
    return str(refused.value)


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'agefiph.db'}")
    async with engine.begin() as opened:
        await opened.run_sync(METADATA.create_all)
        yield opened
    await engine.dispose()


# --- The file ------------------------------------------------------------------------------------


def test_a_delivery_is_read_whole() -> None:
    found = checked(f"{HEADER}{CLAIR_VALLON};2019\n{FOURNIL};\n", 2)
    assert (found.remise_le, found.lignes, found.rejected) == (date(2020, 9, 15), 2, ())
    assert found.years == {CLAIR_VALLON: "2019", FOURNIL: None}


def test_a_mark_at_the_start_other_columns_other_ends_of_lines_and_blanks() -> None:
    text = f"\ufeffdepartement;derniere_annee_conformite;siret\r\n49;2018;{CLAIR_VALLON[:3]} {CLAIR_VALLON[3:]}\r\n"
    assert checked(text, 1).years == {CLAIR_VALLON: "2018"}


def test_the_later_year_of_an_establishment_wins() -> None:
    assert checked(f"{HEADER}{GAEC};2017\n{GAEC};2019\n{GAEC};\n", 3).years == {GAEC: "2019"}


def test_the_post_is_exempt_from_the_check_digit() -> None:
    assert checked(f"{HEADER}35600000012345;2019\n", 1).years == {"35600000012345": "2019"}


@pytest.mark.parametrize("year", ["1986", "2021", "19", "20190", "deux", "²019"])
def test_a_year_that_cannot_be(year: str) -> None:
    assert "Ligne 2" in refusal(f"{HEADER}{CLAIR_VALLON};{year}\n", 1)


def test_few_bad_lines_are_left_out_and_named() -> None:
    lines = "".join(f"{siret};2019\n" for siret in MANY)
    found = checked(f"{HEADER}{lines}12345678901234;2019\n", 201)
    assert len(found.years) == 200
    assert found.rejected[0].startswith("Ligne 202 : ")
    more = "".join(f"1234567890123{digit};2019\n" for digit in (4, 5, 6))
    assert "3 lignes refusées sur 203" in refusal(f"{HEADER}{lines}{more}", 203)


@pytest.mark.parametrize(
    ("text", "lines", "other", "reason"),
    [
        (f"{HEADER}{CLAIR_VALLON};2019\n", 2, {}, "le manifeste en annonce 2"),
        (f"{HEADER}{CLAIR_VALLON};2019\n", 1, {"sha256": "0" * 64}, "altéré ou incomplet"),
        (f"siret\n{CLAIR_VALLON}\n", 1, {}, "Ligne 1"),
        ("", 0, {}, "Ligne 1"),
        (HEADER.encode() + b"\xe9;2019\n", 1, {}, "Ligne 2 : le fichier n'est pas encodé en UTF-8"),
        (HEADER, 0, {"date_remise": "hier"}, "Manifeste incomplet"),
        (HEADER, 0, {"nombre_lignes": "0"}, "Manifeste incomplet"),
    ],
)
def test_a_delivery_that_is_not_what_it_says(
    text: str | bytes, lines: int, other: dict[str, object], reason: str
) -> None:
    assert reason in refusal(text, lines, **other)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / NAME
    with pytest.raises(DeliveryRefused, match="Fichier illisible"):
        read(path)
    path.write_bytes(HEADER.encode())
    path.with_suffix(".json").write_bytes(b"{")
    with pytest.raises(DeliveryRefused, match="n'est pas du JSON"):
        read(path)
    path.with_suffix(".json").write_bytes(b"[]")
    with pytest.raises(DeliveryRefused, match="Manifeste incomplet"):
        read(path)
    path.with_suffix(".json").write_bytes(orjson.dumps(manifest(HEADER.encode(), 0)))
    assert read(path).years == {}


# --- The table -----------------------------------------------------------------------------------


async def test_a_delivery_takes_the_place_of_the_one_before(connection: AsyncConnection) -> None:
    assert (await connection.execute(delivery())).first() is None
    await load(connection, checked(f"{HEADER}{CLAIR_VALLON};2018\n{FOURNIL};2018\n", 2))
    assert await load(connection, checked(f"{HEADER}{CLAIR_VALLON};2019\n{GAEC};\n", 2)) == 2
    assert (await connection.execute(delivery())).first() is not None
    kept = (await connection.execute(select(CONFORMITES.c.siret, CONFORMITES.c.derniere_annee))).all()
    assert set(kept) == {(CLAIR_VALLON, "2019"), (GAEC, None)}
    assert len((await connection.execute(select(LIVRAISONS))).all()) == 2


async def test_a_shrunken_delivery_leaves_the_one_before_in_service(connection: AsyncConnection) -> None:
    whole = "".join(f"{siret};2019\n" for siret in MANY)
    await load(connection, checked(f"{HEADER}{whole}", 200))
    cut = "".join(f"{siret};2019\n" for siret in MANY[:159])
    with pytest.raises(DeliveryRefused, match="plus de 20 %"):
        await load(connection, checked(f"{HEADER}{cut}", 159))
    assert len((await connection.execute(select(CONFORMITES))).all()) == 200
    enough = "".join(f"{siret};2019\n" for siret in MANY[:160])
    assert await load(connection, checked(f"{HEADER}{enough}", 160)) == 160


# --- What a row says -----------------------------------------------------------------------------


async def test_a_row_is_a_situation_of_a_past_year(connection: AsyncConnection) -> None:
    rows = [
        {"siret": CLAIR_VALLON, "derniere_annee": "2018", "remise_le": date(2020, 9, 15)},
        {"siret": FOURNIL, "derniere_annee": None, "remise_le": date(2020, 9, 15)},
    ]
    await connection.execute(insert(CONFORMITES), rows)
    (row,) = (await connection.execute(rows_of([CLAIR_VALLON, FOURNIL, GAEC]))).all()
    key, found = record_of(row)
    assert key == CLAIR_VALLON
    assert (found.situation, found.situation_au) == (Situation.DELIVREE, date(2018, 12, 31))
    assert found.derniere_annee_de_conformite_connue == "2018"
    # Midnight in Paris, as today's API says it.
    assert (found.remis_le, found.dump_date) == (date(2020, 9, 15), 1_600_120_800)
