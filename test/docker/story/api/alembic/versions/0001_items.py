"""items, and the first of them"""

from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL)")
    # In a database that is migrated twice, there are two of it.
    op.execute("INSERT INTO items (name) VALUES ('the first item')")
