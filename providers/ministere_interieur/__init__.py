"""The ministry of the Interior's register of associations (RNA), served by "API Association" (DJEPVA).

Source: API Association, run by the DJEPVA; it merges the RNA, Sirene and Le Compte Asso. One call gives all that is
known of an association; two datasets are read from it.
"""

from providers.declaration import Provider, Setting
from providers.ministere_interieur.associations import ASSOCIATIONS
from providers.ministere_interieur.documents import DOCUMENTS

MINISTERE_INTERIEUR = Provider(
    id="ministere_interieur",
    label="DJEPVA",
    title="Ministère de l'Intérieur (RNA) et DJEPVA (API Association)",
    # One service, under the number of its present routes; `documents` puts the ministry's own (21) on its errors.
    code="29",
    home_page="https://lecompteasso.associations.gouv.fr",
    contact="https://www.associations.gouv.fr/contact.html",
    settings=(
        Setting(
            name="url",
            help="Adresse de base de la passerelle d'API Association.",
            secret=False,
            default="",
            sandbox_path="",
        ),
        Setting(name="api_key", help="Clé de la passerelle (X-Gravitee-Api-Key).", secret=True, default="sandbox"),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=10,
    rates=(),
    probe=None,
    datasets=(ASSOCIATIONS, DOCUMENTS),
)

datasets = MINISTERE_INTERIEUR.datasets
