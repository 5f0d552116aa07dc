"""Every access leaves its entries, and only those: who, what, why, how it ended. Never a value, never the token."""

from pathlib import Path
from typing import Any

from sandbox.personas import CLAIR_VALLON, EN_PANNE, UNKNOWN
from settings import Settings
from tests.conftest import Api, Clock, Providers, started
from tracing.entry import Issue, Nature


def by_dataset(entries: list[dict[str, Any]], issue: Issue | None = None) -> dict[str, dict[str, Any]]:
    return {
        entry["jeu_de_donnees"]: entry for entry in entries if issue is None or entry["issue"] is issue
    }  # fmt: skip


async def test_an_answered_dataset_leaves_its_fields_its_reason_and_its_outcome(api: Api) -> None:
    await api.ask(
        """query Fiche($s: Siren!) { entreprise(siren: $s) {
            sirene { siren formeJuridique { code } } renomme: sirene { dateCreation __typename } } }""",
        variables={"s": CLAIR_VALLON},
        headers={"X-Agent": "agent-42", "User-Agent": "portail/1.0"},
    )
    (entry,) = await api.journal()
    assert entry["nature"] is Nature.ACCES
    assert entry["issue"] is Issue.REPONDU
    assert (entry["sujet"], entry["jeu_de_donnees"], entry["fournisseur"]) == (
        CLAIR_VALLON,
        "insee.unite_legale",
        "insee",
    )
    assert entry["champs"] == ("__typename", "dateCreation", "formeJuridique.code", "siren")
    assert entry["cache"] is False
    assert entry["duree_ms"] > 0
    assert entry["intention"] is not None
    origin = entry["origine"]
    assert (origin.contexte, origin.objet, origin.operation) == (
        "Marche public 2026-17",
        "Analyse des candidatures",
        "Fiche",
    )
    assert origin.destinataire == "13002526500013"
    assert origin.agent_utilisateur == "portail/1.0"
    assert origin.agent is not None
    assert "agent-42" not in origin.agent


async def test_a_second_reading_is_traced_as_served_from_memory(api: Api) -> None:
    query = "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } } }"
    await api.ask(query, variables={"s": CLAIR_VALLON})
    await api.ask(query, variables={"s": CLAIR_VALLON})
    latest, first = await api.journal()
    assert (first["cache"], latest["cache"]) == (False, True)
    assert latest["intention"] is None


async def test_a_refusal_is_an_entry_with_what_was_missing_and_no_call(api: Api, providers: Providers) -> None:
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { mandatairesSociaux { items { nom } } } }",
        variables={"s": CLAIR_VALLON},
        scopes={"open_data"},
    )
    assert answer.codes == ["UNAUTHORIZED_FIELD_OR_TYPE"]
    assert providers.calls("infogreffe") == 0
    (entry,) = await api.journal()
    assert entry["issue"] is Issue.REFUSE
    assert entry["champs"] == ("items.nom",)
    assert entry["portees_manquantes"] == ("entreprises", "mandataires_sociaux_infogreffe")


async def test_a_refused_field_of_an_open_dataset_has_an_entry_of_its_own(api: Api) -> None:
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { rcs { siren personnePhysique { nom } } } }",
        variables={"s": CLAIR_VALLON},
        scopes={"open_data"},
    )
    assert answer.at("entreprise.rcs.siren") == CLAIR_VALLON
    entries = [entry for entry in await api.journal() if entry["jeu_de_donnees"] == "infogreffe.extrait_rcs"]
    assert {(entry["issue"], entry["champs"]) for entry in entries} == {
        (Issue.REPONDU, ("siren",)),
        (Issue.REFUSE, ("personnePhysique.nom",)),
    }


async def test_the_outcomes_are_told_apart(api: Api) -> None:
    query = "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } attestations { vigilance { situation } } } }"
    await api.ask(query, variables={"s": UNKNOWN})
    await api.ask(query, variables={"s": EN_PANNE})
    entries = await api.journal()
    outcomes = {(entry["sujet"], entry["jeu_de_donnees"], entry["issue"], entry["code"]) for entry in entries}
    assert outcomes == {
        (UNKNOWN, "infogreffe.extrait_rcs", Issue.INTROUVABLE, None),
        (UNKNOWN, "acoss.attestation_vigilance", Issue.INTROUVABLE, None),
        (EN_PANNE, "infogreffe.extrait_rcs", Issue.ECHEC, "PROVIDER_UNAVAILABLE"),
        (EN_PANNE, "acoss.attestation_vigilance", Issue.ECHEC, "PROVIDER_UNAVAILABLE"),
    }


