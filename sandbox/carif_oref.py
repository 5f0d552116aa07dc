"""QuiForme, simulated: one tree by SIRET; for an unknown one, the same tree with every leaf null.

Dates are ISO under `nda` and day first under `habilitations`.
"""

from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.personas import Company, Site, site

TRAINERS: Final = frozenset({"clair-vallon", "les-genets", "groupe"})
"""The personas that train people."""
TOKEN: Final = "sandbox"

_SENTENCES: Final = (
    "Obtention de Qualiopi en direct sur le NDA",
    "Obtention de Qualiopi par propagation via le SIREN",
    "",
    None,
)
_HABILITATION: Final = (
    "code_fc", "actif", "etat_habilitation", "date_habilitation", "date_fin_enregistrement", "date_decision", "a_former",
    "a_organiser", "libelle", "niveau",
)  # fmt: skip
_NDA: Final = (
    "nda", "cfa", "actif", "date_derniere_declaration", "debut_exercice", "fin_exercice", "code_specialite_1",
    "libelle_specialite_1", "code_specialite_2", "libelle_specialite_2", "code_specialite_3", "libelle_specialite_3",
    "qualiopi_action_formation", "qualiopi_bilan_competence", "qualiopi_vae", "qualiopi_apprentissage", "obtention_qualiopi",
)  # fmt: skip
_ETABLISSEMENT: Final = (
    "siren", "denomination", "enseigne", "code_ape", "adresse_insee", "uai", "siret_siege", "siret_successeur",
    "date_creation", "date_fermeture", "etat_diffusible",
)  # fmt: skip
_UNITE: Final = (
    "raison_sociale", "cat_juridique", "libelle_cat_juridique", "ape", "pseudonyme", "sigle", "nom_commercial", "multinda",
)  # fmt: skip


async def organisme(request: Request) -> Response:
    """The training organisation of one SIRET."""
    if request.headers.get("token-connexion") != TOKEN:
        return JSONResponse({"message": "Unauthorized"}, 401)
    siret = request.path_params["siret"]
    found = site(siret) if len(siret) == 14 and siret.isascii() and siret.isdigit() else None
    if found is None or found[0].duplicate_of:
        return JSONResponse(_nobody())
    known, place = found
    fate, chance = known.fate("carif_oref"), known.draw(f"carif_oref/{siret}")
    if fate == "panne":
        return Response(b"<html>Service indisponible</html>", 503, media_type="text/html")
    trainer = known.slug in TRAINERS if known.slug else chance.random() < 0.75
    if fate in ("refus", "hors_perimetre", "interdite") or not trainer:
        return JSONResponse({"message": "Not Found"}, 404) if chance.random() < 0.1 else JSONResponse(_nobody())
    return JSONResponse(_organisme(known, place))


def _nulls(names: tuple[str, ...]) -> dict[str, Any]:
    return dict.fromkeys(names)


def _nobody() -> dict[str, Any]:
    """What the service says of a SIRET that it doesn't know."""
    return {
        "siret_actif": None,
        "etablissement": _nulls(_ETABLISSEMENT),
        "unite_legale": _nulls(_UNITE),
        "adresse_ban": [_nulls(("adresse_type", "adresse_nom", "adresse_commune"))],
        "nda": [_nulls(_NDA)],
        "habilitations": [_no_habilitation()],
    }


def _no_habilitation() -> dict[str, Any]:
    return {**_nulls(_HABILITATION), "certificateur": [{"siret": None}]}


def _organisme(known: Company, place: Site) -> dict[str, Any]:
    chance = known.draw(f"carif_oref/{place.siret}/organisme")
    address = place.address
    certified = [_habilitation(known, place, rank) for rank in range(chance.randint(0, 3))]
    return {
        "siret_actif": place.siret,
        "etablissement": _nulls(_ETABLISSEMENT)
        | {
            "siren": known.siren,
            "denomination": known.display_name,
            "code_ape": known.naf,
            "adresse_insee": f"{address.number} {address.street_type} {address.street} {address.postcode} {address.town}",
            "uai": "0490000A" if chance.random() < 0.2 else None,
            "date_creation": place.opened.isoformat(),
            "date_fermeture": place.closed.isoformat() if place.closed else None,
            "etat_diffusible": place.status == "O",
        },
        "unite_legale": _nulls(_UNITE)
        | {"raison_sociale": known.display_name, "cat_juridique": known.legal_form, "multinda": chance.random() < 0.2},
        "adresse_ban": [],
        "nda": [_nda(known, place)] if chance.random() < 0.9 or known.slug else [_nulls(_NDA)],
        "habilitations": certified or [_no_habilitation()],
    }


def _nda(known: Company, place: Site) -> dict[str, Any]:
    chance = known.draw(f"carif_oref/{place.siret}/nda")
    return _nulls(_NDA) | {
        "nda": f"{chance.randint(11, 97)}{chance.randint(0, 999_999_999):09d}",
        "cfa": chance.random() < 0.2,
        "actif": chance.random() < 0.9,
        "date_derniere_declaration": "2025-04-20",
        "debut_exercice": "2024-01-01",
        "fin_exercice": "2024-12-31",
        "code_specialite_1": "122",
        "libelle_specialite_1": "Économie",
        "qualiopi_action_formation": chance.random() < 0.8,
        "qualiopi_bilan_competence": chance.random() < 0.3,
        "qualiopi_vae": chance.random() < 0.2,
        "qualiopi_apprentissage": chance.random() < 0.3,
        "obtention_qualiopi": chance.choice(_SENTENCES),
    }


def _habilitation(known: Company, place: Site, rank: int) -> dict[str, Any]:
    chance = known.draw(f"carif_oref/{place.siret}/habilitation/{rank}")
    granted = date(2023, chance.randint(1, 12), chance.randint(1, 28))
    body = _nulls(_HABILITATION) | {
        "code_fc": f"{chance.choice(('RNCP', 'RS'))}{chance.randint(1_000, 39_999)}",
        "actif": chance.random() < 0.8,
        "etat_habilitation": chance.choice(("Actif", "Actif", "Actif", "Supprimé")),
        "date_habilitation": f"{granted:%d/%m/%Y}",
        "date_fin_enregistrement": "31/12/2026",
        "date_decision": chance.choice((None, f"{granted:%d/%m/%Y}")),
        "a_former": True,
        "a_organiser": chance.random() < 0.5,
        "certificateur": [{"siret": "90110220200016"}],
    }
    if chance.random() < 0.3:
        for name in ("libelle", "niveau"):
            del body[name]
    return body


ROUTES: list[Route] = [Route("/organisme/{siret}", organisme)]
