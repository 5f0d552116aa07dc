"""The collective agreements (IDCC) that an establishment declared it applies. Key: a SIRET.

Source: public service siret2idcc, version 2: the ministry of labour's list of SIRET and IDCC, described by the KALI
base of agreements. Always an array, one item per SIRET asked, in one call for many as for one.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import httpx
import orjson

from auth import scopes
from auth.scopes import OPEN_DATA
from providers import reading
from providers.declaration import (
    Access,
    Bulk,
    Call,
    Dataset,
    For,
    Http,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    as_is,
)
from providers.errors import NotFound, ProviderError, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siret
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Convention collective appliquée par un établissement.")
class ConventionCollective:
    numero_idcc: int = inherits("Identifiant de la convention collective (IDCC).", source="[].conventions[].num")
    idcc: str = inherits("Le même, sur quatre chiffres, comme il s'affiche.", source="[].conventions[].num")
    titre: str | None = inherits("Titre complet.", source="[].conventions[].title")
    titre_court: str | None = inherits("Titre court.", source="[].conventions[].shortTitle")
    active: bool | None = inherits("Si la convention est encore utilisée.", source="[].conventions[].active")
    etat: str | None = inherits(
        "État juridique : `vigueur`, `vigueur_etendue`, ou le mot du fournisseur.", source="[].conventions[].etat"
    )
    url: str | None = inherits("Page de la convention sur Légifrance.", source="[].conventions[].url")
    synonymes: list[str] = inherits("Noms d'usage.", source="[].conventions[].synonymes")
    date_publication: date | None = inherits("Publication du texte.", source="[].conventions[].date_publi")
    internal_id: str | None = inherits(
        "Conteneur de la base KALI ; suivi de l'IDCC quand la convention n'y est connue que par rattachement.",
        source="[].conventions[].id",
    )


@record("Conventions collectives appliquées par un établissement.")
class ConventionsCollectives:
    items: list[ConventionCollective] = inherits(
        "Au moins une convention, dans l'ordre du fournisseur.", source="[].conventions"
    )
    count: int = inherits("Nombre de conventions.")


# --- How to ask ----------------------------------------------------------------------------------

_BATCH: Final = 90
"""Only the length of the URL bounds a batch: 1,500 characters, a hundred SIRETs, are known to pass."""
_HEADERS: Final = (("Content-Type", "application/json"),)


def call(key: Siret, access: Access) -> Call:
    return call_bulk((key,), access)


def call_bulk(keys: Sequence[Siret], access: Access) -> Call:
    return Call(method="GET", url=f"{access.settings['url']}/{','.join(keys)}", headers=_HEADERS)


# --- How to read ---------------------------------------------------------------------------------

Json = dict[str, Any]

_STATES: Final = {"VIGUEUR": "vigueur", "VIGUEUR_ETEN": "vigueur_etendue"}


def parse(response: httpx.Response, key: Siret) -> ConventionsCollectives:
    item = _items(response)[0]
    if _siret(item) not in (None, key):
        raise Unreadable
    return _conventions(item)


def parse_bulk(
    response: httpx.Response, keys: Sequence[Siret]
) -> Mapping[Siret, ConventionsCollectives | ProviderError]:
    """Items are matched by their SIRET. One that the answer leaves out is asked alone."""
    try:
        items = _items(response)
    except NotFound as error:
        return dict.fromkeys(keys, error)
    asked = {str(key): key for key in keys}
    found: dict[Siret, ConventionsCollectives | ProviderError] = {}
    for item in items:
        key = asked.get(_siret(item) or "")
        if key is not None and key not in found:
            found[key] = _conventions_or_error(item)
    return found


def _items(response: httpx.Response) -> list[Any]:
    """The array of the answer, never empty."""
    status = response.status_code
    refuse_outage(response)
    if status == 404:
        raise NotFound
    if status != 200:
        raise Unreadable
    try:
        items = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if not isinstance(items, list) or not items:
        raise Unreadable
    return items


def _siret(item: object) -> str | None:
    siret = item.get("siret") if isinstance(item, dict) else None
    return siret if isinstance(siret, str) else None


def _conventions_or_error(item: object) -> ConventionsCollectives | ProviderError:
    try:
        return _conventions(item)
    except ProviderError as error:
        return error


def _conventions(item: object) -> ConventionsCollectives:
    if not isinstance(item, dict):
        raise Unreadable
    conventions = item.get("conventions")
    if conventions is None or conventions == []:
        raise NotFound("Aucune convention collective n'est connue pour cet établissement.")
    if not isinstance(conventions, list):
        raise Unreadable
    items = [_convention(convention) for convention in conventions]
    return ConventionsCollectives(items=items, count=len(items))


def _convention(found: object) -> ConventionCollective:
    if not isinstance(found, dict):
        raise Unreadable
    number = _idcc(found)
    state = reading.text(found, "etat")
    return ConventionCollective(
        numero_idcc=number,
        idcc=f"{number:04d}",
        titre=_trimmed(found, "title"),
        titre_court=_trimmed(found, "shortTitle"),
        active=reading.flag(found, "active"),
        etat=None if state is None else _STATES.get(state, state),
        url=reading.text(found, "url"),
        synonymes=reading.texts(found, "synonymes"),
        date_publication=reading.day(found, "date_publi"),
        internal_id=reading.text(found, "id"),
    )


def _idcc(found: Json) -> int:
    """A number, or the same as text in older answers. Without one, nothing says which agreement it is."""
    value = found.get("num")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 6:
        value = int(value)
    # Five digits at most are known; what a GraphQL integer can't hold must not pass.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1_000_000:
        raise Unreadable
    return value


def _trimmed(found: Json, name: str) -> str | None:
    """Titles end with blanks now and then; line feeds inside them are the provider's."""
    value = reading.text(found, name)
    return None if value is None else value.strip()


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, ConventionsCollectives]] = Source(
    id="fabrique_numerique.conventions_collectives",
    how=Http(
        call=call,
        parse=parse,
        bulk=Bulk(size=_BATCH, call=call_bulk, parse=parse_bulk, missing_alone=True),
        steps=1,
    ),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # The list behind the service is months behind: a day more is safe, for an absence too.
    life=For(timedelta(days=1)),
    not_found_life=For(timedelta(days=1)),
    completion=None,
    max_bytes=8_000_000,
    stale_for=timedelta(days=7),
)

