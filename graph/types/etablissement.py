"""An establishment, made from its SIRET alone."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from graph.loading import load, then
from graph.types.attestations import AttestationsEtablissement
from graph.types.certifications import CertificationsEtablissement
from graph.types.choices import checked, today
from graph.types.node import Node
from graph.words import inherits, opens
from providers.dgfip.chiffres_affaires import CHIFFRES_AFFAIRES, ChiffresAffaires
from providers.douanes.immatriculation_eori import IMMATRICULATION_EORI, ImmatriculationEori, par_siret
from providers.fabrique_numerique.conventions_collectives import CONVENTIONS_COLLECTIVES, ConventionsCollectives
from providers.gip_mds import effectifs_mensuels
from providers.gip_mds.effectifs import NatureEffectif
from providers.gip_mds.effectifs_mensuels import EFFECTIFS_MENSUELS, EffectifsMensuels
from providers.identifiers import Siret, siren_of
from providers.insee.etablissement import ETABLISSEMENT
from providers.insee.sirene import AdresseSirene, EtablissementSirene, SuccessionsSirene
from providers.insee.successions import SUCCESSIONS
from providers.record import inherits as leaf

if TYPE_CHECKING:
    from graph.types.entreprise import Entreprise


@strawberry.type(description="Un lieu d'activité d'une entreprise, désigné par son SIRET.")
class Etablissement(Node):
    siret: Siret = leaf("Numéro SIRET demandé.")

    @property
    def sujet(self) -> str:
        return self.siret

    @opens(ETABLISSEMENT, "Fiche de l'établissement au répertoire Sirene.")
    def sirene(self, info: strawberry.Info) -> EtablissementSirene | None:
        return load(info, ETABLISSEMENT, self.siret)

    @opens(ETABLISSEMENT, "Adresse de l'établissement au répertoire Sirene.")
    def adresse(self, info: strawberry.Info) -> AdresseSirene | None:
        return then(load(info, ETABLISSEMENT, self.siret), lambda found: found.adresse)

    @inherits("L'entreprise dont l'établissement fait partie.")
    def entreprise(self) -> Annotated["Entreprise", strawberry.lazy("graph.types.entreprise")]:
        from graph.types.entreprise import Entreprise

        return Entreprise(siren=siren_of(self.siret))

    @opens(SUCCESSIONS, "Établissements auxquels celui-ci a succédé, et ceux qui lui ont succédé.")
    def successions(self, info: strawberry.Info) -> SuccessionsSirene | None:
        return load(info, SUCCESSIONS, self.siret)

    @opens(CONVENTIONS_COLLECTIVES, "Conventions collectives appliquées par l'établissement.")
    def conventions_collectives(self, info: strawberry.Info) -> ConventionsCollectives | None:
        return load(info, CONVENTIONS_COLLECTIVES, self.siret)

    @opens(IMMATRICULATION_EORI, "Immatriculation douanière (EORI) de l'établissement.")
    def eori(self, info: strawberry.Info) -> ImmatriculationEori | None:
        return load(info, IMMATRICULATION_EORI, par_siret(self.siret))

    @opens(EFFECTIFS_MENSUELS, "Effectifs mensuels de l'établissement ; `profondeur` ajoute les mois précédents.")
    def effectifs(
        self,
        info: strawberry.Info,
        annee: int,
        mois: int,
        profondeur: int | None = None,
        nature: NatureEffectif = NatureEffectif.MOYEN,
    ) -> EffectifsMensuels | None:
        key = checked(
            lambda: effectifs_mensuels.cle(self.siret, annee, mois, profondeur, nature, today(info))
        )  # fmt: skip
        return load(info, EFFECTIFS_MENSUELS, key)

    @opens(CHIFFRES_AFFAIRES, "Chiffre d'affaires des trois derniers exercices déclarés à la DGFiP.")
    def chiffres_affaires(self, info: strawberry.Info) -> ChiffresAffaires | None:
        return load(info, CHIFFRES_AFFAIRES, self.siret)

    @inherits("Attestations propres à l'établissement.")
    def attestations(self) -> AttestationsEtablissement:
        return AttestationsEtablissement(siret=self.siret)

    @inherits("Certifications propres à l'établissement.")
    def certifications(self) -> CertificationsEtablissement:
        return CertificationsEtablissement(siret=self.siret)
