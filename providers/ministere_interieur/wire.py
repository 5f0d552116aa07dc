"""How API Association writes: one tree, as XML or as JSON, at the same address.

The service is moving from XML to JSON, and its JSON has changed shape more than once; the body alone tells which
one came. Both become the same plain tree here, and every reader takes any of the shapes: a number or its text, a
list, one lone object or nothing. Source: API Association (DJEPVA, from the RNA of the ministry of the Interior).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import orjson
from lxml import etree

from providers.errors import Unavailable, Unreadable

Noeud = dict[str, Any]
"""A node of the tree: values are texts, numbers, booleans, nodes, lists or nothing."""

_BOM: Final = b"\xef\xbb\xbf"
_HTML: Final = (b"<html", b"<!doctype html")
_COUNTERS: Final = frozenset({"nb_actifs", "nbDocDac", "nbDocRna"})
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ].*)?")
_INTEGER: Final = re.compile(r"(-?[0-9]{1,10})(?:\.0+)?")
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_NO_DAY: Final = date(1, 1, 1)
"""How the service writes that there is no date."""


# --- The body ------------------------------------------------------------------------------------


class Forme(Enum):
    """What kind of body came, judged on its first character: the content type isn't reliable."""

    XML = "xml"
    JSON = "json"
    HTML = "html"
    """A page of the gateway, not an answer of the service."""


@dataclass(frozen=True, slots=True)
class Corps:
    """A body that could be read. `racine` is the content of `asso`; none when there isn't any."""

    forme: Forme
    racine: Noeud | None


def lire(content: bytes) -> Corps:
    """The tree of a body. Raises `Unavailable` for an empty one, `Unreadable` for a malformed one."""
    body = content.removeprefix(_BOM).lstrip()
    if not body:
        raise Unavailable("Le fournisseur a envoyé une réponse vide. Réessayez plus tard.", "011")
    if body.startswith(b"<"):
        return Corps(Forme.HTML, None) if body[:20].lower().startswith(_HTML) else _xml(body)
    if body.startswith(b"{"):
        return Corps(Forme.JSON, _json(body))
    raise Unreadable


def _json(body: bytes) -> Noeud:
    try:
        root = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if not isinstance(root, dict):
        raise Unreadable
    # Some public paths keep the root that the XML has.
    inner = root.get("asso")
    return inner if isinstance(inner, dict) and "identite" not in root else root


def _xml(body: bytes) -> Corps:
    # Looked for before parsing, since the parser expands entities in attributes; NULs go because of UTF-16.
    if b"<!DOCTYPE" in body.replace(b"\0", b""):
        raise Unreadable
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError):
        raise Unreadable from None
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable
    if root.tag.lower() == "html":
        return Corps(Forme.HTML, None)
    if root.tag != "asso":
        return Corps(Forme.XML, None)
    tree = _plain(root)
    # An `asso` without any element holds nothing: as good as none.
    return Corps(Forme.XML, tree if isinstance(tree, dict) else None)


def _plain(element: etree._Element) -> Any:
    """A node for an element that holds others, its text otherwise. The parser bounds the depth.

    Attributes stand beside the elements: JSON has the year of accounts there.
    """
    text = str(element.text or "")
    if len(element) == 0 and (text.strip() or not element.attrib):
        return text
    attributes = {str(name): str(value) for name, value in element.attrib.items()}
    inner: Noeud = {}
    for child in element:
        if not isinstance(child.tag, str):  # an entity reference that wasn't resolved
            continue
        value = _plain(child)
        if child.tag not in inner:
            inner[child.tag] = value
        elif isinstance(inner[child.tag], list):
            inner[child.tag].append(value)
        else:
            inner[child.tag] = [inner[child.tag], value]
    return {**attributes, **inner}


# --- Nodes ---------------------------------------------------------------------------------------


def noeud(parent: Noeud, name: str) -> Noeud:
    """The node of that name; an empty one when there is none."""
    value = parent.get(name)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


def collection(parent: Noeud, child: str, *wrappers: str) -> list[Noeud]:
    """The nodes of a collection: under the first of `wrappers` that holds any, or directly under its child's name."""
    for name in (*wrappers, child):
        found = list(_items(parent.get(name), child))
        if found:
            return found
    return []


def _items(value: Any, child: str) -> Iterator[Noeud]:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            continue
        if child not in item:
            if not item.keys() <= _COUNTERS:
                yield item
            continue
        inner = item[child]
        yield from (node for node in (inner if isinstance(inner, list) else [inner]) if isinstance(node, dict))


# --- Leaves --------------------------------------------------------------------------------------


def texte(parent: Noeud, *names: str) -> str | None:
    """The text of the first of these leaves that has one: trimmed, runs of blanks made one, empty as nothing."""
    for name in names:
        value = parent.get(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        if isinstance(value, str) and (plain := " ".join(value.split())):
            return plain
    return None


def chiffres(parent: Noeud, width: int, *names: str) -> str | None:
    """An identifier that may come as a number, which loses its leading zeros."""
    value = texte(parent, *names)
    return value.zfill(width) if value and value.isascii() and value.isdigit() else value


def booleen(parent: Noeud, *names: str) -> bool:
    return texte(parent, *names) == "true"


def booleen_dit(parent: Noeud, *names: str) -> bool | None:
    """The same; nothing when the service says nothing."""
    value = texte(parent, *names)
    return None if value is None else value == "true"


def entier(parent: Noeud, *names: str) -> int | None:
    """An integer that a GraphQL `Int` holds; anything else is as good as nothing."""
    found = _INTEGER.fullmatch(texte(parent, *names) or "")
    value = int(found[1]) if found else None
    return value if value is not None and -(2**31) <= value < 2**31 else None


def nombre(parent: Noeud, *names: str) -> Decimal | None:
    value = texte(parent, *names) or ""
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def jour(parent: Noeud, *names: str) -> date | None:
    """The day of a date or of an instant; the first day of year 1 stands for none."""
    found = _DAY.fullmatch(texte(parent, *names) or "")
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
    return None if day == _NO_DAY else day


def annee(parent: Noeud, *names: str) -> str | None:
    """A year, kept as text; zero, sometimes followed by blanks, means none."""
    value = texte(parent, *names)
    return None if value == "0" else value


def telephone(parent: Noeud, *names: str) -> str | None:
    """A telephone number without blanks; one made of zeros is no number."""
    value = "".join((texte(parent, *names) or "").split())
    return value if value.strip("0") else None
