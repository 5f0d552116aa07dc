"""Reading: filters, pages, groups, public volumes, anomalies, files; and the indexes that make it fast."""

import csv
import io
import uuid
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import msgspec
import pytest
from arro3.io import read_parquet
from journal_samples import KEY, START, entry, intention, origin, outcome

from tracing.anomalies import Seuils, Signe, anomalies
from tracing.entry import Entry, Issue, Nature
from tracing.export import COLUMNS, Format, export, inert
from tracing.journal import Journal
from tracing.rows import Month
from tracing.search import (
    Axe,
    Consommation,
    Filter,
    InvalidCursor,
    Volume,
    consumption,
    count,
    question,
    search,
    search_sql,
    statistics,
    told,
)

DATASETS = ("insee.unite_legale", "dgfip.tva", "urssaf.attestation_vigilance")
OUTCOMES = (Issue.REPONDU, Issue.REPONDU, Issue.REFUSE, Issue.INTROUVABLE, Issue.ECHEC)
LATER = datetime(2027, 1, 1, tzinfo=START.tzinfo)


def requests(number: int, *, step: timedelta = timedelta(hours=7)) -> list[Entry]:
    """Requests of three habilitations, two tokens each, over as many months as they need; three entries a request."""
    found = []
    for place in range(number):
        of = origin(
            requete=f"requete-{place:05}",
            habilitation=f"hab-{place % 3}",
            jeton=f"jeton-{place % 6}",
            agent=f"agent-{place % 4}" if place % 4 else None,
        )
        found += [
            entry(
                of,
                instant=START + step * place,
                sujet=f"{100_000_000 + place % 7}",
                jeu_de_donnees=dataset,
                fournisseur=dataset.partition(".")[0],
                issue=OUTCOMES[(place + shift) % len(OUTCOMES)],
                cache=place % 2 == 0,
            )
            for shift, dataset in enumerate(DATASETS)
        ]
    return found


FILTERS: dict[str, tuple[Filter, Any]] = {
    "all": (Filter(), lambda one: True),
    "habilitation": (Filter(habilitation="hab-1"), lambda one: one.origine.habilitation == "hab-1"),
    "jeton": (Filter(jeton="jeton-4"), lambda one: one.origine.jeton == "jeton-4"),
    "agent": (Filter(agent="agent-2"), lambda one: one.origine.agent == "agent-2"),
    "sujet": (Filter(sujet="100000003"), lambda one: one.sujet == "100000003"),
    "dataset": (Filter(jeu_de_donnees="dgfip.tva"), lambda one: one.jeu_de_donnees == "dgfip.tva"),
    "issue": (Filter(issue=Issue.REFUSE), lambda one: one.issue is Issue.REFUSE),
    "frequent issue": (Filter(issue=Issue.REPONDU), lambda one: one.issue is Issue.REPONDU),
    "request": (Filter(requete="requete-00007"), lambda one: one.origine.requete == "requete-00007"),
    "period": (
        Filter(depuis=START + timedelta(days=20), jusqua=START + timedelta(days=45)),
        lambda one: timedelta(days=20) <= one.instant - START < timedelta(days=45),
    ),
    "together": (
        Filter(habilitation="hab-2", sujet="100000005", issue=Issue.REPONDU, depuis=START + timedelta(days=5)),
        lambda one: (
            (one.origine.habilitation, one.sujet, one.issue) == ("hab-2", "100000005", Issue.REPONDU)
            and one.instant >= START + timedelta(days=5)
        ),
    ),
    "nobody": (Filter(habilitation="hab-9"), lambda one: False),
}


@pytest.fixture
async def written(journal: Journal) -> list[Entry]:
    entries = requests(210)
    await journal.commit(entries)
    shared = origin(requete="requete-ouverte", habilitation="hab-1")
    await journal.commit([intention(shared), intention(shared)])
    return entries


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_finds_exactly_its_entries_newest_first(
    journal: Journal, written: list[Entry], name: str
) -> None:
    filter, expected = FILTERS[name]
    found: list[Entry] = []
    after = None
    while True:
        page = await search(journal.store, filter, first=17, after=after)
        found += page.entries
        if page.suivant is None:
            break
        assert len(page.entries) == 17
        after = page.suivant
    wanted = [one for one in written if expected(one)]
    assert Counter(found) == Counter(wanted)
    assert [one.instant for one in found] == sorted((one.instant for one in wanted), reverse=True)
    assert await count(journal.store, filter) == len(wanted)


async def test_a_page_is_not_disturbed_by_what_comes_after_it(journal: Journal, written: list[Entry]) -> None:
    one = await search(journal.store, Filter(), first=10)
    await journal.commit([entry(instant=LATER)])
    two = await search(journal.store, Filter(), first=10, after=one.suivant)
    assert len({*one.entries, *two.entries}) == 20


