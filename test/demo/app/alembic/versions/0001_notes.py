"""notes, and the first of them"""

from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None


def upgrade():
    notes = op.create_table(
        "notes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("replica", sa.Text, nullable=False, server_default=""),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    # In a database that is migrated twice, there are two of it.
    op.bulk_insert(notes, [{"text": "the first note comes with the migration"}])


def downgrade():
    op.drop_table("notes")
