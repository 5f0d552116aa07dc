"""The register of crafts (RNM) of CMA France, simulated: one flat JSON object, or the error page of a web server.

The real 404 also has a raw Latin-1 byte in its reason phrase, which an ASGI server doesn't let us write.
"""

import random
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.personas import Company, company

_CRAFTS: Final = frozenset({"clair-vallon", "fournil", "kerdoncuf", "cessee"})
"""The personas that are registered: a furniture maker, a baker, a craftswoman in partial diffusion, one struck off."""
_TRADES: Final = {
    "31": ("3109BZ", "Fabrication de meubles ", "FABRICATION DE MOBILIER", "PRODUCTION", "BOIS ET AMEUBLEMENT"),
    "10": ("1071CA", "Boulangerie ", "BOULANGERIE PATISSERIE", "ALIMENTATION", "BOULANGERIE"),
    "43": ("4399CA", "Maçonnerie générale ", "MACONNERIE", "BATIMENT", "MACONNERIE"),
    "90": ("9003AZ", "Création artistique ", "CERAMIQUE D'ART", "PRODUCTION", "METIERS D'ART"),
}
_OTHER_TRADE: Final = ("9529ZZ", "Autre réparation ", "REPARATION", "SERVICES", "REPARATION")


async def entreprise(request: Request) -> Response:
    """One company; `format` must be given."""
    siren = request.path_params["siren"]
    if request.query_params.get("format") != "json":
        return Response("<html>Répertoire des métiers</html>", media_type="text/html")
    known = company(siren) if len(siren) == 9 and siren.isascii() and luhn.is_valid(siren) else None
    return _not_found() if known is None else _answer(known)


def _answer(known: Company) -> Response:
    match known.fate("cma_france"):
        case "panne":
            return Response("<html>Service indisponible</html>", 503, media_type="text/html")
        case "refus" | "hors_perimetre" | "interdite":
            return _not_found()
    if known.duplicate_of or (known.slug and known.slug not in _CRAFTS):
        return _not_found()
    chance = known.draw("cma_france")
    if known.slug or chance.random() < 0.8:
        return JSONResponse(_inscription(known, chance), headers={"Content-Type": "application/json; charset=utf-8"})
    return chance.choice((
        _not_found(),
        _not_found(),
        _not_found(),
        JSONResponse({"id": None, "ent_id_siren": known.siren}),
        Response("<html>Répertoire des métiers</html>", media_type="text/html"),
        Response("<html>Trop de requêtes</html>", 429, media_type="text/html"),
    ))  # fmt: skip


def _not_found() -> Response:
    page = '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"><html><body>Entreprise non trouvée</body></html>'
    return Response(page.encode("latin-1"), 404, headers={"Content-Type": "text/html"})


def _inscription(known: Company, chance: random.Random) -> dict[str, Any]:
    person = known.natural_person
    code, label, activity, nar_4, nar_20 = _TRADES.get(known.naf[:2], _OTHER_TRADE)
    registered = known.created
    itinerant = "1" if person and chance.random() < 0.4 else "0"
    return {
        "id": 700_000 + chance.randrange(90_000),
        "ent_id_num_gestion": f"{registered:%y}{known.siren[-7:]}",
        "ent_id_siren": known.siren,
        "ent_id_origine": chance.choice(("1", "1", "3")),
        **_address(known),
        "ent_act_code_nafa_principal": code,
        "ent_act_code_nafa_secondaire_1": chance.choice(("", "", "9529ZZ")),
        "ent_act_code_nafa_secondaire_2": "",
        "ent_act_code_nafa_secondaire_3": None,
        "ent_act_date_immat_rm": _noon(registered),
        "ent_act_date_radiation": _noon(known.ceased),
        "ent_act_date_debut_activite": _noon(registered),
        "ent_act_date_cessation_activite": _noon(known.ceased),
        "ent_act_date_cloture_liquidation": None,
        "ent_act_date_transfert_patrimoine": None,
        "ent_act_date_dissolution": None,
        "ent_act_modalite_exercice": chance.choice(("P", "P", "P", "S", "NR")),
        "ent_act_non_sedentaire": itinerant,
        "ent_act_activite_artisanales_declarees": activity,
        "ent_act_denomination_sociale": known.display_name,
        "ent_act_sigle": known.acronym or "",
        "ent_act_forme_juridique": known.legal_form,
        "ent_eff_salarie": str(round(known.headcount)),
        "ent_eff_apprenti": str(chance.randrange(3)),
        "ent_jug_procedures": "",
        "gest_maj_fichier": "2022-12-20T01:30:00Z",
        "gest_date_maj": "2022-04-09T10:00:00Z",
        "dir_qa_qualification": chance.choice(("ARTISAN", "MAITRE ARTISAN", "")),
        **_officer(known),
        **_eirl(known, chance),
        "gest_nar_4": nar_4,
        "gest_nar_20": nar_20,
        "gest_libelle_code_nafa": label,
        "gest_dept": "DEPARTEMENT-EXEMPLE",
        "gest_reg": "REGION-EXEMPLE",
        "gest_emetteur": f"M{known.head_office.address.town_code[:2]}01",
        "gest_categorie": "PP" if person else "PM",
        "gest_label_forme_juridique": known.legal_form_label,
        "epci": "Communauté d'exemple",
        "ent_act_code_apen": None,
    }


def _address(known: Company) -> dict[str, str]:
    address = known.head_office.address
    return {
        "ent_adr_numero_voie": address.number,
        "ent_adr_indice_repetition": address.repetition or "",
        "ent_adr_type_voie": address.street_type,
        "ent_adr_adresse": address.street,
        "ent_adr_adresse_complement": address.complement or "",
        "ent_adr_code_postal": address.postcode,
        "ent_adr_commune": address.town,
        "ent_adr_commune_cog": address.town_code,
    }


def _officer(known: Company) -> dict[str, str | None]:
    """Filled for a natural person only."""
    person = known.natural_person
    first = (*person.first_names, None, None, None) if person else (None, None, None)
    return {
        "dir_id_nom_naissance": person.last_name if person else None,
        "dir_id_nom_usage": person.usage_name if person else None,
        "dir_id_prenom_1": first[0],
        "dir_id_prenom_2": first[1],
        "dir_id_prenom_3": first[2],
        "dir_id_pseudonyme": None,
        "dir_id_date_naissance": _noon(person.born) if person else None,
        "dir_id_lieu_naissance": person.birth_place if person else None,
    }


def _eirl(known: Company, chance: random.Random) -> dict[str, str | None]:
    if known.natural_person is None or known.slug or chance.random() < 0.8:
        return dict.fromkeys(("eirl_init_nom_registre", "eirl_denomination", "eirl_objet_dap", "eirl_date_depot"))
    return {
        "eirl_init_nom_registre": "REPERTOIRE DES METIERS",
        "eirl_denomination": f"EIRL {known.display_name}",
        "eirl_objet_dap": "ACTIVITE ARTISANALE",
        "eirl_date_depot": _noon(known.created),
    }


def _noon(day: date | None) -> str | None:
    return f"{day.isoformat()}T12:00:00Z" if day else None


ROUTES: list[Route] = [Route("/v2/entreprises/{siren}", entreprise)]
