"""Douanes: French customs. One dataset, the registration of economic operators under an EORI number.

Source: DGDDI, web service EORI.
"""

from providers.declaration import Provider, Setting
from providers.douanes.immatriculation_eori import IMMATRICULATION_EORI

DOUANES = Provider(
    id="douanes",
    label="DGDDI",
    title="Direction générale des douanes et droits indirects",
    code="16",
    home_page="https://www.douane.gouv.fr",
    contact="https://www.douane.gouv.fr/contact",
    settings=(
        Setting(name="url", help="Adresse de base du service EORI.", secret=False, default="", sandbox_path="/eori"),
        Setting(
            name="id_client",
            help="Identifiant de notre service auprès des douanes (paramètre « idClient »).",
            secret=True,
            default="sandbox",
        ),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=5,
    rates=(),
    probe=None,
    datasets=(IMMATRICULATION_EORI,),
)

datasets = DOUANES.datasets
