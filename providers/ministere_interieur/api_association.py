"""The one call from which both datasets are read: everything that API Association knows of one association.

Source: API Association, partner path `structure/{identifiant}` behind its gateway. The service answers for any
entity that it knows, companies included, and says "unknown" in many ways: several forms, several statuses. Each
dataset has rules of its own on what makes an answer good, so `parse` gives the tree with one verdict for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import httpx

from auth import scopes
from providers.declaration import Access, Call, Download, Fleeting, For, Http, NotKept, Source, Timeouts
from providers.errors import Misidentified, NotFound, ProviderError, Unavailable, Unreadable
from providers.http_status import refuse_other_than_ok, refuse_outage
from providers.ministere_interieur import wire
from providers.ministere_interieur.wire import Corps, Forme, Noeud

PARTIE_PUBLIQUE: Final = scopes.ASSOCIATIONS
"""The public part, by the name that tokens had before `open_data`."""
DOCUMENTS_ASSOCIATION: Final = scopes.DOCUMENTS_ASSOCIATION

PARTIE_PROTEGEE: Final = frozenset({scopes.ASSOCIATIONS_DJEPVA, scopes.ASSOCIATIONS_DONNEES_PROTEGEES})
"""Holders of any of these read the officers, the files and the affiliations."""

ADRESSE_PUBLIQUE: Final = "https://lecompteasso.associations.gouv.fr"
"""Where the public reaches the service: for links that partners follow themselves."""

_INNER: Final = "http://localhost:8181/services"
"""The address of the service behind its gateway, which it leaks in the links to its files."""


class Verdict(Enum):
    """Whether an answer is good for one dataset, else what it means there."""

    BONNE = "bonne"
    INCONNUE = "inconnue"
    INDISPONIBLE = "indisponible"
    ILLISIBLE = "illisible"

    def error(self, prefix: str = "") -> ProviderError:
        """What to raise when the answer isn't good. `prefix` replaces the provider's own in the code."""
        error = _ERRORS[self]()
        error.code_api = prefix + error.subcode if prefix else None
        return error


_ERRORS: Final[Mapping[Verdict, type[ProviderError]]] = MappingProxyType(
    {Verdict.INCONNUE: NotFound, Verdict.INDISPONIBLE: Unavailable, Verdict.ILLISIBLE: Unreadable}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reponse:
    """An answer as each dataset judges it. Nobody changes `racine`; bank accounts aren't in it any more."""

    racine: Noeud
    association: Verdict
    documents: Verdict


# --- How to ask ----------------------------------------------------------------------------------


def call(key: str, access: Access) -> Call:
    """Ask for one association by its RNA number, its SIREN, or the SIRET of one of its establishments.

    No form is asked for: XML is what the service has always answered, and JSON is read as well.
    """
    return Call(
        method="GET",
        url=access.settings["url"] + f"/apim/api-asso-partenaires/api/structure/{key}",
        params=(("proxy_only", "true"),),
        headers=(("X-Gravitee-Api-Key", access.settings["api_key"]), ("Content-Type", "application/json")),
    )


def download(reference: str, access: Access) -> Call:
    """Fetch a file of an association: no key is wanted there, and none is given to whoever serves it."""
    return Call(method="GET", url=sans_adresse_interne(reference, access.settings["url"]))


def refuse_download(response: httpx.Response) -> None:
    """What a failing download means: files have codes of their own, that partners know from today's REST API."""
    status = response.status_code
    if status == 404:
        raise NotFound("Ce fichier n'est plus chez le fournisseur.")
    if status == 405:
        raise Unavailable("Le fournisseur ne remet pas ce fichier pour l'instant. Réessayez plus tard.", "011")
    try:
        refuse_other_than_ok(response)
    except ProviderError as error:
        error.code_api = _FILE_CODES.get(status)
        raise


_FILE_CODES: Final[Mapping[int, str]] = MappingProxyType(
    {403: "00601", 429: "00602", 500: "00603", 502: "00604", 503: "00605", 504: "00606"}
)


