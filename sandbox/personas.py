"""A dozen named companies, coherent across all providers, and one deterministic company for any other SIREN.

Everyone here is invented. A simulator asks `company(siren)` and derives its own data from the answer; what
a provider decides of a persona (a refusal, an outage…) is the word of `fates` under the provider's id.
Where a persona says nothing, and for anyone else, a simulator draws with `Company.draw(label)`:
the same SIREN always gives the same answers.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType

from stdnum import luhn


@dataclass(frozen=True, kw_only=True)
class Person:
    """A natural person who directs or is a company."""

    last_name: str
    first_names: tuple[str, ...]
    sex: str
    born: date
    birth_place: str
    birth_country: tuple[str, str] = ("FR", "FRANCE")
    nationality: tuple[str, str] = ("FR", "FRANCAISE")
    usage_name: str | None = None
    role: str = "PRESIDENT"


@dataclass(frozen=True, kw_only=True)
class LegalOfficer:
    """A company that directs or audits another one."""

    name: str
    siren: str
    role: str
    court: tuple[str, str] | None = ("4901", "ANGERS")


@dataclass(frozen=True, kw_only=True)
class Address:
    number: str
    street_type: str
    street: str
    postcode: str
    town: str
    town_code: str
    repetition: str | None = None
    complement: str | None = None


@dataclass(frozen=True, kw_only=True)
class Site:
    """One establishment."""

    siret: str
    head_office: bool
    address: Address
    opened: date
    closed: date | None = None
    signs: tuple[str, ...] = ()
    status: str = "O"
    naf: str | None = None
    """Its own activity when it differs from the company's."""

    @property
    def nic(self) -> str:
        return self.siret[9:]


@dataclass(frozen=True, kw_only=True)
class Company:
    """What the whole sandbox knows of one company."""

    slug: str
    siren: str
    natural_person: Person | None = None
    name: str = ""
    acronym: str | None = None
    legal_form: str = "5710"
    legal_form_label: str = "SAS, société par actions simplifiée"
    naf: str = "31.09B"
    naf25: str | None = "31.00Y"
    status: str = "O"
    created: date = date(2015, 2, 9)
    ceased: date | None = None
    staff: str | None = "12"
    capital: str = "50000.00"
    size: str | None = "PME"
    rna: str | None = None
    ess: bool = False
    officers: tuple[Person, ...] = ()
    legal_officers: tuple[LegalOfficer, ...] = ()
    sites: tuple[Site, ...] = ()
    duplicate_of: str | None = None
    parent: str | None = None
    fates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def head_office(self) -> Site:
        return next(site for site in self.sites if site.head_office)

    @property
    def is_person(self) -> bool:
        return self.natural_person is not None

    @property
    def display_name(self) -> str:
        person = self.natural_person
        return f"{person.first_names[0]} {person.last_name}" if person else self.name

    @property
    def headcount(self) -> float:
        """How many people it employs: a number within its bracket, none without one."""
        return _HEADCOUNTS.get(self.staff or "", 0.0)

    def fate(self, provider: str, default: str = "") -> str:
        """What `provider` decides of this company; `*` in `fates` speaks for every provider."""
        return self.fates.get(provider, self.fates.get("*", default))

    def draw(self, label: str) -> random.Random:
        """A source of chance of its own for (company, label): always the same draws."""
        return random.Random(f"{self.siren}/{label}")


_HEADCOUNTS: Mapping[str, float] = MappingProxyType({
    "01": 1.5, "02": 4.0, "03": 7.25, "11": 14.5, "12": 31.42, "21": 72.0, "22": 141.5, "31": 221.75, "32": 318.0,
    "41": 710.5, "42": 1_430.0, "51": 3_120.25, "52": 7_050.0, "53": 12_404.0,
})  # fmt: skip
"""By bracket of staff; brackets that aren't there employ nobody."""


def with_check_digit(payload: str) -> str:
    """The payload and its Luhn digit: an identifier that passes the checks."""
    return payload + luhn.calc_check_digit(payload)


