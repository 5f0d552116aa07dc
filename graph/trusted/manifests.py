"""Manifests of documents, as the tools of clients write them: identifiers and texts.

Three shapes: Apollo's persisted query manifest, Relay's `persistConfig` file, and the `persisted-documents.json` of
graphql-codegen's client preset. The last two are the same: one object from identifier to text.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

APOLLO = "apollo-persisted-query-manifest"
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,199}\Z")


class ManifestRefused(ValueError):
    """The file is no manifest that we know; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One document under the identifier that its client sends."""

    identifier: str
    text: str

    @property
    def digest(self) -> str:
        return digest_of(self.text)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_manifest(content: bytes) -> tuple[Registered, ...]:
    """The documents of a manifest. Raises `ManifestRefused`."""
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ManifestRefused("Le fichier n'est pas du JSON valable, encodé en UTF-8.") from None
    if not isinstance(manifest, dict):
        raise ManifestRefused("Le manifeste doit être un objet JSON.")
    found = tuple(_from_apollo(manifest) if "format" in manifest else _from_texts(manifest))
    if not found:
        raise ManifestRefused("Le manifeste ne contient aucun document.")
    if len({document.identifier for document in found}) < len(found):
        raise ManifestRefused("Deux documents du manifeste portent le même identifiant.")
    return found


def _from_apollo(manifest: Mapping[str, Any]) -> Iterator[Registered]:
    if manifest["format"] != APOLLO or manifest.get("version") != 1:
        raise ManifestRefused(f"Format inconnu : attendu « {APOLLO} », version 1.")
    operations = manifest.get("operations")
    if not isinstance(operations, list):
        raise ManifestRefused("Le manifeste doit contenir une liste « operations ».")
    for number, operation in enumerate(operations, 1):
        match operation:
            case {"id": str(identifier), "body": str(text)}:
                yield _checked(identifier, text)
            case _:
                raise ManifestRefused(f"L'opération n° {number} doit avoir un « id » et un « body ».")


def _from_texts(manifest: Mapping[str, Any]) -> Iterator[Registered]:
    for identifier, text in manifest.items():
        if not isinstance(text, str):
            raise ManifestRefused(f"« {identifier} » doit être le texte d'un document.")
        yield _checked(identifier, text)


def _checked(identifier: str, text: str) -> Registered:
    if not _IDENTIFIER.match(identifier):
        raise ManifestRefused(
            f"Identifiant refusé : « {identifier[:60]} ». Lettres, chiffres et « : . _ / - », 200 caractères au plus."
        )
    return Registered(identifier, text)
