"""MSA: social contributions of the agricultural scheme.

Source: Caisse centrale de la MSA, service that tells whether contributions are paid; it knows us by our address.
"""

from datetime import time

from providers.declaration import Maintenance, Provider, Setting
from providers.msa.conformite_cotisations import CONFORMITE_COTISATIONS

MSA = Provider(
    id="msa",
    label="MSA",
    title="Mutualité sociale agricole (MSA)",
    code="10",
    home_page="https://www.msa.fr",
    contact="https://www.msa.fr/lfp/contact",
    settings=(
        Setting(
            name="url",
            help="Adresse complète du service, jusqu'au SIRET non compris. La MSA autorise nos adresses IP.",
            secret=False,
            default="",
            sandbox_path="/cotisations",
        ),
    ),
    session=None,
    certificate=None,
    maintenance=(Maintenance(start=time(3), end=time(3, 30)),),
    max_concurrency=10,
    rates=(),
    probe=None,
    datasets=(CONFORMITE_COTISATIONS,),
)

datasets = MSA.datasets
