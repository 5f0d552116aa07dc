"""A company, made from its SIREN alone; each dataset is one field."""

import strawberry

from graph.loading import load, loaded, then
from graph.types.attestations import Attestations
from graph.types.bilans import Bilans
from graph.types.certifications import Certifications
from graph.types.choices import checked, chosen_site, today
from graph.types.etablissement import Etablissement
from graph.types.node import Node
from graph.types.pages import Connection, connection
from graph.types.propriete import ProprieteIntellectuelle
from graph.words import inherits, opens
from providers.cma_france.entreprise_artisanale import ENTREPRISE_ARTISANALE, EntrepriseArtisanale
from providers.commission_europeenne.numero_tva import NUMERO_TVA, NumeroTva
from providers.data_subvention.subventions import SUBVENTIONS, SubventionsAssociation
from providers.douanes.immatriculation_eori import IMMATRICULATION_EORI, ImmatriculationEori, par_siret
from providers.fabrique_numerique.conventions_collectives import CONVENTIONS_COLLECTIVES, ConventionsCollectives
from providers.gip_mds import effectifs_annuels
from providers.gip_mds.effectifs import NatureEffectif
from providers.gip_mds.effectifs_annuels import EFFECTIFS_ANNUELS, EffectifsAnnuels
from providers.identifiers import Siren, Siret
from providers.infogreffe.extrait_rcs import EXTRAIT_RCS, ExtraitRcs
from providers.infogreffe.mandataires_sociaux import MANDATAIRES_SOCIAUX, MandatairesSociaux
from providers.inpi_rne.actes import ACTES, ActesEtBilansRne
from providers.inpi_rne.beneficiaires_effectifs import BENEFICIAIRES_EFFECTIFS
from providers.inpi_rne.controle import BeneficiairesEffectifs
from providers.inpi_rne.extrait import ExtraitRne
from providers.inpi_rne.extrait_rne import EXTRAIT_RNE
from providers.insee.etablissements import ETABLISSEMENTS, PageEtablissements
from providers.insee.siege import SIEGE
from providers.insee.sirene import PageDEtablissements, UniteLegaleSirene
from providers.insee.unite_legale import UNITE_LEGALE
from providers.ministere_interieur.association import Association
from providers.ministere_interieur.associations import ASSOCIATIONS
from providers.ministere_interieur.documents import DOCUMENTS, DocumentsAssociation
from providers.record import inherits as leaf


