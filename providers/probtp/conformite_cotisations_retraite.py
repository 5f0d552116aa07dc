"""Whether an establishment's account at PRO BTP is up to date, hence eligible for the certificate. Key: a SIRET.

Source: PRO BTP, operation `getStatutCotisation`.
"""

from types import MappingProxyType
from typing import Final

import httpx

from providers.attestation import Situation
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Ouverture,
    QuotaGroup,
    Source,
    as_is,
)
from providers.errors import NotFound, Unreadable
from providers.identifiers import Siret
from providers.pdf import certificate_source
from providers.probtp import wire
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Conformité des cotisations de retraite du bâtiment et des travaux publics.")
class ConformiteCotisationsRetraite:
    eligible: bool | None = inherits(
        "Vrai quand le compte est à jour : une attestation peut être délivrée. Nul quand PRO BTP répond autre chose.",
        source="corps",
        personal=True,
    )
    situation: Situation | None = inherits(
        "La même chose, dans les mots communs à toutes les attestations ; nulle quand PRO BTP répond autre chose.",
        source="corps",
        personal=True,
    )
    message: str | None = inherits(
        "Réponse de PRO BTP telle quelle, comme dans l'API REST v2.", source="corps", personal=True
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return wire.post("getStatutCotisation", key, access)


# --- How to read ---------------------------------------------------------------------------------

_ELIGIBLE: Final = MappingProxyType({wire.UP_TO_DATE: True, wire.NOT_UP_TO_DATE: False})
_SITUATION: Final = MappingProxyType({True: Situation.DELIVREE, False: Situation.REFUSEE})


def parse(response: httpx.Response, _key: Siret) -> ConformiteCotisationsRetraite:
    """The first two characters tell; the sentence after them is for people."""
    code, answer = wire.answered(response)
    if code == wire.NO_ANSWER:
        raise NotFound("PRO BTP ne connaît pas cet établissement.")
    said = answer.get("corps")
    if not isinstance(said, str | None):
        raise Unreadable
    eligible = _ELIGIBLE.get((said or "")[:2])
    return ConformiteCotisationsRetraite(
        eligible=eligible,
        situation=None if eligible is None else _SITUATION[eligible],
        message=said,
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, ConformiteCotisationsRetraite]] = certificate_source(
    "probtp.conformite_cotisations_retraite", call, parse, max_bytes=100_000
)

CONFORMITE_COTISATIONS_RETRAITE: Final[
    Dataset[Siret, ConformiteCotisationsRetraite, ConformiteCotisationsRetraite]
] = Dataset(
    id="probtp.conformite_cotisations_retraite",
    seed=wire.SEED,
    title="Conformité des cotisations de retraite du bâtiment",
    description=(
        "Dit si le compte d'un établissement du bâtiment ou des travaux publics est à jour de ses cotisations de retraite, "
        "donc si PRO BTP peut délivrer l'attestation."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=wire.OPENING,
    source=SOURCE,
    record=ConformiteCotisationsRetraite,
    read=as_is,
    source_date=None,
    perimeter=wire.PERIMETER,
    key="SIRET",
    freshness="Interrogation en direct du système de gestion ; aucune réponse n'est gardée.",
    not_found_means=wire.NOT_FOUND_MEANS,
    quota=QuotaGroup.JSON,
    rest_path="/v3/probtp/etablissements/{siret}/conformite_cotisations_retraite",
    example=Siret("91020304100025"),
    left_out=MappingProxyType({
        "entete.code": "Distingue la réponse, la panne et l'établissement inconnu.",
        "entete.message": "Texte libre, qui nomme parfois l'établissement.",
    }),
    open_questions=(
        *wire.OPEN_QUESTIONS,
        "`corps` nul avec le code 0 : jamais vu, il donne une réponse nulle.",
    ),
)  # fmt: skip
