"""What a room declares: a `Provider`, its `Source`s and its `Dataset`s. Frozen data, no input or output.

- A `Source` is one way to ask a provider and to read its answer, and how long the answer lives.
  Two datasets read from one answer share one source, hence one call (Infogreffe's Kbis).
- A `Dataset` is a source seen as the State's catalogue sees it: title, openness, scopes, quota.
- `call` and `parse` are pure: a request as data, a record or an error of `providers.errors`.
  An exchange of several steps is still pure: `parse` returns a `Follow`, the next call as data.

No operational field has a default: forgetting one is a type error. A source, a dataset and a provider are equal to
themselves only: they can stand in a set or key a cache.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import Row, Select

from providers.errors import ProviderError

K = TypeVar("K")
"""A key: `Siren`, `Siret`, `Rna`, or a frozen dataclass that holds one as `sujet`."""
S = TypeVar("S")
"""What a source gives."""
R = TypeVar("R")
"""The public record of a dataset."""

PARIS = ZoneInfo("Europe/Paris")
EPOCH = datetime(1970, 1, 1, tzinfo=PARIS)


# --- What a call may know ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What `call` may use beside its key: the provider's settings, its session, and the declared reason.

    `recipient` is the SIRET of the public body entitled to the data; URSSAF wants it as beneficiary. `request_id` is
    ours, for the providers that keep one; `now` is the instant of the call, for those that want it.
    """

    settings: Mapping[str, str]
    session: str
    recipient: str
    request_id: str = ""
    now: datetime = EPOCH


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One HTTP request as data.

    `url` is absolute: built from `access.settings["url"]` (or another setting of the provider).
    At most one of `form`, `json`, `content` is given. Headers travel as written.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] | None = None
    json: Any = None
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Follow(Generic[S]):
    """The exchange isn't over: make this call too, and read its answer with this `parse`.

    The call is built from the access of the moment, so that a renewed session reaches it.
    """

    call: Callable[[Access], Call]
    parse: "Callable[[httpx.Response], S | Follow[S] | Delivered[S] | Fleeting[S]]"


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """Bytes that a provider delivered, already validated by the room (magic bytes, size)."""

    content: bytes
    name: str
    media_type: str
    kept_for: timedelta


@dataclass(frozen=True, slots=True)
class Delivered(Generic[S]):
    """An answer that holds a file: the road stores it, then `attach(document)` gives the value."""

    file: File
    attach: "Callable[[Any], S]"


@dataclass(frozen=True, slots=True)
class Fleeting(Generic[S]):
    """A good answer that must not be served again: the provider says that it is about to change."""

    value: S


# --- How long an answer lives --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class For:
    """So long after it was obtained."""

    span: timedelta

    def until(self, now: datetime) -> datetime:
        return now + self.span


@dataclass(frozen=True, slots=True)
class UntilTomorrow:
    """Until this hour of the next day, in Paris."""

    hour: time

    def until(self, now: datetime) -> datetime:
        tomorrow = now.astimezone(PARIS).date() + timedelta(days=1)
        return datetime.combine(tomorrow, self.hour, PARIS)


@dataclass(frozen=True, slots=True)
class UntilMonthEnd:
    """Until the first instant of the next month, in Paris."""

    def until(self, now: datetime) -> datetime:
        first = now.astimezone(PARIS).date().replace(day=1)
        next_month = (first + timedelta(days=32)).replace(day=1)
        return datetime.combine(next_month, time(), PARIS)


@dataclass(frozen=True, slots=True)
class NotKept:
    """Never cached: the next request asks again."""

    def until(self, now: datetime) -> datetime:
        return now


Life = For | UntilTomorrow | UntilMonthEnd | NotKept


