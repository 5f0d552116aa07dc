"""The Kbis that Infogreffe delivers as XML: one call, from which two datasets are read.

Source: Infogreffe, web service "Produits", operation `getProduitsWebServicesXML` (SOAP 1.1, RPC/encoded). The
service answers HTTP 200 to everything; a refusal is a line of text, `081 -NON INSCRIT-`, in the place of the Kbis.
Both the request and the answer hold literal XML where the WSDL says "string": they are read as plain XML.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import httpx
from lxml import etree

from providers.declaration import Access, Call, For, Http, NotKept, Source, Timeouts
from providers.errors import NotFound, ProviderError, Unavailable, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siren
from providers.infogreffe import wire
from providers.personne import TypePersonne
from providers.record import inherits, record

# --- What a Kbis says ----------------------------------------------------------------------------

Jour = date
"""`date` under another name, for records that have a field called `date`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dirigeant:
    """An officer, as fully as the Kbis tells; each dataset shows its own part."""

    type: TypePersonne
    nom: str | None
    prenom: str | None
    fonction: str | None
    naissance: str | None
    """The ISO attribute as written: one dataset shows its month, the other its day."""
    lieu_naissance: str | None
    pays_naissance: str | None
    code_pays_naissance: str | None
    nationalite: str | None
    code_nationalite: str | None
    numero_identification: str | None
    raison_sociale: str | None
    code_greffe: str | None
    libelle_greffe: str | None


@record("Observation portée au registre par le greffier.")
class ObservationRcs:
    numero: str | None = inherits("Numéro de l'observation.", source="liste_observations/observation/@numero")
    libelle: str | None = inherits(
        "Texte de l'observation.", source="liste_observations/observation/libelle", personal=True
    )
    date: Jour | None = inherits("Date de l'observation.", source="liste_observations/observation/@dateISO")


@record("Activité de l'établissement principal ; tout est nul quand l'entreprise n'en a pas.")
class EtablissementPrincipalRcs:
    activite: str | None = inherits("Activité exercée.", source="etablissement[@type='1']/activite")
    origine_fonds: str | None = inherits("Origine du fonds.", source="etablissement[@type='1']/origine_fonds")
    mode_exploitation: str | None = inherits("Mode d'exploitation.", source="etablissement[@type='1']/mode_exploit")
    code_ape: str | None = inherits("Code APE, sans point.", source="etablissement[@type='1']/codeAPE")


@record("Capital social.")
class CapitalRcs:
    montant: Decimal | None = inherits("Montant ; nul quand le registre n'en donne pas.", source="montant/@valeur")
    devise: str | None = inherits("Libellé de la devise.", source="montant/@devise")
    code_devise: str | None = inherits("Code de la devise.", source="montant/@codeDevise")


@record("Greffe du tribunal qui tient le registre.")
class GreffeRcs:
    valeur: str | None = inherits("Nom du greffe.", source="entreprise/greffe")
    code: str | None = inherits("Code du greffe, sur quatre chiffres.", source="entreprise/greffe/@code")


@record("Forme juridique, dans la nomenclature des greffes.")
class FormeJuridiqueRcs:
    valeur: str | None = inherits("Libellé de la forme juridique.", source="entreprise/pm/@forme_juridique")
    code: str | None = inherits(
        "Code mnémonique des greffes (ce n'est pas la catégorie juridique de l'INSEE).",
        source="entreprise/pm/@codeFormeJuridique",
    )


@record("Ce que le registre dit d'une personne morale.")
class PersonneMoraleRcs:
    forme_juridique: FormeJuridiqueRcs = inherits("Forme juridique.")
    denomination: str | None = inherits("Dénomination.", source="entreprise/pm/denomination")
    date_cloture_exercice_comptable: str | None = inherits(
        "Mois et jour de clôture de l'exercice (MM-JJ).", source="entreprise/pm/date_cloture/@dateISO"
    )
    date_fin_de_vie: date | None = inherits(
        "Terme de la durée de la société.", source="entreprise/pm/duree_ste/valeur_duree/@dateISO"
    )


@record("Adresse d'un entrepreneur individuel, telle que le registre l'écrit.")
class AdresseRcs:
    nom_postal: str | None = inherits("Nom postal.", source="adresse/nompostal", personal=True)
    numero: str | None = inherits("Numéro dans la voie.", source="adresse/numero", personal=True)
    type: str | None = inherits("Type de voie.", source="adresse/type", personal=True)
    voie: str | None = inherits("Nom de la voie.", source="adresse/voie", personal=True)
    ligne_1: str | None = inherits("Complément, première ligne.", source="adresse/ligne1", personal=True)
    ligne_2: str | None = inherits("Complément, seconde ligne.", source="adresse/ligne2", personal=True)
    localite: str | None = inherits("Localité.", source="adresse/localite", personal=True)
    code_postal: str | None = inherits("Code postal.", source="adresse/code_postal", personal=True)
    bureau_distributeur: str | None = inherits(
        "Bureau distributeur.", source="adresse/bureau_distributeur", personal=True
    )
    pays: str | None = inherits("Pays.", source="adresse/pays", personal=True)


