"""The two kinds of row that the journal stores, and how an entry becomes one and comes back.

What the entries of one request share is stored once, as an origin; each entry is a row of its own that names
its origin. Both are links of the same chain. A position (`rang`) is the writer's number in the high bits and the
link's sequence number in the low ones: it orders the chain, whatever the clock says. `demande` is the instant of
the origin, repeated on its entries: it orders the reading and chooses the month, so a request is kept or purged
as a whole.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self, TypeAlias

import msgspec

from tracing.entry import Entry, Issue, Nature, Origin

Row: TypeAlias = tuple[Any, ...]
"""One stored row, columns in the order of `ORIGIN_COLUMNS` or `ENTRY_COLUMNS`; its types are those of the columns."""

ORIGIN_COLUMNS = (
    "rang",
    "instant",
    "requete",
    "habilitation",
    "jeton",
    "siret_habilite",
    "agent",
    "contexte",
    "objet",
    "destinataire",
    "operation",
    "document",
    "adresse",
    "agent_utilisateur",
    "empreinte",
)

ENTRY_COLUMNS = (
    "rang",
    "origine",
    "demande",
    "instant",
    "nature",
    "issue",
    "id",
    "sujet",
    "jeu_de_donnees",
    "fournisseur",
    "champs",
    "code",
    "portees_manquantes",
    "cache",
    "perimee",
    "duree_ms",
    "statut_http",
    "intention",
    "empreinte",
)

# Stored numbers: a word may be added at the end, none may change its number.
NATURE_NUMBERS: Mapping[Nature, int] = {
    Nature.INTENTION: 0,
    Nature.ACCES: 1,
    Nature.DOCUMENT: 2,
    Nature.PURGE: 3,
}
ISSUE_NUMBERS: Mapping[Issue, int] = {
    Issue.EN_COURS: 0,
    Issue.REPONDU: 1,
    Issue.INTROUVABLE: 2,
    Issue.ECHEC: 3,
    Issue.REFUSE: 4,
    Issue.ABANDONNE: 5,
    Issue.INTERROMPU: 6,
}
NATURES: Mapping[int, Nature] = {number: nature for nature, number in NATURE_NUMBERS.items()}
ISSUES: Mapping[int, Issue] = {number: issue for issue, number in ISSUE_NUMBERS.items()}
# By their words: the hash of a member of an enumeration is slow, that of a text is kept.
_NATURE_OF_WORD = {nature._value_: number for nature, number in NATURE_NUMBERS.items()}
_ISSUE_OF_WORD = {issue._value_: number for issue, number in ISSUE_NUMBERS.items()}

SEQUENCE_BITS = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode


def rank(writer: int, sequence: int) -> int:
    """The position of one link among those of all writers."""
    return writer << SEQUENCE_BITS | sequence


def writer_of(rang: int) -> int:
    return rang >> SEQUENCE_BITS


def sequence_of(rang: int) -> int:
    return rang & (1 << SEQUENCE_BITS) - 1


def microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


class Month(NamedTuple):
    """A calendar month, UTC; orders as it reads."""

    year: int
    month: int

    @classmethod
    def of(cls, value: int) -> Self:
        instant = instant_of(value)
        return cls(instant.year, instant.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of `2026-05`, or of the suffix of a table, `202605`."""
        digits = text.replace("-", "")
        return cls(int(digits[:4]), int(digits[4:]))

    def plus(self, months: int) -> "Month":
        years, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(years, month + 1)

    @property
    def start(self) -> int:
        return microseconds(datetime(self.year, self.month, 1, tzinfo=UTC))

    @property
    def suffix(self) -> str:
        return f"{self.year:04}{self.month:02}"

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


class Draft(NamedTuple):
    """An entry ready to be linked: encoded and cleaned, without its place in the chain yet."""

    entry: Entry
    instant: int
    content: Row
    """The columns of the entry from `instant` to `intention`."""
    payload: bytes


def draft(entry: Entry) -> Draft:
    content = _entry_content(entry)
    payload = payload_of(content)
    if payload is None:
        content = clean(content)
        payload = _encode(content)
    return Draft(entry, content[0], content, payload)


def origin_content(origin: Origin, instant: int) -> tuple[Row, bytes]:
    """The columns of an origin from `instant` to `agent_utilisateur`, and their bytes."""
    content: Row = (
        instant,
        origin.requete,
        origin.habilitation,
        origin.jeton,
        origin.siret_habilite,
        origin.agent,
        origin.contexte,
        origin.objet,
        origin.destinataire,
        origin.operation,
        origin.document,
        origin.adresse,
        origin.agent_utilisateur,
    )
    payload = payload_of(content)
    if payload is None:
        content = clean(content)
        payload = _encode(content)
    return content, payload


def payload_of(content: Row) -> bytes | None:
    """The canonical bytes of a row's content; none when a text holds what a database can't store."""
    try:
        payload = _encode(content)
    except UnicodeEncodeError:
        return None
    return None if b"\\u0000" in payload else payload


def clean(content: Row) -> Row:
    """PostgreSQL stores neither NUL nor lone surrogates; a caller could send them to stop the journal for all."""
    return tuple(
        value.replace("\0", "\ufffd").encode(errors="replace").decode() if isinstance(value, str) else value
        for value in content
    )


def _entry_content(entry: Entry) -> Row:
    return (
        (entry.instant - _EPOCH) // _MICROSECOND,
        _NATURE_OF_WORD[entry.nature._value_],
        _ISSUE_OF_WORD[entry.issue._value_],
        entry.id,
        entry.sujet,
        entry.jeu_de_donnees,
        entry.fournisseur,
        ",".join(entry.champs),
        entry.code,
        ",".join(entry.portees_manquantes),
        1 if entry.cache else 0,
        1 if entry.perimee else 0,
        None if entry.duree_ms is None else float(entry.duree_ms),
        entry.statut_http,
        entry.intention,
    )


def read_origin(row: Sequence[Any]) -> Origin:
    """The origin of a row of `ORIGIN_COLUMNS`."""
    return Origin(
        requete=row[2],
        habilitation=row[3],
        jeton=row[4],
        siret_habilite=row[5],
        agent=row[6],
        contexte=row[7],
        objet=row[8],
        destinataire=row[9],
        operation=row[10],
        document=row[11],
        adresse=row[12],
        agent_utilisateur=row[13],
    )


def read_entry(row: Sequence[Any], origin: Origin) -> Entry:
    """The entry of a row of `ENTRY_COLUMNS`."""
    return Entry(
        id=str(row[6]),
        nature=NATURES[row[4]],
        instant=instant_of(row[3]),
        origine=origin,
        sujet=row[7],
        jeu_de_donnees=row[8],
        fournisseur=row[9],
        champs=_words(row[10]),
        issue=ISSUES[row[5]],
        code=row[11],
        portees_manquantes=_words(row[12]),
        cache=bool(row[13]),
        perimee=bool(row[14]),
        duree_ms=row[15],
        statut_http=row[16],
        intention=None if row[17] is None else str(row[17]),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
