"""What a dataset makes of what its source says: the record, or the public part of it."""

from typing import TypeVar

from providers.declaration import Dataset
from providers.errors import NotFound, ProviderError
from providers.identifiers import Siren
from resolvers.cache import Obtained

K = TypeVar("K")
S = TypeVar("S")
R = TypeVar("R")


def view(dataset: Dataset[K, S, R], key: K, obtained: Obtained, *, masked: bool) -> R | ProviderError:
    """What this dataset makes of the source's value, masked or not: computed once, kept beside it."""
    reference = (dataset.id, masked)
    if reference in obtained.views:
        known: R | ProviderError = obtained.views[reference]
        return known
    made = _viewed(dataset, key, obtained, masked=masked)
    obtained.views[reference] = made
    return made


def _viewed(dataset: Dataset[K, S, R], key: K, obtained: Obtained, *, masked: bool) -> R | ProviderError:
    if obtained.error is not None:
        return obtained.error
    try:
        record = dataset.read(obtained.value, key)
    except ProviderError as error:
        return error
    if not masked or dataset.opening.mask is None:
        return record
    public = dataset.opening.mask(record)
    return NotFound() if public is None else public


def hides(dataset: Dataset[K, S, R], key: K, obtained: Obtained) -> bool:
    """Whether the public view of this entity lacks anything that the whole one says."""
    if dataset.opening.mask is None:
        return False
    return view(dataset, key, obtained, masked=True) != view(dataset, key, obtained, masked=False)


def unit_of(subject: str) -> Siren | None:
    """The legal unit that a subject belongs to; `None` for one that INSEE does not know (an RNA number alone)."""
    digits = subject.removeprefix("FR")
    return Siren(digits[:9]) if digits.isdigit() and len(digits) in {9, 14} else None
