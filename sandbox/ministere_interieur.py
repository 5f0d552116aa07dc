"""API Association, simulated: one tree as XML or JSON at the same address, and the files it links to.

Associations of the sandbox are those of the personas and any other valid RNA number. Whatever else has a SIREN is
answered as the service does: with its identity, which isn't an association's. "Unknown" comes in all its forms.
"""

import hashlib
import random
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from lxml import etree
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stdnum import luhn

from providers.identifiers import InvalidIdentifier, rna
from sandbox.pdf import print_pdf
from sandbox.personas import PERSONAS, RNA_SANS_SIREN, Address, Company, Person, Site, company

API_KEY: Final = "sandbox"
UNKNOWN_RNA: Final = "W000000000"
"""The RNA number that no provider knows."""

_INNER: Final = "http://localhost:8181/services"
_ADDRESS: Final = Address(
    number="1", street_type="PLACE", street="DES EXEMPLES", postcode="49400", town="SAUMUR", town_code="49328"
)
_PRESIDENT: Final = Person(
    last_name="Specimen", first_names=("Naelle",), sex="F", born=date(1975, 1, 1), birth_place="", role="Présidente"
)
_WORDS: Final = ("DU LAVOIR", "DES SENTIERS", "DE LA FANFARE", "DES TROIS MOULINS", "DU VIEUX FOUR", "DES EXEMPLES")
_KINDS: Final = ("LES AMIS", "AMICALE", "COMITE DES FETES", "CHORALE", "FOYER RURAL", "CLUB SPORTIF")
_PURPOSES: Final = ("020015", "défense du patrimoine bâti"), ("011005", "sports de plein air"), ("006010", "chorale")

Tree = dict[str, Any]


# --- Who is known --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Known:
    """An association of the sandbox. One without SIREN has no `company`, hence no establishment."""

    name: str
    rna: str | None
    company: Company | None
    siret: str | None = None
    """The establishment asked for, when it was asked by SIRET."""

    def draw(self, label: str) -> random.Random:
        return random.Random(f"{self.rna or self.company}/{label}")


def association(identifier: str) -> Known | Company | None:
    """The association of an RNA number, a SIREN or a SIRET; a company that isn't one; nothing for an unknown."""
    if len(identifier) == 10:
        return _by_rna(identifier)
    if len(identifier) not in (9, 14) or not luhn.is_valid(identifier):
        return None
    found = company(identifier[:9])
    if found is None or found.duplicate_of:
        return None
    siret = identifier if len(identifier) == 14 else None
    if siret is not None and all(site.siret != siret for site in found.sites):
        return None
    return _as_association(found, siret) if found.legal_form.startswith("92") else found


def _by_rna(number: str) -> Known | None:
    try:
        checked = rna(number)
    except InvalidIdentifier:
        return None
    if checked == UNKNOWN_RNA:
        return None
    owner = _registered(checked)
    if owner is not None:
        return _as_association(owner, None)
    if checked == RNA_SANS_SIREN:
        return Known(name="AMICALE DES SENTIERS D'EXEMPLE", rna=checked, company=None)
    chance = random.Random(checked)
    return Known(name=f"{chance.choice(_KINDS)} {chance.choice(_WORDS)} {checked[-4:]}", rna=checked, company=None)


def _registered(number: str) -> Company | None:
    """The company of that RNA number: a persona, or anyone whose RNA number is made of its SIREN."""
    persona = next((persona for persona in PERSONAS.values() if persona.rna == number), None)
    anyone = company(number[1:]) if persona is None and luhn.is_valid(number[1:]) else None
    return anyone if anyone is not None and anyone.rna == number else persona


def _as_association(found: Company, siret: str | None) -> Known:
    return Known(name=found.name, rna=found.rna, company=found, siret=siret)


# --- The routes ----------------------------------------------------------------------------------