@record("Nationalité.")
class NationaliteRcs:
    valeur: str | None = inherits("Libellé de la nationalité.", source="entreprise/pp/@nationalite", personal=True)
    code: str | None = inherits("Code de la nationalité.", source="entreprise/pp/@codeNationalite", personal=True)


@record("Pays de naissance.")
class PaysRcs:
    valeur: str | None = inherits("Nom du pays.", source="entreprise/pp/naissance/@pays", personal=True)
    code: str | None = inherits("Code du pays.", source="entreprise/pp/naissance/@codePays", personal=True)


@record("Naissance d'un entrepreneur individuel.")
class NaissanceRcs:
    pays: PaysRcs = inherits("Pays de naissance.", personal=True)
    date: Jour | None = inherits("Date de naissance.", source="entreprise/pp/naissance/date/@dateISO", personal=True)
    lieu: str | None = inherits("Lieu de naissance.", source="entreprise/pp/naissance/lieu", personal=True)


@record("Ce que le registre dit d'un entrepreneur individuel.")
class PersonnePhysiqueRcs:
    adresse: AdresseRcs = inherits("Adresse de l'entrepreneur.", personal=True)
    nationalite: NationaliteRcs = inherits("Nationalité.", personal=True)
    nom: str | None = inherits("Nom.", source="entreprise/pp/nom", personal=True)
    prenom: str | None = inherits("Prénoms.", source="entreprise/pp/prenom", personal=True)
    naissance: NaissanceRcs = inherits("Naissance.", personal=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kbis:
    """One Kbis, before any choice of what is shown of it."""

    date_extrait: str | None
    date_immatriculation: date | None
    date_radiation: date | None
    dirigeants: tuple[Dirigeant, ...]
    observations: tuple[ObservationRcs, ...]
    nom_commercial: str
    etablissement_principal: EtablissementPrincipalRcs
    capital: CapitalRcs
    greffe: GreffeRcs
    personne_morale: PersonneMoraleRcs | None
    personne_physique: PersonnePhysiqueRcs | None


# --- How to ask ----------------------------------------------------------------------------------

_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_SERVICE: Final = "urn:WebServicesProduits"
_NAMESPACES: Final = {
    "soapenv": _SOAP,
    "xsi": _XSI,
    "xsd": "http://www.w3.org/2001/XMLSchema",
    "urn": _SERVICE,
}
_CODE_REQUETE: Final = (
    ("type_profil", "A"),
    ("origine_emetteur", "IC"),
    ("nature_requete", "C"),
    ("type_document", "KB"),
    ("type_requete", "S"),
    ("media", "WS"),
)
_HEADERS: Final = (
    ("Content-Type", "text/xml"),
    # A header of its own: the service reads it there, not in the content type.
    ("charset", "utf-8"),
    ("SOAPAction", "getProduitsWebServicesXML"),
)


def call(key: Siren, access: Access) -> Call:
    """Ask for the Kbis of one company, delivered as XML."""
    return Call(method="POST", url=access.settings["url"], headers=_HEADERS, content=envelope(key, access.settings))


def envelope(key: Siren, settings: Mapping[str, str]) -> bytes:
    """The SOAP request. Built as a tree: credentials are escaped whatever their characters."""
    root = etree.Element(f"{{{_SOAP}}}Envelope", nsmap=_NAMESPACES)
    etree.SubElement(root, f"{{{_SOAP}}}Header")
    body = etree.SubElement(root, f"{{{_SOAP}}}Body")
    operation = etree.SubElement(
        body,
        f"{{{_SERVICE}}}getProduitsWebServicesXML",
        {f"{{{_SOAP}}}encodingStyle": "http://schemas.xmlsoap.org/soap/encoding/"},
    )
    argument = etree.SubElement(operation, "arg0", {f"{{{_XSI}}}type": "xsd:string"})
    demande = etree.SubElement(argument, "demande")
    emetteur = etree.SubElement(demande, "emetteur")
    etree.SubElement(emetteur, "code_abonne").text = settings["code_abonne"]
    etree.SubElement(emetteur, "mot_passe").text = settings["mot_passe"]
    code_requete = etree.SubElement(emetteur, "code_requete")
    for name, value in _CODE_REQUETE:
        etree.SubElement(code_requete, name).text = value
    mode_diffusion = etree.SubElement(code_requete, "mode_diffusion")
    etree.SubElement(mode_diffusion, "mode", {"type": "XL"})
    commande = etree.SubElement(demande, "commande")
    etree.SubElement(commande, "num_siren").text = key
    return etree.tostring(root)


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: Siren) -> Kbis:
    """The Kbis of `key`, or the meaning of the line that stands in its place."""
    refuse_outage(response, 429)
    if response.status_code != 200:
        raise Unreadable
    root = wire.document(response.content)
    answered = wire.attribute(next(root.iter("num_ident"), None), "siren")
    if answered is None:
        raise _refusal(root)
    extrait = next(root.iter("Extrait"), None)
    dossier = wire.child(extrait, "dossier")
    # The Kbis of another company must never be shown as this one's.
    if extrait is None or dossier is None or "".join(answered.split()) != key:
        raise Unreadable
    return _kbis(extrait, dossier)


