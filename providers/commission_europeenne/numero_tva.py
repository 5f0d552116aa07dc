"""The French VAT number of a company, derived from its SIREN and confirmed active by VIES.

Source: European Commission (DG TAXUD), public REST service of VIES. Everything is HTTP 200, errors too, and an
outage of the French administration also says `isValid: false`: the word of `userError` is read before it.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final

import httpx

from auth.scopes import ANY_TOKEN
from providers import reading
from providers.declaration import (
    PARIS,
    Access,
    Call,
    Dataset,
    For,
    Http,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    as_is,
)
from providers.errors import NotFound, Overloaded, TimedOut, Unavailable, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siren
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Numéro de TVA intracommunautaire français, vérifié auprès de VIES.")
class NumeroTva:
    tva_number: str = inherits(
        "Numéro actif : FR, clé de deux chiffres et SIREN. Le numéro est calculé puis confirmé par VIES.",
        source="calculé ; confirmé par isValid",
    )
    verifie_le: datetime | None = inherits("Instant de la vérification.", source="requestDate")


# --- How to ask ----------------------------------------------------------------------------------


def national_part(siren: Siren) -> str:
    """The number without its country: a key on two digits, `00` included, then the SIREN."""
    key = (12 + 3 * (int(siren) % 97)) % 97
    return f"{key:02d}{siren}"


def call(key: Siren, access: Access) -> Call:
    return Call(
        method="GET",
        url=f"{access.settings['url']}/{national_part(key)}",
        headers=(("Accept", "application/json"),),
    )


# --- How to read ---------------------------------------------------------------------------------

Json = dict[str, Any]

_PROXY_PAGE: Final = b"contact your network support team"
_ANSWERS: Final = frozenset({"VALID", "INVALID"})
_OVERLOADED: Final = frozenset({
    "IP_BLOCKED",
    "MS_MAX_CONCURRENT_REQ",
    "MS_MAX_CONCURRENT_REQ_TIME",
    "GLOBAL_MAX_CONCURRENT_REQ",
    "GLOBAL_MAX_CONCURRENT_REQ_TIME",
})  # fmt: skip


def parse(response: httpx.Response, key: Siren) -> NumeroTva:
    status = response.status_code
    refuse_outage(response)
    if status == 200 and _PROXY_PAGE in response.content.lower():
        raise Unavailable
    answer = reading.json_object(response.content)
    word = answer.get("userError") if status == 200 else None
    # The other envelope of VIES says the same words, whatever the status.
    _refuse_error(word if word is not None else _wrapped_error(answer))
    valid = answer.get("isValid")
    if status != 200 or not isinstance(valid, bool) or not _speaks_of(answer, key):
        raise Unreadable
    if not valid:
        raise NotFound(
            "VIES ne confirme pas de numéro de TVA français actif pour ce SIREN. Cela ne veut pas dire que "
            "l'entreprise n'est pas assujettie à la TVA."
        )
    return NumeroTva(tva_number="FR" + national_part(key), verifie_le=_instant(answer.get("requestDate")))


def _wrapped_error(answer: Json) -> object:
    errors = answer.get("errorWrappers")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first.get("error") if isinstance(first, dict) else None


def _refuse_error(word: object) -> None:
    """Raise what a word means; return on the two words that are an answer about the number."""
    if not isinstance(word, str):
        raise Unreadable
    if word in _OVERLOADED:
        raise Overloaded("VIES limite le nombre de vérifications simultanées. Réessayez plus tard.")
    match word:
        case "MS_UNAVAILABLE":
            raise Unavailable("L'administration fiscale française ne répond pas à VIES. Réessayez plus tard.")
        case "SERVICE_UNAVAILABLE":
            raise Unavailable
        case "TIMEOUT":
            raise TimedOut
    if word not in _ANSWERS:
        raise Unreadable


def _speaks_of(answer: Json, key: Siren) -> bool:
    """Whether the number that VIES repeats, if it does, is the one that was asked."""
    number = answer.get("vatNumber")
    return number is None or (isinstance(number, str) and number.removeprefix("FR") == national_part(key))


def _instant(value: object) -> datetime | None:
    """The instant of the check: of use, but no reason to refuse an answer. Without a zone it is no instant."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None else None


# --- The declaration -----------------------------------------------------------------------------


def _checked_on(number: NumeroTva) -> date | None:
    """The day of the check in Paris: late in the evening of UTC it is already the next one."""
    return None if number.verifie_le is None else number.verifie_le.astimezone(PARIS).date()


SOURCE: Final[Source[Siren, NumeroTva]] = Source(
    id="commission_europeenne.numero_tva",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    life=For(timedelta(hours=24)),
    not_found_life=For(timedelta(hours=24)),
    completion=None,
    max_bytes=1_000_000,
)

NUMERO_TVA: Final[Dataset[Siren, NumeroTva, NumeroTva]] = Dataset(
    id="commission_europeenne.numero_tva",
    seed=None,
    title="Numéro de TVA intracommunautaire",
    description=(
        "Numéro de TVA français d'une unité légale, calculé à partir du SIREN et confirmé actif par le service VIES de la "
        "Commission européenne, qui interroge l'administration fiscale française."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({ANY_TOKEN}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=NumeroTva,
    read=as_is,
    source_date=_checked_on,
    perimeter=(
        "Unités légales qui ont un numéro de TVA français actif, formé du SIREN. Sans les entités des départements et "
        "collectivités d'outre-mer, ni celles qui ont un numéro étranger ou une clé à lettres."
    ),
    key="SIREN",
    freshness="Temps réel ; réponse gardée 24 heures.",
    not_found_means=(
        "VIES ne confirme pas de numéro français actif. Cela ne veut pas dire que l'entreprise n'est pas assujettie : "
        "elle peut être en franchise de TVA, ou avoir un numéro étranger."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/european_commission/unites_legales/{siren}/numero_tva",
    example=Siren("910203041"),
    left_out={
        "name": "Nom d'une personne quand l'entreprise est individuelle ; souvent masqué par VIES.",
        "address": "Adresse d'une personne quand l'entreprise est individuelle ; souvent masquée par VIES.",
        "requestIdentifier": "Vide pour une vérification sans demandeur.",
        "vatNumber": "Le numéro demandé ; un autre rend la réponse illisible.",
        "originalVatNumber": "Répète le numéro demandé.",
        "viesApproximate": "Rapprochement de nom et d'adresse, sans objet pour une vérification sans demandeur.",
    },
    open_questions=(
        "Les limites de simultanéité et la durée du blocage d'une adresse ne sont pas publiées.",
        "On ne sait pas si MS_UNAVAILABLE suit une fenêtre nocturne pour la France.",
        "La seconde enveloppe d'erreur (`errorWrappers`), vue surtout ailleurs, est lue avec tout statut.",
        "La réponse de VIES pour les numéros monégasques et d'outre-mer n'est pas connue.",
    ),
)
