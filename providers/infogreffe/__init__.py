"""Infogreffe: the register of commerce (RCS), kept by the clerks of the commercial courts.

Source: Infogreffe, web service "Produits". One SOAP call gives the Kbis as XML; two datasets are read from it.
"""

from providers.declaration import Provider, Setting
from providers.infogreffe.extrait_rcs import EXTRAIT_RCS
from providers.infogreffe.mandataires_sociaux import MANDATAIRES_SOCIAUX

INFOGREFFE = Provider(
    id="infogreffe",
    label="Infogreffe",
    title="Infogreffe, registre du commerce et des sociétés",
    code="02",
    home_page="https://www.infogreffe.fr",
    contact="https://www.infogreffe.fr/contact",
    settings=(
        Setting(
            name="url",
            help="Adresse complète du service, fournie avec l'abonnement.",
            secret=False,
            default="",
            sandbox_path="/produits",
        ),
        Setting(name="code_abonne", help="Code de l'abonné.", secret=True, default="sandbox"),
        Setting(name="mot_passe", help="Mot de passe de l'abonné.", secret=True, default="sandbox"),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=10,
    rates=(),
    probe=None,
    datasets=(EXTRAIT_RCS, MANDATAIRES_SOCIAUX),
)

datasets = INFOGREFFE.datasets
