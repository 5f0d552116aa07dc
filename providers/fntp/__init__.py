"""FNTP: the federation of public-works companies. One dataset, its professional card.

Source: FNTP, web service of cards. One static token travels in the query string.
"""

from providers.declaration import Provider, Setting
from providers.fntp.carte_professionnelle import CARTE_PROFESSIONNELLE

FNTP = Provider(
    id="fntp",
    label="FNTP",
    title="Fédération nationale des travaux publics",
    code="12",
    home_page="https://www.fntp.fr",
    contact="https://www.fntp.fr/contact",
    settings=(
        Setting(name="url", help="Adresse de base du service.", secret=False, default="", sandbox_path=""),
        Setting(name="jeton", help="Jeton du service (paramètre « token »).", secret=True, default="sandbox"),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=5,
    rates=(),
    probe=None,
    datasets=(CARTE_PROFESSIONNELLE,),
)

datasets = FNTP.datasets
