"""The registration of a company in the register of commerce (RCS), read from its Kbis.

Source: Infogreffe, web service "Produits" (Kbis as XML). Public, but a Kbis names people: officers are shown with
the month of their birth only, the block of a sole trader needs a right of its own, and an entity which INSEE
doesn't diffuse fully hides the names of its people from the public.
"""

from dataclasses import replace
from datetime import date

from auth.scopes import (
    ENTREPRISES,
    EXTRAITS_RCS,
    MANDATAIRES_SOCIAUX_INFOGREFFE,
    OPEN_DATA,
)
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.diffusion import HIDDEN, LIFTED_BY, hidden
from providers.identifiers import Siren
from providers.infogreffe import wire
from providers.infogreffe.kbis import (
    KBIS,
    CapitalRcs,
    Dirigeant,
    EtablissementPrincipalRcs,
    GreffeRcs,
    Kbis,
    ObservationRcs,
    PersonneMoraleRcs,
    PersonnePhysiqueRcs,
)
from providers.personne import TypePersonne
from providers.record import inherits, record, requires

# --- What it says --------------------------------------------------------------------------------


@record("Mandataire social, tel que l'extrait public le montre.")
class MandataireExtraitRcs:
    type: TypePersonne = inherits("Personne physique ou morale.", source="liste_dirigeant/dirigeant/@type")
    nom: str | None = inherits("Nom.", source="liste_dirigeant/dirigeant/pp/nom", personal=True)
    prenom: str | None = inherits("Prénoms.", source="liste_dirigeant/dirigeant/pp/prenom", personal=True)
    fonction: str | None = inherits(
        "Fonction ; nulle pour un entrepreneur individuel.", source="liste_dirigeant/dirigeant/qualite", personal=True
    )
    date_naissance: str | None = inherits(
        "Année et mois de naissance (AAAA-MM).",
        source="liste_dirigeant/dirigeant/pp/naissance/date/@dateISO",
        personal=True,
    )
    numero_identification: str | None = inherits(
        "SIREN de la personne morale.", source="liste_dirigeant/dirigeant/pm/num_ident"
    )
    raison_sociale: str | None = inherits(
        "Dénomination de la personne morale.", source="liste_dirigeant/dirigeant/pm/denomination"
    )


@record("Extrait du registre du commerce et des sociétés (RCS).")
class ExtraitRcs:
    siren: str = inherits("Numéro SIREN demandé.")
    date_extrait: str | None = inherits(
        "Date de l'extrait, telle que le registre l'écrit (« 4 MARS 2021 »).", source="dossier/@date_extrait"
    )
    date_extrait_iso: date | None = inherits("La même date.", source="dossier/@date_extrait")
    date_immatriculation: date | None = inherits("Date d'immatriculation.", source="dossier/@dateISO_immat")
    date_radiation: date | None = inherits(
        "Date de radiation ; nulle si l'entreprise n'est pas radiée.", source="radiation/date_radiation/@dateISO"
    )
    mandataires_sociaux: list[MandataireExtraitRcs] = inherits(
        "Mandataires sociaux ; pour un entrepreneur individuel, lui-même.", source="liste_dirigeant", personal=True
    )
    observations: list[ObservationRcs] = inherits("Observations du greffier.", source="liste_observations")
    nom_commercial: str = inherits(
        "Nom commercial de l'établissement principal ; vide s'il n'en a pas.",
        source="etablissement/nom_commercial",
        personal=True,
    )
    etablissement_principal: EtablissementPrincipalRcs = inherits(
        "Établissement principal.", source="etablissement[@type='1']"
    )
    capital: CapitalRcs = inherits("Capital social.", source="entreprise/pm/capital")
    greffe: GreffeRcs = inherits("Greffe d'immatriculation.", source="entreprise/greffe")
    personne_morale: PersonneMoraleRcs | None = inherits(
        "Données propres à une personne morale ; nul pour un entrepreneur individuel.", source="entreprise/pm"
    )
    personne_physique: PersonnePhysiqueRcs | None = requires(
        frozenset({MANDATAIRES_SOCIAUX_INFOGREFFE, ENTREPRISES}),
        "Données propres à un entrepreneur individuel ; nul pour une personne morale.",
        source="entreprise/pp",
        personal=True,
    )


def read(kbis: Kbis, key: Siren) -> ExtraitRcs:
    return ExtraitRcs(
        siren=key,
        date_extrait=kbis.date_extrait,
        date_extrait_iso=wire.french_day(kbis.date_extrait),
        date_immatriculation=kbis.date_immatriculation,
        date_radiation=kbis.date_radiation,
        mandataires_sociaux=[_mandataire(dirigeant) for dirigeant in kbis.dirigeants],
        observations=list(kbis.observations),
        nom_commercial=kbis.nom_commercial,
        etablissement_principal=kbis.etablissement_principal,
        capital=kbis.capital,
        greffe=kbis.greffe,
        personne_morale=kbis.personne_morale,
        personne_physique=kbis.personne_physique,
    )


