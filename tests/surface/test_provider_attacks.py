"""Providers that answer to hurt: the caller is told of a bad answer, for little work, and nothing is followed or leaks.

Asked through GraphQL over HTTP of a server of their own: the attacks count as failures of their providers.
"""

import asyncio
import io
import re
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from graph.service import datasets
from sandbox.faults import Fault
from sandbox.personas import CLAIR_VALLON, TERRASSEMENT
from settings.surface import Profile
from tests.conformance import checks
from tests.conftest import Providers
from tests.resilience.matrix import query_of
from tests.surface import hostile
from tests.surface.server import TIMEOUT_S, Server, issued, started

CPU_SECONDS = 0.25
MEMORY_BYTES = 100_000_000
INVALID, UNAVAILABLE = "PROVIDER_INVALID_RESPONSE", "PROVIDER_UNAVAILABLE"
DATASETS = {dataset.id: dataset for dataset in datasets()}


@pytest.fixture(scope="module")
def _battered(tmp_path_factory: pytest.TempPathFactory, _simulators: Providers) -> Iterator[Server]:
    with started(tmp_path_factory.mktemp("battered"), _simulators.first_port, Profile.PRODUCTION) as server:
        yield server


@pytest.fixture
def battered(_battered: Server, providers: Providers) -> Server:
    return _battered


class Trap:
    """An address of ours that nobody must come to: connections wait in it until they are counted."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/piege"

    def visited(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    found = Trap()
    yield found
    found.close()


def answering(
    providers: Providers, provider: str, body: bytes, *, only: str, status: int = 200, **headers: str
) -> None:
    """This provider gives this answer, whatever it is asked, at the paths that contain `only`."""
    conduct = providers.sandbox.conducts[provider]
    conduct.fault, conduct.only = Fault.ANSWER, only
    conduct.answers = ((status, {name.replace("_", "-"): value for name, value in headers.items()}, body),)


def memory(server: Server) -> int:
    """The most memory that the process has held, in bytes."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


@contextmanager
def bounded(server: Server) -> Iterator[None]:
    """Little processor time and little memory, and no unforeseen error in the log, for what the block asks."""
    server.ask("{ moi { siret } }")
    cpu, held, logged = server.cpu(), memory(server), len(server.logged())
    yield
    spent, grown = server.cpu() - cpu, memory(server) - held
    assert spent <= CPU_SECONDS, f"{spent} s of processor time"
    assert grown <= MEMORY_BYTES, f"{grown} bytes of memory"
    said = server.logged()[logged:]
    assert "Traceback" not in said, said
    assert "unforeseen" not in said, said


def codes(response: httpx.Response) -> set[str]:
    assert response.status_code == 200, response.text[:300]
    assert "root:" not in response.text, "a file of ours was read"
    assert "Traceback" not in response.text
    body: dict[str, Any] = response.json()
    return {error["extensions"]["code"] for error in body.get("errors", [])}


def leaves(response: httpx.Response) -> Iterator[Any]:
    """The values of the answer's data that are no object and no identifier of ours."""
    waiting = [response.json()["data"]]
    while waiting:
        match waiting.pop():
            case dict(inner):
                waiting += [value for name, value in inner.items() if name not in ("siren", "siret", "rna")]
            case list(inner):
                waiting += inner
            case value:
                yield value


FRESH = {"X-Fraicheur-Max": "0"}
RCS = f'{{ entreprise(siren: "{CLAIR_VALLON}") {{ rcs {{ dateImmatriculation }} }} }}'


# --- Towards SOAP -----------------------------------------------------------------------------------

METACHARACTERS = ["<", "&", "]]>", "&amp;", "<!--", '"/><num_siren>910203058</num_siren>', "<![CDATA[", "&#x0;", "'"]