async def structure(request: Request) -> Response:
    """What the service knows of one identifier."""
    if request.headers.get("x-gravitee-api-key") != API_KEY:
        return JSONResponse({"message": "Unauthorized", "http_status_code": 401}, 401)
    identifier = str(request.path_params["identifier"])
    wants_json = request.headers.get("accept", "").startswith("application/json")
    known = association(identifier)
    owner = known.company if isinstance(known, Known) else known
    match owner.fate("ministere_interieur") if owner is not None else "":
        case "panne":
            return Response("<html><body>Service indisponible</body></html>", 503, media_type="text/html")
        case "hors_perimetre" | "interdite" | "refus":
            return _unknown(identifier, wants_json=wants_json)
    if known is None:
        return _unknown(identifier, wants_json=wants_json)
    if isinstance(known, Company):
        # Companies are answered too: that they aren't associations is for the caller to see.
        return _answer(_company(known), wants_json=wants_json)
    chance = known.draw("ministere_interieur")
    named = known.company is not None or known.rna == RNA_SANS_SIREN
    if not named and chance.random() < 0.12:
        return _trouble(identifier, chance)
    if known.rna == RNA_SANS_SIREN:
        return _answer(_tree(known), wants_json=True)
    return _answer(_tree(known), wants_json=wants_json or (not named and chance.random() < 0.4), chance=chance)


def _unknown(identifier: str, *, wants_json: bool) -> Response:
    """The service has five ways to say so."""
    chance = random.Random(identifier)
    failure = {
        "erreur": {"proxy_correspondance": f"lookup of {identifier} ended with statusCode: 404"},
        "identite": {"id_rna" if len(identifier) == 10 else "id_siren": identifier[:10]},
    }
    forms = ("json_404", "json_400") if wants_json else ("xml_200", "xml_200", "xml_404", "json_404", "json_400")
    match chance.choice(forms):
        case "xml_200":
            return _xml(failure)
        case "xml_404":
            return _xml(failure, 404)
        case "json_404":
            return JSONResponse({"message": f"{identifier} not found in registry"}, 404)
    return JSONResponse({"message": f"code {identifier[:3]} refused"}, 400)


def _trouble(identifier: str, chance: random.Random) -> Response:
    """What goes wrong there: rarely anything else than an association that isn't found."""
    match chance.choice(("inconnue", "inconnue", "inconnue", "vide", "interne", "page", "indisponible", "autre")):
        case "vide":
            return Response(b"", media_type="application/xml")
        case "interne":
            return Response("<html><body>Erreur</body></html>", 500, media_type="text/html")
        case "page":
            return Response("<html><body>No service here.</body></html>", 404, media_type="text/html")
        case "indisponible":
            return Response(b"", 503)
        case "autre":
            return Response("Une erreur est survenue", media_type="text/plain")
    return _unknown(identifier, wants_json=False)


async def document(request: Request) -> Response:
    """A file; wants no key. Its charset means nothing."""
    content = _printed(str(request.path_params["document"]))
    return Response(content, headers={"Content-Type": "application/pdf;charset=ISO-8859-1"})


def _printed(identifier: str) -> bytes:
    return print_pdf(f"Document d'exemple du bac à sable.\nRéférence : {identifier}")


# --- The tree, as its JSON has it ------------------------------------------------------------------


def _company(found: Company) -> Tree:
    """A company: identity only."""
    return {
        "id_siren": found.siren,
        "identite": {
            "nom": found.display_name,
            "id_siren": found.siren,
            "id_correspondance": int(found.siren) % 100_000,
            "id_forme_juridique": found.legal_form,
            "lib_forme_juridique": found.legal_form_label,
            "active_sirene": found.ceased is None,
            "regime": "other",
        },
    }


def _tree(known: Known) -> Tree:
    chance = known.draw("ministere_interieur/arbre")
    owner = known.company
    number = known.rna or ""
    internal = int(hashlib.md5(known.name.encode(), usedforsecurity=False).hexdigest()[:6], 16)
    created = owner.created if owner else date(chance.randint(1950, 2023), chance.randint(1, 12), 5)
    place = owner.head_office.address if owner else _ADDRESS
    ids = {"id_siren": owner.siren} if owner else {}
    return {
        **ids,
        "id_rna": number,
        "id_correspondance": internal,
        "identite": _identity(known, internal, created.isoformat()),
        "activites": _activities(known, chance),
        "coordonnees": {
            "adresse_siege": {"cplt_3": "_", **_address(place)},
            "adresse_gestion": {
                "voie": f"{place.number} {place.street_type} {place.street}",
                "cp": place.postcode,
                "commune": place.town,
                "pays": "FRANCE",
            },
            "telephone": "0000000000",
            "courriel": "bureau@association.invalid",
            "publication_internet": True,
        },
        "affiliations": _networks(owner, chance),
        "compositions": _members(owner),
        "agrements": _approvals(owner),
        "representants_legaux": _officers(owner),
        "rhs": _means(owner, chance),
        "comptes": _accounts(owner, chance),
        "etablissements": _sites(known),
        "ribs": [{"id": 1, "iban": "FR7600000000000000000000000", "titulaire": known.name, "bic": "EXEMPLEX"}],
        "documents": _documents(known, chance),
    }


