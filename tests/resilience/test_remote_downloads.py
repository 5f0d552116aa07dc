"""Files that stay at their provider: relayed for the token that read the link, traced before the first byte, never kept."""

import httpx
import pytest

from providers.errors import Unavailable, Unreadable
from resolvers.addresses import refuse_foreign
from sandbox.personas import CLAIR_VALLON
from tests.conftest import Api, Providers
from tracing.entry import Issue, Nature

ACTES = "query($s: Siren!) { entreprise(siren: $s) { actes { actes { document { id nom url } } } } }"


async def link(api: Api) -> str:
    answer = await api.ask(ACTES, variables={"s": CLAIR_VALLON})
    assert answer.errors == []
    url: str = answer.at("entreprise.actes.actes.0.document.url")
    return httpx.URL(url).raw_path.decode()


async def test_the_file_is_relayed_and_traced(api: Api, providers: Providers) -> None:
    response = await api.client.get(await link(api))
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-")
    assert providers.calls("inpi_rne", "/download") == 1
    (entry,) = [entry for entry in await api.journal() if entry["nature"] is Nature.DOCUMENT]
    assert (entry["issue"], entry["statut_http"], entry["sujet"]) == (Issue.REPONDU, 200, CLAIR_VALLON)
    assert entry["intention"] is not None
    assert list((api.settings.data_dir / "documents").glob("**/*.pdf")) == []


async def test_a_session_that_is_over_is_renewed(api: Api, providers: Providers) -> None:
    path = await link(api)
    providers.misbehave("inpi_rne", chemin="/download", panne="status", statut=401, fois=1)
    assert (await api.client.get(path)).status_code == 200
    assert providers.calls("inpi_rne", "/download") == 2


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"panne": "status", "statut": 503}, 502, "PROVIDER_UNAVAILABLE"),
        ({"panne": "status", "statut": 504}, 504, "PROVIDER_TIMEOUT"),
        ({"panne": "status", "statut": 429}, 503, "PROVIDER_RATE_LIMITED"),
        ({"panne": "reset"}, 502, "PROVIDER_UNAVAILABLE"),
        ({"panne": "wrong_type"}, 502, "PROVIDER_INVALID_RESPONSE"),
        ({"panne": "redirect"}, 502, "PROVIDER_UNAVAILABLE"),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
async def test_a_provider_that_fails_is_told_before_any_byte(
    api: Api, providers: Providers, wish: dict[str, object], status: int, code: str
) -> None:
    path = await link(api)
    providers.misbehave("inpi_rne", chemin="/download", **wish)
    response = await api.client.get(path)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (status, code)
    entry = next(entry for entry in await api.journal() if entry["nature"] is Nature.DOCUMENT)
    assert (entry["issue"], entry["statut_http"]) == (Issue.ECHEC, status)


async def test_a_link_is_refused_when_it_is_old_or_changed(api: Api, providers: Providers) -> None:
    path = await link(api)
    changed = path[:-2] + ("A" if path[-2] != "A" else "B") + path[-1]
    assert (await api.client.get(changed)).status_code == 422
    assert (await api.client.get("/documents/distants/é")).status_code == 422
    assert CLAIR_VALLON not in path
    api.clock.advance(hours=1)
    assert (await api.client.get(path)).status_code == 410
    assert providers.calls("inpi_rne", "/download") == 0


OWN = ["http://127.0.0.1:18123/apim", "mot de passe"]


@pytest.mark.parametrize(
    "url",
    [
        "http://exemple.fr/a.pdf",
        "https://127.0.0.1/a.pdf",
        "https://[::1]/a.pdf",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.7/a.pdf",
        "https://localhost/a.pdf",
        "https://user@1.1.1.1/a.pdf",
        "http://127.0.0.1:18124/apim/a.pdf",
        "file:///etc/passwd",
        "",
    ],
)
async def test_an_address_inside_our_network_is_never_followed(url: str) -> None:
    with pytest.raises((Unreadable, Unavailable)):
        await refuse_foreign(url, OWN)


async def test_its_own_host_and_public_ones_over_tls_are() -> None:
    await refuse_foreign("http://127.0.0.1:18123/apim/a.pdf", OWN)
    await refuse_foreign("https://1.1.1.1/a.pdf", OWN)
