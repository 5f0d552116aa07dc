"""The registration of a craft business: how and where it exercises, its trade, its staff, its life dates.

Source: CMA France, public API of the register of crafts (RNM): one flat JSON object, where an empty text and null
both mean "no value". The register knows nothing of INSEE's diffusion statuses: what names a person is hidden here.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import httpx

from auth import scopes
from auth.scopes import OPEN_DATA
from providers import reading
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Http,
    NotKept,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    as_is,
)
from providers.diffusion import LIFTED_BY, hidden
from providers.errors import NotFound, Unavailable, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siren
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Adresse au répertoire national des métiers.")
class AdresseArtisanale:
    numero_voie: str | None = inherits("Numéro dans la voie.", source="ent_adr_numero_voie", personal=True)
    indice_repetition_voie: str | None = inherits(
        "Indice de répétition.", source="ent_adr_indice_repetition", personal=True
    )
    type_voie: str | None = inherits("Type de voie.", source="ent_adr_type_voie", personal=True)
    libelle_voie: str | None = inherits("Libellé de la voie.", source="ent_adr_adresse", personal=True)
    complement: str | None = inherits("Complément.", source="ent_adr_adresse_complement", personal=True)
    code_postal: str | None = inherits("Code postal.", source="ent_adr_code_postal", personal=True)
    commune: str | None = inherits("Commune.", source="ent_adr_commune")
    commune_cog: str | None = inherits("Code officiel géographique de la commune.", source="ent_adr_commune_cog")
    departement: str | None = inherits("Nom du département.", source="gest_dept")
    region: str | None = inherits("Nom de la région.", source="gest_reg")


@record("Entreprise inscrite au répertoire national des métiers (RNM).")
class EntrepriseArtisanale:
    modalite_exercice: str | None = inherits(
        "Exercice de l'activité : `P` permanent, `S` saisonnier, `NR` non renseigné.",
        source="ent_act_modalite_exercice",
    )
    non_sedentaire: str | None = inherits(
        "Activité non sédentaire : « 1 » si oui, « 0 » sinon.", source="ent_act_non_sedentaire"
    )
    rnm_id: str = inherits("Identifiant au répertoire.", source="id")
    rnm_numero_gestion: str | None = inherits("Numéro de gestion.", source="ent_id_num_gestion")
    rnm_date_import: date | None = inherits("Chargement du fichier au répertoire.", source="gest_maj_fichier")
    rnm_date_mise_a_jour: date | None = inherits("Dernière mise à jour de l'inscription.", source="gest_date_maj")
    etablissement_origine_id: str | None = inherits("Code d'origine de l'établissement.", source="ent_id_origine")
    categorie_personne: str | None = inherits("Personne morale (`PM`) ou physique (`PP`).", source="gest_categorie")
    denomination_sociale: str | None = inherits("Dénomination.", source="ent_act_denomination_sociale", personal=True)
    sigle: str | None = inherits("Sigle.", source="ent_act_sigle", personal=True)
    forme_juridique_id: str | None = inherits("Code de la forme juridique.", source="ent_act_forme_juridique")
    forme_juridique_label: str | None = inherits("Libellé de la forme juridique.", source="gest_label_forme_juridique")
    adresse: AdresseArtisanale = inherits("Adresse de l'entreprise.")
    libelle_epci: str | None = inherits("Intercommunalité.", source="epci")
    code_cfe: str | None = inherits("Centre de formalités qui a transmis le dossier.", source="gest_emetteur")
    activite_artisanales_declarees: str | None = inherits(
        "Activité déclarée, en texte libre.", source="ent_act_activite_artisanales_declarees", personal=True
    )
    code_norme_activite_entreprises: str | None = inherits("Code APE.", source="ent_act_code_apen")
    code_nafa_principal: str | None = inherits(
        "Code NAFA principal : quatre chiffres et deux lettres, sans point.", source="ent_act_code_nafa_principal"
    )
    code_nafa_secondaire1: str | None = inherits("Code NAFA secondaire.", source="ent_act_code_nafa_secondaire_1")
    code_nafa_secondaire2: str | None = inherits("Code NAFA secondaire.", source="ent_act_code_nafa_secondaire_2")
    code_nafa_secondaire3: str | None = inherits("Code NAFA secondaire.", source="ent_act_code_nafa_secondaire_3")
    code_nafa_libelle: str | None = inherits("Libellé du code NAFA principal.", source="gest_libelle_code_nafa")
    secteur_activite_intitule_nar_4: str | None = inherits("Secteur, en quatre classes.", source="gest_nar_4")
    secteur_activite_intitule_nar_20: str | None = inherits("Secteur, en vingt classes.", source="gest_nar_20")
    dirigeant_qualification: str | None = inherits(
        "Qualification du dirigeant (artisan, maître artisan…).", source="dir_qa_qualification", personal=True
    )
    effectif_salarie: int | None = inherits("Nombre de salariés.", source="ent_eff_salarie")
    effectif_apprenti: int | None = inherits("Nombre d'apprentis.", source="ent_eff_apprenti")
    declaration_procedures: str | None = inherits("Procédures collectives déclarées.", source="ent_jug_procedures")
    date_immatriculation: date | None = inherits("Immatriculation au répertoire.", source="ent_act_date_immat_rm")
    date_radiation: date | None = inherits(
        "Radiation du répertoire ; nulle si l'entreprise n'est pas radiée.", source="ent_act_date_radiation"
    )
    date_debut_activite: date | None = inherits("Début de l'activité.", source="ent_act_date_debut_activite")
    date_cessation_activite: date | None = inherits(
        "Cessation de l'activité.", source="ent_act_date_cessation_activite"
    )
    date_cloture_liquidation: date | None = inherits(
        "Clôture de la liquidation.", source="ent_act_date_cloture_liquidation"
    )
    date_transfert_patrimoine: date | None = inherits(
        "Transfert du patrimoine.", source="ent_act_date_transfert_patrimoine"
    )
    date_dissolution: date | None = inherits("Dissolution.", source="ent_act_date_dissolution")
    eirl_denomination: str | None = inherits(
        "Dénomination de l'EIRL, s'il y en a une.", source="eirl_denomination", personal=True
    )
    eirl_id_registre: str | None = inherits("Registre de dépôt de l'EIRL.", source="eirl_init_nom_registre")
    eirl_objet_activite: str | None = inherits("Objet de l'EIRL.", source="eirl_objet_dap", personal=True)
    eirl_date_depot: date | None = inherits("Dépôt de la déclaration d'EIRL.", source="eirl_date_depot")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    """Raises `Unavailable` when the operator closed the service by leaving its address empty."""
    base = access.settings["url"]
    if not base:
        raise Unavailable("Le répertoire national des métiers n'est plus interrogé : ce service est fermé.")
    return Call(
        method="GET",
        url=f"{base}/v2/entreprises/{key}",
        params=(("format", "json"),),
        headers=(("Content-Type", "application/json"),),
    )


# --- How to read ---------------------------------------------------------------------------------

Json = dict[str, Any]


def parse(response: httpx.Response, key: Siren) -> EntrepriseArtisanale:
    status = response.status_code
    refuse_outage(response)
    if status == 404:
        # The body is a page of the web server, whose reason phrase isn't even ASCII: the status decides.
        raise NotFound("Cette entreprise n'est pas inscrite au répertoire national des métiers.")
    if status != 200:
        raise Unreadable
    found = reading.json_object(response.content)
    if reading.filled_text(found, "ent_id_siren") not in (None, key):
        raise Unreadable
    return _entreprise(found)


def _entreprise(found: Json) -> EntrepriseArtisanale:
    return EntrepriseArtisanale(
        modalite_exercice=reading.filled_text(found, "ent_act_modalite_exercice"),
        non_sedentaire=reading.filled_text(found, "ent_act_non_sedentaire"),
        rnm_id=_identifier(found),
        rnm_numero_gestion=reading.filled_text(found, "ent_id_num_gestion"),
        # By their names and values: the file is loaded at night, the record changes in the day.
        rnm_date_import=reading.day(found, "gest_maj_fichier"),
        rnm_date_mise_a_jour=reading.day(found, "gest_date_maj"),
        etablissement_origine_id=reading.filled_text(found, "ent_id_origine"),
        categorie_personne=reading.filled_text(found, "gest_categorie"),
        denomination_sociale=reading.filled_text(found, "ent_act_denomination_sociale"),
        sigle=reading.filled_text(found, "ent_act_sigle"),
        forme_juridique_id=reading.filled_text(found, "ent_act_forme_juridique"),
        forme_juridique_label=reading.filled_text(found, "gest_label_forme_juridique"),
        adresse=_adresse(found),
        libelle_epci=reading.filled_text(found, "epci"),
        code_cfe=reading.filled_text(found, "gest_emetteur"),
        activite_artisanales_declarees=reading.filled_text(found, "ent_act_activite_artisanales_declarees"),
        code_norme_activite_entreprises=reading.filled_text(found, "ent_act_code_apen"),
        code_nafa_principal=reading.filled_text(found, "ent_act_code_nafa_principal"),
        code_nafa_secondaire1=reading.filled_text(found, "ent_act_code_nafa_secondaire_1"),
        code_nafa_secondaire2=reading.filled_text(found, "ent_act_code_nafa_secondaire_2"),
        code_nafa_secondaire3=reading.filled_text(found, "ent_act_code_nafa_secondaire_3"),
        code_nafa_libelle=_trimmed(found, "gest_libelle_code_nafa"),
        secteur_activite_intitule_nar_4=reading.filled_text(found, "gest_nar_4"),
        secteur_activite_intitule_nar_20=reading.filled_text(found, "gest_nar_20"),
        dirigeant_qualification=reading.filled_text(found, "dir_qa_qualification"),
        effectif_salarie=_count(found, "ent_eff_salarie"),
        effectif_apprenti=_count(found, "ent_eff_apprenti"),
        declaration_procedures=reading.filled_text(found, "ent_jug_procedures"),
        date_immatriculation=reading.day(found, "ent_act_date_immat_rm"),
        date_radiation=reading.day(found, "ent_act_date_radiation"),
        date_debut_activite=reading.day(found, "ent_act_date_debut_activite"),
        date_cessation_activite=reading.day(found, "ent_act_date_cessation_activite"),
        date_cloture_liquidation=reading.day(found, "ent_act_date_cloture_liquidation"),
        date_transfert_patrimoine=reading.day(found, "ent_act_date_transfert_patrimoine"),
        date_dissolution=reading.day(found, "ent_act_date_dissolution"),
        eirl_denomination=reading.filled_text(found, "eirl_denomination"),
        eirl_id_registre=reading.filled_text(found, "eirl_init_nom_registre"),
        eirl_objet_activite=reading.filled_text(found, "eirl_objet_dap"),
        eirl_date_depot=reading.day(found, "eirl_date_depot"),
    )


def _adresse(found: Json) -> AdresseArtisanale:
    return AdresseArtisanale(
        numero_voie=reading.filled_text(found, "ent_adr_numero_voie"),
        indice_repetition_voie=reading.filled_text(found, "ent_adr_indice_repetition"),
        type_voie=reading.filled_text(found, "ent_adr_type_voie"),
        libelle_voie=reading.filled_text(found, "ent_adr_adresse"),
        complement=reading.filled_text(found, "ent_adr_adresse_complement"),
        code_postal=reading.filled_text(found, "ent_adr_code_postal"),
        commune=reading.filled_text(found, "ent_adr_commune"),
        commune_cog=reading.filled_text(found, "ent_adr_commune_cog"),
        departement=reading.filled_text(found, "gest_dept"),
        region=reading.filled_text(found, "gest_reg"),
    )


def _identifier(found: Json) -> str:
    """The register's own number: an answer without one speaks of nobody."""
    value = found.get("id")
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unreadable


