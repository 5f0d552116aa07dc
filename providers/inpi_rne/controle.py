"""Who controls a company, and how: the beneficial owners that a legal person declares.

Source: INPI, RNE API, body of `companies`, `personneMorale.beneficiairesEffectifs[]`. The names of the keys are
irregular in the register itself; those without `modalite` are legal representatives declared by default.
"""

from decimal import Decimal

from providers import reading
from providers.inpi_rne import wire
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Parts ou votes, selon le droit détenu, en pourcentage.")
class ProprieteRne:
    pleine_propriete: Decimal | None = inherits("En pleine propriété.", personal=True)
    nue_propriete: Decimal | None = inherits("En nue-propriété.", personal=True)


@record("Parts détenues indirectement par une même voie, en pourcentage.")
class ProprieteIndirecteRne:
    total: Decimal | None = inherits("En tout, par cette voie.", personal=True)
    pleine_propriete: Decimal | None = inherits("En pleine propriété.", personal=True)
    nue_propriete: Decimal | None = inherits("En nue-propriété.", personal=True)


@record("Parts détenues directement.")
class PartsDirectesRne:
    detention: bool | None = inherits("En détient-il ?", source="detentionPartDirecte", personal=True)
    pleine_propriete: Decimal | None = inherits(
        "En pleine propriété (%).", source="partsDirectesPleinePropriete", personal=True
    )
    nue_propriete: Decimal | None = inherits("En nue-propriété (%).", source="partsDirectesNuePropriete", personal=True)


@record("Parts détenues indirectement.")
class PartsIndirectesRne:
    detention: bool | None = inherits("En détient-il ?", source="detentionPartIndirecte", personal=True)
    par_indivision: ProprieteIndirecteRne = inherits(
        "Par une indivision.", source="partsIndirectesIndivision…", personal=True
    )
    via_personnes_morales: ProprieteIndirecteRne = inherits(
        "Par des personnes morales.", source="partsIndirectesPersonnesMorales, partsIndirectesPmorales…", personal=True
    )


@record("Détention du capital.")
class DetentionCapitalRne:
    parts_totale: Decimal | None = inherits("Part totale (%).", source="detentionPartTotale", personal=True)
    parts_directes: PartsDirectesRne = inherits("Parts directes.", personal=True)
    parts_indirectes: PartsIndirectesRne = inherits("Parts indirectes.", personal=True)


@record("Parts qu'une personne a vocation à détenir indirectement.")
class VocationIndirecteRne:
    par_indivision: ProprieteIndirecteRne = inherits(
        "Par une indivision.", source="vocationTitulaireIndirecteIndivision…", personal=True
    )
    via_personnes_morales: ProprieteIndirecteRne = inherits(
        "Par des personnes morales.", source="vocationTitulaireIndirectePersonnesMorales…", personal=True
    )


@record("Vocation à devenir titulaire de parts.")
class VocationRne:
    parts_directes: ProprieteRne = inherits("Parts directes.", source="vocationTitulaireDirecte…", personal=True)
    parts_indirectes: VocationIndirecteRne = inherits("Parts indirectes.", personal=True)


@record("Droits de vote détenus directement.")
class VotesDirectsRne:
    detention: bool | None = inherits("En détient-il ?", source="detentionVoteDirecte", personal=True)
    pleine_propriete: Decimal | None = inherits(
        "En pleine propriété (%).", source="voteDirectePleinePropriete", personal=True
    )
    nue_propriete: Decimal | None = inherits("En nue-propriété (%).", source="voteDirecteNuePropriete", personal=True)
    usufruit: Decimal | None = inherits("En usufruit (%).", source="voteDirecteUsufruit", personal=True)


@record("Droits de vote détenus indirectement par une même voie, en pourcentage.")
class VotesParVoieRne:
    total: Decimal | None = inherits("En tout, par cette voie.", personal=True)
    pleine_propriete: Decimal | None = inherits("En pleine propriété.", personal=True)
    nue_propriete: Decimal | None = inherits("En nue-propriété.", personal=True)
    usufruit: Decimal | None = inherits("En usufruit.", personal=True)


@record("Droits de vote détenus indirectement.")
class VotesIndirectsRne:
    detention: bool | None = inherits("En détient-il ?", source="detentionVoteIndirecte", personal=True)
    par_indivision: VotesParVoieRne = inherits("Par une indivision.", source="voteIndirecteIndivision…", personal=True)
    via_personnes_morales: VotesParVoieRne = inherits(
        "Par des personnes morales.", source="voteIndirectePersonnesMorales, voteIndirectePmorales…", personal=True
    )


@record("Droits de vote.")
class DroitsDeVoteRne:
    total: Decimal | None = inherits("Total (%).", source="detentionVoteTotal", personal=True)
    directes: VotesDirectsRne = inherits("Votes directs.", personal=True)
    indirectes: VotesIndirectsRne = inherits("Votes indirects.", personal=True)


