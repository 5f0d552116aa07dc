"""Searches of the PI gateway, common to patents, trade marks and designs: how to ask, what an answer holds.

Source: INPI, PI APIs, `POST …/{collection}/search`. An answer is JSON, sometimes XML of the same shape. Titles are found
by the holder's SIREN, which only French collections record, and not always: nothing found is no evidence.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from html import unescape
from typing import Any, Final, TypeVar

import httpx
import orjson
from lxml import etree

from providers.declaration import Access, Call, Follow, For, Http, NotKept, Source
from providers.errors import Misidentified, NotFound, Unavailable, Unreadable
from providers.http_status import refuse_failure
from providers.identifiers import Siren
from providers.inpi.connexion import TIMEOUTS, Cookies, cookies_of, new_xsrf

S = TypeVar("S")

PAGE: Final = 20
"""The latest titles shown; the count tells how many there are in all."""

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """What one search needs; `illegible` is the subcode of an answer that can't be read."""

    name: str
    offices: tuple[str, ...]
    holder: str
    fields: tuple[str, ...]
    sort: tuple[str, ...]
    illegible: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Titre:
    """One result: its fields by name, each with the first of its values."""

    id: str | None
    notice_url: str | None
    fields: Mapping[str, str]

    def text(self, name: str) -> str | None:
        return self.fields.get(name)

    def day(self, name: str) -> date | None:
        """A day as `YYYYMMDD` or in ISO form; null when it is neither."""
        try:
            return date.fromisoformat((self.fields.get(name) or "")[:10])
        except ValueError:
            return None

    def integer(self, name: str) -> int | None:
        digits = (self.fields.get(name) or "").strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Resultats:
    """The count of all titles found, and the latest of them."""

    count: int
    titres: tuple[Titre, ...]


# --- How to ask ----------------------------------------------------------------------------------


def call(collection: Collection, key: Siren, access: Access, xsrf: str | None = None) -> Call:
    """`xsrf` is the newest token when the session's was refused."""
    cookies = cookies_of(access.session)
    if xsrf is not None:
        cookies = Cookies(xsrf=xsrf, access=cookies.access, refresh=cookies.refresh)
    body: Json = {
        "collections": list(collection.offices),
        "query": f"[{collection.holder}={key}]",
        "fields": list(collection.fields),
        "position": 0,
        "size": PAGE,
    }
    if collection.sort:  # the newest come first anyway
        body["sortList"] = list(collection.sort)
    return Call(
        method="POST",
        url=f"{access.settings['url']}/services/apidiffusion/api/{collection.name}/search",
        headers=(*cookies.headers(), ("Accept", "application/json")),
        json=body,
    )


# --- How to read ---------------------------------------------------------------------------------


def parse(
    collection: Collection, read: Callable[[Resultats], S], response: httpx.Response, key: Siren, *, again: bool = True
) -> S | Follow[S]:
    """The titles of a company, or the same call once more (`again`) when only the gateway's own rites failed."""
    status = response.status_code
    if status == 200:
        return read(_found(_results(collection, response)))
    if status in (204, 404):
        raise NotFound("Aucun titre n'est enregistré avec ce SIREN.")
    if status in (403, 405) and again:
        replayed = partial(parse, collection, read, key=key, again=False)
        return Follow(partial(_replay, collection, key, new_xsrf(response)), replayed)
    if status in (401, 403):
        raise Misidentified
    if status == 405:
        # Some nodes behind the balancer lack the service.
        raise Unavailable
    refuse_failure(response)
    raise Unreadable


def _replay(collection: Collection, key: Siren, xsrf: str | None, access: Access) -> Call:
    return call(collection, key, access, xsrf)


def _found(results: Resultats) -> Resultats:
    if not results.count and not results.titres:
        raise NotFound("Aucun titre n'est enregistré avec ce SIREN.")
    return results


def _results(collection: Collection, response: httpx.Response) -> Resultats:
    illegible = Unreadable(subcode=collection.illegible)
    try:
        if response.content.lstrip()[:1] == b"<":
            return _from_xml(response.content)
        return _from_json(orjson.loads(response.content))
    except (orjson.JSONDecodeError, Illegible):
        raise illegible from None


class Illegible(Exception):
    """The answer has not the documented shape."""


def _from_json(body: Any) -> Resultats:
    if not isinstance(body, dict) or not body.keys() & {"metadata", "results"}:
        raise Illegible
    metadata, results = body.get("metadata") or {}, body.get("results") or []
    if not isinstance(metadata, dict) or not isinstance(results, list):
        raise Illegible
    return Resultats(count=_count(metadata.get("count"), results), titres=tuple(map(_titre, results)))


