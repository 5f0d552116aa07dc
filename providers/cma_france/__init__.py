"""CMA France: the register of crafts (RNM), replaced by the national register of companies on 1 January 2023.

Source: CMA France, public API of the RNM. Without an address the service is closed: it may be gone any day.
"""

from datetime import timedelta

from providers.cma_france.entreprise_artisanale import ENTREPRISE_ARTISANALE
from providers.declaration import Provider, Rate, Setting

CMA_FRANCE = Provider(
    id="cma_france",
    label="CMA France",
    title="CMA France, répertoire national des métiers",
    # What clients of the REST API receive; its public documentation shows 22.
    code="15",
    home_page="https://www.artisanat.fr",
    contact="https://www.artisanat.fr/contact",
    settings=(
        Setting(
            name="url",
            help="Adresse de base du service, par exemple https://api-rnm.artisanat.fr ; vide, le service est fermé.",
            secret=False,
            default="",
            sandbox_path="",
        ),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    # The service announces 2,000 calls per 10 minutes and address.
    max_concurrency=5,
    rates=(Rate(calls=2000, per=timedelta(minutes=10)),),
    probe=None,
    datasets=(ENTREPRISE_ARTISANALE,),
)

datasets = CMA_FRANCE.datasets
