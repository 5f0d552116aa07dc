"""The values of the public annual accounts: each line of the form, as the INPI had it typed in.

Source: INPI, RNE API, `attachments`: `bilansSaisis[]`. An empty amount means "not filled", never zero; and where a
company keeps its income statement to itself, zeros stand for what is withheld: they are not shown.
"""

import unicodedata
from datetime import date
from decimal import Decimal
from typing import Final

from auth import scopes
from auth.scopes import OPEN_DATA
from providers import reading
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.errors import NotFound, Unreadable
from providers.identifiers import Siren
from providers.inpi_rne import telechargement, wire
from providers.inpi_rne.pieces import PIECES, TYPES_DE_BILAN, Pieces
from providers.record import DocumentDistant, inherits, record

ID: Final = "inpi_rne.bilans_saisis"

# --- What it says --------------------------------------------------------------------------------


@record("Ligne d'un bilan saisi. Le sens des colonnes dépend de la ligne ; une colonne non remplie est nulle.")
class LigneBilanSaisi:
    page: int = inherits("Page du formulaire.", source="bilan.detail.pages[].numero")
    code: str = inherits("Code de la ligne dans le formulaire.", source="liasses[].code")
    m1: Decimal | None = inherits("Première colonne.", source="liasses[].m1")
    m2: Decimal | None = inherits("Deuxième colonne.", source="liasses[].m2")
    m3: Decimal | None = inherits("Troisième colonne.", source="liasses[].m3")
    m4: Decimal | None = inherits("Quatrième colonne.", source="liasses[].m4")


@record("Comptes annuels d'un exercice, en valeurs. Les montants sont en unités entières de `devise`.")
class BilanSaisi:
    id: str | None = inherits("Identifiant de la saisie ; ce n'est pas celui du PDF.", source="bilansSaisis[].id")
    type: str | None = inherits("Type de bilan ; nul si son code est inconnu.", source="typeBilan")
    code_type: str | None = inherits("Code du type de bilan : C, S, K, B, A, AS.", source="typeBilan")
    date_cloture: date | None = inherits("Date de clôture de l'exercice.", source="dateCloture")
    date_cloture_precedente: date | None = inherits(
        "Date de clôture de l'exercice précédent.", source="bilan.identite.dateClotureExerciceNMoins1"
    )
    date_depot: date | None = inherits("Date de dépôt.", source="dateDepot")
    date_mise_a_jour: date | None = inherits("Date de dernière mise à jour.", source="updatedAt")
    duree_exercice_mois: int | None = inherits("Durée de l'exercice, en mois.", source="bilan.identite.dureeExerciceN")
    duree_exercice_precedent_mois: int | None = inherits(
        "Durée de l'exercice précédent, en mois.", source="bilan.identite.dureeExerciceNMoins1"
    )
    confidentialite: str | None = inherits("Confidentialité demandée par l'entreprise.", source="confidentiality")
    code_confidentialite: str | None = inherits(
        "0 public, 1 confidentiel, 2 partiellement confidentiel, 3 publication simplifiée.",
        source="bilan.identite.codeConfidentialite",
    )
    devise: str | None = inherits("Devise des montants.", source="bilan.identite.codeDevise")
    devise_origine: str | None = inherits("Devise des comptes d'origine.", source="bilan.identite.codeOrigineDevise")
    code_saisie: str | None = inherits("Résultat de la saisie : 00 sans remarque.", source="bilan.identite.codeSaisie")
    code_activite: str | None = inherits("Code APE sans point, parfois ancien.", source="bilan.identite.codeActivite")
    code_greffe: str | None = inherits("Greffe de dépôt, sur quatre chiffres.", source="bilan.identite.codeGreffe")
    numero_gestion: str | None = inherits("Numéro de gestion au greffe.", source="bilan.identite.numGestion")
    total_actif_net: Decimal | None = inherits("Total de l'actif net.", source="C : CO m3, page 1 ; S : 110 m3, page 1")
    capitaux_propres: Decimal | None = inherits("Capitaux propres.", source="C : DL m1, page 2 ; S : 142 m3, page 1")
    chiffre_affaires_net: Decimal | None = inherits(
        "Chiffre d'affaires net ; nul, jamais zéro, quand l'entreprise garde son compte de résultat confidentiel. Pour "
        "un bilan simplifié, c'est le total des produits d'exploitation.",
        source="C : FJ m3, page 3 ; S : 232 m1, page 2",
    )
    resultat_net: Decimal | None = inherits(
        "Résultat net : bénéfice, ou perte si négatif.",
        source="C : HN m1, page 4, sinon DI m1, page 2 ; S : 310 m1, page 2",
    )
    effectif: Decimal | None = inherits("Effectif moyen.", source="C : YP m1, page 11 ; S : 376 m1")
    lignes: list[LigneBilanSaisi] = inherits("Toutes les lignes saisies.", source="bilan.detail.pages[].liasses[]")
    document: DocumentDistant | None = inherits(
        "Les comptes déposés (PDF) ; nul quand on ne peut pas les rapprocher avec certitude.",
        source="bilans[] de mêmes numéro, date de clôture et type",
        personal=True,
    )