def siret_of(siren: str, rank: int) -> str:
    """The SIRET of the establishment of that rank (1, 2, 3…)."""
    return with_check_digit(f"{siren}{rank:04d}")


_TOWNS = (
    ("49400", "SAUMUR", "49328"), ("29000", "QUIMPER", "29232"), ("69003", "LYON", "69383"),
    ("33000", "BORDEAUX", "33063"), ("59000", "LILLE", "59350"), ("97410", "SAINT-PIERRE", "97416"),
    ("20000", "AJACCIO", "2A004"), ("67000", "STRASBOURG", "67482"), ("13001", "MARSEILLE", "13201"),
    ("35000", "RENNES", "35238"),
)  # fmt: skip
_STREETS = ("DES TILLEULS", "DU MOULIN", "DE LA FONTAINE", "DES EXEMPLES", "DU LAVOIR", "DES GENETS")
_NAMES = ("MODELE", "TEMOIN", "EXEMPLAIRE", "FICTIF", "INVENTE", "ECHANTILLON", "SPECIMEN", "CANEVAS")
_FIRST_NAMES = (("ZOE", "F"), ("ELIO", "M"), ("NAELLE", "F"), ("TITOUAN", "M"), ("LOUANE", "F"), ("MILO", "M"))
_TRADES = (
    ("ATELIERS", "31.09B", "31.00Y"), ("BOULANGERIE", "10.71C", "10.71J"), ("TRANSPORTS", "49.41A", "49.41G"),
    ("INGENIERIE", "71.12B", "71.12Y"), ("MACONNERIE", "43.99C", "43.91Y"), ("CONSEIL", "70.22Z", "70.20Y"),
    ("LOGICIELS", "62.01Z", "62.10Y"), ("RESTAURANT", "56.10A", "56.11G"),
)  # fmt: skip
_ASSOCIATIONS = 0.08
"""How many of the others are associations. Their RNA number is made of their SIREN, so that it leads back to them."""
_STAFF = ("NN", "00", "01", "02", "03", "11", "12", "21", "22", "31", "53", None)


def _site(siren: str, rank: int, address: Address, *, head: bool = True, **more: object) -> Site:
    values: dict[str, object] = {"opened": date(2015, 2, 9), **more}
    return Site(siret=siret_of(siren, rank), head_office=head, address=address, **values)  # type: ignore[arg-type]


def _address(number: str, street: str, town: int, **more: str) -> Address:
    postcode, name, code = _TOWNS[town]
    return Address(
        number=number, street_type="RUE", street=street, postcode=postcode, town=name, town_code=code, **more
    )


CLAIR_VALLON = with_check_digit("91020304")
KERDONCUF = with_check_digit("81731452")
LES_GENETS = with_check_digit("77000112")
FOURNIL = with_check_digit("52310047")
GAEC = with_check_digit("41200356")
TERRASSEMENT = with_check_digit("38450019")
GROUPE = with_check_digit("90110220")
FILIALE = with_check_digit("90110230")
CESSEE = with_check_digit("86420135")
DOUBLON = with_check_digit("79412603")
EN_DEFAUT = with_check_digit("84019273")
EN_PANNE = with_check_digit("50300400")
NON_DIFFUSIBLE = with_check_digit("83300011")
INTERDITE = with_check_digit("88123045")
UNKNOWN = "000000000"
"""The SIREN that no provider knows (it passes the Luhn check)."""
RNA_SANS_SIREN = "W491234567"
RNA_LES_GENETS = "W292000112"


def _persona(company: Company) -> tuple[str, Company]:
    return company.siren, company


