"""What an image of a history holds: migrations, how they are told to the tool, how embark is configured."""

import copy
import dataclasses


@dataclasses.dataclass
class Migration:
    uid: str
    number: int
    word: str = "step"
    remark: int = 0             # an edit of the file that changes nothing else
    kind: str = "plain"         # plain, fails (until a flag is there), half (the same, not in a transaction)
    place: int = 0              # which of the layout's folders
    pause: float = 0.0

    def up(self):
        """Statements, each on a line of its own. All may be run again."""
        lines = ["SELECT test.begin();"]
        if self.kind == "half":
            lines += ["BEGIN;", f"CREATE TABLE IF NOT EXISTS half_{self.uid} (n int);", "COMMIT;"]
        if self.pause:
            lines.append(f"SELECT pg_sleep({self.pause});")
        if self.kind != "plain":
            lines.append(f"SELECT test.need('{self.uid}');")
        if self.kind == "half":
            lines.append("BEGIN;")
        lines += [f"CREATE TABLE IF NOT EXISTS t_{self.uid} (n int);", f"SELECT test.done('{self.uid}');"]
        if self.kind == "half":
            lines.append("COMMIT;")
        return lines

    def down(self):
        return [f"DROP TABLE IF EXISTS half_{self.uid};", f"DROP TABLE IF EXISTS t_{self.uid};", f"SELECT test.undo('{self.uid}');"]

    def comment(self, mark):
        return f"{mark} {self.uid}, edited {self.remark} times"


@dataclasses.dataclass
class Image:
    layout: str
    migrations: list
    target: int | None = None       # a command that applies so many only
    seeds: bool = False             # the command does something after the migrations, which the tool's table doesn't tell
    build: bool = False             # [image] build is set, and is another one for each tree
    newer: str = "fail"             # [migrate] on_newer_database
    lock: str = ""
    files: bool = False             # [migrate] files names the files, though the tool is a known one

    def copy(self):
        return copy.deepcopy(self)

    def sorted(self):
        return sorted(self.migrations, key=lambda one: one.number)

    def wanted(self):
        """What the command applies."""
        ordered = self.sorted()
        return ordered if self.target is None else ordered[:self.target]

    def describe(self):
        names = " ".join(one.uid + {"plain": "", "fails": "!", "half": "%"}[one.kind] + f"@{one.place}"
                         + (f"~{one.remark}" if one.remark else "") + ("" if one.word == "step" else f"({one.word})")
                         for one in self.sorted())
        more = [f"to {self.target}" if self.target is not None else "", "seeds" if self.seeds else "", "build" if self.build else "",
                "continue" if self.newer == "continue" else "", f"lock {self.lock}" if self.lock else "", "files" if self.files else ""]
        return f"{self.layout} [{names}] {' '.join(filter(None, more))}".rstrip()