@strawberry.type(description="Une entreprise (unité légale), désignée par son SIREN.")
class Entreprise(Node):
    siren: Siren = leaf("Numéro SIREN demandé.")

    @property
    def sujet(self) -> str:
        return self.siren

    # --- Registers --------------------------------------------------------------------------------

    @opens(UNITE_LEGALE, "Fiche de l'unité légale au répertoire Sirene.")
    def sirene(self, info: strawberry.Info) -> UniteLegaleSirene | None:
        return load(info, UNITE_LEGALE, self.siren)

    @opens(SIEGE, "Établissement siège de l'entreprise.")
    def siege(self, info: strawberry.Info) -> Etablissement | None:
        return then(load(info, SIEGE, self.siren), lambda found: Etablissement(siret=found.siret))

    @opens(ETABLISSEMENTS, "Établissements de l'entreprise, par pages de 100 au plus.")
    async def etablissements(
        self, info: strawberry.Info, first: int, after: str | None = None, actifs: bool | None = None
    ) -> Connection[Etablissement] | None:
        async def fetch(size: int, cursor: str) -> PageDEtablissements | None:
            key = PageEtablissements(sujet=self.siren, actifs=actifs, taille=size, curseur=cursor)
            return await loaded(info, ETABLISSEMENTS, key)

        return await connection(fetch, lambda item: Etablissement(siret=item.siret), first, after)

    @opens(EXTRAIT_RCS, "Extrait du registre du commerce et des sociétés.")
    def rcs(self, info: strawberry.Info) -> ExtraitRcs | None:
        return load(info, EXTRAIT_RCS, self.siren)

    @opens(MANDATAIRES_SOCIAUX, "Mandataires sociaux inscrits au registre du commerce et des sociétés.")
    def mandataires_sociaux(self, info: strawberry.Info) -> MandatairesSociaux | None:
        return load(info, MANDATAIRES_SOCIAUX, self.siren)

    @opens(EXTRAIT_RNE, "Extrait du registre national des entreprises.")
    def rne(self, info: strawberry.Info) -> ExtraitRne | None:
        return load(info, EXTRAIT_RNE, self.siren)

    @opens(BENEFICIAIRES_EFFECTIFS, "Bénéficiaires effectifs déclarés au registre national des entreprises.")
    def beneficiaires_effectifs(self, info: strawberry.Info) -> BeneficiairesEffectifs | None:
        return load(info, BENEFICIAIRES_EFFECTIFS, self.siren)

    @opens(ACTES, "Actes et comptes déposés au registre national des entreprises.")
    def actes(self, info: strawberry.Info) -> ActesEtBilansRne | None:
        return load(info, ACTES, self.siren)

    @opens(ENTREPRISE_ARTISANALE, "Inscription au répertoire national des métiers.")
    def artisanat(self, info: strawberry.Info) -> EntrepriseArtisanale | None:
        return load(info, ENTREPRISE_ARTISANALE, self.siren)

    @opens(ASSOCIATIONS, "L'association, d'après le RNA, Sirene et Le Compte Asso.")
    def association(self, info: strawberry.Info) -> Association | None:
        return load(info, ASSOCIATIONS, str(self.siren))

    @opens(DOCUMENTS, "Documents déposés au RNA par l'association.")
    def documents_association(self, info: strawberry.Info) -> DocumentsAssociation | None:
        return load(info, DOCUMENTS, str(self.siren))

    # --- Activity ---------------------------------------------------------------------------------

    @opens(EFFECTIFS_ANNUELS, "Effectifs annuels de l'entreprise.")
    def effectifs(
        self, info: strawberry.Info, annee: int, nature: NatureEffectif = NatureEffectif.MOYEN
    ) -> EffectifsAnnuels | None:
        key = checked(lambda: effectifs_annuels.cle(self.siren, annee, nature, today(info)))
        return load(info, EFFECTIFS_ANNUELS, key)

    @opens(NUMERO_TVA, "Numéro de TVA français, confirmé par le service VIES de la Commission européenne.")
    def tva(self, info: strawberry.Info) -> NumeroTva | None:
        return load(info, NUMERO_TVA, self.siren)

    @opens(IMMATRICULATION_EORI, "Immatriculation douanière (EORI) ; celle du siège si `siret` n'est pas donné.")
    def eori(self, info: strawberry.Info, siret: Siret | None = None) -> ImmatriculationEori | None:
        site = chosen_site(info, self.siren, siret)
        return then(site, lambda key: load(info, IMMATRICULATION_EORI, par_siret(key)))

    @opens(CONVENTIONS_COLLECTIVES, "Conventions collectives appliquées ; celles du siège si `siret` n'est pas donné.")
    def conventions_collectives(
        self, info: strawberry.Info, siret: Siret | None = None
    ) -> ConventionsCollectives | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CONVENTIONS_COLLECTIVES, key))

    @opens(SUBVENTIONS, "Subventions demandées par l'association et paiements reçus.")
    def subventions(self, info: strawberry.Info) -> SubventionsAssociation | None:
        return load(info, SUBVENTIONS, str(self.siren))

    # --- Families of datasets ---------------------------------------------------------------------

    @inherits("Comptes de l'entreprise.")
    def bilans(self) -> Bilans:
        return Bilans(siren=self.siren)

    @inherits("Attestations de l'entreprise.")
    def attestations(self) -> Attestations:
        return Attestations(siren=self.siren)

    @inherits("Certifications de l'entreprise.")
    def certifications(self) -> Certifications:
        return Certifications(siren=self.siren)

    @inherits("Propriété industrielle de l'entreprise.")
    def propriete_intellectuelle(self) -> ProprieteIntellectuelle:
        return ProprieteIntellectuelle(siren=self.siren)