def sans_adresse_interne(url: str, base: str) -> str:
    """The link with the inner address of the service replaced by one that can be reached."""
    inner = url == _INNER or url.startswith(_INNER + "/")
    return base + "/apim/api-asso" + url.removeprefix(_INNER) if inner else url


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: str) -> Reponse | Fleeting[Reponse]:
    """The tree and what each dataset makes of it. Raises when no dataset can make anything of it."""
    status = response.status_code
    if status in (401, 403):
        raise Misidentified
    refuse_outage(response, 429, 500)
    corps = wire.lire(response.content)
    answer = Reponse(
        racine=_without_bank_accounts(corps.racine or {}),
        association=_of_association(corps, status, key),
        documents=_of_documents(corps, status, key),
    )
    if Verdict.BONNE in (answer.association, answer.documents):
        return answer
    if answer.association is answer.documents:
        raise answer.association.error()
    # Only good answers are worth keeping.
    return Fleeting(answer)


def _of_association(corps: Corps, status: int, key: str) -> Verdict:
    """The order of these tests is the service's: each form has its own way to say "unknown"."""
    if corps.forme is Forme.HTML:
        return Verdict.INCONNUE if status == 404 else Verdict.ILLISIBLE
    if corps.racine is None or _refused_in_json(corps, status) or _lookup_failed(corps.racine):
        return Verdict.INCONNUE
    identite = wire.noeud(corps.racine, "identite")
    if wire.texte(identite, "id_correspondance") is None:
        silent = corps.forme is Forme.XML or _says_not_found(corps.racine)
        return Verdict.INCONNUE if silent else Verdict.ILLISIBLE
    if not est_association(identite):
        return Verdict.INCONNUE
    return Verdict.BONNE if status == 200 and _is_asked(identite, key) else Verdict.ILLISIBLE


def _of_documents(corps: Corps, status: int, key: str) -> Verdict:
    """Here an answer is good as soon as it counts documents, whatever the entity is."""
    if corps.forme is Forme.HTML:
        # The gateway found no service behind it; a missing association says so otherwise.
        return Verdict.INDISPONIBLE if status == 404 else Verdict.ILLISIBLE
    racine = corps.racine or {}
    identite = wire.noeud(racine, "identite")
    count = wire.entier(wire.noeud(racine, "documents"), "nbDocRna")
    if count is None:  # the older JSON has its counters at the top
        count = wire.entier(racine, "nbDocRna")
    counted = count is not None and count > 0
    if status == 200 and counted and wire.texte(identite, "id_correspondance") is not None and _is_asked(identite, key):
        return Verdict.BONNE
    if not counted or _refused_in_json(corps, status) or _lookup_failed(racine):
        return Verdict.INCONNUE
    return Verdict.ILLISIBLE


def _refused_in_json(corps: Corps, status: int) -> bool:
    return corps.forme is Forme.JSON and status in (400, 404)


def _lookup_failed(racine: Noeud) -> bool:
    """The look-up in the register failed: the service says so in a node, with status 200 as well as 404."""
    failure = wire.texte(wire.noeud(racine, "erreur"), "proxy_correspondance")
    return failure is not None and "with statusCode: 404" in failure


def _says_not_found(racine: Noeud) -> bool:
    """A JSON refusal, whose status isn't always the documented one."""
    return "not found" in (wire.texte(racine, "message") or "").lower()


def est_association(identite: Noeud) -> bool:
    """The service answers for companies too. Beside the declared ones (922.): public utility 9230, local law 9260."""
    form = wire.texte(identite, "id_forme_juridique") or ""
    return (
        wire.texte(identite, "id_rna") is not None
        or wire.texte(identite, "regime") == "alsaceMoselle"
        or form in ("9230", "9260")
        or form.startswith("922")
    )


def _is_asked(identite: Noeud, key: str) -> bool:
    """An entity of another SIREN must never be shown as the one asked. RNA numbers do change: not compared."""
    siren = wire.chiffres(identite, 9, "id_siren")
    return siren is None or not key.isdigit() or len(key) not in (9, 14) or key[:9] == siren


def _without_bank_accounts(racine: Noeud) -> Noeud:
    """Bank details have no use here: not even the cache holds them."""
    return {name: value for name, value in racine.items() if name not in ("ribs", "rib")}


# --- The declaration -----------------------------------------------------------------------------

API_ASSOCIATION: Final[Source[Any, Reponse]] = Source(
    id="ministere_interieur.api_association",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    life=For(timedelta(hours=1)),
    not_found_life=NotKept(),
    completion=None,
    # All establishments of a large federation come in one answer.
    max_bytes=32_000_000,
    stale_for=timedelta(days=1),
    download=Download(
        call=download,
        refuse=refuse_download,
        media_type=None,
        timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=30), total=timedelta(minutes=5)),
        max_bytes=200_000_000,
        max_concurrency=4,
    ),
)
