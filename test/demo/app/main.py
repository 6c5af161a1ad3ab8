"""A small service of the usual kind: notes in PostgreSQL over HTTP."""

import os

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import Session

from models import Note, engine

app = FastAPI()
database = engine()


class NewNote(BaseModel):
    text: str


def shown(note):
    return {"id": note.id, "text": note.text, "replica": note.replica, "words": note.words}


@app.post("/notes", status_code=201)
def add(new: NewNote):
    with Session(database) as session:
        note = Note(text=new.text, replica=os.environ.get("REPLICA", ""), words=len(new.text.split()))
        session.add(note)
        session.commit()
        return shown(note)


@app.get("/notes")
def all_notes():
    with Session(database) as session:
        return [shown(note) for note in session.query(Note).order_by(Note.id)]
