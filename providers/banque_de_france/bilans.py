"""The last balance sheets of a company, as Banque de France restates them in FIBEN. Key: a SIREN.

Source: Banque de France, service of the last balance sheets. HTTP 200 says nothing: what was found is in the body.
Amounts travel as strings of thousands of euros; some keys are misspelt on the wire and are read as they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import httpx

from auth import scopes
from providers.banque_de_france import wire
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Http,
    NotKept,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    UntilTomorrow,
    as_is,
)
from providers.errors import NotFound, ProviderError, Unreadable, internal_error
from providers.http_status import refuse_outage, retry_after
from providers.identifiers import Siren
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Valeur d'une case d'un imprimé de la liasse fiscale, telle que la Banque de France l'a retenue.")
class DonneeBdf:
    code_nref: str = inherits("Référence de la case, propre à l'imprimé.")
    valeurs: list[Decimal | None] = inherits(
        "Montant en euros, seul dans cette liste ; nul quand la Banque de France ne le connaît pas.",
        source="bilans[].*",
    )
    evolution: float | None = inherits(
        "Évolution depuis l'exercice précédent, en pourcentage ; nulle quand elle n'est pas calculable.",
        source="bilans[].evolution*",
    )
    code: str | None = inherits("Code de la case sur l'imprimé ; nul pour les millésimes postérieurs à 2025.")
    code_edi: str | None = inherits("Code EDI de la case ; nul pour les millésimes postérieurs à 2025.")
    code_type_donnee: str = inherits("Type de la donnée : MOA, un montant.")
    intitule: str = inherits("Intitulé de la case.")


@record("Imprimé de la liasse fiscale dont des cases sont reprises dans le bilan.")
class DeclarationBdf:
    numero_imprime: str = inherits("Numéro de l'imprimé : 2051, 2052, 2053 ou 2057.")
    donnees: list[DonneeBdf] = inherits("Cases reprises, dans un ordre fixe.")


@record("Montant calculé par la Banque de France.")
class MontantCalculeBdf:
    valeur: Decimal | None = inherits("Montant en euros ; nul quand il n'est pas connu.", source="bilans[].*")
    evolution: float | None = inherits(
        "Évolution depuis l'exercice précédent, en pourcentage ; nulle quand elle n'est pas calculable.",
        source="bilans[].evolution*",
    )


@record("Ratio calculé par la Banque de France.")
class RatioCalculeBdf:
    valeur: float | None = inherits("Ratio, en pourcentage ; nul quand il n'est pas connu.", source="bilans[].frng/bfr")
    evolution: float | None = inherits(
        "Évolution depuis l'exercice précédent, en pourcentage ; nulle quand elle n'est pas calculable.",
        source="bilans[].evolutionFrng/Bfr",
    )


@record("Valeurs que la Banque de France calcule à partir du bilan.")
class ValeursCalculeesBdf:
    dettes4_maturite_a_un_an_au_plus: MontantCalculeBdf = inherits(
        "Part des dettes financières à un an au plus.", source="bilans[].dettes4DontAUnAnAuPlus"
    )
    total_dettes_stables: MontantCalculeBdf = inherits(
        "Dettes stables : emprunts obligataires et dettes bancaires, moins leur part à un an au plus.",
        source="bilans[].totalDettesStables",
    )
    disponibilites: MontantCalculeBdf = inherits("Disponibilités.", source="bilans[].disponibilites")
    valeur_ajoutee_bdf: MontantCalculeBdf = inherits(
        "Valeur ajoutée, au sens de la Banque de France.", source="bilans[].valeurAjouteeBdf"
    )
    excedent_brut_exploitation: MontantCalculeBdf = inherits(
        "Excédent brut d'exploitation (EBE).", source="bilans[].ebe"
    )
    capacite_autofinancement: MontantCalculeBdf = inherits("Capacité d'autofinancement (CAF).", source="bilans[].caf")
    fonds_roulement_net_global: MontantCalculeBdf = inherits(
        "Fonds de roulement net global (FRNG).", source="bilans[].frng"
    )
    besoin_en_fonds_de_roulement: MontantCalculeBdf = inherits(
        "Besoin en fonds de roulement (BFR).", source="bilans[].besoinEnFondsDeRoulement"
    )
    ratio_fonds_roulement_net_global_sur_besoin_en_fonds_de_roulement: RatioCalculeBdf = inherits(
        "Rapport du fonds de roulement net global au besoin en fonds de roulement.", source="bilans[].frng/bfr"
    )


@record("Bilan d'un exercice, retraité par la Banque de France.")
class BilanBdf:
    annee: str = inherits("Année de clôture de l'exercice (AAAA).", source="bilans[].dateArrete")
    date_arrete_exercice: str = inherits("Mois de clôture de l'exercice (AAAA-MM).", source="bilans[].dateArrete")
    duree_exercice: int | None = inherits("Durée de l'exercice, en mois.", source="bilans[].dureeExercice")
    declarations: list[DeclarationBdf] = inherits("Cases de la liasse fiscale, par imprimé.")
    valeurs_calculees: ValeursCalculeesBdf = inherits("Valeurs calculées par la Banque de France.")


@record("Derniers bilans d'une entreprise connus de la Banque de France (base FIBEN).")
class BilansBdf:
    items: list[BilanBdf] = inherits("Les bilans, du plus récent au plus ancien.", source="bilans")
    count: int = inherits("Nombre de bilans.")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    """The client's certificate identifies us: no header, no token."""
    return Call(
        method="GET",
        url=f"{access.settings['url']}/{key}",
        headers=(("Content-Type", "application/json"), ("Accept", "*/*")),
    )


