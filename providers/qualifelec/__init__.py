"""Qualifelec: qualification body of electrical works. One dataset, the certificates of an establishment.

Source: Qualifelec, service of certificates (login, then a bearer token).
"""

from providers.declaration import Provider, Setting
from providers.qualifelec.certificats import CERTIFICATS
from providers.qualifelec.jeton import SESSION

QUALIFELEC = Provider(
    id="qualifelec",
    label="Qualifelec",
    title="Qualifelec, organisme de qualification des entreprises de l'électrotechnique",
    code="32",
    home_page="https://www.qualifelec.fr",
    contact="https://www.qualifelec.fr/contact",
    settings=(
        Setting(
            name="url", help="Adresse du service de certificats.", secret=False, default="", sandbox_path="/certificats"
        ),
        Setting(
            name="auth_url",
            help="Adresse complète de la connexion, configurée à part.",
            secret=False,
            default="",
            sandbox_path="/login_check",
        ),
        Setting(name="username", help="Identifiant de connexion.", secret=True, default="sandbox"),
        Setting(name="password", help="Mot de passe.", secret=True, default="sandbox"),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    max_concurrency=5,
    rates=(),
    probe=None,
    datasets=(CERTIFICATS,),
)

datasets = QUALIFELEC.datasets
