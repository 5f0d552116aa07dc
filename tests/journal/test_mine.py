"""`moi`: the owner of a token reads the journal of his own habilitation, all of it, and nobody else's."""

from typing import Any

import pytest

from auth.scopes import OPEN_DATA
from sandbox.personas import CLAIR_VALLON, FILIALE, UNKNOWN
from tests.conftest import Api, Providers
from tracing.store import StoreError

RCS = "query Fiche($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"
BOTH = "query Deux($s: Siren!) { entreprise(siren: $s) { rcs { siren } mandatairesSociaux { items { nom } } } }"
JOURNAL = """query($first: Int!, $after: String, $sujet: String, $jeu: String, $agent: String, $issue: IssueAcces,
    $depuis: DateTime, $jusqua: DateTime) {
  moi { journal(first: $first, after: $after, sujet: $sujet, jeuDeDonnees: $jeu, agent: $agent, issue: $issue,
                depuis: $depuis, jusqua: $jusqua) {
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    lignes { requete jeton agent sujet jeuDeDonnees champs issue code porteesManquantes cache statutHttp operation } } } }"""


async def journal(api: Api, **asked: Any) -> list[dict[str, Any]]:
    scopes = asked.pop("scopes", "*all*")
    answer = await api.ask(JOURNAL, variables={"first": 50, **asked}, scopes=scopes)
    assert answer.errors == []
    nodes: list[dict[str, Any]] = answer.at("moi.journal.lignes")
    return nodes


async def test_nobody_reads_the_entries_of_another_habilitation(api: Api) -> None:
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    await api.ask(RCS, variables={"s": FILIALE}, scopes={OPEN_DATA})
    mine, theirs = await journal(api), await journal(api, scopes={OPEN_DATA})
    assert {entry["sujet"] for entry in mine} == {CLAIR_VALLON}
    assert {entry["sujet"] for entry in theirs} == {FILIALE}
    assert await journal(api, sujet=FILIALE) == []
    assert await journal(api, sujet=CLAIR_VALLON, scopes={OPEN_DATA}) == []
    others = await api.ask(
        """{ moi { consommation(par: [JEU_DE_DONNEES]) { jeuDeDonnees acces }
             dernieresRequetes { acces { sujet } } anomalies { jeton } } }""",
        scopes={OPEN_DATA},
    )
    assert {one["sujet"] for request in others.at("moi.dernieresRequetes") for one in request["acces"]} == {FILIALE}
    assert sum(one["acces"] for one in others.at("moi.consommation")) == len(theirs)


async def test_another_token_of_the_same_habilitation_is_shown_by_its_id(api: Api) -> None:
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    (entry,) = await journal(api)
    token = await api.ask("{ moi { jeton } }")
    assert entry["jeton"] == token.at("moi.jeton")


async def test_pages_give_each_entry_once(api: Api) -> None:
    for siren in (CLAIR_VALLON, FILIALE, UNKNOWN):
        await api.ask(BOTH, variables={"s": siren})
        api.clock.advance(seconds=1)
    whole = await journal(api)
    found, after = [], None
    for _ in range(len(whole)):
        answer = await api.ask(JOURNAL, variables={"first": 1, "after": after})
        assert answer.at("moi.journal.pageInfo.hasPreviousPage") is (after is not None)
        found += answer.at("moi.journal.lignes")
        after = answer.at("moi.journal.pageInfo.endCursor")
    assert found == whole
    assert answer.at("moi.journal.pageInfo.hasNextPage") is False
    assert [entry["sujet"] for entry in whole] == [UNKNOWN] * 2 + [FILIALE] * 2 + [CLAIR_VALLON] * 2


async def test_the_filters_hold_together(api: Api) -> None:
    await api.ask(BOTH, variables={"s": CLAIR_VALLON}, scopes={OPEN_DATA}, headers={"X-Agent": "agent-7"})
    middle = api.clock()
    api.clock.advance(hours=1)
    await api.ask(BOTH, variables={"s": UNKNOWN}, scopes={OPEN_DATA})

    async def mine(**asked: Any) -> list[tuple[str, str, str]]:
        found = await journal(api, scopes={OPEN_DATA}, **asked)
        return sorted((entry["sujet"], entry["jeuDeDonnees"], entry["issue"]) for entry in found)

    rcs, officers = "infogreffe.extrait_rcs", "infogreffe.mandataires_sociaux"
    answered, refused = (CLAIR_VALLON, rcs, "REPONDU"), (CLAIR_VALLON, officers, "REFUSE")
    assert answered in await mine(sujet=CLAIR_VALLON)
    assert await mine(issue="REFUSE") == sorted([refused, (UNKNOWN, officers, "REFUSE")])
    assert await mine(jeu=rcs) == sorted([answered, (UNKNOWN, rcs, "INTROUVABLE")])
    assert await mine(agent="agent-7", jeu=officers) == [refused]
    (kept,) = {entry["agent"] for entry in await journal(api, scopes={OPEN_DATA}, sujet=CLAIR_VALLON)}
    assert kept != "agent-7"
    assert await mine(agent=kept, jeu=officers) == [refused]
    assert await mine(agent="agent-8") == []
    assert {one[0] for one in await mine(depuis=(api.clock()).isoformat())} == {UNKNOWN}
    assert {one[0] for one in await mine(jusqua=api.clock().isoformat())} == {CLAIR_VALLON}
    assert middle < api.clock()


