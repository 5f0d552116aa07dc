"""The profile: cached, fanned out over slow providers, and growing. `python -m bench profile`."""

import itertools
import json
import statistics

from bench.figures import show
from bench.stage import Stage, stage
from sandbox.insee import Lot, lot
from sandbox.personas import CLAIR_VALLON, GROUPE, with_check_digit

COMMAND = "python -m bench profile"

OF_INSEE = """siren
 sirene { siren siretSiegeSocial type categorieEntreprise personneMoraleAttributs { raisonSociale sigle } statusDiffusion
  diffusableCommercialement formeJuridique { code libelle } activitePrincipale { code nomenclature libelle }
  activitePrincipaleNafRev2 { code nomenclature libelle } trancheEffectifSalarie { code intitule de a dateReference }
  economieSocialeEtSolidaire etatAdministratif dateCreation dateCessation dateDerniereMiseAJour }
 siege { siret sirene { siegeSocial enseigne etatAdministratif dateCreation activitePrincipale { code libelle }
   trancheEffectifSalarie { code intitule } }
  adresse { numeroVoie typeVoie libelleVoie codePostal libelleCommune codeCommune acheminementPostal { l1 l4 l6 l7 } }"""
"""What memory keeps of any company: some 46 leaves."""

CACHED = f"""query Profil($siren: Siren!) {{ entreprise(siren: $siren) {{ {OF_INSEE}
  successions {{ predecesseurs {{ siret dateSuccession transfertSiege continuiteEconomique }} }} }}
 attestations {{ vigilance {{ situation dateDebutValidite dateFinValidite codeSecurite extraction }}
  emploiTravailleursHandicapes {{ remisLe }} }}
}} }}"""
"""Six datasets, about sixty leaves, all of which live in memory once read."""

FAN_OUT = """query Eventail($siren: Siren!) { entreprise(siren: $siren) {
 sirene { etatAdministratif } rcs { dateImmatriculation } attestations { vigilance { situation } fiscale { situation } }
 tva { tvaNumber } bilans { banqueDeFrance { count } } } }"""
"""Six providers asked at once, one call each."""

MANY = "query($sirens: [Siren!]!) { entreprises(sirens: $sirens) { sirene { siren etatAdministratif dateCreation formeJuridique { code libelle } } } }"
SITES = """query($siren: Siren!, $n: Int!) { entreprise(siren: $siren) { etablissements(first: $n) { nodes { siret sirene {
 siegeSocial etatAdministratif enseigne dateCreation activitePrincipale { code } adresse { libelleVoie codePostal libelleCommune } } } } } }"""


def leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1


def ordinary(start: int = 0):
    """Companies that every provider answers about, one after the other."""
    candidates = (with_check_digit(f"92{number:06d}") for number in itertools.count(start))
    return (siren for siren in candidates if lot(siren) == Lot())


def cached(found: Stage, seconds: float) -> list[dict]:
    body = {"query": CACHED, "variables": {"siren": CLAIR_VALLON}}
    answer = found.ask(CACHED, body["variables"])
    if "errors" in answer:
        raise RuntimeError(answer["errors"])
    rows = []
    for connections in (1, 32):
        found.load([body], connections=connections, seconds=1)
        measured = found.load([body], connections=connections, seconds=seconds)
        rows.append({
            "work": f"cached profile, {len({item['jeuDeDonnees'] for item in answer['extensions']['provenance']})} datasets, {leaves(answer['data'])} leaves",
            "connections": connections, "requests/s": measured["rate"], "requests/s per core": measured["per_core"],
            "CPU us/request": measured["cpu_us"], "p50 ms": measured["p50_ms"], "p99 ms": measured["p99_ms"],
            "peak RSS MB": found.memory(),
        })  # fmt: skip
    return rows


def fan_out(found: Stage, requests: int) -> list[dict]:
    rows = []
    fresh = ordinary()
    names = ["insee", "infogreffe", "acoss", "dgfip", "commission_europeenne", "banque_de_france"]
    found.load([{"query": FAN_OUT, "variables": {"siren": next(fresh)}}], connections=1, requests=1, errors=True)
    for delay in (0, 20, 100):
        for name in names:
            found.conduct(fournisseur=name, latence=delay / 1000)
        for connections in (1, 32):
            bodies = [{"query": FAN_OUT, "variables": {"siren": siren}} for siren in itertools.islice(fresh, requests)]
            measured = found.load(bodies, connections=connections, seconds=60, requests=requests, errors=True)
            rows.append({
                "upstream ms": delay, "connections": connections, "p50 ms": measured["p50_ms"], "p99 ms": measured["p99_ms"],
                "p50 overhead ms": measured["p50_ms"] - delay, "p99 overhead ms": measured["p99_ms"] - delay,
                "CPU us/request": measured["cpu_us"],
            })  # fmt: skip
    found.conduct(latence=0)
    return rows


def growth(found: Stage) -> list[dict]:
    rows = []
    for size in (1, 10, 100):
        sirens = list(itertools.islice(ordinary(500_000), size))
        rows.append(_growing(found, f"{size} companies", MANY, {"sirens": sirens}))
    sites = [_growing(found, f"{size} establishments", SITES, {"siren": GROUPE, "n": size}) for size in (50, 100)]
    return rows + sites


def _growing(found: Stage, work: str, query: str, variables: dict) -> dict:
    answer = found.ask(query, variables)
    if "errors" in answer:
        raise RuntimeError(json.dumps(answer["errors"])[:500])
    measured = [found.load([{"query": query, "variables": variables}], connections=1, seconds=1.5) for _ in range(3)]
    median = statistics.median(one["cpu_us"] for one in measured)
    count = leaves(answer["data"])
    return {"work": work, "leaves": count, "CPU us/request": median, "CPU us/leaf": median / count}


def run(quick: bool) -> None:
    with stage() as found:
        show(
            "Cached profile: authorised, journalled on SQLite (synchronous=FULL), one worker", cached(found, 1 if quick else 8),
            command=COMMAND, note="Every request is authorised field by field and its entries are committed before the answer leaves.",
        )  # fmt: skip
        show("Growth: time per field", growth(found), command=COMMAND)
    with stage(GRAPHE_QUOTAS="false") as found:
        show(
            "Fan-out: six providers at once, never cached", fan_out(found, 64 if quick else 400), command=COMMAND,
            note="The simulators and the load share the other core: their own time is in the overhead.",
        )  # fmt: skip
