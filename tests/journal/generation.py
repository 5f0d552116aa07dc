"""Random operations over the real schema: aliases, fragments of every kind, duplicates, directives, lists.

Every object type that leads to datasets is entered; every record is read a little. Nothing here knows what will come out.
"""

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

ENTRIES = (
    "entreprise", "entreprise", "entreprise", "entreprise", "entreprises", "etablissement", "etablissement",
    "etablissements", "node", "association", "documentsAssociation", "subventionsAssociation", "immatriculationEori",
    "rechercherEntreprises", "moi",
)  # fmt: skip
LEADS_ON = frozenset({
    "Entreprise", "Etablissement", "Attestations", "AttestationsEtablissement", "Certifications",
    "CertificationsEtablissement", "Bilans", "ProprieteIntellectuelle", "Node", "Query",
})  # fmt: skip
IDENTIFIED = {"Entreprise": "siren", "Etablissement": "siret"}
MOST_FIELDS = 90
MOST_ALIASES = 26
MOST_DIRECTIVES = 34


@dataclass(frozen=True, slots=True)
class People:
    """Whom the operations ask about."""

    sirens: tuple[str, ...]
    sirets: tuple[str, ...]
    rnas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """One request, ready to be sent."""

    name: str
    document: str
    variables: dict[str, Any]


@dataclass
class Draft:
    """What has been used up, and what stands beside the operation."""

    source: random.Random
    schema: GraphQLSchema
    people: People
    without: frozenset[str]
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    fragments: list[str] = field(default_factory=list)
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fixed: dict[tuple[str, str], str] = field(default_factory=dict)
    """The arguments of a field that stands without an alias: the same everywhere, or the two could not be merged."""

    def variable(self, type_: str, value: Any) -> str:
        name = f"v{len(self.variables)}"
        self.variables[name] = (type_, value)
        return f"${name}"


def operation(
    schema: GraphQLSchema, people: People, source: random.Random, name: str, without: frozenset[str] = frozenset()
) -> Generated:
    """A random query of that name; `without` names fields that must not be asked."""
    draft = Draft(source, schema, people, without)
    query = schema.query_type
    assert query is not None
    roots = []
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        entry = source.choice(ENTRIES)
        if f"Query.{entry}" not in without:
            roots.append(_field(draft, query, entry, query.fields[entry], 0))
    body = " ".join(roots) or "__typename"
    heads, values = [], {}
    for variable, (type_, value) in draft.variables.items():
        default = ""
        if type_.startswith("Boolean"):
            default = source.choice(("", f" = {json.dumps(source.random() < 0.5)}"))
        heads.append(f"${variable}: {type_}{default}")
        if not default or source.random() < 0.5:
            values[variable] = value
    head = f"({', '.join(heads)})" if heads else ""
    other = " query Autre { __typename }" if source.random() < 0.1 else ""
    return Generated(name, f"query {name}{head} {{ {body} }} {' '.join(draft.fragments)}{other}", values)


def _selections(draft: Draft, type_: Any, depth: int) -> str:
    """What is asked of an object of that type, never nothing."""
    source = draft.source
    found: list[str] = []
    if type_.name in IDENTIFIED and source.random() < 0.5:
        found.append(IDENTIFIED[type_.name])
    most = (1, 2, 3, 4, 5) if type_.name in LEADS_ON else (1, 1, 2, 3)
    for _ in range(source.choice(most)):
        if draft.fields > MOST_FIELDS:
            break
        draw = source.random()
        if draw < 0.06:
            found.append(f"__typename{_directive(draft)}")
        elif draw < 0.16 and depth < 8:
            found.append(_inline(draft, type_, depth))
        elif draw < 0.24 and depth < 8 and len(draft.fragments) < 12:
            found.append(_spread(draft, type_, depth))
        elif found and draw < 0.3 and depth < 8:
            found.append(source.choice(found))  # the same once more, word for word
        else:
            asked = _any_field(draft, type_, depth)
            if asked is not None:
                found.append(asked)
    return " ".join(found) or "__typename"


def _any_field(draft: Draft, type_: Any, depth: int) -> str | None:
    names = [name for name in type_.fields if f"{type_.name}.{name}" not in draft.without]
    if depth >= 7:
        names = [name for name in names if is_leaf_type(get_named_type(type_.fields[name].type))]
    if not names:
        return None
    name = draft.source.choice(names)
    return _field(draft, type_, name, type_.fields[name], depth)


