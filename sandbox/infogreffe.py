"""Infogreffe's web service, simulated: one SOAP operation that answers HTTP 200 to everything.

The answer holds literal XML, pretty-printed or compact, or an error line with its irregular punctuation. The
request is read by element, never by position.
"""

import random
from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Final

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from stdnum import luhn

from sandbox.personas import Address, Company, LegalOfficer, Person, company

CREDENTIALS: Final = ("sandbox", "sandbox")
EXTRACTED: Final = date(2025, 3, 4)
"""The day of every extract: fixed, so that the same SIREN always gives the same answer."""

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_ANSWER_NAMESPACES: Final = {
    "SOAP-ENV": _SOAP,
    "SOAP-ENC": _ENCODING,
    "xsi": _XSI,
    "xsd": "http://www.w3.org/2001/XMLSchema",
}
_MONTHS: Final = (
    "JANVIER", "FEVRIER", "MARS", "AVRIL", "MAI", "JUIN",
    "JUILLET", "AOUT", "SEPTEMBRE", "OCTOBRE", "NOVEMBRE", "DECEMBRE",
)  # fmt: skip
_COURT: Final = ("9901", "VILLE-EXEMPLE")
_FORMS: Final = {
    "5499": ("Société à responsabilité limitée", "SARLh"),
    "5599": ("Société anonyme à conseil d'administration", "SACAh"),
    "6533": ("Groupement agricole d'exploitation en commun", "GAECh"),
    "5710": ("Société par actions simplifiée", "SASh"),
}
_ROLE_CODES: Final = {
    "PRESIDENT": "PREH",
    "GERANT": "GERH",
    "LIQUIDATEUR": "LIQH",
    "COMMISSAIRE AUX COMPTES TITULAIRE": "CACTITH",
}
LINES: Final = {
    "003": "003 -ABONNE REFUSE-",
    "006": "006 -DOSSIER ABSENT-",
    "008": "008 -DOCUMENT INDISPONIBLE-",
    "014": "014-COMMANDE IMPOSSIBLE",
    "065": "065 -MODE DE DIFFUSION REFUSE-",
    "081": "081 -NON INSCRIT-",
    "999": "999 -SERVICE FERME-",
}


async def produits(request: Request) -> Response:
    """`getProduitsWebServicesXML`: the Kbis of one company, or a line of text."""
    asked = _read(await request.body())
    if asked is None or request.headers.get("soapaction", "").strip('"') != "getProduitsWebServicesXML":
        return Response("<html>Requête non comprise</html>", 500, media_type="text/html")
    code_abonne, mot_passe, siren = asked
    if (code_abonne, mot_passe) != CREDENTIALS:
        return _answer(LINES["003"], pretty=False)
    known = company(siren) if len(siren) == 9 and siren.isascii() and luhn.is_valid(siren) else None
    if known is None:
        return _answer(LINES["081"], pretty=False)
    chance = known.draw("infogreffe")
    line = _line(known, chance)
    return _answer(LINES[line] if line else _extrait(known, chance), pretty=chance.random() < 0.5)


def _read(body: bytes) -> tuple[str, str, str] | None:
    """Code, password and SIREN of the request, wherever they stand in it."""
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None
    wanted = (next(root.iter(name), None) for name in ("code_abonne", "mot_passe", "num_siren"))
    code_abonne, mot_passe, siren = ((element.text or "") if element is not None else "" for element in wanted)
    kind = next(root.iter("type_document"), None)
    mode = next(root.iter("mode"), None)
    if kind is None or kind.text != "KB" or mode is None or mode.get("type") != "XL":
        return None
    return code_abonne, mot_passe, siren


def _line(known: Company, chance: random.Random) -> str:
    """The number of the error line served for this company; none for a Kbis."""
    match known.fate("infogreffe"):
        case "panne":
            return "999"
        case "hors_perimetre":
            return chance.choice(("081", "006"))
        case "interdite":
            return "006"
        case "refus":
            return "008"
    if known.duplicate_of:
        return "081"
    if known.slug or chance.random() < 0.85:
        return ""
    return chance.choice(("006", "006", "081", "081", "081", "008", "065", "014", "003", "999"))


