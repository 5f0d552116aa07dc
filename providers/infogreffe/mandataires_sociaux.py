"""All the officers of a company, with their civil status: reserved to habilitated agents.

Source: Infogreffe, web service "Produits" (Kbis as XML): the same answer as the public extract. Statutory auditors
are in the same list; a sole trader is his or her own and only officer.
"""

from datetime import date

from auth.scopes import ENTREPRISES, MANDATAIRES_SOCIAUX_INFOGREFFE
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.errors import NotFound
from providers.identifiers import Siren
from providers.infogreffe import wire
from providers.infogreffe.kbis import KBIS, Dirigeant, Kbis
from providers.personne import TypePersonne
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Mandataire social d'une entreprise, personne physique ou morale.")
class MandataireSocial:
    type: TypePersonne = inherits("Personne physique ou morale.", source="dirigeant/@type")
    nom: str | None = inherits("Nom.", source="dirigeant/pp/nom", personal=True)
    prenom: str | None = inherits("Prénoms.", source="dirigeant/pp/prenom", personal=True)
    fonction: str | None = inherits(
        "Fonction ; nulle pour un entrepreneur individuel.", source="dirigeant/qualite", personal=True
    )
    date_naissance: date | None = inherits(
        "Date de naissance.", source="dirigeant/pp/naissance/date/@dateISO", personal=True
    )
    date_naissance_timestamp: int | None = inherits(
        "Instant Unix du début de ce jour à Paris.", source="dirigeant/pp/naissance/date/@dateISO", personal=True
    )
    lieu_naissance: str | None = inherits("Lieu de naissance.", source="dirigeant/pp/naissance/lieu", personal=True)
    pays_naissance: str | None = inherits("Pays de naissance.", source="dirigeant/pp/naissance/@pays", personal=True)
    code_pays_naissance: str | None = inherits(
        "Code du pays de naissance.", source="dirigeant/pp/naissance/@codePays", personal=True
    )
    nationalite: str | None = inherits("Nationalité.", source="dirigeant/pp/@nationalite", personal=True)
    code_nationalite: str | None = inherits(
        "Code de la nationalité.", source="dirigeant/pp/@codeNationalite", personal=True
    )
    numero_identification: str | None = inherits("SIREN de la personne morale.", source="dirigeant/pm/num_ident")
    raison_sociale: str | None = inherits("Dénomination de la personne morale.", source="dirigeant/pm/denomination")
    code_greffe: str | None = inherits("Code du greffe de la personne morale.", source="dirigeant/pm/greffe/@code")
    libelle_greffe: str | None = inherits("Greffe de la personne morale.", source="dirigeant/pm/greffe")


@record("Mandataires sociaux d'une entreprise.")
class MandatairesSociaux:
    items: list[MandataireSocial] = inherits(
        "Les mandataires sociaux, dans l'ordre du registre.", source="liste_dirigeant", personal=True
    )
    personnes_physiques_count: int = inherits("Nombre de personnes physiques.")
    personnes_morales_count: int = inherits("Nombre de personnes morales.")
    count: int = inherits("Nombre de mandataires sociaux.")


def read(kbis: Kbis, _key: Siren) -> MandatairesSociaux:
    """All of them; a Kbis that names nobody is "not found" here, though the extract is served."""
    if not kbis.dirigeants:
        raise NotFound("Le registre ne nomme aucun mandataire social pour cette entreprise.")
    items = [_mandataire(dirigeant) for dirigeant in kbis.dirigeants]
    natural = sum(item.type is TypePersonne.PERSONNE_PHYSIQUE for item in items)
    return MandatairesSociaux(
        items=items,
        personnes_physiques_count=natural,
        personnes_morales_count=len(items) - natural,
        count=len(items),
    )


def _mandataire(dirigeant: Dirigeant) -> MandataireSocial:
    born = wire.iso_day(dirigeant.naissance)
    return MandataireSocial(
        type=dirigeant.type,
        nom=dirigeant.nom,
        prenom=dirigeant.prenom,
        fonction=dirigeant.fonction,
        date_naissance=born,
        date_naissance_timestamp=wire.paris_timestamp(born),
        lieu_naissance=dirigeant.lieu_naissance,
        pays_naissance=dirigeant.pays_naissance,
        code_pays_naissance=dirigeant.code_pays_naissance,
        nationalite=dirigeant.nationalite,
        code_nationalite=dirigeant.code_nationalite,
        numero_identification=dirigeant.numero_identification,
        raison_sociale=dirigeant.raison_sociale,
        code_greffe=dirigeant.code_greffe,
        libelle_greffe=dirigeant.libelle_greffe,
    )


# --- The declaration -----------------------------------------------------------------------------

MANDATAIRES_SOCIAUX = Dataset(
    id="infogreffe.mandataires_sociaux",
    seed=None,
    title="Mandataires sociaux",
    description=(
        "Tous les mandataires sociaux d'une entreprise, personnes physiques et morales, avec leur fonction ; pour les "
        "personnes physiques, date et lieu de naissance et nationalité. Les commissaires aux comptes y figurent. Pour "
        "un entrepreneur individuel, c'est lui-même."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({MANDATAIRES_SOCIAUX_INFOGREFFE, ENTREPRISES}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=KBIS,
    record=MandatairesSociaux,
    read=read,
    source_date=None,
    perimeter=(
        "Entreprises inscrites au RCS : sociétés et entrepreneurs individuels à activité commerciale. Sans les "
        "artisans qui n'y sont pas inscrits, les associations, les organismes publics ni les professions libérales."
    ),
    key="SIREN",
    freshness="Temps réel, au délai de saisie du greffe près.",
    not_found_means="L'entreprise n'est pas inscrite au RCS, ou le registre ne nomme aucun mandataire social.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/infogreffe/rcs/unites_legales/{siren}/mandataires_sociaux",
    example="910203041",
    left_out={
        "pp/@civilite": "Donnée personnelle sans usage.",
        "pp/nom_usage": "Donnée personnelle sans usage.",
        "pp/@adresse": "L'adresse personnelle des mandataires n'est pas servie.",
        "pm/@adresse_siege": "L'adresse des personnes morales se lit à l'INSEE.",
        "qualite/@code": "Seul le libellé de la fonction est servi.",
    },
    open_questions=(
        "La limite de débit du fournisseur n'est pas publiée.",
        "Un mandataire né avant 1902 n'a pas de `dateNaissanceTimestamp` : la valeur dépasse 32 bits.",
    ),
)
