"""The settings of the service: environment variables that start with `GRAPHE_`, or a `.env` file.

Everything has a default that runs the sandbox on one machine; production is this file's names with real
values. The settings of providers (`GRAPHE_INSEE_URL`, `GRAPHE_INFOGREFFE_CODE_ABONNE`…) are declared by
the rooms themselves and read by `provider_settings`.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from providers import PROVIDERS
from providers.declaration import Provider, Setting
from settings.surface import Limits, Profile
from tracing.keys import private_key

PREFIX = "GRAPHE_"
_DEVELOPMENT_SECRET = "developpement-seulement-pas-un-secret"


class Environment(StrEnum):
    """Where this process runs. Anything but `sandbox` refuses the development secrets."""

    SANDBOX = "sandbox"
    STAGING = "staging"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """What the operator may set. `graphe config` prints it with the secrets hidden."""

    # A value that is refused may be a secret: it is not repeated.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Annotated[Environment, Field(description="sandbox, staging ou production")] = Environment.SANDBOX
    host: Annotated[str, Field(description="Adresse d'écoute de l'API")] = "127.0.0.1"
    port: Annotated[int, Field(description="Port de l'API", ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(description="Nombre de processus de l'API", ge=1, le=64)] = 1
    public_url: Annotated[str, Field(description="Adresse publique de l'API, pour les liens des documents")] = ""
    data_dir: Annotated[Path, Field(description="Dossier des données en mode embarqué")] = Path("var")
    database_url: Annotated[str, Field(description="SQLAlchemy ; vide : SQLite dans le dossier des données")] = ""
    journal_url: Annotated[str, Field(description="Journal des accès ; vide : SQLite, ou la base PostgreSQL")] = ""
    redis_url: Annotated[SecretStr, Field(description="Redis ; vide : état gardé dans le processus")] = SecretStr("")
    documents_url: Annotated[str, Field(description="Dossier (file://…) ou S3 (s3://seau/prefixe)")] = ""
    jwt_algorithm: Annotated[str, Field(description="Algorithme de signature des jetons")] = "HS256"
    jwt_key: Annotated[SecretStr, Field(description="Clé des jetons (secret partagé, ou clé PEM)")] = SecretStr(
        _DEVELOPMENT_SECRET
    )
    secret: Annotated[SecretStr, Field(description="Secret des liens signés, des cookies et des empreintes")] = (
        SecretStr(_DEVELOPMENT_SECRET)
    )
    sandbox_host: Annotated[str, Field(description="Adresse des fournisseurs simulés")] = "127.0.0.1"
    sandbox_port: Annotated[int, Field(description="Premier port des fournisseurs simulés", ge=1, le=65000)] = 8100
    operation_seconds: Annotated[float, Field(description="Durée maximale d'une requête, en secondes", gt=0)] = 15.0
    cache_entries: Annotated[int, Field(description="Réponses de fournisseurs gardées en mémoire", ge=1)] = 50_000
    metrics: Annotated[bool, Field(description="Servir les mesures de ce processus à Prometheus sur /metriques")] = (
        False
    )
    traces_url: Annotated[
        str, Field(description="Collecteur OpenTelemetry (OTLP/HTTP : http://…/v1/traces) ; vide : aucune trace")
    ] = ""
    traces_to_providers: Annotated[
        bool, Field(description="Transmettre l'identifiant de trace (traceparent) aux fournisseurs")
    ] = False
    probes: Annotated[
        bool | None,
        Field(description="Sonder les fournisseurs que personne n'appelle ; vide : oui, sauf dans le bac à sable"),
    ] = None
    drain_seconds: Annotated[
        float | None,
        Field(
            description="Durée pendant laquelle un processus qu'on arrête (SIGTERM) sert encore, /pret répondant 503, "
            "en secondes ; vide : 5, 0 dans le bac à sable",
            ge=0,
            le=60,
        ),
    ] = None
    json_logs: Annotated[bool, Field(description="Écrire le journal technique en lignes JSON")] = False
    provider_rates: Annotated[
        bool | None,
        Field(description="Respecter les débits déclarés des fournisseurs ; vide : oui, sauf dans le bac à sable"),
    ] = None
    trusted_proxies: Annotated[str, Field(description="Mandataires dont X-Forwarded-For est cru, ou *")] = "127.0.0.1"
    profil: Annotated[Profile, Field(description="ouvert, production ou verrouille")] = Profile.PRODUCTION
    limits: Annotated[Limits, Field(description="Limites d'une requête GraphQL, en JSON")] = Limits()
    graphiql: Annotated[bool, Field(description="Servir GraphiQL sur /graphiql")] = True
    demo_tokens: Annotated[
        SecretStr, Field(description="Jetons de démonstration proposés par GraphiQL : JSON {libellé: jeton}")
    ] = SecretStr("{}")
    quotas: Annotated[bool, Field(description="Appliquer les quotas d'appels des habilitations")] = True
    address_calls_per_minute: Annotated[
        int, Field(description="Requêtes par minute et par adresse, pour chaque processus ; 0 : sans limite", ge=0)
    ] = 1000
    datapass_secret: Annotated[
        SecretStr, Field(description="Secret partagé du webhook des habilitations ; vide : webhook fermé")
    ] = SecretStr("")
    smtp_url: Annotated[
        SecretStr, Field(description="Serveur de courriel (smtp://… ou smtps://…) ; vide : dossier « courriels »")
    ] = SecretStr("")
    mail_from: Annotated[str, Field(description="Expéditeur des rappels")] = "ne-pas-repondre@localhost"
    journal_key: Annotated[
        SecretStr,
        Field(description="Clé privée Ed25519 des sceaux du journal (base64 ou PEM) ; vide : sceaux non signés"),
    ] = SecretStr("")
    public_data_without_journal: Annotated[
        bool, Field(description="Servir les données publiques quand le journal est indisponible")
    ] = False

    @field_validator("journal_key")
    @classmethod
    def _a_signing_key(cls, value: SecretStr) -> SecretStr:
        private_key(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _no_development_secret_outside_the_sandbox(self) -> "Settings":
        if self.environment is Environment.SANDBOX:
            return self
        weak = [name for name in ("jwt_key", "secret") if len(getattr(self, name).get_secret_value()) < 32]
        weak += [
            name for name in ("jwt_key", "secret") if getattr(self, name).get_secret_value() == _DEVELOPMENT_SECRET
        ]
        if weak:
            names = ", ".join(PREFIX + name.upper() for name in dict.fromkeys(weak))
            message = f"Hors du bac à sable, donnez une valeur secrète d'au moins 32 caractères à : {names}."
            raise ValueError(message)
        return self

    @property
    def operation_span(self) -> timedelta:
        return timedelta(seconds=self.operation_seconds)

    @property
    def probes_providers(self) -> bool:
        return self.environment is not Environment.SANDBOX if self.probes is None else self.probes

    @property
    def drains_for(self) -> float:
        """How long a process goes on serving after it was told to stop, in seconds."""
        if self.drain_seconds is not None:
            return self.drain_seconds
        return 0.0 if self.environment is Environment.SANDBOX else 5.0

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of tokens, deliveries and history, with its asynchronous driver."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'graphe.db'}"
        for plain, driver in (("sqlite:", "sqlite+aiosqlite:"), ("postgresql:", "postgresql+asyncpg:")):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url

    @property
    def journal(self) -> str:
        """Where the access journal is kept: `sqlite:///path` or `postgresql://…`."""
        if self.journal_url:
            return self.journal_url
        if self.database_url.startswith("postgresql"):
            return "postgresql:" + self.database_url.partition(":")[2]
        return f"sqlite:///{self.data_dir / 'journal.db'}"

    @property
    def journal_signing_key(self) -> bytes | None:
        """The key of the journal's seals; the settings are refused when it is not one."""
        return private_key(self.journal_key.get_secret_value())

    @property
    def documents(self) -> str:
        return self.documents_url or (self.data_dir / "documents").absolute().as_uri()

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