def _answer(content: "str | etree._Element", *, pretty: bool) -> Response:
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap=_ANSWER_NAMESPACES)
    body = etree.SubElement(envelope, f"{{{_SOAP}}}Body")
    operation = etree.SubElement(
        body,
        "{urn:local}getProduitsWebServicesXMLResponse",
        {f"{{{_SOAP}}}encodingStyle": _ENCODING},
        nsmap={"ns0": "urn:local"},
    )
    returned = etree.SubElement(operation, "return", {f"{{{_XSI}}}type": "xsd:string"})
    if isinstance(content, str):
        returned.text = content
    else:
        returned.append(content)
    return Response(
        etree.tostring(envelope, encoding="UTF-8", xml_declaration=False, pretty_print=pretty),
        headers={"Content-Type": "text/xml; charset=UTF-8", "Set-Cookie": "SERVEUR=s2; path=/"},
    )


# --- The Kbis ------------------------------------------------------------------------------------


def _extrait(known: Company, chance: random.Random) -> etree._Element:
    person = known.natural_person
    ids = (f"AD{number}" for number in count(2))
    extrait = etree.Element("Extrait", type="1" if person else "2")
    dossier = _child(
        extrait,
        "dossier",
        id_adr_greffe=next(ids),
        date_immat=_label(known.created),
        dateISO_immat=known.created.isoformat(),
        date_extrait=_label(EXTRACTED),
    )
    entreprise = _child(dossier, "entreprise", **({} if person else {"id_adr_siege": "AD1"}))
    _child(entreprise, "greffe", _COURT[1], code=_COURT[0])
    _child(entreprise, "num_ident", siren=known.siren)
    number = _child(entreprise, "num_gest", numGreffe=_COURT[0])
    _child(number, "millesime", str(known.created.year))
    _child(number, "statut", "A" if person else "B")
    _child(number, "chrono", known.siren[-5:])
    if person:
        _person(_child(entreprise, "pp", adresse="AD1", **_civil(person)), person)
    else:
        _legal_person(entreprise, known, chance)
        _officers(dossier, known, chance, ids)
    _observations(dossier, known, chance)
    _main_site(dossier, known, chance, next(ids))
    if known.ceased:
        radiation = _child(dossier, "radiation")
        _child(radiation, "date_radiation", _label(known.ceased), dateISO=known.ceased.isoformat())
    if known.sites:
        _address(extrait, "AD1", known.head_office.address)
    return extrait


def _legal_person(entreprise: etree._Element, known: Company, chance: random.Random) -> None:
    label, code = _FORMS.get(known.legal_form, (known.legal_form_label, "AUTRh"))
    pm = _child(entreprise, "pm", forme_juridique=label, codeFormeJuridique=code)
    _child(pm, "denomination", f"{known.name} ")
    if known.capital:
        whole, _, cents = known.capital.partition(".")
        montant = f"{int(whole):,}".replace(",", " ") + f",{cents or '00'}"
        capital = _child(pm, "capital")
        _child(capital, "montant", montant, devise="Euros", codeDevise="EUR", valeur=known.capital)
    end = known.created.replace(year=known.created.year + 99, day=min(known.created.day, 28))
    duration = _child(pm, "duree_ste")
    _child(duration, "valeur_duree", f"JUSQU'AU {_label(end)}", dateISO=end.isoformat())
    _child(pm, "date_cloture", dateISO=chance.choice(("12-31", "12-31", "06-30", "09-30")))
    _child(pm, "acte_const")


def _officers(dossier: etree._Element, known: Company, chance: random.Random, ids: Iterator[str]) -> None:
    """The list of officers; now and then the register has none."""
    nobody = not known.slug and chance.random() < 0.05
    if nobody or not (known.officers or known.legal_officers):
        return
    officers = _child(dossier, "liste_dirigeant")
    for person in known.officers:
        node = _child(officers, "dirigeant", type="PP", refugie="0")
        _child(node, "qualite", person.role, code=_ROLE_CODES.get(person.role, "AUTH"))
        civil_status = bool(known.slug) or chance.random() < 0.9
        civil = _civil(person) if civil_status else {"civilite": ""}
        _person(_child(node, "pp", adresse=next(ids), **civil), person, born=civil_status)
    for legal in known.legal_officers:
        _legal_officer(officers, legal, next(ids))


