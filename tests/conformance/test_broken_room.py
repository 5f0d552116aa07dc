"""Each check of the conformance suite, seen failing once: on a room that breaks it on purpose."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from auth.registry import SchemaRefused, build
from graph.schema import SCHEMA
from providers.declaration import Bulk, Call, Http
from providers.errors import NotFound, Unreadable
from providers.infogreffe import INFOGREFFE
from providers.infogreffe.extrait_rcs import EXTRAIT_RCS
from providers.insee import INSEE
from providers.insee.unite_legale import UNITE_LEGALE
from tests.conformance import checks

SAMPLES = checks.samples_of(UNITE_LEGALE)
SUCCESS = next(sample for _, sample in SAMPLES if "record" in sample and "then" not in sample)
FAILURE = next(
    sample for _, sample in SAMPLES if sample.get("error", {}).get("type") == "NotFound" and "then" not in sample
)
BULK = next(sample for name, sample in SAMPLES if name == "bulk_deux_sur_trois")


def with_parse(parse: Any) -> Any:
    how = replace(UNITE_LEGALE.source.how, parse=parse)  # type: ignore[type-var]
    return replace(UNITE_LEGALE, source=replace(UNITE_LEGALE.source, how=how))


@pytest.mark.parametrize("name", ["title", "description", "perimeter", "key", "freshness", "not_found_means"])
def test_an_empty_text_is_seen(name: str) -> None:
    broken = replace(UNITE_LEGALE, **{name: "  "})  # type: ignore[arg-type]
    assert f"insee.unite_legale: {name} is empty" in list(checks.declaration_faults(INSEE, broken))


def test_an_id_that_is_not_room_module_is_seen() -> None:
    faults = list(checks.declaration_faults(INSEE, replace(UNITE_LEGALE, id="sirene.unite")))
    assert any("is not of the room" in fault for fault in faults)
    assert any("there is no module" in fault for fault in faults)


def test_a_dataset_declared_elsewhere_is_seen() -> None:
    faults = list(checks.declaration_faults(INSEE, replace(UNITE_LEGALE, id="insee.siege")))
    assert faults == ["insee.siege: is not declared by the module siege"]


def test_a_dataset_that_nothing_opens_is_seen() -> None:
    opening = replace(UNITE_LEGALE.opening, scopes=frozenset(), mask=None)
    faults = list(checks.declaration_faults(INSEE, replace(UNITE_LEGALE, opening=opening)))
    assert "insee.unite_legale: no scope opens it" in faults
    assert "insee.unite_legale: lifts a mask that it has not" in faults


def test_a_bad_prefix_is_seen() -> None:
    assert any("prefix" in fault for fault in checks.declaration_faults(replace(INSEE, code="1"), UNITE_LEGALE))


def test_a_record_outside_of_the_schema_is_seen() -> None:
    assert list(checks.record_faults(UNITE_LEGALE, {})) != []
    assert list(checks.record_faults(replace(UNITE_LEGALE, record=dict), SCHEMA.type_map)) != []


def test_a_field_that_does_not_reach_the_schema_is_seen() -> None:
    types = {"UniteLegaleSirene": SCHEMA.type_map["PageInfo"]}
    assert any("does not reach" in fault for fault in checks.record_faults(UNITE_LEGALE, types))


def test_a_field_left_out_without_a_reason_is_seen() -> None:
    broken = replace(UNITE_LEGALE, left_out={"x": " "})
    assert any("without a reason" in fault for fault in checks.record_faults(broken, SCHEMA.type_map))


def test_a_sample_that_gives_another_record_is_seen() -> None:
    wrong = {**SUCCESS, "record": {**SUCCESS["record"], "siren": "000000000"}}
    assert list(checks.sample_faults(INSEE, UNITE_LEGALE, "x", SUCCESS)) == []
    assert list(checks.sample_faults(INSEE, UNITE_LEGALE, "x", wrong)) != []


def test_a_wrong_error_is_seen() -> None:
    assert list(checks.sample_faults(INSEE, UNITE_LEGALE, "x", FAILURE)) == []
    for broken in (
        with_parse(lambda _response, _key: (_ for _ in ()).throw(Unreadable())),
        with_parse(lambda _response, _key: (_ for _ in ()).throw(NotFound(subcode="501"))),
        with_parse(lambda response, key: UNITE_LEGALE.source.how.parse(checks.response_of(SUCCESS), key)),  # type: ignore[union-attr]
    ):
        assert list(checks.sample_faults(INSEE, broken, "x", FAILURE)) != []


def test_a_bulk_answer_read_wrongly_is_seen() -> None:
    assert list(checks.sample_faults(INSEE, UNITE_LEGALE, "x", BULK)) == []
    how = UNITE_LEGALE.source.how
    assert isinstance(how, Http)
    lazy: Any = Bulk(
        size=1, call=lambda _keys, _access: Call(method="GET", url=""), parse=lambda _r, _k: {}, missing_alone=True
    )
    broken = replace(UNITE_LEGALE, source=replace(UNITE_LEGALE.source, how=replace(how, bulk=lazy)))
    assert list(checks.sample_faults(INSEE, broken, "x", BULK)) != []
    without = replace(UNITE_LEGALE, source=replace(UNITE_LEGALE.source, how=replace(how, bulk=None)))
    assert list(checks.sample_faults(INSEE, without, "x", BULK)) != []


def test_missing_samples_are_seen() -> None:
    faults = list(checks.coverage_faults(UNITE_LEGALE, []))
    assert len(faults) == 4
    assert list(checks.coverage_faults(UNITE_LEGALE, SAMPLES)) == []


def test_a_parser_that_unknown_fields_upset_is_seen() -> None:
    def brittle(response: httpx.Response, key: Any) -> Any:
        if b"champInconnuDeDemain" in response.content:
            raise Unreadable
        return UNITE_LEGALE.source.how.parse(response, key)  # type: ignore[union-attr]

    assert list(checks.tolerance_faults(INSEE, with_parse(brittle), [("x", SUCCESS)])) != []


def test_an_xml_parser_that_unknown_attributes_upset_is_seen() -> None:
    def brittle(response: httpx.Response, key: Any) -> Any:
        if b"attributInconnuDeDemain" in response.content:
            raise Unreadable
        return EXTRAIT_RCS.source.how.parse(response, key)  # type: ignore[union-attr]

    how = replace(EXTRAIT_RCS.source.how, parse=brittle)  # type: ignore[type-var]
    broken = replace(EXTRAIT_RCS, source=replace(EXTRAIT_RCS.source, how=how))
    assert list(checks.tolerance_faults(INFOGREFFE, broken, checks.samples_of(EXTRAIT_RCS))) != []


def test_a_parser_that_reads_anything_is_seen() -> None:
    lax = with_parse(lambda _response, _key: UNITE_LEGALE.source.how.parse(checks.response_of(SUCCESS), SUCCESS["key"]))  # type: ignore[union-attr]
    assert len(list(checks.strictness_faults(INSEE, lax))) == 4


def test_scopes_that_differ_from_the_registry_are_seen() -> None:
    assert list(checks.sdl_scope_faults({"A.b": frozenset({"x"})}, {"A.b": frozenset({"y"})})) != []
    assert list(checks.sdl_scope_faults({}, {"A.b": frozenset({"y"})})) != []
    assert list(checks.sdl_scope_faults({"A.b": frozenset({"x"})}, {})) != []


def refused(build_field: Any) -> str:
    import strawberry

    from graph.scalars import CONFIG

    query = type("Query", (), {"__annotations__": {}, **build_field(strawberry)})
    schema = strawberry.Schema(query=strawberry.type(query), config=CONFIG)
    with pytest.raises(SchemaRefused) as refusal:
        build(schema._schema)
    return str(refusal.value)


def test_a_field_that_says_nothing_stops_the_server() -> None:
    def resolver() -> str:
        return ""

    assert "Query.nu says nothing" in refused(lambda s: {"nu": s.field(resolver=resolver)})


def test_a_protected_field_that_cannot_be_null_stops_the_server() -> None:
    from auth.rules import METADATA_KEY, Requires

    def resolver() -> str:
        return ""

    rule = {METADATA_KEY: Requires(frozenset({"x"}))}
    assert "can't be null" in refused(lambda s: {"nu": s.field(resolver=resolver, metadata=rule)})


def test_a_field_protected_by_no_scope_stops_the_server() -> None:
    from auth.rules import METADATA_KEY, Requires

    def resolver() -> str | None:
        return None

    rule = {METADATA_KEY: Requires(frozenset())}
    assert "by no scope at all" in refused(lambda s: {"nu": s.field(resolver=resolver, metadata=rule)})
