"""URSSAF's oddities: bare base64 under a JSON type, outcomes as coded arrays, facts read in a PDF."""

import asyncio
import base64
import zlib
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
import strawberry
from starlette.applications import Starlette

from providers.acoss import ACOSS, jeton
from providers.acoss.attestation_vigilance import (
    EXAMEN_DEMANDE,
    EXAMEN_EN_COURS,
    REFUSEE,
    SOURCE,
    Answer,
    call,
    delivered,
    parse,
)
from providers.acoss.lecture import MAX_READ_BYTES, date_debut, fin_validite, lire
from providers.attestation import Extraction, Situation
from providers.declaration import PARIS, Access, Call, Delivered, Fleeting
from providers.errors import Misidentified, NotFound, Overloaded, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siren
from providers.record import Document
from sandbox import acoss
from sandbox.acoss import ROUTES, certificate
from sandbox.pdf import print_pdf
from sandbox.personas import named, with_check_digit

RECIPIENT = with_check_digit("1300138990002")
SETTINGS = {"url": "http://testserver", "client_id": "sandbox", "client_secret": "sandbox", "id_client": "sandbox"}
CLAIR_VALLON = Siren(named("clair-vallon").siren)
COVER = "URSSAF\nK7D3X9P2M4Q8R1T\n"


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient=RECIPIENT)


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        form = dict(made.form) if made.form else None
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers, json=made.json, data=form)

    return asyncio.run(sent())


def login(**settings: str) -> httpx.Response:
    return send(jeton.call(access(**settings)))


def ask(siren: str, session: str | None = None) -> httpx.Response:
    """The simulator's answer to the room's own requests."""
    return send(call(Siren(siren), access(session or jeton.parse(login()).value)))


def codes(*names: str) -> httpx.Response:
    return httpx.Response(400, json=[{"code": name, "message": "m", "description": "d"} for name in names])


def attached(answer: Answer) -> object:
    assert isinstance(answer, Delivered)
    content = answer.file.content
    return answer.attach(
        Document(
            id=strawberry.ID("d"), nom=answer.file.name, type=answer.file.media_type, taille=len(content), sha256="",
            expire_le=datetime(2030, 1, 1, tzinfo=UTC),
        )
    )  # fmt: skip


# --- The requests --------------------------------------------------------------------------------


def test_the_recipient_is_the_declared_body() -> None:
    made = call(CLAIR_VALLON, access("jeton"))
    assert made.json == {
        "typeAttestation": "AVG_UR",
        "siren": CLAIR_VALLON,
        "idClient": "sandbox",
        "beneficiaire": RECIPIENT,
    }
    assert ("Authorization", "Bearer jeton") in made.headers


def test_a_login_refused_alerts_the_operator() -> None:
    with pytest.raises(Misidentified):
        jeton.parse(login(client_secret="autre"))


def test_a_data_call_refused_renews_the_session() -> None:
    refused = ask(CLAIR_VALLON, session="perime")
    assert jeton.SESSION.refused(refused)
    with pytest.raises(Misidentified):
        parse(refused, CLAIR_VALLON)
    assert not jeton.SESSION.refused(ask(CLAIR_VALLON))


# --- The answers ---------------------------------------------------------------------------------


def test_a_refusal_is_an_answer_and_wins_over_other_codes() -> None:
    assert parse(codes("FUNC503", "FUNC502", "FUNC511"), CLAIR_VALLON) is REFUSEE
    assert REFUSEE.situation is Situation.REFUSEE


def test_an_examination_is_an_answer_that_is_never_kept() -> None:
    assert parse(codes("FUNC504", "FUNC503"), CLAIR_VALLON) == Fleeting(EXAMEN_DEMANDE)
    assert parse(codes("FUNC429", "FUNC504"), CLAIR_VALLON) == Fleeting(EXAMEN_EN_COURS)
    assert (EXAMEN_DEMANDE.reessayer_dans_secondes, EXAMEN_DEMANDE.code_api) == (172_800, "04501")
    assert (EXAMEN_EN_COURS.reessayer_dans_secondes, EXAMEN_EN_COURS.code_api) == (None, "04502")


