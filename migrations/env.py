"""Alembic's entry: the connection is always given by `migrations.upgrade`."""

from alembic import context

from auth.models import Base
from providers.agefiph.table import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=[Base.metadata, METADATA])
with context.begin_transaction():
    context.run_migrations()
