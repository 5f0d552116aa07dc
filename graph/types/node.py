"""Objects with a global identifier: opaque, stable, and worth nothing without the rights on their fields."""

import base64
import binascii

import strawberry

from graph.words import inherits


@strawberry.interface(description="Objet doté d'un identifiant global stable, relisible par `node(id:)`.")
class Node:
    @property
    def sujet(self) -> str:
        """The SIREN or SIRET that the object stands for."""
        raise NotImplementedError

    @inherits("Identifiant global.")
    def id(self) -> strawberry.ID:
        return global_id(type(self).__name__, self.sujet)


def global_id(type_name: str, key: str) -> strawberry.ID:
    """The opaque identifier of an object: its type and its key."""
    return strawberry.ID(base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("="))


def read_global_id(text: str) -> tuple[str, str] | None:
    """Type and key of a global identifier; `None` when it isn't one of ours."""
    try:
        padded = text + "=" * (-len(text) % 4)
        type_name, separator, key = base64.urlsafe_b64decode(padded.encode("ascii")).decode("ascii").partition(":")
    except (binascii.Error, UnicodeError):
        return None
    return (type_name, key) if separator else None
