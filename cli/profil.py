"""A company's profile as a tree on the terminal, each dataset with its provider, freshness and duration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from rich.markup import escape
from rich.tree import Tree

from auth.instants import now
from graph.profile import PROFILE_QUERY, profile_variables
from providers.declaration import PARIS

DEFAULT_URL = "http://127.0.0.1:8000"
Path = tuple[str | int, ...]
_SHOWN = 8
"""Elements of a list that are shown; how many are left is told."""
_ONE_LINE = 240
"""Marks included, the longest line that also tells where it comes from."""


class ApiError(Exception):
    """The API did not answer, or refused the request; the message says what to do, in French."""


def ask(url: str, token: str, siren: str) -> Mapping[str, Any]:
    """The answer of the API to the profile query. Raises `ApiError`."""
    headers = {"Authorization": f"Bearer {token}", "X-Contexte": "Profil", "X-Objet": "graphe profil"}
    today = now().astimezone(PARIS).date()
    body = {"query": PROFILE_QUERY, "variables": profile_variables(siren, today)}
    try:
        response = httpx.post(f"{url}/graphql", json=body, headers=headers, timeout=30)
        answer: Mapping[str, Any] = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ApiError(
            f"L'API ne répond pas à {url}. Lancez « make demo » ou « graphe serve », ou donnez --url."
        ) from error
    if answer.get("data") is None:
        raise ApiError(" ; ".join(error["message"] for error in answer.get("errors", [])) or "Réponse vide.")
    return answer


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says of its own places: which could not be read, which came from a provider."""

    errors: Mapping[Path, Any]
    origins: Mapping[Path, Any]

    def below(self, path: Path) -> bool:
        """Whether anything is said of a place below that one."""
        size = len(path)
        return any(len(other) > size and other[:size] == path for other in (*self.errors, *self.origins))


def tree_of(answer: Mapping[str, Any]) -> Tree:
    """The tree of an answer. What holds in one line stands on one."""
    told = Told(
        errors={tuple(error["path"]): error for error in answer.get("errors", ()) if error.get("path")},
        origins={tuple(item["chemin"]): item for item in answer.get("extensions", {}).get("provenance", ())},
    )
    company = answer["data"]["entreprise"]
    tree = Tree(f"[bold]Entreprise {escape(str(company['siren']))}[/bold]")
    for name, value in company.items():
        if name != "siren":
            _add(tree, name, value, ("entreprise", name), told)
    return tree


def _add(tree: Tree, name: str, value: Any, path: Path, told: Told) -> None:
    label = f"[cyan]{escape(name)}[/cyan]"
    origin = told.origins.get(path)
    suffix = f"  [dim]{escape(_told(origin))}[/dim]" if origin else ""
    error = told.errors.get(path)
    if error is not None:
        code = error["extensions"].get("code", "")
        tree.add(f"{label} [red]✗ {escape(error['message'])}[/red] [dim]{escape(code)}[/dim]")
        return
    if value is None and origin is not None:
        tree.add(f"{label} [yellow]introuvable[/yellow]{suffix}")
    alone = not told.below(path)
    if _is_empty(value) and alone:
        return
    line = _line(value) if alone else None
    if line is not None and (origin is None or len(line) < _ONE_LINE):
        tree.add(f"{label} : {line}{suffix}")
    elif isinstance(value, Mapping):
        branch = tree.add(label + suffix)
        for key, item in value.items():
            _add(branch, key, item, (*path, key), told)
    elif value:
        branch = tree.add(f"{label} ({len(value)}){suffix}")
        for index, item in enumerate(value[:_SHOWN]):
            _add(branch, str(index + 1), item, (*path, index), told)
        if len(value) > _SHOWN:
            branch.add(f"[dim]… et {len(value) - _SHOWN} autres[/dim]")


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_empty(item) for item in value.values())
    return value is None or value == []


def _line(value: Any) -> str | None:
    """A value on one line; `None` for a list of things that are more than a word each."""
    if isinstance(value, Mapping):
        if {"nom", "url"} <= value.keys():
            return f"[link={value['url']}]{escape(str(value['nom']))}[/link]"
        parts = [(key, _line(item)) for key, item in value.items() if not _is_empty(item)]
        if any(part is None for _, part in parts):
            return None
        return "[dim] · [/dim]".join(f"[dim]{escape(key)}[/dim] {part}" for key, part in parts)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(item, Mapping | list) for item in value):
            return None
        return ", ".join(escape(_shown(item)) for item in value)
    return escape(_shown(value))


def _shown(value: object) -> str:
    return {True: "oui", False: "non"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _told(origin: Mapping[str, Any]) -> str:
    parts = [origin["fournisseur"]]
    if origin.get("obtenueLe"):
        parts.append(f"obtenue le {origin['obtenueLe'].replace('T', ' à ').removesuffix('Z')} UTC")
    if origin.get("miseAJourSource"):
        parts.append(f"à jour au {origin['miseAJourSource']}")
    duration = origin.get("dureeMs")
    parts.append("en mémoire" if origin["cache"] else f"{duration:.0f} ms" if duration is not None else "")
    if origin.get("masquee"):
        parts.append("partie publique")
    return "· " + " · ".join(part for part in parts if part)
