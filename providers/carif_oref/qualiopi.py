"""Activity declarations, Qualiopi certifications and France compétences habilitations of a training establishment.

An unknown SIRET gives HTTP 200 and the same tree with every leaf null: only `siret_actif` tells. Key: a SIRET.
Source: Réseau des Carif-Oref, QuiForme, operation `organisme/{siret}`.
"""

from datetime import date, timedelta
from typing import Any, Final

import httpx

from auth import scopes
from providers import reading
from providers.declaration import (
    Access,
    Call,
    Dataset,
    For,
    Http,
    NotKept,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    as_is,
)
from providers.errors import Misidentified, NotFound, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siret
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Certification Qualiopi d'une déclaration d'activité, par nature d'action.")
class CertificationQualiopi:
    action_formation: bool | None = inherits("Actions de formation.", source="nda[].qualiopi_action_formation")
    bilan_competences: bool | None = inherits("Bilans de compétences.", source="nda[].qualiopi_bilan_competence")
    validation_acquis_experience: bool | None = inherits(
        "Validation des acquis de l'expérience.", source="nda[].qualiopi_vae"
    )
    apprentissage: bool | None = inherits("Apprentissage.", source="nda[].qualiopi_apprentissage")
    obtention_via_unite_legale: bool | None = inherits(
        "Vrai si la certification vient de l'unité légale, faux si la déclaration la détient elle-même ; nul si la "
        "source ne le dit pas.",
        source="nda[].obtention_qualiopi",
    )


@record("Spécialité de formation.")
class SpecialiteFormation:
    code: str | None = inherits("Code à trois chiffres.", source="nda[].code_specialite_1")
    libelle: str | None = inherits("Libellé.", source="nda[].libelle_specialite_1")


@record("Spécialités de formation, trois au plus ; celles qui manquent ont des valeurs nulles.")
class SpecialitesFormation:
    specialite_1: SpecialiteFormation = inherits("Première spécialité.")
    specialite_2: SpecialiteFormation = inherits("Deuxième spécialité.")
    specialite_3: SpecialiteFormation = inherits("Troisième spécialité.")


@record("Déclaration d'activité d'un établissement de formation.")
class DeclarationActivite:
    numero_de_declaration: str | None = inherits("Numéro de déclaration d'activité (NDA).", source="nda[].nda")
    actif: bool | None = inherits("Déclaration active.", source="nda[].actif")
    date_derniere_declaration: date | None = inherits(
        "Date de la dernière déclaration.", source="nda[].date_derniere_declaration"
    )
    date_debut_exercice: date | None = inherits("Début de l'exercice.", source="nda[].debut_exercice")
    date_fin_exercice: date | None = inherits("Fin de l'exercice.", source="nda[].fin_exercice")
    certification_qualiopi: CertificationQualiopi = inherits("Certification Qualiopi.")
    specialites: SpecialitesFormation = inherits("Spécialités.")


@record("Habilitation à préparer ou à évaluer une certification enregistrée par France compétences.")
class HabilitationFranceCompetences:
    code: str | None = inherits("Code de la certification, RNCP ou RS.", source="habilitations[].code_fc")
    actif: bool | None = inherits("Habilitation active.", source="habilitations[].actif")
    date_actif: date | None = inherits("Date d'habilitation.", source="habilitations[].date_habilitation")
    date_fin_enregistrement: date | None = inherits(
        "Fin d'enregistrement de la certification.", source="habilitations[].date_fin_enregistrement"
    )
    date_decision: date | None = inherits("Date de décision.", source="habilitations[].date_decision")
    habilitation_pour_former: bool | None = inherits("Peut former.", source="habilitations[].a_former")
    habilitation_pour_organiser_l_evaluation: bool | None = inherits(
        "Peut organiser l'évaluation.", source="habilitations[].a_organiser"
    )
    sirets_organismes_certificateurs: list[str] = inherits(
        "SIRET des organismes certificateurs.", source="habilitations[].certificateur[].siret"
    )


