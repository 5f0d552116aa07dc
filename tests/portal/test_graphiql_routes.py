"""The routes of the GraphiQL page, called as a browser and as an attacker would."""

import json
import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import time_machine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from portal import graphiql
from portal.session import LIFE, MAX_TOKEN_LENGTH, Seal, Session
from portal.tabs import Tab, profile_tab

SECRET = "secret du service"
DEMO = {"Démonstration complète": "jeton-demo-complet-a1", "Démonstration restreinte": "jeton-demo-restreint-b2"}
PASTED = "jeton-colle-c3"
SIREN = "900000004"
TABS = (
    profile_tab("query Profil($siren: String!) { entreprise(siren: $siren) { siren } }", SIREN),
    Tab(title="Marchés publics", query="{ __typename }", headers={"X-Objet": "Marché 12"}),
)
HEADERS = {"X-Contexte": "Essai", "X-Objet": "Découverte"}
GUARD = {"X-Graphiql": "1"}
QUERY = {"query": "{ __typename }"}


@dataclass
class Recorder:
    """Stands for the road of a request: remembers what reached it."""

    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: Request, token: str) -> Response:
        self.calls.append((token, dict(request.headers), await request.body()))
        assert request.url.query == ""
        return JSONResponse({"data": {"__typename": "Query"}})


