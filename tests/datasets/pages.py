"""`docs/fournisseurs.md` and `graph/personnages.json`, written from the declarations and the reviewed profiles.

Personas come from the profiles of `snapshots/`: a provider knows one when it answered something. The test of this
module compares both files; `GRAPHE_SNAPSHOTS=write` writes them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from providers import PROVIDERS
from providers.declaration import Dataset, Http, Ouverture, Provider, Table
from sandbox.personas import PERSONAS
from tests.datasets.snapshots import FOLDER

_HEADER = """# Les fournisseurs et leurs jeux de données

Page écrite à partir des déclarations de `providers/` et des profils relus de `tests/datasets/snapshots` ; ne la modifiez
pas à la main : `GRAPHE_SNAPSHOTS=write pytest tests/datasets`.
"""

_OPENNESS: Final = {Ouverture.PUBLIQUE: "Publique", Ouverture.PROTEGEE: "Protégée", Ouverture.MIXTE: "Mixte"}


def known_personas() -> Mapping[str, Mapping[str, str]]:
    """SIREN and name of the personas that each dataset speaks of."""
    found: dict[str, dict[str, str]] = {}
    for persona in PERSONAS.values():
        profile = orjson.loads((FOLDER / f"{persona.slug}.json").read_bytes())
        for origin in profile["provenance"]:
            if origin["statut"] == "REPONDU":
                found.setdefault(origin["jeuDeDonnees"], {})[persona.siren] = persona.display_name
    return {dataset: dict(sorted(sirens.items())) for dataset, sirens in sorted(found.items())}


def providers_page() -> str:
    return "\n".join(_lines(known_personas())) + "\n"


def _lines(personas: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield _HEADER
    yield "| Jeu de données | Nom au catalogue | Producteur | Ouverture | Clé | Appel groupé |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for provider in PROVIDERS:
        for dataset in provider.datasets:
            yield (
                f"| [`{dataset.id}`](#{_anchor(dataset.id)}) | {_code(dataset.seed)} | {provider.title} | "
                f"{_OPENNESS[dataset.ouverture]} | {dataset.key} | {_bulk(dataset)} |"
            )
    for provider in PROVIDERS:
        yield f"\n## {provider.title}\n"
        yield f"- Transport : {_transport(provider)}."
        yield f"- Authentification : {_authentication(provider)}."
        yield f"- Préfixe des codes d'erreur : `{provider.code}`. Nom dans les erreurs : « {provider.label} »."
        yield f"- Maintenance déclarée : {_maintenance(provider)}."
        yield f"- Appels simultanés au plus : {provider.max_concurrency}. Site : <{provider.home_page}>."
        for dataset in provider.datasets:
            yield from _dataset(dataset, personas.get(dataset.id, {}))


def _dataset(dataset: "Dataset[object, object, object]", personas: Mapping[str, str]) -> Iterator[str]:
    yield f"\n### `{dataset.id}`\n"
    yield f"{dataset.title}. {dataset.description}\n"
    yield f"- Périmètre : {dataset.perimeter}"
    yield f"- Fraîcheur : {dataset.freshness}"
    yield f"- Introuvable : {dataset.not_found_means}"
    yield f"- Habilitations (une suffit) : {', '.join(f'`{scope}`' for scope in sorted(dataset.opening.scopes))}."
    yield f"- Groupe de quota : `{dataset.quota.value}`. Route de l'API REST : `{dataset.rest_path}`."
    yield f"- Appel groupé : {_bulk(dataset)}."
    names = ", ".join(f"{name} (`{siren}`)" for siren, name in personas.items())
    yield f"- Personnages du bac à sable : {names or 'aucun'}."
    if dataset.left_out:
        yield "- Laissé de côté :"
        yield from (f"  - `{name}` : {reason}" for name, reason in dataset.left_out.items())
    if dataset.open_questions:
        yield "- Questions ouvertes :"
        yield from (f"  - {question}" for question in dataset.open_questions)


def _anchor(text: str) -> str:
    return text.replace(".", "")


def _code(text: str | None) -> str:
    return f"`{text}`" if text else "–"


def _bulk(dataset: "Dataset[object, object, object]") -> str:
    how = dataset.source.how
    if isinstance(how, Table):
        return "oui (table)"
    return f"oui, {how.bulk.size} clés" if how.bulk is not None else "non"


def _transport(provider: Provider) -> str:
    if any(isinstance(dataset.source.how, Http) for dataset in provider.datasets):
        return "HTTPS"
    return "fichier remis, chargé dans une table"


def _authentication(provider: Provider) -> str:
    means = []
    if provider.session is not None:
        means.append("session ou jeton OAuth2, renouvelé d'avance et partagé")
    if provider.certificate is not None:
        means.append("certificat client (TLS mutuel)")
    secrets = [setting.name for setting in provider.settings if setting.secret]
    if secrets:
        means.append(f"réglages secrets {', '.join(f'`{name}`' for name in secrets)}")
    return " ; ".join(means) or "aucune"


def _maintenance(provider: Provider) -> str:
    days = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
    told = []
    for window in provider.maintenance:
        hours = f"{window.start:%H:%M}-{window.end:%H:%M}"
        if window.day is not None:
            told.append(f"le {window.day.isoformat()} {hours}")
        elif window.weekday is not None:
            told.append(f"le {days[window.weekday]} {hours}")
        else:
            told.append(f"chaque jour {hours}")
    return ", ".join(told) or "aucune"
