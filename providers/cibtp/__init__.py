"""CIBTP: the network of regional paid-leave funds of the building trade. One dataset, its certificate.

Source: Congés intempéries BTP, service of certificates. A token first, then the document.
"""

from datetime import timedelta

from providers.cibtp.attestation_conges_payes import ATTESTATION_CONGES_PAYES
from providers.cibtp.jeton import SESSION
from providers.declaration import Provider, Rate, Setting

CIBTP = Provider(
    id="cibtp",
    label="CIBTP",
    title="Réseau des caisses Congés intempéries BTP",
    code="38",
    home_page="https://www.cibtp.fr",
    contact="https://www.cibtp.fr/contact",
    settings=(
        Setting(name="url", help="Adresse de base du service.", secret=False, default="", sandbox_path=""),
        Setting(name="client_id", help="Identifiant du client.", secret=True, default="sandbox"),
        Setting(name="client_secret", help="Secret du client.", secret=True, default="sandbox"),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    # A slow service: few calls at once, beside the quota of five a minute and token.
    max_concurrency=2,
    rates=(Rate(calls=5, per=timedelta(minutes=1)),),
    probe=None,
    datasets=(ATTESTATION_CONGES_PAYES,),
)

datasets = CIBTP.datasets
