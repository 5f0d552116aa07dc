"""DGFIP's oddities: lone objects, many ways to say nothing, repeated cells, refusals that are PDF files."""

import asyncio
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject
from starlette.applications import Starlette

from providers.attestation import Situation
from providers.declaration import PARIS, Access, Call, Delivered, Fleeting, Maintenance
from providers.dgfip import DGFIP, attestation_fiscale, chiffres_affaires, dictionnaire, jeton, liasse, wire
from providers.dgfip.attestation_fiscale import ATTESTATION_FISCALE, analysed_day
from providers.dgfip.cartouches import CAPITAL, PARTICIPATIONS
from providers.dgfip.chiffres_affaires import CHIFFRES_AFFAIRES
from providers.dgfip.dictionnaire import AnneeDictionnaire, copie_locale, rubrique_locale
from providers.dgfip.lecture import NotRead, is_refusal
from providers.dgfip.liasse import (
    ExerciceDeclare,
    Liasse,
    annees_ouvertes,
    dictionaries_wanted,
    dictionary_year,
    labelled,
)
from providers.dgfip.liasses_fiscales import LIASSES_FISCALES, LiasseFiscale
from providers.dgfip.liens_capitalistiques import LIENS_CAPITALISTIQUES
from providers.errors import Misidentified, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siren, Siret
from providers.personne import TypePersonne
from sandbox import dgfip as simulator
from sandbox.accounts import BACKER
from sandbox.dgfip import ROUTES
from sandbox.pdf import print_pdf
from sandbox.personas import company, named, with_check_digit

RECIPIENT = with_check_digit("1300138990002")
SETTINGS = {"url": "http://testserver", "client_id": "sandbox", "client_secret": "sandbox"}
CLAIR_VALLON = named("clair-vallon")
SIREN = Siren(CLAIR_VALLON.siren)
EXERCICE = ExerciceDeclare(sujet=SIREN, annee=2024)

REQUEST = "0197f3a2-0000-7000-8000-000000000001"


def access(session: str = "", recipient: str = RECIPIENT, **more: str) -> Access:
    return Access(settings={**SETTINGS, **more}, session=session, recipient=recipient, request_id=REQUEST)


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        form = dict(made.form) if made.form else None
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(
                made.method, made.url, headers=made.headers, params=made.params or None, data=form
            )

    return asyncio.run(sent())


def session() -> str:
    return jeton.parse(send(jeton.call(access()))).value


def ask(dataset: Any, key: Any, token: str | None = None) -> Any:
    """What the room reads in the simulator's answer to its own call."""
    how = dataset.source.how
    value = how.parse(send(how.call(key, access(token or session()))), key)
    if isinstance(value, Delivered):
        return value.attach(None)
    return dataset.read(value.value if isinstance(value, Fleeting) else value, key)


def answer(value: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=orjson.dumps(value))


def filed(*cells: dict[str, Any], form: str = "2059F", **more: Any) -> dict[str, Any]:
    return {"declarations": [{"numero_imprime": form, "imprime": {"donnees": list(cells)}, **more}]}


# --- The requests --------------------------------------------------------------------------------


def test_a_call_names_the_consumer_and_the_request() -> None:
    made = liasse.call(EXERCICE, access("jeton"))
    assert made.url == "http://testserver/adelie/v1/getLiasseFiscale"
    query, headers = dict(made.params), dict(made.headers)
    assert [name for name, _ in made.params] == ["userId", "annee", "siren"]
    assert (query["annee"], query["siren"]) == ("2024", SIREN)
    assert UUID(query["userId"]) == wire.consumer(access())
    assert UUID(headers["X-Request-ID"])
    assert headers["X-Request-ID"] == headers["X-Correlation-ID"] == REQUEST
    assert headers["Authorization"] == "Bearer jeton"
    assert headers["Content-Type"] == "application/json"


def test_consumers_are_told_apart() -> None:
    other = access(recipient=with_check_digit("1300138990003"))
    assert wire.consumer(access()) == wire.consumer(access("autre"))
    assert wire.consumer(access()) != wire.consumer(other)


def test_a_certificate_is_never_asked_for_a_group() -> None:
    query = dict(attestation_fiscale.call(SIREN, access("jeton")).params)
    assert (query["groupeIS"], query["groupeTVA"]) == ("NON", "NON")


def test_the_years_that_may_be_asked() -> None:
    years = annees_ouvertes(date(2026, 1, 1))
    assert (years[0], years[-1]) == (2006, 2025)
    assert 2026 not in years
    assert 2005 not in years


# --- The login -----------------------------------------------------------------------------------