_REFUSALS: Final[Mapping[str, Callable[[], ProviderError]]] = MappingProxyType(
    {
        "003": lambda: Unavailable(
            # Most often a hiccup of the provider, hence not an alert on our credentials.
            "Le fournisseur n'a pas reconnu notre abonnement, en général passagèrement. Réessayez dans dix secondes.",
            "501",
            timedelta(seconds=10),
        ),
        "006": lambda: NotFound("Aucun dossier de cette entreprise dans la base des greffes."),
        "008": lambda: NotFound("Aucun extrait Kbis n'est disponible pour cette entreprise."),
        # Reads like a fault of ours, means that the file can't be had by this channel: out of perimeter.
        "014": lambda: NotFound("Le fournisseur ne délivre pas d'extrait pour cette entreprise.", "502"),
        "065": lambda: NotFound("Cette entreprise n'est pas diffusée par le fournisseur."),
        "081": lambda: NotFound("Cette entreprise n'est pas inscrite au registre du commerce et des sociétés."),
        "999": Unavailable,
    }
)


def _refusal(root: etree._Element) -> ProviderError:
    """What the error line says: only its number is reliable, its punctuation varies."""
    line = _last_text(next(root.iter("return"), None))
    refusal = _REFUSALS.get(line[:3])
    return refusal() if refusal else Unreadable()


def _last_text(element: etree._Element | None) -> str:
    """The last text that is directly inside the element."""
    if element is None:
        return ""
    texts = [element.text, *(node.tail for node in element)]
    return next((str(text) for text in reversed(texts) if text), "").strip()


def _kbis(extrait: etree._Element, dossier: etree._Element) -> Kbis:
    entreprise = wire.child(dossier, "entreprise")
    pm, pp = wire.child(entreprise, "pm"), wire.child(entreprise, "pp")
    etablissements = wire.children(dossier, "etablissement")
    principal = next((place for place in etablissements if wire.attribute(place, "type") == "1"), None)
    officers = wire.children(dossier, "liste_dirigeant/dirigeant") or ([] if pp is None else [pp])
    return Kbis(
        date_extrait=wire.attribute(dossier, "date_extrait"),
        date_immatriculation=wire.iso_day(wire.attribute(dossier, "dateISO_immat")),
        # The only element whose place in the tree isn't known: taken wherever it stands.
        date_radiation=wire.iso_day(wire.attribute(extrait.find(".//radiation/date_radiation"), "dateISO")),
        dirigeants=tuple(_dirigeant(node) for node in officers),
        observations=tuple(_observation(node) for node in wire.children(dossier, "liste_observations/observation")),
        nom_commercial=_nom_commercial(etablissements, principal),
        etablissement_principal=_etablissement_principal(principal),
        capital=_capital(wire.child(pm, "capital/montant")),
        greffe=GreffeRcs(
            valeur=wire.text(entreprise, "greffe"), code=wire.attribute(wire.child(entreprise, "greffe"), "code")
        ),
        personne_morale=None if pm is None else _personne_morale(pm),
        personne_physique=None if pp is None else _personne_physique(pp, extrait),
    )


