"""words of a note: a column, and what older notes have in it"""

from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("notes", sa.Column("words", sa.Integer, nullable=False, server_default="0"))
    op.execute("UPDATE notes SET words = array_length(regexp_split_to_array(trim(text), '\\s+'), 1)")
    op.execute("SELECT pg_sleep(2)")  # as long as if there were many


def downgrade():
    op.drop_column("notes", "words")
