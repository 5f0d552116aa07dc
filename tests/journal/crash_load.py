"""A client in a process of its own: `crash_load.py URL TOKEN FIRST`, asks about companies that nobody asked about yet.

It says each answer that it received whole, `request-id siren`, one a line, and ends when the server is gone.
"""

import asyncio
import itertools
import sys

import httpx
from stdnum import luhn

AT_ONCE = 12
QUERY = """query Charge($s: Siren!) { entreprise(siren: $s) {
    sirene { siren } artisanat { modaliteExercice } certifications { ingenierie { numeroCertificat } } rcs { siren } } }"""


def sirens(first: int) -> "itertools.chain[str]":
    """Valid numbers, from the `first` on."""
    return itertools.chain.from_iterable(
        [f"{stem}{luhn.calc_check_digit(str(stem))}"] for stem in itertools.count(first)
    )


async def main(url: str, token: str, first: int) -> None:
    numbers = iter(sirens(first))
    headers = {"Authorization": f"Bearer {token}", "X-Contexte": "Essai", "X-Objet": "Charge"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client:

        async def caller() -> None:
            for siren in numbers:
                try:
                    response = await client.post("/graphql", json={"query": QUERY, "variables": {"s": siren}})
                except httpx.HTTPError:
                    return
                if response.status_code == 200:
                    sys.stdout.write(f"{response.json()['extensions']['idRequete']} {siren}\n")
                    sys.stdout.flush()

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
