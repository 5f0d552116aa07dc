"""Accounts of a company: what it declared to the tax office, deposited at the registers, told to the central bank."""

import strawberry

from graph.loading import load, then
from graph.types.choices import chosen_site, declared_year
from graph.words import opens
from providers.banque_de_france.bilans import BILANS, BilansBdf
from providers.dgfip.chiffres_affaires import CHIFFRES_AFFAIRES, ChiffresAffaires
from providers.dgfip.liasses_fiscales import LIASSES_FISCALES, LiasseFiscale
from providers.dgfip.liens_capitalistiques import LIENS_CAPITALISTIQUES, LiensCapitalistiques
from providers.identifiers import Siren, Siret
from providers.inpi_rne.bilans_saisis import BILANS_SAISIS, BilansSaisis


@strawberry.type(description="Comptes d'une entreprise, par source.")
class Bilans:
    siren: strawberry.Private[Siren]

    @property
    def sujet(self) -> str:
        return self.siren

    @opens(
        CHIFFRES_AFFAIRES,
        "Chiffre d'affaires des trois derniers exercices déclarés à la DGFiP ; celui du siège si `siret` n'est pas donné.",
    )
    def chiffres_affaires(self, info: strawberry.Info, siret: Siret | None = None) -> ChiffresAffaires | None:
        return then(chosen_site(info, self.siren, siret), lambda key: load(info, CHIFFRES_AFFAIRES, key))

    @opens(BILANS_SAISIS, "Comptes annuels déposés, saisis valeur par valeur par l'INPI.")
    def comptes_annuels(self, info: strawberry.Info) -> BilansSaisis | None:
        return load(info, BILANS_SAISIS, self.siren)

    @opens(BILANS, "Derniers bilans connus de la Banque de France (FIBEN).")
    def banque_de_france(self, info: strawberry.Info) -> BilansBdf | None:
        return load(info, BILANS, self.siren)

    @opens(LIASSES_FISCALES, "Liasse fiscale d'un exercice, case par case.")
    def liasse_fiscale(self, info: strawberry.Info, annee: int) -> LiasseFiscale | None:
        return load(info, LIASSES_FISCALES, declared_year(info, self.siren, annee))

    @opens(LIENS_CAPITALISTIQUES, "Actionnaires et filiales à 10 % et plus, d'après la liasse fiscale d'un exercice.")
    def liens_capitalistiques(self, info: strawberry.Info, annee: int) -> LiensCapitalistiques | None:
        return load(info, LIENS_CAPITALISTIQUES, declared_year(info, self.siren, annee))
