"""Qualibat: qualification body of the building trade. One dataset, the certificate of an establishment.

Source: Qualibat, service "certificat" (login by Basic, then a bearer token).
"""

from providers.declaration import Provider, Setting
from providers.qualibat.certification_batiment import CERTIFICATION_BATIMENT
from providers.qualibat.jeton import SESSION

QUALIBAT = Provider(
    id="qualibat",
    label="Qualibat",
    title="Qualibat, organisme de qualification et de certification de la construction",
    code="06",
    home_page="https://www.qualibat.com",
    contact="https://www.qualibat.com/contact",
    settings=(
        Setting(name="url", help="Adresse de base du service de Qualibat.", secret=False, default="", sandbox_path=""),
        Setting(name="user", help="Identifiant de connexion.", secret=True, default="sandbox"),
        Setting(name="password", help="Mot de passe.", secret=True, default="sandbox"),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    max_concurrency=5,
    rates=(),
    probe=None,
    datasets=(CERTIFICATION_BATIMENT,),
)

datasets = QUALIBAT.datasets