@pytest.mark.parametrize("text", METACHARACTERS)
@pytest.mark.parametrize(
    ("type_", "field"),
    [("Siren", "entreprise(siren: $v) { rcs { siren } }"), ("String", "association(identifiant: $v) { rna }")],
)
def test_metacharacters_reach_no_provider(
    battered: Server, providers: Providers, type_: str, field: str, text: str
) -> None:
    """Alone, and in the place of the last figures of a real number."""
    for value in (text, CLAIR_VALLON[: 9 - len(text)] + text, CLAIR_VALLON + text):
        response = battered.ask(f"query($v: {type_}!) {{ {field} }}", {"v": value})
        assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_USER_INPUT"}
    assert sum(sum(conduct.calls.values()) for conduct in providers.sandbox.conducts.values()) == 0


@pytest.mark.parametrize("text", METACHARACTERS)
def test_metacharacters_of_a_declared_reason_go_into_no_envelope(
    battered: Server, providers: Providers, text: str
) -> None:
    reason = {"X-Contexte": f"a{text}b", "X-Objet": f"a{text}b"}
    body = battered.ask(RCS.replace(CLAIR_VALLON, TERRASSEMENT), headers=reason).json()
    assert body.get("errors", []) == []
    assert body["data"]["entreprise"]["rcs"]["dateImmatriculation"]


# --- XML ---------------------------------------------------------------------------------------------

XML_ROOMS = {
    "infogreffe.extrait_rcs": "/produits",
    "ministere_interieur.associations": "/structure",
    "inpi.brevets": "/search",
}


@pytest.mark.parametrize("attack", hostile.xml_attacks(""))
@pytest.mark.parametrize("dataset", XML_ROOMS)
def test_hostile_xml_is_an_invalid_answer(
    battered: Server, providers: Providers, trap: Trap, dataset: str, attack: str
) -> None:
    provider, only = dataset.partition(".")[0], XML_ROOMS[dataset]
    content = hostile.xml_attacks(trap.url)[attack]
    answering(providers, provider, content, only=only, content_type="text/xml; charset=UTF-8")
    with bounded(battered):
        response = battered.ask(query_of(DATASETS[dataset]))
    # A document that is only not the one expected may mean, for its room, that nothing is known of the company.
    assert codes(response) == {INVALID} or (b"DOCTYPE" not in content and codes(response) == set())
    assert set(leaves(response)) <= {None}
    assert providers.calls(provider, only) == 1
    assert not trap.visited()


ENTITY = "texte-d-une-entite"


def with_entity(content: bytes) -> bytes:
    """A true document, but for a type of its own and an entity in the place of each of its words."""
    text = re.sub(r"^<\?xml[^>]*\?>\s*", "", content.decode())
    text = re.sub(r">[A-Z][A-Z ]{3,}<", ">&x;<", text)
    assert "&x;" in text
    return f'<!DOCTYPE a [<!ENTITY x "{ENTITY}">]>{text}'.encode()


@pytest.mark.parametrize("dataset", ["infogreffe.extrait_rcs", "ministere_interieur.associations"])
def test_a_true_answer_that_declares_an_entity_is_refused_too(
    battered: Server, providers: Providers, dataset: str
) -> None:
    """Nothing of it is served: neither what the entity stands for, nor a record that lacks it."""
    provider = dataset.partition(".")[0]
    sample = next(
        sample
        for _, sample in checks.samples_of(DATASETS[dataset])
        if "error" not in sample and checks.response_of(sample).content.lstrip().startswith(b"<")
    )
    key = checks.key_of(DATASETS[dataset], sample["key"])
    query = query_of(replace(DATASETS[dataset], example=key))
    content = checks.response_of(sample).content
    answering(providers, provider, content, only=XML_ROOMS[dataset], content_type="text/xml; charset=UTF-8")
    assert codes(battered.ask(query, headers=FRESH)) == set(), "the sample is no true answer"
    answering(
        providers, provider, with_entity(content), only=XML_ROOMS[dataset], content_type="text/xml; charset=UTF-8"
    )
    response = battered.ask(query, headers=FRESH)
    assert codes(response) == {INVALID}
    assert ENTITY not in response.text
    assert set(leaves(response)) <= {None}


# --- PDF ---------------------------------------------------------------------------------------------

