"""The two logins: admin owns the tables and writes, ui reads. Their passwords are the deployment's secrets."""

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa


def url(role):
    password = Path(f"/run/secrets/{role}_password").read_text().strip()
    return f"postgresql+psycopg2://shop_{role}:{password}@db/shop"


@lru_cache
def engine(role):
    return sa.create_engine(url(role), pool_size=1, max_overflow=2)