def _legal_officer(officers: etree._Element, legal: LegalOfficer, address: str) -> None:
    node = _child(officers, "dirigeant", type="PM", refugie="0")
    _child(node, "qualite", legal.role, code=_ROLE_CODES.get(legal.role, "AUTH"))
    pm = _child(node, "pm", adresse_siege=address)
    _child(pm, "denomination", legal.name)
    if legal.court:
        _child(pm, "greffe", legal.court[1], code=legal.court[0])
    _child(pm, "num_ident", legal.siren)


def _person(node: etree._Element, person: Person, *, born: bool = True) -> None:
    _child(node, "nom", person.last_name)
    if person.usage_name:
        _child(node, "nom_usage", person.usage_name)
    _child(node, "prenom", " ".join(name.capitalize() for name in person.first_names))
    if born:
        country_code, country = person.birth_country
        birth = _child(node, "naissance", pays=country, codePays=country_code)
        _child(birth, "date", _label(person.born), dateISO=person.born.isoformat())
        _child(birth, "lieu", person.birth_place)


def _civil(person: Person) -> dict[str, str]:
    code, label = person.nationality
    return {"civilite": "MME" if person.sex == "F" else "M", "nationalite": label, "codeNationalite": code}


def _observations(dossier: etree._Element, known: Company, chance: random.Random) -> None:
    if not (known.ceased or chance.random() < 0.3):
        return
    observations = _child(dossier, "liste_observations")
    day = known.ceased or known.created
    text = "CESSATION COMPLETE D'ACTIVITE" if known.ceased else f"TRANSFERT DU SIEGE A COMPTER DU {day:%d/%m/%Y}"
    node = _child(observations, "observation", dateISO=day.isoformat(), numero=str(chance.randint(1, 99)))
    _child(node, "libelle", f" {text}  ", position=" ")


def _main_site(dossier: etree._Element, known: Company, chance: random.Random, address: str) -> None:
    """The principal establishment; a holding may have none."""
    if not known.slug and chance.random() < 0.05:
        return
    site = _child(dossier, "etablissement", type="1", mode="0", adresse=address)
    signs = known.head_office.signs if known.sites else ()
    if signs:
        _child(site, "nom_commercial", signs[0])
    opened = known.created
    _child(site, "activite", "ACTIVITE D'EXEMPLE ", date_debut=_label(opened), dateISO_debut=opened.isoformat())
    if chance.random() < 0.2:
        origin = _child(site, "origine_societe")
        _child(origin, "libelle", "PRECEDENT EXPLOITANT")
        # An address without an id: it isn't the company's.
        _child(_child(origin, "adresse"), "voie", "D'AILLEURS")
    _child(site, "origine_fonds", "CREATION")
    _child(site, "mode_exploit", "EXPLOITATION DIRECTE")
    _child(site, "codeAPE", known.naf.replace(".", ""))


def _address(extrait: etree._Element, identifier: str, address: Address) -> None:
    node = _child(extrait, "adresse", id=identifier)
    _child(node, "nompostal")
    _child(node, "numero", f"{address.number} ")
    _child(node, "type", f"{address.street_type} ")
    _child(node, "voie", f"{address.street} ")
    _child(node, "ligne1", address.complement or "")
    _child(node, "ligne2")
    _child(node, "code_postal", address.postcode)
    _child(node, "bureau_distributeur", address.town)
    _child(node, "pays", "FRANCE")


def _child(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, name, attributes)
    element.text = text or None
    return element


def _label(day: date) -> str:
    """The French label of a date, as the register writes it."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


ROUTES: list[Route] = [Route("/produits", produits, methods=["POST"])]
