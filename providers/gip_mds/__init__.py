"""GIP-MDS: staff counts computed from the social declarations (DSN).

Source: GIP Modernisation des déclarations sociales, API "RCD" behind a WSO2 gateway (OAuth2, allowed addresses).
Today's form of the 2020 staff counts of the ACOSS.
"""

from providers.declaration import Provider, Setting
from providers.gip_mds.effectifs_annuels import EFFECTIFS_ANNUELS
from providers.gip_mds.effectifs_mensuels import EFFECTIFS_MENSUELS
from providers.gip_mds.jeton import SESSION

GIP_MDS = Provider(
    id="gip_mds",
    label="GIP-MDS",
    title="GIP Modernisation des déclarations sociales (GIP-MDS)",
    code="31",
    home_page="https://www.net-entreprises.fr/gip-mds",
    contact="https://www.net-entreprises.fr/contact",
    settings=(
        Setting(
            name="url",
            help="Adresse de base de la passerelle. Le GIP-MDS autorise nos adresses IP.",
            secret=False,
            default="",
            sandbox_path="",
        ),
        Setting(name="client_id", help="Identifiant OAuth2.", secret=True, default="sandbox"),
        Setting(name="client_secret", help="Secret OAuth2.", secret=True, default="sandbox"),
        Setting(
            name="code_ops_demandeur",
            help="Code du demandeur attribué par le GIP-MDS, dix caractères.",
            secret=False,
            default="00000DINUM",
        ),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    max_concurrency=10,
    rates=(),
    probe=None,
    datasets=(EFFECTIFS_ANNUELS, EFFECTIFS_MENSUELS),
)

datasets = GIP_MDS.datasets
