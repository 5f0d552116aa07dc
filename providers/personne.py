"""The two kinds of persons that the law knows: every room that tells them apart uses these words."""

from enum import StrEnum

from providers.record import enumeration


@enumeration(
    "Nature d'une personne au sens du droit.",
    PERSONNE_PHYSIQUE="Une personne physique : un être humain.",
    PERSONNE_MORALE="Une personne morale : société, association, administration…",
)
class TypePersonne(StrEnum):
    PERSONNE_PHYSIQUE = "personne_physique"
    PERSONNE_MORALE = "personne_morale"
