"""PRO BTP: pension and provident contributions of building and public works.

Source: PRO BTP, service `mpsservices`, behind mutual TLS. Two operations of the same shape.
"""

from providers.declaration import ClientCertificate, Provider, Setting
from providers.probtp.attestation_cotisations_retraite import ATTESTATION_COTISATIONS_RETRAITE
from providers.probtp.conformite_cotisations_retraite import CONFORMITE_COTISATIONS_RETRAITE

PROBTP = Provider(
    id="probtp",
    label="ProBTP",
    title="PRO BTP, protection sociale du bâtiment et des travaux publics",
    code="09",
    home_page="https://www.probtp.com",
    contact="https://www.probtp.com/contact",
    settings=(
        Setting(name="url", help="Adresse de base des services.", secret=False, default="", sandbox_path=""),
        Setting(
            name="certificat",
            help="Chemin du certificat client RGS (PEM) ; vide dans le bac à sable, qui parle HTTP.",
            secret=False,
            default="",
        ),
        Setting(name="cle_privee", help="Chemin de la clé privée RSA (PEM).", secret=False, default=""),
        Setting(
            name="autorite",
            help="Chemin de l'autorité qui signe le certificat du serveur (PEM) ; vide : celles du système.",
            secret=False,
            default="",
        ),
    ),
    session=None,
    certificate=ClientCertificate(
        certificate_setting="certificat", key_setting="cle_privee", authority_setting="autorite"
    ),
    maintenance=(),
    max_concurrency=10,
    rates=(),
    probe=None,
    datasets=(CONFORMITE_COTISATIONS_RETRAITE, ATTESTATION_COTISATIONS_RETRAITE),
)

datasets = PROBTP.datasets
