"""OPQIBI: qualification body of engineering companies. One dataset, the certificate of qualification.

Source: OPQIBI, service "certificats".
"""

from providers.declaration import Provider, Setting
from providers.opqibi.certification_ingenierie import CERTIFICATION_INGENIERIE

OPQIBI = Provider(
    id="opqibi",
    label="OPQIBI",
    title="OPQIBI, organisme de qualification de l'ingénierie",
    code="11",
    home_page="https://www.opqibi.com",
    contact="https://www.opqibi.com/contact",
    settings=(
        Setting(name="url", help="Adresse de base du service de l'OPQIBI.", secret=False, default="", sandbox_path=""),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    max_concurrency=5,
    rates=(),
    probe=None,
    datasets=(CERTIFICATION_INGENIERIE,),
)

datasets = OPQIBI.datasets
