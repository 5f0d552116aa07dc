"""What the register says of a company: identity, officers, establishments, observations.

Source: INPI, RNE API, body of `companies`. Nearly every key may be absent. Natural and legal persons have the same
shape under two names; a farm ("exploitation") has neither, hence an empty identity and empty lists.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Final

from providers import reading
from providers.identifiers import Siren
from providers.inpi_rne import telechargement, wire
from providers.inpi_rne.roles import ROLES
from providers.personne import TypePersonne
from providers.record import DocumentDistant, inherits, record

EXTRAIT: Final = "inpi_rne.extrait_rne"

Jour = date
"""`date` under another name, for records that have a field called `date`."""

# --- What it says --------------------------------------------------------------------------------


@record("Code d'une nomenclature, avec son libellé quand il est connu.")
class CodeRne:
    code: str | None = inherits("Code, sans point.")
    libelle: str | None = inherits("Libellé ; nul quand le registre ne donne que le code.")


@record("Capital social.")
class CapitalRne:
    montant: Decimal | None = inherits("Montant.", source="identite.description.montantCapital")
    devise: str | None = inherits(
        "Devise ; EUR si le registre n'en dit rien.", source="identite.description.deviseCapital"
    )


@record("Dissolution d'une personne morale.")
class DissolutionRne:
    date: Jour | None = inherits("Date.", source="identite.description.dateDissolutionDisparition")
    poursuite_activite: bool = inherits(
        "L'activité se poursuit-elle ?", source="identite.description.indicateurPoursuiteActivite"
    )


@record("Adresse, telle que le registre l'écrit.")
class AdresseRne:
    voie: str | None = inherits(
        "Numéro, type et nom de la voie, en capitales.", source="adresse.numVoie, typeVoie, voie", personal=True
    )
    code_postal: str | None = inherits("Code postal.", source="adresse.codePostal")
    commune: str | None = inherits("Commune, en capitales.", source="adresse.commune")
    pays: str = inherits("Pays ; FRANCE si le registre n'en dit rien.", source="adresse.pays")
    complement: str | None = inherits(
        "Complément de localisation.", source="adresse.complementLocalisation", personal=True
    )


@record("Identité d'une entreprise inscrite au registre national des entreprises.")
class IdentiteRne:
    siren: str = inherits("Numéro SIREN.", source="formality.siren")
    type_personne: str | None = inherits(
        "P personne physique, M personne morale, E exploitation.", source="formality.typePersonne"
    )
    denomination: str | None = inherits(
        "Dénomination ; nulle pour une personne physique.", source="identite.entreprise.denomination"
    )
    nom: str | None = inherits(
        "Nom ; nul pour une personne morale.", source="identite.entrepreneur.descriptionPersonne.nom", personal=True
    )
    prenoms: list[str] | None = inherits(
        "Prénoms ; nuls pour une personne morale.",
        source="identite.entrepreneur.descriptionPersonne.prenoms",
        personal=True,
    )
    forme_juridique: CodeRne = inherits("Forme juridique.", source="identite.entreprise.formeJuridique")
    nature_entreprise: str | None = inherits(
        "Forme d'exercice de l'activité principale.", source="content.formeExerciceActivitePrincipale"
    )
    associe_unique: bool = inherits(
        "A-t-elle un associé unique ?", source="identite.entreprise.indicateurAssocieUnique"
    )
    date_immatriculation_rne: date | None = inherits(
        "Date d'immatriculation, à défaut de création.", source="identite.entreprise.dateImmat"
    )
    date_debut_activite: date | None = inherits(
        "Date de début d'activité. D'un entrepreneur individuel qui a fermé un établissement : celle du plus ancien de "
        "ses établissements ouverts.",
        source="identite.entreprise.dateDebutActiv",
    )
    date_fin_personne: date | None = inherits(
        "Terme de la personne morale.", source="identite.description.dateFinExistence"
    )
    date_cloture_exercice: str | None = inherits(
        "Mois et jour de clôture de l'exercice (MM-JJ).", source="identite.description.dateClotureExerciceSocial"
    )
    date_premiere_cloture_exercice: date | None = inherits(
        "Première clôture.", source="identite.description.datePremiereCloture"
    )
    dissolution: DissolutionRne = inherits("Dissolution.")
    capital_social: CapitalRne = inherits("Capital social.")
    activite_principale_objet_social: str | None = inherits("Objet social.", source="identite.description.objet")
    code_ape: CodeRne = inherits("Activité principale (NAF).", source="identite.entreprise.codeApe")
    code_aprm: CodeRne = inherits(
        "Activité principale artisanale.", source="etablissementPrincipal.activites[indicateurPrincipal].codeAprm"
    )
    adresse_siege_social: AdresseRne | None = inherits("Adresse du siège.", source="adresseEntreprise.adresse")


@record("Dirigeant ou associé, personne physique ou morale, en fonction.")
class DirigeantRne:
    type: TypePersonne = inherits("Personne physique ou morale.", source="pouvoirs[].typeDePersonne")
    qualite: str | None = inherits("Qualité ; le code si son libellé est inconnu.", source="pouvoirs[].roleEntreprise")
    nom: str | None = inherits("Nom.", source="individu.descriptionPersonne.nom", personal=True)
    prenom: str | None = inherits("Premier prénom.", source="individu.descriptionPersonne.prenoms[0]", personal=True)
    date_naissance: str | None = inherits(
        "Année et mois de naissance (AAAA-MM) ; le jour n'est jamais donné.",
        source="individu.descriptionPersonne.dateDeNaissance",
        personal=True,
    )
    commune_residence: str | None = inherits(
        "Commune de résidence.", source="individu.adresseDomicile.commune", personal=True
    )
    siren: str | None = inherits("SIREN de la personne morale.", source="entreprise.siren")
    denomination: str | None = inherits("Dénomination de la personne morale.", source="entreprise.denomination")


@record("Établissement, tel que le registre national des entreprises le décrit.")
class EtablissementRne:
    siret: str | None = inherits("Numéro SIRET.", source="descriptionEtablissement.siret")
    type_etablissement: str = inherits("« Siège et principal » ou « Secondaire ».")
    statut: str = inherits("« actif » ou « fermé ».", source="descriptionEtablissement.statutPourFormalite")
    date_debut_activite: date | None = inherits(
        "Date d'effet, à défaut début de l'activité principale.", source="descriptionEtablissement.dateEffet"
    )
    code_ape: CodeRne = inherits("Activité (NAF).", source="descriptionEtablissement.codeApe")
    code_aprm: CodeRne = inherits("Activité artisanale.", source="activites[indicateurPrincipal].codeAprm")
    origine_fonds: str = inherits(
        "Origine du fonds : Achat, Apport, Donation ou Création.", source="activites[].origine.typeOrigine"
    )
    nature_etablissement: str | None = inherits(
        "Forme d'exercice de l'activité principale.", source="activites[].formeExercice"
    )
    activite_principale: str | None = inherits(
        "Description de l'activité principale.", source="activites[].descriptionDetaillee", personal=True
    )
    autres_activites: list[str] = inherits(
        "Description des autres activités.", source="activites[].descriptionDetaillee", personal=True
    )
    adresse: AdresseRne | None = inherits("Adresse.", source="adresse")


@record("Observation portée au registre.")
class ObservationRne:
    fournisseur: str = inherits("Registre d'origine : rcs ou rnm.")
    numero: str | None = inherits("Numéro de l'observation.", source="observations.rcs[].numObservation")
    date: Jour | None = inherits("Date de l'observation.", source="dateAjout, dateEffet")
    texte: str | None = inherits("Texte de l'observation.", source="texte, observationComplementaire", personal=True)


@record("Extrait du registre national des entreprises (RNE).")
class ExtraitRne:
    identite_entreprise: IdentiteRne = inherits("Identité de l'entreprise.")
    dirigeants_et_associes: list[DirigeantRne] = inherits(
        "Dirigeants et associés en fonction, personnes physiques et morales.",
        source="personneMorale.composition.pouvoirs",
        personal=True,
    )
    etablissements: list[EtablissementRne] = inherits(
        "L'établissement principal s'il est ouvert, puis tous les autres, ouverts ou fermés.",
        source="etablissementPrincipal, autresEtablissements",
    )
    etablissements_fermes_total: int = inherits("Nombre d'établissements fermés.")
    observations: list[ObservationRne] = inherits(
        "Observations, de la plus récente à la plus ancienne, puis celles sans date.",
        source="observations.rcs, content.inscriptionsOffices",
    )
    diffusion_commerciale: bool = inherits(
        "L'entreprise accepte-t-elle la réutilisation commerciale ?", source="formality.diffusionCommerciale"
    )
    diffusion_insee: bool = inherits(
        "L'entreprise est-elle entièrement diffusible ? Sinon elle est en diffusion partielle.",
        source="formality.diffusionINSEE",
    )
    date_mise_a_jour: date | None = inherits("Date de dernière mise à jour de la fiche.", source="updatedAt")
    document: DocumentDistant | None = inherits(
        "Attestation d'immatriculation (PDF).", source="GET /export/companies", personal=True
    )


# --- How to read ---------------------------------------------------------------------------------


def extrait(body: wire.Json, siren: Siren) -> ExtraitRne:
    """The extract of a company, from the body that `companies` gives."""
    formality = reading.node(body, "formality")
    content = reading.node(formality, "content")
    person = reading.node(content, "personneMorale") or reading.node(content, "personnePhysique")
    principal = reading.node(person, "etablissementPrincipal")
    others = reading.nodes(person, "autresEtablissements")
    places = ([principal] if principal else []) + others
    shown = [_etablissement(place, principal=False) for place in others]
    if principal and not _closed(principal):
        shown.insert(0, _etablissement(principal, principal=True))
    return ExtraitRne(
        identite_entreprise=_identite(formality, content, person, places, siren),
        dirigeants_et_associes=list(_dirigeants(reading.nodes(reading.node(person, "composition"), "pouvoirs"))),
        etablissements=shown,
        etablissements_fermes_total=sum(map(_closed, places)),
        observations=_observations(content),
        diffusion_commerciale=reading.flag(formality, "diffusionCommerciale") or False,
        diffusion_insee=reading.text(formality, "diffusionINSEE") == "O",
        date_mise_a_jour=wire.day(body, "updatedAt"),
        document=telechargement.attestation(siren, dataset=EXTRAIT),
    )


def _identite(
    formality: wire.Json, content: wire.Json, person: wire.Json, places: list[wire.Json], siren: Siren
) -> IdentiteRne:
    identite, creation = reading.node(person, "identite"), reading.node(content, "natureCreation")
    entreprise, description = reading.node(identite, "entreprise"), reading.node(identite, "description")
    people = reading.node(reading.node(identite, "entrepreneur"), "descriptionPersonne")
    principal = reading.node(person, "etablissementPrincipal")
    form = reading.text(entreprise, "formeJuridique") or reading.text(creation, "formeJuridique")
    return IdentiteRne(
        siren=siren,
        type_personne=reading.text(formality, "typePersonne"),
        denomination=reading.text(entreprise, "denomination"),
        nom=reading.text(people, "nom"),
        prenoms=wire.texts(people, "prenoms"),
        forme_juridique=_code(form),
        nature_entreprise=reading.text(content, "formeExerciceActivitePrincipale"),
        associe_unique=reading.flag(entreprise, "indicateurAssocieUnique") or False,
        date_immatriculation_rne=wire.day(entreprise, "dateImmat") or wire.day(creation, "dateCreation"),
        date_debut_activite=_debut_activite(wire.day(entreprise, "dateDebutActiv"), form, places),
        date_fin_personne=wire.day(description, "dateFinExistence"),
        date_cloture_exercice=_month_and_day(reading.text(description, "dateClotureExerciceSocial")),
        date_premiere_cloture_exercice=wire.day(description, "datePremiereCloture"),
        dissolution=DissolutionRne(
            date=wire.day(description, "dateDissolutionDisparition"),
            poursuite_activite=reading.flag(description, "indicateurPoursuiteActivite") or False,
        ),
        capital_social=CapitalRne(
            montant=wire.number(description, "montantCapital"),
            devise=reading.text(description, "deviseCapital") or "EUR",
        ),
        activite_principale_objet_social=reading.text(description, "objet"),
        code_ape=_code(reading.text(entreprise, "codeApe")),
        code_aprm=_code(reading.text(_main_activity(principal), "codeAprm")),
        adresse_siege_social=_adresse(reading.node(reading.node(person, "adresseEntreprise"), "adresse")),
    )


def _code(code: str | None) -> CodeRne:
    """The register gives no label, and a made-up one would say nothing."""
    return CodeRne(code=code, libelle=None)


def _month_and_day(written: str | None) -> str | None:
    """`DDMM` as `MM-DD`; anything else as it came, blank as nothing."""
    if written is None or not written.strip():
        return None
    if len(written) == 4 and written.isascii() and written.isdigit():
        return f"{written[2:]}-{written[:2]}"
    return written


def _debut_activite(stated: date | None, form: str | None, places: list[wire.Json]) -> date | None:
    """As stated; but a sole trader who closed an establishment states the oldest start, maybe that of a closed one."""
    if form != "1000" or stated is None or not any(map(_closed, places)):
        return stated
    return min((start for place in places if not _closed(place) for start in _starts(place)), default=None)


def _starts(place: wire.Json) -> Iterator[date]:
    starts = [wire.day(_described(place), "dateDebutActivite")]
    starts += [wire.day(activity, "dateDebut") for activity in reading.nodes(place, "activites")]
    return (start for start in starts if start is not None)


_SAID_OF_AN_ADDRESS: Final = ("numVoie", "typeVoie", "voie", "codePostal", "commune", "pays", "complementLocalisation")
"""What makes an address of an object: one that says none of it is none, whatever else it holds."""


def _adresse(adresse: wire.Json) -> AdresseRne | None:
    if not any(adresse.get(name) for name in _SAID_OF_AN_ADDRESS):
        return None
    street = " ".join(part for name in ("numVoie", "typeVoie", "voie") if (part := reading.text(adresse, name)))
    return AdresseRne(
        voie=street.upper() or None,
        code_postal=reading.text(adresse, "codePostal"),
        commune=wire.upper(adresse, "commune"),
        pays=reading.text(adresse, "pays") or "FRANCE",
        complement=reading.text(adresse, "complementLocalisation"),
    )


def _dirigeants(powers: Iterable[wire.Json]) -> Iterator[DirigeantRne]:
    """Those in office, people and companies, whom the register describes."""
    for power in powers:
        kind, individual, company = (
            reading.text(power, "typeDePersonne"),
            reading.node(power, "individu"),
            reading.node(power, "entreprise"),
        )
        if reading.flag(power, "actif") is False:
            continue
        if kind in ("P", "INDIVIDU") and individual:
            yield _natural(power, individual)
        elif kind == "ENTREPRISE" and company:
            yield _legal(power, company)


def _natural(power: wire.Json, individual: wire.Json) -> DirigeantRne:
    person = reading.node(individual, "descriptionPersonne")
    return DirigeantRne(
        type=TypePersonne.PERSONNE_PHYSIQUE,
        qualite=_qualite(power),
        nom=reading.text(person, "nom"),
        prenom=next(iter(wire.texts(person, "prenoms") or ()), None),
        date_naissance=reading.text(person, "dateDeNaissance"),
        commune_residence=reading.text(reading.node(individual, "adresseDomicile"), "commune"),
        siren=None,
        denomination=None,
    )


def _legal(power: wire.Json, company: wire.Json) -> DirigeantRne:
    return DirigeantRne(
        type=TypePersonne.PERSONNE_MORALE,
        qualite=_qualite(power),
        nom=None,
        prenom=None,
        date_naissance=None,
        commune_residence=None,
        siren=reading.text(company, "siren"),
        denomination=reading.text(company, "denomination"),
    )


def _qualite(power: wire.Json) -> str | None:
    """The role: a code, an object that holds one with sometimes its name, or nothing."""
    role = power.get("roleEntreprise")
    if isinstance(role, dict):
        code = reading.text(role, "rolePersonne")
        return ROLES.get(code or "") or reading.text(role, "denomination") or code
    code = reading.text(power, "roleEntreprise")
    return None if code is None else ROLES.get(code, code)


def _described(place: wire.Json) -> wire.Json:
    return reading.node(place, "descriptionEtablissement")


def _closed(place: wire.Json) -> bool:
    described = _described(place)
    return reading.text(described, "statutPourFormalite") == "6" or bool(reading.text(described, "dateEffetFermeture"))


def _main_activity(place: wire.Json) -> wire.Json:
    activities = reading.nodes(place, "activites")
    return next((activity for activity in activities if reading.flag(activity, "indicateurPrincipal")), {})


_ORIGINES: Final = {"2": "Achat", "3": "Apport", "4": "Donation"}


def _etablissement(place: wire.Json, *, principal: bool) -> EtablissementRne:
    described, main = _described(place), _main_activity(place)
    others = [activity for activity in reading.nodes(place, "activites") if activity is not main]
    return EtablissementRne(
        siret=reading.text(described, "siret"),
        type_etablissement="Siège et principal" if principal else "Secondaire",
        statut="fermé" if _closed(place) else "actif",
        date_debut_activite=wire.day(described, "dateEffet") or wire.day(main, "dateDebut"),
        code_ape=_code(reading.text(described, "codeApe")),
        code_aprm=_code(reading.text(main, "codeAprm")),
        origine_fonds=_ORIGINES.get(reading.text(reading.node(main, "origine"), "typeOrigine") or "", "Création"),
        nature_etablissement=reading.text(main, "formeExercice"),
        activite_principale=reading.text(main, "descriptionDetaillee"),
        autres_activites=[said for activity in others if (said := reading.text(activity, "descriptionDetaillee"))],
        adresse=_adresse(reading.node(place, "adresse")),
    )


def _observations(content: wire.Json) -> list[ObservationRne]:
    legal = reading.node(content, "personneMorale")
    found = [
        ObservationRne(
            fournisseur="rcs",
            numero=reading.text(entry, "numObservation"),
            date=wire.day(entry, "dateAjout"),
            texte=reading.text(entry, "texte"),
        )
        for entry in reading.nodes(reading.node(legal, "observations"), "rcs")
    ]
    found += [
        ObservationRne(
            fournisseur="rnm",
            numero=None,
            date=wire.day(entry, "dateEffet"),
            texte=reading.text(entry, "observationComplementaire"),
        )
        for entry in reading.nodes(content, "inscriptionsOffices")
    ]
    return sorted(found, key=lambda observation: observation.date or date.min, reverse=True)
