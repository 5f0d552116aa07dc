"""The scopes that the habilitation form proposes for each use case: a start, to be narrowed to the procedure.

Source: the forms of the "API Entreprise" bouquet. One habilitation, hence one token, serves one procedure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from auth.caller import Usage
from auth.scopes import OPEN_DATA


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """One use case. `barred` may never be granted for it, whoever asks."""

    title: str
    scopes: frozenset[str]
    barred: frozenset[str] = frozenset()
    usage: Usage = Usage.BACK_OFFICE


_INSEE = "unites_legales_etablissements_insee"
_DJEPVA = "associations_djepva"
_BENEFICIAIRES = "beneficiaires_effectifs_inpi"
_FISCALE = "attestation_fiscale_dgfip"
_VIGILANCE = "attestation_sociale_urssaf"
_CHIFFRES = "chiffre_affaires_dgfip"
_LIASSES = "liasses_fiscales_dgfip"
_LIENS = "liens_capitalistiques_dgfip"
_MSA = "cotisations_msa"

_BASE: Final = frozenset({OPEN_DATA, _INSEE, _DJEPVA, "data_subvention_subventions"})
_MARCHES: Final = _BASE | {_CHIFFRES, _FISCALE, _VIGILANCE, _MSA}

PRESETS: Final[Mapping[str, Preset]] = {
    "dites-le-nous-une-fois": Preset(title="Dites-le-nous une fois", scopes=_BASE),
    "marches-publics": Preset(title="Marchés publics", scopes=_MARCHES, barred=frozenset({_BENEFICIAIRES})),
    "aides-publiques": Preset(
        title="Aides publiques aux entreprises",
        scopes=_MARCHES | {"mandataires_sociaux_infogreffe", _LIASSES, _LIENS},
        barred=frozenset({_BENEFICIAIRES}),
    ),
    "subventions-associations": Preset(
        title="Subventions des associations", scopes=_BASE | {_FISCALE, _VIGILANCE, "bilans_bdf", _LIASSES, _LIENS}
    ),
    "detection-fraude": Preset(
        title="Détection de la fraude",
        scopes=_BASE
        | {
            "effectifs_urssaf",
            "mandataires_sociaux_infogreffe",
            "bilans_bdf",
            _VIGILANCE,
            _MSA,
            "cotisations_probtp",
            "attestation_cotisations_conges_payes_chomage_intemperies_cibtp_cnetp",
            "certifications_qualiopi_france_competences",
        },
        barred=frozenset({_FISCALE, _CHIFFRES, _LIASSES, _LIENS}),
    ),
    "portail-instruction": Preset(
        title="Portail de relation usagers : instruction",
        scopes=frozenset({OPEN_DATA, _INSEE, _DJEPVA, _FISCALE, _VIGILANCE, _MSA}),
        barred=frozenset({_BENEFICIAIRES}),
    ),
    "portail-preremplissage": Preset(
        title="Portail de relation usagers : pré-remplissage",
        scopes=frozenset({OPEN_DATA}),
        usage=Usage.PRE_REMPLISSAGE,
    ),
}
