"""the next release: what the test adds to alembic/versions"""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
    op.execute("ALTER TABLE items ADD price numeric NOT NULL DEFAULT 1")