@record("Autres pouvoirs de contrôle.")
class PouvoirsDeControleRne:
    decision_ag: bool | None = inherits(
        "Détermine les décisions des assemblées générales.", source="detentionPouvoirDecisionAG", personal=True
    )
    nommage_membres_conseil_administratif: bool | None = inherits(
        "Nomme ou révoque la majorité des membres des organes d'administration.",
        source="detentionPouvoirNommageMembresConseilAdmin",
        personal=True,
    )
    autres: bool | None = inherits("Autres moyens de contrôle.", source="detentionAutresMoyensControle", personal=True)


@record("Modalités du contrôle.")
class ModalitesRne:
    detention_de_capital: DetentionCapitalRne = inherits("Détention du capital.", personal=True)
    vocation_a_devenir_titulaire_de_parts: VocationRne = inherits(
        "Vocation à devenir titulaire de parts.", personal=True
    )
    droits_de_vote: DroitsDeVoteRne = inherits("Droits de vote.", personal=True)
    pouvoirs_de_controle: PouvoirsDeControleRne = inherits("Autres pouvoirs de contrôle.", personal=True)
    representant_legal: bool | None = inherits(
        "Est-ce le représentant légal ?", source="beneficiaireRepresentantLegal", personal=True
    )
    representant_legal_placement_sans_gestion_deleguee: bool | None = inherits(
        "Est-ce le représentant légal d'un placement collectif sans gestion déléguée ?",
        source="representantLegalPlacementSansGestionDelegue",
        personal=True,
    )


@record("Mois et année de naissance ; le jour n'est jamais donné.")
class NaissanceBeneficiaireRne:
    annee: str | None = inherits("Année.", personal=True)
    mois: str | None = inherits("Mois.", personal=True)


@record("Personne physique qui contrôle l'entreprise.")
class BeneficiaireEffectif:
    beneficiaire_uuid: str | None = inherits("Identifiant au registre.", source="beneficiaireId")
    actif: bool | None = inherits("La déclaration est-elle en vigueur ?", source="actif", personal=True)
    nom: str | None = inherits("Nom, en capitales.", source="beneficiaire.descriptionPersonne.nom", personal=True)
    nom_usage: str | None = inherits(
        "Nom d'usage, en capitales.", source="beneficiaire.descriptionPersonne.nomUsage", personal=True
    )
    prenoms: list[str] | None = inherits(
        "Prénoms, en capitales.", source="beneficiaire.descriptionPersonne.prenoms", personal=True
    )
    date_naissance: NaissanceBeneficiaireRne = inherits(
        "Naissance.", source="beneficiaire.descriptionPersonne.dateDeNaissance", personal=True
    )
    nationalite: str | None = inherits(
        "Nationalité.", source="beneficiaire.descriptionPersonne.nationalite", personal=True
    )
    pays_residence: str | None = inherits(
        "Pays de résidence.", source="beneficiaire.adresseDomicile.pays", personal=True
    )
    modalites: ModalitesRne = inherits("Comment elle contrôle l'entreprise.", source="modalite", personal=True)


@record("Bénéficiaires effectifs d'une entreprise.")
class BeneficiairesEffectifs:
    items: list[BeneficiaireEffectif] = inherits(
        "Les bénéficiaires dont les modalités de contrôle sont déclarées.",
        source="beneficiairesEffectifs",
        personal=True,
    )
    count: int = inherits("Nombre de ces bénéficiaires.")
    beneficiaires_sans_modalites_uuids: list[str] = inherits(
        "Identifiants des personnes déclarées sans modalités : représentants légaux par défaut.",
        source="beneficiairesEffectifs[].beneficiaireId",
    )


# --- How to read ---------------------------------------------------------------------------------


def declares(content: wire.Json) -> bool:
    """Only a legal person declares beneficial owners."""
    legal = reading.node(content, "personneMorale")
    other = reading.node(content, "personnePhysique") or reading.node(content, "exploitation")
    return bool(legal) and not other and bool(reading.nodes(legal, "beneficiairesEffectifs"))


def beneficiaires(body: wire.Json) -> BeneficiairesEffectifs | None:
    """Those of a company, from the body that `companies` gives; nothing when it declares none."""
    content = reading.node(reading.node(body, "formality"), "content")
    if not declares(content):
        return None
    declared = reading.nodes(reading.node(content, "personneMorale"), "beneficiairesEffectifs")
    items = [_beneficiaire(entry) for entry in declared if entry.get("modalite") is not None]
    bare = (reading.text(entry, "beneficiaireId") for entry in declared if entry.get("modalite") is None)
    return BeneficiairesEffectifs(
        items=items, count=len(items), beneficiaires_sans_modalites_uuids=[uuid for uuid in bare if uuid]
    )