async def test_a_refusal_says_what_was_missing(api: Api) -> None:
    await api.ask(BOTH, variables={"s": CLAIR_VALLON}, scopes={OPEN_DATA})
    (entry,) = await journal(api, scopes={OPEN_DATA}, issue="REFUSE")
    assert entry["champs"] == ["items.nom"]
    assert entry["code"] == "UNAUTHORIZED_FIELD_OR_TYPE"
    assert "mandataires_sociaux_infogreffe" in entry["porteesManquantes"]
    assert entry["operation"] == "Deux"


async def test_consumption_is_grouped_as_asked(api: Api) -> None:
    await api.ask(BOTH, variables={"s": CLAIR_VALLON}, headers={"X-Agent": "agent-7"})
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    api.clock.advance(days=1)
    await api.ask(RCS, variables={"s": UNKNOWN})
    answer = await api.ask(
        """{ moi { jeux: consommation(par: [JEU_DE_DONNEES]) { jeuDeDonnees acces depuisLeCache issue }
             jours: consommation(par: [JOUR, ISSUE]) { jour issue acces jeuDeDonnees }
             tout: consommation(par: []) { acces } agents: consommation(par: [AGENT]) { agent acces } } }"""
    )
    assert answer.errors == []
    assert answer.at("moi.jeux") == [
        {"jeuDeDonnees": "infogreffe.extrait_rcs", "acces": 3, "depuisLeCache": 1, "issue": None},
        {"jeuDeDonnees": "infogreffe.mandataires_sociaux", "acces": 1, "depuisLeCache": 0, "issue": None},
    ]
    assert answer.at("moi.jours") == [
        {"jour": "2026-03-10", "issue": "REPONDU", "acces": 3, "jeuDeDonnees": None},
        {"jour": "2026-03-11", "issue": "INTROUVABLE", "acces": 1, "jeuDeDonnees": None},
    ]
    assert answer.at("moi.tout") == [{"acces": 4}]
    assert sorted(one["acces"] for one in answer.at("moi.agents")) == [2, 2]


async def test_the_latest_requests_come_whole(api: Api) -> None:
    for siren in (CLAIR_VALLON, FILIALE):
        await api.ask(BOTH, variables={"s": siren})
        api.clock.advance(seconds=1)
    answer = await api.ask(
        "{ moi { dernieresRequetes(first: 1) { operation contexte acces { jeuDeDonnees sujet issue } } } }"
    )
    (request,) = answer.at("moi.dernieresRequetes")
    assert (request["operation"], request["contexte"]) == ("Deux", "Marche public 2026-17")
    assert {(one["jeuDeDonnees"], one["sujet"]) for one in request["acces"]} == {
        ("infogreffe.extrait_rcs", FILIALE), ("infogreffe.mandataires_sociaux", FILIALE),
    }  # fmt: skip


async def test_two_contexts_under_one_token_are_told(api: Api) -> None:
    asked = "{ moi { anomalies { signe mesure seuil } } }"
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    assert (await api.ask(asked)).at("moi.anomalies") == []
    await api.ask(RCS, variables={"s": CLAIR_VALLON}, reason={"X-Contexte": "Aides", "X-Objet": "Dossier 12"})
    assert (await api.ask(asked)).at("moi.anomalies") == [{"signe": "PLUSIEURS_CONTEXTES", "mesure": 2.0, "seuil": 1.0}]


@pytest.mark.parametrize("after", ["x", "MTIz", "LTEuMS4x"])
async def test_a_forged_cursor_opens_nothing(api: Api, after: str) -> None:
    await api.ask(RCS, variables={"s": CLAIR_VALLON}, scopes={OPEN_DATA})
    answer = await api.ask(JOURNAL, variables={"first": 5, "after": after})
    assert answer.codes in ([], ["BAD_USER_INPUT"])
    assert answer.data["moi"]["journal"] is None or answer.at("moi.journal.lignes") == []


async def test_a_cursor_of_another_habilitation_gives_its_reader_his_own_entries(api: Api) -> None:
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    api.clock.advance(seconds=1)
    await api.ask(RCS, variables={"s": FILIALE}, scopes={OPEN_DATA})
    page = await api.ask(JOURNAL, variables={"first": 1}, scopes={OPEN_DATA})
    stolen = page.at("moi.journal.pageInfo.startCursor")
    assert {entry["sujet"] for entry in await journal(api, after=stolen)} == {CLAIR_VALLON}


async def test_a_journal_that_cannot_be_read_is_an_error_that_says_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: Any) -> Any:
        raise StoreError("no database")

    monkeypatch.setattr(api.service.journal.store, "fetch", broken)
    answer = await api.ask("{ moi { siret dernieresRequetes { id } } }")
    assert answer.codes == ["JOURNAL_UNAVAILABLE"]
    assert answer.at("moi.dernieresRequetes") is None
    assert answer.at("moi.siret") == "13002526500013"


async def test_reading_the_journal_leaves_no_entry(api: Api, providers: Providers) -> None:
    await journal(api)
    assert await api.journal() == []
    assert providers.calls("insee") == 0
