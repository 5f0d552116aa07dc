"""CNETP: the paid-leave fund of public works. One dataset, its certificate of contributions.

Source: CNETP, web service of certificates. Two static secrets travel in the query string.
"""

from datetime import time

from providers.cnetp.attestation_conges_payes import ATTESTATION_CONGES_PAYES
from providers.declaration import Maintenance, Provider, Setting

CNETP = Provider(
    id="cnetp",
    label="CNETP",
    title="Caisse nationale des entrepreneurs de travaux publics",
    code="08",
    home_page="https://www.cnetp.fr",
    contact="https://www.cnetp.fr/contact",
    settings=(
        Setting(name="url", help="Adresse de base du service.", secret=False, default="", sandbox_path=""),
        Setting(name="numero_client", help="Numéro de client (paramètre « id »).", secret=True, default="sandbox"),
        Setting(name="jeton", help="Jeton du client (paramètre « jeton »).", secret=True, default="sandbox"),
    ),
    session=None,
    certificate=None,
    maintenance=(Maintenance(start=time(6), end=time(6, 30)),),
    max_concurrency=5,
    rates=(),
    probe=None,
    datasets=(ATTESTATION_CONGES_PAYES,),
)

datasets = CNETP.datasets