@pytest.mark.parametrize("cursor", ["", "x", "é", "MS4y", "MS4yLjMuNA==", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuMS4x"])
async def test_a_cursor_of_somebody_s_making_is_refused(journal: Journal, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await search(journal.store, Filter(), after=cursor)


async def test_consumption_is_grouped_as_asked(journal: Journal, written: list[Entry]) -> None:
    mine = [one for one in written if one.origine.habilitation == "hab-1"]
    found = await consumption(journal.store, Filter(habilitation="hab-1"), [Axe.JOUR, Axe.FOURNISSEUR])
    wanted = Counter((one.instant.date(), one.fournisseur) for one in mine)
    assert {one.cle: one.acces for one in found} == wanted
    by_agent = await consumption(journal.store, Filter(habilitation="hab-1"), [Axe.AGENT, Axe.ISSUE])
    assert {one.cle: one.acces for one in by_agent} == Counter((one.origine.agent, one.issue) for one in mine)
    (total,) = await consumption(journal.store, Filter(habilitation="hab-1"), [])
    assert total == Consommation((), len(mine), sum(one.cache for one in mine))
    (dataset,) = await consumption(journal.store, Filter(jeu_de_donnees="dgfip.tva"), [Axe.JEU_DE_DONNEES])
    assert dataset.cle == ("dgfip.tva",)
    assert isinstance(found[0].cle[0], date)


async def test_small_groups_are_not_told_to_the_public(journal: Journal) -> None:
    wide = [entry(origin(habilitation=f"hab-{place % 5}"), jeu_de_donnees="a.large") for place in range(20)]
    few = [entry(origin(habilitation=f"hab-{place % 4}"), jeu_de_donnees="b.peu") for place in range(99)]
    rare = [entry(origin(habilitation=f"hab-{place % 9}"), jeu_de_donnees="c.rare") for place in range(19)]
    refused = [entry(origin(), jeu_de_donnees="a.large", issue=Issue.REFUSE) for _ in range(9)]
    await journal.commit([*wide, *few, *rare, *refused])
    may = Month(2026, 5)
    assert await statistics(journal.store, now=LATER) == [
        Volume(may, "a.large", 20),
        Volume(may, "b.peu", None),
        Volume(may, "c.rare", None),
    ]
    assert await statistics(journal.store, now=LATER, months=[]) == []
    assert await statistics(journal.store, now=START) == []
    assert told(20, 5)


def in_paris(hour: int, minute: int = 0, day: int = 12) -> datetime:
    """In May, two hours before Paris."""
    return START.replace(day=day, hour=hour - 2, minute=minute)


async def report(journal: Journal, written: list[Entry], **seuils: Any) -> dict[str, set[Signe]]:
    await journal.commit(written)
    found = await anomalies(
        journal.store,
        habilitation="hab-mairie",
        depuis=START - timedelta(days=30),
        jusqua=START + timedelta(days=30),
        jeux_personnels={"insee.unite_legale"},
        seuils=Seuils(**seuils),
    )
    assert all(one.mesure > one.seuil for one in found)
    return {token: {one.signe for one in found if one.jeton == token} for token in {one.jeton for one in found}}


async def test_a_quiet_habilitation_is_not_reported(journal: Journal) -> None:
    assert await report(journal, [entry(instant=in_paris(9 + place % 8, place % 60)) for place in range(200)]) == {}


async def test_each_anomaly_is_reported_for_its_token_only(journal: Journal) -> None:
    quiet = [entry(instant=in_paris(9 + place % 8, place % 60)) for place in range(100)]
    night = [entry(origin(jeton="nuit"), instant=in_paris(22, place % 60)) for place in range(60)]
    sunday = [entry(origin(jeton="dimanche"), instant=in_paris(10, place % 60, day=10)) for place in range(60)]
    burst = [entry(origin(jeton="rafale"), instant=in_paris(10)) for _ in range(130)]
    burst += [entry(origin(jeton="rafale"), instant=in_paris(11, place)) for place in range(59)]
    people = [
        entry(origin(jeton="personnes"), sujet=str(place), instant=in_paris(9 + place % 8, place % 60))
        for place in range(101)
    ]
    refused = [
        entry(origin(jeton="refus"), issue=(Issue.REPONDU, Issue.REFUSE)[place % 2], instant=in_paris(14, place))
        for place in range(60)
    ]
    contexts = [entry(origin(jeton="contextes", contexte=f"c{place}"), instant=in_paris(15)) for place in range(2)]
    objects = [entry(origin(jeton="objets", objet=f"o{place}"), instant=in_paris(15, place)) for place in range(21)]
    found = await report(journal, [*quiet, *night, *sunday, *burst, *people, *refused, *contexts, *objects])
    assert found == {
        "nuit": {Signe.HORAIRES_INHABITUELS},
        "dimanche": {Signe.HORAIRES_INHABITUELS},
        "rafale": {Signe.RAFALE},
        "personnes": {Signe.PERSONNES_PHYSIQUES},
        "refus": {Signe.REFUS_NOMBREUX},
        "contextes": {Signe.PLUSIEURS_CONTEXTES},
        "objets": {Signe.PLUSIEURS_OBJETS},
    }


async def exported(journal: Journal, filter: Filter, format: Format) -> tuple[bytes, int]:
    file = io.BytesIO()
    steps: list[int] = []
    await export(journal.store, filter, format, file, steps.append)
    return file.getvalue(), sum(steps)


async def test_the_three_formats_hold_the_same_entries(journal: Journal, written: list[Entry]) -> None:
    filter = Filter(habilitation="hab-1")
    mine = [one for one in written if one.origine.habilitation == "hab-1"]
    lines, number = await exported(journal, filter, Format.JSONL)
    objects = [msgspec.json.decode(line) for line in lines.splitlines()]
    assert number == len(objects) == len(mine)
    assert {one["id"]: one["champs"] for one in objects} == {one.id: list(one.champs) for one in mine}
    text, _ = await exported(journal, filter, Format.CSV)
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    assert list(rows[0]) == list(COLUMNS)
    assert {row["id"]: datetime.fromisoformat(row["instant"]) for row in rows} == {one.id: one.instant for one in mine}
    columns, number = await exported(journal, filter, Format.PARQUET)
    assert number == len(mine)
    table = read_parquet(io.BytesIO(columns)).read_all()
    assert table.column_names == list(COLUMNS)
    assert dict(zip(table["id"].to_pylist(), table["issue"].to_pylist(), strict=True)) == {
        one.id: one.issue.value for one in mine
    }


@pytest.mark.parametrize("format", Format)
async def test_an_export_of_nothing_is_an_empty_file_of_its_format(journal: Journal, format: Format) -> None:
    content, number = await exported(journal, Filter(), format)
    assert number == 0
    if format is Format.PARQUET:
        assert read_parquet(io.BytesIO(content)).read_all().num_rows == 0
    else:
        assert content.decode().split() == ([",".join(COLUMNS)] if format is Format.CSV else [])


@pytest.mark.parametrize("text", ["=1+1", "+33", "-1", "@x", "\t=1"])
def test_a_spreadsheet_runs_nothing_of_what_a_caller_wrote(text: str) -> None:
    assert inert(text) == f"'{text}"
    assert inert("marche") == "marche"


INDEXES = {
    "all": "instant",
    "habilitation": "habilitation",
    "jeton": "jeton",
    "agent": "agent",
    "sujet": "sujet",
    "dataset": "jeu",
    "issue": "issue",
    "request": "requete",
    "together": "sujet",
}
# In SQLite, from the newest request on.
WALKED = {"jeton": "instant", "agent": "instant", "dataset": "instant"}


@pytest.fixture(scope="module")
def many() -> list[Entry]:
    entries = []
    for place in range(4_000):
        of = origin(
            requete=str(uuid.uuid4()),
            habilitation=f"hab-{place % 1_000}",
            jeton=f"jeton-{place % 2_000}",
            agent=f"agent-{place % 200}",
        )
        entries += [
            entry(
                of,
                instant=START + timedelta(minutes=place),
                sujet=f"{100_000_000 + place % 900}",
                jeu_de_donnees=f"jeu.{(place + shift) % 60}",
                issue=Issue.REFUSE if place % 50 == 0 else Issue.REPONDU,
            )
            for shift in range(3)
        ]
    return entries


async def test_every_way_in_has_its_index(journal: Journal, url: str, many: list[Entry]) -> None:
    await journal.commit(many)
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url, server_settings={"search_path": "journal"})
        await connection.execute("ANALYZE")
        await connection.close()
    filters = {name: filter for name, (filter, _) in FILTERS.items() if name in INDEXES}
    filters |= {
        "requete": Filter(requete="x"),
        "agent": Filter(agent="agent-7"),
        "sujet": Filter(sujet="100000003"),
        "dataset": Filter(jeu_de_donnees="jeu.7"),
    }
    indexes = INDEXES | WALKED if url.startswith("sqlite") else INDEXES
    for name, index in indexes.items():
        asked = question(journal.store, filters[name])
        plan = await journal.store.plan(search_sql(asked, Month(2026, 5), 51), *asked.values)
        lines = [line for line in plan.splitlines() if "Scan" in line or "SCAN" in line or "SEARCH" in line]
        assert any(f"202605_{index}" in line for line in lines), f"{name}: {plan}"
        assert not any("Seq Scan" in line for line in lines), f"{name}: {plan}"
        if url.startswith("sqlite"):
            # The oldest of the tables in the plan may only be walked along its index.
            assert not any(line.startswith("SCAN") and "USING INDEX" not in line for line in lines), f"{name}: {plan}"
            assert "TEMP B-TREE" not in plan or name not in ("all", "habilitation", "jeton", "agent"), f"{name}: {plan}"


async def test_documents_and_outcomes_are_entries(url: str) -> None:
    journal = await Journal.open(url, signing_key=KEY)
    opened = intention(origin())
    await journal.commit([opened, entry(opened.origine, nature=Nature.DOCUMENT)])
    await journal.commit([outcome(opened, issue=Issue.ABANDONNE)])
    found = (await search(journal.store, Filter(requete=opened.origine.requete))).entries
    assert [(one.nature, one.issue) for one in found] == [
        (Nature.ACCES, Issue.ABANDONNE),
        (Nature.DOCUMENT, Issue.REPONDU),
    ]
    await journal.close()
