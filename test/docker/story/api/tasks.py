"""The worker: `celery -A tasks worker`. Its queue is in the same database, so that there is no other server."""

import sqlalchemy as sa
from celery import Celery

from database import engine

app = Celery("tasks")
# read when a connection is made: an image that is only looked at has no secrets
app.config_from_object("queue_settings")


@app.task
def count_letters(item):
    with engine("admin").begin() as connection:
        connection.execute(sa.text("UPDATE items SET letters = length(name) WHERE id = :id"), {"id": item})
