"""What every dataset must hold to, as functions that list its faults: no fault, no text.

They run over the real rooms, and over a deliberately broken one that proves that each can fail.
"""

import base64
import importlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import orjson
import strawberry
from lxml import etree

from providers import errors
from providers.declaration import Dataset, Delivered, Fleeting, Follow, Http, Provider
from providers.errors import ProviderError
from providers.record import Document

AnyDataset = Dataset[Any, Any, Any]
ROOMS = Path(__file__).parents[2] / "providers"
SAMPLE_EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)


class FakeAccess:
    """Settings that answer any name, for calls built without a provider."""

    def __init__(self, provider: Provider) -> None:
        self.settings = {setting.name: setting.default or "http://provider.test" for setting in provider.settings}
        self.session = "session"
        self.recipient = "13002526500013"
        self.request_id = "00000000-0000-7000-8000-000000000000"
        self.now = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


# --- The declaration ---------------------------------------------------------------------------------


def declaration_faults(provider: Provider, dataset: AnyDataset) -> Iterator[str]:
    """Texts that are missing, an id that isn't room.module, scopes that open nothing."""
    for name in ("title", "description", "perimeter", "key", "freshness", "not_found_means"):
        text = getattr(dataset, name)
        if not text or not text.strip():
            yield f"{dataset.id}: {name} is empty"
    room, _, module = dataset.id.partition(".")
    if room != provider.id:
        yield f"{dataset.id}: is not of the room {provider.id}"
    try:
        found = importlib.import_module(f"providers.{dataset.id}")
    except ImportError:
        yield f"{dataset.id}: there is no module providers.{dataset.id}"
    else:
        if not any(value is dataset for value in vars(found).values()):
            yield f"{dataset.id}: is not declared by the module {module}"
    if not dataset.opening.scopes:
        yield f"{dataset.id}: no scope opens it"
    if dataset.opening.unmasked_for and dataset.opening.mask is None:
        yield f"{dataset.id}: lifts a mask that it has not"
    if len(provider.code) != 2 or not provider.code.isdigit():
        yield f"{provider.id}: {provider.code!r} is no two-digit prefix"


# --- The record and the schema -----------------------------------------------------------------------


def record_faults(dataset: AnyDataset, types: Mapping[str, Any]) -> Iterator[str]:
    """Fields of the record that don't reach the schema, or reach it without a description."""
    definition = getattr(dataset.record, "__strawberry_definition__", None)
    if definition is None:
        yield f"{dataset.id}: its record is no GraphQL type"
        return
    type_ = types.get(definition.name)
    if type_ is None:
        yield f"{dataset.id}: its record {definition.name} is not in the schema"
        return
    described = {field.extensions["strawberry-definition"].python_name: field for field in type_.fields.values()}
    for field in definition.fields:
        if field.python_name not in described:
            yield f"{dataset.id}: {definition.name}.{field.python_name} does not reach the schema"
        elif not described[field.python_name].description:
            yield f"{dataset.id}: {definition.name}.{field.python_name} has no description"
    for name, reason in dataset.left_out.items():
        if not reason.strip():
            yield f"{dataset.id}: {name} is left out without a reason"


# --- The samples -------------------------------------------------------------------------------------


def samples_of(dataset: AnyDataset) -> list[tuple[str, dict[str, Any]]]:
    room, _, module = dataset.id.partition(".")
    folder = ROOMS / room / "samples" / module
    return [(path.stem, orjson.loads(path.read_bytes())) for path in sorted(folder.glob("*.json"))]


def response_of(sample: Mapping[str, Any]) -> httpx.Response:
    if "json" in sample:
        content = orjson.dumps(sample["json"])
    elif "base64" in sample:
        content = base64.b64decode(sample["base64"])
    else:
        content = sample.get("text", "").encode()
    return httpx.Response(sample["status"], headers=sample.get("headers", {}), content=content)


def key_of(dataset: AnyDataset, given: Any) -> Any:
    return given if isinstance(given, str) else msgspec.convert(given, type(dataset.example), strict=False)


def parsed(provider: Provider, dataset: AnyDataset, sample: Mapping[str, Any]) -> Any:
    """What the room makes of a sample: the public record, or its error."""
    how = dataset.source.how
    assert isinstance(how, Http)
    key = key_of(dataset, sample["key"])
    answers = [sample, *sample.get("then", [])]
    parse: Any = lambda response: how.parse(response, key)  # noqa: E731
    value: Any = None
    try:
        for answer in answers:
            value = parse(response_of(answer))
            if isinstance(value, Follow):
                value.call(FakeAccess(provider))  # type: ignore[arg-type]
                parse = value.parse
        if isinstance(value, Follow):
            return f"the sample stops before the end of the exchange ({len(answers)} answers)"
        if isinstance(value, Delivered):
            file = value.file
            value = value.attach(
                Document(
                    id=strawberry.ID("sample"), nom=file.name, type=file.media_type, taille=len(file.content),
                    sha256="sample", expire_le=SAMPLE_EXPIRY,
                )
            )  # fmt: skip
        elif isinstance(value, Fleeting):
            value = value.value
        return dataset.read(value, key)
    except ProviderError as error:
        return error


def plain(value: Any) -> Any:
    """A record as JSON would hold it."""
    return orjson.loads(orjson.dumps(msgspec.to_builtins(value, str_keys=True, enc_hook=str)))


