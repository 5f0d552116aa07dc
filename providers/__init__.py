"""The rooms: one folder per provider, one module per dataset. This tuple is the only list of them."""

from providers.acoss import ACOSS
from providers.ademe import ADEME
from providers.agefiph import AGEFIPH
from providers.agence_bio import AGENCE_BIO
from providers.banque_de_france import BANQUE_DE_FRANCE
from providers.carif_oref import CARIF_OREF
from providers.cibtp import CIBTP
from providers.cma_france import CMA_FRANCE
from providers.cnetp import CNETP
from providers.commission_europeenne import COMMISSION_EUROPEENNE
from providers.data_subvention import DATA_SUBVENTION
from providers.declaration import Provider
from providers.dgfip import DGFIP
from providers.douanes import DOUANES
from providers.fabrique_numerique import FABRIQUE_NUMERIQUE
from providers.fntp import FNTP
from providers.gip_mds import GIP_MDS
from providers.infogreffe import INFOGREFFE
from providers.inpi import INPI
from providers.inpi_rne import INPI_RNE
from providers.insee import INSEE
from providers.ministere_interieur import MINISTERE_INTERIEUR
from providers.msa import MSA
from providers.opqibi import OPQIBI
from providers.probtp import PROBTP
from providers.qualibat import QUALIBAT
from providers.qualifelec import QUALIFELEC

PROVIDERS: tuple[Provider, ...] = (
    INSEE,
    INFOGREFFE,
    DGFIP,
    ACOSS,
    INPI_RNE,
    INPI,
    QUALIBAT,
    CNETP,
    PROBTP,
    MSA,
    OPQIBI,
    FNTP,
    AGEFIPH,
    FABRIQUE_NUMERIQUE,
    CMA_FRANCE,
    DOUANES,
    BANQUE_DE_FRANCE,
    AGENCE_BIO,
    ADEME,
    COMMISSION_EUROPEENNE,
    MINISTERE_INTERIEUR,
    GIP_MDS,
    QUALIFELEC,
    CARIF_OREF,
    CIBTP,
    DATA_SUBVENTION,
)
