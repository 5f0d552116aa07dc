"""The scopes of an habilitation, by the names that tokens carry.

A dataset opens to whoever holds any one of its scopes. Names from before the renaming are still
found on living tokens and go on opening what they opened. Source: the State's catalogue of the
"API Entreprise" bouquet.
"""

from typing import Final

OPEN_DATA: Final = "open_data"
"""Public data: practically every recent token holds it."""

ANY_TOKEN: Final = "*"
"""Among the scopes of a dataset: any valid token opens it (the VAT number). No token holds it."""

OPEN_DATA_FORM_VALUES: Final = frozenset({
    "open_data_unites_legales_etablissements_insee", "open_data_extrait_rcs_infogreffe",
    "open_data_associations_djepva", "open_data_numero_tva_dgfip", "open_data_conventions_collectives_fabnum",
    "open_data_immatriculation_eori_douanes", "open_data_actes_bilans_inpi",
    "open_data_carte_pro_travaux_publics_fntp", "open_data_certifications_bio_agence_bio",
    "open_data_certifications_rge_ademe", "open_data_certifications_batiment_qualibat",
    "open_data_certifications_ingenierie_opqibi", "open_data_certifications_qualifelec",
})  # fmt: skip
"""The thirteen boxes of the habilitation form; all of them mean `open_data` once delivered."""

# INSEE
UNITES_LEGALES_ETABLISSEMENTS_INSEE: Final = "unites_legales_etablissements_insee"
ENTREPRISES: Final = "entreprises"
ETABLISSEMENTS: Final = "etablissements"
# Infogreffe
EXTRAITS_RCS: Final = "extraits_rcs"
MANDATAIRES_SOCIAUX_INFOGREFFE: Final = "mandataires_sociaux_infogreffe"
# URSSAF
ATTESTATION_SOCIALE_URSSAF: Final = "attestation_sociale_urssaf"
ATTESTATIONS_SOCIALES: Final = "attestations_sociales"
# AGEFIPH
ATTESTATIONS_AGEFIPH: Final = "attestations_agefiph"
# ADEME
CERTIFICAT_RGE_ADEME: Final = "certificat_rge_ademe"
# Agence BIO
CERTIFICAT_AGENCE_BIO: Final = "certificat_agence_bio"
# Banque de France
BILANS_BDF: Final = "bilans_bdf"
BILANS_ENTREPRISE_BDF: Final = "bilans_entreprise_bdf"
# CIBTP and CNETP
ATTESTATION_COTISATIONS_CONGES_PAYES_CHOMAGE_INTEMPERIES_CIBTP_CNETP: Final = (
    "attestation_cotisations_conges_payes_chomage_intemperies_cibtp_cnetp"
)
CERTIFICATION_CNETP: Final = "certification_cnetp"
CERTIFICAT_CNETP: Final = "certificat_cnetp"
# CMA France
ENTREPRISES_ARTISANALES: Final = "entreprises_artisanales"
# Carif-Oref
CERTIFICATIONS_QUALIOPI_FRANCE_COMPETENCES: Final = "certifications_qualiopi_france_competences"
# Customs
EORI_DOUANES: Final = "eori_douanes"
# DGFIP
ATTESTATION_FISCALE_DGFIP: Final = "attestation_fiscale_dgfip"
ATTESTATIONS_FISCALES: Final = "attestations_fiscales"
CHIFFRE_AFFAIRES_DGFIP: Final = "chiffre_affaires_dgfip"
EXERCICES: Final = "exercices"
LIASSES_FISCALES_DGFIP: Final = "liasses_fiscales_dgfip"
LIASSE_FISCALE: Final = "liasse_fiscale"
LIENS_CAPITALISTIQUES_DGFIP: Final = "liens_capitalistiques_dgfip"
# DJEPVA
ASSOCIATIONS: Final = "associations"
DOCUMENTS_ASSOCIATION: Final = "documents_association"
ASSOCIATIONS_DJEPVA: Final = "associations_djepva"
ASSOCIATIONS_DONNEES_PROTEGEES: Final = "associations_donnees_protegees"
# Data.Subvention
DATA_SUBVENTION_SUBVENTIONS: Final = "data_subvention_subventions"
# FNTP
FNTP_CARTE_PRO: Final = "fntp_carte_pro"
# Fabrique numérique
CONVENTIONS_COLLECTIVES: Final = "conventions_collectives"
# GIP-MDS
EFFECTIFS_URSSAF: Final = "effectifs_urssaf"
# INPI
EXTRAIT_COURT_INPI: Final = "extrait_court_inpi"
ACTES_INPI: Final = "actes_inpi"
BILANS_INPI: Final = "bilans_inpi"
COMPTES_ANNUELS_INPI: Final = "comptes_annuels_inpi"
ACTES_BILANS_INPI: Final = "actes_bilans_inpi"
BENEFICIAIRES_EFFECTIFS_INPI: Final = "beneficiaires_effectifs_inpi"
# MSA
COTISATIONS_MSA: Final = "cotisations_msa"
MSA_COTISATIONS: Final = "msa_cotisations"
# OPQIBI
CERTIFICAT_OPQIBI: Final = "certificat_opqibi"
CERTIFICATION_OPQIBI: Final = "certification_opqibi"
# PRO BTP
COTISATIONS_PROBTP: Final = "cotisations_probtp"
PROBTP: Final = "probtp"
# Qualibat
QUALIBAT: Final = "qualibat"


OLD_NAMES: Final = frozenset({
    "entreprises", "etablissements", "extraits_rcs", "associations", "associations_donnees_protegees",
    "documents_association", "conventions_collectives", "entreprises_artisanales", "eori_douanes", "exercices",
    "bilans_entreprise_bdf", "liasse_fiscale", "attestations_fiscales", "attestations_sociales", "msa_cotisations",
    "probtp", "certificat_cnetp", "certification_cnetp", "fntp_carte_pro", "certificat_rge_ademe", "qualibat",
    "certificat_opqibi", "certification_opqibi", "attestations_agefiph", "effectifs_acoss", "actes_inpi",
    "certificat_agence_bio",
})  # fmt: skip
"""Names that living tokens carry and that nobody may ask for any more."""


def effective(names: frozenset[str]) -> frozenset[str]:
    """The scopes as the decision reads them: the form's thirteen public values become `open_data`.

    `*` is our own word on datasets, not a right: a token that carries it holds nothing more.
    """
    held = names - OPEN_DATA_FORM_VALUES - {ANY_TOKEN}
    return held | {OPEN_DATA} if names & OPEN_DATA_FORM_VALUES else held


def unknown(names: frozenset[str], known: frozenset[str]) -> frozenset[str]:
    """The scopes that open nothing here: kept and reported, never an error."""
    return names - known
