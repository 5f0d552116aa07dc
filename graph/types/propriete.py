"""Intellectual property of a company."""

import strawberry

from graph.loading import load
from graph.words import opens
from providers.identifiers import Siren
from providers.inpi.brevets import BREVETS, Brevets
from providers.inpi.dessins_modeles import DESSINS_MODELES, DessinsModeles
from providers.inpi.marques import MARQUES, Marques


@strawberry.type(description="Titres de propriété industrielle d'une entreprise.")
class ProprieteIntellectuelle:
    siren: strawberry.Private[Siren]

    @property
    def sujet(self) -> str:
        return self.siren

    @opens(BREVETS, "Brevets publiés.")
    def brevets(self, info: strawberry.Info) -> Brevets | None:
        return load(info, BREVETS, self.siren)

    @opens(MARQUES, "Marques déposées.")
    def marques(self, info: strawberry.Info) -> Marques | None:
        return load(info, MARQUES, self.siren)

    @opens(DESSINS_MODELES, "Dessins et modèles déposés.")
    def dessins_modeles(self, info: strawberry.Info) -> DessinsModeles | None:
        return load(info, DESSINS_MODELES, self.siren)
