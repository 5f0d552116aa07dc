"""Documents: a stable id, a link minted for who reads it, a download that is checked, streamed and traced."""

import hashlib

import httpx
import pytest

from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api
from tracing.entry import Issue, Nature

QUERY = """query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance {
    dateDebutValidite document { id nom type taille sha256 url expireLe } } } } }"""


async def document(api: Api) -> dict[str, str]:
    answer = await api.ask(QUERY, variables={"s": CLAIR_VALLON})
    assert answer.errors == []
    found: dict[str, str] = answer.at("entreprise.attestations.vigilance.document")
    return found


async def fetch(api: Api, url: str) -> httpx.Response:
    return await api.client.get(httpx.URL(url).raw_path.decode())


async def test_the_link_gives_the_file_and_the_download_is_traced(api: Api) -> None:
    found = await document(api)
    response = await fetch(api, found["url"])
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/pdf"
    assert "attachment" in response.headers["content-disposition"]
    assert hashlib.sha256(response.content).hexdigest() == found["sha256"]
    assert len(response.content) == int(found["taille"])
    entry = (await api.journal())[0]
    assert (entry["nature"], entry["issue"]) == (Nature.DOCUMENT, Issue.REPONDU)
    assert (entry["sujet"], entry["jeu_de_donnees"]) == (CLAIR_VALLON, "acoss.attestation_vigilance")


async def test_the_id_is_stable(api: Api) -> None:
    assert (await document(api))["id"] == (await document(api))["id"]


async def test_a_link_dies_with_its_document(api: Api) -> None:
    found = await document(api)
    api.clock.advance(hours=23)
    assert (await fetch(api, found["url"])).status_code == 200
    api.clock.advance(hours=1, seconds=1)
    response = await fetch(api, found["url"])
    assert response.status_code == 410
    assert response.json()["errors"][0]["extensions"]["codeApiEntreprise"] == "00403"


async def test_a_cached_answer_never_names_a_document_that_is_gone(api: Api) -> None:
    first = await document(api)
    api.clock.advance(hours=24, seconds=1)
    second = await document(api)
    assert second["expireLe"] > first["expireLe"]
    assert (await fetch(api, second["url"])).status_code == 200


@pytest.mark.parametrize("damage", ["x", "%00", "../../etc/passwd", "🦊"])
async def test_an_altered_link_gives_nothing(api: Api, damage: str) -> None:
    found = await document(api)
    before = len(await api.journal())
    response = await fetch(api, found["url"] + damage)
    assert response.status_code in {404, 422}
    assert b"%PDF" not in response.content
    assert len(await api.journal()) == before


async def test_a_link_of_a_revoked_token_gives_nothing(api: Api) -> None:
    from sqlalchemy import update

    from auth.models import Jeton

    found = await document(api)
    async with api.service.engine.begin() as connection:
        await connection.execute(update(Jeton).values(revoque_le=api.clock()))
    response = await fetch(api, found["url"])
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["codeApiEntreprise"] == "00105"


async def test_nothing_leaves_when_the_download_cannot_be_traced(api: Api) -> None:
    found = await document(api)
    api.service.journal.available = False
    response = await fetch(api, found["url"])
    assert response.status_code == 503
    assert b"%PDF" not in response.content
