"""Registered documents, and the tokens locked on them."""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('documents_enregistres',
    sa.Column('habilitation_id', sa.String(length=36), nullable=False),
    sa.Column('identifiant', sa.String(length=200), nullable=False),
    sa.Column('empreinte', sa.String(length=64), nullable=False),
    sa.Column('texte', sa.Text(), nullable=False),
    sa.Column('enregistre_le', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('habilitation_id', 'identifiant', name=op.f('pk_documents_enregistres'))
    )
    op.create_table('jetons_verrouilles',
    sa.Column('jeton_id', sa.String(length=36), nullable=False),
    sa.Column('verrouille_le', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('jeton_id', name=op.f('pk_jetons_verrouilles'))
    )


def downgrade() -> None:
    op.drop_table('jetons_verrouilles')
    op.drop_table('documents_enregistres')
