"""The RNE's oddities: a login that must stay rare, shapes that vary, withheld accounts, people to hide, remote PDFs."""

import asyncio
import copy
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from auth.scopes import OPEN_DATA
from providers.declaration import Access, Call, Ouverture
from providers.errors import Misidentified, NotFound, ProviderError, TimedOut, Unavailable, Unreadable
from providers.identifiers import Siren
from providers.inpi_rne import INPI_RNE, connexion, fiche, pieces, telechargement
from providers.inpi_rne.actes import ACTES
from providers.inpi_rne.beneficiaires_effectifs import BENEFICIAIRES_EFFECTIFS
from providers.inpi_rne.bilans_saisis import BILANS_SAISIS
from providers.inpi_rne.extrait_rne import EXTRAIT_RNE, HIDDEN, mask
from providers.personne import TypePersonne
from sandbox.inpi_rne import CONDUITE, ROUTES, filed
from sandbox.personas import UNKNOWN, company, named, with_check_digit

SETTINGS = {
    "url": "http://testserver",
    "url_export": "http://testserver",
    "username": "sandbox",
    "password": "sandbox",
}
CLAIR_VALLON = Siren(named("clair-vallon").siren)
FOURNIL = Siren(named("fournil").siren)
KERDONCUF = Siren(named("kerdoncuf").siren)
SAMPLES = Path(__file__).parents[2] / "providers/inpi_rne/samples"


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            # Empty parameters would wipe the query that an address already holds.
            params = made.params or None
            return await client.request(made.method, made.url, headers=made.headers, json=made.json, params=params)

    return asyncio.run(sent())


def session() -> str:
    return connexion.parse(send(connexion.call(access()))).value


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def extract(name: str) -> Any:
    body = sample(f"extrait_rne/{name}")["json"]
    return EXTRAIT_RNE.read(fiche.parse(httpx.Response(200, json=body), CLAIR_VALLON), CLAIR_VALLON)


def jwt(**claims: object) -> str:
    payload = urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{payload}.c2lnbmF0dXJl"


def logged(token: str, **headers: str) -> float:
    answer = httpx.Response(200, json={"token": token, "user": {}}, headers=headers)
    return connexion.parse(answer).expires_in.total_seconds()


# --- Login ---------------------------------------------------------------------------------------

DATE = "Tue, 04 Mar 2025 08:00:00 GMT"  # 1741075200


@pytest.mark.parametrize(
    ("claims", "headers", "seconds"),
    [
        ({"exp": 1741075200 + 3600}, {"date": DATE}, 3600),
        ({"exp": 1741075200 + 10**6}, {"date": DATE}, 86400),
        ({"exp": 1741075200 - 5}, {"date": DATE}, 60),
        ({"exp": 1741075200 + 3600, "expiresIn": 7200}, {}, 7200),
        ({"exp": "demain", "expiresIn": 7200}, {"date": DATE}, 7200),
        ({"exp": 1741075200}, {"date": "hier"}, 60),
        ({}, {"date": DATE}, 60),
    ],
)
def test_a_token_lives_until_its_exp_by_the_clock_of_the_answer(
    claims: dict[str, object], headers: dict[str, str], seconds: int
) -> None:
    assert logged(jwt(**claims), **headers) == seconds


@pytest.mark.parametrize("token", ["Xk3", "a.b.c", "a.%%%.c", "a.bnVsbA.c", "a.W10.c", "."])
def test_a_token_that_is_no_jwt_is_carried_for_a_minute(token: str) -> None:
    assert logged(token) == 60


def test_a_refused_account_is_said_with_the_subcode_of_a_stop() -> None:
    with pytest.raises(Misidentified) as refused:
        connexion.parse(send(connexion.call(access(password="faux"))))
    assert refused.value.subcode == "020"


