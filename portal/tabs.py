"""The requests GraphiQL opens with: one tab per use case, ready to run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Tab:
    """One prepared request. `headers` adds to the default headers of the page, or replaces them name by name."""

    title: str
    query: str
    variables: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class ReadyDocument(Protocol):
    """A ready-made document: its title, what it is for, its text, which declares the variable `$siren`."""

    @property
    def title(self) -> str: ...

    @property
    def usage(self) -> str: ...

    @property
    def text(self) -> str: ...


def profile_tab(query: str, siren: str) -> Tab:
    """The tab shown first: the whole profile of one company. `query` declares the variable `$siren`."""
    return Tab(title="Profil d’une entreprise", query=query, variables={"siren": siren})


def use_case_tabs(documents: Iterable[ReadyDocument], siren: str) -> list[Tab]:
    """One tab per ready-made document; what the document is for is the object that its headers declare."""
    return [
        Tab(
            title=document.title,
            query=f"# {document.usage}\n{document.text}",
            variables={"siren": siren},
            headers={"X-Contexte": document.title, "X-Objet": document.usage},
        )
        for document in documents
    ]
