"""ADEME: agency for the ecological transition. One dataset, the RGE certificates.

Source: ADEME, public dataset `historique-rge` on its data-fair server.
"""

from datetime import timedelta

from providers.ademe.certification_rge import CERTIFICATION_RGE
from providers.declaration import Provider, Rate, Setting

ADEME = Provider(
    id="ademe",
    label="ADEME",
    title="ADEME, Agence de la transition écologique",
    code="19",
    home_page="https://data.ademe.fr",
    contact="https://data.ademe.fr/contact",
    settings=(
        Setting(name="url", help="Adresse de base du portail de données.", secret=False, default="", sandbox_path=""),
        Setting(
            name="api_key",
            help="Clé d'API ; facultative, elle relève le quota d'appels.",
            secret=True,
            default="",
        ),
        Setting(
            name="referer",
            help="Adresse publique du service, par laquelle l'ADEME reconnaît qui l'appelle.",
            secret=False,
            default="https://graphe-entreprise.exemple.fr",
        ),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    # Ten calls a second and address are announced.
    max_concurrency=5,
    rates=(Rate(calls=10, per=timedelta(seconds=1)),),
    probe=None,
    datasets=(CERTIFICATION_RGE,),
)

datasets = ADEME.datasets