def test_a_login_refused_alerts_the_operator() -> None:
    with pytest.raises(Misidentified):
        jeton.parse(send(jeton.call(access(client_secret="autre"))))


def test_a_refused_token_renews_the_session() -> None:
    refused = send(liasse.call(EXERCICE, access("perime")))
    assert jeton.SESSION.refused(refused)
    assert not jeton.SESSION.refused(send(liasse.call(EXERCICE, access(session()))))
    with pytest.raises(Misidentified):
        liasse.parse(refused, EXERCICE)


def test_maintenance_and_lives() -> None:
    assert DGFIP.maintenance == (Maintenance(start=time(1), end=time(2)),)
    now = datetime(2025, 3, 14, 23, tzinfo=PARIS)
    assert ATTESTATION_FISCALE.source.life.until(now) == datetime(2025, 3, 15, 8, tzinfo=PARIS)
    assert LIASSES_FISCALES.source is LIENS_CAPITALISTIQUES.source


# --- Turnover ------------------------------------------------------------------------------------


def test_midnight_in_paris_stays_the_same_day() -> None:
    years = chiffres_affaires.parse(
        answer({"liste_ca": {"ca": "98110", "dateFinExercice": "2022-12-31T00:00:00+01:00"}}), Siret("")
    )
    assert [(year.chiffre_affaires, year.date_fin_exercice) for year in years.items] == [
        (Decimal(98110), date(2022, 12, 31))
    ]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"liste_ca":[[]]}', b'{"liste_ca":1}', b'{"liste_ca":false}'])
def test_a_strange_turnover_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        chiffres_affaires.parse(httpx.Response(200, content=body), Siret(""))


# --- Tax return ----------------------------------------------------------------------------------


def test_the_status_speaks_before_the_body() -> None:
    for status, error in ((400, Unreadable), (401, Misidentified), (500, Unavailable)):
        with pytest.raises(error):
            liasse.parse(answer({"erreur": {"code": 303001}}, status), EXERCICE)


def test_a_return_that_quotes_the_fault_is_a_return() -> None:
    sentence = "Une erreur applicative s'est produite sur le serveur ADELIE."
    cell = {"code_nref": "1", "valeur": sentence}
    assert liasse.parse(answer(filed(cell)), EXERCICE).formulaires[0].cases[0].liste() == [sentence]
    with pytest.raises(Unavailable):
        liasse.parse(answer({"m": sentence}, 400), EXERCICE)


def test_wild_ranks_do_not_unfold() -> None:
    cells = [{"code_nref": str(n), "valeurs": {"indiceRepetition": "10000", "valeur": "x"}} for n in range(51)]
    with pytest.raises(Unreadable):
        liasse.parse(answer(filed(*cells)), EXERCICE)


@pytest.mark.parametrize(
    ("version", "year"),
    [("202301", 2023), ("201501", 2015), (None, 2024), ("", 2024), ("abc", 2024), ("200001", 2024), ("202601", 2024)],
)
def test_which_dictionary(version: str | None, year: int) -> None:
    assert dictionary_year(version, 2024) == year


def parsed(value: Any) -> Liasse:
    return liasse.parse(answer(value), EXERCICE)


def first_cell(found: Liasse) -> tuple[str | None, str | None]:
    record = LIASSES_FISCALES.read(found, EXERCICE).declarations[0].donnees[0]
    return record.code, record.intitule


def test_labels_come_from_the_version_then_the_year_then_the_copy() -> None:
    found = parsed(filed({"code_nref": "300506", "valeur": "1"}, form="2052", millesime=202201))
    assert dictionaries_wanted(found) == {AnneeDictionnaire(annee=2022), AnneeDictionnaire(annee=2024)}

    def named_in(label: str, nref: str = "300506") -> Any:
        entry = {"code_nref": nref, "code": "QQ", "intitule": f"{label} \n"}
        form = {"numero_imprime": "2052", "millesimes": {"declaration": [entry]}}
        return dictionnaire.parse(answer({"dictionnaire": [form]}), AnneeDictionnaire(annee=2022))

    old, new = AnneeDictionnaire(annee=2022), AnneeDictionnaire(annee=2024)
    assert first_cell(labelled(found, {old: named_in("ancien"), new: named_in("neuf")})) == ("QQ", "ancien")
    assert first_cell(labelled(found, {old: named_in("autre", "300507"), new: named_in("neuf")})) == ("QQ", "neuf")
    assert first_cell(labelled(found, {})) == ("FL", "Chiffre d'affaires net")