PDF_ROOMS = {
    "dgfip.attestation_fiscale": ("/attestationFiscale", False),
    "acoss.attestation_vigilance": ("/demandes", True),
    "qualibat.certification_batiment": ("/certificat", False),
}


@pytest.mark.parametrize("attack", hostile.pdf_attacks())
@pytest.mark.parametrize("dataset", PDF_ROOMS)
def test_a_hostile_pdf_is_read_no_further_than_a_real_one(
    battered: Server, providers: Providers, dataset: str, attack: str
) -> None:
    """Whether it is then a certificate that could not be read, or no certificate, is the room's to say."""
    provider = dataset.partition(".")[0]
    only, encoded = PDF_ROOMS[dataset]
    content = hostile.pdf_attacks()[attack]
    content = hostile.as_base64(content) if encoded else content
    # A habilitation of its own, hence a quota: DGFIP's is of five a minute.
    token, _, _ = asyncio.run(issued(battered.settings, frozenset(DATASETS[dataset].opening.scopes)))
    answering(
        providers, provider, content, only=only, content_type="application/json" if encoded else "application/pdf"
    )
    with bounded(battered):
        response = battered.ask(query_of(DATASETS[dataset]), headers={**FRESH, "Authorization": f"Bearer {token}"})
    assert codes(response) <= {INVALID}
    assert providers.calls(provider, only) == 1


# --- Archives ----------------------------------------------------------------------------------------

ACTES = f'{{ entreprise(siren: "{CLAIR_VALLON}") {{ actes {{ actes {{ document {{ nom url }} }} }} }} }}'