def sample_faults(provider: Provider, dataset: AnyDataset, name: str, sample: Mapping[str, Any]) -> Iterator[str]:
    """A sample that does not give what it says."""
    label = f"{dataset.id}/{name}"
    if "keys" in sample:
        yield from _bulk_faults(dataset, label, sample)
        return
    found = parsed(provider, dataset, sample)
    if "error" in sample:
        expected = sample["error"]
        if not isinstance(found, ProviderError):
            yield f"{label}: gives a record where {expected} was expected"
        elif type(found).__name__ != expected["type"] or found.subcode != expected["subcode"]:
            yield f"{label}: raises {type(found).__name__} {found.subcode}, expected {expected}"
        elif not isinstance(found, getattr(errors, expected["type"])):
            yield f"{label}: {expected['type']} is not an error of the tree"
    elif isinstance(found, (ProviderError, str)):
        yield f"{label}: {found!r} where a record was expected"
    elif plain(found) != sample["record"]:
        yield f"{label}: the record is not the one expected"


def _bulk_faults(dataset: AnyDataset, label: str, sample: Mapping[str, Any]) -> Iterator[str]:
    how = dataset.source.how
    if not isinstance(how, Http) or how.bulk is None:
        yield f"{label}: a bulk sample of a source without a bulk call"
        return
    keys = [key_of(dataset, key) for key in sample["keys"]]
    try:
        found = how.bulk.parse(response_of(sample), keys)
    except ProviderError as error:
        expected = sample.get("error")
        if expected is None or type(error).__name__ != expected["type"] or error.subcode != expected["subcode"]:
            yield f"{label}: raises {type(error).__name__} {error.subcode}"
        return
    if {str(key): _said(dataset, key, value) for key, value in found.items()} != sample["records"]:
        yield f"{label}: the records are not those expected"


def _said(dataset: AnyDataset, key: Any, value: Any) -> Any:
    """The record that a dataset reads in a value of its source, or its error, as samples write them."""
    try:
        if isinstance(value, ProviderError):
            raise value
        return plain(dataset.read(value, key))
    except ProviderError as error:
        return {"error": {"type": type(error).__name__, "subcode": error.subcode}}


def coverage_faults(dataset: AnyDataset, samples: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Samples that a dataset can't do without: one success, "not found", and one answer that can't be read."""
    kinds = {sample["error"]["type"] if "error" in sample else "record" for _, sample in samples}
    for kind in ("record", "NotFound", "Unreadable"):
        if kind not in kinds:
            yield f"{dataset.id}: no sample gives {kind}"
    how = dataset.source.how
    if isinstance(how, Http) and how.bulk is not None and not any("keys" in sample for _, sample in samples):
        yield f"{dataset.id}: its bulk call has no sample"


# --- Tolerance ---------------------------------------------------------------------------------------


def _with_extra(value: Any) -> Any:
    if isinstance(value, dict):
        return {**{key: _with_extra(item) for key, item in value.items()}, "champInconnuDeDemain": {"a": [1]}}
    if isinstance(value, list):
        return [_with_extra(item) for item in value]
    return value


def _extended(sample: Mapping[str, Any]) -> dict[str, Any] | None:
    """The same answer with fields that we know nothing of; `None` when its format has no such thing."""
    if isinstance(sample.get("json"), dict | list):
        return {**sample, "json": _with_extra(sample["json"])}
    text = sample.get("text", "")
    if text.lstrip().startswith("<"):
        try:
            root = etree.fromstring(text.encode())
        except etree.XMLSyntaxError:
            return None
        for element in root.iter(etree.Element):
            element.set("attributInconnuDeDemain", "1")
        return {**sample, "text": etree.tostring(root, encoding="unicode")}
    return None


def tolerance_faults(
    provider: Provider, dataset: AnyDataset, samples: list[tuple[str, dict[str, Any]]]
) -> Iterator[str]:
    """Successes that unknown extra fields would break."""
    for name, sample in samples:
        if "record" not in sample:
            continue
        answers = [_extended(answer) for answer in (sample, *sample.get("then", []))]
        if any(answer is None for answer in answers):
            continue
        extended = {**answers[0], "then": answers[1:]}  # type: ignore[dict-item]
        if plain(parsed(provider, dataset, extended)) != sample["record"]:
            yield f"{dataset.id}/{name}: unknown extra fields change the record"


def strictness_faults(provider: Provider, dataset: AnyDataset) -> Iterator[str]:
    """An answer without anything mandatory must be refused, never read as a record."""
    key = plain(dataset.example) if not isinstance(dataset.example, str) else dataset.example
    for body in ({}, {"a": 1}, "texte", 12):
        found = parsed(
            provider,
            dataset,
            {"key": key, "status": 200, "headers": {"content-type": "application/json"}, "json": body},
        )
        if not isinstance(found, ProviderError):
            yield f"{dataset.id}: reads {body!r} as a record"


# --- The words in the SDL ----------------------------------------------------------------------------


def sdl_scope_faults(printed: Mapping[str, frozenset[str]], ruled: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Coordinates whose scopes in the SDL are not those that the registry enforces."""
    for coordinate in sorted(printed.keys() | ruled.keys()):
        if printed.get(coordinate) != ruled.get(coordinate):
            yield f"{coordinate}: the SDL says {printed.get(coordinate)}, the registry {ruled.get(coordinate)}"