def test_the_copy_says_nothing_of_the_forms_of_2026() -> None:
    assert rubrique_locale("2052", "300506", 2025) is not None
    assert rubrique_locale("2052", "300506", 2026) is None


def test_the_copy_is_the_size_of_the_forms() -> None:
    sizes: dict[str, int] = {}
    for form, _ in copie_locale():
        sizes[form] = sizes.get(form, 0) + 1
    assert [sizes[form] for form in ("2050", "2051", "2052", "2053", "2057", "2058C", "2033A", "2033B", "2035A")] == [
        115, 44, 51, 41, 128, 49, 74, 86, 61
    ]  # fmt: skip
    assert {sizes[form] for form in CAPITAL} == {32}
    assert {sizes[form] for form in PARTICIPATIONS} == {13}


def test_the_layouts_are_those_of_the_copy() -> None:
    for form, layout in CAPITAL.items():
        labels = {nref: entry.intitule for (name, nref), entry in copie_locale().items() if name == form}
        assert labels[layout.neant] == "Néant"
        assert labels[layout.personnes_morales.identite[0]] == "Personne morale : SIREN"
        assert labels[layout.personnes_physiques.identite[1]] == "Personne physique : nom patronymique et prénoms"
        assert labels[layout.personnes_physiques.adresse.ville] == "Personne physique : adresse, ville"
    for form, cells in PARTICIPATIONS.items():
        assert copie_locale()[form, cells.identite[0]].intitule == "Filiale : SIREN"
        assert copie_locale()[form, cells.pourcentage].intitule == "Filiale : pourcentage de détention"


@pytest.mark.parametrize(
    "value", [None, [], {}, {"dictionnaire": []}, {"dictionnaire": [{"numero_imprime": "2154", "millesimes": None}]}]
)
def test_an_empty_dictionary_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        dictionnaire.parse(answer(value), AnneeDictionnaire(annee=2024))


def test_a_dictionary_leaves_out_what_it_cannot_read() -> None:
    cells = [{"code_nref": "1", "code": "AA"}, {"code_nref": "2", "code": []}, {"code": "BB"}, {"code_nref": "1"}]
    forms = [
        {"numero_imprime": "2050", "millesimes": {"declaration": cells}},
        {"numero_imprime": {}},
        {"millesimes": 3},
    ]
    read = dictionnaire.parse(answer({"dictionnaire": forms}), AnneeDictionnaire(annee=2024))
    assert list(read) == [("2050", "1")]
    assert read["2050", "1"].code == "AA"


# --- Capital links -------------------------------------------------------------------------------


def test_quantities_hold_two_decimals() -> None:
    found = parsed(filed(
        {"code_nref": "304868", "valeur": "MODELE Zoé"}, {"code_nref": "304871", "valeur": "3750"},
        {"code_nref": "304870", "valeur": "120000"}, {"code_nref": "309325", "valeur": "100"},
    ))  # fmt: skip
    capital = LIENS_CAPITALISTIQUES.read(found, EXERCICE).capital
    (holder,) = capital.actionnaires
    assert (holder.pourcentage, holder.nombre_parts) == (Decimal("37.50"), Decimal(1200))
    assert capital.repartition.personnes_physiques.nombre == 1


def test_birth_days_and_places_do_not_leave_the_room() -> None:
    found = parsed(filed(
        {"code_nref": "304868", "valeur": "MODELE Zoé"}, {"code_nref": "304878", "valeur": "19791103"},
        {"code_nref": "905900", "valeur": "VILLE-EXEMPLE"},
    ))  # fmt: skip
    text = repr(LIENS_CAPITALISTIQUES.read(found, EXERCICE))
    assert "annee='1979', mois='11'" in text
    assert "197911" not in text
    assert "VILLE-EXEMPLE" not in text


# --- Certificate ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "analysed"),
    [
        (date(2025, 3, 14), date(2025, 2, 28)),
        (date(2024, 3, 1), date(2024, 2, 29)),
        (date(2025, 1, 31), date(2024, 12, 31)),
        (None, None),
        (date.min, None),
    ],
)
def test_the_day_analysed(day: date | None, analysed: date | None) -> None:
    assert analysed_day(day) == analysed


def test_a_refusal_is_an_answer_that_is_never_kept() -> None:
    refused = Siren(named("en-defaut").siren)
    response = send(attestation_fiscale.call(refused, access(session())))
    assert response.status_code == 200
    value = attestation_fiscale.parse(response, refused)
    assert isinstance(value, Fleeting)
    assert value.value.situation is Situation.REFUSEE
    assert (value.value.document, value.value.code_api) == (None, "03003")