def _dirigeant(node: etree._Element) -> Dirigeant:
    """An officer, or the sole trader (`entreprise/pp`), who is his own and has no `type`.

    A person is read from `pp` and a company from `pm` only: the same names mean other things elsewhere.
    """
    pp = node if node.tag == "pp" else wire.child(node, "pp")
    pm = wire.child(node, "pm")
    naissance = wire.child(pp, "naissance")
    natural = wire.attribute(node, "type") in (None, "PP")
    return Dirigeant(
        type=TypePersonne.PERSONNE_PHYSIQUE if natural else TypePersonne.PERSONNE_MORALE,
        nom=wire.text(pp, "nom"),
        prenom=wire.text(pp, "prenom"),
        fonction=wire.text(node, "qualite"),
        naissance=wire.attribute(wire.child(naissance, "date"), "dateISO"),
        lieu_naissance=wire.text(naissance, "lieu"),
        pays_naissance=wire.attribute(naissance, "pays"),
        code_pays_naissance=wire.attribute(naissance, "codePays"),
        nationalite=wire.attribute(pp, "nationalite"),
        code_nationalite=wire.attribute(pp, "codeNationalite"),
        numero_identification=wire.text(pm, "num_ident"),
        raison_sociale=wire.text(pm, "denomination"),
        code_greffe=wire.attribute(wire.child(pm, "greffe"), "code"),
        libelle_greffe=wire.text(pm, "greffe"),
    )


def _observation(node: etree._Element) -> ObservationRcs:
    return ObservationRcs(
        numero=wire.attribute(node, "numero"),
        libelle=wire.text(node, "libelle"),
        date=wire.iso_day(wire.attribute(node, "dateISO")),
    )


def _nom_commercial(etablissements: list[etree._Element], principal: etree._Element | None) -> str:
    """The name of the principal, even empty; only without any principal, those of all the others together."""
    places = etablissements if principal is None else [principal]
    return "".join(wire.raw_text(wire.child(place, "nom_commercial")) for place in places).strip()


def _etablissement_principal(principal: etree._Element | None) -> EtablissementPrincipalRcs:
    """Null without a principal; empty where the principal says nothing."""

    def said(name: str) -> str | None:
        return None if principal is None else wire.text(principal, name) or ""

    return EtablissementPrincipalRcs(
        activite=said("activite"),
        origine_fonds=said("origine_fonds"),
        mode_exploitation=said("mode_exploit"),
        code_ape=said("codeAPE"),
    )


def _capital(montant: etree._Element | None) -> CapitalRcs:
    written = wire.amount(wire.attribute(montant, "valeur"))
    return CapitalRcs(
        montant=wire.amount(wire.raw_text(montant)) if written is None else written,
        devise=wire.attribute(montant, "devise"),
        code_devise=wire.attribute(montant, "codeDevise"),
    )


def _personne_morale(pm: etree._Element) -> PersonneMoraleRcs:
    return PersonneMoraleRcs(
        forme_juridique=FormeJuridiqueRcs(
            valeur=wire.attribute(pm, "forme_juridique"), code=wire.attribute(pm, "codeFormeJuridique")
        ),
        denomination=wire.text(pm, "denomination"),
        date_cloture_exercice_comptable=wire.attribute(wire.child(pm, "date_cloture"), "dateISO"),
        date_fin_de_vie=wire.iso_day(wire.attribute(wire.child(pm, "duree_ste/valeur_duree"), "dateISO")),
    )


def _personne_physique(pp: etree._Element, extrait: etree._Element) -> PersonnePhysiqueRcs:
    naissance = wire.child(pp, "naissance")
    return PersonnePhysiqueRcs(
        adresse=_adresse(extrait, wire.attribute(pp, "adresse")),
        nationalite=NationaliteRcs(
            valeur=wire.attribute(pp, "nationalite"), code=wire.attribute(pp, "codeNationalite")
        ),
        nom=wire.text(pp, "nom"),
        prenom=wire.text(pp, "prenom"),
        naissance=NaissanceRcs(
            pays=PaysRcs(valeur=wire.attribute(naissance, "pays"), code=wire.attribute(naissance, "codePays")),
            date=wire.iso_day(wire.attribute(wire.child(naissance, "date"), "dateISO")),
            lieu=wire.text(naissance, "lieu"),
        ),
    )


def _adresse(extrait: etree._Element, reference: str | None) -> AdresseRcs:
    """The address of that id. One without an id belongs to a former owner: no reference, no address."""
    found = None
    if reference is not None:
        addresses = wire.children(extrait, "adresse")
        found = next((address for address in addresses if wire.attribute(address, "id") == reference), None)
    return AdresseRcs(
        nom_postal=wire.text(found, "nompostal"),
        numero=wire.text(found, "numero"),
        type=wire.text(found, "type"),
        voie=wire.text(found, "voie"),
        ligne_1=wire.text(found, "ligne1"),
        ligne_2=wire.text(found, "ligne2"),
        localite=wire.text(found, "localite"),
        code_postal=wire.text(found, "code_postal"),
        bureau_distributeur=wire.text(found, "bureau_distributeur"),
        pays=wire.text(found, "pays"),
    )


KBIS = Source(
    id="infogreffe.kbis",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # Real time, but for the span of one page: its two datasets, and whoever asks at the same moment, share one answer.
    life=For(timedelta(seconds=10)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=4_000_000,
)