@record("Certifications Qualiopi et habilitations France compétences d'un établissement de formation.")
class Qualiopi:
    siret: str | None = inherits("SIRET trouvé par la source.", source="siret_actif")
    code_uai: str | None = inherits("Code UAI d'un établissement scolaire.", source="etablissement.uai")
    unite_legale_avec_plusieurs_nda: bool | None = inherits(
        "L'unité légale a plusieurs déclarations d'activité.", source="unite_legale.multinda"
    )
    declarations_activites_etablissement: list[DeclarationActivite] = inherits(
        "Déclarations d'activité de l'établissement.", source="nda"
    )
    habilitations_france_competence: list[HabilitationFranceCompetences] = inherits(
        "Habilitations, sans celles qui sont supprimées.", source="habilitations"
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return Call(
        method="GET",
        url=f"{access.settings['url']}/organisme/{key}",
        headers=(
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
            ("token-connexion", access.settings["token"]),
        ),
    )


# --- How to read ---------------------------------------------------------------------------------

Json = dict[str, Any]

_DELETED: Final = "Supprimé"


def parse(response: httpx.Response, _key: Siret) -> Qualiopi:
    status = response.status_code
    refuse_outage(response)
    if status in (401, 403):
        raise Misidentified
    if status == 404:
        raise NotFound("Cet établissement n'est pas un organisme de formation connu.")
    if status != 200:
        raise Unreadable
    body = reading.json_object(response.content)
    if "siret_actif" not in body:
        # Only this value tells a known establishment: without it nothing can be said.
        raise Unreadable
    siret = reading.text(body, "siret_actif")
    if siret is None:
        raise NotFound("Cet établissement n'est pas un organisme de formation connu.")
    return Qualiopi(
        siret=siret,
        code_uai=reading.text(reading.node(body, "etablissement"), "uai"),
        unite_legale_avec_plusieurs_nda=reading.flag(reading.node(body, "unite_legale"), "multinda"),
        declarations_activites_etablissement=[_declaration(item) for item in _filled(body, "nda", "nda")],
        habilitations_france_competence=[
            _habilitation(item)
            for item in _filled(body, "habilitations", "code_fc")
            if item.get("etat_habilitation") != _DELETED
        ],
    )


def _filled(parent: Json, name: str, key: str) -> list[Json]:
    """The elements of a list that have this key; the others are full of nulls and stand for nothing."""
    return [value for value in reading.nodes(parent, name) if value.get(key) is not None]


def _declaration(item: Json) -> DeclarationActivite:
    return DeclarationActivite(
        numero_de_declaration=reading.text(item, "nda"),
        actif=reading.flag(item, "actif"),
        date_derniere_declaration=reading.day(item, "date_derniere_declaration"),
        date_debut_exercice=reading.day(item, "debut_exercice"),
        date_fin_exercice=reading.day(item, "fin_exercice"),
        certification_qualiopi=CertificationQualiopi(
            action_formation=reading.flag(item, "qualiopi_action_formation"),
            bilan_competences=reading.flag(item, "qualiopi_bilan_competence"),
            validation_acquis_experience=reading.flag(item, "qualiopi_vae"),
            apprentissage=reading.flag(item, "qualiopi_apprentissage"),
            obtention_via_unite_legale=_through_legal_unit(reading.text(item, "obtention_qualiopi") or ""),
        ),
        specialites=SpecialitesFormation(
            specialite_1=_specialite(item, 1), specialite_2=_specialite(item, 2), specialite_3=_specialite(item, 3)
        ),
    )


def _through_legal_unit(sentence: str) -> bool | None:
    """How the certification was got, by the only two fragments of the sentence that are known."""
    if "direct sur le NDA" in sentence:
        return False
    return True if "par propagation via" in sentence else None


def _specialite(item: Json, rank: int) -> SpecialiteFormation:
    return SpecialiteFormation(
        code=reading.text(item, f"code_specialite_{rank}"), libelle=reading.text(item, f"libelle_specialite_{rank}")
    )


def _habilitation(item: Json) -> HabilitationFranceCompetences:
    sirets = (reading.text(body, "siret") for body in _filled(item, "certificateur", "siret"))
    return HabilitationFranceCompetences(
        code=reading.text(item, "code_fc"),
        actif=reading.flag(item, "actif"),
        date_actif=reading.french_day(item, "date_habilitation"),
        date_fin_enregistrement=reading.french_day(item, "date_fin_enregistrement"),
        date_decision=reading.french_day(item, "date_decision"),
        habilitation_pour_former=reading.flag(item, "a_former"),
        habilitation_pour_organiser_l_evaluation=reading.flag(item, "a_organiser"),
        sirets_organismes_certificateurs=[siret for siret in sirets if siret is not None],
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, Qualiopi]] = Source(
    id="carif_oref.qualiopi",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # The source itself changes once a day at most.
    life=For(timedelta(hours=1)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=16_000_000,
)

QUALIOPI: Final[Dataset[Siret, Qualiopi, Qualiopi]] = Dataset(
    id="carif_oref.qualiopi",
    seed=None,
    title="Certifications Qualiopi et habilitations France compétences",
    description=(
        "Déclarations d'activité d'un établissement de formation, certifications Qualiopi par nature d'action, et "
        "habilitations à préparer ou à évaluer des certifications enregistrées."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({scopes.CERTIFICATIONS_QUALIOPI_FRANCE_COMPETENCES}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=Qualiopi,
    read=as_is,
    source_date=None,
    perimeter=(
        "Établissements de formation de métropole et d'outre-mer, sauf écoles privées hors contrat, lycées agricoles et "
        "instruction en famille."
    ),
    key="SIRET",
    freshness="Mise à jour sous 24 heures, 72 au plus ; réponse gardée une heure.",
    not_found_means="L'établissement n'est pas un organisme de formation connu de la source.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/carif_oref/etablissements/{siret}/certifications_qualiopi_france_competences",
    example=Siret("91020304100025"),
    left_out={
        "etablissement, unite_legale, adresse_insee, adresse_ban": "Identité et adresse : se lisent à l'INSEE.",
        "nda[].cfa": "Absent de la ressource d'API Entreprise.",
        "habilitations[].libelle, niveau, accessibilite_*": "Décrivent la certification, non l'établissement.",
        "habilitations[].remplace_par, existence_partenaire, est_partenaire, est_certificateur": "Absents de la ressource "
        "d'API Entreprise, et parfois de la réponse.",
    },
    open_questions=(
        "La réponse à un jeton refusé n'a pas été vue : 401 et 403 sont lus comme un refus de notre identification.",
        "La liste complète des états d'habilitation n'est pas connue : seul « Supprimé » est écarté.",
        "Les phrases exactes de `obtention_qualiopi` ne sont pas connues : deux fragments sont cherchés.",
        "La date et l'organisme du certificat Qualiopi manquent à la source.",
        "La source perd parfois les habilitations : une liste vide ne prouve pas qu'il n'y en a pas.",
        "La limite de débit du fournisseur n'est pas publiée ; un statut 429 est donc lu comme inconnu.",
    ),
)
