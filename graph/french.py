"""What graphql-core says of a request, in French: it is read by developers, whose service speaks French everywhere else.

graphql-core gives its errors as English sentences, without a code that tells one from another. So each sentence that a request
of this schema can provoke (it has no subscription, no input object, no `@defer`) has its pattern here, and its words. One that has
none, of a later version, is left as it is: a message in English is better than none.
Source: the rules of validation, the lexer, the parser and the coercion of graphql-core 3.3.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

_MAX_LENGTH: Final = 1_000
"""A longer one holds a long value of the request, which could be made to cost much."""


def in_french(message: str) -> str:
    """The same message in French; the message itself when it is not one of graphql-core's."""
    said = _in_french(message)
    return message if said == message else said[0].upper() + said[1:]


def _in_french(message: str) -> str:
    if len(message) > _MAX_LENGTH:
        return message
    for pattern, words in _MESSAGES:
        found = pattern.fullmatch(message)
        if found is not None:
            return words.format_map(_parts(found.groupdict(default="")))
    return message


def _parts(groups: Mapping[str, str]) -> dict[str, str]:
    return {name: _TRANSLATED.get(name, str)(text) for name, text in groups.items()}


# --- Parts of a message --------------------------------------------------------------------------------

_NAMES: Final = re.compile(r"'([^']*)'")
_TOKENS: Final = {
    "Name": "un nom",
    "Int": "un entier",
    "Float": "un nombre",
    "String": "une chaîne",
    "BlockString": "un bloc de texte",
    "<EOF>": "la fin du document",
}


def _quoted(text: str) -> list[str]:
    return [f"« {name} »" for name in _NAMES.findall(text)]


def _hint(hint: str) -> str:
    """Nothing, or « Did you mean 'a', 'b', or 'c'? », with what precedes the names."""
    if not hint:
        return ""
    *others, last = _quoted(hint)
    listed = f"{', '.join(others)} ou {last}" if others else last
    if "inline fragment" in hint:
        return f" Demandez-le par un fragment sur {listed}."
    return f" Vouliez-vous dire {listed} ?"


def _names(listed: str) -> str:
    return ", ".join(_quoted(listed))


def _definition(definition: str) -> str:
    return "« schema »" if definition == "schema" else _names(definition)


def _token(description: str) -> str:
    """A token as the parser describes it: its kind, then its text between quotes; a sign is between quotes alone."""
    kind, _, text = description.partition(" ")
    if kind not in _TOKENS:
        return f"« {description.strip(chr(39))} »"
    return _TOKENS[kind] + (f" (« {text[1:-1]} »)" if text else "")


def _reason(reason: str) -> str:
    """Why fields conflict; the reasons of their subfields are within each other."""
    for pattern, words in _REASONS:
        reason = pattern.sub(words, reason)
    return reason


def _path(path: str) -> str:
    """Where in a value: « at [0].siren »."""
    return path.replace(" at ", ", à ", 1) + "," if path else ""


def _owner(text: str) -> str:
    """Nothing, or « by operation 'A' »."""
    return f" de l'opération {_names(text)}" if text else ""


_TRANSLATED: Final[Mapping[str, Callable[[str], str]]] = {
    "message": _in_french,
    "names": _names,
    "definition": _definition,
    "hint": _hint,
    "token": _token,
    "expected": _token,
    "reason": _reason,
    "path": _path,
    "owner": _owner,
}
"""How the groups of these names are said; the others are said as they are."""

_REASONS: Final = (
    (re.compile(r"subfields '([^']*)' conflict because "), r"leurs sous-champs « \1 » s'opposent : "),
    (re.compile(r"'([^']*)' and '([^']*)' are different fields"), r"« \1 » et « \2 » sont deux champs différents"),
    (re.compile(r"they have differing arguments"), "leurs arguments diffèrent"),
    (re.compile(r"they return conflicting types '([^']*)' and '([^']*)'"), r"leurs types, « \1 » et « \2 », diffèrent"),
    (re.compile(r" and leurs"), " et leurs"),
)


# --- Messages -------------------------------------------------------------------------------------------


def _said(english: str, french: str) -> tuple[re.Pattern[str], str]:
    """A sentence as graphql-core writes it, `{name}` standing for what varies, and the same in French."""
    pattern = re.escape(english)
    pattern = re.sub(r"\\{(hint|owner|path)\\}", r"(?P<\1>.*?)", pattern)
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", pattern)
    return re.compile(pattern, re.DOTALL), french


