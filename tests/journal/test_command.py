"""`graphe journal`, as the operator types it, on a journal that an API has written."""

import base64
import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from typer.testing import CliRunner

from auth.scopes import OPEN_DATA
from cli.commands import app
from cli.demo import agefiph_delivery, load_agefiph
from sandbox.personas import CLAIR_VALLON, FILIALE
from settings import Settings
from tests.conftest import Api, Clock, Providers, started
from tracing import keys

KEY = bytes(range(32))
PUBLIC = base64.b64encode(keys.public_key_of(KEY)).decode()
RCS = "query Fiche($s: Siren!) { entreprise(siren: $s) { rcs { siren } mandatairesSociaux { items { nom } } } }"


@pytest.fixture
async def written(tmp_path: Path, providers: Providers, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a service that has answered three requests, signed its journal, and stopped."""
    folder = tmp_path / "var"
    monkeypatch.setenv("GRAPHE_DATA_DIR", str(folder))
    monkeypatch.setenv("GRAPHE_JOURNAL_KEY", base64.b64encode(KEY).decode())
    settings = Settings(sandbox_port=providers.first_port)
    await load_agefiph(settings, agefiph_delivery(tmp_path / "agefiph"))
    async with started(settings, clock) as api:
        await asked(api)
    return folder


async def asked(api: Api) -> None:
    await api.ask(RCS, variables={"s": CLAIR_VALLON}, headers={"X-Objet": "=SOMME(A1)"})
    api.clock.advance(seconds=1)
    await api.ask(RCS, variables={"s": FILIALE}, scopes={OPEN_DATA})


def run(*arguments: str, status: int = 0) -> Any:
    result = CliRunner().invoke(app, ["journal", *arguments])
    assert result.exit_code == status, result.output
    return result


def found(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


# The commands run a loop of their own: each test leaves the fixture's before it types.


def test_entries_are_found_by_what_is_asked(written: Path) -> None:
    whole = found("chercher")
    assert {entry["sujet"] for entry in whole["acces"]} == {CLAIR_VALLON, FILIALE}
    (refusal,) = found("chercher", "--issue", "REFUSE")["acces"]
    assert (refusal["sujet"], refusal["jeu_de_donnees"]) == (FILIALE, "infogreffe.mandataires_sociaux")
    assert "mandataires_sociaux_infogreffe" in refusal["portees_manquantes"]
    by_request = found("chercher", "--requete", refusal["requete"])["acces"]
    assert {entry["requete"] for entry in by_request} == {refusal["requete"]}
    assert found("chercher", "--sujet", FILIALE, "--habilitation", "nobody")["acces"] == []
    assert found("chercher", "--jusqua", "2026-03-10")["acces"] == []
    assert found("chercher", "--depuis", "2026-03-10", "--jeu", "infogreffe.extrait_rcs")["acces"]


def test_pages_follow_each_other(written: Path) -> None:
    whole = found("chercher")["acces"]
    read, after = [], ""
    while True:
        page = found("chercher", "-n", "1", *(["--apres", after] if after else []))
        read += page["acces"]
        after = page["suivant"]
        if after is None:
            break
    assert read == whole
    run("chercher", "--apres", "forge", status=2)


def test_the_table_shows_subject_and_ending(written: Path) -> None:
    shown = run("chercher", "--issue", "REFUSE").stdout
    assert FILIALE in shown
    assert "REFUSE" in shown


def test_accesses_are_counted_by_axis(written: Path) -> None:
    groups = found("statistiques", "--par", "ISSUE")
    assert {group["ISSUE"]: group["acces"] for group in groups}["REFUSE"] == 1


def test_a_spreadsheet_receives_no_formula(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "acces.csv"
    run("exporter", str(path))
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == len(found("chercher")["acces"])
    assert {row["objet"] for row in rows} == {"'=SOMME(A1)", "Analyse des candidatures"}
    assert path.stat().st_mode & 0o077 == 0


def test_lines_and_parquet_hold_as_many(written: Path, tmp_path: Path) -> None:
    lines, columns = tmp_path / "acces.jsonl", tmp_path / "acces.parquet"
    run("exporter", str(lines))
    run("exporter", str(columns), "--issue", "REFUSE")
    assert len(lines.read_text(encoding="utf-8").splitlines()) == len(found("chercher")["acces"])
    assert columns.read_bytes()[:4] == b"PAR1"
    run("exporter", str(lines), status=2)
    run("exporter", str(tmp_path / "acces.xlsx"), status=2)


def test_an_intact_journal_is_told_intact_with_or_without_the_database(written: Path, tmp_path: Path) -> None:
    report = found("verifier")
    assert report["intact"] is True
    assert report["nonScelles"] == 0
    path = tmp_path / "chaine.jsonl"
    run("exporter", "--chaine", str(path))
    (written / "journal.db").unlink()
    assert found("verifier", str(path), "--cle-publique", PUBLIC, "--ancre", report["ancre"]) == report


def test_an_altered_line_is_found_in_the_database_and_in_the_archive(written: Path, tmp_path: Path) -> None:
    path = tmp_path / "chaine.jsonl"
    run("exporter", "--chaine", str(path))
    forged = path.read_text(encoding="utf-8").replace(FILIALE, CLAIR_VALLON)
    path.write_text(forged, encoding="utf-8")
    result = run("verifier", str(path), "--json", status=1)
    assert {problem["nature"] for problem in json.loads(result.stdout)["problemes"]} == {"ALTERE"}
    with sqlite3.connect(written / "journal.db") as database:
        database.execute("DROP TRIGGER entrees_202603_update")
        database.execute("UPDATE entrees_202603 SET sujet = ? WHERE sujet = ?", (CLAIR_VALLON, FILIALE))
    database.close()
    shown = run("verifier", status=1).stdout
    assert "ALTERE" in shown


def test_a_seal_signed_by_another_key_is_found(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Ed25519PrivateKey.generate()
    monkeypatch.setenv("GRAPHE_JOURNAL_KEY", base64.b64encode(other.private_bytes_raw()).decode())
    report = json.loads(run("verifier", "--json", status=1).stdout)
    assert {problem["nature"] for problem in report["problemes"]} == {"SCEAU_NON_SIGNE"}


def test_a_public_key_may_be_a_pem_file(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHE_JOURNAL_KEY", "")
    public = Ed25519PrivateKey.from_private_bytes(KEY).public_key()
    path = tmp_path / "public.pem"
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert found("verifier", "--cle-publique", str(path))["intact"] is True
    assert "pas été vérifiées" in run("verifier").stdout


def test_nothing_is_purged_before_its_time(written: Path) -> None:
    assert found("purger") == {"aPurger": []}
    assert found("purger", "--oui") == {"purges": []}


def test_anomalies_of_a_quiet_habilitation(written: Path) -> None:
    habilitation = found("chercher")["acces"][0]["habilitation"]
    assert found("anomalies", habilitation, "--jours", "1200") == []


def test_a_new_key_signs_and_its_public_half_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    made = json.loads(run("cle").stdout)
    private = keys.private_key(made["GRAPHE_JOURNAL_KEY"])
    assert private is not None
    assert keys.public_key(made["clePublique"]) == keys.public_key_of(private)


@pytest.mark.parametrize(
    "text", ["court", base64.b64encode(b"x" * 31).decode(), "-----BEGIN PRIVATE KEY-----\nx\n-----END"]
)
def test_a_key_that_is_none_stops_the_command_and_is_not_repeated(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHE_JOURNAL_KEY", text)
    result = run("chercher", status=2)
    assert "GRAPHE_JOURNAL_KEY" in result.output
    assert text.splitlines()[0] not in result.output.replace("GRAPHE_JOURNAL_KEY", "")


def test_a_pem_key_is_taken_even_with_escaped_line_ends() -> None:
    pem = Ed25519PrivateKey.from_private_bytes(KEY).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert keys.private_key(pem.decode()) == KEY
    assert keys.private_key(pem.decode().replace("\n", "\\n")) == KEY


def test_a_journal_out_of_reach_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHE_JOURNAL_URL", "postgresql://127.0.0.1:1/none")
    assert "injoignable" in run("chercher", status=1).output
