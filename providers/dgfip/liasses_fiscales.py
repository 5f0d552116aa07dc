"""The tax return of a company for one fiscal year: its forms, cell by cell, with their labels.

Source: DGFIP, Adélie, operations `getLiasseFiscale` and `dictionnaire`. Nothing is merged: the same form may come several
times, as a correction or for a tax group, and keeps its place.
"""

from datetime import date
from types import MappingProxyType
from typing import Final

from auth import scopes
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.dgfip.liasse import LIASSE, Case, ExerciceDeclare, FormulaireDepose, Liasse, Obligation
from providers.identifiers import Siren
from providers.record import inherits, record

SCOPES: Final = frozenset({scopes.LIASSES_FISCALES_DGFIP, scopes.LIASSE_FISCALE})
"""Names of today and of before the renaming."""

# --- What it says --------------------------------------------------------------------------------


@record("Obligation fiscale d'une entreprise.")
class ObligationFiscale:
    id: str | None = inherits("Identifiant de l'obligation (douze chiffres).", source="setOcfis.numOcfi")
    code: str | None = inherits(
        "Impôt dont relève le résultat : IS, BIC, BNC, BA, ou l'IS du groupe (ISGROUPE, IS GROUPE).",
        source="setOcfis.codeObf",
    )
    libelle: str | None = inherits("Nom de cet impôt.", source="setOcfis.codeObf, setOcfis.libelleObf")
    reference: str | None = inherits(
        "Référence de l'obligation : son code et son rang (IS1, BIC2…).", source="setOcfis.ROF, setOcfis.rof"
    )
    regime: str | None = inherits("Régime de l'obligation (RN, RSI…).", source="setOcfis.regime")


@record("Régime sous lequel un formulaire est déposé.")
class RegimeFiscal:
    code: str | None = inherits("Code du régime.", source="declarations[].code_regime")
    libelle: str | None = inherits("Nom du régime ; nul pour un code inconnu.", source="declarations[].code_regime")


@record("Case d'un formulaire : ses valeurs, et ce que le dictionnaire dit d'elle.")
class DonneeLiasse:
    code_nref: str = inherits("Code de la case, unique dans le formulaire.", source="donnees[].code_nref")
    valeurs: list[str | None] = inherits(
        "Valeurs telles que déclarées : plusieurs pour une case répétée, nulle à un rang absent. Les montants (MOA) sont "
        "présumés en euros entiers ; les quantités (QTY) et pourcentages (PCD) portent deux décimales implicites "
        "(« 3750 » vaut 37,50). Une coche s'écrit « X », une date AAAAMMJJ.",
        source="donnees[].valeur, donnees[].valeurs.valeur",
        personal=True,
    )
    code: str | None = inherits("Code en deux lettres de la case (code EDI).", source="dictionnaire, code")
    code_edi: str | None = inherits("Code EDI complet.", source="dictionnaire, code_EDI")
    code_absolu: str | None = inherits("Identifiant absolu de la case.", source="dictionnaire, code_absolu")
    code_type_donnee: str | None = inherits(
        "Type de la valeur : MOA montant, QTY quantité, PCD pourcentage, CCI coche, NAD nom ou adresse, DTM date, FTX "
        "texte, RFF référence.",
        source="dictionnaire, code_type_donnee",
    )
    intitule: str | None = inherits(
        "Libellé de la case dans le dictionnaire ; à défaut, un libellé abrégé, ou rien.",
        source="dictionnaire, intitule",
    )


@record("Formulaire déposé : bilan, compte de résultat, annexe…")
class DeclarationLiasse:
    numero_imprime: str = inherits("Numéro du formulaire (2050, 2033A…).", source="declarations[].numero_imprime")
    regime: RegimeFiscal = inherits("Régime sous lequel il est déposé.")
    date_declaration: date | None = inherits(
        "Date de dépôt, ou de la dernière rectification.", source="declarations[].date_declaration"
    )
    date_fin_exercice: date | None = inherits("Date de clôture.", source="declarations[].fin_exercice")
    duree_exercice: int | None = inherits("Durée de l'exercice, en jours.", source="declarations[].duree_exercice")
    millesime: str | None = inherits("Version du formulaire (AAAANN).", source="declarations[].millesime")
    donnees: list[DonneeLiasse] = inherits("Cases remplies, dans l'ordre.", source="declarations[].imprime.donnees")


@record("Liasse fiscale : déclaration de résultats d'un exercice, formulaire par formulaire.")
class LiasseFiscale:
    siren: Siren = inherits("Numéro SIREN demandé.")
    annee: int = inherits("Exercice demandé : année de sa clôture.")
    internal_id_itip: str | None = inherits(
        "Identifiant du contribuable dans l'administration fiscale.", source="entreprise.itip"
    )
    obligations_fiscales: list[ObligationFiscale] = inherits("Obligations fiscales.", source="entreprise.setOcfis")
    declarations: list[DeclarationLiasse] = inherits(
        "Formulaires déposés, dans l'ordre du fournisseur. Un même formulaire peut venir plusieurs fois : rectification "
        "(la plus récente d'abord), ou filiale d'un groupe fiscal (le régime les distingue).",
        source="declarations",
    )


# --- How to read ---------------------------------------------------------------------------------

