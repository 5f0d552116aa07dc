"""DGFIP: taxes. Turnover, tax returns, capital links and the certificate of tax compliance.

Source: DGFIP, service Adélie behind its API manager (OAuth2). One token serves all operations.
"""

from datetime import time

from providers.declaration import Maintenance, Provider, Setting
from providers.dgfip.attestation_fiscale import ATTESTATION_FISCALE
from providers.dgfip.chiffres_affaires import CHIFFRES_AFFAIRES
from providers.dgfip.jeton import SESSION
from providers.dgfip.liasses_fiscales import LIASSES_FISCALES
from providers.dgfip.liens_capitalistiques import LIENS_CAPITALISTIQUES
from providers.dgfip.sonde import PROBE

DGFIP = Provider(
    id="dgfip",
    label="DGFIP - Adélie",
    title="Direction générale des Finances publiques (DGFiP), service Adélie",
    code="03",
    home_page="https://www.impots.gouv.fr",
    contact="https://www.impots.gouv.fr/contacts",
    settings=(
        Setting(
            name="url",
            help="Adresse de base de la passerelle d'API de la DGFiP.",
            secret=False,
            default="",
            sandbox_path="",
        ),
        Setting(name="client_id", help="Identifiant OAuth2.", secret=True, default="sandbox"),
        Setting(name="client_secret", help="Secret OAuth2.", secret=True, default="sandbox"),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(Maintenance(start=time(1), end=time(2)),),
    max_concurrency=10,
    rates=(),
    probe=PROBE,
    datasets=(CHIFFRES_AFFAIRES, LIASSES_FISCALES, LIENS_CAPITALISTIQUES, ATTESTATION_FISCALE),
)

datasets = DGFIP.datasets