@record("Valeurs des comptes annuels publics d'une entreprise.")
class BilansSaisis:
    items: list[BilanSaisi] = inherits(
        "Les bilans, du plus récent au plus ancien ; un même exercice peut en avoir plusieurs (types, nouveaux dépôts).",
        source="bilansSaisis",
    )
    count: int = inherits("Nombre de bilans.")


# --- How to read ---------------------------------------------------------------------------------

_RESULTAT: Final = {"C": frozenset({3, 4}), "S": frozenset({2})}
"""Pages of the income statement. Elsewhere they aren't known: any zero may be a withheld value."""


def read(pieces: Pieces, key: Siren) -> BilansSaisis:
    if not pieces.bilans_saisis:
        raise NotFound("Le registre ne donne les valeurs d'aucun compte annuel de cette entreprise.")
    bilans = [_bilan(entry, pieces.bilans, key) for entry in pieces.bilans_saisis]
    return BilansSaisis(items=sorted(bilans, key=_recency, reverse=True), count=len(bilans))


def _recency(bilan: BilanSaisi) -> tuple[date, date, date]:
    return (
        bilan.date_cloture or date.min,
        bilan.date_depot or date.min,
        bilan.date_mise_a_jour or date.min,
    )


def _bilan(entry: wire.Json, filed: tuple[wire.Json, ...], key: Siren) -> BilanSaisi:
    bilan = reading.node(reading.node(entry, "bilanSaisi"), "bilan")
    identite = reading.node(bilan, "identite")
    code = reading.text(entry, "typeBilan") or reading.text(identite, "codeTypeBilan") or ""
    label, level = reading.text(entry, "confidentiality"), reading.text(identite, "codeConfidentialite")
    lines = _lignes(reading.node(bilan, "detail"), code, withheld=_withheld(label, level))
    return BilanSaisi(
        id=reading.text(entry, "id"),
        type=TYPES_DE_BILAN.get(code),
        code_type=code or None,
        date_cloture=wire.day(entry, "dateCloture") or wire.day(identite, "dateClotureExercice"),
        date_cloture_precedente=wire.day(identite, "dateClotureExerciceNMoins1"),
        date_depot=wire.day(entry, "dateDepot") or wire.day(identite, "dateDepot"),
        date_mise_a_jour=wire.day(entry, "updatedAt"),
        duree_exercice_mois=_months(reading.text(identite, "dureeExerciceN")),
        duree_exercice_precedent_mois=_months(reading.text(identite, "dureeExerciceNMoins1")),
        confidentialite=label,
        code_confidentialite=level,
        devise=reading.text(identite, "codeDevise"),
        devise_origine=reading.text(identite, "codeOrigineDevise"),
        code_saisie=reading.text(identite, "codeSaisie"),
        code_activite=reading.text(identite, "codeActivite"),
        code_greffe=reading.text(identite, "codeGreffe"),
        numero_gestion=reading.text(identite, "numGestion"),
        total_actif_net=_value(lines, code, C=("CO", 1, "m3"), S=("110", 1, "m3")),
        capitaux_propres=_value(lines, code, C=("DL", 2, "m1"), S=("142", 1, "m3")),
        chiffre_affaires_net=_value(lines, code, C=("FJ", 3, "m3"), S=("232", 2, "m1")),
        resultat_net=_resultat_net(lines, code),
        effectif=_value(lines, code, C=("YP", 11, "m1"), S=("376", None, "m1")),
        lignes=lines,
        document=_document(entry, filed, key),
    )


def _withheld(label: str | None, level: str | None) -> bool:
    """Whether the company keeps its income statement to itself. Labels come with or without accents."""
    plain = unicodedata.normalize("NFKD", label or "").encode("ascii", "ignore").decode().lower().strip()
    return level in ("1", "2") or plain.startswith(("confidentiel", "partiellement confidentiel"))


def _lignes(detail: wire.Json, code: str, *, withheld: bool) -> list[LigneBilanSaisi]:
    lines = []
    for page in reading.nodes(detail, "pages"):
        number = page.get("numero")
        if type(number) is not int or not 0 <= number < 10_000:
            raise Unreadable
        hidden = withheld and number in _RESULTAT.get(code, (number,))
        lines += [_ligne(number, liasse, hidden=hidden) for liasse in reading.nodes(page, "liasses")]
    return lines


def _ligne(page: int, liasse: wire.Json, *, hidden: bool) -> LigneBilanSaisi:
    code = reading.text(liasse, "code")
    if not code:
        raise Unreadable
    m1, m2, m3, m4 = (_amount(reading.text(liasse, column), hidden=hidden) for column in ("m1", "m2", "m3", "m4"))
    return LigneBilanSaisi(page=page, code=code, m1=m1, m2=m2, m3=m3, m4=m4)


