"""an index, made while others write

It waits for every transaction that is older than it: one that a waiting replica kept open would hold it up for ever.
"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("notes_replica", "notes", ["replica"], postgresql_concurrently=True)


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index("notes_replica", postgresql_concurrently=True)
