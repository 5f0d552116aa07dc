"""INPI, industrial property: patents, trade marks, designs. Source: INPI, PI APIs on its gateway.

The open search of 2020 that came before and the RNCS file service of the same years are retired: nothing calls them.
"""

from datetime import timedelta
from typing import Any, Final

from providers.declaration import Dataset, Provider, Rate, Setting
from providers.inpi.brevets import BREVETS
from providers.inpi.connexion import SESSION
from providers.inpi.dessins_modeles import DESSINS_MODELES
from providers.inpi.marques import MARQUES

datasets: Final[tuple[Dataset[Any, Any, Any], ...]] = (BREVETS, MARQUES, DESSINS_MODELES)

INPI: Final = Provider(
    id="inpi",
    label="INPI",
    title="Institut national de la propriété industrielle",
    code="05",
    home_page="https://data.inpi.fr",
    contact="https://www.inpi.fr/contactez-nous",
    settings=(
        Setting(
            name="url",
            help="Adresse de base de la passerelle (https://api-gateway.inpi.fr).",
            secret=False,
            default="",
            sandbox_path="",
        ),
        Setting(
            name="username", help="Compte data.inpi.fr où les API PI sont activées.", secret=False, default="sandbox"
        ),
        Setting(
            name="password",
            help="Mot de passe technique de ces API ; ce n'est pas celui du compte.",
            secret=True,
            default="sandbox",
        ),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    # One call at a time: the token against cross-site requests changes with each answer.
    max_concurrency=1,
    rates=(Rate(calls=10, per=timedelta(minutes=1)), Rate(calls=10_000, per=timedelta(days=1))),
    probe=None,
    datasets=datasets,
)
