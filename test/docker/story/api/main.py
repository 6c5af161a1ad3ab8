"""The API: items, read as the UI's role and written as the admin's. Each new one is a task for the worker."""

import socket

import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import BaseModel

from database import engine
from tasks import count_letters

app = FastAPI()


class NewItem(BaseModel):
    name: str


@app.get("/health")
def health():
    return {"replica": socket.gethostname()}


@app.get("/items")
def items():
    with engine("ui").connect() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.text("SELECT * FROM items ORDER BY id"))]


@app.post("/items", status_code=201)
def add(new: NewItem):
    with engine("admin").begin() as connection:
        item = connection.execute(sa.text("INSERT INTO items (name) VALUES (:name) RETURNING id"), {"name": new.name}).scalar_one()
    count_letters.delay(item)
    return {"id": item}
