"""Fabrique numérique des ministères sociaux: which collective agreements an establishment applies.

Source: public service siret2idcc, version 2, which its own publisher calls deprecated.
"""

from providers.declaration import Provider, Setting
from providers.fabrique_numerique.conventions_collectives import CONVENTIONS_COLLECTIVES
from providers.fabrique_numerique.sonde import PROBE

FABRIQUE_NUMERIQUE = Provider(
    id="fabrique_numerique",
    label="Fabrique numérique des ministères sociaux",
    title="Fabrique numérique des ministères sociaux",
    code="14",
    home_page="https://www.fabrique.social.gouv.fr",
    contact="https://www.fabrique.social.gouv.fr",
    settings=(
        Setting(
            name="url",
            help="Adresse de base du service, par exemple https://siret2idcc.fabrique.social.gouv.fr/api/v2.",
            secret=False,
            default="",
            sandbox_path="/api/v2",
        ),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=5,
    rates=(),
    probe=PROBE,
    datasets=(CONVENTIONS_COLLECTIVES,),
)

datasets = FABRIQUE_NUMERIQUE.datasets
