"""What a company earns, the same for every simulator that speaks of it: tax office, register, central bank."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sandbox.clock import CLOCK
from sandbox.personas import Company, with_check_digit

FIRST_YEAR: Final = 2006
BACKER: Final = with_check_digit("90020002")
"""SIREN of the invented company that holds a part of most personas."""
_FILED_FROM: Final = 7
"""Month from which the accounts of last year are known to everyone."""
_FARMING_GROUP: Final = "653"
"""Legal forms of farmers together: they alone hold the capital."""
_PROFESSIONS: Final = ("69", "71", "86", "90")
"""Divisions of activity whose sole traders file non commercial profits."""
_BIG: Final = frozenset({"12", "21", "22", "31", "32", "51", "53"})


def last_year() -> int:
    """The year of the last accounts that companies filed."""
    today = CLOCK.today()
    return today.year - (1 if today.month >= _FILED_FROM else 2)


@dataclass(frozen=True)
class Holder:
    """A company that holds a part of another; a foreign one has no SIREN. `share` is in percent."""

    siren: str | None
    name: str
    share: int
    country: str


def holders(known: Company) -> tuple[Holder, ...]:
    """The companies among the shareholders; the officers hold the rest."""
    if known.parent:
        return (Holder(known.parent, "GROUPE HORIZON", 100, "FR"),)
    if known.slug == "groupe":
        return Holder(None, "HORIZON HOLDING BV", 30, "NL"), Holder(BACKER, "FINANCIERE FICTIVE", 30, "FR")
    if known.legal_form.startswith(_FARMING_GROUP):
        return ()
    return (Holder(BACKER, "FINANCIERE FICTIVE", 40, "FR"),) if known.slug else ()


def officer_share(known: Company) -> int:
    """What each officer holds, in percent."""
    left = 100 - sum(holder.share for holder in holders(known))
    return left // len(known.officers) if known.officers else 0


@dataclass(frozen=True)
class Taxpayer:
    """What a company declares beside what everyone knows. `tax` is empty for those that declare nothing."""

    known: Company
    tax: str
    regime: str
    closing: tuple[int, int]

    def years(self) -> list[int]:
        """Years in which an exercise is closed, the most recent first."""
        known, newest = self.known, last_year()
        last = date(newest, 12, 31) if known.ceased is None else known.ceased
        ends = (date(year, *self.closing) for year in range(newest, FIRST_YEAR - 1, -1))
        return [end.year for end in ends if known.created < end <= last]

    def turnover(self, year: int) -> int:
        """In euros."""
        chance = self.known.draw("dgfip/ca")
        base = chance.randint(60, 900) * (1000 if self.regime == "RN" else 100)
        return round(base * (1 + 0.04 * (year - 2015)) * 10) + self.known.draw(f"dgfip/ca/{year}").randint(0, 999)

    def result(self, year: int) -> int:
        """In euros."""
        return self.turnover(year) // (25 if self.regime == "RN" else 20)


def taxpayer(known: Company) -> Taxpayer:
    chance = known.draw("dgfip/contribuable")
    closing = (12, 31) if known.slug else chance.choice(((12, 31), (12, 31), (6, 30), (9, 30), (3, 31)))
    if known.is_person:
        tax = "BNC" if known.naf[:2] in _PROFESSIONS else "BIC"
        return Taxpayer(known, tax, "DECC" if tax == "BNC" else "RSI", (12, 31))
    if known.legal_form.startswith(_FARMING_GROUP):
        return Taxpayer(known, "BA", "RN", (12, 31))
    if known.legal_form.startswith("92"):
        return Taxpayer(known, "", "", closing)
    return Taxpayer(known, "IS", "RN" if known.slug or known.staff in _BIG else "RSI", closing)