_MESSAGES: Final = (
    # What can't be read.
    _said("Syntax Error: {message}", "Erreur de syntaxe : {message}"),
    _said("Expected {expected}, found {token}.", "{expected} était attendu, et non {token}."),
    _said("Unexpected '..', did you mean '...'?", "« .. » n'a pas de sens : vouliez-vous écrire « ... » ?"),
    _said(
        "Unexpected single quote character ('), did you mean to use a double quote (\")?",
        "une chaîne s'écrit entre guillemets droits doubles (\"), et non entre apostrophes.",
    ),
    _said("Unexpected character: {character}.", "le caractère {character} n'a pas sa place ici."),
    _said("Invalid character: {character}.", "le caractère {character} n'est pas permis."),
    _said(
        "Invalid character within String: {character}.", "le caractère {character} n'est pas permis dans une chaîne."
    ),
    _said(
        "Invalid number, expected digit before '.', did you mean '{number}'?",
        "un nombre commence par un chiffre : vouliez-vous écrire « {number} » ?",
    ),
    _said(
        "Invalid number, unexpected digit after 0: {character}.",
        "un nombre ne commence pas par zéro : {character} n'a pas sa place ici.",
    ),
    _said("Invalid number, expected digit but got: {character}.", "un chiffre était attendu, et non {character}."),
    _said("Unterminated string.", "il manque le guillemet qui ferme la chaîne."),
    _said("Invalid Unicode escape sequence: '{text}'.", "« {text} » n'est pas un caractère Unicode échappé."),
    _said("Invalid character escape sequence: '{text}'.", "« {text} » n'est pas un caractère échappé."),
    _said(
        "Unexpected variable '${name}' in constant value.",
        "la variable « ${name} » n'a pas sa place dans une valeur par défaut.",
    ),
    _said(
        "Unexpected description, {why}.", "seules les définitions nommées peuvent avoir une description : retirez-la."
    ),
    _said("{token} is reserved and cannot be used for an enum value.", "{token} est un mot réservé."),
    _said("Unexpected {token}.", "{token} n'a pas sa place ici."),
    # What is asked of the schema.
    _said(
        "Cannot query field '{field}' on type '{type}'.{hint}", "Le type « {type} » n'a pas de champ « {field} ».{hint}"
    ),
    _said("Unknown type '{type}'.{hint}", "Le type « {type} » n'existe pas.{hint}"),
    _said(
        "Unknown argument '{name}' on field '{field}'.{hint}",
        "Le champ « {field} » n'a pas d'argument « {name} ».{hint}",
    ),
    _said(
        "Unknown argument '{name}' on directive '{directive}'.{hint}",
        "La directive « {directive} » n'a pas d'argument « {name} ».{hint}",
    ),
    _said("Unknown directive '{directive}'.", "La directive « {directive} » n'existe pas."),
    _said(
        "Directive '{directive}' may not be used on {place}.",
        "La directive « {directive} » n'a pas sa place ici ({place}).",
    ),
    _said(
        "The directive '{directive}' can only be used once at this location.",
        "La directive « {directive} » ne s'écrit qu'une fois au même endroit.",
    ),
    _said(
        "Argument '{argument}' of type '{type}' is required, but it was not provided.",
        "L'argument « {argument} », de type « {type} », est obligatoire : donnez-le.",
    ),
    _said(
        "Field '{field}' must not have a selection since type '{type}' has no subfields.",
        "Le champ « {field} », de type « {type} », n'a pas de sous-champs : retirez ses accolades.",
    ),
    _said(
        "Field '{field}' of type '{type}' must have a selection of subfields. Did you mean '{example}'?",
        "Le champ « {field} », de type « {type} », se lit par ses sous-champs : écrivez « {example} ».",
    ),
    _said(
        "Fields '{field}' conflict because {reason}. Use different aliases on the fields to fetch both if this was intentional.",
        "Les champs « {field} » s'opposent : {reason}. Donnez-leur des alias différents pour les lire tous deux.",
    ),
    _said("There can be only one argument named '{name}'.", "L'argument « {name} » est donné deux fois."),
    _said("There can be only one variable named '{name}'.", "La variable « {name} » est définie deux fois."),
    _said("There can be only one fragment named '{name}'.", "Le fragment « {name} » est défini deux fois."),
    _said("There can be only one operation named '{name}'.", "L'opération « {name} » est définie deux fois."),
    # Operations and fragments.
    _said(
        "This anonymous operation must be the only defined operation.",
        "Une opération sans nom doit être seule dans son document : nommez-les.",
    ),
    _said("The {kind} operation is not supported by the schema.", "Ce service n'a pas d'opération « {kind} »."),
    _said(
        "The {definition} definition is not executable.", "Un document ne définit pas de type : retirez {definition}."
    ),
    _said("Unknown fragment '{name}'.", "Le fragment « {name} » n'est pas défini."),
    _said("Fragment '{name}' is never used.", "Le fragment « {name} » ne sert pas : retirez-le."),
    _said("Cannot spread fragment '{name}' within itself.", "Le fragment « {name} » se contient lui-même."),
    _said(
        "Cannot spread fragment '{name}' within itself via {names}.",
        "Le fragment « {name} » se contient lui-même, par {names}.",
    ),
    _said(
        "Fragment '{name}' cannot be spread here as objects of type '{type}' can never be of type '{other}'.",
        "Le fragment « {name} » n'a pas sa place ici : un objet « {type} » n'est jamais un « {other} ».",
    ),
    _said(
        "Fragment cannot be spread here as objects of type '{type}' can never be of type '{other}'.",
        "Ce fragment n'a pas sa place ici : un objet « {type} » n'est jamais un « {other} ».",
    ),
    _said(
        "Fragment '{name}' cannot condition on non composite type '{type}'.",
        "Le fragment « {name} » ne peut porter sur « {type} », qui n'a pas de champs.",
    ),
    _said(
        "Fragment cannot condition on non composite type '{type}'.",
        "Un fragment ne peut porter sur « {type} », qui n'a pas de champs.",
    ),
    _said(
        "Maximum introspection depth exceeded",
        "La lecture du schéma est trop profonde : demandez moins de niveaux de listes à la fois.",
    ),
    _said(
        "Too many validation errors, error limit reached. Validation aborted.",
        "Il y a d'autres erreurs : corrigez d'abord celles-ci.",
    ),
    # Variables and values.
    _said("Variable '{name}' is not defined{owner}.", "La variable « {name} »{owner} n'est pas définie."),
    _said("Variable '{name}' is never used{owner}.", "La variable « {name} »{owner} ne sert pas : retirez-la."),
    _said(
        "Variable '{name}' cannot be non-input type '{type}'.",
        "La variable « {name} » ne peut être de type « {type} », qui n'est pas un type d'entrée.",
    ),
    _said(
        "Variable '{name}' of type '{type}' used in position expecting type '{expected_type}'.",
        "La variable « {name} » est de type « {type} », et « {expected_type} » est attendu à cet endroit.",
    ),
    _said(
        "Variable '{name}' has invalid value{path}: {message}",
        "La variable « {name} »{path} n'est pas valable : {message}",
    ),
    _said(
        "Too many errors processing variables, error limit reached. Execution aborted.",
        "D'autres variables ne sont pas valables : corrigez d'abord celles-ci.",
    ),
    _said(
        "Argument '{name}' has invalid value{path}: {message}",
        "L'argument « {name} »{path} n'est pas valable : {message}",
    ),
    _said(
        "Expected a value of non-null type '{type}' to be provided.", "une valeur de type « {type} » est obligatoire."
    ),
    _said(
        "Expected value of non-null type '{type}' not to be None.", "une valeur de type « {type} » ne peut être nulle."
    ),
    _said(
        "Expected variable '{name}' provided to non-null type '{type}' not to be None.",
        "la variable « {name} », de type « {type} », ne peut être nulle.",
    ),
    _said(
        "Expected value of type '{type}', but encountered error '{message}'; found: {found}.",
        "une valeur de type « {type} » est attendue, et non {found}.",
    ),
    _said("Int cannot represent non-integer value: {found}", "un entier est attendu, et non {found}."),
    _said(
        "Int cannot represent non 32-bit signed integer value: {found}",
        "un entier de 32 bits est attendu ; {found} est trop grand ou n'est pas entier.",
    ),
    _said("Float cannot represent non numeric value: {found}", "un nombre est attendu, et non {found}."),
    _said("String cannot represent a non string value: {found}", "une chaîne est attendue, et non {found}."),
    _said(
        "Boolean cannot represent a non boolean value: {found}", "« true » ou « false » est attendu, et non {found}."
    ),
    _said(
        "ID cannot represent a non-string and non-integer value: {found}", "un identifiant est attendu, et non {found}."
    ),
    _said("ID cannot represent value: {found}", "un identifiant est attendu, et non {found}."),
    _said(
        "Value '{value}' does not exist in '{type}' enum.{hint}",
        "« {value} » n'est pas une valeur de « {type} ».{hint}",
    ),
    _said(
        "Enum '{type}' cannot represent non-string value: {found}.{hint}",
        "une valeur de « {type} » est attendue, et non {found}.{hint}",
    ),
    _said(
        "Enum '{type}' cannot represent non-enum value: {found}.{hint}",
        "une valeur de « {type} », sans guillemets, est attendue, et non {found}.{hint}",
    ),
)