@pytest.mark.parametrize(
    ("names", "error", "subcode"),
    [
        (("FUNC517", "FUNC511", "FUNC429"), Overloaded, "008"),
        (("FUNC511", "FUNC517"), Unavailable, "000"),
        (("FUNC999", "FUNC517"), NotFound, "003"),
        (("FUNC501",), NotFound, "003"),
        (("FUNC509",), Unreadable, "999"),
        (("func502",), Unreadable, "999"),
    ],
)
def test_codes_in_order(names: tuple[str, ...], error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        parse(codes(*names), CLAIR_VALLON)
    assert raised.value.subcode == subcode


def test_a_certificate_is_bare_base64() -> None:
    body = base64.b64encode(certificate(CLAIR_VALLON))
    assert isinstance(parse(httpx.Response(200, content=body), CLAIR_VALLON), Delivered)
    # Quoted, wrapped or cut, it isn't what is documented.
    for other in (b'"' + body + b'"', body[:76] + b"\n" + body[76:], body + b"\n", body[:-1]):
        with pytest.raises(Unreadable):
            parse(httpx.Response(200, content=other), CLAIR_VALLON)


def test_what_is_not_a_pdf_is_not_a_certificate() -> None:
    for content, subcode in ((b"", "056"), (b"GIF89a", "055")):
        with pytest.raises(Unreadable) as raised:
            delivered(content, CLAIR_VALLON)
        assert raised.value.subcode == subcode


def test_a_word_of_json_that_is_also_base64_is_no_pdf() -> None:
    for body in (b"null", b"true", b"1234"):
        with pytest.raises(Unreadable) as raised:
            parse(httpx.Response(200, content=body), CLAIR_VALLON)
        assert raised.value.subcode == "055"


def test_an_array_of_anything_is_unreadable() -> None:
    for body in ([["FUNC502"]], [None], [{"code": 502}], [{"code": {"code": "FUNC502"}}], ["FUNC502"]):
        with pytest.raises(Unreadable):
            parse(httpx.Response(400, json=body), CLAIR_VALLON)
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=b"[" * 100_000), CLAIR_VALLON)


# --- Reading the document ------------------------------------------------------------------------


def test_the_document_is_read_and_kept_a_day() -> None:
    answer = parse(ask(CLAIR_VALLON), CLAIR_VALLON)
    assert isinstance(answer, Delivered)
    assert answer.file.kept_for == timedelta(hours=24)
    assert answer.file.name == f"attestation_vigilance_{CLAIR_VALLON}.pdf"
    value = answer.attach(None)
    assert (value.situation, value.extraction) == (Situation.DELIVREE, Extraction.REUSSIE)
    assert value.situation_au == value.date_debut_validite
    assert value.code_securite is not None
    assert len(value.code_securite) == 15
    assert attached(answer).document.nom == answer.file.name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2024, 3, 12), date(2024, 9, 30)),
        (date(2024, 8, 31), date(2025, 2, 28)),
        (date(2023, 8, 1), date(2024, 2, 29)),
        (date(2024, 6, 30), date(2024, 12, 31)),
        (date(2024, 7, 1), date(2025, 1, 31)),
        (date(9999, 12, 1), None),
    ],
)
def test_end_of_validity(start: date, end: date | None) -> None:
    assert fin_validite(start) == end


@pytest.mark.parametrize(
    ("page", "day"),
    [
        ("... à la\n date  du 12/03/2024 et", date(2024, 3, 12)),
        ("professionnelle - CFP) exigibles\nau 31/08/2024.", date(2024, 8, 31)),
        ("professionnelle  - CFP) au 31/08/2024.", date(2024, 8, 31)),
        ("professionnelle - CFP) au 31/08/2024. à la date du 12/03/2024", date(2024, 3, 12)),
        ("à la date du 31/02/2024", None),
        ("exigibles au 12/03/2024", None),
    ],
)
def test_start_of_validity(page: str, day: date | None) -> None:
    assert date_debut(page) == day


