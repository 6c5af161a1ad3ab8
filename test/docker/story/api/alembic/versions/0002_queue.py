"""the worker's queue: the tables that kombu would make by itself, in every replica at once"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("ALTER TABLE items ADD letters integer")
    op.execute("CREATE SEQUENCE queue_id_sequence")
    op.execute("CREATE SEQUENCE message_id_sequence")
    op.execute("CREATE TABLE kombu_queue (id integer PRIMARY KEY, name varchar(200) UNIQUE)")
    op.execute("""
        CREATE TABLE kombu_message (
            id integer PRIMARY KEY,
            visible boolean,
            timestamp timestamp,
            payload text NOT NULL,
            version smallint NOT NULL,
            queue_id integer REFERENCES kombu_queue)""")
    op.execute("INSERT INTO kombu_queue VALUES (nextval('queue_id_sequence'), 'celery')")