def _beneficiaire(entry: wire.Json) -> BeneficiaireEffectif:
    beneficiary = reading.node(entry, "beneficiaire")
    person, home = reading.node(beneficiary, "descriptionPersonne"), reading.node(beneficiary, "adresseDomicile")
    first_names = wire.texts(person, "prenoms")
    year, _, month = (reading.text(person, "dateDeNaissance") or "").partition("-")
    return BeneficiaireEffectif(
        beneficiaire_uuid=reading.text(entry, "beneficiaireId"),
        actif=reading.flag(entry, "actif"),
        nom=wire.upper(person, "nom"),
        nom_usage=wire.upper(person, "nomUsage"),
        prenoms=None if first_names is None else [name.upper() for name in first_names],
        # Two characters at the most: were a day ever sent, it would not be shown.
        date_naissance=NaissanceBeneficiaireRne(annee=year or None, mois=month[:2] or None),
        nationalite=reading.text(person, "nationalite"),
        pays_residence=reading.text(home, "pays"),
        modalites=_modalites(reading.node(entry, "modalite")),
    )


def _modalites(said: wire.Json) -> ModalitesRne:
    return ModalitesRne(
        detention_de_capital=_capital(said),
        vocation_a_devenir_titulaire_de_parts=_vocation(said),
        droits_de_vote=_votes(said),
        pouvoirs_de_controle=PouvoirsDeControleRne(
            decision_ag=reading.flag(said, "detentionPouvoirDecisionAG"),
            nommage_membres_conseil_administratif=reading.flag(said, "detentionPouvoirNommageMembresConseilAdmin"),
            autres=reading.flag(said, "detentionAutresMoyensControle"),
        ),
        representant_legal=reading.flag(said, "beneficiaireRepresentantLegal"),
        representant_legal_placement_sans_gestion_deleguee=reading.flag(
            said, "representantLegalPlacementSansGestionDelegue"
        ),
    )


def _capital(said: wire.Json) -> DetentionCapitalRne:
    return DetentionCapitalRne(
        parts_totale=wire.number(said, "detentionPartTotale"),
        parts_directes=PartsDirectesRne(
            detention=reading.flag(said, "detentionPartDirecte"),
            pleine_propriete=wire.number(said, "partsDirectesPleinePropriete"),
            nue_propriete=wire.number(said, "partsDirectesNuePropriete"),
        ),
        parts_indirectes=PartsIndirectesRne(
            detention=reading.flag(said, "detentionPartIndirecte"),
            par_indivision=_indirect(said, "partsIndirectesIndivision", "partsIndirectesIndivision"),
            via_personnes_morales=_indirect(said, "partsIndirectesPersonnesMorales", "partsIndirectesPmorales"),
        ),
    )


def _vocation(said: wire.Json) -> VocationRne:
    return VocationRne(
        parts_directes=ProprieteRne(
            pleine_propriete=wire.number(said, "vocationTitulaireDirectePleinePropriete"),
            nue_propriete=wire.number(said, "vocationTitulaireDirecteNuePropriete"),
        ),
        parts_indirectes=VocationIndirecteRne(
            # Here the two parts don't repeat the name of the way.
            par_indivision=_indirect(said, "vocationTitulaireIndirecteIndivision", "vocationTitulaireIndirecte"),
            via_personnes_morales=_indirect(
                said, "vocationTitulaireIndirectePersonnesMorales", "vocationTitulaireIndirectePmorales"
            ),
        ),
    )


def _votes(said: wire.Json) -> DroitsDeVoteRne:
    return DroitsDeVoteRne(
        total=wire.number(said, "detentionVoteTotal"),
        directes=VotesDirectsRne(
            detention=reading.flag(said, "detentionVoteDirecte"),
            pleine_propriete=wire.number(said, "voteDirectePleinePropriete"),
            nue_propriete=wire.number(said, "voteDirecteNuePropriete"),
            usufruit=wire.number(said, "voteDirecteUsufruit"),
        ),
        indirectes=VotesIndirectsRne(
            detention=reading.flag(said, "detentionVoteIndirecte"),
            par_indivision=_indirect_votes(said, "voteIndirecteIndivision", "voteIndirecteIndivision"),
            via_personnes_morales=_indirect_votes(said, "voteIndirectePersonnesMorales", "voteIndirectePmorales"),
        ),
    )


def _indirect(said: wire.Json, total: str, prefix: str) -> ProprieteIndirecteRne:
    return ProprieteIndirecteRne(
        total=wire.number(said, total),
        pleine_propriete=wire.number(said, f"{prefix}PleinePropriete"),
        nue_propriete=wire.number(said, f"{prefix}NuePropriete"),
    )


def _indirect_votes(said: wire.Json, total: str, prefix: str) -> VotesParVoieRne:
    return VotesParVoieRne(
        total=wire.number(said, total),
        pleine_propriete=wire.number(said, f"{prefix}PleinePropriete"),
        nue_propriete=wire.number(said, f"{prefix}NuePropriete"),
        usufruit=wire.number(said, f"{prefix}Usufruit"),
    )
