"""The GraphiQL page of a started service, in a real browser that can reach the loopback alone.

Skipped where a piece is missing. `GRAPHIQL_SCREENSHOTS=folder` keeps what the browser showed at each step.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.demo import HABILITATIONS
from graph.trusted.ready import USE_CASES
from portal.graphiql import STATIC
from sandbox.clock import CLOCK
from sandbox.personas import CLAIR_VALLON
from settings import Settings
from settings.surface import Profile
from tests.conftest import START, Providers
from tests.surface import app
from tests.surface.server import issued, prepared, started

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "portal" / "graphiql"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(NODE is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (SOURCE / "node_modules" / "playwright-core").is_dir(), reason="playwright-core is absent: run npm ci"
    ),
]
built = pytest.mark.skipif(
    not (STATIC / "graphiql" / "index.html").is_file(), reason="GraphiQL is not built: run npm run build"
)


@contextmanager
def served(folder: Path, providers: Providers, **environment: str) -> Iterator[str]:
    """A service with the tokens of the demonstration; gives its address."""
    providers.sandbox.reset()
    CLOCK.stop_at(START)
    settings = Settings(data_dir=folder / "var", sandbox_port=providers.first_port)
    asyncio.run(prepared(settings, folder))
    tokens = {label: asyncio.run(issued(settings, scopes))[0] for label, scopes in HABILITATIONS.items()}
    environment["GRAPHE_DEMO_TOKENS"] = json.dumps(tokens)
    with started(folder, providers.first_port, Profile.PRODUCTION, **environment) as server:
        yield server.url
    providers.sandbox.reset()


def walk(script: str, url: str) -> dict[str, Any]:
    """What the browser saw on its way through the page."""
    command = [str(NODE), str(HERE / script), url, str(CHROMIUM), str(SOURCE)]
    shots = os.environ.get("GRAPHIQL_SCREENSHOTS")
    if shots:
        command.append(shots)
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # our own script
    assert run.returncode == 0, run.stderr
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, _simulators: Providers) -> dict[str, Any]:
    """One walk for all the tests of the full page."""
    with served(tmp_path_factory.mktemp("full"), _simulators) as url:
        return walk("browser.mjs", url)


@built
class TestFullPage:
    def test_is_silent_and_asks_nobody_else(self, seen: dict[str, Any]) -> None:
        """No error, no warning, nothing that the page's policy forbids, no request to another origin."""
        assert seen["console"] == []
        assert seen["violations"] == []
        assert seen["failed"] == []
        assert seen["elsewhere"] == []

    def test_runs_the_first_tab_at_once_with_its_headers(self, seen: dict[str, Any]) -> None:
        assert '"raisonSociale": "ATELIERS DU CLAIR VALLON"' in seen["profile"]
        assert '"X-Contexte": "Exploration"' in seen["headers"]
        assert seen["session"] == "tous les droits"

    def test_keeps_the_token_out_of_reach(self, seen: dict[str, Any]) -> None:
        assert seen["script_cookie"] == ""
        assert "eyJ" not in seen["stored"]
        assert seen["token_in_page"] is False

    def test_says_why_a_pasted_token_is_refused(self, seen: dict[str, Any]) -> None:
        assert seen["token_refused"].startswith("Jeton mal formé.")

    def test_runs_each_use_case_without_error(self, seen: dict[str, Any]) -> None:
        assert [tab["title"] for tab in seen["tabs"]] == [case.title for case in USE_CASES]
        for tab in seen["tabs"]:
            assert tab["status"] == 200
            assert tab["errors"] == []
            assert tab["siren"] == CLAIR_VALLON
            assert f'"siren": "{CLAIR_VALLON}"' in tab["shown"]
            assert f'"X-Contexte": "{tab["title"]}"' in tab["headers"]

    def test_explains_the_request(self, seen: dict[str, Any]) -> None:
        """The cost, call by call; the rights; each protected field with what opens it."""
        explanation = seen["explanation"]
        assert "Cette requête peut être exécutée." in explanation
        assert "8 appels à des fournisseurs, au plus." in explanation
        assert "infogreffe\t1 appel" in explanation
        assert "Votre jeton ouvre tous les champs protégés de la requête." in explanation
        assert "entreprise.beneficiairesEffectifs lu en entier" in explanation
        assert "beneficiaires_effectifs_inpi" in explanation
        assert "Contexte et objet exigés." in explanation
        assert "il en reste" in explanation

    def test_explains_a_refusal_before_it_is_met(self, seen: dict[str, Any]) -> None:
        refusal = seen["explanation_refused"]
        assert "3 champs refusés à votre jeton." in refusal
        assert "Scopes à demander : beneficiaires_effectifs_inpi" in refusal
        assert refusal.index("refusé") < refusal.index("lu, partie publique seulement")

    def test_explains_why_a_document_cannot_run(self, seen: dict[str, Any]) -> None:
        assert "Cette requête serait refusée." in seen["explanation_impossible"]
        assert "Coût" not in seen["explanation_impossible"]

    def test_shows_a_refusal_first(self, seen: dict[str, Any]) -> None:
        lines = [line.strip() for line in seen["refusal"].splitlines() if line.strip()]
        assert lines[:2] == ["{", '"errors": [']
        assert "UNAUTHORIZED_FIELD_OR_TYPE" in seen["refusal"]
        assert '"coordinate": "Entreprise.rne"' in seen["refusal"]

    def test_completes_the_fields(self, seen: dict[str, Any]) -> None:
        assert any(row.startswith("rne") for row in seen["completion"])

    def test_my_rights_prunes_the_schema(self, seen: dict[str, Any]) -> None:
        """What the token can't read leaves the schema, the completion, and nothing else does."""
        assert seen["rights_asked"] == [{"introspection": "mesDroits"}]
        assert {"rne", "rcs", "sirene"} <= set(seen["fields_all"])
        assert {"rcs", "sirene"} <= set(seen["fields_mine"])
        assert "rne" not in seen["fields_mine"]
        assert set(seen["fields_mine"]) < set(seen["fields_all"])
        assert any(row.startswith("rcs") for row in seen["completion_mine"])
        assert not any(row.startswith("rne") for row in seen["completion_mine"])

    def test_documents_the_schema_in_french(self, seen: dict[str, Any]) -> None:
        documentation = seen["documentation"]
        assert "Points d'entrée du graphe." in documentation
        assert "Champs" in documentation
        assert "Une entreprise, par son SIREN." in documentation
        words = " ".join([*seen["labels"], documentation, seen["history"], seen["shortcuts"]])
        assert not {"Show", "Hide", "Fields", "Query:", "Clear", "Headers", "History", "Search", "Execute"} & set(
            words.split()
        )

    def test_exports_the_request_without_the_token(self, seen: dict[str, Any]) -> None:
        assert "Authorization: Bearer $JETON" in seen["curl"]
        assert "X-Contexte: Détection de la fraude" in seen["curl"]
        assert "eyJ" not in seen["curl"]

    def test_closing_the_session_goes_back_to_the_demonstration(self, seen: dict[str, Any]) -> None:
        assert seen["session_after_closing"] == "tous les droits"

    def test_asks_for_a_token_when_the_session_has_ended(self, seen: dict[str, Any]) -> None:
        assert seen["session_after_expiry"] == "Aucune session"

    def test_keeps_the_work_after_a_reload(self, seen: dict[str, Any]) -> None:
        assert seen["session_after_reload"] == "marchés publics"
        assert "Subventions" in seen["query_after_reload"]


def test_plain_page_works_without_the_built_assets(tmp_path: Path, providers: Providers) -> None:
    shutil.copytree(STATIC / "simple", tmp_path / "static" / "simple")
    with served(tmp_path, providers, **{app.STATIC: str(tmp_path / "static")}) as url:
        seen = walk("browser_plain.mjs", url)
    assert seen["console"] == []
    assert seen["elsewhere"] == []
    assert "npm était absent" in seen["notice"]
    assert "ATELIERS DU CLAIR VALLON" in seen["profile"]
    assert seen["profile"].startswith('{\n  "data"')
    assert "UNAUTHORIZED_FIELD_OR_TYPE" in seen["refusal"]
    assert seen["refusal"].startswith('{\n  "errors"')
    assert seen["pasted"] == "Jeton collé"
    assert "pas un jeton utilisable" in seen["unusable"]
    assert "Aucune session ouverte" in seen["closed"]
