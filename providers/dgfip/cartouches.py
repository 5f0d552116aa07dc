"""Where the forms of the tax return keep shareholders and subsidiaries: the cells of each of the ten forms.

One meaning, one cell per form: each regime has its own pair of forms. Source: DGFIP, dictionaries of the tax return.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class CasesAdresse:
    """The six cells of an address. The first two don't hold the same in the forms of all regimes."""

    premiere: str
    seconde: str
    lieu_dit: str
    code_postal: str
    ville: str
    pays: str
    voie_entiere: bool
    """The first holds number, type and name of the street, and the second the complement; else number, then street."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CasesPersonnes:
    """The cells of one kind of shareholder: companies or people, and for both how many and how many shares."""

    nombre: str
    total_actions: str
    pourcentage: str
    nombre_parts: str
    identite: tuple[str, ...]
    adresse: CasesAdresse


@dataclass(frozen=True, kw_only=True, slots=True)
class CasesCapital:
    """A form of shareholders. `identite` of companies: SIREN, name, complement, legal form; of people: title, names,
    married name, date of birth."""

    neant: str
    personnes_morales: CasesPersonnes
    personnes_physiques: CasesPersonnes


@dataclass(frozen=True, kw_only=True, slots=True)
class CasesParticipations:
    """A form of subsidiaries. `identite`: SIREN, name, complement, legal form."""

    neant: str
    nombre: str
    pourcentage: str
    identite: tuple[str, str, str, str]
    adresse: CasesAdresse


def _adresse(first: int, *, whole_street: bool) -> CasesAdresse:
    """Six cells in a row."""
    one, two, three, four, five, six = (str(first + rank) for rank in range(6))
    return CasesAdresse(one, two, three, four, five, six, voie_entiere=whole_street)


def _capital(
    neant: int,
    count: int,
    forms: tuple[int, int],
    legal: int,
    address: int,
    natural: int,
    born: int,
    home: CasesAdresse,
) -> CasesCapital:
    """The cells of a form follow each other in the same order in all of them.

    `count` is the first of four counters, `forms` the legal form of companies and the title of people, `legal` the
    first of the five cells of a company, `natural` the first of the four of a person.
    """
    whole = home.voie_entiere
    return CasesCapital(
        neant=str(neant),
        personnes_morales=CasesPersonnes(
            nombre=str(count),
            total_actions=str(count + 1),
            nombre_parts=str(legal + 3),
            pourcentage=str(legal + 4),
            identite=(str(legal + 2), str(legal), str(legal + 1), str(forms[0])),
            adresse=_adresse(address, whole_street=whole),
        ),
        personnes_physiques=CasesPersonnes(
            nombre=str(count + 2),
            total_actions=str(count + 3),
            nombre_parts=str(natural + 2),
            pourcentage=str(natural + 3),
            identite=(str(forms[1]), str(natural), str(natural + 1), str(born)),
            adresse=home,
        ),
    )


def _participations(neant: int, count: int, legal_form: int, first: int, *, whole_street: bool) -> CasesParticipations:
    """`first` is the name, followed by its complement, the SIREN, the six cells of the address and the percentage."""
    return CasesParticipations(
        neant=str(neant),
        nombre=str(count),
        pourcentage=str(first + 9),
        identite=(str(first + 2), str(first), str(first + 1), str(legal_form)),
        adresse=_adresse(first + 3, whole_street=whole_street),
    )


_HOME_2139C: Final = CasesAdresse("304901", "304900", "304899", "304902", "304903", "304904", voie_entiere=True)
"""The one address whose cells aren't in the order of their numbers."""

CAPITAL: Final[dict[str, CasesCapital]] = {
    "2059F": _capital(305767, 309323, (306875, 306874), 304857, 304862, 304868, 304878,
                      _adresse(304872, whole_street=False)),
    "2033F": _capital(305682, 309334, (306853, 306852), 304803, 304808, 304814, 304824,
                      _adresse(304818, whole_street=True)),
    "2035F": _capital(305775, 309373, (306945, 306944), 304830, 304835, 304841, 304851,
                      _adresse(304845, whole_street=True)),
    "2139C": _capital(305787, 309411, (306912, 306911), 304884, 304889, 304895, 304905, _HOME_2139C),
    "2153": _capital(305887, 309388, (306929, 306928), 304911, 304916, 304922, 304932,
                     _adresse(304926, whole_street=True)),
}  # fmt: skip
"""By form: the normal regime first, the one that today's REST API reads; then the others."""

PARTICIPATIONS: Final[dict[str, CasesParticipations]] = {
    "2059G": _participations(305768, 309327, 306876, 304958, whole_street=False),
    "2033G": _participations(305683, 309338, 306854, 304938, whole_street=True),
    "2035G": _participations(305776, 309377, 306946, 304948, whole_street=True),
    "2139D": _participations(305788, 309415, 306931, 304968, whole_street=True),
    "2154": _participations(305888, 309392, 306930, 304978, whole_street=True),
}
