"""The national register of companies (RNE), simulated: login, records, filed documents, PDFs.

A token is a JWT whose signature is made up. Shapes vary as the register's do: a role is a string, an object or absent;
a list may be missing, empty or alone; withdrawn entries stay in it. Some records hold Latin-1 amid UTF-8.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from io import BytesIO
from random import Random
from typing import Any, Final
from zipfile import ZipFile, ZipInfo

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.accounts import last_year, officer_share, taxpayer
from sandbox.clock import CLOCK
from sandbox.pdf import print_pdf
from sandbox.personas import Address, Company, Person, Site, company

Json = dict[str, Any]

ACCOUNT: Final = ("sandbox", "sandbox")
EXPIRES_IN: Final = 86_400
LARGEST_BATCH: Final = 100
_UPDATED: Final = "2025-02-01T05:00:00+01:00"
_ROLES: Final = {
    "PRESIDENT": "73",
    "GERANT": "30",
    "LIQUIDATEUR": "40",
    "PRESIDENT DU CONSEIL D'ADMINISTRATION": "51",
    "COMMISSAIRE AUX COMPTES TITULAIRE": "71",
}


@dataclass
class Conduite:
    """What a test may change; mutable on purpose. `pages` is how many logins the firewall answers with a page."""

    pages: int = 0
    tokens: set[str] = field(default_factory=set)
    logins: int = 0


CONDUITE = Conduite()


# --- Login ---------------------------------------------------------------------------------------


async def login(request: Request) -> Response:
    CONDUITE.logins += 1
    if CONDUITE.pages:
        CONDUITE.pages -= 1
        return Response("<html><body>Request rejected</body></html>", media_type="text/html")
    asked = await _json(request)
    if (asked.get("username"), asked.get("password")) != ACCOUNT:
        return _error(401, "unauthorized", "api_sso_login")
    token = _token()
    CONDUITE.tokens.add(token)
    user = {"id": 1, "email": "bac-a-sable@exemple.invalid", "roles": ["ROLE_NIVEAU_1", "ROLE_API"], "active": True}
    return JSONResponse({"token": token, "user": user})


def _token() -> str:
    claims = {
        "exp": int(CLOCK().timestamp()) + EXPIRES_IN,
        "userId": 1,
        "username": ACCOUNT[0],
        "userType": "FO",
        "connectionType": "API",
        "accessToken": secrets.token_urlsafe(12),
        "expiresIn": EXPIRES_IN,
    }
    parts = (orjson.dumps({"typ": "JWT", "alg": "RS256"}), orjson.dumps(claims), secrets.token_bytes(24))
    return ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


async def _json(request: Request) -> Json:
    try:
        asked = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _refused(request: Request) -> bool:
    return request.headers.get("authorization", "").removeprefix("Bearer ") not in CONDUITE.tokens


def _error(status: int, kind: str, service: str) -> Response:
    body = {"code": str(status), "webserviceCode": service, "errorCode": kind, "message": "Bac à sable", "type": kind}
    return JSONResponse(body, status)


# --- Who is known --------------------------------------------------------------------------------


def _known(siren: str) -> Company | None:
    """The company, unless the register does not know it: duplicates and associations among others."""
    found = company(siren) if len(siren) == 9 and luhn.is_valid(siren) else None
    if found is None or found.duplicate_of or found.fate("inpi_rne") in ("hors_perimetre", "interdite"):
        return None
    if found.legal_form.startswith("92"):
        return None
    return found if found.slug or found.draw("inpi_rne").random() > 0.04 else None


def _down(siren: str) -> bool:
    found = company(siren) if luhn.is_valid(siren) else None
    return found is not None and found.fate("inpi_rne") == "panne"


def _failure(request: Request, siren: str, service: str) -> Response | None:
    if _refused(request):
        return _error(401, "unauthorized", service)
    if not (siren.isascii() and siren.isdigit() and len(siren) == 9):
        return _error(404, "notFound", service)
    if _down(siren):
        return Response("<html>Service Unavailable</html>", 503, media_type="text/html")
    if _known(siren) is None:
        return _error(404, "notFound", service)
    return None


# --- Records -------------------------------------------------------------------------------------


async def fiche(request: Request) -> Response:
    siren = request.path_params["siren"]
    failure = _failure(request, siren, "api_company")
    if failure is not None:
        return failure
    return Response(record(siren), media_type="application/json")


async def fiches(request: Request) -> Response:
    """The search by SIRENs, `siren[]` repeated."""
    if _refused(request):
        return _error(401, "unauthorized", "api_companies")
    asked = request.query_params.getlist("siren[]")
    size = request.query_params.get("pageSize", "20")
    if not size.isdigit() or not 1 <= int(size) <= LARGEST_BATCH:
        return _error(400, "badRequest", "api_companies")
    if any(_down(siren) for siren in asked):
        return Response("<html>Service Unavailable</html>", 503, media_type="text/html")
    known = [siren for siren in dict.fromkeys(asked) if _known(siren)][: int(size)]
    return Response(b"[" + b",".join(map(record, known)) + b"]", media_type="application/json")


@lru_cache(maxsize=2048)
def record(siren: str) -> bytes:
    """The body of a company."""
    known = company(siren)
    if known is None:
        raise ValueError(siren)
    body = orjson.dumps(_body(known, known.draw("inpi_rne/fiche")))
    if not known.slug and known.draw("inpi_rne/octets").random() < 0.05:
        return body.replace("Activité".encode(), "Activité".encode("latin-1"))
    return body


def _body(known: Company, chance: Random) -> Json:
    kind = "P" if known.is_person else "E" if not known.slug and chance.random() < 0.05 else "M"
    content: Json = {
        "natureCreation": {
            "dateCreation": known.created.isoformat(), "societeEtrangere": False, "formeJuridique": known.legal_form,
            "microEntreprise": False, "etablieEnFrance": True, "entrepriseAgricole": False, "eirl": False,
        },
        "formeExerciceActivitePrincipale": _trade(known),
    }  # fmt: skip
    if kind == "E":
        content["exploitation"] = {"identite": {"entreprise": {"siren": known.siren}}}
    else:
        content["personnePhysique" if kind == "P" else "personneMorale"] = _person(known, chance)
    if known.slug in ("fournil", "clair-vallon") or chance.random() < 0.2:
        content["inscriptionsOffices"] = [
            {"dateEffet": "2022-02-02", "partnerCenter": "0", "partnerCode": "X",
             "observationComplementaire": "Mention d'office, pour l'exemple"},
        ]  # fmt: skip
    return {
        "updatedAt": _UPDATED,
        "id": f"{known.siren}f00000000000000",
        "siren": known.siren,
        "nombreEtablissementsOuverts": sum(place.closed is None for place in known.sites),
        "formality": {
            "siren": known.siren, "typePersonne": kind, "formeJuridique": known.legal_form,
            "diffusionINSEE": "O" if known.status == "O" else "N", "diffusionCommerciale": known.status == "O",
            "content": content,
        },
    }  # fmt: skip


def _person(known: Company, chance: Random) -> Json:
    head = known.head_office
    entreprise: Json = {
        "siren": known.siren, "formeJuridique": known.legal_form, "nicSiege": head.nic,
        "codeApe": known.naf.replace(".", ""), "dateImmat": f"{known.created.isoformat()}T00:00:00+01:00",
        "dateImmatPresent": True, "dateDebutActiv": known.created.isoformat(),
    }  # fmt: skip
    person: Json = {
        "adresseEntreprise": {
            "caracteristiques": {"ambulant": False, "domiciliataire": False},
            "adresse": _address(head.address),
        },
        "identite": {"entreprise": entreprise},
        "etablissementPrincipal": _place(known, head, principal=True),
        "autresEtablissements": [_place(known, place, principal=False) for place in known.sites if place is not head],
    }
    if known.natural_person is not None:
        one = known.natural_person
        described = {**_someone(one), "genre": "1" if one.sex == "M" else "2"}
        person["identite"]["entrepreneur"] = {"descriptionPersonne": described}
        return person
    entreprise["denomination"] = known.name
    entreprise["indicateurAssocieUnique"] = len(known.officers) == 1
    person["identite"]["description"] = _description(known)
    person["composition"] = {"pouvoirs": _powers(known, chance)}
    person["observations"] = {
        "rcs": [{"numObservation": "7", "dateAjout": "2023-06-15", "texte": "Transfert du siège", "etatObs": "A"}]
    }
    owners = _owners(known, chance)
    if owners is not None:
        person["beneficiairesEffectifs"] = owners
    return person


def _description(known: Company) -> Json:
    described: Json = {
        "objet": "Activité d'exemple, inventée pour le bac à sable", "duree": 99, "dateClotureExerciceSocial": "3112",
        "ess": known.ess, "capitalVariable": False,
    }  # fmt: skip
    if known.capital:
        described |= {"montantCapital": float(known.capital), "deviseCapital": "EUR"}
    if known.ceased:
        described |= {"dateDissolutionDisparition": known.ceased.isoformat(), "indicateurPoursuiteActivite": False}
    return described


def _someone(person: Person) -> Json:
    return {
        "nom": person.last_name,
        "prenoms": list(person.first_names),
        "nomUsage": person.usage_name,
        "dateDeNaissance": f"{person.born:%Y-%m}",
        "nationalite": "Française",
    }


def _powers(known: Company, chance: Random) -> list[Json]:
    powers: list[Json] = []
    for officer in known.officers:
        power: Json = {
            "typeDePersonne": chance.choice(("INDIVIDU", "P")), "actif": True,
            "individu": {"descriptionPersonne": _someone(officer), "adresseDomicile": {"commune": "VILLE-EXEMPLE"}},
        }  # fmt: skip
        _give_role(power, officer.role, chance if not known.slug else None)
        powers.append(power)
    for other in known.legal_officers:
        company_ = {"siren": other.siren, "denomination": other.name, "pays": "FRANCE", "formeJuridique": "SAS"}
        power = {"typeDePersonne": "ENTREPRISE", "entreprise": company_}
        _give_role(power, other.role, None)
        powers.append(power)
    if known.slug == "terrassement":
        gone = {"nom": "CANEVAS", "prenoms": ["NAELLE"], "dateDeNaissance": "1951-05"}
        powers.append({
            "typeDePersonne": "INDIVIDU", "roleEntreprise": "30", "actif": False,
            "individu": {"descriptionPersonne": gone},
        })  # fmt: skip
    return powers


def _give_role(power: Json, role: str, chance: Random | None) -> None:
    """A role as a code, as an object, or not at all."""
    code = _ROLES.get(role, "99")
    shape = 0.0 if chance is None else chance.random()
    if shape < 0.7:
        power["roleEntreprise"] = code
    elif shape < 0.9:
        power["roleEntreprise"] = {"rolePersonne": code, "denomination": role.capitalize()}


def _owners(known: Company, chance: Random) -> list[Json] | None:
    """Beneficial owners: some declare none, some only their legal representative."""
    draw = 0.9 if known.slug else chance.random()
    if draw < 0.15 or not known.officers:
        return None if draw < 0.1 else []
    owners = [_owner(known, rank, officer) for rank, officer in enumerate(known.officers)]
    if known.slug == "terrassement" or draw < 0.3:
        for owner in owners:
            del owner["modalite"]
    return owners


def _owner(known: Company, rank: int, officer: Person) -> Json:
    share = officer_share(known)
    return {
        "actif": True,
        "beneficiaireId": f"{rank:08d}-2222-4333-8444-000{known.siren}",
        "beneficiaire": {"descriptionPersonne": _someone(officer), "adresseDomicile": {"pays": "FRANCE"}},
        "modalite": {
            "detentionPartTotale": float(share), "detentionPartDirecte": True, "partsDirectesPleinePropriete": float(share),
            "partsDirectesNuePropriete": 0, "detentionPartIndirecte": False, "detentionVoteTotal": share,
            "detentionVoteDirecte": True, "voteDirectePleinePropriete": share, "detentionPouvoirDecisionAG": False,
            "beneficiaireRepresentantLegal": False,
        },
    }  # fmt: skip


def _place(known: Company, place: Site, *, principal: bool) -> Json:
    described: Json = {
        "siret": place.siret, "rolePourEntreprise": "12" if principal else "4",
        "statutPourFormalite": "6" if place.closed else "5", "indicateurEtablissementPrincipal": principal,
        "codeApe": (place.naf or known.naf).replace(".", ""), "dateEffet": place.opened.isoformat(),
    }  # fmt: skip
    if place.closed:
        described["dateEffetFermeture"] = place.closed.isoformat()
    activity: Json = {
        "indicateurPrincipal": True, "dateDebut": place.opened.isoformat(), "formeExercice": _trade(known),
        "codeApe": known.naf.replace(".", ""), "descriptionDetaillee": "Activité d'exemple", "origine": {"typeOrigine": "1"},
    }  # fmt: skip
    if known.slug == "fournil":
        activity |= {"formeExercice": "ARTISANALE", "codeAprm": "1071CA", "origine": {"typeOrigine": "2"}}
    others = [{"indicateurPrincipal": False, "descriptionDetaillee": "Vente sur les marchés"}] if principal else []
    return {
        "descriptionEtablissement": described,
        "adresse": _address(place.address),
        "activites": [activity, *others],
    }


def _trade(known: Company) -> str:
    if known.naf[:2] in ("01", "02", "03"):
        return "AGRICOLE"
    return "LIBERALE" if known.naf[:2] in ("69", "71", "86", "90") else "COMMERCIALE"


def _address(address: Address) -> Json:
    written = {
        "pays": "FRANCE", "codePays": "FRA", "codePostal": address.postcode, "commune": address.town.capitalize(),
        "codeInseeCommune": address.town_code, "numVoie": address.number, "indiceRepetition": address.repetition,
        "typeVoie": address.street_type, "voie": address.street, "complementLocalisation": address.complement,
    }  # fmt: skip
    return {name: value for name, value in written.items() if value is not None}


# --- Filed documents -----------------------------------------------------------------------------


async def pieces(request: Request) -> Response:
    siren = request.path_params["siren"]
    failure = _failure(request, siren, "api_company_attachments")
    if failure is not None:
        return failure
    known = company(siren)
    return JSONResponse({} if known is None else filed(known))


def filed(known: Company) -> Json:
    """What a company filed; sole traders file nothing."""
    chance = known.draw("inpi_rne/pieces")
    draw = 0.9 if known.slug else chance.random()
    if known.is_person or draw < 0.08:
        return {}
    first = max(known.created.year + 1, 2019)
    last = known.ceased.year if known.ceased else last_year() + 1
    typed = [_typed(known, year, chance) for year in range(first, last)]
    if draw < 0.13:
        return {"bilansSaisis": typed}
    actes = [_acte(known, rank) for rank in range(3)]
    if known.legal_form.startswith("65"):
        # Civil companies file no accounts.
        return {"actes": actes}
    accounts = [_account(known, year) for year in range(first, last)]
    if draw < 0.2:
        return {"actes": actes}
    return {"actes": actes, "bilans": accounts, "bilansSaisis": typed}


def _id(known: Company, kind: str, number: int) -> str:
    """Twenty-four hexadecimal characters, from which a download finds the company again."""
    return f"{known.siren}{kind}{number:014d}"


def _entry(known: Company, id_: str, filed_on: date, name: str) -> Json:
    return {
        "id": id_, "siren": known.siren, "denomination": known.name, "updatedAt": _UPDATED,
        "dateDepot": filed_on.isoformat(), "numChrono": str(int(id_[10:])), "nomDocument": name,
        "confidentiality": "Public", "deleted": False,
    }  # fmt: skip


def _acte(known: Company, rank: int) -> Json:
    filed_on = known.created + timedelta(days=400 * rank)
    acte = _entry(known, _id(known, "a", rank), filed_on, f"ACTE_{filed_on.isoformat()}_{rank}")
    if rank == 0:
        acte["typeRdd"] = [{"typeActe": "Statuts constitutifs"}]
    if rank == 1:
        acte["typeRdd"] = [
            {"typeActe": "Statuts mis à jour"},
            {"typeActe": "Procès-verbal d'assemblée", "decision": "Transfert du siège "},
        ]
    if rank == 2:
        acte["deleted"] = known.siren[-1] in "02468"
    return acte


def _account(known: Company, year: int) -> Json:
    account = _entry(known, _id(known, "b", year), date(year + 1, 6, 20), f"CA_{known.siren}_{year}")
    return {**account, "dateCloture": f"{year}-12-31", "typeBilan": _kind(known), "version": "1.0"}


def _kind(known: Company) -> str:
    return "C" if known.slug else known.draw("inpi_rne/type").choice("CCCCSSKB")


def _padded(amount: int) -> str:
    return f"-{-amount:015d}" if amount < 0 else f"{amount:015d}"


def _typed(known: Company, year: int, chance: Random) -> Json:
    payer = taxpayer(known)
    turnover, profit = payer.turnover(year), payer.result(year)
    withheld = not known.slug and chance.random() < 0.2
    kind = _kind(known)
    entry = _entry(known, _id(known, "c", year), date(year + 1, 6, 20), "")
    del entry["nomDocument"]
    # The same deposit as the PDF's.
    entry |= {"numChrono": str(year), "dateCloture": f"{year}-12-31", "typeBilan": kind}
    if withheld:
        entry["confidentiality"] = "Partiellement confidentiel"
    identite = {
        "siren": known.siren, "dateClotureExercice": f"{year}-12-31",
        "dateClotureExerciceNMoins1": "-0001-11-30" if year == 2019 else f"{year - 1}-12-31", "codeGreffe": "9901",
        "numDepot": str(year), "numGestion": f"{known.created.year}B00321", "codeActivite": known.naf.replace(".", ""),
        "dureeExerciceN": "12", "dureeExerciceNMoins1": "00" if year == 2019 else "12",
        "dateDepot": f"{year + 1}-06-20", "codeSaisie": "00", "codeTypeBilan": kind, "codeDevise": "EUR",
        "codeOrigineDevise": "EUR", "codeConfidentialite": "2" if withheld else "0", "infoTraitement": "",
        "denomination": known.name, "adresse": "99001 VILLE-EXEMPLE",
    }  # fmt: skip
    sales, result = (0, 0) if withheld else (turnover, profit)
    if kind == "S":
        pages = _simple(turnover, sales, profit, result)
    else:
        pages = _complete(turnover, sales, profit, result, round(known.headcount))
    detail = {"pages": pages}
    return {**entry, "bilanSaisi": {"version": "1.0", "bilan": {"identite": identite, "detail": detail}}}


def _complete(turnover: int, sales: int, profit: int, result: int, staff: int) -> list[Json]:
    gross, worn = turnover + 90_000, 90_000
    return [
        {"numero": 1, "liasses": [_line("CO", _padded(gross), _padded(worn), _padded(gross - worn), "")]},
        {"numero": 2, "liasses": [_line("DL", _padded(turnover // 2), ""), _line("DI", _padded(profit), "")]},
        {"numero": 3, "liasses": [_line("FJ", _padded(sales), _padded(0), _padded(sales))]},
        {"numero": 4, "liasses": [_line("HN", _padded(result))]},
        {"numero": 11, "liasses": [_line("YP", f"{staff:014d}")]},
    ]


def _simple(turnover: int, sales: int, profit: int, result: int) -> list[Json]:
    own = _padded(turnover // 2 + profit)
    return [
        {"numero": 1, "liasses": [_line("110", "", "", _padded(turnover), ""), _line("142", "", "", own, "")]},
        {"numero": 2, "liasses": [_line("232", _padded(sales), ""), _line("310", _padded(result), "")]},
    ]


def _line(code: str, *amounts: str) -> Json:
    return {"code": code, **{f"m{rank}": amount for rank, amount in enumerate(amounts, 1)}}


# --- PDFs ----------------------------------------------------------------------------------------


async def download(request: Request) -> Response:
    """An acte or an account; now and then a ZIP that holds it."""
    kind, id_ = request.path_params["kind"], request.path_params["id"]
    failure = _failure(request, id_[:9], f"api_{kind}_download")
    if failure is not None:
        return failure
    known = company(id_[:9])
    entry = next((entry for entry in filed(known).get(kind, ()) if entry["id"] == id_), None) if known else None
    if known is None or entry is None:
        return _error(404, "notFound", f"api_{kind}_download")
    content = print_pdf(f"{entry['nomDocument']}\n{known.display_name}\nDocument d'exemple du bac à sable.")
    if not known.slug and known.draw(id_).random() < 0.1:
        content = _zipped(f"{entry['nomDocument']}.pdf", content)
    return _pdf(content, f"{entry['nomDocument']}.pdf")


async def attestation(request: Request) -> Response:
    """The certificate of registration, asked by `ids=["…"]`."""
    ids = request.query_params.get("ids", "")
    siren = ids.removeprefix('["').removesuffix('"]')
    if request.query_params.get("format") != "pdf" or ids != f'["{siren}"]':
        return _error(400, "badRequest", "export_companies")
    failure = _failure(request, siren, "export_companies")
    known = company(siren) if failure is None else None
    if failure is not None or known is None:
        return failure or _error(404, "notFound", "export_companies")
    title = "ATTESTATION D'IMMATRICULATION AU REGISTRE NATIONAL DES ENTREPRISES"
    return _pdf(print_pdf(f"{title}\n{known.display_name}\nSIREN {siren}"), f"attestation_{siren}.pdf")


def _pdf(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename={name}", "Content-Transfer-Encoding": "binary"}
    return Response(content, media_type="application/pdf", headers=headers)


def _zipped(name: str, content: bytes) -> bytes:
    archive = BytesIO()
    with ZipFile(archive, "w") as file:
        file.writestr(ZipInfo(name), content)
    return archive.getvalue()


ROUTES: list[Route] = [
    Route("/api/sso/login", login, methods=["POST"]),
    Route("/api/companies", fiches, methods=["GET"]),
    Route("/api/companies/{siren}", fiche, methods=["GET"]),
    Route("/api/companies/{siren}/attachments", pieces, methods=["GET"]),
    Route("/api/{kind:str}/{id}/download", download, methods=["GET"]),
    Route("/export/companies", attestation, methods=["GET"]),
]
