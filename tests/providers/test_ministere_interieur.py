"""API Association's oddities: XML and JSON at one address, many ways to say "unknown", two verdicts on one answer."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from providers.declaration import Access, Call, Fleeting
from providers.errors import Misidentified, NotFound, Overloaded, ProviderError, TimedOut, Unavailable, Unreadable
from providers.ministere_interieur import MINISTERE_INTERIEUR, wire
from providers.ministere_interieur.api_association import (
    API_ASSOCIATION,
    Reponse,
    Verdict,
    call,
    download,
    parse,
    refuse_download,
)
from providers.ministere_interieur.associations import ASSOCIATIONS, last_update, mask
from providers.ministere_interieur.documents import DOCUMENTS
from providers.ministere_interieur.documents import mask as mask_documents
from providers.ministere_interieur.fichiers import file_name
from sandbox.ministere_interieur import ROUTES, UNKNOWN_RNA
from sandbox.personas import RNA_LES_GENETS, RNA_SANS_SIREN, named, with_check_digit

LES_GENETS = named("les-genets")
SETTINGS = {"url": "http://testserver", "api_key": "sandbox"}
IDENTITY = {"id_rna": RNA_LES_GENETS, "id_correspondance": 7}


def access(**settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session="", recipient="")


def send(made: Call, **headers: str) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(
                made.method, made.url, params=made.params, headers={**dict(made.headers), **headers}
            )

    return asyncio.run(sent())


def ask(key: str, **headers: str) -> httpx.Response:
    return send(call(key, access()), **headers)


def understood(response: httpx.Response, key: str = RNA_LES_GENETS) -> Reponse:
    answer = parse(response, key)
    return answer.value if isinstance(answer, Fleeting) else answer


def read(dataset: Any, response: httpx.Response, key: str = RNA_LES_GENETS) -> Any:
    return dataset.read(understood(response, key), key)


def json(body: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def whole(**more: object) -> httpx.Response:
    return json({"identite": IDENTITY, **more})


# --- The request ---------------------------------------------------------------------------------


def test_the_request() -> None:
    made = call(RNA_LES_GENETS, access())
    assert made.url == f"http://testserver/apim/api-asso-partenaires/api/structure/{RNA_LES_GENETS}"
    assert made.params == (("proxy_only", "true"),)
    assert ("X-Gravitee-Api-Key", "sandbox") in made.headers


def test_a_download_leaves_the_inner_address_and_the_key_behind() -> None:
    made = download("http://localhost:8181/services/api/documents/PJ/5f", access())
    assert made.url == "http://testserver/apim/api-asso/api/documents/PJ/5f"
    assert made.headers == ()
    for kept in ("https://example.invalid/documents/RC/7", "http://localhost:8181/servicesautres"):
        assert download(kept, access()).url == kept


def test_the_simulator_accepts_the_defaults_of_the_room() -> None:
    given = {setting.name: setting.default for setting in MINISTERE_INTERIEUR.settings if setting.name != "url"}
    assert given == {"api_key": "sandbox"}


# --- Two verdicts on one answer --------------------------------------------------------------------


def test_one_call_serves_both_datasets() -> None:
    assert ASSOCIATIONS.source is DOCUMENTS.source is API_ASSOCIATION


def test_a_page_of_the_gateway_means_two_things() -> None:
    response = httpx.Response(404, content=b"<html><body>No service here.</body></html>")
    assert isinstance(parse(response, RNA_LES_GENETS), Fleeting)
    with pytest.raises(NotFound):
        read(ASSOCIATIONS, response)
    with pytest.raises(Unavailable) as raised:
        read(DOCUMENTS, response)
    assert raised.value.code_api == "21001"


def test_a_company_may_have_documents_without_being_an_association() -> None:
    response = json(
        {
            "identite": {"id_correspondance": 1, "id_forme_juridique": "5710"},
            "documents": {"nbDocRna": 1, "document_rna": [{"id": 8}]},
        }
    )
    # Good for one dataset: worth keeping.
    assert isinstance(parse(response, RNA_LES_GENETS), Reponse)
    with pytest.raises(NotFound):
        read(ASSOCIATIONS, response)
    assert read(DOCUMENTS, response).nombre_documents == 1


def test_an_association_without_document() -> None:
    answer = understood(whole(documents={"nbDocRna": 0}))
    assert (answer.association, answer.documents) == (Verdict.BONNE, Verdict.INCONNUE)
    with pytest.raises(NotFound) as raised:
        DOCUMENTS.read(answer, RNA_LES_GENETS)
    assert raised.value.code_api == "21003"


@pytest.mark.parametrize("form", ["9220", "9221", "9224", "9230", "9260", 9230])
def test_forms_of_associations(form: object) -> None:
    read(ASSOCIATIONS, json({"identite": {"id_correspondance": 1, "id_forme_juridique": form}}))


@pytest.mark.parametrize("form", ["9210", "9240", "5710", "922", "", None])
def test_other_forms(form: object) -> None:
    response = json({"identite": {"id_correspondance": 1, "id_forme_juridique": form}})
    if form == "922":  # begins with it: as good as 9220
        read(ASSOCIATIONS, response)
        return
    with pytest.raises(NotFound):
        read(ASSOCIATIONS, response)


def test_the_answer_of_another_siren_is_refused() -> None:
    response = json({"identite": {**IDENTITY, "id_siren": LES_GENETS.siren}})
    read(ASSOCIATIONS, response, LES_GENETS.head_office.siret)
    with pytest.raises(Unreadable):
        read(ASSOCIATIONS, response, named("clair-vallon").siren)


# --- Forms -----------------------------------------------------------------------------------------


def test_xml_and_json_say_the_same() -> None:
    in_xml, in_json = ask(RNA_LES_GENETS), ask(RNA_LES_GENETS, accept="application/json")
    assert in_xml.headers["content-type"] == "application/xml"
    assert in_xml.content.startswith(b"<asso>")
    assert in_json.content.startswith(b"{")
    for dataset in (ASSOCIATIONS, DOCUMENTS):
        assert read(dataset, in_xml) == read(dataset, in_json)


@pytest.mark.parametrize(
    "agrements",
    [
        [{"numero": "1"}],
        {"numero": "1"},
        {"agrement": {"numero": 1}},
        {"agrement": [{"numero": "1"}]},
        [{"agrement": {"numero": " 1 "}}],
    ],
)
def test_collections_in_every_shape(agrements: object) -> None:
    (approval,) = read(ASSOCIATIONS, whole(agrements=agrements)).agrements
    assert approval.numero == "1"


@pytest.mark.parametrize("agrements", [None, "", [], {}, [""], [None], 3, {"agrement": None}, {"agrement": ""}])
def test_collections_without_item(agrements: object) -> None:
    assert read(ASSOCIATIONS, whole(agrements=agrements)).agrements == []


def test_counters_are_not_establishments() -> None:
    body = (
        b"<asso><identite><id_rna>W1</id_rna><id_correspondance>1</id_correspondance></identite>"
        b"<etablissements><nb_actifs>0</nb_actifs></etablissements></asso>"
    )
    assert read(ASSOCIATIONS, httpx.Response(200, content=body)).etablissements == []


def test_leaves() -> None:
    node: wire.Noeud = {
        "a": " x \n y ", "b": "  ", "c": True, "d": 12, "e": "0   ", "f": "00 00", "g": "02 41", "h": 53, "i": "2A004",
        "j": "0001-01-01", "k": "1995-07-03T00:00:00Z", "l": "2024-W01-1", "m": 3e9, "n": "1.5", "o": "NaN",
    }  # fmt: skip
    assert [wire.texte(node, name) for name in "abcdz"] == ["x y", None, "true", "12", None]
    assert (wire.annee(node, "e"), wire.annee(node, "h")) == (None, "53")
    assert (wire.telephone(node, "f"), wire.telephone(node, "g")) == (None, "0241")
    assert (wire.chiffres(node, 5, "h"), wire.chiffres(node, 5, "i")) == ("00053", "2A004")
    assert [wire.jour(node, name) for name in "jkl"] == [None, date(1995, 7, 3), None]
    assert (wire.entier(node, "m"), wire.nombre(node, "n"), wire.nombre(node, "o")) == (None, Decimal("1.5"), None)
    assert (wire.booleen(node, "c"), wire.booleen(node, "z"), wire.booleen_dit(node, "z")) == (True, False, None)


@pytest.mark.parametrize(
    ("said", "active"),
    [
        ({"active": True, "active_sirene": True}, True),
        ({"active": True, "active_sirene": False}, False),
        ({"active": "true"}, True),
        ({"active_sirene": "true"}, True),
        ({"active": "false"}, False),
        ({}, False),
    ],
)
def test_a_register_that_is_silent_closes_nothing(said: dict[str, object], active: bool) -> None:
    assert read(ASSOCIATIONS, json({"identite": {**IDENTITY, **said}})).active is active


@pytest.mark.parametrize(
    "body",
    [
        b"<" * 5000,
        b"{" * 5000,
        b"<a>" * 5000,
        b'{"identite":' * 5000,
        b"<asso>\xff\xfe</asso>",
        b"\x00",
        b"<?xml",
        b"<!-- -->",
    ],
)
def test_nonsense_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=body), RNA_LES_GENETS)


def test_a_truncated_answer_never_escapes_the_tree_of_errors() -> None:
    for response in (ask(RNA_LES_GENETS), ask(RNA_LES_GENETS, accept="application/json")):
        for length in range(0, len(response.content), 97):
            with pytest.raises(ProviderError):
                parse(httpx.Response(200, content=response.content[:length]), RNA_LES_GENETS)


@pytest.mark.parametrize("value", [None, 1, "x", True, [], [[]], {}, {"x": {"x": 1}}, [{"id_siret": {}}]])
def test_any_part_may_be_anything(value: object) -> None:
    parts = (
        "activites", "coordonnees", "affiliations", "compositions", "agrements", "representants_legaux", "rhs",
        "comptes", "etablissements", "documents",
    )  # fmt: skip
    read(ASSOCIATIONS, whole(**dict.fromkeys(parts, value)))


def test_an_entity_is_never_expanded() -> None:
    body = b'<!DOCTYPE asso [<!ENTITY e SYSTEM "file:///etc/hostname">]><asso>&e;</asso>'
    with pytest.raises(Unreadable):
        parse(httpx.Response(200, content=body), RNA_LES_GENETS)


# --- What is shown ---------------------------------------------------------------------------------


def test_bank_accounts_go_nowhere() -> None:
    answer = understood(ask(RNA_LES_GENETS))
    assert "ribs" not in answer.racine
    record: Any = ASSOCIATIONS.read(answer, RNA_LES_GENETS)
    assert "FR76" not in repr(record)
    assert [file.type for file in record.etablissements[0].documents_dac] == [
        "Rapport d'activité (le plus récent)",
        "LDC",
    ]


def test_only_officers_in_office_are_shown() -> None:
    (place,) = read(ASSOCIATIONS, ask(RNA_LES_GENETS)).etablissements
    assert [officer.nom for officer in place.representants_legaux] == ["TEMOIN", "INVENTÉ"]
    assert place.representants_legaux[1].telephone is None


def test_the_public_part() -> None:
    record = read(ASSOCIATIONS, ask(RNA_LES_GENETS))
    assert record.reseaux_affiliation
    assert record.documents_rna
    public = mask(record)
    assert (public.reseaux_affiliation, public.documents_rna) == (None, None)
    (place,) = public.etablissements
    assert (place.representants_legaux, place.documents_dac) == (None, None)
    # A telephone or an address of a small association is a person's.
    contacts = {"telephone": "0241000000", "courriel": "a@exemple.fr"}
    known = read(ASSOCIATIONS, whole(etablissements=[contacts], compositions=[{"nom": "VOISINE", **contacts}]))
    assert [it.courriel for it in (*known.etablissements, *known.composition_reseau)] == ["a@exemple.fr"] * 2
    for it in (*mask(known).etablissements, *mask(known).composition_reseau):
        assert (it.telephone, it.courriel) == (None, None)
    # Everything else stays, and the shared record isn't touched.
    assert place.rhs == record.etablissements[0].rhs
    assert place.comptes
    assert record.etablissements[0].representants_legaux
    assert "Temoin".upper() not in repr(public)


def test_who_reads_what() -> None:
    assert "open_data" in ASSOCIATIONS.opening.scopes
    assert ASSOCIATIONS.opening.unmasked_for == {"associations_djepva", "associations_donnees_protegees"}
    assert not DOCUMENTS.opening.scopes & ASSOCIATIONS.opening.unmasked_for
    assert DOCUMENTS.opening.unmasked_for > ASSOCIATIONS.opening.unmasked_for


def test_the_files_of_an_association_that_insee_may_know_are_hidden() -> None:
    """Statutes and lists of officers name and locate people."""
    listed = read(DOCUMENTS, ask(RNA_LES_GENETS))
    hidden = mask_documents(listed)
    assert listed.siren == LES_GENETS.siren
    assert [item.document for item in hidden.documents] == [None, None, None]
    assert [item.sous_type for item in hidden.documents] == [item.sous_type for item in listed.documents]
    alone = read(DOCUMENTS, ask(RNA_SANS_SIREN), RNA_SANS_SIREN)
    assert alone.siren is None
    assert mask_documents(alone) == alone


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (403, Unreadable, "00601"),
        (404, NotFound, None),
        (405, Unavailable, None),
        (429, Overloaded, "00602"),
        (500, Unavailable, "00603"),
        (502, Unavailable, "00604"),
        (503, Unavailable, "00605"),
        (504, TimedOut, "00606"),
    ],
)
def test_a_file_that_is_refused(status: int, error: type[ProviderError], code: str | None) -> None:
    with pytest.raises(error) as raised:
        refuse_download(httpx.Response(status))
    assert raised.value.code_api == code
    refuse_download(httpx.Response(200))


def test_a_document_stays_at_the_provider() -> None:
    listed = read(DOCUMENTS, ask(RNA_LES_GENETS))
    assert (listed.nombre_documents, [item.type for item in listed.documents]) == (3, ["Pièce", "Récipicé", "Pièce"])
    first, _, undated = listed.documents
    assert (first.document.nom, first.document.sujet) == ("Statuts_2013.pdf", RNA_LES_GENETS)
    assert first.document.jeu_de_donnees == DOCUMENTS.id
    assert (undated.timestamp, undated.date_depot, undated.annee_depot) == (None, None, "1970")
    for item in listed.documents:
        file = send(download(item.document.reference, access()))
        assert file.content.startswith(b"%PDF")
        assert file.headers["content-type"] == "application/pdf;charset=ISO-8859-1"


@pytest.mark.parametrize(
    "url", ["", "  ", None, "file:///etc/hostname", "javascript:1", "https://a b", 3, ["https://a"]]
)
def test_what_is_no_link_gives_no_document(url: object) -> None:
    response = whole(documents={"nbDocRna": 1, "document_rna": [{"id": 1, "url": url}]})
    assert read(DOCUMENTS, response).documents[0].document is None


def test_names_travel_in_headers() -> None:
    assert file_name('procès-verbal "2020"\r\n.pdf') == "proces-verbal_2020_.pdf"
    assert file_name("../../..") == "document"
    assert file_name("??") == "document"


def test_the_date_of_the_source_is_the_latest() -> None:
    assert last_update(read(ASSOCIATIONS, ask(RNA_LES_GENETS))) == date(2025, 2, 3)
    assert last_update(read(ASSOCIATIONS, whole())) is None


# --- The simulator -------------------------------------------------------------------------------


def test_a_wrong_key_alerts_the_operator() -> None:
    with pytest.raises(Misidentified):
        parse(send(call(RNA_LES_GENETS, access(api_key="autre"))), RNA_LES_GENETS)


def test_les_genets_by_each_of_its_identifiers() -> None:
    siret = LES_GENETS.head_office.siret
    by_rna, by_siren, by_siret = (
        read(ASSOCIATIONS, ask(key), key) for key in (RNA_LES_GENETS, LES_GENETS.siren, siret)
    )
    assert by_rna.nom == by_siren.nom == by_siret.nom == "LES GENETS SOLIDAIRES"
    assert (by_rna.siren, by_rna.rna, by_rna.active) == (LES_GENETS.siren, RNA_LES_GENETS, True)


def test_the_association_without_siren_answers_in_json() -> None:
    response = ask(RNA_SANS_SIREN)
    assert response.content.startswith(b"{")
    record = read(ASSOCIATIONS, response, RNA_SANS_SIREN)
    assert (record.siren, record.rna, record.active, record.etablissements) == (None, RNA_SANS_SIREN, True, [])
    assert read(DOCUMENTS, response, RNA_SANS_SIREN).nombre_documents == 2


def test_fates() -> None:
    for slug in ("clair-vallon", "kerdoncuf", "doublon", "interdite"):
        siren = named(slug).siren
        with pytest.raises(NotFound):
            read(ASSOCIATIONS, ask(siren), siren)
    for unknown in ("000000000", UNKNOWN_RNA):
        for dataset in (ASSOCIATIONS, DOCUMENTS):
            with pytest.raises(NotFound):
                read(dataset, ask(unknown), unknown)
    with pytest.raises(Unavailable):
        parse(ask(named("en-panne").siren), named("en-panne").siren)


def test_random_associations_have_every_documented_outcome() -> None:
    outcomes: dict[str, int] = {}
    forms = set()
    for number in range(400):
        key = f"W{number % 10}9{1_000_003 * (number + 1) % 10_000_000:07d}"
        response = ask(key)
        for dataset in (ASSOCIATIONS, DOCUMENTS):
            try:
                read(dataset, response, key)
                outcome = "bonne"
                forms.add((response.content[:1], b'"document_rna"' in response.content))
            except ProviderError as error:
                outcome = f"{type(error).__name__} {error.code_api or error.subcode}"
            name = f"{dataset.id.rpartition('.')[2]} {outcome}"
            outcomes[name] = outcomes.get(name, 0) + 1
    assert outcomes["associations bonne"] > 300
    assert {
        "associations NotFound 003", "associations Unavailable 011", "associations Unavailable 000",
        "associations Unavailable 001", "associations Unreadable 999", "documents bonne", "documents NotFound 21003",
        "documents Unavailable 21001",
    } <= set(outcomes)  # fmt: skip
    assert {form for form, _ in forms} == {b"<", b"{"}


def test_a_siren_without_association_is_answered_as_a_company() -> None:
    siren = with_check_digit("60007920")
    with pytest.raises(NotFound):
        read(ASSOCIATIONS, ask(siren), siren)