def _mandataire(dirigeant: Dirigeant) -> MandataireExtraitRcs:
    return MandataireExtraitRcs(
        type=dirigeant.type,
        nom=dirigeant.nom,
        prenom=dirigeant.prenom,
        fonction=dirigeant.fonction,
        date_naissance=wire.iso_month(dirigeant.naissance),
        numero_identification=dirigeant.numero_identification,
        raison_sociale=dirigeant.raison_sociale,
    )


# --- What the public doesn't see of an entity in partial diffusion --------------------------------


def mask(extrait: ExtraitRcs) -> ExtraitRcs:
    """Hide the people: their names, the month of their birth, and the texts that may name them.

    The block of the sole trader isn't touched: only holders of its own scopes read it at all.
    """
    sole_trader = extrait.personne_physique is not None
    return replace(
        extrait,
        mandataires_sociaux=[_masked(mandataire) for mandataire in extrait.mandataires_sociaux],
        observations=[
            replace(observation, libelle=hidden(observation.libelle)) for observation in extrait.observations
        ],
        # A sole trader's sign is often his or her name; INSEE hides it too.
        nom_commercial=HIDDEN if sole_trader and extrait.nom_commercial else extrait.nom_commercial,
    )


def _masked(mandataire: MandataireExtraitRcs) -> MandataireExtraitRcs:
    return replace(mandataire, nom=hidden(mandataire.nom), prenom=hidden(mandataire.prenom), date_naissance=None)


# --- The declaration -----------------------------------------------------------------------------

EXTRAIT_RCS = Dataset(
    id="infogreffe.extrait_rcs",
    seed="extraits_rcs_infogreffe",
    title="Extrait RCS",
    description=(
        "Immatriculation d'une entreprise au registre du commerce et des sociétés : greffe, forme, capital, "
        "établissement principal, mandataires sociaux, observations du greffier, radiation. Ce n'est pas un extrait "
        "Kbis : certaines mentions n'y sont pas."
    ),
    ouverture=Ouverture.MIXTE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, EXTRAITS_RCS}),
        # Whoever reads the officers themselves, or INSEE's protected part, by today's names and by the former ones.
        unmasked_for=LIFTED_BY | {MANDATAIRES_SOCIAUX_INFOGREFFE},
        mask=mask,
        by_diffusion=True,
    ),
    source=KBIS,
    record=ExtraitRcs,
    read=read,
    source_date=lambda extrait: extrait.date_extrait_iso,
    perimeter=(
        "Entreprises inscrites au RCS : sociétés et entrepreneurs individuels à activité commerciale. Sans les "
        "artisans qui n'y sont pas inscrits, les associations, les organismes publics ni les professions libérales."
    ),
    key="SIREN",
    freshness="Temps réel, au délai de saisie du greffe près.",
    not_found_means="L'entreprise n'est pas inscrite au RCS, ou le greffe n'a pas de dossier à son sujet.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/infogreffe/rcs/unites_legales/{siren}/extrait_kbis",
    example="910203041",
    left_out={
        "entreprise/@id_adr_siege": "L'adresse du siège n'est pas servie par ce jeu de données ; l'INSEE la donne.",
        "dossier/@id_adr_greffe": "L'adresse du greffe n'est pas une donnée de l'entreprise.",
        "entreprise/num_gest": "Numéro de gestion interne au greffe.",
        "entreprise/pm/acte_const": "Dépôt de l'acte constitutif, interne au greffe.",
        "entreprise/pm/acte_trans": "Dépôt d'un acte de transformation, interne au greffe.",
        "pp/@civilite": "Donnée personnelle sans usage.",
        "pp/nom_usage": "Donnée personnelle sans usage.",
        "qualite/@code": "Seul le libellé de la fonction est servi.",
        "etablissement/origine_societe": "Société d'où vient le fonds : elle n'est pas l'entreprise demandée.",
        "etablissement[@type!='1']": "Les établissements secondaires se lisent à l'INSEE.",
    },
    open_questions=(
        "La place exacte de `radiation` n'est pas documentée : elle est cherchée à toute profondeur.",
        "D'autres numéros de refus que les sept connus existent peut-être : ils donnent une réponse illisible.",
        "Les autres valeurs de `Extrait/@type`, `etablissement/@type` et `@mode` ne sont pas documentées.",
        "La limite de débit du fournisseur n'est pas publiée.",
    ),
)
