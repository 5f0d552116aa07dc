"""The GIP-MDS's oddities: both regimes or nothing, `NC` for "not known", a quota told in form encoding."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from yarl import URL

from providers.declaration import PARIS, Access, Call
from providers.errors import Misidentified, NotFound, Overloaded, ProviderError, Unavailable, Unreadable
from providers.gip_mds import GIP_MDS, effectifs, jeton, quota
from providers.gip_mds import effectifs_annuels as annuels
from providers.gip_mds import effectifs_mensuels as mensuels
from providers.gip_mds.effectifs import NatureEffectif, RegimeEffectif
from providers.gip_mds.effectifs_annuels import AnneeEntreprise
from providers.gip_mds.effectifs_mensuels import MoisEtablissement
from providers.identifiers import InvalidIdentifier, Siren, Siret
from sandbox import gip_mds
from sandbox.gip_mds import ROUTES
from sandbox.personas import named, with_check_digit

SETTINGS = {
    "url": "http://testserver",
    "client_id": "sandbox",
    "client_secret": "sandbox",
    "code_ops_demandeur": "00000DINUM",
}
CLAIR_VALLON = AnneeEntreprise(sujet=Siren(named("clair-vallon").siren), annee=2024)
SITE = MoisEtablissement(sujet=Siret(named("clair-vallon").head_office.siret), annee=2024, mois=3)
NOW = datetime(2024, 4, 2, 9, 15, 30, 123, tzinfo=PARIS)


@pytest.fixture(autouse=True)
def _tokens() -> Iterator[None]:
    yield
    gip_mds.TOKENS.clear()


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient="", now=NOW)


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket; the URL is written as the real client writes it."""

    async def sent() -> httpx.Response:
        url = str(URL(made.url, encoded=True).update_query(made.params) if made.params else made.url)
        form = dict(made.form) if made.form else None
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, url, headers=made.headers, data=form)

    return asyncio.run(sent())


def logged_in() -> Access:
    return access(jeton.parse(send(jeton.call(access()))).value)


def lines(*counts: tuple[str, object], **more: object) -> httpx.Response:
    return httpx.Response(200, json=[
        {"siren": CLAIR_VALLON.sujet, "periode": "20241231", "nature": "A01", "source": source, "effectifs": count, **more}
        for source, count in counts
    ])  # fmt: skip


# --- The requests --------------------------------------------------------------------------------


def test_a_year_is_asked_by_its_last_day() -> None:
    made = annuels.call(CLAIR_VALLON, access("jeton"))
    assert (made.method, made.url) == ("GET", "http://testserver/rcd-api/1.0.0/effectifs")
    assert made.params == (
        ("codeOPSDemandeur", "00000DINUM"),
        ("dateHeure", "2024-04-02T09:15:30+02:00"),
        ("source", "RA;RG"),
        ("nature", "A01"),
        ("siren", CLAIR_VALLON.sujet),
        ("periode", "20241231"),
    )
    assert made.headers == (("Authorization", "Bearer jeton"), ("Content-Type", "application/json"))


@pytest.mark.parametrize(("depth", "sent"), [(None, None), (0, "0"), (13, "13")])
def test_a_month_is_asked_by_its_first_day(depth: int | None, sent: str | None) -> None:
    key = MoisEtablissement(sujet=SITE.sujet, annee=2024, mois=3, profondeur=depth, nature=NatureEffectif.ECAP)
    params = dict(mensuels.call(key, access()).params)
    assert (params["periode"], params["nature"], params["siret"]) == ("20240301", "M03", SITE.sujet)
    assert params.get("profondeurHistorique") == sent


def test_the_separator_and_the_offset_are_encoded() -> None:
    params = annuels.call(CLAIR_VALLON, access()).params
    written = str(URL("http://testserver").update_query(params))
    assert "source=RA%3BRG" in written
    assert "%2B02:00" in written


def test_the_clock_of_a_call_is_in_paris() -> None:
    for made in (annuels.call(CLAIR_VALLON, access()), mensuels.call(SITE, access())):
        at = datetime.fromisoformat(dict(made.params)["dateHeure"])
        assert at.utcoffset() == at.astimezone(PARIS).utcoffset()


def test_what_may_be_asked() -> None:
    today = date(2024, 6, 1)
    assert annuels.cle(CLAIR_VALLON.sujet, 2024, NatureEffectif.MOYEN, today) == CLAIR_VALLON
    assert mensuels.cle(SITE.sujet, 2024, 3, None, NatureEffectif.MOYEN, today) == SITE
    for year in (1899, 2025, 24):
        with pytest.raises(InvalidIdentifier) as raised:
            effectifs.checked_year(year, today)
        assert raised.value.code_api == "00307"
    for month in (0, 13, -1):
        with pytest.raises(InvalidIdentifier) as raised:
            effectifs.checked_month(month)
        assert raised.value.code_api == "00305"
    for depth in (-1, 14):
        with pytest.raises(InvalidIdentifier) as raised:
            effectifs.checked_depth(depth)
        assert raised.value.code_api == "00390"
    assert [effectifs.checked_depth(depth) for depth in (None, 0, 13)] == [None, 0, 13]


