"""Banque de France: balance sheets of the companies that it rates (FIBEN).

Source: Banque de France, service of the last balance sheets, behind mutual TLS and a list of allowed addresses.
"""

from datetime import time

from providers.banque_de_france.bilans import BILANS
from providers.declaration import ClientCertificate, Maintenance, Provider, Setting

BANQUE_DE_FRANCE = Provider(
    id="banque_de_france",
    label="Banque de France",
    title="Banque de France (base FIBEN)",
    code="17",
    home_page="https://www.banque-france.fr",
    contact="https://www.banque-france.fr/fr/contact",
    settings=(
        Setting(
            name="url",
            help="Adresse complète du service, jusqu'au SIREN non compris.",
            secret=False,
            default="",
            sandbox_path="/fiben/bilans",
        ),
        Setting(
            name="certificat",
            help="Chemin du certificat client RGS (PEM) ; vide dans le bac à sable, qui parle HTTP.",
            secret=False,
            default="",
        ),
        Setting(name="cle_privee", help="Chemin de la clé privée de ce certificat (PEM).", secret=False, default=""),
        Setting(
            name="autorite",
            help="Chemin de l'autorité qui signe le certificat du serveur (PEM) ; vide : celles du système.",
            secret=False,
            default="",
        ),
    ),
    session=None,
    certificate=ClientCertificate(
        certificate_setting="certificat", key_setting="cle_privee", authority_setting="autorite"
    ),
    maintenance=(Maintenance(start=time(22, 4), end=time(22, 8)),),
    max_concurrency=10,
    rates=(),
    probe=None,
    datasets=(BILANS,),
)

datasets = BANQUE_DE_FRANCE.datasets