@lru_cache(maxsize=1)
def environment_file() -> Mapping[str, str | None]:
    """The `.env` file of the working directory, read once: providers' settings may stand there too."""
    return dotenv_values(".env")


def variable(provider: Provider, setting: Setting) -> str:
    """The name of the environment variable: `GRAPHE_INSEE_URL`."""
    return f"{PREFIX}{provider.id}_{setting.name}".upper()


def sandbox_port(settings: Settings, provider: Provider) -> int:
    """The port of a provider's simulator: they follow each other in the order of `PROVIDERS`."""
    return settings.sandbox_port + 1 + PROVIDERS.index(provider)


def provider_settings(settings: Settings, provider: Provider) -> Mapping[str, str]:
    """The value of each setting that a room declares: the operator's, else the sandbox's.

    Outside the sandbox environment nothing is invented: what the operator did not set is empty.
    """
    return dict(_provider_values(settings, provider))


def _provider_values(settings: Settings, provider: Provider) -> Iterator[tuple[str, str]]:
    for setting in provider.settings:
        name = variable(provider, setting)
        given = os.environ.get(name, environment_file().get(name))
        if given is not None:
            yield setting.name, given
        elif settings.environment is not Environment.SANDBOX:
            yield setting.name, ""
        elif setting.sandbox_path is not None:
            port = sandbox_port(settings, provider)
            yield setting.name, f"http://{settings.sandbox_host}:{port}{setting.sandbox_path}"
        else:
            yield setting.name, setting.default
