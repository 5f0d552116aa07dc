"""The identifiers by which the registers know a company, checked once, at the door.

Every value of these types has been validated: a `Siren` that reaches a provider room is a real
SIREN. Source of the rules: INSEE (Luhn checksum, La Poste exception) and the RNA.
"""

import re
from datetime import date
from functools import lru_cache
from typing import NewType

from stdnum import luhn

Siren = NewType("Siren", str)
Siret = NewType("Siret", str)
Rna = NewType("Rna", str)

LA_POSTE = "356000000"
"""INSEE lets any NIC follow La Poste's SIREN: its counters outnumber what the checksum allows."""

# The same companies come again and again, and the checksum costs more than the look-up.
_checked = lru_cache(maxsize=65_536)(luhn.is_valid)
_ASCII_DIGITS = re.compile(r"[0-9]+\Z")
_RNA = re.compile(r"(W[0-9][A-Z0-9][0-9]{7}|0[0-9]{3}00[0-9]{4})\Z")


class InvalidIdentifier(ValueError):
    """The text is not the identifier that it should be; the message says so, in French.

    `code_api` is the ecosystem's five-digit code (00301 SIREN, 00302 SIRET, 00303 RNA…).
    The message never repeats the value: it may be a natural person's.
    """

    def __init__(self, message: str, code_api: str) -> None:
        super().__init__(message)
        self.code_api = code_api


def siren(text: str) -> Siren:
    """A SIREN: nine ASCII digits with a valid Luhn checksum; nothing is trimmed."""
    if len(text) == 9 and _ASCII_DIGITS.match(text) and _checked(text):
        return Siren(text)
    raise InvalidIdentifier(
        "Numéro SIREN invalide : neuf chiffres sans espace, dont la clé de contrôle (Luhn) est juste.",
        "00301",
    )


def siret(text: str) -> Siret:
    """A SIRET: fourteen ASCII digits with a valid Luhn checksum, or any establishment of La Poste."""
    if len(text) == 14 and _ASCII_DIGITS.match(text) and (text.startswith(LA_POSTE) or _checked(text)):
        return Siret(text)
    raise InvalidIdentifier(
        "Numéro SIRET invalide : quatorze chiffres sans espace, dont la clé de contrôle (Luhn) est juste.",
        "00302",
    )


def rna(text: str) -> Rna:
    """An RNA number: `W` and nine characters, or the older ten-digit form of Alsace-Moselle."""
    if _RNA.match(text):
        return Rna(text)
    raise InvalidIdentifier(
        "Numéro RNA invalide : la lettre W suivie de neuf caractères, par exemple W751234567.",
        "00303",
    )


def siren_of(siret_: Siret) -> Siren:
    """The legal unit of an establishment: the first nine digits of its SIRET."""
    return Siren(siret_[:9])


def iso_date(text: str | None) -> date | None:
    """The calendar day of an ISO 8601 date or instant as providers write them; `None` for nothing.

    Only the first ten characters are read, so no time zone can ever shift the day.
    Raises `ValueError` when they are not a date.
    """
    return date.fromisoformat(text[:10]) if text else None
