"""Reminders: each threshold once per contact, whatever the clock does; never the token."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.caller import Usage
from auth.contacts import Person, Role, replace_contacts
from auth.issuing import Issued, grant, issue
from auth.lifecycle import prolong, revoke
from auth.mailer import FolderMailer, Letter, NotSent
from auth.reminders import THRESHOLDS, days_left, due, letter_of, pending, remind
from auth.tokens import Tokens
from tests.conftest import START, Clock

ADA = Person(Role.DEMANDEUR, "Ada Exemple", "ada@exemple.fr")
BOB = Person(Role.TECHNIQUE, "Bob Exemple", "bob@exemple.fr")


@dataclasses.dataclass
class Box:
    """A mailer that keeps the letters; `broken` makes it fail."""

    letters: list[Letter] = dataclasses.field(default_factory=list)
    broken: bool = False

    async def send(self, letter: Letter) -> None:
        if self.broken:
            raise NotSent("down")
        self.letters.append(letter)


async def granted(engine: AsyncEngine, tokens: Tokens, *people: Person) -> Issued:
    async with engine.begin() as connection:
        habilitation = await grant(
            connection, siret="13002526500013", intitule="Essai", usage=Usage.BACK_OFFICE, scopes=["open_data"],
            now=START, contacts=people,
        )  # fmt: skip
        return await issue(
            connection, tokens, habilitation=habilitation, intitule="Essai", scopes=["open_data"], now=START
        )


def clocks() -> st.SearchStrategy[list[int]]:
    """Any clock: hours from the expiry, forwards, backwards, in jumps."""
    return st.lists(st.integers(-24 * 40, 24 * 120), max_size=60)


@given(clocks())
def test_each_threshold_is_told_at_most_once_and_they_only_come_closer(hours: list[int]) -> None:
    expiry = datetime(2027, 9, 10, 9, 30, tzinfo=UTC)
    sent: list[int] = []
    for before in hours:
        left = days_left(expiry, expiry - timedelta(hours=before))
        threshold = due(left, sent)
        if threshold is not None:
            assert left <= threshold
            sent.append(threshold)
    assert sent == sorted(set(sent), reverse=True)
    assert set(sent) <= set(THRESHOLDS)


@given(st.lists(st.integers(1, 24 * 6), min_size=400, max_size=400))
def test_a_clock_that_runs_forward_tells_every_threshold(steps: list[int]) -> None:
    expiry = datetime(2027, 9, 10, 9, 30, tzinfo=UTC)
    now, sent = expiry - timedelta(days=100), []
    for step in steps:
        threshold = due(days_left(expiry, now), sent)
        if threshold is not None:
            sent.append(threshold)
        now += timedelta(hours=step)
        if now > expiry + timedelta(days=14):
            break
    else:
        now = expiry
    if now > expiry + timedelta(days=8):
        assert sent == list(THRESHOLDS)


@pytest.mark.parametrize("run", [1, 2])
async def test_every_contact_gets_every_letter_once(
    engine: AsyncEngine, tokens: Tokens, clock: Clock, run: int
) -> None:
    await granted(engine, tokens, ADA, BOB)
    box = Box()
    clock.instant = datetime(2027, 6, 1, 8, tzinfo=UTC)
    for _ in range(125):
        for _ in range(run):
            await remind(engine, box, clock())
        clock.advance(days=1)
    for person in (ADA, BOB):
        assert [letter.subject for letter in box.letters if letter.to == person.courriel] == [
            "Votre jeton expire dans 90 jours", "Votre jeton expire dans 60 jours", "Votre jeton expire dans 30 jours",
            "Votre jeton expire dans 15 jours", "Votre jeton expire dans 7 jours", "Votre jeton expire aujourd'hui",
        ]  # fmt: skip


async def test_a_missed_threshold_is_not_made_up_for(engine: AsyncEngine, tokens: Tokens) -> None:
    await granted(engine, tokens, ADA)
    box = Box()
    await remind(engine, box, datetime(2027, 8, 1, 8, tzinfo=UTC))
    await remind(engine, box, datetime(2027, 6, 15, 8, tzinfo=UTC))
    assert [letter.subject for letter in box.letters] == ["Votre jeton expire dans 40 jours"]


async def test_one_person_in_two_roles_is_one_person(engine: AsyncEngine, tokens: Tokens) -> None:
    same = Person(Role.TECHNIQUE, "Ada Exemple", "ADA@exemple.fr")
    await granted(engine, tokens, ADA, same)
    box = Box()
    for _ in range(2):
        await remind(engine, box, datetime(2027, 8, 1, 8, tzinfo=UTC))
    assert [letter.to for letter in box.letters] == ["ada@exemple.fr"]


async def test_a_letter_that_could_not_leave_leaves_with_the_next_run(engine: AsyncEngine, tokens: Tokens) -> None:
    await granted(engine, tokens, ADA)
    box = Box(broken=True)
    now = datetime(2027, 8, 1, 8, tzinfo=UTC)
    done = await remind(engine, box, now)
    assert (len(done.reminders), len(done.failed)) == (0, 1)
    box.broken = False
    assert len((await remind(engine, box, now)).reminders) == 1
    assert len(box.letters) == 1


async def test_prolongation_starts_a_new_series_and_revocation_ends_it(engine: AsyncEngine, tokens: Tokens) -> None:
    issued = await granted(engine, tokens, ADA)
    box = Box()
    now = datetime(2027, 8, 1, 8, tzinfo=UTC)
    await remind(engine, box, now)
    async with engine.begin() as connection:
        until = await prolong(connection, issued.jeton, now)
    await remind(engine, box, now)
    assert len(box.letters) == 1
    await remind(engine, box, until - timedelta(days=80))
    assert len(box.letters) == 2
    async with engine.begin() as connection:
        await revoke(connection, issued.jeton, until, until - timedelta(days=70))
    await remind(engine, box, until - timedelta(days=20))
    assert len(box.letters) == 2


async def test_a_contact_that_left_is_written_to_no_more(engine: AsyncEngine, tokens: Tokens) -> None:
    issued = await granted(engine, tokens, ADA, BOB)
    now = datetime(2027, 8, 1, 8, tzinfo=UTC)
    async with engine.begin() as connection:
        await replace_contacts(connection, issued.habilitation, [BOB], START)
        wanted = await pending(connection, now)
    assert [reminder.courriel for reminder in wanted] == ["bob@exemple.fr"]


async def test_the_letter_names_the_habilitation_and_holds_no_token(
    engine: AsyncEngine, tokens: Tokens, tmp_path: Path
) -> None:
    issued = await granted(engine, tokens, ADA)
    await remind(
        engine, FolderMailer(tmp_path / "courriels", "service@exemple.fr"), datetime(2027, 8, 1, 8, tzinfo=UTC)
    )
    (written,) = (tmp_path / "courriels").iterdir()
    content = written.read_bytes()
    assert b"To: ada@exemple.fr" in content
    assert issued.text.encode() not in content
    assert issued.jeton.encode() not in content


@settings(max_examples=30)
@given(st.text(alphabet="a\r\nbcc: @.fr", max_size=30))
def test_nothing_in_a_contact_makes_another_header(address: str) -> None:
    letter = Letter(to=address, subject="Essai", text="…")
    mailer = FolderMailer(Path("/nonexistent"), "service@exemple.fr")
    from auth.mailer import _message

    try:
        message = _message(letter, mailer.sender)
    except ValueError:
        return
    assert sorted(message.keys()) == sorted(set(message.keys()))
    assert "bcc" not in {name.lower() for name in message}


def test_only_the_applicant_is_told_to_prolong() -> None:
    from auth.reminders import Reminder

    expiry = datetime(2027, 9, 10, 9, 30, tzinfo=UTC)
    one = Reminder(
        jeton="j", contact="c", courriel="x@exemple.fr", role="technique", intitule="Essai", expire_le=expiry, jours=7,
        restants=1,
    )  # fmt: skip
    assert "Seul le demandeur" in letter_of(one).text
    assert letter_of(one).subject == "Votre jeton expire dans 1 jour"
    assert "Vous pouvez le prolonger" in letter_of(dataclasses.replace(one, role="demandeur")).text