# --- How to read ---------------------------------------------------------------------------------

_CURRENCY: Final = "keuros"
_NO_REAL_BALANCE_SHEET: Final = "-"
_NO_DATA: Final = frozenset({"204", "400"})
_INTERNAL: Final = "500"


def parse(response: httpx.Response, key: Siren) -> BilansBdf:
    """The balance sheets. Their presence is a success whatever the code beside them says."""
    status = response.status_code
    if status in (408, 500):
        raise internal_error(retry_after(response))
    refuse_outage(response)
    if status != 200:
        raise Unreadable
    answer = wire.json_object(response.content)
    sheets = answer.get("bilans")
    if not sheets:
        raise _without_sheets(answer.get("code-retour"))
    if not isinstance(sheets, list) or not all(isinstance(sheet, dict) for sheet in sheets):
        raise Unreadable
    _check_subject_and_currency(answer, key)
    items = [_bilan(sheet) for sheet in sheets if wire.text(sheet, "dureeExercice") != _NO_REAL_BALANCE_SHEET]
    return BilansBdf(items=items, count=len(items))


def _without_sheets(code: object) -> ProviderError:
    """What an answer without balance sheets means. 501 (a base out of order) is of the past and not understood today."""
    written = str(code)
    if written in _NO_DATA:
        return NotFound("La Banque de France n'a pas de bilan de cette entreprise, ou elle est hors de son périmètre.")
    return internal_error() if written == _INTERNAL else Unreadable()


def _check_subject_and_currency(answer: wire.Json, key: Siren) -> None:
    """Another company's figures, or other units than thousands of euros, would be worse than no answer."""
    siren, currency = answer.get("siren"), answer.get("monnaie")
    if isinstance(siren, str) and siren != key:
        raise Unreadable
    if currency is not None and not (isinstance(currency, str) and currency.strip().lower() == _CURRENCY):
        raise Unreadable


@dataclass(frozen=True, slots=True)
class _Cell:
    """A box of a form, and where its value and its change are on the wire."""

    nref: str
    code: str
    label: str
    value: str
    change: str


_BANK_LOANS: Final = "dettes3EmruntsEtDettesAupresDesEtablissementsdeCredit"
"""Spelt this way by Banque de France, while its change has the missing letter."""
_BANK_LOANS_SPELT_RIGHT: Final = "dettes3EmpruntsEtDettesAupresDesEtablissementsdeCredit"

