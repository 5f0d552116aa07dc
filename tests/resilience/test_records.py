"""Every record goes through the shared cache unharmed: the samples of every room, written and read back."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
import strawberry

from graph.service import datasets
from providers import PROVIDERS
from providers.declaration import Delivered, Fleeting, Follow, Http, NotKept
from providers.dgfip.dictionnaire import Rubrique
from providers.errors import NotFound, Overloaded, ProviderError
from providers.record import Document
from resolvers.cache import Obtained
from resolvers.circuits import CircuitOpen
from resolvers.records import _Shape, shapes_of
from resolvers.sealing import Seal
from tests.conformance import checks

SHAPES = shapes_of(datasets())
AT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
CASES = [
    pytest.param(provider, dataset, sample, id=f"{dataset.id}-{name}")
    for provider in PROVIDERS
    for dataset in provider.datasets
    if isinstance(dataset.source.how, Http)
    for name, sample in checks.samples_of(dataset)
    if "record" in sample
]


def test_every_source_that_is_kept_has_a_shape() -> None:
    kept = {
        source.id
        for dataset in datasets()
        for source in (dataset.source, *([dataset.source.completion.source] if dataset.source.completion else []))
        if isinstance(source.how, Http) and not isinstance(source.life, NotKept)
    }
    assert kept <= set(SHAPES)


def value_of(provider: Any, dataset: Any, sample: Any) -> Any:
    """What the source gives for a sample, before the dataset reads it."""
    key = checks.key_of(dataset, sample["key"])
    parse = lambda response: dataset.source.how.parse(response, key)  # noqa: E731
    value: Any = None
    for answer in [sample, *sample.get("then", [])]:
        value = parse(checks.response_of(answer))
        if isinstance(value, Follow):
            value.call(checks.FakeAccess(provider))  # type: ignore[arg-type]
            parse = value.parse
    if isinstance(value, Delivered):
        return value.attach(
            Document(
                id=strawberry.ID("d"), nom="a.pdf", type="application/pdf", taille=3, sha256="d", expire_le=AT,
                sujet="910203041", jeu_de_donnees=dataset.id,
            )
        )  # fmt: skip
    return value.value if isinstance(value, Fleeting) else value


@pytest.mark.parametrize(("provider", "dataset", "sample"), CASES)
def test_a_record_comes_back_as_it_was(provider: Any, dataset: Any, sample: Any) -> None:
    value = value_of(provider, dataset, sample)
    shape = _Shape(SHAPES[dataset.source.id])
    written = Obtained(value, None, AT, AT + timedelta(hours=1), 12.5, stale_until=AT + timedelta(days=1))
    read = shape.decoded(shape.encoded(written))
    assert read is not None
    assert read.value == value
    assert (read.at, read.until, read.stale_until) == (written.at, written.until, written.stale_until)
    assert read.cached


def test_a_frozen_mapping_comes_back_as_a_mapping() -> None:
    """The dictionary of a year's forms, which no dataset shows by itself."""
    cell = Rubrique(code="A", code_edi=None, code_absolu=None, code_type_donnee="N", intitule="Total")
    value = MappingProxyType({("2050", "FL"): cell})
    shape = _Shape(SHAPES["dgfip.dictionnaire"])
    read = shape.decoded(shape.encoded(Obtained(value, None, AT, AT, 0.0)))
    assert read is not None
    assert read.value == value


def test_an_error_comes_back_with_its_class_and_its_advice() -> None:
    shape = _Shape(str)
    for error in (NotFound(subcode="501"), Overloaded(retry_in=timedelta(seconds=7)), CircuitOpen(code_api="00501")):
        read = shape.decoded(shape.encoded(Obtained(None, error, AT, AT, 0.0)))
        assert read is not None
        assert read.error is not None
        assert read.error.code == error.code
        fields = ("message", "subcode", "retry_in", "code_api")
        assert [getattr(read.error, name) for name in fields] == [getattr(error, name) for name in fields]
        assert isinstance(read.error, ProviderError)


def test_a_value_of_another_shape_is_not_read() -> None:
    assert _Shape(int).decoded(_Shape(str).encoded(Obtained("a", None, AT, AT, 0.0))) is None
    assert _Shape(int).digest != _Shape(str).digest


def test_what_is_sealed_opens_only_under_its_name_and_with_its_secret() -> None:
    seal = Seal("un secret")
    closed = seal.close("nom", b"DUPONT" * 50)
    assert b"DUPONT" not in closed
    assert len(closed) < 100
    assert seal.open("nom", closed) == b"DUPONT" * 50
    assert seal.open("autre", closed) is None
    assert Seal("autre secret").open("nom", closed) is None
    assert seal.open("nom", closed[:-1]) is None
    assert seal.open("nom", b"") is None
    assert "910203041" not in seal.digest("910203041")
