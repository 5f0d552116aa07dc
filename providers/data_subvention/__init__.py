"""Data.Subvention: grants asked by associations and payments made to them. One dataset.

Source: Data.Subvention, a State service that gathers the grants of several State systems.
"""

from datetime import timedelta

from providers.data_subvention.jeton import SESSION
from providers.data_subvention.subventions import SUBVENTIONS
from providers.declaration import Provider, Rate, Setting

DATA_SUBVENTION = Provider(
    id="data_subvention",
    label="DataSubvention",
    title="Data.Subvention",
    code="52",
    home_page="https://datasubvention.beta.gouv.fr",
    contact="https://datasubvention.beta.gouv.fr/contact",
    settings=(
        Setting(name="url", help="Adresse de base de l'API.", secret=False, default="", sandbox_path=""),
        Setting(name="email", help="Adresse électronique du compte.", secret=True, default="sandbox"),
        Setting(name="password", help="Mot de passe du compte.", secret=True, default="sandbox"),
        Setting(
            name="token",
            help="Jeton sans échéance d'un compte « consumer » ; remplace le compte et son mot de passe.",
            secret=True,
            default="",
        ),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    # Twenty calls a minute and per address is all that it allows by default.
    max_concurrency=4,
    rates=(Rate(calls=20, per=timedelta(minutes=1)),),
    probe=None,
    datasets=(SUBVENTIONS,),
)

datasets = DATA_SUBVENTION.datasets