def _amount(written: str | None, *, hidden: bool) -> Decimal | None:
    """An amount padded with zeros, its sign before them. Where values are `hidden`, a zero stands for one of them."""
    digits = (written or "").strip()
    if not digits:
        return None
    unsigned = digits.removeprefix("-")
    if not (unsigned.isascii() and unsigned.isdigit() and len(unsigned) <= 20):
        raise Unreadable
    amount = Decimal(int(digits))
    return None if hidden and not amount else amount


def _months(written: str | None) -> int | None:
    digits = (written or "").strip()
    months = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 0
    return months or None


_Place = tuple[str, int | None, str]
"""Where a value stands: code of the line, page when it is known, column."""


def _value(lines: list[LigneBilanSaisi], code: str, *, C: _Place, S: _Place) -> Decimal | None:  # noqa: N803
    """The value at its place, in the two forms whose places are known."""
    place = {"C": C, "S": S}.get(code)
    return None if place is None else _at(lines, place)


def _at(lines: list[LigneBilanSaisi], place: _Place) -> Decimal | None:
    code, page, column = place
    found = (line for line in lines if line.code == code and page in (None, line.page))
    return next((value for line in found if (value := getattr(line, column)) is not None), None)


def _resultat_net(lines: list[LigneBilanSaisi], code: str) -> Decimal | None:
    """The balance sheet repeats it: there it stays when the income statement is withheld."""
    stated = _value(lines, code, C=("HN", 4, "m1"), S=("310", 2, "m1"))
    return _at(lines, ("DI", 2, "m1")) if stated is None and code == "C" else stated


def _document(entry: wire.Json, filed: tuple[wire.Json, ...], key: Siren) -> DocumentDistant | None:
    """The PDF of these accounts. They have no common id: only a single match is certain."""
    wanted = _reference(entry)
    matches = [] if wanted is None else [account for account in filed if _reference(account) == wanted]
    if len(matches) != 1:
        return None
    found = matches[0]
    id_ = telechargement.identifiant(found.get("id"))
    return telechargement.depose("bilans", id_, reading.text(found, "nomDocument"), subject=key, dataset=ID)


def _reference(entry: wire.Json) -> tuple[str, str, str] | None:
    number = reading.text(entry, "numChrono") or reading.text(entry, "numNat")
    closing, code = reading.text(entry, "dateCloture"), reading.text(entry, "typeBilan")
    return (number, closing, code) if number and closing and code else None


# --- The declaration -----------------------------------------------------------------------------

BILANS_SAISIS: Final[Dataset[Siren, Pieces, BilansSaisis]] = Dataset(
    id=ID,
    seed="bilans_inpi",
    title="Valeurs des comptes annuels",
    description=(
        "Comptes annuels publics d'une entreprise, ligne par ligne, avec cinq valeurs clés : total de l'actif, capitaux "
        "propres, chiffre d'affaires, résultat, effectif."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset(
            {OPEN_DATA, scopes.ACTES_INPI, scopes.BILANS_INPI, scopes.COMPTES_ANNUELS_INPI, scopes.ACTES_BILANS_INPI}
        ),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=PIECES,
    record=BilansSaisis,
    read=read,
    source_date=lambda bilans: max(
        (bilan.date_mise_a_jour for bilan in bilans.items if bilan.date_mise_a_jour), default=None
    ),
    perimeter=(
        "Comptes annuels publics déposés depuis 2017 et saisis par l'INPI. Les comptes confidentiels en sont absents ; "
        "ceux qui le sont partiellement sont sans compte de résultat."
    ),
    key="SIREN",
    freshness="Environ deux semaines après le dépôt ; jamais gardé.",
    not_found_means="L'entreprise n'est pas au registre, ou aucun de ses comptes publics n'a été saisi.",
    quota=QuotaGroup.INPI_RNE,
    rest_path="",
    example=Siren("910203041"),
    left_out={
        "siren, denomination": "L'identité de l'entreprise se lit ailleurs.",
        "bilan.identite.adresse, denomination": "Texte libre, redondant avec l'identité de l'entreprise.",
        "numChrono, numNat, numDepot": "Numéros de dépôt ; ils ne servent qu'à rapprocher le PDF.",
        "bilanSaisi.version, codeValideur, infoTraitement": "Suivi interne de la saisie.",
        "deleted": "Les saisies retirées ne sont pas montrées.",
    },
    open_questions=(
        "Codes de lignes des bilans K, B, A et AS : leurs cinq valeurs clés sont nulles, leurs lignes sont servies.",
        "Dans un bilan confidentiel de type autre que C ou S, la place du compte de résultat est inconnue : tout zéro "
        "y est rendu nul.",
        "Liste complète des libellés de confidentialité et des codes de saisie.",
        "Page et colonne de la ligne 376 (effectif d'un bilan simplifié) : première colonne, toute page.",
        "Rien ne garantit qu'un bilan saisi puisse toujours être rapproché de son PDF.",
    ),
)
