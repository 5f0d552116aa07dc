"""Requests made to hurt: each comes to a typed refusal, for little processor time and without a provider's call."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from graph.schema import REGISTRY
from sandbox.personas import CLAIR_VALLON, FOURNIL, TERRASSEMENT
from tests.conftest import Providers
from tests.surface.server import MODERN, TIMEOUT_S, Server, issued, until
from tests.surface.watched import CPU_SECONDS, Watched


def many(count: int, text: str) -> str:
    return " ".join(text.format(i=i) for i in range(count))


def fragment_bomb(levels: int, *, alias: bool) -> str:
    parts = ["{ moi { ...F0 } }"]
    for level in range(levels):
        name = f"a{level}: siret" if alias else "siret"
        parts.append(f"fragment F{level} on Moi {{ {name} ...F{level + 1} ...F{level + 1} }}")
    parts.append(f"fragment F{levels} on Moi {{ siret }}")
    return " ".join(parts)


LA = f'entreprise(siren: "{CLAIR_VALLON}")'
NESTED = "siege { entreprise { " * 5 + "siren" + " } }" * 5

LIMITED: dict[str, tuple[str, str]] = {
    "101 aliases": ("{ moi { " + many(101, "a{i}: siret") + " } }", "aliases"),
    "1600 aliased root fields": ("{ " + many(1600, "a{i}: __typename") + " }", "root_fields"),
    "1000 root fields": ("{ " + "moi { siret } " * 1000 + " }", "root_fields"),
    "5,000 root fields": ("{ " + "__typename " * 5_000 + "}", "tokens"),
    "3000 unused fragments": ("{ moi { siret } } " + many(3_000, "fragment F{i} on Moi {{ siret }}"), "tokens"),
    "3000 unused variables": ("query(" + many(3_000, "$v{i}: Int") + ") { moi { siret } }", "tokens"),
    "10,000 repeated fields": ("{ moi { " + "siret " * 10_000 + " } }", "tokens"),
    "4000 repeated fields": ("{ moi { " + "siret " * 4_000 + " } }", "fields"),
    "20,000 directives": ("{ moi { siret " + "@a " * 20_000 + " } }", "tokens"),
    "600 directives on a field": ("{ moi { siret " + "@skip(if: false) " * 600 + " } }", "directives"),
    "5 directives on a field": ("{ moi { siret " + "@skip(if: false) " * 5 + " } }", "node_directives"),
    "60 directives in all": ("{ moi { " + "siret @skip(if: false) " * 60 + " } }", "directives"),
    "fragment bomb, 20 levels": (fragment_bomb(19, alias=False), "fields"),
    "fragment bomb, 300 levels": (fragment_bomb(300, alias=False), "fields"),
    "nested aliases through fragments": (fragment_bomb(8, alias=True), "fields"),
    "aliases through fragments": (
        "{ moi { ...A x: usage } } fragment A on Moi { " + many(30, "a{i}: siret") + " }",
        "aliases",
    ),
    "depth": ("{ " + LA + " { " + NESTED + " } }", "node_depth"),
    "deep nesting": ("{ a" * 150 + " }" * 150, "depth"),
    "nesting beyond the parser": ("{ a" * 1_500 + " }" * 1_500, "depth"),
    "fragment chain": (
        "{ moi { ...F0 } } " + " ".join(f"fragment F{i} on Moi {{ ...F{i + 1} }}" for i in range(500)),
        "fragment_depth",
    ),
    "lists in lists": (
        '{ entreprises(sirens: ["' + CLAIR_VALLON + '"]) { etablissements(first: 2) { edges { node { '
        "successions { predecesseurs { siret } } entreprise { etablissements(first: 2) { nodes { "
        "successions { predecesseurs { siret } } } } } } } } } }",
        "list_depth",
    ),
    "__schema aliased 50 times": ("{ " + many(50, "a{i}: __schema {{ types {{ name }} }}") + " }", "root_fields"),
    "__schema aliased 15 times": ("{ " + many(15, "a{i}: __schema {{ types {{ name }} }}") + " }", "introspections"),
    "__schema five times": ("{ " + "__schema { types { name } } " * 5 + " }", "introspections"),
    "schema read wide": (
        "{ __schema { types { fields { " + "name description " * 400 + " } } } }",
        "introspection_fields",
    ),
    "integer of 10,000 digits": (
        "{ " + LA + " { etablissements(first: " + "9" * 10_000 + ") { totalCount } } }",
        "digits",
    ),
    "comment flood": ("#\n" * 40_000 + "{ moi { siret } }", "comments"),
    "huge document": ("#" + "a" * 150_000 + "\n{ moi { siret } }", "source_bytes"),
    "huge block string": ('{ entreprise(siren: """' + "a\n" * 60_000 + '""") { siren } }', "source_bytes"),
}


@pytest.mark.parametrize("name", LIMITED)
def test_a_document_beyond_a_limit_is_told_which(production: Server, watched: Watched, name: str) -> None:
    document, limit = LIMITED[name]
    body = watched.check(production.ask(document))
    (error,) = body["errors"]
    extensions = error["extensions"]
    assert extensions["limite"] == limit
    assert extensions["valeur"] > extensions["maximum"]
    assert limit in error["message"]
    assert extensions["code"] in {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"}


INVALID: dict[str, str] = {
    "fragment cycle": "{ moi { ...A } } fragment A on Moi { ...B } fragment B on Moi { ...A }",
    "fragment of itself": "{ moi { ...A } } fragment A on Moi { siret ...A }",
    "600 unused fragments": "{ moi { siret } } " + many(600, "fragment F{i} on Moi {{ siret }}"),
    "1200 unused variables": "query(" + many(1200, "$v{i}: Int") + ") { moi { siret } }",
    "350 unknown fields": "{ moi { " + many(350, "sirett{i}") + " } }",
    "NUL byte": "{ moi { \0 siret } }",
    "lone closing brace": "{ moi { siret } } }",
    "empty": "",
    "block string": '{ entreprise(siren: """' + "a\n" * 20_000 + '""") { siren } }',
    "integer of 300 digits": "{ " + LA + " { etablissements(first: " + "9" * 300 + ") { totalCount } } }",
    "default of 300 digits": "query($n: Int = "
    + "9" * 300
    + ") { "
    + LA
    + " { etablissements(first: $n) { totalCount } } }",
    "defer": "{ moi { ... @defer { siret } } }",
    "subscription": "subscription { moi { siret } }",
    "mutation": "mutation { moi { siret } }",
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_document_is_refused_in_a_few_errors(production: Server, watched: Watched, name: str) -> None:
    body = watched.check(production.ask(INVALID[name]))
    assert 1 <= len(body["errors"]) <= 21
    assert {error["extensions"]["code"] for error in body["errors"]} <= {
        "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT", "OPERATION_RESOLUTION_FAILURE",
    }  # fmt: skip


def test_a_byte_order_mark_is_no_fault(production: Server) -> None:
    assert production.ask("\ufeff{ moi { siret } }").json()["data"]["moi"]


# --- Values -----------------------------------------------------------------------------------------

SIRENS = {
    "injection": "' OR 1=1", "path": "../..", "line ends": f"{CLAIR_VALLON}\r\nX-Evil: 1", "arabic digits": "٩١٠٢٠٣٠٤١",
    "10,000 characters": "9" * 10_000, "wrong key": "910203042", "NUL": "910203041\0", "empty": "",
    "too long": CLAIR_VALLON + "0",
    "spaces": "910 203 041", "around": f" {CLAIR_VALLON} ", "no-break space": "910\u00a0203\u00a0041",
}  # fmt: skip


@pytest.mark.parametrize("name", SIRENS)
def test_a_siren_that_is_none_is_refused_before_any_call(production: Server, watched: Watched, name: str) -> None:
    query = "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } } }"
    body = watched.check(production.ask(query, {"s": SIRENS[name]}))
    assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("value", [910203041, 1.5, True, ["910203041", "910203041"], {"a": 1}])
def test_a_siren_of_another_type_is_refused(production: Server, watched: Watched, value: Any) -> None:
    query = "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } } }"
    watched.check(production.ask(query, {"s": value}))


def test_la_poste_keeps_its_exception(production: Server) -> None:
    query = "query($s: Siret!) { etablissement(siret: $s) { siret } }"
    assert production.ask(query, {"s": "35600000049837"}).json()["data"]["etablissement"]["siret"] == "35600000049837"


@pytest.mark.parametrize("first", [0, -1, 101, 2_147_483_647])
def test_a_page_size_out_of_bounds_is_refused_by_literal_and_by_variable(
    production: Server, watched: Watched, first: int
) -> None:
    by_variable = "query($n: Int!) { " + LA + " { etablissements(first: $n) { totalCount } } }"
    literal = "{ " + LA + f" {{ etablissements(first: {first}) {{ totalCount }} }} }}"
    for response in (production.ask(by_variable, {"n": first}), production.ask(literal)):
        (error,) = watched.check(response)["errors"]
        assert error["extensions"]["limite"] == "page_size"
        assert error["extensions"]["valeur"] == first
        assert error["extensions"]["maximum"] == 100


def test_more_than_a_hundred_identifiers_are_refused(production: Server, watched: Watched) -> None:
    query = "query($s: [Siren!]!) { entreprises(sirens: $s) { sirene { siren } } }"
    (error,) = watched.check(production.ask(query, {"s": [CLAIR_VALLON] * 101}))["errors"]
    assert (error["extensions"]["limite"], error["extensions"]["valeur"]) == ("page_size", 101)


def test_an_answer_of_too_many_values_is_refused(production: Server, watched: Watched) -> None:
    query = """query($s: [Siren!]!, $n: Int!) { entreprises(sirens: $s) { etablissements(first: $n) { nodes {
        siret sirene { siegeSocial etatAdministratif enseigne dateCreation }
        adresse { codeCommune codePostal libelleCommune libelleVoie numeroVoie typeVoie } } } } }"""
    (error,) = watched.check(production.ask(query, {"s": [CLAIR_VALLON] * 100, "n": 100}))["errors"]
    assert error["extensions"]["limite"] == "values"


def cursor(*values: object) -> str:
    """As one of ours is written."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


