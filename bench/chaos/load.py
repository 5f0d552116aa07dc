"""The callers, behind a balancer that does what one does: it asks `/pret`, turns in circle, and never repeats what was sent."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx
from stdnum import luhn

from bench.chaos.servers import Fleet, Worker
from graph.profile import PROFILE_QUERY
from sandbox.personas import PERSONAS

COMPANIES = 1500
LOOKS_EVERY = 0.2
GIVES_UP_AFTER = 40.0

DOCUMENTS: tuple[str, ...] = (
    "entreprise(siren: $s) { sirene { siren etatAdministratif formeJuridique { libelle } } siege { siret } }",
    "entreprise(siren: $s) { rcs { siren capital { montant } } mandatairesSociaux { items { nom fonction } } }",
    "entreprise(siren: $s) { attestations { vigilance { situation document { url } } fiscale { situation } } }",
    "entreprise(siren: $s) { attestations { agricole { situation } congesPayesBatiment { situation } } }",
    "entreprise(siren: $s) { certifications { bio { items { numeroBio } } rge { items { nomCertificat } } } }",
    "entreprise(siren: $s) { certifications { ingenierie { numeroCertificat } batiment { dateFinValidite } } }",
    "entreprise(siren: $s) { artisanat { dateImmatriculation } tva { tvaNumber } eori { id actif } }",
    "entreprise(siren: $s) { conventionsCollectives { items { idcc } } subventions { items { demandeSubvention { instruction { statutDemande } } } } }",
    "entreprise(siren: $s) { proprieteIntellectuelle { marques { count } } actes { actes { dateDepot } } }",
    "entreprise(siren: $s) { bilans { chiffresAffaires { items { chiffreAffaires } } banqueDeFrance { items { dateArreteExercice } } } }",
    "entreprises(sirens: [$s, $t, $u]) { sirene { siren etatAdministratif } rcs { siren } }",
    "moi { siret } fournisseurs { id etat circuit }",
)


def companies() -> list[str]:
    """The personas, and as many valid numbers that nobody bears."""
    others = (f"{stem}{luhn.calc_check_digit(str(stem))}" for stem in range(50_000_000, 50_000_000 + COMPANIES))
    return [*(persona.siren for persona in PERSONAS.values() if persona.siren), *others]


@dataclass(frozen=True, slots=True)
class Answer:
    """One request, as its caller saw it. `worker` is the last that it was sent to."""

    sent: float
    ended: float
    worker: str
    status: int
    """The HTTP status; 0 when the connection was cut after the request was sent; -1 when no worker took it."""
    request: str = ""
    data: bool = False
    told: tuple[tuple[str, str, str], ...] = ()
    """(dataset, subject, outcome) of each dataset that the answer speaks of."""
    failed: tuple[tuple[str, str], ...] = ()
    """(code, dataset) of each error."""
    excused: bool = False
    """The worker was killed while it held the request."""


@dataclass
class Balancer:
    """Which workers are sent requests: those whose `/pret` said yes."""

    fleet: Fleet
    ready: list[Worker] = field(default_factory=list)
    _turn: Iterator[int] = field(default_factory=itertools.count)

    async def watch(self) -> None:
        async with httpx.AsyncClient(timeout=2) as client:
            while True:
                self.ready = [worker for worker in await self._looked(client) if worker is not None]
                await asyncio.sleep(LOOKS_EVERY)

    async def _looked(self, client: httpx.AsyncClient) -> list[Worker | None]:
        async def look(worker: Worker) -> Worker | None:
            try:
                answer = await client.get(f"{worker.url}/pret")
            except httpx.HTTPError:
                return None
            # One whose database is away still answers, and says so by itself: only one that leaves is left alone.
            leaving = answer.json().get("statut") == "arret"
            return None if leaving else worker

        return await asyncio.gather(*(look(worker) for worker in list(self.fleet.serving)))

    def choose(self) -> Worker | None:
        ready = self.ready
        return ready[next(self._turn) % len(ready)] if ready else None


class Load:
    """So many requests a second, of many companies and documents, from callers that keep their connections."""

    def __init__(self, balancer: Balancer, token: str, rate: float, seed: int, documents: int = 300) -> None:
        self.answers: list[Answer] = []
        self.companies = companies()
        self._balancer = balancer
        self._headers = {"Authorization": f"Bearer {token}", "X-Contexte": "chaos", "X-Objet": "chaos"}
        self._every = 1 / rate
        self._documents = documents
        self._chance = random.Random(seed)
        self._waiting: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled; requests that left are waited for."""
        limits = httpx.Limits(max_keepalive_connections=20, max_connections=200)
        async with httpx.AsyncClient(timeout=GIVES_UP_AFTER, limits=limits, headers=self._headers) as client:
            try:
                while True:
                    task = asyncio.create_task(self._one(client))
                    self._waiting.add(task)
                    task.add_done_callback(self._waiting.discard)
                    await asyncio.sleep(self._chance.expovariate(1) * self._every)
            finally:
                await asyncio.gather(*self._waiting, return_exceptions=True)

    def _body(self) -> Mapping[str, object]:
        chance = self._chance
        few = chance.choices(self.companies[: 40 if chance.random() < 0.3 else None], k=3)
        if chance.random() < 0.02:
            return {"query": PROFILE_QUERY, "variables": {"siren": few[0]}}
        # The name varies, and so does the document's hash.
        text = f"query Chaos{chance.randrange(self._documents)}($s: Siren!, $t: Siren!, $u: Siren!) {{ {chance.choice(DOCUMENTS)} x: entreprise(siren: $s) {{ siren }} y: entreprises(sirens: [$t, $u]) {{ siren }} }}"
        return {"query": text, "variables": dict(zip("stu", few, strict=True))}

    async def _one(self, client: httpx.AsyncClient) -> None:
        body, sent = self._body(), time.time()
        worker: Worker | None = None
        for _ in range(5):
            worker = self._balancer.choose()
            if worker is None:
                await asyncio.sleep(LOOKS_EVERY)
                continue
            try:
                response = await client.post(f"{worker.url}/graphql", json=body)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                await asyncio.sleep(LOOKS_EVERY / 4)
                continue  # it never left
            except httpx.HTTPError:
                self.answers.append(Answer(sent, time.time(), worker.name, 0, excused=worker.killed))
                return
            self.answers.append(read(response, worker, sent))
            return
        self.answers.append(Answer(sent, time.time(), worker.name if worker else "", -1))


def read(response: httpx.Response, worker: Worker, sent: float) -> Answer:
    try:
        body = response.json()
    except ValueError:
        return Answer(sent, time.time(), worker.name, response.status_code, failed=(("?", ""),))
    extensions = body.get("extensions", {})
    errors = [error["extensions"] for error in body.get("errors", ())]
    return Answer(
        sent=sent,
        ended=time.time(),
        worker=worker.name,
        status=response.status_code,
        request=extensions.get("idRequete") or response.headers.get("x-request-id", ""),
        data=body.get("data") is not None,
        told=tuple((one["jeuDeDonnees"], one["sujet"], one["statut"]) for one in extensions.get("provenance", ())),
        failed=tuple((error.get("code", "?"), error.get("jeuDeDonnees", "")) for error in errors),
    )