_FORMS: Final[Mapping[str, tuple[_Cell, ...]]] = MappingProxyType({
    "2051": (
        _Cell("300476", "EE", "Total général du passif", "totalPassif", "evolutionTotalPassif"),
        _Cell("300438", "DL", "Total des capitaux propres", "capitauxPropresEtAssimiles",
              "evolutionCapitauxPropresEtAssimiles"),
        _Cell("300414", "DA", "Capital social ou individuel", "dontCapitalSocial", "evolutionDontCapitalSocial"),
        _Cell("302359", "DR", "Total des provisions pour risques et charges", "totalProvisionsPourRisquesEtCharges",
              "evolutionTotalProvisionsPourRisquesEtCharges"),
        _Cell("300451", "DS", "Emprunts obligataires convertibles", "dettes1EmpruntsObligatairesEtConvertibles",
              "evolutionDettes1EmpruntsObligatairesEtConvertibles"),
        _Cell("300453", "DT", "Autres emprunts obligataires", "dettes2AutresEmpruntsObligataires",
              "evolutionDettes2AutresEmpruntsObligataires"),
        _Cell("300455", "DU", "Emprunts et dettes auprès des établissements de crédit", _BANK_LOANS,
              "evolutionDettes3EmpruntsEtDettesAupresDesEtablissementsdeCredit"),
        _Cell("300458", "DV", "Emprunts et dettes financières divers", "empruntsEtDettesFinancieresDivers",
              "evolutionEmpruntsEtDettesFinancieresDivers"),
    ),
    "2052": (_Cell("300506", "FL", "Chiffre d'affaires net", "caHT", "evolutionCaHT"),),
    "2053": (_Cell("300606", "HN", "Bénéfice ou perte", "resultatExercice", "evolutionResultatExercice"),),
    "2057": (_Cell("301195", "VI", "Groupe et associés", "groupesEtAssocies", "evolutionGroupesEtAssocies"),),
})  # fmt: skip

_LETTERS_KNOWN: Final = (2006, 2025)
"""Years of the forms whose letters are the same; the new chart of accounts may change them afterwards."""


def _bilan(sheet: wire.Json) -> BilanBdf:
    year, month = wire.closing_month(wire.demanded(sheet, "dateArrete"))
    lettered = _LETTERS_KNOWN[0] <= int(year) <= _LETTERS_KNOWN[1]
    return BilanBdf(
        annee=year,
        date_arrete_exercice=f"{year}-{month}",
        duree_exercice=wire.months(wire.text(sheet, "dureeExercice")),
        declarations=[
            DeclarationBdf(numero_imprime=form, donnees=[_donnee(sheet, cell, lettered=lettered) for cell in cells])
            for form, cells in _FORMS.items()
        ],
        valeurs_calculees=_computed(sheet),
    )


def _donnee(sheet: wire.Json, cell: _Cell, *, lettered: bool) -> DonneeBdf:
    return DonneeBdf(
        code_nref=cell.nref,
        valeurs=[wire.euros(_cell_text(sheet, cell.value))],
        evolution=wire.percentage(wire.demanded(sheet, cell.change)),
        code=cell.code if lettered else None,
        code_edi=f"{cell.code}:C516:5004:1" if lettered else None,
        code_type_donnee="MOA",
        intitule=cell.label,
    )


def _cell_text(sheet: wire.Json, name: str) -> str:
    """The bank loans alone may be missing, or come one day under the right spelling."""
    if name == _BANK_LOANS:
        return wire.text(sheet, _BANK_LOANS) or wire.text(sheet, _BANK_LOANS_SPELT_RIGHT)
    return wire.demanded(sheet, name)