def _field(draft: Draft, type_: Any, name: str, definition: GraphQLField, depth: int) -> str:
    source = draft.source
    draft.fields += 1
    alias = ""
    if definition.args:
        reference = (type_.name, name)
        if draft.aliases < MOST_ALIASES and (source.random() < 0.6 or type_.name == "Query"):
            draft.aliases += 1
            alias = f"a{draft.aliases}: "
            arguments = _arguments(draft, definition)
        else:
            if reference not in draft.fixed:
                draft.fixed[reference] = _arguments(draft, definition)
            arguments = draft.fixed[reference]
    else:
        arguments = ""
        if draft.aliases < MOST_ALIASES and source.random() < 0.15:
            draft.aliases += 1
            alias = f"a{draft.aliases}: "
    inner = get_named_type(definition.type)
    head = f"{alias}{name}{arguments}{_directive(draft)}"
    if is_leaf_type(inner):
        return head
    return f"{head} {{ {_inside(draft, inner, depth + 1)} }}"


def _inside(draft: Draft, inner: GraphQLNamedType, depth: int) -> str:
    if inner.name.endswith("Connection"):
        # The identifier of each node says of whom its datasets speak.
        node = get_named_type(inner.fields["nodes"].type)  # type: ignore[attr-defined]
        if node.name not in IDENTIFIED:
            return f"nodes {{ {_selections(draft, node, depth + 2)} }}"
        below = f"cle: {IDENTIFIED[node.name]} {_selections(draft, node, depth + 2)}"
        shape = draft.source.choice(("nodes {{ {} }}", "totalCount nodes {{ {} }}", "edges {{ cursor node {{ {} }} }}"))
        return shape.format(below)
    return _selections(draft, inner, depth)


def _inline(draft: Draft, type_: Any, depth: int) -> str:
    condition = ""
    target = type_
    if isinstance(type_, GraphQLInterfaceType) or draft.source.random() < 0.5:
        target = draft.source.choice(_targets(draft.schema, type_))
        condition = f" on {target.name}"
    return f"...{condition}{_directive(draft)} {{ {_selections(draft, target, depth)} }}"


def _spread(draft: Draft, type_: Any, depth: int) -> str:
    target = draft.source.choice(_targets(draft.schema, type_))
    place = len(draft.fragments)
    draft.fragments.append("")
    draft.fragments[place] = f"fragment F{place} on {target.name} {{ {_selections(draft, target, depth)} }}"
    return f"...F{place}{_directive(draft)}"


def _targets(schema: GraphQLSchema, type_: Any) -> Sequence[Any]:
    """The types that a fragment may speak of where an object of that type stands."""
    if isinstance(type_, GraphQLInterfaceType):
        return [*schema.get_possible_types(type_), type_]
    return [type_, *type_.interfaces] if isinstance(type_, GraphQLObjectType) else [type_]


def _directive(draft: Draft) -> str:
    source = draft.source
    if source.random() > 0.14 or draft.directives >= MOST_DIRECTIVES:
        return ""
    draft.directives += 1
    word = source.choice(("skip", "include"))
    # Most of them let the field through, or little would be left to ask.
    through = source.random() < 0.7
    value = through if word == "include" else not through
    written = draft.variable("Boolean!", value) if source.random() < 0.5 else json.dumps(value)
    other = " @skip(if: false)" if word == "include" and source.random() < 0.1 else ""
    return f" @{word}(if: {written}){other}"


def _arguments(draft: Draft, definition: GraphQLField) -> str:
    given = [
        f"{name}: {value}"
        for name, argument in definition.args.items()
        if (value := _value(draft, name, str(argument.type))) is not None
    ]
    return f"({', '.join(given)})" if given else ""


def _value(draft: Draft, name: str, type_: str) -> str | None:
    source, people = draft.source, draft.people
    value: Any
    match name:
        case "siren":
            value = source.choice(people.sirens)
        case "sirens":
            value = source.choices(people.sirens, k=source.choice((1, 2, 3)))
        case "sirets":
            value = source.choices(people.sirets, k=source.choice((1, 2, 3)))
        case "siret":
            if type_ == "Siret" and source.random() < 0.75:
                return None
            value = source.choice(people.sirets)
        case "identifiant":
            value = source.choice(
                (*people.rnas, *people.rnas, *people.sirens, source.choice(people.sirets), "pas un numero")
            )
        case "numero":
            value = source.choice(people.sirets)
        case "texte":
            value = source.choice(("horizon", "terrassement", "introuvable assurement"))
        case "par":
            return source.choice(("[]", "[ISSUE]", "[JOUR, JEU_DE_DONNEES]"))
        case "first":
            value = source.choice((1, 2))
        case "annee":
            value = source.choice((2023, 2024))
        case "mois":
            value = source.choice((1, 6))
        case "id":
            kind, keys = source.choice((("Entreprise", people.sirens), ("Etablissement", people.sirets)))
            value = base64.urlsafe_b64encode(f"{kind}:{source.choice(keys)}".encode()).decode().rstrip("=")
        case _:
            return None
    if source.random() < 0.4:
        return draft.variable(type_, value)
    return json.dumps(value)
