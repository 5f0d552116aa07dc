"""The grants of an association: what it asked for, and what it was paid.

Source: Data.Subvention, `/association/{identifiant}/grants`. Applications and payments come from different systems
and often lack their counterpart. Every leaf is an object that tells its value, its system and its date; contacts are
never shown.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Final

import httpx
import orjson

from auth import scopes
from providers.data_subvention.statuts import refuse_failure
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
from providers.errors import NotFound, Unreadable
from providers.identifiers import iso_date
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Aide demandée pour une action.")
class AideSubvention:
    modalite: str | None = inherits("Modalité.", source="application.actions_proposee[].modalite_aide")
    nature: str | None = inherits("Nature.", source="application.actions_proposee[].nature_aide")


@record("Action pour laquelle une subvention est demandée.")
class ProjetSubvention:
    rang: int | None = inherits("Rang de l'action dans la demande.", source="application.actions_proposee[].rang")
    intitule: str | None = inherits("Intitulé.", source="application.actions_proposee[].intitule", personal=True)
    objectifs: str | None = inherits(
        "Objectifs, texte libre.", source="application.actions_proposee[].objectifs", personal=True
    )
    objectifs_operationnels: str | None = inherits(
        "Objectifs opérationnels, texte libre.",
        source="application.actions_proposee[].objectifs_operationnels",
        personal=True,
    )
    description: str | None = inherits(
        "Description, texte libre.", source="application.actions_proposee[].description", personal=True
    )
    aide: AideSubvention = inherits("Aide demandée.")
    modalite_ou_dispositif: str | None = inherits(
        "Modalité ou dispositif.", source="application.actions_proposee[].modalite_ou_dispositif"
    )
    indicateurs: str | None = inherits(
        "Indicateurs de résultat, texte libre.", source="application.actions_proposee[].indicateurs", personal=True
    )
    cofinanceurs: str | None = inherits(
        "Noms des cofinanceurs, séparés par des points-virgules.",
        source="application.actions_proposee[].cofinanceurs.noms",
    )


@record("Projets d'une demande de subvention.")
class DescriptionProjetsSubvention:
    estimation_cout_total: Decimal | None = inherits(
        "Coût total estimé, en euros.", source="application.montants.total"
    )
    projet: list[ProjetSubvention] = inherits("Actions proposées.", source="application.actions_proposee")


@record("Ce qui est demandé.")
class SubventionDemandee:
    dispositif: str | None = inherits("Dispositif.", source="application.dispositif")
    sous_dispositif: str | None = inherits("Sous-dispositif.", source="application.sous_dispositif")
    montant_demande: Decimal | None = inherits("Montant demandé, en euros.", source="application.montants.demande")


@record("Instruction d'une demande de subvention.")
class InstructionSubvention:
    service_instructeur: str | None = inherits("Service instructeur.", source="application.service_instructeur")
    date_commission: str | None = inherits(
        "Horodatage ISO 8601 de la commission, tel que le fournisseur l'écrit ; parfois un jour de 1970 sans "
        "signification.",
        source="application.date_commision",
    )
    statut_demande: str | None = inherits(
        "« Accordé », « En instruction », « Refusé » ou « Inéligible » ; parfois vide.",
        source="application.statut_label",
    )
    montant_accorde: Decimal | None = inherits("Montant accordé, en euros.", source="application.montants.accorde")


@record("Demande de subvention.")
class DemandeSubvention:
    fournisseur: str | None = inherits("Système d'où vient la demande.", source="application.siret.provider")
    date_mise_a_jour_information: str | None = inherits(
        "Horodatage ISO 8601 de la dernière mise à jour par ce système.", source="application.siret.last_update"
    )
    annee_exercice_demande: int | None = inherits("Exercice de la demande.", source="application.annee_demande")
    identifiant_engagement_juridique: str | None = inherits("Engagement juridique (Chorus).", source="application.ej")
    jointure_demandes_et_versements: str | None = inherits(
        "Clé commune à une demande et à ses paiements.", source="application.versementKey"
    )
    subvention_demandee: SubventionDemandee = inherits("Ce qui est demandé.")
    description_des_projets: DescriptionProjetsSubvention = inherits("Projets.")
    instruction: InstructionSubvention = inherits("Instruction.")


@record("Programme budgétaire d'un paiement.")
class ProgrammeSubvention:
    numero: str | None = inherits("Numéro.", source="payments[].programme")
    libelle: str | None = inherits("Libellé.", source="payments[].libelleProgramme")
    fournisseur: str | None = inherits("Système d'où vient le programme.", source="payments[].programme.provider")
    date_mise_a_jour_information: str | None = inherits(
        "Horodatage ISO 8601 de la dernière mise à jour par ce système.", source="payments[].programme.last_update"
    )


@record("Paiement d'une subvention.")
class PaiementSubvention:
    fournisseur: str | None = inherits(
        "Système d'où vient le paiement.", source="payments[].ej.provider ou versementKey.provider"
    )
    date_mise_a_jour_information: str | None = inherits(
        "Horodatage ISO 8601 de la dernière mise à jour par ce système.",
        source="payments[].ej.last_update ou versementKey.last_update",
    )
    jointure_demandes_et_versements: str | None = inherits(
        "Clé commune à une demande et à ses paiements.", source="payments[].versementKey"
    )
    montant_verse: Decimal | None = inherits("Montant versé, en euros.", source="payments[].amount")
    date_versement: str | None = inherits(
        "Horodatage ISO 8601 du versement, tel que le fournisseur l'écrit.", source="payments[].dateOperation"
    )
    centre_financier: str | None = inherits("Centre financier.", source="payments[].centreFinancier")
    domaine_fonctionnel: str | None = inherits("Domaine fonctionnel.", source="payments[].domaineFonctionnel")
    activitee: str | None = inherits("Activité (graphie du fournisseur).", source="payments[].activitee")
    numero_bop: str | None = inherits(
        "Budget opérationnel de programme.",
        source="payments[].bop",
        deprecated="Abandonné par le fournisseur au profit du programme.",
    )
    programme: ProgrammeSubvention | None = inherits("Programme ; nul quand le paiement n'en dit rien.")


@record("Une demande de subvention, des paiements, ou les deux rapprochés par le fournisseur.")
class Subvention:
    demande_subvention: DemandeSubvention | None = inherits(
        "Demande ; nulle quand seuls les paiements sont connus.", source="application"
    )
    paiements: list[PaiementSubvention] = inherits("Paiements connus.", source="payments")


@record("Subventions demandées par une association et paiements qu'elle a reçus.")
class SubventionsAssociation:
    items: list[Subvention] = inherits("Subventions, dans l'ordre du fournisseur.", source="subventions")
    count: int = inherits("Nombre de subventions.")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: str, access: Access) -> Call:
    """Ask for the grants of an association by SIREN, SIRET (read as its SIREN) or RNA number."""
    return Call(
        method="GET",
        url=access.settings["url"] + f"/association/{key}/grants",
        headers=(
            ("x-access-token", access.settings["token"] or access.session),
            ("Content-Type", "application/json"),
        ),
    )


# --- How to read ---------------------------------------------------------------------------------

Json = dict[str, Any]

_UNKNOWN: Final = {
    400: "Data.Subvention refuse cet identifiant, ou plusieurs associations le partagent.",
    404: "Data.Subvention ne connaît pas cette association.",
    422: "Pour Data.Subvention, cet identifiant n'est pas celui d'une association.",
}


def parse(response: httpx.Response, _key: str) -> SubventionsAssociation:
    """All the grants of the association; knowing none of them is told apart only by the message."""
    refuse_failure(response)
    if response.status_code in _UNKNOWN:
        raise NotFound(_UNKNOWN[response.status_code])
    if response.status_code != 200:
        raise Unreadable
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    # `count` isn't relied upon: the provider may merge items after counting.
    grants = answer.get("subventions") if isinstance(answer, dict) else None
    if not isinstance(grants, list):
        raise Unreadable
    if not grants:
        raise NotFound("Data.Subvention ne connaît aucune subvention à cette association.")
    items = [_subvention(grant) for grant in grants]
    return SubventionsAssociation(items=items, count=len(items))


def _subvention(grant: Any) -> Subvention:
    if not isinstance(grant, dict):
        raise Unreadable
    application, payments = grant.get("application"), grant.get("payments")
    if not isinstance(application, dict | None) or not isinstance(payments, list | None):
        raise Unreadable
    return Subvention(
        demande_subvention=None if application is None else _demande(application),
        paiements=[_paiement(payment) for payment in payments or ()],
    )


def _demande(application: Json) -> DemandeSubvention:
    montants = _node(application, "montants")
    projects = application.get("actions_proposee")
    return DemandeSubvention(
        fournisseur=_told(application, "siret", "provider"),
        date_mise_a_jour_information=_told(application, "siret", "last_update"),
        annee_exercice_demande=_integer(application, "annee_demande"),
        identifiant_engagement_juridique=_text(application, "ej"),
        jointure_demandes_et_versements=_text(application, "versementKey"),
        subvention_demandee=SubventionDemandee(
            dispositif=_text(application, "dispositif"),
            sous_dispositif=_text(application, "sous_dispositif"),
            montant_demande=_amount(montants, "demande"),
        ),
        description_des_projets=DescriptionProjetsSubvention(
            estimation_cout_total=_amount(montants, "total"),
            projet=[
                _projet(project)
                for project in (projects if isinstance(projects, list) else ())
                if isinstance(project, dict)
            ],
        ),
        instruction=InstructionSubvention(
            service_instructeur=_text(application, "service_instructeur"),
            date_commission=_text(application, "date_commision"),  # the provider's spelling
            statut_demande=_text(application, "statut_label"),
            montant_accorde=_amount(montants, "accorde"),
        ),
    )


def _projet(project: Json) -> ProjetSubvention:
    return ProjetSubvention(
        rang=_integer(project, "rang"),
        intitule=_text(project, "intitule"),
        objectifs=_text(project, "objectifs"),
        objectifs_operationnels=_text(project, "objectifs_operationnels"),
        description=_text(project, "description"),
        aide=AideSubvention(modalite=_text(project, "modalite_aide"), nature=_text(project, "nature_aide")),
        modalite_ou_dispositif=_text(project, "modalite_ou_dispositif"),
        indicateurs=_text(project, "indicateurs"),
        cofinanceurs=_text(_node(project, "cofinanceurs"), "noms"),
    )


def _paiement(payment: Any) -> PaiementSubvention:
    if not isinstance(payment, dict):
        raise Unreadable
    return PaiementSubvention(
        # A payment of the Fonjep has no engagement: its key tells the same of it.
        fournisseur=_told(payment, "ej", "provider") or _told(payment, "versementKey", "provider"),
        date_mise_a_jour_information=_told(payment, "ej", "last_update")
        or _told(payment, "versementKey", "last_update"),
        jointure_demandes_et_versements=_text(payment, "versementKey"),
        montant_verse=_amount(payment, "amount"),
        date_versement=_text(payment, "dateOperation"),
        centre_financier=_text(payment, "centreFinancier"),
        domaine_fonctionnel=_text(payment, "domaineFonctionnel"),
        activitee=_text(payment, "activitee"),
        numero_bop=_text(payment, "bop"),
        programme=_programme(payment),
    )


def _programme(payment: Json) -> ProgrammeSubvention | None:
    """There as soon as one of its leaves is: what counts is the leaf, not that it has a value."""
    if not any(isinstance(payment.get(name), dict) for name in ("programme", "libelleProgramme", "bop")):
        return None
    return ProgrammeSubvention(
        numero=_text(payment, "programme"),
        libelle=_text(payment, "libelleProgramme"),
        fournisseur=_told(payment, "programme", "provider"),
        date_mise_a_jour_information=_told(payment, "programme", "last_update"),
    )


# --- Leaves: {"value": ..., "provider": ..., "last_update": ..., "type": ...} ---------------------


def _node(parent: Json, name: str) -> Json:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _told(parent: Json, name: str, what: str) -> str | None:
    """What a leaf says of itself: its system, the date of its last update."""
    value = _node(parent, name).get(what)
    return value if isinstance(value, str) else None


def _text(parent: Json, name: str) -> str | None:
    """A text; codes may come as numbers."""
    value = _node(parent, name).get("value")
    if isinstance(value, bool):
        return None
    return str(value) if isinstance(value, str | int | float) else None


def _amount(parent: Json, name: str) -> Decimal | None:
    """A number, as it is written: through its text, so that cents stay exact."""
    value = _node(parent, name).get("value")
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        return None
    return Decimal(str(value))


def _integer(parent: Json, name: str) -> int | None:
    """A whole number that a GraphQL `Int` holds."""
    value = _node(parent, name).get("value")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -(2**31) <= value < 2**31 else None


# --- The source's own date -----------------------------------------------------------------------


def last_update(answer: SubventionsAssociation) -> date | None:
    """The latest update of any of the systems that speak in it."""
    return max(_updates(answer), default=None)


def _updates(answer: SubventionsAssociation) -> Iterator[date]:
    for grant in answer.items:
        said = [payment.date_mise_a_jour_information for payment in grant.paiements]
        if grant.demande_subvention is not None:
            said.append(grant.demande_subvention.date_mise_a_jour_information)
        for text in said:
            try:
                day = iso_date(text)
            except ValueError:
                continue
            if day is not None:
                yield day


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[str, SubventionsAssociation]] = Source(
    id="data_subvention.subventions",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # The fastest of its large systems is weekly, and twenty calls a minute must do for everyone.
    life=For(timedelta(days=1)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=32_000_000,
)

SUBVENTIONS: Final[Dataset[str, SubventionsAssociation, SubventionsAssociation]] = Dataset(
    id="data_subvention.subventions",
    seed=None,
    title="Subventions d'une association",
    description=(
        "Demandes de subvention d'une association et paiements reçus, tels que les systèmes de l'État les connaissent "
        "depuis 2018. Une demande peut être sans paiement connu, et un paiement sans demande."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({scopes.DATA_SUBVENTION_SUBVENTIONS}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=SubventionsAssociation,
    read=as_is,
    source_date=last_update,
    perimeter=(
        "Demandes faites à l'État et leurs paiements dans Chorus ; environ 45 % des demandes faites aux collectivités, "
        "sans leurs paiements ; environ 4 % de celles faites à des opérateurs, avec les seuls paiements du Fonjep. "
        "Associations de droit local d'Alsace-Moselle si elles sont dans Sirene. Sans la Nouvelle-Calédonie, la "
        "Polynésie française ni Wallis-et-Futuna."
    ),
    key="RNA, SIREN ou SIRET",
    freshness=(
        "Chorus chaque lundi ; Fonjep et Le Compte Asso chaque trimestre ; Subventia deux fois par an ; Démarches "
        "simplifiées en temps réel. Une réponse est gardée un jour."
    ),
    not_found_means=(
        "Aucune subvention n'est connue, ou l'identifiant n'est pas celui d'une association : ce n'est pas la preuve "
        "qu'elle n'en a reçu aucune."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/data_subvention/associations/{siren_or_siret_or_rna}/subventions",
    example="770001121",
    left_out={
        "application.contact": "Adresse électronique et téléphone d'une personne.",
        "application.status": "Code interne ; le libellé du statut est servi.",
        "application.pluriannualite, financeur_principal, transmis_le, creer_le, co_financement, territoires": (
            "Détails du dossier qui ne sont pas servis par l'API REST."
        ),
        "application.montants.propose, versement": "Montants intermédiaires de l'instruction.",
        "application.actions_proposee[].ej, montants_versement, cofinanceurs.montant_demandes": (
            "Montants par action, rarement remplis."
        ),
        "payments[].siret, numeroTier, compte": "Comptabilité du bénéficiaire.",
        "payments[].exerciceBudgetaire, numeroDemandePaiement, codeBranche, branche, codePoste": (
            "Comptabilité de l'État."
        ),
        "count": "Le fournisseur compte parfois avant de fusionner.",
    },
    open_questions=(
        "La durée de vie de `/grants`, que le fournisseur remplace par `/grants/v2`, n'est pas connue.",
        "Le rapprochement des demandes et des paiements n'est pas garanti : aucune somme n'est faite.",
        "Un 500 peut signaler un identifiant mal formé : il est lu comme une réponse illisible.",
        "Un SIRET est élargi à son SIREN par le fournisseur : toute l'association répond.",
        "Un paiement du Fonjep n'a pas d'engagement : son système et sa date sont lus sur sa clé de jointure.",
    ),
)
