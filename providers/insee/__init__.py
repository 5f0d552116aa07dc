"""INSEE: the Sirene register of legal units and establishments. Source: INSEE, API Sirene 3.11.

Two planes, chosen by the settings: with `api_key` the public plane, else the private one, which wants a session.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import httpx

from providers import http_status
from providers.declaration import Access, Call, Dataset, Provider, Rate, Session, SessionToken, Setting, Timeouts
from providers.errors import Misidentified, Unreadable
from providers.insee import wire
from providers.insee.etablissement import ETABLISSEMENT
from providers.insee.etablissements import ETABLISSEMENTS
from providers.insee.recherche import RECHERCHE
from providers.insee.siege import SIEGE
from providers.insee.sonde import PROBE
from providers.insee.successions import SUCCESSIONS
from providers.insee.unite_legale import UNITE_LEGALE
from providers.login import carried, without_token

# --- The session of the private plane ------------------------------------------------------------

_LONGEST_SESSION = timedelta(days=30)


def _needs_session(settings: Mapping[str, str]) -> bool:
    return not wire.on_public_plane(settings)


def log_in(access: Access) -> Call:
    names = ("client_id", "client_secret", "username", "password")
    return Call(
        method="POST",
        url=access.settings["token_url"],
        form=(("grant_type", "password"), *((name, access.settings[name]) for name in names)),
        headers=(("Accept", "application/json"),),
    )


def read_session(response: httpx.Response) -> SessionToken:
    """The token of a login. A page that isn't JSON is `Unreadable`: asked again; JSON without a token is final."""
    if response.status_code in (400, 401):
        raise Misidentified
    http_status.refuse_other_than_ok(response)
    body = wire.json_object(response)
    token, seconds = carried(body.get("access_token")), body.get("expires_in")
    if token is None:
        raise without_token()
    if type(seconds) is not int or seconds <= 0:
        raise Unreadable
    longest = int(_LONGEST_SESSION.total_seconds())
    return SessionToken(value=token, expires_in=timedelta(seconds=min(seconds, longest)))


SESSION: Final = Session(
    needed=_needs_session,
    call=log_in,
    parse=read_session,
    refused=lambda response: response.status_code == 401,
    still_refused=wire.still_refused,
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=15)),
    margin=timedelta(seconds=10),
    attempts=5,
    pause=timedelta(milliseconds=200),
)

# --- The room ------------------------------------------------------------------------------------

datasets: Final[tuple[Dataset[Any, Any, Any], ...]] = (
    UNITE_LEGALE,
    ETABLISSEMENT,
    SIEGE,
    ETABLISSEMENTS,
    SUCCESSIONS,
    RECHERCHE,
)

INSEE: Final = Provider(
    id="insee",
    label="INSEE",
    title="Institut national de la statistique et des études économiques",
    code="01",
    home_page="https://www.insee.fr",
    contact="https://www.insee.fr/fr/information/1302210",
    settings=(
        Setting(
            name="url",
            help="Adresse de l'API Sirene, préfixe compris : …/api-sirene/prive/3.11 (plan privé) ou …/api-sirene/3.11 "
            "(plan public, avec `api_key`).",
            secret=False,
            default="",
            sandbox_path="/api-sirene/prive/3.11",
        ),
        Setting(
            name="token_url",
            help="Adresse où s'obtient le jeton du plan privé.",
            secret=False,
            default="",
            sandbox_path="/auth/realms/bac-a-sable/protocol/openid-connect/token",
        ),
        Setting(name="client_id", help="Identifiant client du plan privé.", secret=False, default="sandbox"),
        Setting(name="client_secret", help="Secret client du plan privé.", secret=True, default="sandbox"),
        Setting(name="username", help="Compte du plan privé.", secret=False, default="sandbox"),
        Setting(name="password", help="Mot de passe du compte.", secret=True, default="sandbox"),
        Setting(
            name="api_key",
            help="Clé d'accès au plan public. Renseignée, elle choisit ce plan : aucun jeton n'est demandé.",
            secret=True,
            default="",
        ),
        Setting(
            name="metadata_url",
            help="Adresse du service de métadonnées, où sont les libellés des codes.",
            secret=False,
            default="",
            sandbox_path="/metadonnees",
        ),
    ),
    session=SESSION,
    certificate=None,
    maintenance=(),
    max_concurrency=32,
    rates=(Rate(calls=30, per=timedelta(minutes=1), when=wire.on_public_plane),),
    probe=PROBE,
    datasets=datasets,
)