def _trimmed(found: Json, name: str) -> str | None:
    """A label that the register pads with blanks."""
    value = reading.filled_text(found, name)
    return (value.strip() or None) if value else None


def _count(found: Json, name: str) -> int | None:
    """A headcount, written as text."""
    value = reading.filled_text(found, name)
    if value is None:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Unreadable
    return int(value)


# --- What the public doesn't see of an entity in partial diffusion --------------------------------


def mask(entreprise: EntrepriseArtisanale) -> EntrepriseArtisanale:
    """As INSEE does: a company keeps its name, a person nothing that names it; of the address, only the town stays."""
    adresse = entreprise.adresse
    shown = replace(
        entreprise,
        sigle=hidden(entreprise.sigle),
        dirigeant_qualification=hidden(entreprise.dirigeant_qualification),
        adresse=replace(
            adresse,
            numero_voie=hidden(adresse.numero_voie),
            indice_repetition_voie=hidden(adresse.indice_repetition_voie),
            type_voie=hidden(adresse.type_voie),
            libelle_voie=hidden(adresse.libelle_voie),
            complement=hidden(adresse.complement),
            code_postal=hidden(adresse.code_postal),
        ),
    )
    # Whoever isn't surely a legal person is protected as a natural one.
    if entreprise.categorie_personne == "PM":
        return shown
    return replace(
        shown,
        denomination_sociale=hidden(entreprise.denomination_sociale),
        activite_artisanales_declarees=hidden(entreprise.activite_artisanales_declarees),
        eirl_denomination=hidden(entreprise.eirl_denomination),
        eirl_objet_activite=hidden(entreprise.eirl_objet_activite),
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siren, EntrepriseArtisanale]] = Source(
    id="cma_france.entreprise_artisanale",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    life=NotKept(),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=1_000_000,
)

