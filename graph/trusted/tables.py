"""The tables of registered documents and of the tokens that are locked on them."""

from sqlalchemy import Column, DateTime, MetaData, String, Table, Text

METADATA = MetaData()

DOCUMENTS = Table(
    "documents_enregistres",
    METADATA,
    Column("habilitation_id", String(36), primary_key=True),
    Column("identifiant", String(200), primary_key=True),
    Column("empreinte", String(64), nullable=False),
    Column("texte", Text, nullable=False),
    Column("enregistre_le", DateTime(timezone=True), nullable=False),
)
"""A document belongs to one habilitation: another's tokens neither run it nor learn that it exists."""

LOCKED = Table(
    "jetons_verrouilles",
    METADATA,
    Column("jeton_id", String(36), primary_key=True),
    Column("verrouille_le", DateTime(timezone=True), nullable=False),
)
