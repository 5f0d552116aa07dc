"""The tables of habilitations and of their tokens.

A habilitation belongs to one public body, for one administrative procedure; its tokens share its scopes.
The database wins over what a token claims: scopes, expiry, addresses and quota are read here. A token itself is
never stored: only its hash, to recognise it. Source: the "API Entreprise" habilitation rules.
"""

from datetime import datetime

from sqlalchemy import JSON, DateTime, ForeignKey, Index, Integer, MetaData, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from auth.instants import utc

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An instant, always UTC and always aware: SQLite forgets the zone, PostgreSQL doesn't."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else utc(value)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class Habilitation(Base):
    """One public body, one procedure. `scopes` as delivered, also those that we don't know."""

    __tablename__ = "habilitations"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    siret: Mapped[str] = mapped_column(String(14))
    intitule: Mapped[str] = mapped_column(Text)
    procedure: Mapped[str] = mapped_column(Text, default="")
    fondement: Mapped[str] = mapped_column(Text, default="")
    """Legal basis of the access."""
    usage: Mapped[str] = mapped_column(String(20))
    etat: Mapped[str] = mapped_column(String(20), default="active")
    scopes: Mapped[list[str]] = mapped_column(JSON)
    adresses: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Allowed addresses or CIDR blocks; empty: no restriction."""
    quota_par_minute: Mapped[int | None] = mapped_column(Integer)
    datapass_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    datapass_dernier: Mapped[int | None] = mapped_column(Integer)
    """`fired_at` of the last event applied: an older one must change nothing."""
    creee_le: Mapped[datetime] = mapped_column(Instant)

    jetons: Mapped[list["Jeton"]] = relationship(back_populates="habilitation")
    contacts: Mapped[list["Contact"]] = relationship(back_populates="habilitation", cascade="all, delete-orphan")


class Jeton(Base):
    """One token. `id` is its `jti`."""

    __tablename__ = "jetons"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    habilitation_id: Mapped[str] = mapped_column(ForeignKey("habilitations.id"), index=True)
    empreinte: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the token when we issued it ourselves."""
    emis_le: Mapped[datetime] = mapped_column(Instant)
    expire_le: Mapped[datetime] = mapped_column(Instant, index=True)
    revoque_le: Mapped[datetime | None] = mapped_column(Instant)
    """From this instant on the token is refused; it may lie in the future."""

    habilitation: Mapped[Habilitation] = relationship(back_populates="jetons")
    prolongations: Mapped[list["Prolongation"]] = relationship(back_populates="jeton")


class Contact(Base):
    """A person to write to about a habilitation: applicant, technical or business contact."""

    __tablename__ = "contacts"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    habilitation_id: Mapped[str] = mapped_column(ForeignKey("habilitations.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    nom: Mapped[str] = mapped_column(Text, default="")
    courriel: Mapped[str] = mapped_column(Text)
    retire_le: Mapped[datetime | None] = mapped_column(Instant)
    """From this instant on it is written to no more; kept because reminders name it."""

    habilitation: Mapped[Habilitation] = relationship(back_populates="contacts")


class Prolongation(Base):
    """One prolongation of a token: the same token lives on."""

    __tablename__ = "prolongations"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    jeton_id: Mapped[str] = mapped_column(ForeignKey("jetons.id"), index=True)
    le: Mapped[datetime] = mapped_column(Instant)
    ancienne: Mapped[datetime] = mapped_column(Instant)
    nouvelle: Mapped[datetime] = mapped_column(Instant)

    jeton: Mapped[Jeton] = relationship(back_populates="prolongations")


class Rappel(Base):
    """One reminder sent: at most one for each (token, expiry, threshold, contact)."""

    __tablename__ = "rappels"
    __table_args__ = (UniqueConstraint("jeton_id", "expire_le", "jours", "contact_id", name="uq_rappels"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    jeton_id: Mapped[str] = mapped_column(ForeignKey("jetons.id"), index=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contacts.id"))
    expire_le: Mapped[datetime] = mapped_column(Instant)
    """The expiry it warned of: a prolongation starts a new series."""
    jours: Mapped[int] = mapped_column(Integer)
    envoye_le: Mapped[datetime] = mapped_column(Instant)


class Version(Base):
    """One row that every change of rights increments: workers watch it and forget what they cached."""

    __tablename__ = "version_des_droits"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    numero: Mapped[int] = mapped_column(Integer)


class Evenement(Base):
    """A delivery of the habilitation service's webhook, kept to be idempotent and replayable."""

    __tablename__ = "evenements_datapass"
    __table_args__ = (Index("ix_evenements_modele", "modele_id", "emis"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the body: the same delivery twice is one event."""
    modele_id: Mapped[str] = mapped_column(String(40))
    evenement: Mapped[str] = mapped_column(String(40))
    emis: Mapped[int] = mapped_column(Integer)
    """`fired_at`, epoch seconds."""
    recu_le: Mapped[datetime] = mapped_column(Instant)
    effet: Mapped[str] = mapped_column(String(40))
    """What it changed here, in one word."""
