"""INPI, national register of companies (RNE): filed documents, annual accounts, extract, beneficial owners.

Source: INPI, RNE API. Two calls serve four datasets: `attachments`, and the whole record of a company.
"""

from datetime import timedelta
from typing import Any, Final

from providers.declaration import Dataset, Provider, Rate, Setting
from providers.inpi_rne.actes import ACTES
from providers.inpi_rne.beneficiaires_effectifs import BENEFICIAIRES_EFFECTIFS
from providers.inpi_rne.bilans_saisis import BILANS_SAISIS
from providers.inpi_rne.connexion import SESSION
from providers.inpi_rne.extrait_rne import EXTRAIT_RNE

datasets: Final[tuple[Dataset[Any, Any, Any], ...]] = (ACTES, BILANS_SAISIS, EXTRAIT_RNE, BENEFICIAIRES_EFFECTIFS)

INPI_RNE: Final = Provider(
    id="inpi_rne",
    label="INPI - RNE",
    title="Institut national de la propriété industrielle, registre national des entreprises",
    code="34",
    home_page="https://data.inpi.fr",
    contact="https://www.inpi.fr/contactez-nous",
    settings=(
        Setting(
            name="url",
            help="Adresse de base de l'API du registre (https://registre-national-entreprises.inpi.fr).",
            secret=False,
            default="",
            sandbox_path="",
        ),
        Setting(
            name="url_export",
            help="Adresse de base d'où viennent les attestations en PDF (https://data.inpi.fr).",
            secret=False,
            default="",
            sandbox_path="",
        ),
        Setting(name="username", help="Compte d'accès à l'API.", secret=False, default="sandbox"),
        Setting(name="password", help="Mot de passe du compte.", secret=True, default="sandbox"),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    # The register bans an address that makes more than three calls a second over a minute.
    max_concurrency=3,
    rates=(Rate(calls=180, per=timedelta(minutes=1)), Rate(calls=10_000, per=timedelta(days=1))),
    probe=None,
    datasets=datasets,
)