# --- How to ask ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Bulk(Generic[K, S]):
    """One call for many keys.

    `parse` gives a value or an error for each key that the answer speaks of. A key that it leaves
    out is asked alone when `missing_alone` (the provider can tell more that way: a redirect, a legal
    restriction), else it is not found.
    """

    size: int
    call: Callable[[Sequence[K], Access], Call]
    parse: Callable[[httpx.Response, Sequence[K]], Mapping[K, S | ProviderError]]
    missing_alone: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Http(Generic[K, S]):
    """Asked over HTTP. `steps` bounds the calls of one exchange (redirected duplicates, pages)."""

    call: Callable[[K, Access], Call]
    parse: Callable[[httpx.Response, K], S | Follow[S] | Delivered[S] | Fleeting[S]]
    bulk: Bulk[K, S] | None
    steps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(Generic[K, S]):
    """Handed over as a file and loaded into a table: read in bulk with SQLAlchemy.

    `select` gives one row a key at the most; `read` turns a row into (key, value). `loaded` gives
    one row when a delivery is in service; with none, the dataset is unavailable, not empty.
    """

    select: Callable[[Sequence[K]], Select[Any]]
    read: Callable[[Row[Any]], tuple[K, S]]
    loaded: Callable[[], Select[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Completion(Generic[S]):
    """Values of another source that a record holds: labels of its codes.

    `wanted` lists the keys that the value needs; `apply` puts what could be had into it. A label
    that can't be had stays null: never a wrong label, never a failure of the dataset.
    """

    source: "Source[Any, Any]"
    wanted: Callable[[S], frozenset[Any]]
    apply: Callable[[S, Mapping[Any, Any]], S]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """Of one call: to open, to wait for the next bytes, and in all."""

    connect: timedelta
    read: timedelta
    total: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """How a file that stays at its provider is fetched. Its bytes are relayed as they come, never kept.

    `refuse` raises what a failing answer means; it is given the status and the headers, without the body. `media_type`
    judges by the first bytes what the file is, or raises; with none, it is what the record says. `max_bytes` bounds what is relayed.
    So many run at once as `max_concurrency` says, beside the calls for data: a file that takes minutes never takes their places.
    """

    call: Callable[[str, Access], Call]
    refuse: Callable[[httpx.Response], None]
    media_type: Callable[[bytes], str] | None
    timeouts: Timeouts
    max_bytes: int
    max_concurrency: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Source(Generic[K, S]):
    """One way to ask a provider. `id` is room.module, like the dataset it serves.

    `life` is how long a value may be served again; `not_found_life` the same for "not found", only
    where the provider's dossier says that it is safe.
    """

    id: str
    how: Http[K, S] | Table[K, S]
    timeouts: Timeouts
    life: Life
    not_found_life: Life
    completion: Completion[S] | None
    max_bytes: int
    also: "Callable[[S], Mapping[tuple[str, Any], Any]] | None" = None
    """Values of other sources that the answer holds whole, by (source id, key): a head office is an establishment."""
    download: "Download | None" = None
    """How a `DocumentDistant` of this source is fetched, from its `reference`."""
    stale_for: timedelta | None = None
    """How old a value may be when it is served because the provider fails; `None`: never. Not for what certifies."""


# --- What the catalogue says ---------------------------------------------------------------------


class Ouverture(StrEnum):
    """Who a dataset is for."""

    PUBLIQUE = "PUBLIQUE"
    PROTEGEE = "PROTEGEE"
    MIXTE = "MIXTE"
    """A public part for everyone, the rest for habilitated agents."""


class QuotaGroup(StrEnum):
    """Groups of datasets whose calls are counted together; figures in `resolvers.quotas`."""

    JSON = "json"
    DOCS_LOW = "docs_low"
    DOCS_HIGH = "docs_high"
    URSSAF = "urssaf"
    INPI_RNE = "inpi_rne"
    GIP_MDS = "gip_mds"


@dataclass(frozen=True, kw_only=True)
class Opening(Generic[R]):
    """Who may read a dataset, and how much of it.

    Holders of any of `scopes` may read it. Those who hold none of `unmasked_for` read it through `mask`,
    which hides, level by level, what an entity in partial diffusion does not show to the public, and gives
    `None` for an entity of which the public may not even know. With `by_diffusion`, the provider has no
    diffusion status of its own: the mask is applied unless INSEE says that the unit is fully open.
    """

    scopes: frozenset[str]
    unmasked_for: frozenset[str]
    mask: Callable[[R], R | None] | None
    by_diffusion: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset(Generic[K, S, R]):
    """One dataset of the catalogue: what it says, who may read it, how to get it.

    `seed` is its name in the State's catalogue. `read` turns the source's value into the public record, or
    raises `NotFound`. `source_date` gives the provider's own date of last update, when the record holds one.
    `left_out` names what the provider sends and the record does not show, with the reason.
    `example` is a key of a persona of the sandbox, for the catalogue's example query.
    """

    id: str
    seed: str | None
    title: str
    description: str
    ouverture: Ouverture
    opening: Opening[R]
    source: Source[K, S]
    record: type[R] | Any
    read: Callable[[S, K], R]
    source_date: Callable[[R], date | None] | None
    perimeter: str
    key: str
    freshness: str
    not_found_means: str
    quota: QuotaGroup
    rest_path: str
    example: Any
    left_out: Mapping[str, str]
    open_questions: tuple[str, ...]

    @property
    def provider_id(self) -> str:
        return self.id.partition(".")[0]


def as_is(value: S, _key: object) -> S:
    """The `read` of a dataset whose source gives the public record itself."""
    return value


# --- The room ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One setting of a provider: `GRAPHE_<PROVIDER>_<NAME>`, e.g. `GRAPHE_INFOGREFFE_CODE_ABONNE`.

    `default` is what the sandbox uses (an empty one means: set by the operator or not used);
    URLs of the sandbox are given by `sandbox_path` instead, below the simulator's address.
    """

    name: str
    help: str
    secret: bool
    default: str
    sandbox_path: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionToken:
    """What a login gave: the value that calls carry, and how long the provider says it lives."""

    value: str
    expires_in: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A login shared by all calls of a provider, renewed ahead of its end with `margin`.

    `needed` tells from the settings whether this plane wants one. `refused` recognises the
    answer of a data call whose session the provider no longer takes: the session is renewed and the call
    replayed once. `still_refused` is the error when that did not help. A login answer that `parse` finds
    unreadable is asked again `attempts` times in all, `pause` apart. A login of two calls: `parse` gives a `Follow`.
    """

    needed: Callable[[Mapping[str, str]], bool]
    call: Callable[[Access], Call]
    parse: Callable[[httpx.Response], SessionToken | Follow[SessionToken]]
    refused: Callable[[httpx.Response], bool]
    still_refused: Callable[[], ProviderError]
    timeouts: Timeouts
    margin: timedelta
    attempts: int
    pause: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Maintenance:
    """A planned window, in Paris. `weekday` (0 Monday) or `day` narrow it; it may cross midnight."""

    start: time
    end: time
    weekday: int | None = None
    day: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """So many calls over any span of this length, all workers together: the provider's own limit.

    `when` tells from the settings whether it holds on this plane; always when `None`.
    """

    calls: int
    per: timedelta
    when: Callable[[Mapping[str, str]], bool] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A harmless call that tells whether the provider is up, at most `every` so often, when no traffic tells it.

    Only one that the provider documents, and that reads nothing of any company. Its `url` is empty where the settings don't say
    where to ask. An answer from which `healthy` raises is not healthy.
    """

    call: Callable[[Access], Call]
    healthy: Callable[[httpx.Response], bool]
    every: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCertificate:
    """Mutual TLS: names of the settings that hold the paths of the certificate and of its key (PEM)."""

    certificate_setting: str
    key_setting: str
    authority_setting: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Provider:
    """One room. `code` is the two-digit prefix of its error codes; `label` its name in `meta.provider`."""

    id: str
    label: str
    title: str
    code: str
    home_page: str
    contact: str
    settings: tuple[Setting, ...]
    session: Session | None
    certificate: ClientCertificate | None
    maintenance: tuple[Maintenance, ...]
    rates: tuple[Rate, ...]
    probe: Probe | None
    max_concurrency: int
    datasets: tuple[Dataset[Any, Any, Any], ...] = field(default=())
    tables: tuple[Any, ...] = field(default=())


def subject_of(key: object) -> str:
    """The SIREN, SIRET or RNA that a key speaks of: what the journal records."""
    return key if isinstance(key, str) else str(key.sujet)  # type: ignore[attr-defined]
