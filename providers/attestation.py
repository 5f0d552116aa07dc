"""The words that all certificates share: what the body that issues them says of the company, and whether we could
read it.

A situation is always the provider's word. A failure (timeout, unreadable answer) is an error, never a situation.
"""

from enum import StrEnum

from providers.record import enumeration


@enumeration(
    "Situation de l'entreprise, selon l'organisme qui délivre l'attestation.",
    DELIVREE="L'organisme délivre l'attestation.",
    REFUSEE="L'organisme refuse de la délivrer : l'entreprise n'est pas à jour de ses obligations.",
    EN_COURS_D_EXAMEN="Un agent de l'organisme examine le dossier : l'attestation n'est ni délivrée ni refusée.",
    HORS_PERIMETRE_OU_INCONNUE="L'organisme ne connaît pas l'entreprise ou n'est pas le sien ; ce n'est pas un manquement.",
)
class Situation(StrEnum):
    DELIVREE = "DELIVREE"
    REFUSEE = "REFUSEE"
    EN_COURS_D_EXAMEN = "EN_COURS_D_EXAMEN"
    HORS_PERIMETRE_OU_INCONNUE = "HORS_PERIMETRE_OU_INCONNUE"


@enumeration(
    "Ce qu'a donné la lecture automatique du document.",
    REUSSIE="Les informations ont été lues dans le document.",
    ECHOUEE="Le document est délivré mais n'a pas pu être lu : les informations sont nulles.",
    SANS_OBJET="Il n'y a pas de document à lire.",
)
class Extraction(StrEnum):
    REUSSIE = "REUSSIE"
    ECHOUEE = "ECHOUEE"
    SANS_OBJET = "SANS_OBJET"
