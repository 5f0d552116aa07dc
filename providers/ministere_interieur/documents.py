"""The documents that an association filed in the national register (RNA): statutes, minutes, receipts.

Source: API Association, `documents/document_rna`, read from the same answer as the association itself. An answer is
judged by the documents that it counts, not by the nature of the entity. They name and locate people, of which the
service knows no diffusion status: INSEE's decides whether the public reads them.
"""

from dataclasses import replace
from typing import Final

from auth.scopes import OPEN_DATA
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.diffusion import LIFTED_BY
from providers.ministere_interieur import wire
from providers.ministere_interieur.api_association import (
    API_ASSOCIATION,
    DOCUMENTS_ASSOCIATION,
    PARTIE_PROTEGEE,
    PARTIE_PUBLIQUE,
    Reponse,
    Verdict,
)
from providers.ministere_interieur.fichiers import DocumentRna, documents_rna
from providers.record import inherits, record

ID: Final = "ministere_interieur.documents"

PREFIX: Final = "21"
"""Errors of this dataset carry the ministry's number, as partners know them; the association's, the room's own."""


@record("Documents d'une association déposés au répertoire national des associations (RNA).")
class DocumentsAssociation:
    siren: str | None = inherits(
        "SIREN ; nul pour une association qui n'est pas au répertoire Sirene.", source="identite/id_siren"
    )
    nombre_documents: int = inherits("Nombre de documents de la liste.")
    documents: list[DocumentRna] = inherits(
        "Documents, dans l'ordre du fournisseur. Au public, le fichier de chacun est nul quand l'association est en "
        "diffusion partielle, ou quand on ne peut pas savoir qu'elle ne l'est pas : demandez par SIREN plutôt que par RNA.",
        source="documents/document_rna",
    )


def read(reponse: Reponse, key: str) -> DocumentsAssociation:
    if reponse.documents is not Verdict.BONNE:
        raise reponse.documents.error(PREFIX)
    # The service's own counter may differ: what counts is what is shown.
    documents = documents_rna(reponse.racine, key, ID)
    return DocumentsAssociation(
        siren=wire.chiffres(wire.noeud(reponse.racine, "identite"), 9, "id_siren"),
        nombre_documents=len(documents),
        documents=documents,
    )


# --- What the public doesn't see -----------------------------------------------------------------


def mask(found: DocumentsAssociation) -> DocumentsAssociation:
    """Hide the files: statutes and lists of officers name and locate people.

    INSEE has nothing to hide of an association without SIREN, which the register of associations alone knows.
    """
    if found.siren is None:
        return found
    return replace(found, documents=[replace(document, document=None) for document in found.documents])


# --- The declaration -----------------------------------------------------------------------------

DOCUMENTS: Final[Dataset[str, Reponse, DocumentsAssociation]] = Dataset(
    id=ID,
    seed="documents_associations",
    title="Documents d'une association",
    description=(
        "Statuts, procès-verbaux, récépissés et autres documents déposés par une association au répertoire national "
        "des associations, chacun avec le lien qui permet de le télécharger."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, PARTIE_PUBLIQUE, DOCUMENTS_ASSOCIATION}),
        unmasked_for=PARTIE_PROTEGEE | LIFTED_BY,
        mask=mask,
        by_diffusion=True,
    ),
    source=API_ASSOCIATION,
    record=DocumentsAssociation,
    read=read,
    source_date=None,
    perimeter=(
        "Associations inscrites au RNA. Les documents déposés dans Le Compte Asso n'y sont pas : ils se lisent, avec "
        "l'habilitation voulue, dans la fiche de l'association."
    ),
    key="RNA, SIREN ou SIRET",
    freshness="Le RNA est transmis au service deux fois par jour.",
    not_found_means="L'association est inconnue du service, ou elle n'a aucun document au RNA.",
    quota=QuotaGroup.DOCS_LOW,
    rest_path="/v3/ministere_interieur/rna/associations/{siret_or_rna}/documents",
    example="770001121",
    left_out={
        "documents/nbDocRna": "Sert à juger la réponse ; le nombre servi est celui de la liste.",
        "documents/document_rna/even": "Numéro d'événement, interne au répertoire.",
        "nombre_documents_deficients": "Toujours nul : les fichiers ne sont plus copiés.",
        "expires_in": "Le lien signé d'un document est propre au jeton et dit lui-même sa durée.",
        "21051 à 21056": "Erreurs du temps où les fichiers étaient copiés : le service ne donne plus que des liens.",
    },
    open_questions=(
        "La durée de vie des liens du fournisseur n'est pas documentée, ni si certains demandent sa clé.",
        "Les pannes communes aux deux jeux de données (réseau, réponse vide, erreur 500) portent le préfixe 29.",
    ),
)
