"""`graphe jetons`, as the operator types it: tables for people, JSON for programs, the token shown once."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import time_machine
from typer.testing import CliRunner

from cli.commands import app

runner = CliRunner()
ISSUED = "2026-03-10T09:30:00+00:00"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAPHE_DATA_DIR", str(tmp_path / "var"))


def run(*words: str, status: int = 0) -> str:
    with time_machine.travel(ISSUED, tick=False):
        done = runner.invoke(app, ["jetons", *words])
    assert done.exit_code == status, done.output
    return done.output


def run_json(*words: str, at: str = ISSUED) -> Any:
    with time_machine.travel(at, tick=False):
        done = runner.invoke(app, ["jetons", *words, "--json"])
    assert done.exit_code == 0, done.output
    return orjson.loads(done.stdout)


def issued(*words: str) -> Any:
    return run_json(
        "emettre", "--siret", "13002526500013", "--intitule", "Marchés", "--cas", "marches-publics",
        "--contact", "demandeur:ada@exemple.fr:Ada Exemple", "--adresse", "192.0.2.7/24", "--quota", "40", *words,
    )  # fmt: skip


def test_a_token_is_shown_at_its_issue_and_never_again() -> None:
    made = issued("--scope", "scope_de_demain")
    assert made["expire_le"] == "2027-09-10T09:30:00+00:00"
    assert "scope_de_demain" in made["droits_inconnus"]
    for shown in (run("lister"), run("montrer", made["jeton"])):
        assert made["texte"] not in shown
        assert made["jeton"] in shown
    (card,) = run_json("lister")
    assert (card["etat"], card["adresses"], card["quota_par_minute"]) == ("actif", ["192.0.2.0/24"], 40)
    assert "attestation_sociale_urssaf" in card["scopes"]


def test_the_tables_read_well_in_eighty_columns() -> None:
    made = issued()
    listed = run("lister")
    assert all(len(line) <= 80 for line in listed.splitlines())
    assert made["jeton"] in listed
    assert "actif, 549 j" in listed
    shown = run("montrer", made["jeton"])
    assert "Ada Exemple <ada@exemple.fr>" in shown
    assert "40 appels par minute" in shown


def test_one_habilitation_may_have_several_tokens() -> None:
    first = issued()
    second = run_json("emettre", "--habilitation", first["habilitation"])
    assert second["habilitation"] == first["habilitation"]
    assert {card["jeton"] for card in run_json("lister")} == {first["jeton"], second["jeton"]}
    assert "Aucune habilitation" in run("emettre", "--habilitation", "inconnue", status=1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--siret"),
        (["--siret", "13002526500014", "--intitule", "x", "--scope", "open_data"], "SIRET"),
        (["--siret", "13002526500013", "--intitule", "x"], "n'ouvre rien"),
        (["--siret", "13002526500013", "--intitule", "x", "--cas", "nimporte"], "Cas d'usage inconnu"),
        (
            [
                "--siret",
                "13002526500013",
                "--intitule",
                "x",
                "--cas",
                "marches-publics",
                "--scope",
                "beneficiaires_effectifs_inpi",
            ],
            "Jamais accordé",
        ),
        (
            ["--siret", "13002526500013", "--intitule", "x", "--scope", "open_data", "--adresse", "300.1.1.1"],
            "300.1.1.1",
        ),
        (
            ["--siret", "13002526500013", "--intitule", "x", "--scope", "open_data", "--contact", "chef:a@b"],
            "role:courriel",
        ),
    ],
)
def test_what_cannot_be_issued_is_one_sentence(words: list[str], says: str) -> None:
    output = run("emettre", *words, status=1)
    assert says in " ".join(output.split())
    assert "Traceback" not in output
    assert run_json("lister") == []


def test_prolong_revoke_and_remind() -> None:
    made = issued()
    assert "90 derniers jours" in " ".join(run("prolonger", made["jeton"], status=1).split())
    late = "2027-08-01T09:00:00+00:00"
    (reminder,) = run_json("rappels", "--simulation", at=late)["envoyes"]
    assert (reminder["jours"], reminder["courriel"]) == (60, "ada@exemple.fr")
    assert len(run_json("rappels", at=late)["envoyes"]) == 1
    assert run_json("rappels", at=late)["envoyes"] == []
    assert len(list(Path("var/courriels").iterdir())) == 1
    assert run_json("prolonger", made["jeton"], at=late)["expire_le"] == "2029-02-01T09:00:00+00:00"
    revoked = run_json("revoquer", made["jeton"], "--le", "2028-01-01T00:00:00", at=late)
    assert revoked["revoque_le"] == "2027-12-31T23:00:00+00:00"
    assert [card["etat"] for card in run_json("lister", at=late)] == ["révocation programmée"]
    assert run_json("lister", "--etat", "révoqué", at="2028-01-01T00:00:00+00:00")[0]["jeton"] == made["jeton"]


def test_an_unknown_token_is_one_sentence() -> None:
    for command in ("montrer", "prolonger", "revoquer", "remettre"):
        assert "Aucun jeton" in run(command, "00000000-0000-0000-0000-000000000000", status=1)