@pytest.mark.parametrize(
    ("status", "body", "error", "subcode"),
    [
        (200, b"<html>", Unreadable, "999"),
        (200, b"{}", Misidentified, "006"),
        (200, b'{"token":"a\\nb"}', Misidentified, "006"),
        (200, b"[]", Misidentified, "006"),
        (403, b"<html>", Misidentified, "006"),
        (500, b"", Unavailable, "000"),
        (502, b"", Unavailable, "001"),
        (504, b"", TimedOut, "002"),
    ],
)
def test_a_login_without_token(status: int, body: bytes, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        connexion.parse(httpx.Response(status, content=body))
    assert raised.value.subcode == subcode


def test_the_firewall_page_is_asked_again() -> None:
    CONDUITE.pages = 1
    with pytest.raises(Unreadable):
        connexion.parse(send(connexion.call(access())))
    assert session()
    assert connexion.SESSION.attempts == 5


def test_a_data_call_with_an_old_token_is_refused() -> None:
    answer = send(pieces.call(CLAIR_VALLON, access("vieux")))
    assert connexion.SESSION.refused(answer)
    assert connexion.SESSION.still_refused().subcode == "999"


# --- On the wire ---------------------------------------------------------------------------------


def test_filed_documents_and_their_download() -> None:
    token = session()
    answer = pieces.parse(send(pieces.call(CLAIR_VALLON, access(token))), CLAIR_VALLON)
    filed = ACTES.read(answer, CLAIR_VALLON)
    assert len(filed.actes) == 3
    assert filed.actes[1].types_actes is not None
    assert filed.actes[1].types_actes[1].type_decision == "Transfert du siège"
    for document in (filed.actes[0].document, filed.bilans[0].document):
        answer_ = send(telechargement.call(document.reference, access(token)))
        telechargement.refuse_failure(answer_)
        assert telechargement.media_type(answer_.content[:8]) == telechargement.PDF
        assert document.nom.endswith(".pdf")


def test_typed_accounts_are_joined_to_their_pdf() -> None:
    answer = pieces.parse(send(pieces.call(CLAIR_VALLON, access(session()))), CLAIR_VALLON)
    accounts = BILANS_SAISIS.read(answer, CLAIR_VALLON).items
    assert [account.date_cloture.year for account in accounts if account.date_cloture] == [2024, 2023, 2022]
    first = accounts[0]
    assert first.document is not None
    assert first.document.jeu_de_donnees == BILANS_SAISIS.id
    assert first.chiffre_affaires_net is not None
    assert first.effectif == Decimal(31)


def test_the_attestation_is_asked_with_encoded_brackets() -> None:
    made = telechargement.call(f"extrait/{CLAIR_VALLON}", access(session()))
    assert made.url.endswith("/export/companies?format=pdf&ids=%5B%22910203041%22%5D")
    assert made.headers[0][0] == "Authorization"
    assert telechargement.media_type(send(made).content) == telechargement.PDF


def test_sole_traders_file_nothing() -> None:
    with pytest.raises(NotFound):
        pieces.parse(send(pieces.call(FOURNIL, access(session()))), FOURNIL)


@pytest.mark.parametrize("slug", ["les-genets", "doublon", "interdite"])
def test_unknown_to_the_register(slug: str) -> None:
    key = Siren(named(slug).siren)
    with pytest.raises(NotFound):
        fiche.parse(send(fiche.call(key, access(session()))), key)


def test_a_register_that_is_down() -> None:
    key = Siren(named("en-panne").siren)
    token = session()
    for made in (fiche.call(key, access(token)), pieces.call(key, access(token))):
        answer = send(made)
        assert answer.status_code == 503
        with pytest.raises(Unavailable):
            fiche.parse(answer, key)


def test_a_company_and_those_who_control_it() -> None:
    found = fiche.parse(send(fiche.call(CLAIR_VALLON, access(session()))), CLAIR_VALLON)
    extract_ = EXTRAIT_RNE.read(found, CLAIR_VALLON)
    assert [officer.qualite for officer in extract_.dirigeants_et_associes] == [
        "Président de SAS",
        "Commissaire aux comptes titulaire",
    ]
    assert extract_.etablissements_fermes_total == 1
    owners = BENEFICIAIRES_EFFECTIFS.read(found, CLAIR_VALLON)
    assert owners.count == 1
    assert owners.items[0].modalites.detention_de_capital.parts_totale == Decimal(60)


def test_many_at_once() -> None:
    keys = [CLAIR_VALLON, FOURNIL, Siren(UNKNOWN), Siren(named("terrassement").siren)]
    made = fiche.call_bulk(keys, access(session()))
    assert [value for name, value in made.params if name == "siren[]"] == keys
    found = fiche.parse_bulk(send(made), keys)
    assert [type(found[key]).__name__ for key in keys] == ["Fiche", "Fiche", "NotFound", "Fiche"]


def read_whole(dataset: Any, answer: httpx.Response, key: Siren) -> Any:
    return dataset.read(dataset.source.how.parse(answer, key), key)


def test_every_random_company_is_read() -> None:
    """What the simulator draws is documented, so that it is always read: a value, or a typed absence."""
    token, seen = session(), set()
    for number in range(120):
        key = Siren(with_check_digit(f"612{number:05d}"))
        for dataset, made in (
            (EXTRAIT_RNE, fiche.call(key, access(token))),
            (BENEFICIAIRES_EFFECTIFS, fiche.call(key, access(token))),
            (ACTES, pieces.call(key, access(token))),
            (BILANS_SAISIS, pieces.call(key, access(token))),
        ):
            try:
                read_whole(dataset, send(made), key)
                seen.add((dataset.id, "value"))
            except NotFound:
                seen.add((dataset.id, "absent"))
    assert len(seen) == 8


# --- What is withheld ----------------------------------------------------------------------------


def test_a_withheld_turnover_is_never_zero_even_in_its_line() -> None:
    record = sample("bilans_saisis/partiellement_confidentiel")["record"]["items"][0]
    assert record["chiffre_affaires_net"] is None
    assert [line["m3"] for line in record["lignes"] if line["code"] == "FJ"] == [None]
    assert [line["m1"] for line in record["lignes"] if line["code"] == "DA"] == ["0"]
    assert record["resultat_net"] == "1250"


@pytest.mark.parametrize(
    ("written", "amount"),
    [("-00000000001250", -1250), ("00000000001250", 1250), ("", None), (None, None), ("000000000000000", 0)],
)
def test_amounts(written: str | None, amount: int | None) -> None:
    entry = copy.deepcopy(sample("bilans_saisis/sans_pdf")["json"])
    pages = entry["bilansSaisis"][0]["bilanSaisi"]["bilan"]["detail"]["pages"]
    pages[0]["liasses"] = [{"code": "CO", "m3": written}]
    answer = pieces.parse(httpx.Response(200, json=entry), CLAIR_VALLON)
    found = BILANS_SAISIS.read(answer, CLAIR_VALLON).items[0].total_actif_net
    assert found == (None if amount is None else Decimal(amount))


# --- What the public doesn't see -----------------------------------------------------------------


def test_a_fully_open_company_is_not_masked() -> None:
    record = extract("personne_morale")
    assert mask(record) is record


def test_a_sole_trader_in_partial_diffusion_has_no_name_and_no_street() -> None:
    record = mask(extract("diffusion_partielle"))
    identity = record.identite_entreprise
    assert (identity.nom, identity.prenoms) == (HIDDEN, [HIDDEN])
    assert identity.adresse_siege_social is not None
    assert identity.adresse_siege_social.commune == "VILLE-EXEMPLE"
    assert record.etablissements[0].activite_principale == HIDDEN
    assert record.document is None
    assert "TEMOIN" not in repr(record)


@pytest.mark.parametrize("flags", [{"diffusion_insee": False}, {"diffusion_commerciale": False}])
def test_a_company_in_partial_diffusion_keeps_its_name_and_its_commune(flags: dict[str, bool]) -> None:
    record = mask(replace(extract("personne_morale"), **flags))
    assert record.identite_entreprise.denomination == "ATELIERS DU CLAIR VALLON"
    address = record.identite_entreprise.adresse_siege_social
    assert address is not None
    assert (address.voie, address.complement, address.commune) == (HIDDEN, HIDDEN, "VILLE-EXEMPLE")
    assert record.etablissements[0].adresse is not None
    assert record.etablissements[0].adresse.voie == HIDDEN
    assert record.document is None
    assert record.dirigeants_et_associes[0].nom == "MODELE"


def test_an_entity_of_unknown_nature_is_protected_as_a_person() -> None:
    record = extract("personne_morale")
    identity = replace(record.identite_entreprise, type_personne=None)
    masked = mask(replace(record, identite_entreprise=identity, diffusion_insee=False))
    assert masked.dirigeants_et_associes == []
    assert masked.identite_entreprise.denomination == HIDDEN


def test_the_simulated_sole_trader_in_partial_diffusion() -> None:
    found = fiche.parse(send(fiche.call(KERDONCUF, access(session()))), KERDONCUF)
    assert not found.extrait.diffusion_insee
    assert "KERDONCUF" in repr(found.extrait)
    assert "KERDONCUF" not in repr(mask(found.extrait))


def test_beneficial_owners_are_never_public() -> None:
    opening = BENEFICIAIRES_EFFECTIFS.opening
    assert opening.scopes == {"beneficiaires_effectifs_inpi"}
    assert BENEFICIAIRES_EFFECTIFS.ouverture is Ouverture.PROTEGEE
    assert OPEN_DATA not in opening.scopes | EXTRAIT_RNE.opening.scopes


def test_legal_persons_in_office_are_kept() -> None:
    kinds = [officer.type for officer in extract("personne_morale").dirigeants_et_associes]
    assert kinds.count(TypePersonne.PERSONNE_MORALE) == 1


# --- Downloads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "subcode"),
    [
        (403, Unavailable, "001"),
        (404, NotFound, "003"),
        (500, Unavailable, "999"),
        (503, Unavailable, "001"),
        (504, TimedOut, "052"),
        (418, Unreadable, "999"),
    ],
)
def test_failing_downloads(status: int, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        telechargement.refuse_failure(httpx.Response(status))
    assert raised.value.subcode == subcode


def test_a_document_is_judged_by_its_first_bytes() -> None:
    assert telechargement.media_type(b"%PDF-1.4") == telechargement.PDF
    assert telechargement.media_type(b"PK\x03\x04") == telechargement.ZIP
    for start, subcode in ((b"", "056"), (b"<html>", "055")):
        with pytest.raises(Unreadable) as raised:
            telechargement.media_type(start)
        assert raised.value.subcode == subcode


@pytest.mark.parametrize("id_", ["../../login", "0A1B2C3D4E5F60718293A4B5", "0a1b2c3d4e5f60718293a4b", "", None, 7])
def test_only_a_true_id_becomes_an_address(id_: object) -> None:
    with pytest.raises(Unreadable):
        telechargement.identifiant(id_)


def test_a_zip_among_the_simulated_documents() -> None:
    kinds = set()
    token = session()
    for number in range(40):
        known = company(with_check_digit(f"701{number:05d}"))
        assert known is not None
        for entry in filed(known).get("actes", ()):
            made = telechargement.call(f"actes/{entry['id']}", access(token))
            answer = send(made)
            if answer.status_code == 200:
                kinds.add(telechargement.media_type(answer.content))
    assert kinds == {telechargement.PDF, telechargement.ZIP}


# --- Any bytes -----------------------------------------------------------------------------------

HOSTILE = [b"", b"\xff\xfe", b"[" * 5000, b'{"siren":' * 3000, b"null", b"1e308", b'"x"', b"[[]]", b'{"actes":{}}']


@pytest.mark.parametrize("body", HOSTILE)
def test_any_bytes_give_a_value_or_a_typed_error(body: bytes) -> None:
    for parse in (fiche.parse, pieces.parse):
        with pytest.raises(ProviderError):
            parse(httpx.Response(200, content=body), CLAIR_VALLON)


@pytest.mark.parametrize("junk", [7, "x", [], [7], {"a": 1}, True, 1.5, [["x"]], {"adresse": 3}])
def test_any_value_of_a_wrong_type_gives_a_value_or_a_typed_error(junk: object) -> None:
    """Each value of whole answers is replaced in turn."""
    whole = sample("extrait_rne/personne_morale")["json"]
    whole["formality"]["content"]["personneMorale"]["beneficiairesEffectifs"] = sample(
        "beneficiaires_effectifs/toutes_modalites"
    )["json"]["formality"]["content"]["personneMorale"]["beneficiairesEffectifs"]
    for path in paths(whole):
        attempt(fiche.parse, (EXTRAIT_RNE, BENEFICIAIRES_EFFECTIFS), changed(whole, path, junk))
    whole = {**sample("actes/actes_et_bilans")["json"], **sample("bilans_saisis/complet")["json"]}
    for path in paths(whole):
        attempt(pieces.parse, (ACTES, BILANS_SAISIS), changed(whole, path, junk))


def attempt(parse: Any, datasets: tuple[Any, ...], body: object) -> None:
    try:
        value = parse(httpx.Response(200, content=orjson.dumps(body)), CLAIR_VALLON)
    except ProviderError:
        return
    for dataset in datasets:
        try:
            record = dataset.read(value, CLAIR_VALLON)
        except ProviderError:
            continue
        if dataset.opening.mask is not None:
            dataset.opening.mask(replace(record, diffusion_insee=False))


def paths(value: Any) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(key, *rest) for key, below in items for rest in ((), *paths(below))]


def changed(whole: Any, path: tuple[Any, ...], junk: object) -> Any:
    copied = copy.deepcopy(whole)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = junk
    return copied


def test_the_room_declares_its_datasets() -> None:
    assert [dataset.id for dataset in INPI_RNE.datasets] == [
        "inpi_rne.actes",
        "inpi_rne.bilans_saisis",
        "inpi_rne.extrait_rne",
        "inpi_rne.beneficiaires_effectifs",
    ]