def test_an_archive_is_handed_on_unopened(battered: Server, providers: Providers) -> None:
    """A filed deed may come as a zip: nothing of it is unfolded nor written, wherever its entries point."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../../../tmp/graphe-essai-evasion", b"dehors")
        archive.writestr("acte.pdf", b" " * 60_000_000)
    deeds = battered.ask(ACTES).json()["data"]["entreprise"]["actes"]["actes"]
    answering(providers, "inpi_rne", packed.getvalue(), only="/download", content_type="application/zip")
    with bounded(battered):
        response = httpx.get(deeds[0]["document"]["url"], timeout=TIMEOUT_S)
    assert (response.status_code, response.content) in ((200, packed.getvalue()), (502, response.content))
    assert list(Path("/tmp").glob("graphe-essai-evasion*")) == []  # noqa: S108 - where the archive points


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", 'a"; filename="b.exe', "a\r\nSet-Cookie: a=b", "\u202egpj.exe", "/"]
)
def test_a_name_chosen_by_a_provider_is_no_path_and_no_header(
    battered: Server, providers: Providers, name: str
) -> None:
    pieces = {"actes": [{"id": "63b2a1c0f4e5d6a7b8c9d0e1", "dateDepot": "2021-03-15", "nomDocument": name}]}
    answering(providers, "inpi_rne", orjson.dumps(pieces), only="/attachments", content_type="application/json")
    body = battered.ask(ACTES.replace(CLAIR_VALLON, TERRASSEMENT)).json()
    (deed,) = body["data"]["entreprise"]["actes"]["actes"]
    providers.sandbox.reset()
    answering(providers, "inpi_rne", b"%PDF-1.4\n", only="/download", content_type="application/pdf")
    response = httpx.get(deed["document"]["url"], timeout=TIMEOUT_S)
    assert response.status_code == 200
    assert "set-cookie" not in response.headers
    disposition = response.headers["content-disposition"]
    assert disposition.count('"') == 2
    assert disposition.isascii()
    assert "/" not in disposition


# --- Redirects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_a_redirect_is_never_followed(battered: Server, providers: Providers, trap: Trap, status: int) -> None:
    answering(providers, "douanes", b"", only="", status=status, location=trap.url)
    with bounded(battered):
        response = battered.ask(query_of(DATASETS["douanes.immatriculation_eori"]))
    assert codes(response) <= {UNAVAILABLE, INVALID}
    assert codes(response)
    assert not trap.visited()


@pytest.mark.parametrize("header", ["refresh", "link", "content-location", "alt-svc"])
def test_no_header_of_an_answer_leads_elsewhere(
    battered: Server, providers: Providers, trap: Trap, header: str
) -> None:
    values = {"refresh": f"0; url={trap.url}", "link": f"<{trap.url}>; rel=preload", "alt-svc": f'h2="{trap.url}"'}
    body = b'{"a": 1}'
    value = values.get(header, trap.url)
    answering(providers, "agence_bio", body, only="", content_type="application/json", **{header: value})
    battered.ask(query_of(DATASETS["agence_bio.certification_biologique"]))
    assert not trap.visited()


def test_a_login_that_redirects_is_not_followed(battered: Server, providers: Providers, trap: Trap) -> None:
    """The credentials of the service go to no other host."""
    answering(providers, "data_subvention", b"", only="login", status=307, location=trap.url)
    response = battered.ask(query_of(DATASETS["data_subvention.subventions"]))
    assert codes(response)
    assert not trap.visited()


# --- Sizes -------------------------------------------------------------------------------------------

FAULTS = {"bomb": INVALID, "endless": INVALID, "truncated_gzip": INVALID}
SIZED = [
    "cma_france.entreprise_artisanale",
    "fabrique_numerique.conventions_collectives",
    "opqibi.certification_ingenierie",
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("dataset", SIZED)
def test_a_body_without_measure_is_dropped(battered: Server, providers: Providers, dataset: str, fault: str) -> None:
    provider = dataset.partition(".")[0]
    providers.misbehave(provider, panne=fault)
    with bounded(battered):
        response = battered.ask(query_of(DATASETS[dataset]))
    assert codes(response) == {FAULTS[fault]}


def test_a_packed_file_that_unfolds_is_dropped(battered: Server, providers: Providers) -> None:
    """Banque de France hands over a packed file: its room unpacks it."""
    answering(providers, "banque_de_france", hostile.bomb(), only="", content_type="application/gzip")
    with bounded(battered):
        response = battered.ask(query_of(DATASETS["banque_de_france.bilans"]))
    assert codes(response) == {INVALID}


@pytest.mark.parametrize("attack", hostile.json_attacks())
def test_hostile_json_is_an_invalid_answer(battered: Server, providers: Providers, attack: str) -> None:
    content = hostile.json_attacks()[attack]
    answering(providers, "insee", content, only="/siren", content_type="application/json;charset=utf-8")
    query = f'{{ entreprise(siren: "{TERRASSEMENT}") {{ sirene {{ siren }} }} }}'
    with bounded(battered):
        response = battered.ask(query, headers=FRESH)
    assert codes(response) == {INVALID}


def test_a_header_without_measure_is_dropped(battered: Server, providers: Providers) -> None:
    answering(providers, "opqibi", b"{}", only="", content_type="application/json", x_long="a" * 1_000_000)
    with bounded(battered):
        response = battered.ask(query_of(DATASETS["opqibi.certification_ingenierie"]))
    assert codes(response) == {UNAVAILABLE}


def test_an_answer_that_never_ends_is_given_up(tmp_path: Path, providers: Providers) -> None:
    """The whole request has an end of its own, before its providers'; what they don't hold is answered."""
    with started(tmp_path, providers.first_port, Profile.PRODUCTION, GRAPHE_OPERATION_SECONDS="1.5") as server:
        providers.misbehave("infogreffe", panne="timeout")
        providers.misbehave("douanes", panne="slow_drip")
        eori = query_of(DATASETS["douanes.immatriculation_eori"]).strip().removeprefix("{").removesuffix("}")
        query = f'{{ entreprise(siren: "{CLAIR_VALLON}") {{ siren rcs {{ siren }} }} moi {{ siret }} {eori} }}'
        with bounded(server):
            body = server.ask(query).json()
        assert [error["extensions"]["code"] for error in body["errors"]] == ["DEADLINE_EXCEEDED"] * 2
        assert body["data"]["entreprise"] == {"siren": CLAIR_VALLON, "rcs": None}
        assert body["data"]["moi"]["siret"]
        # Told to stop, it would wait for its providers.
        server.process.kill()
        server.process.wait()