PERSONAS: Mapping[str, Company] = MappingProxyType(dict((
    _persona(Company(
        slug="clair-vallon", siren=CLAIR_VALLON, name="ATELIERS DU CLAIR VALLON", acronym="ACV", created=date(2021, 3, 15),
        officers=(Person(last_name="MODELE", usage_name="EXEMPLE", first_names=("ZOE", "LILA"), sex="F",
                         born=date(1979, 11, 3), birth_place="VILLE-EXEMPLE"),),
        legal_officers=(LegalOfficer(name="CABINET FICTIF", siren=with_check_digit("90010001"),
                                     role="COMMISSAIRE AUX COMPTES TITULAIRE"),),
        sites=(
            _site(CLAIR_VALLON, 1, Address(number="3", street_type="RUE", street="DU LAVOIR", postcode="49400",
                  town="SAUMUR", town_code="49328"), head=False, opened=date(2021, 3, 15), closed=date(2023, 6, 1)),
            _site(CLAIR_VALLON, 2, Address(number="14", repetition="B", street_type="AVENUE", street="DES TILLEULS",
                  postcode="49400", town="SAUMUR", town_code="49328", complement="BATIMENT C"),
                  opened=date(2023, 6, 1), signs=("LE CLAIR VALLON", "MOBILIER ACV")),
        ),
    )),
    _persona(Company(
        slug="kerdoncuf", siren=KERDONCUF, legal_form="1000", legal_form_label="Entrepreneur individuel", status="P",
        natural_person=Person(last_name="KERDONCUF", first_names=("MAIWENN",), sex="F", born=date(1988, 4, 17),
                              birth_place="QUIMPER", role=""),
        naf="90.03A", naf25="90.11Y", created=date(2019, 9, 2), staff="NN", capital="", size=None,
        sites=(_site(KERDONCUF, 1, _address("8", "DES GENETS", 1), opened=date(2019, 9, 2), status="P",
                     signs=("ATELIER MAIWENN",)),),
    )),
    _persona(Company(
        slug="les-genets", siren=LES_GENETS, name="LES GENETS SOLIDAIRES", legal_form="9220",
        legal_form_label="Association déclarée", naf="88.99B", naf25="88.99G", created=date(1998, 5, 4), staff="03",
        capital="", size=None, rna=RNA_LES_GENETS, ess=True,
        officers=(Person(last_name="TEMOIN", first_names=("ELIO",), sex="M", born=date(1968, 1, 20),
                         birth_place="AUTRE-VILLE", role="PRESIDENT"),),
        sites=(_site(LES_GENETS, 1, _address("2", "DES GENETS", 1), opened=date(1998, 5, 4)),),
        fates=MappingProxyType({"infogreffe": "hors_perimetre"}),
    )),
    _persona(Company(
        slug="fournil", siren=FOURNIL, legal_form="1000", legal_form_label="Entrepreneur individuel", naf="10.71C",
        naf25="10.71J", created=date(2010, 4, 1), staff="02", capital="", size="PME",
        natural_person=Person(last_name="ECHANTILLON", first_names=("TITOUAN", "PIERRE"), sex="M",
                              born=date(1975, 6, 30), birth_place="BREST", role=""),
        sites=(_site(FOURNIL, 1, _address("11", "DU MOULIN", 9), opened=date(2010, 4, 1), signs=("LE FOURNIL",)),),
    )),
    _persona(Company(
        slug="gaec", siren=GAEC, name="GAEC DES TROIS RUISSEAUX", legal_form="6533",
        legal_form_label="Groupement agricole d'exploitation en commun (GAEC)", naf="01.41Z", naf25="01.41Y",
        created=date(1997, 10, 1), staff="01",
        officers=(Person(last_name="CANEVAS", first_names=("LOUANE",), sex="F", born=date(1981, 2, 11),
                         birth_place="VANNES", role="GERANT"),),
        sites=(_site(GAEC, 1, _address("1", "DE LA FONTAINE", 9), opened=date(1997, 10, 1)),),
        fates=MappingProxyType({"acoss": "hors_perimetre"}),
    )),
    _persona(Company(
        slug="terrassement", siren=TERRASSEMENT, name="TERRASSEMENT DU LITTORAL", naf="43.12A", naf25="43.12Y",
        legal_form="5499", legal_form_label="Société à responsabilité limitée (sans autre indication)",
        created=date(1992, 1, 6), staff="22", capital="240000.00",
        officers=(Person(last_name="SPECIMEN", first_names=("MILO",), sex="M", born=date(1970, 9, 9),
                         birth_place="LORIENT", role="GERANT"),),
        sites=(_site(TERRASSEMENT, 1, _address("40", "DES EXEMPLES", 3), opened=date(1992, 1, 6)),
               _site(TERRASSEMENT, 2, _address("5", "DU MOULIN", 9), head=False, opened=date(2004, 3, 1))),
    )),
    _persona(Company(
        slug="groupe", siren=GROUPE, name="GROUPE HORIZON", naf="70.10Z", naf25="70.10Y", staff="51", size="GE",
        legal_form="5599", legal_form_label="SA à conseil d'administration (s.a.i.)", capital="12500000.50",
        created=date(2001, 7, 2),
        officers=(Person(last_name="INVENTE", first_names=("NAELLE",), sex="F", born=date(1965, 12, 1),
                         birth_place="PARIS", role="PRESIDENT DU CONSEIL D'ADMINISTRATION"),),
        sites=tuple(_site(GROUPE, rank, _address(str(rank), _STREETS[rank % 6], rank % 10), head=rank == 1,
                          opened=date(2001, 7, 2)) for rank in range(1, 251)),
    )),
    _persona(Company(
        slug="filiale", siren=FILIALE, name="HORIZON LOGISTIQUE", naf="52.29B", naf25="52.26Y", parent=GROUPE, staff="32",
        created=date(2006, 1, 2), size="GE",
        legal_officers=(LegalOfficer(name="GROUPE HORIZON", siren=GROUPE, role="PRESIDENT"),),
        sites=(_site(FILIALE, 1, _address("9", "DU LAVOIR", 4), opened=date(2006, 1, 2)),),
    )),
    _persona(Company(
        slug="cessee", siren=CESSEE, name="FILATURE DU VIEUX PONT", legal_form="5499", staff=None,
        legal_form_label="Société à responsabilité limitée (sans autre indication)", naf="13.10Z", naf25=None,
        created=date(1999, 1, 4), ceased=date(2022, 12, 31),
        officers=(Person(last_name="FICTIF", first_names=("MILO",), sex="M", born=date(1959, 3, 3),
                         birth_place="ROUBAIX", role="LIQUIDATEUR"),),
        sites=(_site(CESSEE, 1, _address("6", "DE LA FONTAINE", 4), opened=date(1999, 1, 4), closed=date(2022, 12, 31)),),
        fates=MappingProxyType({"acoss": "hors_perimetre"}),
    )),
    _persona(Company(slug="doublon", siren=DOUBLON, name="ATELIERS DU CLAIR VALLON", duplicate_of=CLAIR_VALLON,
                     sites=(_site(DOUBLON, 1, _address("14", "DES TILLEULS", 0)),))),
    _persona(Company(
        slug="en-defaut", siren=EN_DEFAUT, name="NEGOCE DU PORT", naf="46.90Z", naf25="46.90Y", created=date(2012, 11, 5),
        officers=(Person(last_name="EXEMPLAIRE", first_names=("ELIO",), sex="M", born=date(1983, 7, 14),
                         birth_place="MARSEILLE", role="PRESIDENT"),),
        sites=(_site(EN_DEFAUT, 1, _address("77", "DU LAVOIR", 8), opened=date(2012, 11, 5)),),
        fates=MappingProxyType(dict.fromkeys(("acoss", "dgfip", "msa", "probtp", "cnetp", "cibtp", "fntp", "agefiph"), "refus")),
    )),
    _persona(Company(
        slug="en-panne", siren=EN_PANNE, name="TISSAGES DE L'ECLUSE", naf="13.20Z", naf25="13.20Y",
        officers=(Person(last_name="MODELE", first_names=("MILO",), sex="M", born=date(1990, 10, 10),
                         birth_place="TROYES"),),
        sites=(_site(EN_PANNE, 1, _address("21", "DU MOULIN", 7)),),
        fates=MappingProxyType({"insee": "", "*": "panne"}),
    )),
    _persona(Company(
        slug="non-diffusible", siren=NON_DIFFUSIBLE, legal_form="1000", legal_form_label="Entrepreneur individuel", status="N",
        natural_person=Person(last_name="INVENTE", first_names=("LOUANE",), sex="F", born=date(1992, 8, 8),
                              birth_place="DIJON", role=""),
        naf="86.90E", naf25="86.95Y", staff=None, capital="", size=None,
        sites=(_site(NON_DIFFUSIBLE, 1, _address("4", "DES EXEMPLES", 2), status="N"),),
        fates=MappingProxyType({"infogreffe": "hors_perimetre"}),
    )),
    _persona(Company(slug="interdite", siren=INTERDITE, name="ENTITE RESERVEE", fates=MappingProxyType({"*": "interdite"}),
                     sites=(_site(INTERDITE, 1, _address("1", "DES EXEMPLES", 2)),))),
)))  # fmt: skip