# --- The login -----------------------------------------------------------------------------------


def test_the_login_has_no_scope() -> None:
    assert jeton.call(access()).form == (
        ("client_id", "sandbox"),
        ("client_secret", "sandbox"),
        ("grant_type", "client_credentials"),
    )


def test_refusals_of_our_credentials() -> None:
    for refused in (send(jeton.call(access(client_secret="autre"))), httpx.Response(403)):
        with pytest.raises(Misidentified) as raised:
            jeton.parse(refused)
        assert (raised.value.subcode, raised.value.retry_in) == ("502", timedelta(seconds=10))
    # A 401 renews the token, a 403 does not.
    assert jeton.SESSION.refused(send(annuels.call(CLAIR_VALLON, access("perime"))))
    forbidden = send(annuels.call(CLAIR_VALLON, access(logged_in().session, code_ops_demandeur="AUTRE")))
    assert (forbidden.status_code, jeton.SESSION.refused(forbidden)) == (403, False)
    for status in (401, 403):
        with pytest.raises(Misidentified):
            annuels.parse(httpx.Response(status), CLAIR_VALLON)
    assert jeton.SESSION.still_refused().subcode == "502"


# --- The answers ---------------------------------------------------------------------------------


def test_both_regimes_must_be_there() -> None:
    found = annuels.parse(lines(("RG", "31.42"), ("RA", "NC")), CLAIR_VALLON)
    assert [(line.regime, line.value) for line in found.effectifs_annuel] == [
        (RegimeEffectif.REGIME_GENERAL, 31.42),
        (RegimeEffectif.REGIME_AGRICOLE, None),
    ]
    for counts in ((("RG", "31.42"),), (("RG", "1"), ("RG", "NC")), (("RA", "NC"),)):
        with pytest.raises(Unreadable):
            annuels.parse(lines(*counts), CLAIR_VALLON)
    with pytest.raises(NotFound):
        annuels.parse(lines(("RG", "NC"), ("RA", "NC")), CLAIR_VALLON)


@pytest.mark.parametrize("count", ["nc", "", "12,5", "1e3", "nan", "-1", None, True, [], {}, 1e30])
def test_other_counts_are_not_guessed(count: object) -> None:
    with pytest.raises(Unreadable):
        annuels.parse(lines(("RG", count), ("RA", "NC")), CLAIR_VALLON)


def test_the_date_of_update_in_both_spellings() -> None:
    for more, day in (
        ({"miseAJourRCD": "2025-03-04"}, date(2025, 3, 4)),
        ({"miseAjourRCD": "2025-03-04"}, date(2025, 3, 4)),
        ({"miseAJourRCD": None, "miseAjourRCD": "2025-03-04"}, date(2025, 3, 4)),
        ({"miseAJourRCD": "  "}, None),
        ({}, None),
    ):
        found = annuels.parse(lines(("RG", "31.42"), ("RA", "NC"), **more), CLAIR_VALLON)
        # What isn't known has no date, whatever the line says.
        assert [line.date_derniere_mise_a_jour for line in found.effectifs_annuel] == [day, None]
        assert annuels.EFFECTIFS_ANNUELS.source_date is not None
        assert annuels.EFFECTIFS_ANNUELS.source_date(found) == day


def test_a_monthly_nature_is_foreign_to_the_yearly_operation() -> None:
    for nature in ("M01", "A00", "A05", "A1", "A", ""):
        with pytest.raises(Unreadable):
            annuels.parse(lines(("RG", "1"), ("RA", "NC"), nature=nature), CLAIR_VALLON)


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ("code=900803&nextAccessTime=2031-Mar-05+08%3A30%3A00%2B0000+UTC", 90),
        ("code=900803&nextAccessTime=2031-Mar-05 08:30:00+0000 UTC", 90),
        ("nextAccessTime=2031-MAR-05+08%3A30%3A00", 90),
        ('{"code":"900803","nextAccessTime":"2031-Mar-05 08:30:00+0000 UTC"}', 90),
        ('{"fault":{"code":900803,"nextAccessTime":"2031-Mar-05 08:30:00 0000 UTC"}}', 90),
        ("nextAccessTime=2030-Mar-05+08%3A30%3A00%2B0000+UTC", 1),
        ("nextAccessTime=2031-Mai-05+08%3A30%3A00%2B0000+UTC", 60),
        ("nextAccessTime=2031-Feb-30+08%3A30%3A00%2B0000+UTC", 60),
        ("nextAccessTime=2031-Mar-05+08%3A30%3A00%2B0200+UTC", 60),
        ('{"nextAccessTime":12}', 60),
        ('{"fault":[]}', 60),
        ("&" * 500, 60),
        ("[" * 5000, 60),
        ("", 60),
    ],
)
def test_the_quota_tells_when_to_come_back(body: str, seconds: int) -> None:
    answered = {"date": "Wed, 05 Mar 2031 08:28:30 GMT"}
    with pytest.raises(Overloaded) as raised:
        annuels.parse(httpx.Response(429, headers=answered, content=body.encode()), CLAIR_VALLON)
    assert (raised.value.subcode, raised.value.retry_in) == ("503", timedelta(seconds=seconds))


