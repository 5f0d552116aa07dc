"""European Commission: VIES, which relays a question about a VAT number to the tax administration of a member state.

Source: European Commission (DG TAXUD), public REST service of VIES.
"""

from providers.commission_europeenne.numero_tva import NUMERO_TVA
from providers.commission_europeenne.sonde import PROBE
from providers.declaration import Provider, Setting

COMMISSION_EUROPEENNE = Provider(
    id="commission_europeenne",
    label="Commission européenne",
    title="Commission européenne, VIES",
    code="28",
    home_page="https://ec.europa.eu/taxation_customs/vies",
    contact="https://ec.europa.eu/taxation_customs/vies",
    settings=(
        Setting(
            name="url",
            help="Adresse de base, par exemple https://ec.europa.eu/taxation_customs/vies/rest-api/ms/FR/vat.",
            secret=False,
            default="",
            sandbox_path="/taxation_customs/vies/rest-api/ms/FR/vat",
        ),
    ),
    session=None,
    certificate=None,
    maintenance=(),
    # Unpublished limits, by address and by member state: beyond a handful of calls at once, VIES blocks.
    max_concurrency=4,
    rates=(),
    probe=PROBE,
    datasets=(NUMERO_TVA,),
)

datasets = COMMISSION_EUROPEENNE.datasets
