"""URSSAF (ACOSS): social contributions. One dataset, the certificate of vigilance.

Source: URSSAF, service "attestations" behind its API gateway (OAuth2).
"""

from providers.acoss.attestation_vigilance import ATTESTATION_VIGILANCE
from providers.acoss.jeton import SESSION
from providers.declaration import Provider, Setting

ACOSS = Provider(
    id="acoss",
    label="ACOSS",
    title="Urssaf Caisse nationale (ACOSS)",
    code="04",
    home_page="https://www.urssaf.fr",
    contact="https://www.urssaf.fr/accueil/contact.html",
    settings=(
        Setting(
            name="url", help="Adresse de base des services de l'Urssaf.", secret=False, default="", sandbox_path=""
        ),
        Setting(name="client_id", help="Identifiant OAuth2.", secret=True, default="sandbox"),
        Setting(name="client_secret", help="Secret OAuth2.", secret=True, default="sandbox"),
        Setting(
            name="id_client",
            help="Identifiant du consommateur transmis à l'Urssaf avec chaque demande ; ne doit pas être vide.",
            secret=False,
            default="sandbox",
        ),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    max_concurrency=10,
    rates=(),
    probe=None,
    datasets=(ATTESTATION_VIGILANCE,),
)

datasets = ACOSS.datasets