CURSORS = [
    "", "A", "é", "eyJhIjoxfQ", "bnVsbA", "A" * 5_000, "\0", "W1tbW1tb",
    cursor("*", 2, 99_999), cursor("*", -1, 0), cursor("*", 101, 0), cursor("*", 2, 2), cursor("", 2, 0), cursor(1, 2, 0),
    cursor("*\r\nX-Evil: 1", 2, 0), cursor("a b", 2, 0), cursor("\u0000", 2, 0), cursor("é", 2, 0), cursor("A" * 501, 2, 0),
]  # fmt: skip


@pytest.mark.parametrize("forged", CURSORS)
def test_a_forged_cursor_reaches_no_provider(production: Server, providers: Providers, forged: str) -> None:
    query = "query($c: String) { " + LA + " { etablissements(first: 2, after: $c) { totalCount } } }"
    before = providers.calls("insee")
    response = production.ask(query, {"c": forged})
    assert response.status_code == 200
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == ["BAD_USER_INPUT"]
    assert providers.calls("insee") == before


# --- Transport --------------------------------------------------------------------------------------

BODIES: dict[str, tuple[bytes, str, int]] = {
    "null": (b"null", "application/json", 400),
    "number": (b"1", "application/json", 400),
    "string": (b'"a"', "application/json", 400),
    "nothing": (b"", "application/json", 400),
    "array": (b'[{"query": "{ __typename }"}]', "application/json", 400),
    "deep": (b"[" * 100_000, "application/json", 400),
    "deep variables": (
        b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 30_000 + b"1" + b"}" * 30_000 + b"}",
        "application/json",
        400,
    ),
    "deeper than the parser": (
        b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 2_000 + b"1" + b"}" * 2_000 + b"}",
        "application/json",
        400,
    ),
    "invalid UTF-8": (b'{"query": "\xff"}', "application/json", 400),
    "lone surrogate": (b'{"query": "{ moi { \\ud800 } }"}', "application/json", 400),
    "gzip bytes": (b"\x1f\x8b\x08\x00" + b"\x00" * 30, "application/json", 400),
    "big integer": (
        b'{"query": "{ __typename }", "variables": {"a": ' + b"9" * 10_000 + b"}}",
        "application/json",
        400,
    ),
    "query is a number": (b'{"query": 1}', "application/json", 400),
    "variables are a list": (b'{"query": "{ __typename }", "variables": []}', "application/json", 400),
    "name is a number": (b'{"query": "{ __typename }", "operationName": 1}', "application/json", 400),
    "extensions are text": (b'{"query": "{ __typename }", "extensions": "a"}', "application/json", 400),
    "too big": (b'{"query": "' + b"a" * 210_000 + b'"}', "application/json", 413),
    "form": (b"query={__typename}", "application/x-www-form-urlencoded", 415),
    "multipart": (b"--a\r\n\r\n--a--", "multipart/form-data; boundary=a", 415),
    "text": (b'{"query": "{ __typename }"}', "text/plain", 415),
    "almost JSON": (b'{"query": "{ __typename }"}', "application/jsonx", 415),
    "another charset": (b'{"query": "{ __typename }"}', "application/json; charset=utf-16", 415),
    "graphql": (b"{ __typename }", "application/graphql", 415),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_malformed_body_is_a_typed_refusal(production: Server, watched: Watched, name: str) -> None:
    content, media_type, status = BODIES[name]
    response = production.post(content=content, headers={"Content-Type": media_type})
    assert response.status_code == status, response.text[:300]
    (error,) = watched.check(response)["errors"]
    assert error["extensions"]["code"] == "BAD_REQUEST"


def test_a_body_that_does_not_say_its_size_is_measured_as_it_comes(production: Server, watched: Watched) -> None:
    """At the first bytes too many: the rest is not waited for."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'{"query": "'
        while sent < 50_000_000:
            sent += 50_000
            yield b"a" * 50_000

    headers = {"Authorization": f"Bearer {production.token()}", "Content-Type": "application/json"}
    try:
        response = httpx.post(production.url + "/graphql", content=endless(), headers=headers, timeout=TIMEOUT_S)
    except httpx.WriteError:
        assert sent < 50_000_000  # closed while we were still talking
    else:
        assert response.status_code == 413
        (error,) = watched.check(response)["errors"]
        assert error["extensions"]["limite"] == "body_bytes"
    assert production.cpu() - watched.cpu_before <= CPU_SECONDS


def test_a_compressed_body_is_refused_unread(production: Server, watched: Watched) -> None:
    response = production.post(content=b"\x1f\x8b\x08\x00", headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415
    watched.check(response)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_is_served(production: Server, method: str) -> None:
    headers = {"Authorization": f"Bearer {production.token()}", "Origin": "https://ailleurs.example"}
    response = httpx.request(method, f"{production.url}/graphql?query={{__typename}}", headers=headers)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_a_post_whose_query_is_in_the_address_runs_nothing(production: Server) -> None:
    response = production.post({}, path="/graphql?query={__typename}")
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"])
def test_the_framework_shows_no_page_of_its_own(production: Server, path: str) -> None:
    assert httpx.get(production.url + path).status_code == 404


def test_no_header_names_the_server(production: Server) -> None:
    response = production.ask("{ __typename }")
    assert "server" not in response.headers
    assert "x-powered-by" not in response.headers


def test_graphiql_reflects_nothing_of_its_address(production: Server) -> None:
    page = httpx.get(production.url + "/graphiql", params={"query": "<script>alert('reflet')</script>"})
    assert "reflet" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_operations_are_never_guessed_at(production: Server, watched: Watched) -> None:
    two = "query A { moi { siret } } query B { moi { usage } }"
    for body in ({"query": two}, {"query": two, "operationName": "C"}):
        (error,) = watched.check(production.post(body))["errors"]
        assert error["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
    chosen = production.post({"query": two, "operationName": "B"})
    assert set(chosen.json()["data"]["moi"]) == {"usage"}


def test_refusals_follow_the_media_type(production: Server) -> None:
    for accept, status in ((MODERN, 400), ("application/json", 200), ("*/*", 200)):
        assert production.ask("{ inconnu }", headers={"Accept": accept}).status_code == status
    assert production.ask("{ __typename }", headers={"Accept": "text/html"}).status_code == 406
    mixed = production.ask("{ __typename }", headers={"Accept": f"{MODERN};q=0.5, application/json;q=0.9"})
    assert mixed.headers["content-type"] == "application/json; charset=utf-8"


# --- Leaving early ----------------------------------------------------------------------------------


LEFT = """query($s: Siren!) { entreprise(siren: $s) { certifications { batiment { dateEmission } } } }"""


def test_a_caller_that_leaves_stops_the_work_and_is_traced(production: Server, providers: Providers) -> None:
    """Gone while INSEE names the head office: Qualibat, which would have come next, is never asked."""
    # A habilitation of its own: a quota that nothing before has used.
    token, _, _ = asyncio.run(issued(production.settings, REGISTRY.all_scopes()))
    fresh = {"Authorization": f"Bearer {token}", "X-Fraicheur-Max": "0"}
    production.ask("{ moi { siret } }", headers=fresh)
    providers.misbehave("insee", latence=1.0)
    body = json.dumps({"query": LEFT, "variables": {"s": FOURNIL}}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: essai\r\nAuthorization: Bearer {token}\r\nX-Contexte: a\r\nX-Objet: b\r\n"
        f"X-Fraicheur-Max: 0\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    address = httpx.URL(production.url)
    with socket.create_connection((address.host, address.port or 80)) as connection:
        connection.sendall(head.encode() + body)
        until(lambda: providers.calls("insee"))

    def traced() -> list[dict[str, Any]]:
        query = "query($s: String!) { moi { journal(first: 10, sujet: $s) { lignes { issue statutHttp } } } }"
        lines = production.ask(query, {"s": FOURNIL}, headers=fresh).json()["data"]["moi"]["journal"]["lignes"]
        return [line for line in lines if line == {"issue": "ABANDONNE", "statutHttp": 499}]

    assert until(traced)
    # Another caller, who stays: when it has its answer, the one that left would have had its own.
    honest = production.ask(LEFT, {"s": TERRASSEMENT}, headers=fresh).json()
    assert "errors" not in honest, honest["errors"]
    assert providers.calls("qualibat", TERRASSEMENT) == 1
    assert providers.calls("qualibat", FOURNIL) == 0


def test_nothing_of_all_this_left_a_trace_of_failure_in_the_log(production: Server) -> None:
    """Runs last in this module: whatever came before, the server never met an error that it did not foresee."""
    log = production.logged()
    assert "Traceback" not in log
    assert "unforeseen" not in log


def test_many_attacks_at_once_leave_the_others_served(production: Server, watched: Watched) -> None:
    attack = LIMITED["4000 repeated fields"][0]
    statuses: list[int] = []

    def send() -> None:
        statuses.append(production.ask(attack).status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    honest = production.ask("{ moi { siret } }")
    for thread in threads:
        thread.join(30)
    assert honest.json()["data"]["moi"]["siret"]
    assert statuses == [200] * 8