@pytest.fixture(params=["built", "plain"])
def static(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The folder of the static files, with or without the assets npm builds."""
    shutil.copytree(graphiql.STATIC / "simple", tmp_path / "simple")
    if request.param == "built":
        (tmp_path / "graphiql" / "assets").mkdir(parents=True)
        (tmp_path / "graphiql" / "index.html").write_text('<script src="/graphiql/static/assets/index-0a1b.js">')
        (tmp_path / "graphiql" / "assets" / "index-0a1b.js").write_text("1")
        (tmp_path / "graphiql" / "assets" / "codicon-2c3d.ttf").write_bytes(b"\0")
    (tmp_path / "hors-dossier.js").write_text("secret")
    monkeypatch.setattr(graphiql, "STATIC", tmp_path)
    return str(request.param)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def client_of(recorder: Recorder, demo_tokens: dict[str, str], *, secure: bool = True) -> httpx.AsyncClient:
    served = graphiql.routes(
        answer=recorder.answer,
        secret=SECRET,
        tabs=TABS,
        demo_tokens=demo_tokens,
        default_headers=HEADERS,
        secure=secure,
    )
    transport = httpx.ASGITransport(app=Starlette(routes=served))
    return httpx.AsyncClient(transport=transport, base_url="https://service.test")


@pytest.fixture
async def client(recorder: Recorder) -> AsyncIterator[httpx.AsyncClient]:
    """A service without demonstration tokens."""
    async with client_of(recorder, {}) as opened:
        yield opened


@pytest.fixture
async def demo(recorder: Recorder) -> AsyncIterator[httpx.AsyncClient]:
    """A service with demonstration tokens."""
    async with client_of(recorder, DEMO) as opened:
        yield opened


async def paste(client: httpx.AsyncClient, token: str = PASTED) -> httpx.Response:
    return await client.post("/graphiql/session", json={"jeton": token}, headers=GUARD)


def refusal(response: httpx.Response) -> str:
    """The code of the only error of a refusal, which is a GraphQL error without data."""
    content = response.json()
    assert set(content) == {"errors"}
    [error] = content["errors"]
    assert error["message"]
    return str(error["extensions"]["code"])


class TestPage:
    async def test_has_a_strict_policy_and_is_kept_nowhere(self, static: str, client: httpx.AsyncClient) -> None:
        response = await client.get("/graphiql")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self' 'unsafe-inline'",
            "font-src": "'self' data:",
            "img-src": "'self' data:",
            "connect-src": "'self'",
            "worker-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
        }

    async def test_says_how_to_build_the_full_page_when_it_is_absent(
        self, static: str, client: httpx.AsyncClient
    ) -> None:
        text = (await client.get("/graphiql")).text
        assert ("npm était absent" in text) is (static == "plain")
        assert ("npm ci --no-audit --no-fund" in text) is (static == "plain")

    async def test_reflects_nothing_of_its_address(self, static: str, client: httpx.AsyncClient) -> None:
        asked = await client.get("/graphiql", params={"query": "<script>alert(1)</script>", "jeton": PASTED})
        assert asked.text == (await client.get("/graphiql")).text

    def test_pages_of_this_repository_have_no_inline_script(self) -> None:
        for page in (graphiql.STATIC / "simple" / "index.html", graphiql.STATIC.parent / "graphiql" / "index.html"):
            text = page.read_text(encoding="utf-8")
            assert text.count("<script") == text.count("<script src=") + text.count('<script type="module" src=')
            assert " on" not in "".join(part.split(">")[0] for part in text.split("<"))
            assert "//" not in text, "nothing is loaded from elsewhere"


class TestFiles:
    async def test_hashed_files_are_kept_for_a_year(self, static: str, client: httpx.AsyncClient) -> None:
        if static == "plain":
            response = await client.get("/graphiql/static/simple.js")
            assert response.headers["cache-control"] == "no-cache"
        else:
            response = await client.get("/graphiql/static/assets/index-0a1b.js")
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            font = await client.get("/graphiql/static/assets/codicon-2c3d.ttf")
            assert font.headers["content-type"] == "font/ttf"
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in response.headers["content-security-policy"], "workers obey their own policy"

    async def test_an_unchanged_file_is_not_sent_again(self, static: str, client: httpx.AsyncClient) -> None:
        path = "/graphiql/static/" + ("simple.css" if static == "plain" else "assets/index-0a1b.js")
        first = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        assert again.headers["cache-control"] == first.headers["cache-control"]

    @pytest.mark.parametrize(
        "path",
        [
            "../hors-dossier.js",
            "..%2fhors-dossier.js",
            "..%5chors-dossier.js",
            "assets/../../hors-dossier.js",
            "assets/%2e%2e/%2e%2e/hors-dossier.js",
            "%2fetc/passwd",
            "/etc/passwd.js",
            "../../graphiql.py",
            "index.html",
            "absent.js",
            "nul%00.js",
            "",
            "assets",
        ],
    )
    async def test_nothing_else_can_be_read(self, static: str, client: httpx.AsyncClient, path: str) -> None:
        response = await client.get(httpx.URL("https://service.test", raw_path=b"/graphiql/static/" + path.encode()))
        assert response.status_code == 404


class TestConfig:
    async def test_gives_the_tabs_with_their_headers(self, client: httpx.AsyncClient) -> None:
        content = (await client.get("/graphiql/config.json")).json()
        assert content["session"] is None
        assert content["demonstrations"] == []
        assert content["entetes"] == HEADERS
        assert content["pointAcces"] == "/graphql"
        profile, other = content["onglets"]
        assert profile["titre"] == "Profil d’une entreprise"
        assert profile["variables"] == {"siren": SIREN}
        assert profile["entetes"] == HEADERS
        assert other["entetes"] == {"X-Contexte": "Essai", "X-Objet": "Marché 12"}

    async def test_without_demonstration_opens_nothing(self, client: httpx.AsyncClient) -> None:
        assert "set-cookie" not in (await client.get("/graphiql/config.json")).headers

    async def test_first_visit_opens_the_first_demonstration(self, demo: httpx.AsyncClient, recorder: Recorder) -> None:
        content = (await demo.get("/graphiql/config.json")).json()
        assert content["session"] == {"libelle": "Démonstration complète", "demonstration": True}
        assert content["demonstrations"] == list(DEMO)
        assert (await demo.post("/graphiql/graphql", json=QUERY, headers=GUARD)).status_code == 200
        assert recorder.calls[0][0] == DEMO["Démonstration complète"]

    async def test_a_session_already_open_is_left_alone(self, demo: httpx.AsyncClient) -> None:
        await paste(demo)
        response = await demo.get("/graphiql/config.json")
        assert response.json()["session"] == {"libelle": "Jeton collé", "demonstration": False}
        assert "set-cookie" not in response.headers


class TestSession:
    async def test_cookie_is_for_this_page_only(self, client: httpx.AsyncClient) -> None:
        cookie = (await paste(client)).headers["set-cookie"]
        value, *attributes = cookie.split("; ")
        assert {attribute.lower() for attribute in attributes} == {
            "httponly",
            "samesite=strict",
            "path=/graphiql",
            "max-age=28800",
            "secure",
        }
        assert value.startswith("graphiql=")
        assert PASTED not in cookie

    async def test_cookie_travels_without_tls_only_where_asked(self, recorder: Recorder) -> None:
        async with client_of(recorder, {}, secure=False) as client:
            assert "secure" not in (await paste(client)).headers["set-cookie"].lower()

    async def test_the_longest_token_fits_in_a_cookie(self, client: httpx.AsyncClient) -> None:
        response = await paste(client, "x" * MAX_TOKEN_LENGTH)
        assert len(response.headers["set-cookie"]) < 4_096

    @pytest.mark.parametrize("pasted", [f"Bearer {PASTED}", f"  {PASTED}\r\n"])
    async def test_what_surrounds_a_token_is_removed(
        self, client: httpx.AsyncClient, recorder: Recorder, pasted: str
    ) -> None:
        await paste(client, pasted)
        await client.post("/graphiql/graphql", json=QUERY, headers=GUARD)
        assert recorder.calls[0][0] == PASTED

    @pytest.mark.parametrize(
        "wish",
        [
            {"jeton": ""},
            {"jeton": "deux mots"},
            {"jeton": "a\r\nX-Autre: b"},
            {"jeton": "é"},
            {"jeton": "x" * (MAX_TOKEN_LENGTH + 1)},
            {"jeton": 12},
            {"demonstration": "inconnue"},
            {"demonstration": ["Démonstration complète"]},
            {},
            [],
            None,
        ],
    )
    async def test_an_unusable_wish_opens_nothing(self, demo: httpx.AsyncClient, wish: object) -> None:
        response = await demo.post(
            "/graphiql/session", content=json.dumps(wish), headers={**GUARD, "Content-Type": "application/json"}
        )
        assert response.status_code == 400
        assert refusal(response) == "BAD_USER_INPUT"
        assert "set-cookie" not in response.headers

    @pytest.mark.parametrize(
        ("body", "status"),
        [(b"{", 400), (b"\xff", 400), (b"[" * 5_000, 400), (b"[" + b" " * 100_000 + b"]", 413)],
    )
    async def test_a_malformed_body_is_refused(self, client: httpx.AsyncClient, body: bytes, status: int) -> None:
        response = await client.post(
            "/graphiql/session", content=body, headers={**GUARD, "Content-Type": "application/json"}
        )
        assert response.status_code == status
        assert refusal(response) == "BAD_REQUEST"

    async def test_another_demonstration_replaces_the_first(self, demo: httpx.AsyncClient, recorder: Recorder) -> None:
        await demo.get("/graphiql/config.json")
        wish = {"demonstration": "Démonstration restreinte"}
        response = await demo.post("/graphiql/session", json=wish, headers=GUARD)
        assert response.json() == {"session": {"libelle": "Démonstration restreinte", "demonstration": True}}
        await demo.post("/graphiql/graphql", json=QUERY, headers=GUARD)
        assert recorder.calls[0][0] == DEMO["Démonstration restreinte"]

    async def test_closing_forgets_the_token(self, client: httpx.AsyncClient) -> None:
        await paste(client)
        response = await client.post("/graphiql/session/fin", json={}, headers=GUARD)
        assert response.status_code == 200
        assert "max-age=0" in response.headers["set-cookie"].lower()
        assert "path=/graphiql" in response.headers["set-cookie"].lower()
        assert (await client.post("/graphiql/graphql", json=QUERY, headers=GUARD)).status_code == 401

    @pytest.mark.parametrize("path", ["/graphiql/session", "/graphiql/session/fin", "/graphiql/graphql"])
    async def test_another_site_cannot_ask(self, client: httpx.AsyncClient, recorder: Recorder, path: str) -> None:
        await paste(client)
        body = json.dumps({"jeton": "autre"}).encode()
        without_header = await client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (without_header.status_code, refusal(without_header)) == (403, "FORBIDDEN")
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""):
            response = await client.post(path, content=body, headers={**GUARD, "Content-Type": media_type})
            assert (response.status_code, refusal(response)) == (415, "BAD_REQUEST")
        assert (await client.get(path)).status_code == 405
        assert recorder.calls == []

    def test_a_session_does_not_print_its_token(self) -> None:
        assert PASTED not in repr(Session(token=PASTED, label="Jeton collé", demonstration=False))


class TestGraphql:
    async def test_carries_the_request_with_the_token_of_the_session(
        self, client: httpx.AsyncClient, recorder: Recorder
    ) -> None:
        await paste(client)
        response = await client.post(
            "/graphiql/graphql?token=autre",
            json=QUERY,
            headers={**GUARD, "X-Objet": "Essai", "Authorization": "Bearer autre", "X-Api-Key": "autre"},
        )
        assert response.json() == {"data": {"__typename": "Query"}}
        assert response.headers["cache-control"] == "no-store"
        [(token, headers, body)] = recorder.calls
        assert token == PASTED
        assert json.loads(body) == QUERY
        assert headers["x-objet"] == "Essai"
        assert not {"authorization", "x-api-key", "cookie"} & set(headers)

    async def test_without_session_says_what_to_do(self, client: httpx.AsyncClient, recorder: Recorder) -> None:
        response = await client.post("/graphiql/graphql", json=QUERY, headers=GUARD)
        assert response.status_code == 401
        assert refusal(response) == "UNAUTHENTICATED"
        assert "collez votre jeton" in response.json()["errors"][0]["message"]
        assert recorder.calls == []

    async def test_a_bearer_token_is_no_session(self, client: httpx.AsyncClient, recorder: Recorder) -> None:
        headers = {**GUARD, "Authorization": f"Bearer {PASTED}"}
        assert (await client.post("/graphiql/graphql", json=QUERY, headers=headers)).status_code == 401
        assert recorder.calls == []

    @pytest.mark.parametrize("kind", ["altered", "truncated", "raw token", "not ascii", "other secret"])
    async def test_a_forged_cookie_is_no_session(
        self, client: httpx.AsyncClient, recorder: Recorder, kind: str
    ) -> None:
        session = Session(token=PASTED, label="Jeton collé", demonstration=False)
        sealed = Seal(SECRET).close(session)
        forged = {
            "altered": sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:],
            "truncated": sealed[:-8],
            "raw token": PASTED,
            "not ascii": "é",
            "other secret": Seal("autre secret").close(session),
        }[kind]
        headers = {**GUARD, "Cookie": f"graphiql={forged}".encode()}
        response = await client.post("/graphiql/graphql", json=QUERY, headers=headers)  # type: ignore[arg-type]  # httpx takes bytes
        assert response.status_code == 401
        assert recorder.calls == []

    async def test_a_session_ends_by_itself(self, client: httpx.AsyncClient, recorder: Recorder) -> None:
        with time_machine.travel("2026-01-05T08:00:00Z", tick=False) as clock:
            sealed = Seal(SECRET).close(Session(token=PASTED, label="Jeton collé", demonstration=False))
            headers = {**GUARD, "Cookie": f"graphiql={sealed}"}
            clock.shift(LIFE)
            assert (await client.post("/graphiql/graphql", json=QUERY, headers=headers)).status_code == 200
            clock.shift(timedelta(seconds=1))
            assert (await client.post("/graphiql/graphql", json=QUERY, headers=headers)).status_code == 401
        assert len(recorder.calls) == 1


async def test_no_answer_and_no_log_holds_a_token(
    static: str, demo: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever is asked, with any session, no token comes back and none is written."""
    caplog.set_level(logging.DEBUG)
    responses = [await demo.get("/graphiql"), await demo.get("/graphiql/config.json"), await paste(demo)]
    responses += [await demo.get("/graphiql/config.json"), await demo.get("/graphiql")]
    responses += [await demo.post("/graphiql/graphql", json=QUERY, headers=GUARD)]
    said = "\n".join(f"{response.headers!r}\n{response.text}" for response in responses)
    for token in (PASTED, *DEMO.values()):
        assert token not in said
        assert token not in caplog.text
    assert SIREN not in caplog.text
