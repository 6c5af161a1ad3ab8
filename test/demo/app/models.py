"""The tables, as the service sees them. alembic/versions is how a database gets them."""

import os

import sqlalchemy as sa
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Note(Base):
    __tablename__ = "notes"

    id = sa.Column(sa.Integer, primary_key=True)
    text = sa.Column(sa.Text, nullable=False)
    replica = sa.Column(sa.Text, nullable=False, server_default="")
    created = sa.Column(sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    words = sa.Column(sa.Integer, nullable=False, server_default="0")

    __table_args__ = (sa.Index("notes_replica", "replica"),)


def engine():
    return sa.create_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=1)
