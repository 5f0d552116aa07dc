"""The tables of the yearly hand-over: the deliveries, and the lines of the one in service."""

from sqlalchemy import Column, Date, Integer, MetaData, String, Table

METADATA = MetaData()

LIVRAISONS = Table(
    "agefiph_livraisons",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("remise_le", Date, nullable=False),
    Column("fichier", String(200), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("lignes", Integer, nullable=False),
)
"""One row a load; the last one is in service."""

CONFORMITES = Table(
    "agefiph_conformites",
    METADATA,
    Column("siret", String(14), primary_key=True),
    Column("derniere_annee", String(4)),
    Column("remise_le", Date, nullable=False),
)
"""Replaced whole by each load, never merged. `derniere_annee` is null for an employer without a known year."""