CONVENTIONS_COLLECTIVES: Final[Dataset[Siret, ConventionsCollectives, ConventionsCollectives]] = Dataset(
    id="fabrique_numerique.conventions_collectives",
    seed="conventions_collectives",
    title="Conventions collectives",
    description=(
        "Conventions collectives (IDCC) qu'un établissement déclare appliquer. Le service est déclaré obsolète par son "
        "éditeur, qui ne garantit pas ses données et conseille l'API publique « recherche d'entreprises »."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.CONVENTIONS_COLLECTIVES}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=ConventionsCollectives,
    read=as_is,
    source_date=None,
    perimeter=(
        "Établissements du secteur privé qui ont déclaré des salariés (DSN) et figurent dans la liste du ministère du "
        "Travail. Une convention absente de la base KALI n'est pas rendue : la liste peut être incomplète."
    ),
    key="SIRET",
    freshness="Liste du ministère republiée de loin en loin ; description des conventions chaque jour ; gardé un jour.",
    not_found_means="Aucune convention connue : établissement inconnu de la liste, sans salarié, ou convention hors KALI.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/fabrique_numerique_ministeres_sociaux/etablissements/{siret}/conventions_collectives",
    example=Siret("91020304100025"),
    left_out={
        "[].conventions[].nature": "Vaut « IDCC » dans tous les cas connus.",
        "[].conventions[].effectif": "Salariés couverts dans tout le pays : ce n'est pas l'effectif de l'établissement.",
        "[].conventions[].mtime": "Date technique de la base KALI.",
        "[].conventions[].texte_de_base": "Identifiant interne à la base KALI.",
        "[].siret": "Le SIRET demandé ; un autre rend la réponse illisible.",
    },
    open_questions=(
        "Combien de temps ce service, déclaré obsolète, restera-t-il ouvert ?",
        "Le nombre de SIRET par appel n'est borné que par la longueur de l'adresse : 90 au plus sont demandés ensemble.",
        "Les valeurs de `etat` autres que les deux connues sont servies telles quelles.",
        "Rien dans la réponse ne dit de quand date la liste du ministère.",
        "Quelle convention vaut pour une entreprise qui en a plusieurs n'est pas dit : la liste est par établissement.",
    ),
)
