"""The providers as they are now, seen from the calls really made, and from their probes when there are none."""

from datetime import date, datetime

import strawberry

from graph.loading import service_of
from graph.words import inherits
from providers import PROVIDERS
from providers.declaration import Provider
from providers.record import inherits as leaf
from resolvers.health import Health
from resolvers.history import DAYS


@strawberry.type(description="Débit qu'un fournisseur accorde à tout le service.")
class DebitFournisseur:
    limite: int = leaf("Appels au plus sur la durée.")
    duree_secondes: int = leaf("Durée, en secondes.")
    restant: int = leaf("Appels restants, à la connaissance de ce processus.")


@strawberry.type(description="Fenêtre de maintenance, en cours ou à venir dans les deux jours.")
class FenetreDeMaintenance:
    debut: datetime = leaf("Début.")
    fin: datetime = leaf("Fin.")


@strawberry.type(description="Une journée (UTC) d'appels à un fournisseur.")
class JourDeDisponibilite:
    jour: date = leaf("Jour.")
    reponses: int = leaf("Appels auxquels le fournisseur a répondu, « introuvable » compris.")
    echecs: int = leaf("Appels en échec.")
    disponibilite: float = leaf("Part des appels auxquels il a répondu, en pourcentage.")


@strawberry.type(
    description="État d'un fournisseur, d'après les appels réels des dix dernières minutes, ou sa sonde quand il n'y en a pas."
)
class Fournisseur:
    id: strawberry.ID = leaf("Identifiant du fournisseur.")
    nom: str = leaf("Nom court.")
    titre: str = leaf("Nom complet.")
    etat: str = leaf("`DISPONIBLE`, `DEGRADE`, `INDISPONIBLE`, `EN_MAINTENANCE`, ou `INCONNU` faute d'appel récent.")
    origine: str | None = leaf(
        "D'où cet état est connu : `TRAFIC`, les appels réels ; `SONDE`, un appel d'essai qui ne lit rien d'aucune entreprise. "
        "Nul quand rien ne le dit, ou quand c'est le calendrier des maintenances."
    )
    derniere_sonde: datetime | None = leaf(
        "Dernier appel d'essai ; nul pour un fournisseur dont la documentation n'en prévoit pas, ou qui n'en a pas reçu."
    )
    depuis: datetime | None = leaf("Début de cet état, quand il est connu.")
    dernier_succes: datetime | None = leaf("Dernière réponse reçue, à la connaissance de ce processus.")
    appels: int = leaf("Appels des dix dernières minutes.")
    taux_erreur: float | None = leaf("Part des appels en échec, de 0 à 1 ; nul sans appel.")
    latence_mediane_ms: float | None = leaf("Durée de réponse médiane, en millisecondes.")
    latence_p95_ms: float | None = leaf("Durée de réponse que 95 % des appels ne dépassent pas, en millisecondes.")
    circuit: str = leaf("`FERME` : appelé ; `OUVERT` : plus appelé pour un temps ; `SEMI_OUVERT` : à l'essai.")
    en_pause_jusqu_a: datetime | None = leaf("Fin de l'attente que le fournisseur a demandée.")
    debits: list[DebitFournisseur] = leaf("Débits déclarés et ce qu'il en reste.")
    maintenances: list[FenetreDeMaintenance] = leaf("Fenêtres de maintenance en cours ou à venir.")

    @inherits(f"Disponibilité jour par jour, sur {DAYS} jours ; les jours sans appel sont absents.")
    async def historique(self, info: strawberry.Info) -> list[JourDeDisponibilite]:
        days = await service_of(info).history.days(self.id)
        return [
            JourDeDisponibilite(jour=day.day, reponses=day.answers, echecs=day.failures, disponibilite=day.availability)
            for day in days
        ]


async def fournisseurs_of(info: strawberry.Info) -> list[Fournisseur]:
    """Every provider, in the order of the rooms."""
    found = await service_of(info).watch.health(provider.id for provider in PROVIDERS)
    return [_entry(provider, health) for provider, health in zip(PROVIDERS, found, strict=True)]


def _entry(provider: Provider, health: Health) -> Fournisseur:
    return Fournisseur(
        id=strawberry.ID(provider.id),
        nom=provider.label,
        titre=provider.title,
        etat=health.condition.value,
        origine=None if health.origin is None else health.origin.value,
        derniere_sonde=health.sounded,
        depuis=health.since,
        dernier_succes=health.last_success,
        appels=health.figures.calls,
        taux_erreur=health.figures.error_rate,
        latence_mediane_ms=health.figures.p50,
        latence_p95_ms=health.figures.p95,
        circuit=health.circuit.value,
        en_pause_jusqu_a=health.paused_until,
        debits=[
            DebitFournisseur(limite=quota.limit, duree_secondes=int(quota.per.total_seconds()), restant=quota.left)
            for quota in health.quotas
        ],
        maintenances=[FenetreDeMaintenance(debut=start, fin=end) for start, end in health.maintenance],
    )
