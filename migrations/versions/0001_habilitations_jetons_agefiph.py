"""Habilitations, tokens and the AGEFIPH delivery."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('evenements_datapass',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('modele_id', sa.String(length=40), nullable=False),
    sa.Column('evenement', sa.String(length=40), nullable=False),
    sa.Column('emis', sa.Integer(), nullable=False),
    sa.Column('recu_le', sa.DateTime(timezone=True), nullable=False),
    sa.Column('effet', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evenements_datapass'))
    )
    op.create_index('ix_evenements_modele', 'evenements_datapass', ['modele_id', 'emis'], unique=False)
    op.create_table('habilitations',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('siret', sa.String(length=14), nullable=False),
    sa.Column('intitule', sa.Text(), nullable=False),
    sa.Column('procedure', sa.Text(), nullable=False),
    sa.Column('fondement', sa.Text(), nullable=False),
    sa.Column('usage', sa.String(length=20), nullable=False),
    sa.Column('etat', sa.String(length=20), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('adresses', sa.JSON(), nullable=False),
    sa.Column('quota_par_minute', sa.Integer(), nullable=True),
    sa.Column('datapass_id', sa.String(length=40), nullable=True),
    sa.Column('datapass_dernier', sa.Integer(), nullable=True),
    sa.Column('creee_le', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_habilitations')),
    sa.UniqueConstraint('datapass_id', name=op.f('uq_habilitations_datapass_id'))
    )
    op.create_table('version_des_droits',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('numero', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_version_des_droits'))
    )
    op.create_table('contacts',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('habilitation_id', sa.String(length=36), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('nom', sa.Text(), nullable=False),
    sa.Column('courriel', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['habilitation_id'], ['habilitations.id'], name=op.f('fk_contacts_habilitation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contacts'))
    )
    op.create_index(op.f('ix_contacts_habilitation_id'), 'contacts', ['habilitation_id'], unique=False)
    op.create_table('jetons',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('habilitation_id', sa.String(length=36), nullable=False),
    sa.Column('empreinte', sa.String(length=64), nullable=True),
    sa.Column('emis_le', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expire_le', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoque_le', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['habilitation_id'], ['habilitations.id'], name=op.f('fk_jetons_habilitation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jetons'))
    )
    op.create_index(op.f('ix_jetons_expire_le'), 'jetons', ['expire_le'], unique=False)
    op.create_index(op.f('ix_jetons_habilitation_id'), 'jetons', ['habilitation_id'], unique=False)
    op.create_table('prolongations',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('jeton_id', sa.String(length=36), nullable=False),
    sa.Column('le', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ancienne', sa.DateTime(timezone=True), nullable=False),
    sa.Column('nouvelle', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['jeton_id'], ['jetons.id'], name=op.f('fk_prolongations_jeton_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prolongations'))
    )
    op.create_index(op.f('ix_prolongations_jeton_id'), 'prolongations', ['jeton_id'], unique=False)
    op.create_table('rappels',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('jeton_id', sa.String(length=36), nullable=False),
    sa.Column('contact_id', sa.String(length=36), nullable=False),
    sa.Column('expire_le', sa.DateTime(timezone=True), nullable=False),
    sa.Column('jours', sa.Integer(), nullable=False),
    sa.Column('envoye_le', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_rappels_contact_id')),
    sa.ForeignKeyConstraint(['jeton_id'], ['jetons.id'], name=op.f('fk_rappels_jeton_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rappels')),
    sa.UniqueConstraint('jeton_id', 'expire_le', 'jours', 'contact_id', name='uq_rappels')
    )
    op.create_index(op.f('ix_rappels_jeton_id'), 'rappels', ['jeton_id'], unique=False)
    op.create_table('agefiph_conformites',
    sa.Column('siret', sa.String(length=14), nullable=False),
    sa.Column('derniere_annee', sa.String(length=4), nullable=True),
    sa.Column('remise_le', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('siret')
    )
    op.create_table('agefiph_livraisons',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('remise_le', sa.Date(), nullable=False),
    sa.Column('fichier', sa.String(length=200), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('lignes', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.execute("INSERT INTO version_des_droits (id, numero) VALUES (1, 1)")


def downgrade() -> None:
    op.drop_table('agefiph_livraisons')
    op.drop_table('agefiph_conformites')
    op.drop_index(op.f('ix_rappels_jeton_id'), table_name='rappels')
    op.drop_table('rappels')
    op.drop_index(op.f('ix_prolongations_jeton_id'), table_name='prolongations')
    op.drop_table('prolongations')
    op.drop_index(op.f('ix_jetons_habilitation_id'), table_name='jetons')
    op.drop_index(op.f('ix_jetons_expire_le'), table_name='jetons')
    op.drop_table('jetons')
    op.drop_index(op.f('ix_contacts_habilitation_id'), table_name='contacts')
    op.drop_table('contacts')
    op.drop_table('version_des_droits')
    op.drop_table('habilitations')
    op.drop_index('ix_evenements_modele', table_name='evenements_datapass')
    op.drop_table('evenements_datapass')
