"""ADEME's data-fair server, simulated: lines of the history of RGE certificates, filtered by `qs`.

Twelve lines without `size`; a line whose value is empty lacks the key; `domaine` is a text or a list. Errors are
plain text.
"""

import re
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.clock import CLOCK
from sandbox.personas import Company, Site, site

CERTIFIED: Final = frozenset({"clair-vallon", "terrassement"})
"""The personas that hold certificates."""

_PATH: Final = "/data-fair/api/v1/datasets/historique-rge/lines"
_QUERY: Final = re.compile(r"siret:(?:([0-9]+)|\(([0-9]+(?: OR [0-9]+)*)\))( AND traitement_termine:false)?")
_WORKS: Final = (
    ("5911", "Installation de chauffage bois", "Chaudière bois", "Installations d'énergies renouvelables", "qualibat"),
    ("QPAC", "QualiPAC", "Pompe à chaleur : chauffage", "Installations d'énergies renouvelables", "qualitenr"),
    ("7131", "Isolation par l'intérieur", "Isolation des murs par l'intérieur", "Travaux d'efficacité énergétique", "qualibat"),
    ("CER-REN", "Rénovation globale", "Projet complet de rénovation", "Rénovation globale", "certibat"),
    ("1905", "Audit énergétique", "Audit énergétique Logement collectif", "Etudes énergétiques", "opqibi"),
    ("ELEC-PV", "Photovoltaïque", "Panneaux solaires photovoltaïques", "Installations d'énergies renouvelables", "qualifelec"),
)  # fmt: skip


async def lines(request: Request) -> Response:
    """Lines of some establishments, by pages."""
    if "x-apikey" in request.headers:
        # The sandbox has given no key to anybody; without one the dataset is readable.
        return PlainTextResponse("Cette clé d'API est inconnue.", 401)
    asked = _QUERY.fullmatch(request.query_params.get("qs", ""))
    size, after = request.query_params.get("size", "12"), request.query_params.get("after", "0,0").rpartition(",")[2]
    if asked is None or not size.isdigit() or int(size) > 10_000 or not after.isdigit():
        return PlainTextResponse("Mauvais format du paramètre", 400)
    sirets = [asked[1]] if asked[1] else asked[2].split(" OR ")
    places = [place for place in map(site, sirets) if place is not None]
    down = any(known.fate("ademe") == "panne" for known, _ in places)
    if down and len(sirets) == 1:
        return PlainTextResponse("all shards failed: [search_phase_execution_exception]", 500)
    found = [line for known, place in places for line in _lines(known, place, history=asked[3] is None)]
    return _page(request, found, int(after), int(size), cut=down)


def _page(request: Request, found: list[dict[str, Any]], start: int, size: int, *, cut: bool) -> Response:
    """One page. A query that touches a company in failure is `cut`: it announces a line that it doesn't give."""
    given = found[start : start + size]
    body: dict[str, Any] = {"total": len(found) + cut}
    if (given and len(given) == size) or cut:
        cursor = f"1700000000000,{start + len(given)}"
        params = {**request.query_params, "after": cursor}
        body["next"] = f"https://data.ademe.fr{_PATH}?{urlencode(params)}"
    headers = {"Cache-Control": "must-revalidate, private, max-age=20"}
    return JSONResponse({**body, "results": given}, headers=headers)


def _lines(known: Company, place: Site, *, history: bool) -> list[dict[str, Any]]:
    chance = known.draw(f"ademe/{place.siret}")
    if known.slug:
        certified = known.slug in CERTIFIED
    else:
        certified = known.ceased is None and place.closed is None and chance.random() < 0.8
    if (
        not certified
        or place.closed
        or known.duplicate_of
        or known.fate("ademe") in ("hors_perimetre", "interdite", "refus")
    ):
        return []
    as_list = chance.random() < 0.3
    found = []
    for rank, (code, name, domain, group, body) in enumerate(chance.sample(_WORKS, chance.randint(1, 4))):
        start = CLOCK.recent_day(chance)
        endless = chance.random() < 0.15
        line: dict[str, Any] = {
            "siret": place.siret,
            "nom_entreprise": known.display_name,
            "adresse": f"{place.address.number} {place.address.street_type} {place.address.street}",
            "code_postal": place.address.postcode,
            "commune": place.address.town,
            "latitude": 45.76,
            "longitude": 4.86,
            "code_qualification": code,
            "nom_qualification": name,
            "url_qualification": f"https://certificats.exemple.fr/{place.siret}/{code}.pdf",
            "nom_certificat": f"Certificat {name}",
            "domaine": [domain, f"{domain} (autre usage)"] if as_list else domain,
            "meta_domaine": group,
            "organisme": body,
            "particulier": True,
            "lien_date_debut": start.isoformat(),
            "lien_date_fin": "2099-01-01" if endless else (start + timedelta(days=365)).isoformat(),
            "date_debut": start.isoformat(),
            "traitement_termine": False,
            "motif_insertion": "ajout",
            "_updatedAt": f"{start.isoformat()}T{chance.choice(('02', '23'))}:10:00.000Z",
            "_i": 800_000 + rank,
            "_rand": chance.randint(1, 999_999),
            "_score": None,
            "_id": f"{place.siret[-8:]}{code}",
            "_geopoint": "45.76,4.86",
        }
        if chance.random() < 0.1:
            del line["url_qualification"]
        found.append(line)
        if history:
            found.append(
                {**line, "traitement_termine": True, "_id": f"{line['_id']}h", "motif_insertion": "historique"}
            )
    return found


ROUTES: list[Route] = [Route(_PATH, lines)]
