"""Infogreffe's oddities: literal XML inside a SOAP string, HTTP 200 for everything, people to hide."""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal

import httpx
import pytest
from lxml import etree
from starlette.applications import Starlette
from stdnum import luhn

from providers.declaration import Access, Call
from providers.errors import NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siren
from providers.infogreffe import INFOGREFFE, wire
from providers.infogreffe.extrait_rcs import EXTRAIT_RCS, HIDDEN, mask
from providers.infogreffe.kbis import KBIS, Kbis, call, parse
from providers.infogreffe.mandataires_sociaux import MANDATAIRES_SOCIAUX
from providers.personne import TypePersonne
from sandbox.infogreffe import ROUTES
from sandbox.personas import named, with_check_digit

SETTINGS = {"url": "http://testserver/produits", "code_abonne": "sandbox", "mot_passe": "sandbox"}
CLAIR_VALLON = Siren(named("clair-vallon").siren)


def access(**settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session="", recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers, content=made.content)

    return asyncio.run(sent())


def ask(siren: str, **settings: str) -> httpx.Response:
    """The simulator's answer to the room's own request."""
    return send(call(Siren(siren), access(**settings)))


def kbis_of(slug: str) -> tuple[Kbis, Siren]:
    siren = Siren(named(slug).siren)
    return parse(ask(siren), siren), siren


def soap(content: str) -> httpx.Response:
    body = f'<E xmlns:x="urn:local"><x:R><return>{content}</return></x:R></E>'
    return httpx.Response(200, content=body.encode())


# --- The request ---------------------------------------------------------------------------------


def test_the_argument_is_literal_xml_without_namespace() -> None:
    made = call(CLAIR_VALLON, access())
    assert made.content is not None
    assert b'<arg0 xsi:type="xsd:string"><demande><emetteur><code_abonne>sandbox</code_abonne>' in made.content
    assert b"CDATA" not in made.content
    assert not made.content.startswith(b"<?xml")
    assert b"<num_siren>" + CLAIR_VALLON.encode() + b"</num_siren>" in made.content


def test_charset_is_a_header_of_its_own() -> None:
    made = call(CLAIR_VALLON, access())
    assert dict(made.headers) == {
        "Content-Type": "text/xml",
        "charset": "utf-8",
        "SOAPAction": "getProduitsWebServicesXML",
    }


def test_credentials_are_escaped() -> None:
    hostile = "a&b<c>\"'</mot_passe>é"
    made = call(CLAIR_VALLON, access(mot_passe=hostile))
    root = etree.fromstring(made.content or b"")
    assert [element.text for element in root.iter("mot_passe")] == [hostile]


def test_both_datasets_read_one_source() -> None:
    assert [dataset.source for dataset in INFOGREFFE.datasets] == [KBIS, KBIS]


