"""Why a field is null, as its caller is told."""

from typing import Final

from resolvers.decision import AnyDataset
from resolvers.errors import BudgetExceeded, DeadlineExceeded, Denied, JournalDown, RightsUnchecked, TraceabilityMissing

UNTRACED: Final = "L'accès ne peut pas être journalisé pour le moment : aucune donnée n'est servie. Réessayez."


def denied_field(coordinate: str, scopes: frozenset[str]) -> Denied:
    """The error of a field that the caller's scopes don't open."""
    return Denied(
        "Votre jeton n'ouvre pas ce champ. Demandez une des habilitations indiquées pour votre démarche.",
        {
            "coordinate": coordinate,
            "requiredScopes": [[scope] for scope in sorted(scopes)],
            "lienHabilitation": "https://datapass.api.gouv.fr",
        },
    )


def traceability_missing(missing: tuple[str, ...]) -> TraceabilityMissing:
    names = ", ".join(f"« {name} »" for name in missing)
    return TraceabilityMissing(
        f"Ce champ protégé demande de déclarer pourquoi vous le lisez. À fournir : {names}, par les en-têtes "
        "X-Contexte, X-Objet et X-Destinataire ou par « extensions.tracabilite ».",
        {"manquants": list(missing), "codeApiEntreprise": _TRACEABILITY_CODES[missing[0]]},
    )


def rights_unchecked(dataset: AnyDataset) -> RightsUnchecked:
    return RightsUnchecked(
        "Les droits de votre jeton ne peuvent pas être vérifiés pour le moment : seules les données publiques sont "
        "servies. Réessayez dans quelques secondes.",
        _about(dataset),
    )


def deadline_exceeded(dataset: AnyDataset) -> DeadlineExceeded:
    return DeadlineExceeded(
        "Le temps imparti à la requête est écoulé avant la réponse du fournisseur. Réessayez.", _about(dataset)
    )


def journal_down(dataset: AnyDataset) -> JournalDown:
    return JournalDown(UNTRACED, _about(dataset))


def over_budget(dataset: AnyDataset, wait: int) -> BudgetExceeded:
    """`wait`: seconds until the quota is whole again."""
    return BudgetExceeded(
        f"Votre quota d'appels à ce fournisseur est atteint pour cette minute. Réessayez dans {wait} s.",
        {**_about(dataset), "groupeDeQuota": dataset.quota.value, "reessayerDans": wait},
    )


def _about(dataset: AnyDataset) -> dict[str, str]:
    return {"fournisseur": dataset.provider_id, "jeuDeDonnees": dataset.id}


_TRACEABILITY_CODES = {"contexte": "00201", "objet": "00202", "destinataire": "00203"}