def _identity(known: Known, internal: int, created: str) -> Tree:
    owner = known.company
    in_sirene: Tree = {}
    if owner is not None:
        in_sirene = {
            "nom_sirene": owner.name,
            "id_siren": owner.siren,
            "id_siret_siege": owner.head_office.siret,
            "id_forme_juridique": owner.legal_form,
            "lib_forme_juridique": f"{owner.legal_form_label} ",
            "date_creation_sirene": owner.created.isoformat(),
            "date_modif_siren": "2025-02-03",
            "active_sirene": owner.ceased is None,
        }
    return {
        "nom": known.name,
        "id_rna": known.rna,
        "id_correspondance": internal,
        "date_pub_jo": created,
        "date_creat": created,
        "date_dissolution": "0001-01-01",
        "date_modif_rna": "2025-01-11",
        "active": True,
        "nature": "Simplement déclarée",
        "util_publique": False,
        "groupement": "Simple",
        "eligibilite_cec": True,
        "regime": "loi1901",
        "impots_commerciaux": False,
        **in_sirene,
    }


def _activities(known: Known, chance: random.Random) -> Tree:
    code, label = chance.choice(_PURPOSES)
    owner = known.company
    staff: Tree = {"annee_effectif_salarie_cent": "0   ", "annee_activite_principale": "0   "}
    if owner is not None:
        staff = {
            "id_activite_principale": owner.naf,
            "annee_activite_principale": "2024",
            "id_tranche_effectif": owner.staff or "NN",
            "annee_effectif_salarie_cent": "2023",
        }
    return {
        "objet": f"Faire vivre {known.name.lower()}\n  et réunir ses adhérents",
        "id_objet_social1": code,
        "lib_objet_social1": label,
        "id_objet_social2": "000000",
        "champ_action_territorial": "local",
        "effectif_salarie_cent": 0,
        "appartenance_ess": "O" if owner is not None and owner.ess else "N",
        **staff,
    }


def _address(place: Address) -> Tree:
    return {
        "num_voie": place.number,
        "type_voie": place.street_type,
        "voie": place.street,
        "cp": place.postcode,
        "commune": place.town,
        "code_insee": place.town_code,
    }


def _networks(owner: Company | None, chance: random.Random) -> list[Tree]:
    if owner is None and chance.random() < 0.7:
        return []
    return [
        {
            "id_correspondance": 501,
            "nom": "FEDERATION D'EXEMPLE",
            "numero": "F-0012",
            "id_rna": "W759000001",
            "objet": "Fédérer des associations d'exemple",
            "adresse": _address(_ADDRESS),
            "telephone": "01 00 00 00 00",
            "courriel": "contact@federation.invalid",
            "url": f"{_INNER}/documents/{_uuid('federation')}",
            "nb_licencies": 40,
            "nb_licencies_h": 18,
            "nb_licencies_f": 22,
        }
    ]


def _members(owner: Company | None) -> list[Tree]:
    if owner is None:
        return []
    return [{"id_correspondance": 502, "id_rna": RNA_SANS_SIREN, "nom": "AMICALE DES SENTIERS D'EXEMPLE",
             "adresse": _address(_ADDRESS), "telephone": "0000000000"}]  # fmt: skip


def _approvals(owner: Company | None) -> list[Tree]:
    if owner is None:
        return []
    return [
        {
            "type": "JEP",
            "numero": "29-JEP-7",
            "niveau": "départemental",
            "attributeur": "SDJES d'exemple",
            "date_attribution": "2019-03-18",
            "id": 61,
            "url": f"{_INNER}/documents/{_uuid('agrement')}",
        }
    ]


