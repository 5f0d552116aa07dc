"""A process that writes to a journal: `journal_load.py URL REQUESTS`, endless with 0.

Before each group it says nothing; after each commit it says what was acknowledged: `I id` for an intention, `O id` for
an outcome. One request in five leaves its intention open.
"""

import asyncio
import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from journal_samples import KEY, intention, origin, outcome

from tracing.entry import Entry
from tracing.journal import Journal

AT_ONCE = 20


def say(word: str, entry: Entry) -> None:
    sys.stdout.write(f"{word} {entry.id}\n")
    sys.stdout.flush()


async def request(journal: Journal, number: int) -> None:
    opened = intention(origin())
    await journal.commit([opened])
    say("I", opened)
    if number % 5:
        closed = outcome(opened)
        await journal.commit([closed])
        say("O", closed)


async def main(url: str, requests: int) -> None:
    journal = await Journal.open(url, signing_key=KEY)
    numbers = iter(range(requests)) if requests else itertools.count()

    async def caller() -> None:
        for number in numbers:
            await request(journal, number)

    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