async def test_skipped_fields_leave_no_trace(api: Api, providers: Providers) -> None:
    await api.ask(
        """query($s: Siren!, $non: Boolean!) { entreprise(siren: $s) {
            sirene { siren dateCreation @skip(if: true) } rcs @include(if: $non) { siren } } }""",
        variables={"s": CLAIR_VALLON, "non": False},
    )
    (entry,) = await api.journal()
    assert entry["champs"] == ("siren",)
    assert providers.calls("infogreffe") == 0


async def test_a_protected_dataset_asked_without_a_reason_is_refused_before_any_call(
    api: Api, providers: Providers
) -> None:
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } attestations { vigilance { situation } } } }",
        variables={"s": CLAIR_VALLON},
        reason={},
    )
    assert answer.at("entreprise.sirene.siren") == CLAIR_VALLON
    (error,) = answer.errors
    assert error["extensions"]["code"] == "TRACEABILITY_REQUIRED"
    assert error["extensions"]["manquants"] == ["contexte", "objet"]
    assert providers.calls("acoss") == 0
    entries = by_dataset(await api.journal())
    assert entries["acoss.attestation_vigilance"]["issue"] is Issue.REFUSE


async def test_the_reason_may_come_in_the_body(api: Api) -> None:
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { attestations { vigilance { situation } } } }",
        variables={"s": CLAIR_VALLON},
        reason={},
        extensions={"tracabilite": {"contexte": "Aides", "objet": "Dossier 12"}},
    )
    assert answer.errors == []


async def test_a_recipient_that_is_no_siret_is_refused(api: Api) -> None:
    answer = await api.ask("{ moi { siret } }", headers={"X-Destinataire": "123"})
    (error,) = answer.errors
    assert error["extensions"]["codeApiEntreprise"] == "00210"


async def test_nothing_is_answered_when_the_journal_cannot_be_written(api: Api, providers: Providers) -> None:
    api.service.journal.available = False
    answer = await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { sirene { siren } } }", variables={"s": CLAIR_VALLON}
    )
    assert answer.response.status_code == 503
    assert answer.data is None
    assert answer.codes == ["JOURNAL_UNAVAILABLE"]
    assert providers.calls("insee", "/api-sirene") == 0


async def test_neither_the_token_nor_a_value_is_kept(api: Api) -> None:
    await api.ask(
        "query($s: Siren!) { entreprise(siren: $s) { mandatairesSociaux { items { nom } } } }",
        variables={"s": CLAIR_VALLON},
    )
    token = await api.token("*all*")
    (path,) = api.settings.data_dir.glob("journal.db")
    content = path.read_bytes() + b"".join(other.read_bytes() for other in api.settings.data_dir.glob("journal.db-wal"))
    assert b"MODELE" not in content
    assert token.encode() not in content
    assert token.split(".")[2].encode() not in content


async def test_public_data_may_be_served_without_a_journal_by_setting_only(
    tmp_path: Path, providers: Providers, clock: Clock
) -> None:
    settings = Settings(
        data_dir=tmp_path / "var", sandbox_port=providers.first_port, public_data_without_journal=True
    )  # fmt: skip
    public = "query($s: Siren!) { entreprise(siren: $s) { tva { tvaNumber } } }"
    mixed = "query($s: Siren!) { entreprise(siren: $s) { tva { tvaNumber } mandatairesSociaux { count } } }"
    async with started(settings, clock) as api:
        api.service.journal.available = False
        answer = await api.ask(public, variables={"s": CLAIR_VALLON})
        assert answer.response.status_code == 200
        assert answer.at("entreprise.tva.tvaNumber").startswith("FR")
        refused = await api.ask(mixed, variables={"s": CLAIR_VALLON})
        assert refused.response.status_code == 503
        assert providers.calls("infogreffe") == 0
        api.service.journal.available = True