_TAXES: Final = MappingProxyType({
    "IS": "Impôt sur les sociétés",
    "BIC": "Bénéfices industriels et commerciaux",
    "IS GROUPE": "Impôt sur les sociétés dû par le groupe",
    "ISGROUPE": "Impôt sur les sociétés dû par le groupe",
    "BA": "Bénéfices agricoles",
    "BNC": "Bénéfices non commerciaux",
})  # fmt: skip
_REGIMES: Final = MappingProxyType({
    "RN": "Réel normal",
    "RS": "Régime simplifié",
    "RSI": "Régime simplifié",
    "RNMEMBRE": "Réel normal groupe (groupe)",
    "RNGROUPE": "Réel normal groupe (tête)",
    "DECC": "Déclaration contrôlée",
})  # fmt: skip


def read(liasse: Liasse, key: ExerciceDeclare) -> LiasseFiscale:
    return LiasseFiscale(
        siren=key.sujet,
        annee=key.annee,
        internal_id_itip=liasse.itip,
        obligations_fiscales=[_obligation(obligation) for obligation in liasse.obligations],
        declarations=[_declaration(form) for form in liasse.formulaires],
    )


def _obligation(obligation: Obligation) -> ObligationFiscale:
    return ObligationFiscale(
        id=obligation.numero,
        code=obligation.code,
        libelle=_TAXES.get(obligation.code or "", obligation.libelle),
        reference=obligation.reference,
        regime=obligation.regime,
    )


def _declaration(form: FormulaireDepose) -> DeclarationLiasse:
    return DeclarationLiasse(
        numero_imprime=form.numero_imprime,
        regime=RegimeFiscal(code=form.code_regime, libelle=_REGIMES.get(form.code_regime or "")),
        date_declaration=form.date_declaration,
        date_fin_exercice=form.fin_exercice,
        duree_exercice=form.duree_exercice,
        millesime=form.millesime,
        donnees=[_donnee(case) for case in form.cases],
    )


def _donnee(case: Case) -> DonneeLiasse:
    entry = case.rubrique
    return DonneeLiasse(
        code_nref=case.code_nref,
        valeurs=case.liste(),
        code=entry.code if entry else None,
        code_edi=entry.code_edi if entry else None,
        code_absolu=entry.code_absolu if entry else None,
        code_type_donnee=entry.code_type_donnee if entry else None,
        intitule=entry.intitule if entry else None,
    )


# --- The declaration -----------------------------------------------------------------------------


def last_filing(liasse: LiasseFiscale) -> date | None:
    """When the newest of its forms was filed or corrected."""
    return max((form.date_declaration for form in liasse.declarations if form.date_declaration), default=None)


LIASSES_FISCALES: Final[Dataset[ExerciceDeclare, Liasse, LiasseFiscale]] = Dataset(
    id="dgfip.liasses_fiscales",
    seed="liasses_fiscales_dgfip",
    title="Liasse fiscale",
    description=(
        "Formulaires de la déclaration de résultats (bilan, compte de résultat, annexes) qu'une entreprise a télétransmis "
        "pour un exercice, case par case, avec le libellé de chaque case."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(scopes=SCOPES, unmasked_for=frozenset(), mask=None, by_diffusion=False),
    source=LIASSE,
    record=LiasseFiscale,
    read=read,
    source_date=last_filing,
    perimeter=(
        "Entreprises à un régime réel de l'impôt sur les sociétés (groupes compris), des BIC, des BNC ou des BA, et "
        "associations soumises à l'impôt sur les sociétés. Sans les micro-entreprises ni le formulaire 2070 ; "
        "quarante et un formulaires. Exercices de 2006 à l'an dernier."
    ),
    key="SIREN et année",
    freshness=(
        "Lendemain du dépôt, ou trois jours avant un week-end. Date limite de dépôt : deuxième jour ouvré après le 1er mai "
        "pour une clôture au 31 décembre, sinon trois mois après la clôture."
    ),
    not_found_means=(
        "Aucun formulaire connu pour cet exercice : entreprise hors périmètre, ou déclaration non déposée à ce jour."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/dgfip/unites_legales/{siren}/liasses_fiscales/{year}",
    example=ExerciceDeclare(sujet=Siren("910203041"), annee=2024),
    left_out=MappingProxyType({
        "entreprise.denomination": "La dénomination se lit à l'INSEE.",
        "setOcfis.codeNace": "L'activité se lit à l'INSEE.",
        "setOcfis.dateDebut": "Absente de la ressource d'API Entreprise.",
        "setOcfis.dateDebutPourAttestationRegularite": "Absente de la ressource d'API Entreprise.",
        "setOcfis.nbRof": "Absent de la ressource d'API Entreprise ; le rang est dans la référence.",
        "setOcfis.texteExploitation": "Texte libre, absent de la ressource d'API Entreprise.",
        "dictionnaire[].millesimes.statut_version": "Toujours « V » (validée).",
    }),
    open_questions=(
        "L'unité des montants est présumée : l'euro entier. Les deux décimales implicites des quantités et des "
        "pourcentages ne sont vérifiées que pour les formulaires 2059F et 2059G.",
        "Les deux écritures `ROF` et `rof`, et les deux codes `ISGROUPE` et `IS GROUPE`, sont acceptées.",
        "Le dictionnaire choisi est celui de l'année du millésime, puis de l'année demandée, puis notre copie, qui ne "
        "couvre que les formulaires principaux jusqu'en 2025 ; sans libellé, la case garde son code et ses valeurs.",
        "Les corps des réponses 401, 404 et 429 de la passerelle ne sont pas documentés : le statut seul décide.",
        "Une réponse 200 qui parle d'un autre SIREN est tenue pour illisible.",
        "Quand un dictionnaire manque (panne), la liasse est servie avec nos libellés et n'est pas gardée.",
    ),
)  # fmt: skip
