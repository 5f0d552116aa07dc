"""Agence BIO: the public register of organic operators. One dataset, their certificates.

Source: Agence BIO, open API of operators, without key.
"""

from datetime import timedelta

from providers.agence_bio.certification_biologique import CERTIFICATION_BIOLOGIQUE
from providers.declaration import Provider, Rate, Setting

AGENCE_BIO = Provider(
    id="agence_bio",
    label="Agence BIO",
    title="Agence française pour le développement et la promotion de l'agriculture biologique",
    code="18",
    home_page="https://www.agencebio.org",
    contact="https://www.agencebio.org/contact",
    settings=(
        Setting(name="url", help="Adresse de base de l'API ouverte.", secret=False, default="", sandbox_path=""),
        Setting(
            name="user_agent",
            help="Nom, version et contact du service : l'Agence BIO refuse les clients qui ne se nomment pas.",
            secret=False,
            default="graphe-entreprise/0.1 (contact@exemple.fr)",
        ),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    # Fewer than three calls a second are asked for.
    max_concurrency=2,
    rates=(Rate(calls=2, per=timedelta(seconds=1)),),
    probe=None,
    datasets=(CERTIFICATION_BIOLOGIQUE,),
)

datasets = AGENCE_BIO.datasets