ENTREPRISE_ARTISANALE: Final[Dataset[Siren, EntrepriseArtisanale, EntrepriseArtisanale]] = Dataset(
    id="cma_france.entreprise_artisanale",
    seed="entreprises_artisanales_cma",
    title="Entreprise artisanale",
    description=(
        "Inscription d'une entreprise au répertoire national des métiers : exercice, activité artisanale (NAFA), "
        "effectifs, immatriculation et radiation. Le répertoire a été remplacé le 1er janvier 2023 par le registre "
        "national des entreprises : ses données peuvent être anciennes et le service peut fermer."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.ENTREPRISES_ARTISANALES}),
        unmasked_for=LIFTED_BY,
        mask=mask,
        by_diffusion=True,
    ),
    source=SOURCE,
    record=EntrepriseArtisanale,
    read=as_is,
    source_date=lambda entreprise: entreprise.rnm_date_mise_a_jour,
    perimeter=(
        "Entreprises artisanales inscrites au répertoire des métiers, personnes physiques ou morales : inscription "
        "obligatoire au-dessous de onze salariés, facultative au-delà. Des entreprises radiées peuvent y rester."
    ),
    key="SIREN",
    freshness="À chaque déclaration jusqu'à la fin de 2022 ; rien de certain depuis.",
    not_found_means="L'entreprise n'est pas inscrite au répertoire des métiers.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/cma_france/rnm/unites_legales/{siren}",
    example=Siren("910203041"),
    left_out={
        "dir_id_nom_naissance": "Donnée personnelle du dirigeant, que la ressource publique n'a jamais servie.",
        "dir_id_nom_usage": "Donnée personnelle du dirigeant, que la ressource publique n'a jamais servie.",
        "dir_id_prenom_1": "Donnée personnelle du dirigeant, comme ses deux autres prénoms.",
        "dir_id_prenom_2": "Donnée personnelle du dirigeant.",
        "dir_id_prenom_3": "Donnée personnelle du dirigeant.",
        "dir_id_pseudonyme": "Donnée personnelle du dirigeant.",
        "dir_id_date_naissance": "Donnée personnelle du dirigeant, de format inconnu.",
        "dir_id_lieu_naissance": "Donnée personnelle du dirigeant.",
        "ent_id_siren": "Le SIREN demandé ; un autre rend la réponse illisible.",
    },
    open_questions=(
        "On ne sait pas si le service répond encore, ni de quand datent ses données.",
        "Les valeurs de `ent_id_origine`, `ent_jug_procedures` et `gest_emetteur` sont servies telles quelles.",
        "Les dates d'import et de mise à jour sont lues d'après leur nom, à l'inverse de l'API REST interne.",
        "`eirl_denomination` et `eirl_init_nom_registre` sont lus d'après leur nom, à l'inverse de l'API REST interne.",
        "Le préfixe des codes d'erreur est 15, celui que les clients reçoivent ; la documentation publique dit 22.",
    ),
)