# --- The answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "error", "subcode"),
    [
        ("006 -DOSSIER ABSENT-", NotFound, "003"),
        ("008 -DOCUMENT INDISPONIBLE-", NotFound, "003"),
        ("065 -MODE DE DIFFUSION REFUSE-", NotFound, "003"),
        ("\n 081 -NON INSCRIT-  \n", NotFound, "003"),
        ("003 -ABONNE REFUSE-", Unavailable, "501"),
        ("014-COMMANDE IMPOSSIBLE", NotFound, "502"),
        ("999 -SERVICE FERME-", Unavailable, "001"),
        ("123 -AUTRE-", Unreadable, "999"),
        ("99 -TROP COURT-", Unreadable, "999"),
        ("SERVICE FERME 999", Unreadable, "999"),
        ("", Unreadable, "999"),
    ],
)
def test_error_lines(line: str, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        parse(soap(line), CLAIR_VALLON)
    assert raised.value.subcode == subcode
    assert not line.strip() or line.strip() not in raised.value.message


def test_003_is_a_hiccup() -> None:
    with pytest.raises(Unavailable) as raised:
        parse(soap("003 -ABONNE REFUSE-"), CLAIR_VALLON)
    assert raised.value.retry_in is not None
    assert raised.value.retry_in.total_seconds() == 10


def test_the_last_text_counts_even_after_an_element() -> None:
    with pytest.raises(NotFound):
        parse(soap("999 -ANCIEN-<vide/>081 -NON INSCRIT-"), CLAIR_VALLON)


def test_an_officer_s_number_is_not_the_company_s() -> None:
    """The first `num_ident` has no attribute: no SIREN, and no crash."""
    content = f"<Extrait><dossier><num_ident>1</num_ident><num_ident siren='{CLAIR_VALLON}'/></dossier></Extrait>"
    with pytest.raises(Unreadable):
        parse(soap(content), CLAIR_VALLON)


def test_a_doctype_is_refused_whatever_its_encoding() -> None:
    bomb = '<!DOCTYPE E [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><E k="&b;"><return>&b;</return></E>'
    for content in (bomb.encode(), bomb.encode("utf-16")):
        with pytest.raises(Unreadable):
            parse(httpx.Response(200, content=content), CLAIR_VALLON)


def test_whatever_the_cut_the_answer_is_a_typed_error() -> None:
    whole = ask(CLAIR_VALLON).content
    for length in range(0, len(whole) - 1, 37):
        with pytest.raises(ProviderError):
            parse(httpx.Response(200, content=whole[:length]), CLAIR_VALLON)


def test_a_flattened_or_nested_tree_never_crashes() -> None:
    deep = "<a>" * 300 + "</a>" * 300
    for content in (deep, "<a>" * 200 + "</a>" * 200, "<Extrait/>", f"<num_ident siren='{CLAIR_VALLON}'/>"):
        with pytest.raises(Unreadable):
            parse(soap(content), CLAIR_VALLON)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12 500,50", Decimal("12500.50")),
        ("1\u00a0234\u202f567", Decimal(1234567)),
        ("0.00", Decimal("0.00")),
        ("", None),
        ("NaN", None),
        ("1e9", None),
        ("12.500,50", None),
        ("٣", None),
        (None, None),
    ],
)
def test_amounts(written: str | None, read: Decimal | None) -> None:
    assert wire.amount(written) == read


@pytest.mark.parametrize(
    ("label", "day"),
    [
        ("4 MARS 2021", date(2021, 3, 4)),
        ("1ER AOÛT  2020", date(2020, 8, 1)),
        ("9 février 2015", date(2015, 2, 9)),
        ("2021-03-04", date(2021, 3, 4)),
        ("31 FEVRIER 2021", None),
        ("4 BRUMAIRE 2021", None),
        (None, None),
    ],
)
def test_french_dates(label: str | None, day: date | None) -> None:
    assert wire.french_day(label) == day


def test_timestamps_are_midnight_in_paris_and_fit_in_32_bits() -> None:
    assert wire.paris_timestamp(date(2020, 7, 1)) == 1593554400
    assert wire.paris_timestamp(date(1899, 1, 1)) is None
    assert wire.paris_timestamp(date(1902, 1, 1)) is not None
    assert wire.paris_timestamp(date(2038, 1, 1)) is None


# --- What each dataset shows ---------------------------------------------------------------------


def test_a_company_with_its_officers() -> None:
    kbis, siren = kbis_of("clair-vallon")
    extrait = EXTRAIT_RCS.read(kbis, siren)
    assert extrait.siren == siren
    assert extrait.capital.montant == Decimal("50000.00")
    assert extrait.capital.devise == "Euros"
    assert extrait.nom_commercial == "LE CLAIR VALLON"
    assert extrait.date_extrait_iso == date(2025, 3, 4)
    assert extrait.personne_physique is None
    assert [officer.date_naissance for officer in extrait.mandataires_sociaux] == ["1979-11", None]
    officers = MANDATAIRES_SOCIAUX.read(kbis, siren)
    assert (officers.personnes_physiques_count, officers.personnes_morales_count, officers.count) == (1, 1, 2)
    assert officers.items[0].date_naissance == date(1979, 11, 3)
    assert officers.items[1].libelle_greffe == "ANGERS"


def test_a_sole_trader_is_his_own_officer() -> None:
    kbis, siren = kbis_of("fournil")
    extrait = EXTRAIT_RCS.read(kbis, siren)
    assert extrait.personne_morale is None
    assert extrait.personne_physique is not None
    assert extrait.personne_physique.adresse.voie == "DU MOULIN"
    (item,) = MANDATAIRES_SOCIAUX.read(kbis, siren).items
    assert item.type is TypePersonne.PERSONNE_PHYSIQUE
    assert item.nationalite == "FRANCAISE"
    assert item.fonction is None


