"""Certifications and qualifications of a company and of its establishments."""

import strawberry

from graph.loading import load, then
from graph.types.choices import chosen_site
from graph.words import opens
from providers.ademe.certification_rge import CERTIFICATION_RGE, CertificationRge
from providers.agence_bio.certification_biologique import CERTIFICATION_BIOLOGIQUE, CertificationBiologique
from providers.carif_oref.qualiopi import QUALIOPI, Qualiopi
from providers.identifiers import Siren, Siret
from providers.opqibi.certification_ingenierie import CERTIFICATION_INGENIERIE, CertificationIngenierie
from providers.qualibat.certification_batiment import CERTIFICATION_BATIMENT, CertificationBatiment
from providers.qualifelec.certificats import CERTIFICATS, CertificatsQualifelec

_SITE = "celles du siège si `siret` n'est pas donné."


@strawberry.type(description="Certifications d'une entreprise.")
class Certifications:
    siren: strawberry.Private[Siren]

    @property
    def sujet(self) -> str:
        return self.siren

    @opens(CERTIFICATION_BIOLOGIQUE, f"Certifications en agriculture biologique (Agence BIO) ; {_SITE}")
    def bio(self, info: strawberry.Info, siret: Siret | None = None) -> CertificationBiologique | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CERTIFICATION_BIOLOGIQUE, key))

    @opens(CERTIFICATION_RGE, f"Certifications « reconnu garant de l'environnement » (ADEME) ; {_SITE}")
    def rge(self, info: strawberry.Info, siret: Siret | None = None) -> CertificationRge | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CERTIFICATION_RGE, key))

    @opens(CERTIFICATION_BATIMENT, f"Certification du bâtiment (Qualibat) ; {_SITE}")
    def batiment(self, info: strawberry.Info, siret: Siret | None = None) -> CertificationBatiment | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CERTIFICATION_BATIMENT, key))

    @opens(CERTIFICATION_INGENIERIE, "Qualifications d'ingénierie (OPQIBI).")
    def ingenierie(self, info: strawberry.Info) -> CertificationIngenierie | None:
        return load(info, CERTIFICATION_INGENIERIE, self.siren)

    @opens(CERTIFICATS, f"Certificats de qualification des travaux d'électricité (Qualifelec) ; {_SITE}")
    def electricite(self, info: strawberry.Info, siret: Siret | None = None) -> CertificatsQualifelec | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CERTIFICATS, key))

    @opens(QUALIOPI, f"Certification Qualiopi et habilitations de France compétences ; {_SITE}")
    def qualiopi(self, info: strawberry.Info, siret: Siret | None = None) -> Qualiopi | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, QUALIOPI, key))


@strawberry.type(description="Certifications propres à un établissement.")
class CertificationsEtablissement:
    siret: strawberry.Private[Siret]

    @property
    def sujet(self) -> str:
        return self.siret

    @opens(CERTIFICATION_BIOLOGIQUE, "Certifications en agriculture biologique (Agence BIO).")
    def bio(self, info: strawberry.Info) -> CertificationBiologique | None:
        return load(info, CERTIFICATION_BIOLOGIQUE, self.siret)

    @opens(CERTIFICATION_RGE, "Certifications « reconnu garant de l'environnement » (ADEME).")
    def rge(self, info: strawberry.Info) -> CertificationRge | None:
        return load(info, CERTIFICATION_RGE, self.siret)

    @opens(CERTIFICATION_BATIMENT, "Certification du bâtiment (Qualibat).")
    def batiment(self, info: strawberry.Info) -> CertificationBatiment | None:
        return load(info, CERTIFICATION_BATIMENT, self.siret)

    @opens(CERTIFICATS, "Certificats de qualification des travaux d'électricité (Qualifelec).")
    def electricite(self, info: strawberry.Info) -> CertificatsQualifelec | None:
        return load(info, CERTIFICATS, self.siret)

    @opens(QUALIOPI, "Certification Qualiopi et habilitations de France compétences.")
    def qualiopi(self, info: strawberry.Info) -> Qualiopi | None:
        return load(info, QUALIOPI, self.siret)
