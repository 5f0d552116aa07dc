"""Memory of one worker: idle, after many companies, after many documents. `python -m bench memory`."""

import itertools

from bench.figures import show
from bench.profile import CACHED, ordinary
from bench.stage import stage

COMMAND = "python -m bench memory"


def run(quick: bool) -> None:
    companies, documents = (200, 200) if quick else (10_000, 10_000)
    with stage(GRAPHE_QUOTAS="false") as found:
        rows = [{"after": "start", "RSS MB": found.memory(peak=False)}]
        bodies = [{"query": CACHED, "variables": {"siren": siren}} for siren in itertools.islice(ordinary(), companies)]
        found.load(bodies, connections=8, seconds=600, requests=companies, errors=True)
        rows.append({"after": f"{companies:,} distinct companies", "RSS MB": found.memory(peak=False)})
        texts = [f"query Q{number} {{ moi {{ siret a{number}: usage }} }}" for number in range(documents)]
        found.load([{"query": text} for text in texts], connections=8, seconds=600, requests=documents)
        rows.append({"after": f"{documents:,} distinct documents", "RSS MB": found.memory(peak=False)})
    show("Memory: one worker", rows, command=COMMAND)