def test_an_unreadable_document_is_still_delivered() -> None:
    whole = certificate(CLAIR_VALLON)
    for content in (
        b"%PDF-1.4", whole[:200], print_pdf(COVER), print_pdf("", "à la date du 12/03/2024"), print_pdf(COVER, "")
    ):  # fmt: skip
        value = delivered(content, CLAIR_VALLON).attach(None)
        assert (value.situation, value.extraction) == (Situation.DELIVREE, Extraction.ECHOUEE)
        assert (value.situation_au, value.date_fin_validite, value.code_securite) == (None, None, None)


def test_a_huge_or_explosive_document_is_not_read() -> None:
    assert lire(b"%PDF-1.4\n" + b" " * MAX_READ_BYTES) is None
    stream = zlib.compress(b" " * 50_000_000)
    bomb = (
        b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 9 9] >>\nendobj\n"
        b"4 0 obj\n<< /Filter /FlateDecode /Length " + str(len(stream)).encode() + b" >>\nstream\n" + stream
        + b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF"
    )  # fmt: skip
    assert lire(bomb) is None


def test_a_certificate_lives_until_the_next_morning() -> None:
    now = datetime(2025, 3, 29, 23, 30, tzinfo=PARIS)
    assert SOURCE.life.until(now) == datetime(2025, 3, 30, 8, tzinfo=PARIS)


# --- The simulator -------------------------------------------------------------------------------


def test_the_simulator_accepts_the_defaults_of_the_room() -> None:
    given = {setting.name: setting.default for setting in ACOSS.settings if setting.name != "url"}
    assert given == {"client_id": "sandbox", "client_secret": "sandbox", "id_client": "sandbox"}


def test_fates() -> None:
    refused = Siren(named("en-defaut").siren)
    assert parse(ask(refused), refused) is REFUSEE
    for slug, error in (
        ("cessee", NotFound),
        ("doublon", NotFound),
        ("interdite", NotFound),
        ("en-panne", Unavailable),
    ):
        siren = Siren(named(slug).siren)
        with pytest.raises(error):
            parse(ask(siren), siren)


def test_the_wire_is_odd() -> None:
    answer = ask(CLAIR_VALLON)
    assert answer.content.startswith(b"JVBERi0")
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert len(answer.headers.get_list("x-correlationid")) == 2
    assert print_pdf(COVER) == print_pdf(COVER)


def test_the_daily_quota_is_off_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    session = jeton.parse(login()).value
    for _ in range(12):
        assert isinstance(parse(ask(CLAIR_VALLON, session), CLAIR_VALLON), Delivered)
    monkeypatch.setattr(acoss, "QUOTA", acoss.DailyQuota(limit=10))
    for _ in range(10):
        assert isinstance(parse(ask(CLAIR_VALLON, session), CLAIR_VALLON), Delivered)
    with pytest.raises(Overloaded):
        parse(ask(CLAIR_VALLON, session), CLAIR_VALLON)


def test_random_companies_have_every_documented_outcome() -> None:
    session = jeton.parse(login()).value
    outcomes: dict[tuple[str, ...], int] = {}
    for number in range(400):
        siren = Siren(with_check_digit(f"{60000000 + number * 7919}"))
        try:
            answer = parse(ask(siren, session), siren)
        except ProviderError as error:
            outcome = (type(error).__name__, error.subcode)
        else:
            value = answer.attach(None) if isinstance(answer, Delivered) else answer
            value = value.value if isinstance(value, Fleeting) else value
            outcome = (value.situation.name, value.code_api or value.extraction.name)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert set(outcomes) == {
        ("DELIVREE", "REUSSIE"),
        ("DELIVREE", "ECHOUEE"),
        ("REFUSEE", "SANS_OBJET"),
        ("EN_COURS_D_EXAMEN", "04501"),
        ("EN_COURS_D_EXAMEN", "04502"),
        ("NotFound", "003"),
        ("Overloaded", "008"),
        ("Unavailable", "000"),
    }
    assert outcomes["DELIVREE", "REUSSIE"] > 280
