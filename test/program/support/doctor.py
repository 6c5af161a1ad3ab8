"""What `embark doctor --json` says of the database."""

import json

MIGRATE = "[migrate]\ncommand = true\n"
# A crowded machine: what is there has to be found in time, also by the sanitizer build.
PATIENT = "[database]\nconnect_timeout = 30s\n"


class Seen:
    def __init__(self, process):
        self.process = process
        self.document = json.loads(process.stdout)
        self.rows = [row for row in self.document["looks"] if row["section"] == "database"]
        for row in self.rows:
            assert row["mark"] != "bad" or (row["hint"] and row["code"]), row

    def of(self, key):
        return [row for row in self.rows if row["key"] == key]

    def one(self, key, mark=None, text=""):
        found = [row for row in self.of(key) if text in row["text"] and mark in (None, row["mark"])]
        assert len(found) == 1, f"{key}, {mark}, {text!r}\n{json.dumps(self.rows, indent=1)}"
        return found[0]

    def migrations(self, key, text=""):
        row, = [row for row in self.document["looks"] if row["section"] == "migrations" and row["key"] == key]
        assert text in row["text"], row
        return row

    def marks(self, mark):
        return [row for row in self.rows if row["mark"] == mark]

    def nothing_wrong(self):
        assert self.marks("warning") + self.marks("bad") == [], json.dumps(self.rows, indent=1)
        return self


def looker(embark):
    """look(URL, configuration, code=0): starts it, and compares the exit code."""
    def look(url, config="", code=0, env=None, **how):
        process = embark.run("doctor", "--json", "--", "true", env={"DATABASE_URL": url, **(env or {})}, config=config, timeout=60, **how)
        assert process.popen.returncode == code, process.describe()
        return Seen(process)

    return look


def migrations(app, code=None, words=(), **how):
    """The rows of the section "migrations", and the exit code. Nothing is changed."""
    process = app.embark.run("doctor", "--json", *words, **app.arguments(**how))
    process.wait(40)
    assert process.stdout.startswith("{"), process.describe()
    document = json.loads(process.stdout)
    assert document["code"] == process.popen.returncode
    if code is not None:
        assert document["code"] == code, process.describe()
    return Rows([row for row in document["looks"] if row["section"] == "migrations"])


class Rows:
    def __init__(self, rows):
        self.rows = rows

    def of(self, key, mark=None):
        return [row for row in self.rows if row["key"] == key and mark in (None, row["mark"])]

    def one(self, key, mark=None):
        row, = self.of(key, mark)
        return row

    def text(self, key, mark=None):
        return self.one(key, mark)["text"]

    def pending(self):
        return self.one("pending")["names"]
