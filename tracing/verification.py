"""Finds in a journal any link altered, removed, inserted or moved, and says where.

`Verifier` reads links in the order of their positions, from a database or from an archive alike: it knows neither.
What it can't see: links after the last seal of a writer that is still alive, rewritten or cut off by somebody who may
write the database; and the last seals themselves, unless the caller remembers the last one he saw (`anchor`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tracing.chain import NO_SEAL, Seal, entry_digest, genesis, key_name, origin_digest, signature_holds
from tracing.rows import Month, Row, clean, payload_of, sequence_of, writer_of

RETENTION_MONTHS = 36
_SHIFTS = tuple(step for size in range(1, 17) for step in (size, -size))
_SUSPECTS_COMPARED = 64


class Kind(StrEnum):
    """What happened to a link or to a seal."""

    ALTERE = "ALTERE"
    """The content is not the one that was chained, or the digest of the link before is not its own."""
    SUPPRIME = "SUPPRIME"
    INSERE = "INSERE"
    DEPLACE = "DEPLACE"
    """The content was chained, but elsewhere."""
    SCELLE_AUTREMENT = "SCELLE_AUTREMENT"
    """The links agree with each other but not with the seal: rewritten since the seal before."""
    SCEAU_ALTERE = "SCEAU_ALTERE"
    SCEAU_SUPPRIME = "SCEAU_SUPPRIME"
    SCEAU_NON_SIGNE = "SCEAU_NON_SIGNE"
    """No known public key signed it."""
    PURGE_PRECOCE = "PURGE_PRECOCE"
    """Removed by a purge, before its 36 months."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Where: sequence numbers of one writer, or numbers of seals when `ecrivain` is none."""

    nature: Kind
    ecrivain: int | None
    premier: int
    dernier: int
    id: str | None = None
    """Of the entry, when the problem is one entry."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last seal somebody saw: numbers and digests noted outside the database prove that none is missing."""

    numero: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found."""

    liens: int
    sceaux: int
    non_scelles: int
    """Links after the last seal of their writer: chained, not signed yet."""
    problemes: tuple[Problem, ...]
    ancre: Anchor | None
    """To note, and to give to the next verification."""

    @property
    def intact(self) -> bool:
        return not self.problemes


@dataclass(frozen=True, slots=True)
class Link:
    """One stored row: an origin, or an entry."""

    entry: bool
    row: Row

    @property
    def rang(self) -> int:
        return int(self.row[0])

    @property
    def stored(self) -> bytes:
        return bytes(self.row[-1])

    @property
    def id(self) -> str | None:
        return str(self.row[6]) if self.entry else None

    def digest_after(self, previous: bytes, rang: int) -> bytes:
        """What its digest would be at that position."""
        if not self.entry:
            return origin_digest(previous, rang, _payload(self.row[1:-1]))
        return entry_digest(previous, rang, self.row[1], self.row[2], _payload(self.row[3:-1]))


def _payload(content: Row) -> bytes:
    # Only a forged archive holds what can't be stored: it must not stop the verification.
    return payload_of(content) or payload_of(clean(content)) or b""


@dataclass(frozen=True, slots=True)
class Run:
    """Links that a purge removed, without a hole between them, and the digest of the last."""

    first: int
    last: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.first}-{self.last}:{self.digest.hex()}"

    @classmethod
    def parse(cls, text: str) -> "Run":
        positions, _, digest = text.partition(":")
        first, _, last = positions.partition("-")
        return cls(int(first), int(last), bytes.fromhex(digest))


def check_seals(
    seals: Iterable[Seal], public_keys: Sequence[bytes], anchor: Anchor | None
) -> tuple[list[Problem], Anchor | None]:
    """The chain of seals alone, in the order of their numbers."""
    keys = {key_name(key): key for key in public_keys}
    problems: list[Problem] = []
    previous, expected, seen = NO_SEAL, 1, anchor is None
    last: Seal | None = None
    for seal in seals:
        if seal.numero != expected:
            problems.append(Problem(Kind.SCEAU_SUPPRIME, None, expected, seal.numero - 1))
        elif seal.precedent != previous:
            problems.append(Problem(Kind.SCEAU_ALTERE, None, expected - 1, seal.numero))
        if keys:
            if seal.cle not in keys:
                problems.append(Problem(Kind.SCEAU_NON_SIGNE, None, seal.numero, seal.numero))
            elif not signature_holds(seal, keys[seal.cle]):
                problems.append(Problem(Kind.SCEAU_ALTERE, None, seal.numero, seal.numero))
        previous, expected, last = seal.digest, seal.numero + 1, seal
        if anchor is not None and seal.numero == anchor.numero:
            seen = True
            if seal.digest != anchor.digest:
                problems.append(Problem(Kind.SCEAU_ALTERE, None, seal.numero, seal.numero))
    if anchor is not None and not seen:
        problems.append(Problem(Kind.SCEAU_SUPPRIME, None, expected, anchor.numero))
    return problems, None if last is None else Anchor(last.numero, last.digest)


@dataclass(slots=True)
class Suspect:
    """A link whose digest is not the one its content and its predecessor make."""

    link: Link
    previous: bytes
    computed: bytes


@dataclass(slots=True)
class Walk:
    """Where the reading of one writer stands."""

    writer: int
    expected: int = 1
    previous: bytes | None = None
    before: bytes | None = None
    """The digest before `previous`."""
    shift: int = 0
    """How far the links stand from where they were chained, some being inserted or removed and the rest renumbered."""
    sealed: int = 0
    """The last sequence number under a seal that agreed."""
    broken: bool = False
    """A seal disagreed already: the later ones add nothing."""
    suspects: list[Suspect] = field(default_factory=list)


class Verifier:
    """Feed it the links by increasing position, then ask for the `report`."""

    def __init__(
        self,
        seals: Iterable[Seal],
        purges: Iterable[tuple[int, str, Sequence[str]]],
        *,
        public_keys: Sequence[bytes],
        anchor: Anchor | None = None,
    ) -> None:
        """`purges` are the instant, the code and the fields of the entries of nature PURGE."""
        self._count = 0
        self._links = 0
        self._unsealed = 0
        self._heads: dict[int, bytes] = {}
        self._finals: dict[int, int] = {}
        self._last_sealed: dict[int, int] = {}
        self._problems, self._anchor = check_seals(self._note(seals), public_keys, anchor)
        self._runs = self._read(purges)
        self._walk: Walk | None = None
        self._writers: set[int] = set()

    def feed(self, link: Link) -> None:
        self._links += 1
        writer, sequence = writer_of(link.rang), sequence_of(link.rang)
        if self._walk is None or self._walk.writer != writer:
            self._finish()
            self._walk = Walk(writer, previous=genesis(writer))
            if writer in self._writers:
                self._say(Kind.DEPLACE, writer, sequence, sequence, link.id)
            self._writers.add(writer)
        walk = self._walk
        if sequence < walk.expected:
            self._say(Kind.INSERE, writer, sequence, sequence, link.id)
            return
        if sequence > walk.expected:
            self._gap(walk, sequence - 1)
        final = self._finals.get(writer)
        if final is not None and sequence > final:
            self._say(Kind.INSERE, writer, sequence, sequence, link.id)
        elif walk.previous is not None:
            self._compare(walk, link, walk.previous)
        walk.before, walk.previous, walk.expected = walk.previous, link.stored, sequence + 1
        self._compare_seal(walk, link.rang, link.stored)

    def report(self) -> Report:
        self._finish()
        self._walk = None
        for writer in sorted(self._last_sealed.keys() - self._writers):
            if self._last_sealed[writer]:
                self._gap(Walk(writer, previous=genesis(writer)), self._last_sealed[writer])
        return Report(self._links, self._count, self._unsealed, tuple(self._problems), self._anchor)

    def _note(self, seals: Iterable[Seal]) -> Iterable[Seal]:
        for seal in seals:
            self._count += 1
            writer, sequence = writer_of(seal.rang), sequence_of(seal.rang)
            self._heads[seal.rang] = seal.tete
            self._last_sealed[writer] = max(sequence, self._last_sealed.get(writer, 0))
            if seal.final:
                self._finals[writer] = sequence
            yield seal

    def _read(self, purges: Iterable[tuple[int, str, Sequence[str]]]) -> Mapping[int, list[Run]]:
        runs: dict[int, list[Run]] = {}
        for instant, code, fields in purges:
            found = [Run.parse(text) for text in fields]
            early = Month.parse(code).plus(RETENTION_MONTHS + 1).start > instant
            for run in found:
                if early:
                    self._say(Kind.PURGE_PRECOCE, writer_of(run.first), sequence_of(run.first), sequence_of(run.last))
                runs.setdefault(run.first, []).append(run)
        for same in runs.values():
            same.sort(key=lambda run: run.last, reverse=True)
        return runs

    def _gap(self, walk: Walk, last: int) -> None:
        """Links from `expected` to `last` are absent: purged, or removed."""
        base = walk.writer << 40
        sequence, removed = walk.expected, 0
        while sequence <= last:
            run = next((run for run in self._runs.get(base + sequence, ()) if sequence_of(run.last) <= last), None)
            if run is None:
                removed = removed or sequence
                walk.previous = None
                sequence += 1
                continue
            if removed:
                self._say(Kind.SUPPRIME, walk.writer, removed, sequence - 1)
                removed = 0
            walk.before, walk.previous = None, run.digest
            self._compare_seal(walk, run.last, run.digest)
            sequence = sequence_of(run.last) + 1
        if removed:
            self._say(Kind.SUPPRIME, walk.writer, removed, last)
        walk.expected = last + 1

    def _compare(self, walk: Walk, link: Link, previous: bytes) -> None:
        computed = link.digest_after(previous, link.rang - walk.shift)
        if computed == link.stored:
            return
        suspect = walk.suspects[-1] if walk.suspects else None
        after_suspect = suspect is not None and suspect.link.rang == link.rang - 1
        if suspect is not None and after_suspect and link.digest_after(suspect.computed, link.rang) == link.stored:
            # The content of the link before is right: its stored digest was altered.
            return
        # Two neighbours that changed places look like one inserted: the former follows the latter.
        swapped = suspect is not None and (
            suspect.link.digest_after(link.stored, link.rang) == suspect.link.stored and after_suspect
        )
        for shift in () if swapped else _SHIFTS:
            moved = link.rang - walk.shift - shift
            inserted = shift > 0 and walk.before is not None and link.digest_after(walk.before, moved) == link.stored
            removed = shift < 0 and link.digest_after(previous, moved) == link.stored
            if (inserted or removed) and suspect is not None and after_suspect:
                walk.suspects.pop()
                place = sequence_of(suspect.link.rang)
                if inserted:
                    self._say(Kind.INSERE, walk.writer, place, place, suspect.link.id)
                else:
                    self._say(Kind.SUPPRIME, walk.writer, place, place - shift - 1)
                walk.shift += shift
                return
        walk.suspects.append(Suspect(link, previous, computed))

    def _compare_seal(self, walk: Walk, rang: int, stored: bytes) -> None:
        tete = self._heads.get(rang)
        if tete is None:
            return
        sequence = sequence_of(rang)
        if tete == stored:
            walk.sealed = sequence
        elif not walk.broken:
            walk.broken = True
            self._say(Kind.SCELLE_AUTREMENT, walk.writer, walk.sealed + 1, sequence)

    def _finish(self) -> None:
        walk = self._walk
        if walk is None:
            return
        last_sealed = self._last_sealed.get(walk.writer, 0)
        self._unsealed += max(0, walk.expected - 1 - last_sealed)
        if last_sealed >= walk.expected:
            self._gap(walk, last_sealed)
        for kind, suspect in judge(walk.suspects):
            sequence = sequence_of(suspect.link.rang)
            self._say(kind, walk.writer, sequence, sequence, suspect.link.id)

    def _say(self, kind: Kind, writer: int, first: int, last: int, id: str | None = None) -> None:
        self._problems.append(Problem(kind, writer, first, last, id))


def judge(suspects: Sequence[Suspect]) -> list[tuple[Kind, Suspect]]:
    """Which of the links that don't fit were moved, which altered, and which only follow a link that was moved."""
    if len(suspects) > _SUSPECTS_COMPARED:
        return [(Kind.ALTERE, suspect) for suspect in suspects]
    digests = {suspect.link.stored for suspect in suspects}
    verdicts = []
    for suspect in suspects:
        link = suspect.link
        if any(link.digest_after(digest, link.rang) == link.stored for digest in digests):
            continue
        moved = any(
            link.digest_after(previous, other.link.rang) in (other.link.stored, link.stored)
            for other in suspects
            if other is not suspect
            for previous in (other.previous, *digests)
        )
        verdicts.append((Kind.DEPLACE if moved else Kind.ALTERE, suspect))
    return verdicts