def _officers(owner: Company | None) -> list[Tree]:
    """In office, removed, and in charge of something else than representing it."""
    if owner is None:
        return []
    head, president = owner.head_office.siret, (owner.officers or (_PRESIDENT,))[0]
    common = {"id_siret": head, "deleted": False}
    return [
        {
            **common,
            "id": 71,
            "civilite": "Monsieur" if president.sex == "M" else "Madame",
            "nom": president.last_name.capitalize(),
            "prenom": president.first_names[0].capitalize(),
            "fonction": president.role.capitalize(),
            "telephone": "02 00 00 00 01",
            "courriel": "presidence@association.invalid",
            "valideur_cec": True,
            "est_representant_legal": True,
            "publication_internet": False,
        },
        {**common, "id": 72, "civilite": "Madame", "nom": "Inventé", "prenom": "Zoé", "fonction": "Trésorière",
         "telephone": "0000000000"},
        {**common, "id": 73, "nom": "Fictif", "prenom": "Milo", "fonction": "Ancien président", "deleted": True},
        {**common, "id": 74, "nom": "Canevas", "prenom": "Louane", "fonction": "Contact",
         "est_representant_legal": False},
    ]  # fmt: skip


def _means(owner: Company | None, chance: random.Random) -> list[Tree]:
    if owner is None:
        return []
    return [
        {
            "annee": year,
            "nb_benevoles": chance.randint(5, 60),
            "nb_volontaires": 0,
            "nb_salaries": round(owner.headcount),
            "nb_salaries_etpt": round(owner.headcount * 0.8, 1),
            "nb_emplois_aides": 1,
            "id_siret": owner.head_office.siret,
            "nb_adherents": 63,
            "nb_adherents_h": 30,
            "nb_adherents_f": 33,
        }
        for year in (2023, 2024)
    ]


def _accounts(owner: Company | None, chance: random.Random) -> list[Tree]:
    if owner is None:
        return []
    accounts = []
    for year in (2023, 2024):
        income, spent = chance.randint(80_000, 90_000), chance.randint(70_000, 80_000)
        accounts.append(
            {
                "annee": year,
                "dons": f"{chance.randint(100, 900)}.50",
                "subv": "12500.00",
                "subv_cause": "accueil du public",
                "aides_3ans": "0.00",
                "produits": f"{income}.00",
                "charges": f"{spent}.00",
                "resultat": f"{income - spent}.00",
                "id": year,
                "id_siret": owner.head_office.siret,
                "a_commisaire_aux_comptes": year == 2024,
            }
        )
    return accounts


def _sites(known: Known) -> list[Tree]:
    owner = known.company
    if owner is None:
        return []
    return [_site(owner, site) for site in owner.sites if known.siret in (None, site.siret)]


def _site(owner: Company, site: Site) -> Tree:
    return {
        "id_siret": site.siret,
        "id_siren": owner.siren,
        "est_siege": site.head_office,
        "actif": site.closed is None,
        "date_actif": site.opened.isoformat(),
        "adresse": _address(site.address),
        "id_activite_principale": site.naf or owner.naf,
        "annee_activite_principale": 0,
        "id_tranche_effectif": owner.staff or "NN",
        "effectif_salarie_cent": 0,
        "annee_effectif_salarie_cent": 2023,
    }


def _documents(known: Known, chance: random.Random) -> Tree:
    owner = known.company
    filed = [
        ("STC", "Statuts", "PIECE"),
        ("MD", "Récépissé de modification", "RECEPISSE"),
        ("PV", "Procès-verbal", "PIECE"),
    ]
    count = 3 if owner else chance.randint(0, 3)
    if known.rna == RNA_SANS_SIREN:
        count = 2
    in_rna = [_rna_document(known, rank, *kind) for rank, kind in enumerate(filed[:count])]
    in_account = _account_documents(owner)
    return {
        "nbDocDac": len(in_account),
        "document_dac": in_account,
        "document_rna": in_rna,
        "nbDocRna": len(in_rna),
    }


def _rna_document(known: Known, rank: int, code: str, label: str, kind: str) -> Tree:
    identifier = hashlib.md5(f"{known.rna}/{code}".encode(), usedforsecurity=False).hexdigest()
    folder = "PJ" if kind == "PIECE" else "RC"
    undated = rank == 2
    return {
        "id": identifier,
        "type": kind,
        "annee": "1970" if undated else "2013",
        "sous_type": code,
        "even": 7_700_000 + rank,
        "time": "0" if undated else str(1_370_000_000 + rank),
        "url": f"{_INNER}/api/documents/{folder}/{identifier}",
        "lib_sous_type": label,
    }


