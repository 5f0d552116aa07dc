"""Availability of each provider, day by day."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('disponibilite_fournisseurs',
    sa.Column('fournisseur', sa.String(length=40), nullable=False),
    sa.Column('jour', sa.Date(), nullable=False),
    sa.Column('reponses', sa.Integer(), nullable=False),
    sa.Column('echecs', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('fournisseur', 'jour', name=op.f('pk_disponibilite_fournisseurs'))
    )


def downgrade() -> None:
    op.drop_table('disponibilite_fournisseurs')