def test_only_the_first_page_tells_a_refusal() -> None:
    assert is_refusal(print_pdf(f"Bonjour\n{simulator.REFUSAL}"))
    assert is_refusal(print_pdf("Impossible de délivrer votre attestation\nde régularité fiscale"))
    assert not is_refusal(print_pdf("ATTESTATION DE RÉGULARITÉ FISCALE"))
    assert not is_refusal(b"%PDF-1.4 abime")


def test_a_file_that_we_give_up_reading_is_no_certificate() -> None:
    content = DecodedStreamObject()
    content.set_data(b" " * 50_000_000)
    writer = PdfWriter(clone_from=PdfReader(BytesIO(print_pdf("Bonjour"))))
    writer.pages[0][NameObject("/Contents")] = writer._add_object(content.flate_encode())
    written = BytesIO()
    writer.write(written)
    bomb = written.getvalue()
    with pytest.raises(NotRead):
        is_refusal(bomb)
    with pytest.raises(Unreadable):
        attestation_fiscale.parse(httpx.Response(200, content=bomb), SIREN)


# --- Any bytes -----------------------------------------------------------------------------------

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from((
            "liste_ca", "ca", "dateFinExercice", "entreprise", "setOcfis", "declarations", "numero_imprime", "imprime",
            "donnees", "code_nref", "valeur", "valeurs", "indiceRepetition", "millesime", "dictionnaire", "millesimes",
            "declaration", "code", "erreur", "access_token",
        )),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip
_BODIES = (
    _VALUES.map(orjson.dumps) | st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"%PDF-1.7" + tail)
)


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(body=_BODIES, status=st.sampled_from((200, 200, 200, 204, 400, 404, 500)))
def test_only_errors_of_the_tree_leave_a_parse(body: bytes, status: int) -> None:
    response = httpx.Response(status, content=body)
    for read in (
        lambda: CHIFFRES_AFFAIRES.source.how.parse(response, Siret("")),  # type: ignore[union-attr]
        lambda: LIASSES_FISCALES.read(liasse.parse(response, EXERCICE), EXERCICE),
        lambda: LIENS_CAPITALISTIQUES.read(liasse.parse(response, EXERCICE), EXERCICE),
        lambda: dictionnaire.parse(response, AnneeDictionnaire(annee=2024)),
        lambda: attestation_fiscale.parse(response, SIREN),
        lambda: jeton.parse(response),
    ):
        with suppress(ProviderError):
            read()


# --- The simulator -------------------------------------------------------------------------------


def test_the_simulator_accepts_the_defaults_of_the_room() -> None:
    given = {setting.name: setting.default for setting in DGFIP.settings if setting.name != "url"}
    assert given == {"client_id": "sandbox", "client_secret": "sandbox"}


def test_the_simulator_wants_its_uuids() -> None:
    made = liasse.call(EXERCICE, access(session()))
    without_user = Call(method="GET", url=made.url, params=made.params[1:], headers=made.headers)
    without_request = Call(method="GET", url=made.url, params=made.params, headers=made.headers[:1])
    assert [send(call).status_code for call in (without_user, without_request, made)] == [400, 400, 200]


def test_health_needs_no_user() -> None:
    made = liasse.call(EXERCICE, access(session()))
    assert (
        send(Call(method="GET", url="http://testserver/adelie/v1/etatSante", headers=made.headers)).status_code == 200
    )


@pytest.mark.parametrize("dataset", DGFIP.datasets, ids=lambda dataset: dataset.id)
def test_the_example_answers(dataset: Any) -> None:
    assert ask(dataset, dataset.example) is not None


def whole_return(siren: str, year: int) -> LiasseFiscale:
    """The return with its labels, as the road completes it."""
    key, token = ExerciceDeclare(sujet=Siren(siren), annee=year), session()
    found = liasse.parse(send(liasse.call(key, access(token))), key)
    books = {
        wanted: dictionnaire.parse(send(dictionnaire.call(wanted, access(token))), wanted)
        for wanted in dictionaries_wanted(found)
    }
    return LIASSES_FISCALES.read(labelled(found, books), key)


def test_turnover_is_the_same_in_all_operations() -> None:
    years = ask(CHIFFRES_AFFAIRES, Siret(CLAIR_VALLON.head_office.siret))
    assert [year.date_fin_exercice.year for year in years.items] == [2024, 2023, 2022]
    found = whole_return(SIREN, 2024)
    (income,) = [form for form in found.declarations if form.numero_imprime == "2052"]
    (cell,) = [item for item in income.donnees if item.code_nref == "300506"]
    assert cell.valeurs == [str(years.items[0].chiffre_affaires)]
    assert (cell.code, cell.code_edi, cell.code_absolu) == ("FL", "FL:C516:5004:1", "2900506")
    assert cell.intitule == "Chiffre d'affaires net"
    assert all(item.code for form in found.declarations for item in form.donnees)