def _account_documents(owner: Company | None) -> list[Tree]:
    """Files of Le Compte Asso: two to show, bank details, and one that was deleted."""
    if owner is None:
        return []
    siret = owner.head_office.siret
    wanted = (
        ("RAR", "courant", "rapport_activite.pdf"), ("LDC", "archivé", "dirigeants.pdf"), ("RIB", "courant", "rib.pdf"),
        ("BPA", "supprimé", "budget.pdf"),
    )  # fmt: skip
    return [
        {
            "meta": {"id_siret": siret, "type": kind, "etat": state, "annee_validite": 2024, "extension": "pdf"},
            "time_depot": "2025-03-02 18:05:00",
            "uuid": _uuid(siret + kind),
            "nom": name,
            "url": f"{_INNER}/documents/{_uuid(siret + kind)}",
        }
        for kind, state, name in wanted
    ]


def _uuid(seed: str) -> str:
    digest = hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}"


# --- The forms it takes ----------------------------------------------------------------------------


def _answer(tree: Tree, *, wants_json: bool, chance: random.Random | None = None) -> Response:
    if not wants_json:
        return _xml(tree)
    if chance is not None and chance.random() < 0.3:
        tree = _older(tree)
    return Response(orjson.dumps(tree), headers={"Content-Type": "application/json", "Set-Cookie": "LB=n1; path=/"})


def _older(tree: Tree) -> Tree:
    """The JSON of some time ago: singular names at the top, counters beside them, identifiers as numbers."""
    renamed = {
        "affiliations": "reseau_affiliation", "etablissements": "etablissement", "agrements": "agrement",
        "representants_legaux": "representant_legal", "rhs": "rh", "comptes": "compte", "ribs": "rib",
    }  # fmt: skip
    older = {renamed.get(name, name): value for name, value in tree.items() if name != "documents"}
    older.update(tree.get("documents", {}))
    older["coordonnees"]["adresse_siege"]["cp"] = int(older["coordonnees"]["adresse_siege"]["cp"])
    older["activites"]["id_objet_social1"] = int(older["activites"]["id_objet_social1"])
    return older


_WRAPPERS: Final = {
    "affiliations": ("reseaux_affiliation", "reseau_affiliation"),
    "compositions": ("composition_reseau", "membre"),
    "agrements": ("agrements", "agrement"),
    "representants_legaux": ("representants_legaux", "representant_legal"),
    "rhs": ("rhs", "rh"),
    "comptes": ("comptes", "compte"),
    "etablissements": ("etablissements", "etablissement"),
    "ribs": ("ribs", "rib"),
}
"""How the collections of the JSON are called in the XML: the wrapper, then each child."""


def _xml(tree: Tree, status: int = 200) -> Response:
    root = etree.Element("asso")
    _fill(root, tree)
    body = etree.tostring(root, encoding="UTF-8", xml_declaration=False, pretty_print=True)
    # No charset, and no declaration in the body.
    return Response(body, status, headers={"Content-Type": "application/xml", "Set-Cookie": "LB=n1; path=/"})


def _fill(parent: etree._Element, tree: Tree) -> None:
    for name, value in tree.items():
        if name in _WRAPPERS:
            wrapper, child = _WRAPPERS[name]
            node = etree.SubElement(parent, wrapper)
            if name == "etablissements" and value:
                etree.SubElement(node, "nb_actifs").text = str(len(value))
            for item in value:
                _fill_child(node, child, item)
        elif isinstance(value, list):
            for item in value:
                _fill_child(parent, name, item)
        elif isinstance(value, dict):
            _fill_child(parent, name, value)
        elif value is not None:
            etree.SubElement(parent, name).text = str(value).lower() if isinstance(value, bool) else str(value)


def _fill_child(parent: etree._Element, name: str, item: Tree) -> None:
    """The year of means and accounts is an attribute."""
    child = etree.SubElement(parent, name)
    if name in ("rh", "compte"):
        child.set("annee", str(item["annee"]))
        item = {key: value for key, value in item.items() if key != "annee"}
    _fill(child, item)


ROUTES: list[Route] = [
    Route("/apim/api-asso-partenaires/api/structure/{identifier}", structure, methods=["GET"]),
    Route("/apim/api-asso/api/documents/{folder}/{document}", document, methods=["GET"]),
    Route("/apim/api-asso/documents/{document}", document, methods=["GET"]),
]