def _anyone(siren: str) -> Company:
    chance = random.Random(siren)
    trade, naf, naf25 = chance.choice(_TRADES)
    first_name, sex = chance.choice(_FIRST_NAMES)
    created = date(chance.randint(1975, 2024), chance.randint(1, 12), chance.randint(1, 28))
    person = Person(
        last_name=chance.choice(_NAMES), first_names=(first_name,), sex=sex,
        born=date(chance.randint(1950, 2000), chance.randint(1, 12), chance.randint(1, 28)), birth_place="VILLE-EXEMPLE",
    )  # fmt: skip
    sole_trader = chance.random() < 0.2
    count = chance.choice((1, 1, 1, 2, 3, 5))
    sites = tuple(
        _site(siren, rank, _address(str(chance.randint(1, 120)), chance.choice(_STREETS), chance.randrange(10)),
              head=rank == 1, opened=created)
        for rank in range(1, count + 1)
    )  # fmt: skip
    staff = chance.choice(_STAFF)
    if sole_trader:
        status = "P" if chance.random() < 0.3 else "O"
        return Company(
            slug="", siren=siren, natural_person=person, legal_form="1000", legal_form_label="Entrepreneur individuel",
            capital="", status=status, naf=naf, naf25=naf25, created=created, staff=staff,
            sites=tuple(replace(site, status=status) for site in sites),
        )  # fmt: skip
    if random.Random(f"{siren}/association").random() < _ASSOCIATIONS:
        name = f"LES AMIS {chance.choice(_STREETS)} {siren[:4]}"
        return Company(
            slug="", siren=siren, name=name, legal_form="9220", legal_form_label="Association déclarée", capital="",
            size=None, rna=f"W{siren}", ess=chance.random() < 0.5, officers=(person,), naf="94.99Z", naf25="94.99Y",
            created=created, staff=staff, sites=sites,
        )  # fmt: skip
    name = f"{trade} {chance.choice(_STREETS).removeprefix('DES ').removeprefix('DU ')} {siren[:4]}"
    return Company(
        slug="", siren=siren, name=name, capital=f"{chance.randint(1, 900)}000.00", officers=(person,), naf=naf,
        naf25=naf25, created=created, staff=staff, sites=sites,
    )  # fmt: skip


def company(siren: str) -> Company | None:
    """The company of that SIREN; `None` only for `UNKNOWN`. `siren` must pass the Luhn check."""
    if siren == UNKNOWN:
        return None
    return PERSONAS.get(siren) or _anyone(siren)


def site(siret: str) -> tuple[Company, Site] | None:
    """The establishment of that SIRET with its company; `None` when the company has no such one."""
    owner = company(siret[:9]) if luhn.is_valid(siret[:9]) else None
    if owner is None:
        return None
    return next(((owner, place) for place in owner.sites if place.siret == siret), None)


def named(slug: str) -> Company:
    """The persona of that slug."""
    return next(persona for persona in PERSONAS.values() if persona.slug == slug)
