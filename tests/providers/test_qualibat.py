"""Qualibat's oddities: 404 inside a 200, an encrypted PDF read by columns, an RGE row that replaces the plain one."""

import asyncio
import logging
from collections import Counter
from datetime import date, datetime, timedelta
from random import Random

import httpx
import pytest
from starlette.applications import Starlette

from providers.attestation import Extraction
from providers.declaration import PARIS, Access, Call, Delivered
from providers.errors import Misidentified, NotFound, ProviderError, Unavailable
from providers.identifiers import Siret
from providers.qualibat import QUALIBAT, jeton
from providers.qualibat.certification_batiment import SOURCE, CertificationBatiment, call, parse
from providers.qualibat.lecture import INSURERS, Insurance, Lecture, insurance, lire, lire_pages
from sandbox.personas import named, siret_of, with_check_digit
from sandbox.qualibat import ROUTES, certificate, print_pdf

SETTINGS = {"url": "http://testserver", "user": "sandbox", "password": "sandbox"}
TERRASSEMENT = Siret(named("terrassement").head_office.siret)
HEADING = " Code    Qualification(s) en cours de validité       Effectif   * Date d'attribution\n"
FIRST = (
    "                         CERTIFICAT QUALIBAT\n"
    "              NUMÉRO E-E000001          VALABLE JUSQU'AU 30/06/2025\n"
    "                         ÉDITÉ LE 02/07/2024\n"
    " Assurance Responsabilité Travaux :\n"
    " MAAF 990011 / B                                     Site Internet : exemple.fr\n"
    " Assurance Responsabilité Civile :\n"
    " Exemple Mutuelle 77\n"
) + HEADING
SECOND = "                         CERTIFICAT QUALIBAT « RGE »\n" + HEADING


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers, content=made.content)

    return asyncio.run(sent())


def login(**settings: str) -> httpx.Response:
    return send(jeton.call(access(**settings)))


def ask(siret: str, session: str | None = None) -> httpx.Response:
    return send(call(Siret(siret), access(session or jeton.parse(login()).value)))


def value_of(siret: str, session: str | None = None) -> CertificationBatiment:
    answer = parse(ask(siret, session), Siret(siret))
    assert isinstance(answer, Delivered)
    return answer.attach(None)


# --- The login -----------------------------------------------------------------------------------


def test_credentials_and_tokens_refused() -> None:
    with pytest.raises(Misidentified):
        jeton.parse(login(password="autre"))
    refused = ask(TERRASSEMENT, session="perime")
    assert jeton.SESSION.refused(refused)
    with pytest.raises(Misidentified):
        parse(refused, TERRASSEMENT)


# --- Reading the document ------------------------------------------------------------------------


def test_a_row_begins_with_a_code_and_holds_a_date() -> None:
    page = FIRST + (
        "         Libellé sur deux lignes, surface de\n"
        " 2112                                                   4         15/03/2022\n"
        "         1000 m2 (Technicité confirmée)\n"
        " 1000 m2 sans date\n"
        " 9     Un seul chiffre                                  1         15/03/2022\n"
        " 5111    Libellé d'essai                                2         15/03/2022\n"
        " 42   PROB  Essai probatoire                            2         16/03/2022   17/03/2022\n"
        " 6111    Libellé qui va jusqu'à la colonne suivante2         18/03/2022\n"
        " 6222    Libellé sans effectif                                    19/03/2022\n"
        " o Chaudière                                                      20/09/2023\n"
    )
    rows = lire_pages([page]).rows
    assert [(row.code, row.nom, row.date_attribution.day) for row in rows] == [
        ("2112", None, 15),
        ("5111", "Libellé d'essai", 15),
        ("42", "Essai probatoire", 16),
        ("6111", None, 18),
        ("6222", None, 19),
    ]


def test_an_rge_row_replaces_the_plain_one_and_moves_to_the_end() -> None:
    plain = " 5111    Libellé d'essai                                2         15/03/2022\n"
    other = " 2112    Autre libellé                                  2         15/03/2022\n"
    rge = " 5111    Libellé d'essai - Mention RGE                  2         20/09/2023\n"
    rows = lire_pages([FIRST + plain + other, SECOND + rge]).rows
    assert [(row.code, row.rge) for row in rows] == [("2112", False), ("5111", True)]
    assert [row.rge for row in lire_pages([FIRST, SECOND + rge, FIRST + plain]).rows] == [True, False]
    # The title in small letters is a title, not that of an RGE page.
    small = SECOND.replace("CERTIFICAT QUALIBAT « RGE »", "Certificat Qualibat « rge »")
    assert [row.rge for row in lire_pages([small + rge]).rows] == [False]


def test_only_the_first_page_tells_the_kind() -> None:
    row = " 1552    Essai                                          2         04/05/2022\n"
    amiante = "CERTIFICAT QUALIBAT\nTRAITEMENT DE L'AMIANTE\n" + HEADING + row
    assert lire_pages([amiante]) == Lecture(error="amiante_pdf_not_supported")
    assert [row.code for row in lire_pages([FIRST, amiante]).rows] == ["1552"]


def test_the_title_stands_in_the_first_six_lines() -> None:
    row = " 5111    Essai                                          2         04/05/2022\n"
    late = "\n\n1\n2\n3\n4\n5\n6\nCERTIFICAT QUALIBAT\n" + HEADING + row
    assert lire_pages([late]).error == "invalid_file"
    assert lire_pages([late.replace("6\n", "")]).rows
    assert lire_pages([]).error == "invalid_file"


