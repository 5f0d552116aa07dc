"""How much of a dataset a caller may read: the second barrier, at the loader, whatever path led there."""

from enum import Enum
from functools import lru_cache
from typing import Any

from auth.caller import Caller, Usage
from auth.decision import may
from providers.declaration import Dataset, Ouverture

AnyDataset = Dataset[Any, Any, Any]


class Level(Enum):
    """What a caller reads of a dataset."""

    NONE = "none"
    DIFFUSIBLE = "diffusible"
    """The public part of entities that are fully open to the public; the others are not found."""
    MASKED = "masked"
    """Its public part, through the dataset's mask."""
    WHOLE = "whole"


@lru_cache(maxsize=65_536)
def _level(scopes: frozenset[str], usage: Usage, dataset: AnyDataset) -> Level:
    opening = dataset.opening
    if not may(opening.scopes, scopes, usage):
        return Level.NONE
    if usage is Usage.PRE_REMPLISSAGE:
        return Level.NONE if dataset.ouverture is Ouverture.PROTEGEE else Level.DIFFUSIBLE
    if opening.mask is None or scopes & opening.unmasked_for:
        return Level.WHOLE
    return Level.MASKED


def level(caller: Caller, dataset: AnyDataset, *, declared: bool) -> Level:
    """What `caller` reads of `dataset`; `declared` tells whether it said why it asks.

    Without a declared reason, the protected part of a mixed dataset stays hidden: least privilege, and
    public forms need no declaration.
    """
    found = _level(caller.scopes, caller.usage, dataset)
    if found is Level.WHOLE and not declared and dataset.opening.mask is not None:
        return Level.MASKED
    return found