def test_without_officers_only_the_extract_is_found() -> None:
    kbis, siren = kbis_of("clair-vallon")
    alone = replace(kbis, dirigeants=())
    assert EXTRAIT_RCS.read(alone, siren).mandataires_sociaux == []
    with pytest.raises(NotFound):
        MANDATAIRES_SOCIAUX.read(alone, siren)


def test_a_ceased_company_is_struck_off() -> None:
    kbis, siren = kbis_of("cessee")
    assert EXTRAIT_RCS.read(kbis, siren).date_radiation == date(2022, 12, 31)


def test_the_mask_hides_people_and_nothing_else() -> None:
    kbis, siren = kbis_of("clair-vallon")
    extrait = EXTRAIT_RCS.read(kbis, siren)
    masked = mask(extrait)
    person, auditor = masked.mandataires_sociaux
    assert (person.nom, person.prenom, person.date_naissance) == (HIDDEN, HIDDEN, None)
    assert person.fonction == "PRESIDENT"
    assert auditor == extrait.mandataires_sociaux[1]
    assert masked.nom_commercial == "LE CLAIR VALLON"
    assert masked.personne_morale == extrait.personne_morale


def test_whoever_reads_the_officers_reads_the_extract_unmasked() -> None:
    assert EXTRAIT_RCS.opening.unmasked_for >= MANDATAIRES_SOCIAUX.opening.scopes


def test_the_mask_hides_the_sign_of_a_sole_trader() -> None:
    kbis, siren = kbis_of("kerdoncuf")
    extrait = EXTRAIT_RCS.read(kbis, siren)
    assert extrait.nom_commercial == "ATELIER MAIWENN"
    public = replace(mask(extrait), personne_physique=None)
    assert "MAIWENN" not in repr(public).upper()
    assert "KERDONCUF" not in repr(public).upper()
    assert "1988" not in repr(public)


def test_the_mask_hides_texts_that_may_name_people() -> None:
    kbis, siren = kbis_of("cessee")
    extrait = EXTRAIT_RCS.read(kbis, siren)
    assert extrait.observations
    assert {observation.libelle for observation in mask(extrait).observations} == {HIDDEN}


# --- The simulator -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "error"),
    [
        ("les-genets", NotFound),
        ("doublon", NotFound),
        ("interdite", NotFound),
        ("non-diffusible", NotFound),
        ("en-panne", Unavailable),
    ],
)
def test_fates(slug: str, error: type[ProviderError]) -> None:
    with pytest.raises(error):
        kbis_of(slug)


def test_wrong_credentials_are_line_003() -> None:
    with pytest.raises(Unavailable) as raised:
        parse(ask(CLAIR_VALLON, mot_passe="a&b"), CLAIR_VALLON)
    assert raised.value.subcode == "501"


def test_the_simulator_reads_children_in_any_order() -> None:
    made = call(CLAIR_VALLON, access())
    root = etree.fromstring(made.content or b"")
    for element in list(root.iter("demande", "emetteur", "code_requete")):
        for child in reversed(list(element)):
            element.append(child)
    answer = send(replace(made, content=etree.tostring(root)))
    assert parse(answer, CLAIR_VALLON).greffe.code == "9901"


def test_random_companies_have_every_documented_outcome() -> None:
    outcomes: set[tuple[str, ...]] = set()
    layouts: set[bool] = set()
    for number in range(300):
        siren = Siren(with_check_digit(f"{60000000 + number * 7919}"))
        assert luhn.is_valid(siren)
        response = ask(siren)
        layouts.add(b"\n" in response.content)
        try:
            kbis = parse(response, siren)
        except ProviderError as error:
            outcomes.add((type(error).__name__, error.subcode, error.message))
        else:
            outcomes.add(("officers",) if kbis.dirigeants else ("nobody",))
            outcomes.add(("sole trader",) if kbis.personne_physique else ("company",))
    assert layouts == {True, False}
    # Seven error lines, two of them with or without officers, and both kinds of person.
    assert len(outcomes) == 7 + 4
