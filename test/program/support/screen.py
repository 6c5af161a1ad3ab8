"""The screen of `embark doctor`: into rows and back, and golden files of it.

    EMBARK_GOLDEN=write /usr/bin/python3 -m pytest test/program/doctor/test_doctor.py

writes the files in test/program/doctor/golden anew, from real runs. What is particular to a run or a machine (ports, folders, names, times,
versions) is replaced in the rows, which are then wrapped again.
"""

import os
import re
import socket
import textwrap
from pathlib import Path

WIDTH = 80
GOLDEN = Path(__file__).parents[1] / "doctor/golden"
MARKS = " ✓!✗"


class Row:
    """`text` is the whole text, not wrapped."""

    def __init__(self, section, key, mark, text, left):
        self.section, self.key, self.mark, self.text, self.left = section, key, mark, text, left
        self.hint = None

    def __repr__(self):
        return f"[{self.section}] {self.key} {self.mark} {self.text}" + (f" -> {self.hint}" if self.hint else "")


class Screen:
    """Of a screen without colours: title, rows, and the verdict with its mark."""

    def __init__(self, text):
        lines = text.splitlines()
        self.title, self.rows = lines[0], []
        section, left, at = None, None, 1
        while at < len(lines) and lines[at][0] not in MARKS.strip():
            line = lines[at]
            at += 1
            if not line.startswith(" "):
                section, left = line, None
                continue
            if left is None:    # the first row of a section tells where its texts begin
                left = self._left(section, lines[at - 1:])
            self._take(section, left, line)
        self.mark = lines[at][0]
        # below the verdict: the row that it is for, and its hint
        self.verdict, *self.cause = [text.replace("\n", " ") for text in
                                     re.split(r"\n(?=[a-z]+, \S+(?: \w+)*: |hint: )", "\n".join(line[2:] for line in lines[at:]))]

    @staticmethod
    def _left(section, lines):
        """Where texts begin: two behind the mark."""
        for line in lines:
            if not line.startswith(" "):
                break
            match = re.match(r"  (?:\S.*?)?  +([✓!✗]) ", line)
            if match:
                return match.end()
        match = re.match(r"  \S+(?: \S+)* {4,}(?=\S)", lines[0])
        assert match, f"no columns in [{section}]: {lines[0]!r}"
        return match.end()

    def _take(self, section, left, line):
        key, mark, text = line[2:left - 3].strip(), line[left - 2:left - 1], line[left:]
        if len(line) > left and line[left - 1] != " " or len(line) <= left and line[left - 3:].strip():
            key, mark, text = line.strip(), None, ""    # a key that is wider than its column
        if mark is None or key or mark in "✓!✗":
            if self.rows and self.rows[-1].mark is None:
                key = self.rows.pop().key
            self.rows.append(Row(section, key, mark, text, left))
        elif text.startswith("hint: ") and not self.rows[-1].hint:
            self.rows[-1].hint = text[len("hint: "):]
        elif self.rows[-1].hint:
            self.rows[-1].hint += " " + text
        else:
            self.rows[-1].text += " " + text

    def render(self):
        """As embark does it."""
        lines, section = [self.title], None
        for row in self.rows:
            if row.section != section:
                lines.append(row.section)
                section = row.section
            head = ("  " + row.key).ljust(row.left - 2)
            if len("  " + row.key) > row.left - 4:
                lines.append("  " + row.key)
                head = " " * (row.left - 2)
            lines += self._wrap(head + row.mark + " ", row.left, row.text)
            if row.hint:
                lines += self._wrap(" " * row.left, row.left, "hint: " + row.hint)
        lines += self._wrap(self.mark + " ", 2, self.verdict)
        for text in self.cause:
            lines += self._wrap("  ", 2, text)
        return "".join(line.rstrip() + "\n" for line in lines)

    @staticmethod
    def _wrap(head, left, text):
        return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * left, break_long_words=False,
                             break_on_hyphens=False, drop_whitespace=True) or [head]

    def drop(self, section, text):
        """Takes the section's rows with that text out; the others move to where they would stand without them."""
        self.rows = [row for row in self.rows if row.section != section or not re.search(text, row.text)]
        rows = self.find(section)
        for row in rows:
            row.left = min(max([10, *(len(one.key) for one in rows)]), 26) + 6

    def find(self, section, key=None, mark=None):
        return [row for row in self.rows if row.section == section and key in (None, row.key) and mark in (None, row.mark)]

    def replace(self, pairs):
        for pattern, replacement in pairs:
            self.title = re.sub(pattern, replacement, self.title)
            for row in self.rows:
                row.text = re.sub(pattern, replacement, row.text)
                row.hint = row.hint and re.sub(pattern, replacement, row.hint)
            self.cause = [re.sub(pattern, replacement, text) for text in self.cause]


# What differs from run to run, and from machine to machine.
VOLATILE = [
    (r"(?<=^embark )\d+\.\d+\.\d+", "X.Y.Z"),
    (r"/tmp/embark-test\.\w{8}/t\w{8}/app\b", "/app"),
    (r"/tmp/embark-test\.\w{8}/t\w{8}\b", "/srv"),
    (r"/(?:tmp|dev/shm)/embark-test\.\w{8}/", "/test/"),
    (rf"\b{re.escape(socket.gethostname())}\b", "web-1"),
    (r"^.*, (?:glibc|musl|glibc and musl|no C library), \w+$", "Debian GNU/Linux 12 (bookworm), glibc, x86_64"),
    (r"^\d+:\d+(?: \(\w+\))? in ", "1000:1000 (app) in "),
    (r"\(Python 3\.\d+\.\d+\)", "(Python 3.11.2)"),
    (r"PostgreSQL \d+\.\d+(?: \([^)]*\))?", "PostgreSQL 15.9 (Debian 15.9-0+deb12u1)"),
    (r"\bpid \d+", "pid 77"),
    (r"pg_terminate_backend\(\d+\)", "pg_terminate_backend(77)"),
    (r"^\d+ of \d+ in use", "3 of 100 in use"),
    (r"^\d+ keys have", "40 keys have"),
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:\+\d\d|Z)?", "2026-11-24 12:00:00"),
    (r"\b[0-9a-f]{16}\b", "0123456789abcdef"),
    (r"(?:(?<=\()|(?<=for )|(?<=within )|(?<=done ))(?:\d+ min )?\d+(?:\.\d+)? (?:ms|s|min)\b", "0.1 s"),
]


def compare(name, text, more=()):
    """The screen must be that of the golden file, and laid out as it should be."""
    assert Screen(text).render() == text
    screen = Screen(text)
    screen.drop("configuration", re.escape("($EMBARK_DATABASE_CONNECT_TIMEOUT)"))    # the tests' patience
    screen.replace([*more, *VOLATILE])
    got = screen.render()
    path = GOLDEN / f"doctor-{name}.txt"
    if os.environ.get("EMBARK_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(got)
    assert path.exists(), f"{path} is missing: EMBARK_GOLDEN=write makes it"
    assert got == path.read_text(), f"another screen than {path}; if it is meant to be, EMBARK_GOLDEN=write\n{text}"
    return screen