def _computed(sheet: wire.Json) -> ValeursCalculeesBdf:
    def amount(value: str, change: str) -> MontantCalculeBdf:
        return MontantCalculeBdf(
            valeur=wire.euros(wire.text(sheet, value)), evolution=wire.percentage(wire.text(sheet, change))
        )

    return ValeursCalculeesBdf(
        dettes4_maturite_a_un_an_au_plus=amount("dettes4DontAUnAnAuPlus", "evolutionDettes4DontAUnAnAuPlus"),
        # The change has "total" twice on the wire.
        total_dettes_stables=amount("totalDettesStables", "evolutionTotaltotalDettesStables"),
        disponibilites=amount("disponibilites", "evolutionDisponibilites"),
        valeur_ajoutee_bdf=amount("valeurAjouteeBdf", "evolutionValeurAjouteeBdf"),
        excedent_brut_exploitation=amount("ebe", "evolutionEbe"),
        capacite_autofinancement=amount("caf", "evolutionCaf"),
        fonds_roulement_net_global=amount("frng", "evolutionFrng"),
        besoin_en_fonds_de_roulement=amount("besoinEnFondsDeRoulement", "evolutionBesoinEnFondsDeRoulement"),
        ratio_fonds_roulement_net_global_sur_besoin_en_fonds_de_roulement=RatioCalculeBdf(
            valeur=wire.percentage(wire.text(sheet, "frng/bfr")),
            evolution=wire.percentage(wire.text(sheet, "evolutionFrng/Bfr")),
        ),
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siren, BilansBdf]] = Source(
    id="banque_de_france.bilans",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    life=UntilTomorrow(time()),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=wire.MAX_BYTES,
)

BILANS: Final[Dataset[Siren, BilansBdf, BilansBdf]] = Dataset(
    id="banque_de_france.bilans",
    seed="bilans_entreprises_bdf",
    title="Derniers bilans",
    description=(
        "Derniers bilans annuels d'une entreprise, trois le plus souvent, retraités par la Banque de France dans sa base "
        "FIBEN, avec les évolutions d'un exercice à l'autre et les ratios financiers. Les montants sont en euros."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({scopes.BILANS_BDF, scopes.BILANS_ENTREPRISE_BDF}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=BilansBdf,
    read=as_is,
    source_date=None,
    perimeter=(
        "Entités cotées dans FIBEN : plus de 1 250 000 € de chiffre d'affaires (750 000 € avant le 12 janvier 2025) et "
        "au moins trois bilans. Environ 2 000 associations en sont, sauf les catégories juridiques 9210, 9224 et 9240. "
        "Bilans clos dans les quatre dernières années."
    ),
    key="SIREN",
    freshness="Réponse gardée jusqu'à la fin de la journée ; la base peut être incomplète la nuit, de 23 h à 8 h.",
    not_found_means=(
        "La Banque de France n'a pas trois bilans de cette entreprise, ou elle est hors de son périmètre : ce n'est pas "
        "un manquement."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/banque_de_france/unites_legales/{siren}/bilans",
    example=Siren("910203041"),
    left_out=MappingProxyType({
        "denominationSociale": "Le nom est donné par le répertoire Sirene.",
        "message": "Texte libre du fournisseur ; le code suffit.",
        "date": "Heure du serveur, écrite en français de plusieurs façons.",
        "monnaie": "Toujours des milliers d'euros : les montants sont convertis en euros.",
        "bilans[].dontAutresFondsPropres": "Case 300444 de l'imprimé 2051, absente de la ressource v3.",
        "bilans[].evolutionDontAutresFondsPropres": "Évolution de la case 300444, absente de la ressource v3.",
        "code_absolu": "Identifiant du dictionnaire de la DGFIP, que la Banque de France n'envoie pas.",
    }),
    open_questions=(
        "Codes et intitulés des cases viennent d'une table du service et non du dictionnaire de la DGFIP.",
        "Les lettres des cases (`code`, `codeEdi`) sont nulles après 2025 : le nouveau plan comptable peut les changer.",
        "Une valeur vide est nulle, là où l'API REST v3 donne le nombre 0.",
        "`valeursCalculees` est un objet, là où l'API REST v3 donne une liste d'un seul objet.",
        "Corps des réponses dont le `code-retour` est 400, 500 ou 501 : supposés sans bilan, avec un statut 200.",
        "Quand `dureeExercice` vaut « - », l'exercice est écarté sans lire ses montants ; la liste peut alors être vide.",
        "Le nombre d'exercices peut-il dépasser trois ? Tous ceux de la réponse sont rendus.",
        "Une réponse qui nomme un autre SIREN, ou une autre unité que le millier d'euros, est refusée.",
        "Autorité de certification du TLS mutuel : réglage `autorite`.",
    ),
)  # fmt: skip