def _count(count: object, results: Sequence[object]) -> int:
    return count if type(count) is int and len(results) <= count < 2**31 else len(results)


def _titre(result: Any) -> Titre:
    if not isinstance(result, dict):
        raise Illegible
    link, fields = result.get("xml") or {}, result.get("fields") or []
    if not isinstance(link, dict) or not isinstance(fields, list):
        raise Illegible
    return Titre(id=_text(result.get("documentId")), notice_url=_text(link.get("href")), fields=_fields(fields))


def _fields(fields: list[Any]) -> Mapping[str, str]:
    """The first value of each field. Values are escaped as for HTML."""
    read: dict[str, str] = {}
    for field in fields:
        if not isinstance(field, dict):
            raise Illegible
        name, value = _text(field.get("name")), field.get("value")
        if value is None:
            values = field.get("values") or []
            if not isinstance(values, list):
                raise Illegible
            value = next(iter(values), None)
        said = str(value) if type(value) is int else _text(value)
        if name and said is not None:
            read.setdefault(name, unescape(said))
    return read


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Illegible


def xml(content: bytes) -> etree._Element:
    """A tree without anything from elsewhere. Raises `Illegible`."""
    # Looked for before parsing, since the parser expands entities in attributes; NULs go because of UTF-16.
    if b"<!DOCTYPE" in content.replace(b"\0", b""):
        raise Illegible
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.LxmlError, ValueError):
        raise Illegible from None
    # lxml gives None for a document that it dropped altogether, which its stubs don't say.
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise Illegible
    return root


def _from_xml(content: bytes) -> Resultats:
    """The same results, whatever the name of the root (`trademarkSearch`…) and its namespace."""
    root = xml(content)
    if root.find("{*}metadata") is None:
        raise Illegible
    titres = tuple(
        Titre(
            id=result.get("documentId"),
            notice_url=_said(result.findall("{*}xml/{*}href")),
            fields=_xml_fields(result.iterfind("{*}fields/{*}field")),
        )
        for result in root.iterfind("{*}results/{*}result")
    )
    count = root.findtext("{*}metadata/{*}count", "").strip()
    counted = int(count) if count.isascii() and count.isdigit() and len(count) < 10 else None
    return Resultats(count=_count(counted, titres), titres=titres)


def _xml_fields(fields: Iterable[etree._Element]) -> Mapping[str, str]:
    read: dict[str, str] = {}
    for field in fields:
        said = _said(field.findall("{*}value") + field.findall("{*}values/{*}value"))
        name = field.get("name")
        if name and said is not None:
            read.setdefault(name, unescape(said))
    return read


def _said(elements: Sequence[etree._Element]) -> str | None:
    """The first element's content: its text, or its children written out (a publication number is a fragment)."""
    if not elements:
        return None
    first = elements[0]
    return (first.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in first)


# --- The declaration -----------------------------------------------------------------------------


def source(id_: str, collection: Collection, read: Callable[[Resultats], S]) -> Source[Siren, S]:
    """One search as a source: the register is updated every week."""
    return Source(
        id=id_,
        how=Http(call=partial(call, collection), parse=partial(parse, collection, read), bulk=None, steps=2),
        timeouts=TIMEOUTS,
        life=For(timedelta(days=7)),
        not_found_life=NotKept(),
        completion=None,
        max_bytes=8_000_000,
    )


FRESHNESS: Final = "Mise à jour chaque semaine ; réponse gardée sept jours."
NOT_FOUND_MEANS: Final = (
    "Aucun titre n'est enregistré avec ce SIREN. Ce n'est pas la preuve qu'il n'y en a aucun : les titres européens et "
    "internationaux ne portent pas de SIREN, ni une part des titres français."
)
OPEN_QUESTIONS: Final = (
    "Le premier jeton XSRF n'est pas demandé à la passerelle : une valeur de notre choix est montrée deux fois, dans le "
    "cookie et dans l'en-tête. À vérifier sur le service réel.",
    "Durée de vie de la session : trente minutes quand la passerelle ne la dit pas.",
    "L'en-tête `x-forwarded-for`, que certains disent nécessaire au quota, n'est pas envoyé.",
    "Recherche groupée de plusieurs SIREN : non faite, le SIREN du titulaire n'est pas rendu de façon sûre.",
    "Une adresse de recherche disparue (404) se lit comme une absence de titre, selon la table du fournisseur.",
)
