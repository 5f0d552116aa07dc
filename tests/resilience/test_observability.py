"""What the operator's tools read, and what they must never read."""

import logging
from pathlib import Path

import orjson
import pytest

from graph.observability import JsonLines
from resolvers.alerts import redacted
from sandbox.personas import CLAIR_VALLON
from settings import Settings
from tests.conftest import Api, Clock, Providers, started

RCS = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } } }"


async def test_figures_of_each_provider(tmp_path: Path, providers: Providers, clock: Clock) -> None:
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port, metrics=True)
    async with started(settings, clock) as api:
        await api.ask(RCS, variables={"s": CLAIR_VALLON})
        providers.misbehave("infogreffe", panne="status", statut=503)
        await api.ask(RCS, variables={"s": "384500195"})
        page = (await api.client.get("/metriques")).text
    assert 'graphe_appels_total{fournisseur="infogreffe",issue="ok"} 1.0' in page
    assert 'graphe_appels_total{fournisseur="infogreffe",issue="PROVIDER_UNAVAILABLE"} 1.0' in page
    assert 'graphe_circuit{fournisseur="infogreffe"} 0.0' in page
    assert CLAIR_VALLON not in page


async def test_figures_are_off_unless_asked_for(api: Api) -> None:
    assert (await api.client.get("/metriques")).status_code == 404


async def test_an_unreadable_answer_raises_an_alert_without_its_values(
    api: Api, providers: Providers, caplog: pytest.LogCaptureFixture
) -> None:
    providers.misbehave("infogreffe", panne="wrong_type")
    await api.ask(RCS, variables={"s": CLAIR_VALLON})
    (record,) = [record for record in caplog.records if record.name == "resolvers.alerts"]
    assert record.levelno == logging.ERROR
    assert "infogreffe" in record.getMessage()
    assert "text/html" in record.getMessage()
    assert "Connectez" not in record.getMessage()


def test_an_outline_keeps_no_value() -> None:
    assert redacted('{"nom": "Éva Martin", "né": 1980}'.encode()) == '{"aaa": "aaa aaaaaa", "aa": 9999}'


def test_a_log_line_is_json_and_an_exception_shows_no_value() -> None:
    try:
        raise ValueError(CLAIR_VALLON)
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed %s", ("here",), (type(error), error, None))
    line = JsonLines().format(record)
    assert orjson.loads(line)["message"] == "failed here"
    assert CLAIR_VALLON not in line


def test_an_exception_caused_by_another_shows_the_values_of_neither() -> None:
    """Where it was raised is told; texts, of several lines or of its cause, are not."""
    try:
        try:
            raise LookupError(f"premier\n{CLAIR_VALLON}\nfin")
        except LookupError as error:
            raise ValueError(f"{CLAIR_VALLON}\nautre ligne") from error
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "failed", (), (type(error), error, error.__traceback__)
        )
    line = JsonLines().format(record)
    assert CLAIR_VALLON not in line
    assert orjson.loads(line)["exception"] == "ValueError"
    assert orjson.loads(line)["trace"][0].startswith(__file__)
    assert "autre ligne" not in line