@pytest.mark.parametrize(
    ("under", "found"),
    [
        ("MAAF 990011 / B          à droite", Insurance("MAAF", "990011 / B")),
        ("Courtier\n SMA COURTAGE 12", Insurance("SMA COURTAGE", "12")),
        ("SMABTP 12", Insurance("SMABTP", "12")),
        ("77 AXA FRANCE IARD", Insurance("AXA FRANCE IARD", "77")),
        ("12 MAAF 34", Insurance("MAAF", "12 34")),
        ("ABEILLE IARD & SANTE", Insurance("ABEILLE IARD & SANTE", None)),
        ("Autre          MAAF 12", Insurance()),
        ("Autre\n Autre\n MAAF 12", Insurance()),
        ("Assurance Responsabilité Civile :\n MAAF 12", Insurance()),
        ("", Insurance()),
    ],
)
def test_insurances(under: str, found: Insurance) -> None:
    assert (
        insurance([" Assurance Responsabilité Travaux :", *under.split("\n")], "Assurance Responsabilité Travaux")
        == found
    )


def test_no_insurer_hides_a_longer_one() -> None:
    for index, name in enumerate(INSURERS):
        assert not any(name in longer for longer in INSURERS[index + 1 :])


@pytest.mark.parametrize(
    ("lines", "issued", "until"),
    [
        ("ÉDITÉ LE 02/07/2024\nVALABLE JUSQU'AU 30/06/2025", date(2024, 7, 2), date(2025, 6, 30)),
        ("Edité le 03/07/2023\nValable du 01/07/2023 au 30/06/2024", date(2023, 7, 3), date(2024, 6, 30)),
        ("Validité du 01/07/2023 au 30/06/2024", None, date(2024, 6, 30)),
        ("Valable du 01/01/2020 au 31/12/2020\nVALABLE JUSQU'AU 30/06/2025", None, date(2025, 6, 30)),
        ("ÉDITÉ LE 31/02/2024\nVALABLE JUSQU'AU demain", None, None),
    ],
)
def test_dates(lines: str, issued: date | None, until: date | None) -> None:
    read = lire_pages([f"CERTIFICAT QUALIBAT\n{lines}"])
    assert (read.date_emission, read.date_fin_validite) == (issued, until)


def test_the_empty_password_opens_and_another_one_does_not() -> None:
    assert lire(print_pdf(FIRST)) == lire_pages([FIRST])
    assert lire(print_pdf(FIRST, user_password="secret")) == Lecture(error="invalid_file")
    assert b"/Encrypt" in print_pdf(FIRST)


def test_any_bytes_after_the_magic_are_delivered() -> None:
    chance, whole = Random(7), print_pdf(FIRST, SECOND)
    for _ in range(60):
        content = bytearray(whole[: chance.randint(5, len(whole))])
        for _ in range(chance.randint(0, 30)):
            content[chance.randrange(len(content))] ^= chance.randrange(256)
        content[:5] = b"%PDF-"
        answer = parse(httpx.Response(200, content=bytes(content)), TERRASSEMENT)
        assert answer.attach(None).extraction in (Extraction.REUSSIE, Extraction.ECHOUEE)


def test_too_many_pages_or_bytes_are_not_read() -> None:
    assert lire(print_pdf(*["CERTIFICAT QUALIBAT"] * 31)).error == "invalid_file"
    assert lire(b"%PDF-1.4\n" + b" " * 5_000_000).error == "invalid_file"


# --- The answer ----------------------------------------------------------------------------------


def test_the_certificate_is_read_and_kept_a_day() -> None:
    answer = parse(ask(TERRASSEMENT), TERRASSEMENT)
    assert isinstance(answer, Delivered)
    assert (answer.file.kept_for, answer.file.name) == (timedelta(hours=24), f"certificat_qualibat_{TERRASSEMENT}.pdf")
    value = answer.attach(None)
    assert value.extraction is Extraction.REUSSIE
    assert value.certifications
    assert value.assurance_responsabilite_travaux.nom


def test_an_answer_lives_until_midnight() -> None:
    now = datetime(2025, 3, 29, 23, 30, tzinfo=PARIS)
    assert SOURCE.life.until(now) == datetime(2025, 3, 30, 0, tzinfo=PARIS)


# --- The simulator -------------------------------------------------------------------------------


def test_the_simulator_accepts_the_defaults_of_the_room() -> None:
    given = {setting.name: setting.default for setting in QUALIBAT.settings if setting.name != "url"}
    assert given == {"user": "sandbox", "password": "sandbox"}


def test_fates() -> None:
    for slug, error in (("en-panne", Unavailable), ("interdite", NotFound), ("doublon", NotFound), ("gaec", NotFound)):
        siret = Siret(named(slug).head_office.siret)
        with pytest.raises(error):
            parse(ask(siret), siret)


def test_the_same_certificate_is_always_the_same_file() -> None:
    first = certificate(TERRASSEMENT)
    print_pdf.cache_clear()
    assert certificate(TERRASSEMENT) == first


def test_random_establishments_have_every_documented_outcome() -> None:
    session = jeton.parse(login()).value
    outcomes: Counter[str] = Counter()
    for number in range(300):
        siret = siret_of(with_check_digit(f"{60000000 + number * 7919}"), 1)
        try:
            value = value_of(siret, session)
        except ProviderError as error:
            outcomes[f"{type(error).__name__} {error.subcode}"] += 1
            continue
        outcomes[(value.extractor_error or "read").removeprefix("amiante_")] += 1
        outcomes["rge"] += any(item.rge for item in value.certifications)
    assert set(outcomes) >= {"read", "rge", "NotFound 003", "Unreadable 056", "pdf_not_supported", "invalid_file"}
    assert outcomes["read"] > 190
