"""The oddities of INSEE: two planes, duplicates, batches, masks level by level, labels, the simulator's own wire."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from providers.declaration import Access, Call, Follow
from providers.errors import (
    LegalRestriction,
    Misidentified,
    NotFound,
    Overloaded,
    ProviderError,
    TimedOut,
    Unavailable,
    Unreadable,
)
from providers.identifiers import Siren, Siret, siren_of
from providers.insee import (
    INSEE,
    SESSION,
    etablissement,
    etablissements,
    libelle,
    masque,
    recherche,
    siege,
    successions,
    unite_legale,
)
from providers.insee.libelle import CodeNomenclature, Nomenclature
from providers.insee.nomenclatures import EtatAdministratifEtablissement, StatutDiffusion
from providers.personne import TypePersonne
from sandbox import insee as simulator
from sandbox.personas import (
    CESSEE,
    CLAIR_VALLON,
    DOUBLON,
    GROUPE,
    INTERDITE,
    KERDONCUF,
    LES_GENETS,
    NON_DIFFUSIBLE,
    TERRASSEMENT,
    UNKNOWN,
    named,
    siret_of,
)

BASE = "http://testserver"
SETTINGS = {
    setting.name: BASE + setting.sandbox_path if setting.sandbox_path else setting.default for setting in INSEE.settings
}
PRIVATE = Access(settings=SETTINGS, session=simulator.TOKEN, recipient="")
PUBLIC = Access(
    settings={**SETTINGS, "api_key": simulator.API_KEY, "url": BASE + simulator.PUBLIC}, session="", recipient=""
)
PLANES = pytest.mark.parametrize("access", [PRIVATE, PUBLIC], ids=["private", "public"])
ND = "[ND]"


@pytest.fixture(scope="module")
def wire():
    async def sent(call: Call) -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=simulator.ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(
                call.method, call.url, params=call.params or None, headers=dict(call.headers),
                data=dict(call.form) if call.form is not None else None,
            )  # fmt: skip

    def send(call: Call) -> httpx.Response:
        answer = asyncio.run(sent(call))
        headers = {name: value for name, value in answer.headers.items() if name != "content-encoding"}
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)

    return send


def ask(wire, module, key, access=PRIVATE):
    outcome = module.parse(wire(module.call(key, access)), key)
    steps = 0
    while isinstance(outcome, Follow):
        steps += 1
        assert steps < 25
        outcome = outcome.parse(wire(outcome.call(access)))
    return outcome


def answer(status=200, body=None, headers=None):
    return httpx.Response(status, headers=headers or {}, content=orjson.dumps(body) if body is not None else b"")


def page(siren, curseur="*", taille=100, actifs=None):
    return etablissements.PageEtablissements(sujet=Siren(siren), actifs=actifs, taille=taille, curseur=curseur)


def criteria(texte="", **more):
    values = {"departement": None, "activite": None, "actives": False, "taille": 20, "curseur": "*", **more}
    return recherche.Recherche(texte=texte, **values)


CLAIR = Siren(CLAIR_VALLON)
CLAIR_SIEGE = Siret(siret_of(CLAIR_VALLON, 2))
KERDONCUF_SITE = Siret(siret_of(KERDONCUF, 1))


# --- Planes and session --------------------------------------------------------------------------


def test_the_api_key_chooses_the_public_plane():
    assert ("X-INSEE-Api-Key-Integration", "sandbox") in unite_legale.call(CLAIR, PUBLIC).headers
    assert not any(name == "Authorization" for name, _ in unite_legale.call(CLAIR, PUBLIC).headers)
    assert ("Authorization", f"Bearer {simulator.TOKEN}") in unite_legale.call(CLAIR, PRIVATE).headers
    assert SESSION.needed(PRIVATE.settings)
    assert not SESSION.needed(PUBLIC.settings)


def test_a_login_gives_the_token_that_data_calls_want(wire):
    token = SESSION.parse(wire(SESSION.call(PRIVATE)))
    assert (token.value, token.expires_in) == (simulator.TOKEN, timedelta(seconds=simulator.EXPIRES_IN))


def test_a_refused_account_is_ours_to_mend(wire):
    wrong = Access(settings={**SETTINGS, "password": "autre"}, session="", recipient="")
    with pytest.raises(Misidentified) as refused:
        SESSION.parse(wire(SESSION.call(wrong)))
    assert refused.value.subcode == "006"


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, content=b"<html>maintenance</html>"),
        answer(200, {"access_token": "abc", "expires_in": "10"}),
        answer(200, []),
    ],
)
def test_a_login_answer_that_is_no_token_is_asked_again(response):
    with pytest.raises(Unreadable):
        SESSION.parse(response)


@pytest.mark.parametrize("token", ["", "a\nb", None, 12])
def test_a_login_without_token_is_final(token):
    with pytest.raises(Unavailable) as raised:
        SESSION.parse(answer(200, {"access_token": token, "expires_in": 10}))
    assert (type(raised.value), raised.value.subcode) == (Unavailable, "999")


@PLANES
def test_wrong_credentials_are_refused(wire, access):
    wrong = Access(
        settings={**access.settings, "api_key": access.settings["api_key"] and "x"}, session="x", recipient=""
    )
    response = wire(unite_legale.call(CLAIR, wrong))
    assert SESSION.refused(response)
    with pytest.raises(Misidentified) as refused:
        unite_legale.parse(response, CLAIR)
    assert (refused.value.subcode, refused.value.retry_in) == ("011", timedelta(seconds=10))


# --- Errors --------------------------------------------------------------------------------------

ENVELOPE = {"header": {"statut": 0, "message": "x"}}


@pytest.mark.parametrize("module", [unite_legale, etablissement, siege, etablissements, successions, recherche])
@pytest.mark.parametrize(
    ("status", "body", "error", "subcode"),
    [
        (400, ENVELOPE, Unreadable, "999"),
        (401, ENVELOPE, Misidentified, "011"),
        (404, ENVELOPE, NotFound, "003"),
        (404, None, Unreadable, "999"),
        (406, ENVELOPE, Unreadable, "999"),
        (414, ENVELOPE, Unreadable, "999"),
        (429, {"message": "x"}, Overloaded, "008"),
        (500, ENVELOPE, Unavailable, "000"),
        (502, None, Unavailable, "001"),
        (503, None, Unavailable, "001"),
        (504, None, TimedOut, "002"),
        (302, None, Unavailable, "000"),
        (301, ENVELOPE, Unavailable, "000"),
        (200, [], Unreadable, "999"),
        (200, None, Unreadable, "999"),
    ],
)
def test_statuses(module, status, body, error, subcode):
    key = {etablissements: page(CLAIR), recherche: criteria("x")}.get(module, CLAIR)
    with pytest.raises(error) as raised:
        module.parse(answer(status, body), key)
    assert type(raised.value) is error
    assert raised.value.subcode == subcode


def test_the_law_closes_a_unit_only_in_insee_s_own_words(wire):
    for module, key in ((unite_legale, Siren(INTERDITE)), (etablissement, Siret(siret_of(INTERDITE, 1)))):
        with pytest.raises(LegalRestriction):
            ask(wire, module, key)
        with pytest.raises(Unreadable):
            module.parse(answer(403, {"message": "Forbidden"}), key)
        with pytest.raises(Unreadable):
            siege.parse(answer(403, ENVELOPE), CLAIR)


@PLANES
def test_unknown_forbidden_and_duplicate_units_have_no_siege(wire, access):
    for siren in (UNKNOWN, INTERDITE, DOUBLON):
        with pytest.raises(NotFound):
            ask(wire, siege, Siren(siren), access)


def test_the_wait_of_a_rate_limit_is_read_by_the_answer_s_own_clock():
    headers = {"date": "Wed, 05 Nov 2025 10:00:30 GMT", "x-rate-limit-reset": "1762336860000", "x-quota-reset": "0"}
    with pytest.raises(Overloaded) as raised:
        unite_legale.parse(answer(429, {"message": "x"}, headers), CLAIR)
    assert raised.value.retry_in == timedelta(seconds=30)


@pytest.mark.parametrize("reset", ["", "x", "9" * 40])
def test_a_rate_limit_without_a_readable_reset_gives_no_advice(reset):
    with pytest.raises(Overloaded) as raised:
        unite_legale.parse(answer(429, None, {"date": "?", "x-rate-limit-reset": reset}), CLAIR)
    assert raised.value.retry_in is None


# --- Redirections --------------------------------------------------------------------------------


@PLANES
def test_a_duplicate_is_followed_on_our_own_base(wire, access):
    unit = ask(wire, unite_legale, Siren(DOUBLON), access)
    assert (unit.siren, unit.redirige_depuis) == (CLAIR_VALLON, DOUBLON)
    place = ask(wire, etablissement, Siret(siret_of(DOUBLON, 1)), access)
    assert (place.siret, place.redirige_depuis) == (CLAIR_SIEGE, siret_of(DOUBLON, 1))


def test_the_address_of_a_redirection_is_never_called():
    follow = unite_legale.parse(
        answer(301, ENVELOPE, {"location": f"https://ailleurs.example/x/{CLAIR_VALLON}/?a=1#b"}), Siren(DOUBLON)
    )
    assert isinstance(follow, Follow)
    assert follow.call(PRIVATE) == unite_legale.call(CLAIR, PRIVATE)


def test_two_hops_are_enough_and_loops_are_cut():
    def moved(siren):
        return answer(301, ENVELOPE, {"location": f"/x/{siren}"})

    second = unite_legale.parse(moved(GROUPE), Siren(DOUBLON)).parse(moved(CESSEE))
    assert isinstance(second, Follow)
    with pytest.raises(Unavailable) as too_far:
        second.parse(moved(CLAIR_VALLON))
    assert too_far.value.subcode == "000"
    with pytest.raises(Unavailable):
        unite_legale.parse(moved(GROUPE), Siren(DOUBLON)).parse(moved(DOUBLON))
    for nonsense in ("", "123456789", "../siret", CLAIR_SIEGE):
        with pytest.raises(Unavailable):
            unite_legale.parse(moved(nonsense), Siren(DOUBLON))


# --- Units and establishments --------------------------------------------------------------------


def test_a_unit_about_somebody_else_is_refused(wire):
    with pytest.raises(Unreadable):
        unite_legale.parse(wire(unite_legale.call(CLAIR, PRIVATE)), Siren(GROUPE))
    with pytest.raises(Unreadable):
        etablissement.parse(wire(etablissement.call(CLAIR_SIEGE, PRIVATE)), Siret(siret_of(GROUPE, 1)))


def test_a_unit_reads_its_current_period(wire):
    unit = ask(wire, unite_legale, CLAIR)
    assert unit.personne_morale_attributs.raison_sociale == "ATELIERS DU CLAIR VALLON"
    assert (unit.siret_siege_social, unit.date_cessation) == (CLAIR_SIEGE, None)
    assert unit.tranche_effectif_salarie.intitule == "20 à 49 salariés"
    assert unit.activite_principale.nomenclature == "NAF2025"
    assert unit.date_derniere_mise_a_jour == date(2025, 11, 4)
    assert ask(wire, unite_legale, Siren(CESSEE)).date_cessation == date(2022, 12, 31)


def test_an_establishment_composes_its_postal_lines(wire):
    place = ask(wire, etablissement, CLAIR_SIEGE)
    lines = place.adresse.acheminement_postal
    assert place.enseigne == "LE CLAIR VALLON, MOBILIER ACV"
    assert [lines.l1, lines.l2, lines.l3, lines.l4, lines.l5, lines.l6, lines.l7] == [
        "ATELIERS DU CLAIR VALLON", "", "BATIMENT C", "14 BIS AVENUE DES TILLEULS", "", "49400 SAUMUR", "FRANCE",
    ]  # fmt: skip
    assert place.adresse.indice_repetition_voie == "bis"


def address(**values):
    raw = {f"{name}Etablissement": value for name, value in values.items()}
    unit = {"nomUniteLegale": "MODELE", "prenom1UniteLegale": ND, "denominationUniteLegale": "A  B",
            "denominationUsuelle1UniteLegale": "C"}  # fmt: skip
    person = values.pop("person", False)
    kind = TypePersonne.PERSONNE_PHYSIQUE if person else None
    return etablissement._address(raw, None, unit, kind)


@pytest.mark.parametrize(
    ("values", "l4", "l6"),
    [
        (
            {"numeroVoie": "3", "indiceRepetition": "A", "typeVoie": "CHE", "libelleVoie": "du Lac"},
            "3 CHEMIN DU LAC",
            None,
        ),
        ({"numeroVoie": "3", "indiceRepetition": "Q", "typeVoie": "allée"}, "3 QUATER ALLÉE", None),
        ({"numeroVoie": ND, "typeVoie": "RUE", "codePostal": ND, "libelleCommune": "QUIMPER"}, ND, ND),
        ({"codePaysEtranger": "99131", "libelleCommuneEtranger": "1000 BRUXELLES"}, "", "1000 BRUXELLES"),
        ({"codeCedex": "49410", "libelleCedex": "SAUMUR CEDEX", "codePaysEtranger": "99131"}, "", "49410 SAUMUR CEDEX"),
    ],
)
def test_postal_lines(values, l4, l6):
    lines = address(**values).acheminement_postal
    assert (lines.l4, lines.l6) == (l4, l6)


def test_a_name_that_is_not_public_is_not_half_shown():
    assert address(person=True).acheminement_postal.l2 == ND
    assert address().acheminement_postal.l1 == "A B C"


def test_the_sentinel_passes_wherever_a_text_stands(wire):
    place = ask(wire, etablissement, KERDONCUF_SITE, PUBLIC)
    assert place.enseigne == ND
    assert place.adresse.code_postal == place.adresse.acheminement_postal.l6 == ND
    assert place.adresse.libelle_commune == "QUIMPER"
    assert place.unite_legale.personne_physique_attributs.sexe == ND


# --- Batches -------------------------------------------------------------------------------------


@PLANES
def test_a_batch_says_its_size_and_leaves_the_doubtful_out(wire, access):
    keys = [Siren(siren) for siren in (CLAIR_VALLON, UNKNOWN, KERDONCUF, INTERDITE, DOUBLON, GROUPE)]
    call = unite_legale.call_bulk(keys, access)
    assert ("nombre", "6") in call.form
    found = unite_legale.parse_bulk(wire(call), keys)
    assert set(found) == {CLAIR_VALLON, KERDONCUF, GROUPE}
    assert unite_legale.parse_bulk(wire(unite_legale.call_bulk(keys[1:2], access)), keys[1:2]) == {}


def test_a_batch_beyond_the_default_page_is_read_whole(wire):
    keys = [Siret(place.siret) for place in named("groupe").sites]
    found = etablissement.parse_bulk(wire(etablissement.call_bulk(keys, PRIVATE)), keys)
    assert set(found) == set(keys)
    assert all(record.siret == key for key, record in found.items())


def test_a_failing_batch_says_nothing_of_any_key():
    for module in (unite_legale, etablissement, siege):
        with pytest.raises(Unavailable):
            module.parse_bulk(answer(503), [CLAIR])


def test_one_unreadable_item_does_not_take_the_batch_with_it(wire):
    keys = [Siret(place.siret) for place in named("terrassement").sites]
    body = orjson.loads(wire(etablissement.call_bulk(keys, PRIVATE)).content)
    body["etablissements"][0]["adresseEtablissement"] = "ici"
    found = etablissement.parse_bulk(answer(200, body), keys)
    assert sorted(type(outcome).__name__ for outcome in found.values()) == ["EtablissementSirene", "Unreadable"]


def test_sieges_in_a_batch(wire):
    keys = [Siren(siren) for siren in (TERRASSEMENT, CLAIR_VALLON, UNKNOWN)]
    response = wire(siege.call_bulk(keys, PRIVATE))
    found = siege.parse_bulk(response, keys)
    assert set(found) == {TERRASSEMENT, CLAIR_VALLON}
    assert found[CLAIR].siret == CLAIR_SIEGE
    body = orjson.loads(response.content)
    body["etablissements"].append(body["etablissements"][0])
    body["header"]["total"] = 3
    twice = siren_of(Siret(body["etablissements"][0]["siret"]))
    error = siege.parse_bulk(answer(200, body), keys)[twice]
    assert isinstance(error, Unreadable)
    assert error.subcode == "501"
    body["header"]["total"] = 4
    assert isinstance(siege.parse_bulk(answer(200, body), keys)[Siren(UNKNOWN)], Unreadable)


def test_a_head_office_is_an_establishment_too(wire):
    head_office = ask(wire, siege, CLAIR)
    assert siege.SIEGE_SOURCE.also(head_office) == {("insee.etablissement", CLAIR_SIEGE): head_office}
    assert ask(wire, etablissement, CLAIR_SIEGE) == head_office


# --- Pages ---------------------------------------------------------------------------------------


def test_all_establishments_by_pages(wire):
    sirets, cursor, pages = [], "*", 0
    while cursor is not None:
        got = ask(wire, etablissements, page(GROUPE, cursor))
        sirets += [item.siret for item in got.items]
        cursor, pages = got.curseur_suivant, pages + 1
        assert got.total == 250
    assert sirets == [place.siret for place in named("groupe").sites]
    assert pages == 3


def test_pages_filter_on_the_present_state(wire):
    def states(actifs):
        return [item.etat_administratif for item in ask(wire, etablissements, page(CLAIR, actifs=actifs)).items]

    assert sorted(states(None)) == ["A", "F"]
    assert states(True) == [EtatAdministratifEtablissement.A]
    assert states(False) == [EtatAdministratifEtablissement.F]


def test_a_full_page_may_be_followed_by_an_empty_one(wire):
    first = ask(wire, etablissements, page(GROUPE, taille=125))
    second = ask(wire, etablissements, page(GROUPE, first.curseur_suivant, 125))
    last = ask(wire, etablissements, page(GROUPE, second.curseur_suivant, 125))
    assert (last.items, last.curseur_suivant) == ([], None)


def test_a_page_is_never_larger_than_insee_accepts():
    assert ("nombre", "1000") in etablissements.call(page(CLAIR, taille=5000), PRIVATE).form
    assert ("nombre", "1") in etablissements.call(page(CLAIR, taille=0), PRIVATE).form


# --- Successions ---------------------------------------------------------------------------------


def test_links_of_succession_point_both_ways(wire):
    before = ask(wire, successions, CLAIR_SIEGE)
    assert [link.siret for link in before.predecesseurs] == [siret_of(CLAIR_VALLON, 1)]
    after = ask(wire, successions, Siret(siret_of(CLAIR_VALLON, 1)))
    assert after.successeurs[0].transfert_siege
    assert after.predecesseurs == []
    assert len(ask(wire, successions, Siret(siret_of(GROUPE, 1))).predecesseurs) == 41
    with pytest.raises(NotFound):
        ask(wire, successions, Siret(siret_of(LES_GENETS, 1)))


def links(count, total, **header):
    link = {"siretEtablissementPredecesseur": siret_of(GROUPE, 1), "siretEtablissementSuccesseur": CLAIR_SIEGE}
    return answer(200, {"header": {"total": total, **header}, "liensSuccession": [link] * count})


def test_links_beyond_one_page_are_followed_not_lost():
    follow = successions.parse(links(1000, 1002, curseur="*", curseurSuivant="b"), CLAIR_SIEGE)
    assert isinstance(follow, Follow)
    assert ("curseur", "b") in follow.call(PRIVATE).params
    assert len(follow.parse(links(2, 1002, curseurSuivant="c")).predecesseurs) == 1002
    assert len(follow.parse(links(0, 1002, curseurSuivant="b")).predecesseurs) == 1000
    with pytest.raises(Unreadable):
        successions.parse(links(1000, 1002), CLAIR_SIEGE)


# --- Masks ---------------------------------------------------------------------------------------


def test_a_person_who_opposed_the_publication_is_hidden_from_the_public(wire):
    true = ask(wire, unite_legale, Siren(KERDONCUF))
    assert true.personne_physique_attributs.nom_naissance == "KERDONCUF"
    assert not true.diffusable_commercialement
    seen = masque.unite_publique(true)
    assert set(vars(seen.personne_physique_attributs).values()) == {ND}
    assert seen.diffusable_commercialement
    assert true.personne_physique_attributs.nom_naissance == "KERDONCUF"


def test_a_company_hides_its_acronym_only(wire):
    unit = replace(ask(wire, unite_legale, CLAIR), status_diffusion=StatutDiffusion.PARTIELLEMENT_DIFFUSIBLE)
    seen = masque.unite_publique(unit)
    assert seen.personne_morale_attributs.sigle == ND
    assert seen.personne_morale_attributs.raison_sociale == "ATELIERS DU CLAIR VALLON"
    assert seen.personne_physique_attributs == unit.personne_physique_attributs


@PLANES
def test_both_planes_show_the_same_to_the_public(wire, access):
    place = masque.etablissement_public(ask(wire, etablissement, KERDONCUF_SITE, access))
    assert place == masque.etablissement_public(ask(wire, etablissement, KERDONCUF_SITE)) or access is PUBLIC
    lines = place.adresse.acheminement_postal
    assert {lines.l1, lines.l2, lines.l3, lines.l4, lines.l5, lines.l6} == {ND}
    assert (lines.l7, place.adresse.code_commune, place.enseigne) == ("FRANCE", "29232", ND)


def test_each_level_is_hidden_by_its_own_status(wire):
    place = ask(wire, etablissement, KERDONCUF_SITE)
    of_a_person = masque.etablissement_public(replace(place, status_diffusion=StatutDiffusion.DIFFUSIBLE))
    assert of_a_person.unite_legale.personne_physique_attributs.nom_naissance == ND
    assert of_a_person.adresse.acheminement_postal.l2 == ND
    assert of_a_person.adresse.acheminement_postal.l4 == "8 RUE DES GENETS"
    assert "KERDONCUF" not in repr(of_a_person)
    open_unit = replace(place.unite_legale, status_diffusion=StatutDiffusion.DIFFUSIBLE)
    of_an_open_unit = masque.etablissement_public(replace(place, unite_legale=open_unit))
    assert of_an_open_unit.unite_legale == open_unit
    assert of_an_open_unit.adresse.acheminement_postal.l2 == ND


def test_an_unknown_status_or_person_type_hides(wire):
    unit = replace(ask(wire, unite_legale, Siren(KERDONCUF)), status_diffusion=None, type=None)
    seen = masque.unite_publique(unit)
    assert seen.personne_physique_attributs.nom_naissance == ND
    assert not seen.diffusable_commercialement
    assert not masque.est_diffusible(unit)
    place = replace(ask(wire, etablissement, CLAIR_SIEGE), status_diffusion=None)
    assert masque.etablissement_public(place).adresse.code_postal == ND
    assert masque.etablissement_public(place).enseigne == place.enseigne


def test_what_is_not_diffusible_does_not_exist_for_the_public(wire):
    unit = ask(wire, unite_legale, Siren(NON_DIFFUSIBLE))
    place = ask(wire, etablissement, Siret(siret_of(NON_DIFFUSIBLE, 1)))
    assert masque.unite_publique(unit) is None
    assert masque.etablissement_public(place) is None
    assert masque.etablissement_public(replace(place, status_diffusion=StatutDiffusion.DIFFUSIBLE)) is None
    assert masque.page_publique(ask(wire, etablissements, page(NON_DIFFUSIBLE))) is None


def test_an_open_record_is_not_copied(wire):
    place = ask(wire, etablissement, CLAIR_SIEGE)
    assert masque.etablissement_public(place) is place


# --- Search --------------------------------------------------------------------------------------


@pytest.mark.parametrize("texte", ["clair vallon", "Vallón  CLAIR", "ATELIERS du Clair-Vallon"])
def test_accents_case_and_order_of_words_are_forgiven(wire, texte):
    found = ask(wire, recherche, criteria(texte, departement="49", activite="3109b", actives=True))
    assert [(unit.siren, unit.denomination) for unit in found.items] == [(CLAIR_VALLON, "ATELIERS DU CLAIR VALLON")]


@pytest.mark.parametrize(
    "key",
    [
        criteria('" OR siren:* OR denominationUniteLegale:"'),
        criteria("x", departement='49" OR siren:*'),
        criteria("", activite='31.09B" OR siren:*'),
        criteria("x) OR (siret:*"),
    ],
)
def test_no_criterion_adds_to_the_grammar(wire, key):
    asked = recherche.query(key)
    assert "siren:*" not in asked
    assert "siret:*" not in asked
    with pytest.raises(NotFound):
        ask(wire, recherche, key)


def test_a_text_without_a_word_finds_nobody(wire):
    with pytest.raises(NotFound):
        ask(wire, recherche, criteria("!!!"))


def test_corsica_is_a_departement():
    assert "codeCommuneEtablissement:2A*" in recherche.query(criteria(departement="2a"))


def test_being_found_by_a_name_would_tell_it(wire):
    found = ask(wire, recherche, criteria("kerdoncuf"))
    assert found.items[0].denomination == "MAIWENN KERDONCUF"
    assert masque.recherche_publique(found) is None
    with pytest.raises(NotFound):
        ask(wire, recherche, criteria("kerdoncuf"), PUBLIC)
    with_others = masque.recherche_publique(ask(wire, recherche, criteria(departement="29")))
    assert [unit.siren for unit in with_others.items] == [LES_GENETS, GROUPE]
    assert with_others.total == 2


# --- Labels --------------------------------------------------------------------------------------


def labels_for(wire, codes):
    found = {}
    for code in codes:
        try:
            found[code] = libelle.parse(wire(libelle.call(code, PRIVATE)), code)
        except NotFound:
            continue
    return found


def test_labels_reach_the_unit_and_the_establishment(wire):
    for module, source, key in (
        (unite_legale, unite_legale.UNITE_LEGALE_SOURCE, CLAIR),
        (etablissement, etablissement.ETABLISSEMENT_SOURCE, CLAIR_SIEGE),
    ):
        completion = source.completion
        record = ask(wire, module, key)
        whole = completion.apply(record, labels_for(wire, completion.wanted(record)))
        assert whole.activite_principale_naf_rev2.libelle.startswith("Fabrication d'autres meubles")
        assert whole.activite_principale.libelle == "Fabrication de meubles"
        assert getattr(whole, "unite_legale", whole).forme_juridique.libelle == "SAS, société par actions simplifiée"
        assert completion.apply(record, {}) == record


def test_labels_reach_a_page(wire):
    completion = etablissements.ETABLISSEMENTS_SOURCE.completion
    got = ask(wire, etablissements, page(GROUPE))
    whole = completion.apply(got, labels_for(wire, completion.wanted(got)))
    assert {item.activite_principale_naf_rev2.libelle for item in whole.items} == {"Activités des sièges sociaux"}
    assert len({id(item.unite_legale) for item in whole.items}) == 1


@pytest.mark.parametrize(
    ("code", "nomenclature", "table"),
    [
        ("31.09B", "NAFRev2", Nomenclature.NAF_REV2),
        ("31.00Y", "NAF2025", Nomenclature.NAF_2025),
        ("31.00Y", "NAF25", Nomenclature.NAF_2025),
        ("00.00Z", "NAFRev2", None),
        ("52.4C", "NAF1993", None),
        ("31.09B", "NAFRev1", None),
        ("31.09B", None, None),
        (None, "NAFRev2", None),
        (ND, "NAFRev2", None),
    ],
)
def test_a_code_is_labelled_by_its_own_nomenclature_or_not_at_all(code, nomenclature, table):
    expected = None if table is None else CodeNomenclature(nomenclature=table, code=code)
    assert (
        libelle.code_of_activity(libelle.ActivitePrincipaleSirene(code=code, nomenclature=nomenclature, libelle=None))
        == expected
    )


def test_a_label_answer_without_a_label_is_not_one():
    key = CodeNomenclature(nomenclature=Nomenclature.NAF_REV2, code="31.09B")
    with pytest.raises(NotFound):
        libelle.parse(httpx.Response(404), key)
    with pytest.raises(Unreadable):
        libelle.parse(answer(200, {"code": "31.09B"}), key)
    with pytest.raises(Unreadable):
        libelle.parse(httpx.Response(200, content=b"<html>"), key)


# --- The simulator's own wire --------------------------------------------------------------------


@PLANES
def test_the_simulator_refuses_what_insee_refuses(wire, access):
    base = access.settings["url"]
    headers = unite_legale.call(CLAIR, access).headers

    def status(path, params=(), **more):
        return wire(Call(method="GET", url=base + path, params=params, headers=headers, **more)).status_code

    assert status("/informations") == 200
    assert status("/siren/123456789") == 400
    assert status("/siret", (("q", 'siren:"abc"'),)) == 400
    assert status("/siret", (("q", "etatAdministratifEtablissement:A"),)) == 400
    assert status("/siret", (("q", "siren:"),)) == 400
    assert status("/siret", (("q", " OR ".join(f'siren:"{CLAIR}"' for _ in range(100))),)) == 414
    assert status("/siret", (("q", f'siren:"{GROUPE}"'), ("nombre", "1001"))) == 400


def test_the_simulator_gives_twenty_when_nothing_is_asked(wire):
    call = Call(method="GET", url=SETTINGS["url"] + "/siret", params=(("q", f"siren:{GROUPE}"),),
                headers=unite_legale.call(CLAIR, PRIVATE).headers)  # fmt: skip
    body = orjson.loads(wire(call).content)
    assert (body["header"]["total"], len(body["etablissements"])) == (250, 20)


# --- Whatever the bytes --------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [None, "x", 3, True, [], {}, [3], [None], [[]], {"a": 1}])
def test_no_wrong_type_escapes_as_another_exception(wire, wrong):
    """Every value of a true answer, at every level, replaced with every kind of value."""
    cases = [
        (unite_legale, CLAIR, unite_legale.parse),
        (etablissement, CLAIR_SIEGE, etablissement.parse),
        (siege, CLAIR, siege.parse),
        (successions, CLAIR_SIEGE, successions.parse),
        (etablissements, page(CLAIR), etablissements.parse),
        (recherche, criteria("clair"), recherche.parse),
        (etablissement, CLAIR_SIEGE, lambda response, key: etablissement.parse_bulk(response, [key])),
        (siege, CLAIR, lambda response, key: siege.parse_bulk(response, [key])),
    ]
    for module, key, parse in cases:
        body = orjson.loads(wire(module.call(key, PRIVATE)).content)
        for damaged in _damaged(body, wrong):
            try:
                parse(answer(200, damaged), key)
            except ProviderError:
                continue


def _damaged(value, wrong):
    if isinstance(value, dict):
        for name, one in value.items():
            yield {**value, name: wrong}
            for deeper in _damaged(one, wrong):
                yield {**value, name: deeper}
    elif isinstance(value, list):
        for rank, one in enumerate(value):
            for deeper in _damaged(one, wrong):
                yield [*value[:rank], deeper, *value[rank + 1 :]]