@pytest.mark.parametrize("header", [None, b"", b"demain", b"Wed, 99 Mar 2031 08:28:30 GMT", b"\xe9"])
@pytest.mark.parametrize("year", [2001, 2099])
def test_an_answer_that_is_not_dated_says_nothing_of_the_wait(header: bytes | None, year: int) -> None:
    """Reading an answer never asks our own clock what time it is."""
    headers = [] if header is None else [(b"date", header)]
    response = httpx.Response(429, headers=headers, json={"nextAccessTime": f"{year}-Jan-01 00:00:00+0000 UTC"})
    assert quota.used_up(response).retry_in == quota.DEFAULT_WAIT


def test_an_answer_lives_until_the_end_of_the_month() -> None:
    now = datetime(2025, 3, 30, 23, 30, tzinfo=PARIS)
    for dataset in GIP_MDS.datasets:
        assert dataset.source.life.until(now) == datetime(2025, 4, 1, tzinfo=PARIS)


# --- The simulator -------------------------------------------------------------------------------


def test_the_simulator_accepts_the_defaults_of_the_room() -> None:
    given = {setting.name: setting.default for setting in GIP_MDS.settings if setting.name != "url"}
    assert given == {name: value for name, value in SETTINGS.items() if name != "url"}


def test_a_depth_of_n_gives_n_and_one_months() -> None:
    session = logged_in()
    for depth, months in ((None, 1), (0, 1), (1, 2), (13, 14)):
        key = MoisEtablissement(sujet=SITE.sujet, annee=2024, mois=12, profondeur=depth)
        found = mensuels.parse(send(mensuels.call(key, session)), key)
        assert len(found.effectifs_mensuels) == 2 * months
        assert {line.mois for line in found.effectifs_mensuels} >= {"12"}
    too_deep = MoisEtablissement(sujet=SITE.sujet, annee=2024, mois=12, profondeur=14)
    with pytest.raises(Unavailable) as raised:
        mensuels.parse(send(mensuels.call(too_deep, session)), too_deep)
    assert raised.value.subcode == "501"


def test_fates() -> None:
    session = logged_in()

    def ask(slug: str, annee: int = 2024) -> annuels.EffectifsAnnuels:
        key = AnneeEntreprise(sujet=Siren(named(slug).siren), annee=annee)
        return annuels.parse(send(annuels.call(key, session)), key)

    known = {line.regime: line.value for line in ask("gaec").effectifs_annuel}
    assert known[RegimeEffectif.REGIME_AGRICOLE]
    assert known[RegimeEffectif.REGIME_GENERAL] is None
    for slug in ("clair-vallon", "groupe", "terrassement", "fournil", "les-genets"):
        assert any(line.value for line in ask(slug).effectifs_annuel)
    for slug in ("kerdoncuf", "cessee", "doublon", "interdite", "non-diffusible"):
        with pytest.raises(NotFound):
            ask(slug)
    with pytest.raises(Unavailable):
        ask("en-panne")
    with pytest.raises(NotFound):
        ask("clair-vallon", 2010)


def test_the_quota_is_off_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    session = logged_in()
    monkeypatch.setattr(gip_mds, "QUOTA", gip_mds.MinuteQuota(limit=2))
    for _ in range(2):
        assert annuels.parse(send(annuels.call(CLAIR_VALLON, session)), CLAIR_VALLON).annee == "2024"
    with pytest.raises(Overloaded) as raised:
        annuels.parse(send(annuels.call(CLAIR_VALLON, session)), CLAIR_VALLON)
    assert raised.value.retry_in is not None
    assert raised.value.retry_in <= timedelta(minutes=1)


def test_random_companies_have_every_documented_outcome() -> None:
    session = logged_in()
    outcomes: Counter[str] = Counter()
    for number in range(500):
        key = AnneeEntreprise(sujet=Siren(with_check_digit(f"{60000000 + number * 7919}")), annee=2025)
        try:
            annuels.parse(send(annuels.call(key, session)), key)
            outcomes["effectifs"] += 1
        except ProviderError as error:
            outcomes[f"{type(error).__name__} {error.subcode}"] += 1
    assert set(outcomes) == {"effectifs", "NotFound 003", "Unavailable 501", "Unavailable 000", "Overloaded 503"}
    assert outcomes["effectifs"] > 250
