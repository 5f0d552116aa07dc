"""Certificates of a company and of its establishments. A provider's failure is never a situation."""

import strawberry

from graph.loading import load, then
from graph.types.choices import chosen_site
from graph.words import opens
from providers.acoss.attestation_vigilance import ATTESTATION_VIGILANCE, AttestationVigilance
from providers.agefiph.emploi_travailleurs_handicapes import (
    EMPLOI_TRAVAILLEURS_HANDICAPES,
    EmploiTravailleursHandicapes,
)
from providers.cibtp.attestation_conges_payes import ATTESTATION_CONGES_PAYES as CIBTP_CONGES_PAYES
from providers.cibtp.attestation_conges_payes import AttestationCongesPayesCibtp
from providers.cnetp.attestation_conges_payes import ATTESTATION_CONGES_PAYES as CNETP_CONGES_PAYES
from providers.cnetp.attestation_conges_payes import AttestationCongesPayesCnetp
from providers.dgfip.attestation_fiscale import ATTESTATION_FISCALE, AttestationFiscale
from providers.fntp.carte_professionnelle import CARTE_PROFESSIONNELLE, CarteProfessionnelle
from providers.identifiers import Siren, Siret
from providers.msa.conformite_cotisations import CONFORMITE_COTISATIONS, ConformiteCotisationsMsa
from providers.probtp.attestation_cotisations_retraite import (
    ATTESTATION_COTISATIONS_RETRAITE,
    AttestationCotisationsRetraite,
)
from providers.probtp.conformite_cotisations_retraite import (
    CONFORMITE_COTISATIONS_RETRAITE,
    ConformiteCotisationsRetraite,
)

_SITE = "celle du siège si `siret` n'est pas donné."


@strawberry.type(description="Attestations d'une entreprise. Un échec de fournisseur n'est jamais une situation.")
class Attestations:
    siren: strawberry.Private[Siren]

    @property
    def sujet(self) -> str:
        return self.siren

    @opens(ATTESTATION_FISCALE, "Attestation de régularité fiscale de la DGFiP.")
    def fiscale(self, info: strawberry.Info) -> AttestationFiscale | None:
        return load(info, ATTESTATION_FISCALE, self.siren)

    @opens(ATTESTATION_VIGILANCE, "Attestation de vigilance de l'URSSAF.")
    def vigilance(self, info: strawberry.Info) -> AttestationVigilance | None:
        return load(info, ATTESTATION_VIGILANCE, self.siren)

    @opens(CONFORMITE_COTISATIONS, f"Conformité des cotisations de sécurité sociale agricole (MSA) ; {_SITE}")
    def agricole(self, info: strawberry.Info, siret: Siret | None = None) -> ConformiteCotisationsMsa | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CONFORMITE_COTISATIONS, key))

    @opens(ATTESTATION_COTISATIONS_RETRAITE, f"Attestation de cotisations de retraite du bâtiment (PRO BTP) ; {_SITE}")
    def retraite_batiment(
        self, info: strawberry.Info, siret: Siret | None = None
    ) -> AttestationCotisationsRetraite | None:
        site = chosen_site(info, self.siren, siret)
        return then(site, lambda key: load(info, ATTESTATION_COTISATIONS_RETRAITE, key))

    @opens(CONFORMITE_COTISATIONS_RETRAITE, f"Conformité des cotisations de retraite du bâtiment (PRO BTP) ; {_SITE}")
    def conformite_retraite_batiment(
        self, info: strawberry.Info, siret: Siret | None = None
    ) -> ConformiteCotisationsRetraite | None:
        site = chosen_site(info, self.siren, siret)
        return then(site, lambda key: load(info, CONFORMITE_COTISATIONS_RETRAITE, key))

    @opens(EMPLOI_TRAVAILLEURS_HANDICAPES, f"Conformité à l'obligation d'emploi des travailleurs handicapés ; {_SITE}")
    def emploi_travailleurs_handicapes(
        self, info: strawberry.Info, siret: Siret | None = None
    ) -> EmploiTravailleursHandicapes | None:
        site = chosen_site(info, self.siren, siret)
        return then(site, lambda key: load(info, EMPLOI_TRAVAILLEURS_HANDICAPES, key))

    @opens(CARTE_PROFESSIONNELLE, "Carte professionnelle d'entrepreneur de travaux publics (FNTP).")
    def carte_travaux_publics(self, info: strawberry.Info) -> CarteProfessionnelle | None:
        return load(info, CARTE_PROFESSIONNELLE, self.siren)

    @opens(CNETP_CONGES_PAYES, "Attestation de congés payés et chômage intempéries des travaux publics (CNETP).")
    def conges_payes_travaux_publics(self, info: strawberry.Info) -> AttestationCongesPayesCnetp | None:
        return load(info, CNETP_CONGES_PAYES, self.siren)

    @opens(CIBTP_CONGES_PAYES, f"Attestation de congés payés et chômage intempéries du bâtiment (CIBTP) ; {_SITE}")
    def conges_payes_batiment(
        self, info: strawberry.Info, siret: Siret | None = None
    ) -> AttestationCongesPayesCibtp | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CIBTP_CONGES_PAYES, key))


@strawberry.type(description="Attestations propres à un établissement.")
class AttestationsEtablissement:
    siret: strawberry.Private[Siret]

    @property
    def sujet(self) -> str:
        return self.siret

    @opens(CONFORMITE_COTISATIONS, "Conformité des cotisations de sécurité sociale agricole (MSA).")
    def agricole(self, info: strawberry.Info) -> ConformiteCotisationsMsa | None:
        return load(info, CONFORMITE_COTISATIONS, self.siret)

    @opens(ATTESTATION_COTISATIONS_RETRAITE, "Attestation de cotisations de retraite du bâtiment (PRO BTP).")
    def retraite_batiment(self, info: strawberry.Info) -> AttestationCotisationsRetraite | None:
        return load(info, ATTESTATION_COTISATIONS_RETRAITE, self.siret)

    @opens(CONFORMITE_COTISATIONS_RETRAITE, "Conformité des cotisations de retraite du bâtiment (PRO BTP).")
    def conformite_retraite_batiment(self, info: strawberry.Info) -> ConformiteCotisationsRetraite | None:
        return load(info, CONFORMITE_COTISATIONS_RETRAITE, self.siret)

    @opens(EMPLOI_TRAVAILLEURS_HANDICAPES, "Conformité à l'obligation d'emploi des travailleurs handicapés.")
    def emploi_travailleurs_handicapes(self, info: strawberry.Info) -> EmploiTravailleursHandicapes | None:
        return load(info, EMPLOI_TRAVAILLEURS_HANDICAPES, self.siret)

    @opens(CIBTP_CONGES_PAYES, "Attestation de congés payés et chômage intempéries du bâtiment (CIBTP).")
    def conges_payes_batiment(self, info: strawberry.Info) -> AttestationCongesPayesCibtp | None:
        return load(info, CIBTP_CONGES_PAYES, self.siret)
