"""CMA France's oddities: a register that closed, empty texts, a 404 that isn't JSON, people to hide."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from providers.cma_france import CMA_FRANCE
from providers.cma_france.entreprise_artisanale import EntrepriseArtisanale, call, mask, parse
from providers.declaration import Access
from providers.errors import NotFound, ProviderError, TimedOut, Unavailable, Unreadable
from providers.identifiers import Siren
from sandbox.cma_france import ROUTES
from sandbox.personas import UNKNOWN, named, with_check_digit

CLAIR_VALLON = Siren(named("clair-vallon").siren)


def access(url: str = "http://testserver") -> Access:
    return Access(settings={"url": url}, session="", recipient="")


def ask(siren: str) -> httpx.Response:
    """The simulator's answer to the room's own request, without any socket."""
    made = call(Siren(siren), access())

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, params=made.params, headers=made.headers)

    return asyncio.run(sent())


def inscription(**values: Any) -> EntrepriseArtisanale:
    return parse(httpx.Response(200, json={"id": 7, **values}), CLAIR_VALLON)


def of(slug: str) -> EntrepriseArtisanale:
    siren = Siren(named(slug).siren)
    return parse(ask(siren), siren)


def test_the_format_must_be_asked() -> None:
    made = call(CLAIR_VALLON, access())
    assert (made.url, made.params) == (f"http://testserver/v2/entreprises/{CLAIR_VALLON}", (("format", "json"),))


def test_without_an_address_the_service_is_closed() -> None:
    with pytest.raises(Unavailable, match="fermé"):
        call(CLAIR_VALLON, access(""))
    assert CMA_FRANCE.code == "15"


def test_an_empty_text_is_no_value() -> None:
    bare = inscription()
    assert inscription(ent_act_sigle="", ent_eff_salarie="", gest_date_maj="", gest_libelle_code_nafa=" ") == bare
    assert (bare.rnm_id, bare.sigle, bare.effectif_salarie, bare.adresse.commune) == ("7", None, None, None)


def test_values_as_the_register_writes_them() -> None:
    read = inscription(
        ent_act_non_sedentaire="0",
        ent_adr_commune_cog="01004",
        ent_eff_salarie="07",
        ent_act_date_immat_rm="2021-04-01T12:00:00Z",
        gest_libelle_code_nafa="Fabrication de meubles ",
        gest_maj_fichier="2022-12-20T01:30:00Z",
        gest_date_maj="2021-04-09T10:00:00Z",
        eirl_denomination="EIRL EXEMPLE",
        eirl_init_nom_registre="REPERTOIRE",
    )
    assert (read.non_sedentaire, read.adresse.commune_cog, read.effectif_salarie) == ("0", "01004", 7)
    assert read.date_immatriculation == date(2021, 4, 1)
    assert read.code_nafa_libelle == "Fabrication de meubles"
    assert (read.rnm_date_import, read.rnm_date_mise_a_jour) == (date(2022, 12, 20), date(2021, 4, 9))
    assert (read.eirl_denomination, read.eirl_id_registre) == ("EIRL EXEMPLE", "REPERTOIRE")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"[]", b"{}", b'{"id":null}', b'{"id":""}', b'{"id":true}', b'{"id":{}}', b'{"id":1.5}',
        b'{"id":1,"ent_id_siren":"000000000"}', b'{"id":1,"ent_act_sigle":["A"]}', b'{"id":1,"ent_eff_salarie":"dix"}',
        b'{"id":1,"ent_eff_salarie":"\xc2\xb2"}', b'{"id":1,"gest_date_maj":"hier"}', b'{"id":1', b"[" * 100_000,
        b'{"id":1,"ent_act_sigle":"\xe9"}',
    ],
)  # fmt: skip
def test_what_is_not_understood(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=body), CLAIR_VALLON)


@pytest.mark.parametrize(
    ("status", "error", "subcode"),
    [
        (308, Unavailable, "000"), (400, Unreadable, "999"), (403, Unreadable, "999"), (404, NotFound, "003"),
        (429, Unreadable, "999"), (500, Unreadable, "999"), (502, Unavailable, "001"), (503, Unavailable, "001"),
        (504, TimedOut, "002"),
    ],
)  # fmt: skip
def test_statuses(status: int, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        parse(httpx.Response(status, json={"id": 7}), CLAIR_VALLON)
    assert (type(raised.value), raised.value.subcode) == (error, subcode)


def test_not_found_is_a_page_in_latin_1() -> None:
    response = ask(UNKNOWN)
    assert b"trouv\xe9e" in response.content
    with pytest.raises(NotFound):
        parse(response, Siren(UNKNOWN))


def test_a_person_in_partial_diffusion_is_hidden_but_for_the_town() -> None:
    whole = of("kerdoncuf")
    assert whole.categorie_personne == "PP"
    assert "KERDONCUF" in str(whole)
    shown = mask(whole)
    for hidden in ("KERDONCUF", "MAIWENN", "DES GENETS", "29000", "CERAMIQUE"):
        assert hidden not in str(shown)
    assert (shown.adresse.commune, shown.adresse.complement, shown.sigle) == ("QUIMPER", None, None)
    assert shown.modalite_exercice == whole.modalite_exercice


def test_a_company_in_partial_diffusion_keeps_its_name() -> None:
    shown = mask(of("clair-vallon"))
    assert (shown.denomination_sociale, shown.sigle) == ("ATELIERS DU CLAIR VALLON", "[ND]")
    assert shown.adresse.libelle_voie == "[ND]"
    # Of unknown kind, it is protected as a person.
    assert mask(replace(of("clair-vallon"), categorie_personne=None)).denomination_sociale == "[ND]"


def test_officers_are_never_read() -> None:
    assert "TITOUAN" in ask(named("fournil").siren).text
    fournil = of("fournil")
    assert "1975" not in str(fournil)
    assert "BREST" not in str(fournil)


def test_fates() -> None:
    assert of("cessee").date_radiation == date(2022, 12, 31)
    for slug, error in (
        ("groupe", NotFound),
        ("doublon", NotFound),
        ("interdite", NotFound),
        ("en-panne", Unavailable),
    ):
        with pytest.raises(error):
            of(slug)


def test_random_companies_have_every_documented_outcome() -> None:
    outcomes = []
    for number in range(120):
        siren = Siren(with_check_digit(f"{60000000 + number * 7919}"))
        try:
            parse(ask(siren), siren)
        except ProviderError as error:
            outcomes.append(error.subcode)
        else:
            outcomes.append("")
    assert set(outcomes) == {"", "003", "999"}
    assert outcomes.count("") > 80
