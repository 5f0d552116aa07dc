"""Réseau des Carif-Oref: training organisations. One dataset, Qualiopi and France compétences.

Source: Réseau des Carif-Oref, service QuiForme.
"""

from providers.carif_oref.qualiopi import QUALIOPI
from providers.declaration import Provider, Setting

CARIF_OREF = Provider(
    id="carif_oref",
    label="CARIF-OREF",
    title="Réseau des Carif-Oref (QuiForme)",
    code="33",
    home_page="https://www.intercariforef.org",
    contact="https://www.intercariforef.org/contact",
    settings=(
        Setting(name="url", help="Adresse de base du service QuiForme.", secret=False, default="", sandbox_path=""),
        Setting(name="token", help="Jeton de connexion, sans échéance.", secret=True, default="sandbox"),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=5,
    rates=(),
    probe=None,
    datasets=(QUALIOPI,),
)

datasets = CARIF_OREF.datasets