def test_the_group() -> None:
    group = named("groupe")
    links = ask(LIENS_CAPITALISTIQUES, ExerciceDeclare(sujet=Siren(group.siren), annee=2024))
    first, second, person = links.capital.actionnaires
    assert (first.type, first.personne_morale_attributes.siren) == (TypePersonne.PERSONNE_MORALE, None)
    assert second.personne_morale_attributes.siren == BACKER
    assert person.personne_physique_attributes.nom_patronymique_et_prenoms == "INVENTE Naelle"
    assert [child.siren for child in links.participations.filiales] == [named("filiale").siren]
    found = whole_return(group.siren, 2024)
    assert [obligation.code for obligation in found.obligations_fiscales] == ["IS", "ISGROUPE"]
    member = whole_return(named("filiale").siren, 2024)
    regimes = [form.regime.code for form in member.declarations if form.numero_imprime == "2052"]
    assert regimes == ["RN", "RNMEMBRE"]


def test_other_regimes() -> None:
    farm = ask(LIENS_CAPITALISTIQUES, ExerciceDeclare(sujet=Siren(named("gaec").siren), annee=2024))
    assert (farm.capital.numero_imprime, farm.participations.depose_neant) == ("2153", True)
    artist = whole_return(named("kerdoncuf").siren, 2024)
    assert [form.regime.libelle for form in artist.declarations] == ["Déclaration contrôlée"]


def outcome(dataset: Any, key: Any, token: str) -> tuple[str, str]:
    try:
        found = ask(dataset, key, token)
    except ProviderError as error:
        return type(error).__name__, error.subcode
    return ("situation", found.situation.name) if dataset is ATTESTATION_FISCALE else ("donnees", "")


@pytest.mark.parametrize("dataset", DGFIP.datasets, ids=lambda dataset: dataset.id)
def test_fates(dataset: Any) -> None:
    token = session()

    def key(slug: str) -> Any:
        known = named(slug)
        if dataset is CHIFFRES_AFFAIRES:
            return Siret(known.head_office.siret)
        return (
            Siren(known.siren)
            if dataset is ATTESTATION_FISCALE
            else ExerciceDeclare(sujet=Siren(known.siren), annee=2024)
        )

    for slug in ("doublon", "interdite"):
        assert outcome(dataset, key(slug), token) == ("NotFound", "003")
    assert outcome(dataset, key("en-panne"), token) == ("Unavailable", "001")
    refused = ("situation", "REFUSEE") if dataset is ATTESTATION_FISCALE else ("donnees", "")
    assert outcome(dataset, key("en-defaut"), token) == refused


def test_random_companies_have_every_documented_outcome() -> None:
    token = session()
    drawn = (CHIFFRES_AFFAIRES, LIASSES_FISCALES, ATTESTATION_FISCALE)
    seen: dict[str, dict[tuple[str, str], int]] = {dataset.id: {} for dataset in drawn}
    for number in range(260):
        known = company(with_check_digit(f"{60000000 + number * 7919}"))
        assert known is not None
        keys = (
            Siret(known.head_office.siret), ExerciceDeclare(sujet=Siren(known.siren), annee=2024), Siren(known.siren)
        )  # fmt: skip
        for dataset, key in zip(drawn, keys, strict=True):
            found = outcome(dataset, key, token)
            seen[dataset.id][found] = seen[dataset.id].get(found, 0) + 1
    failures = {("NotFound", "003"), ("Unavailable", "000"), ("Unavailable", "011"), ("Unreadable", "999")}
    for dataset in (CHIFFRES_AFFAIRES, LIASSES_FISCALES):
        assert set(seen[dataset.id]) == failures | {("donnees", "")}
        assert seen[dataset.id]["donnees", ""] > 180
    assert set(seen[ATTESTATION_FISCALE.id]) == failures | {("situation", "DELIVREE"), ("situation", "REFUSEE")}
    assert seen[ATTESTATION_FISCALE.id]["situation", "DELIVREE"] > 150


def test_a_dictionary_of_the_first_year_lacks_twenty_forms() -> None:
    entries = orjson.loads(simulator.dictionary(2006))["dictionnaire"]
    assert len(entries) == 41
    assert sum(entry["millesimes"] is None for entry in entries) == 20
    assert all(entry["millesimes"] for entry in orjson.loads(simulator.dictionary(2015))["dictionnaire"])
