"""doc/before-after.md: what a user saw of each failure, and what embark says. Its sections are what the tests have seen.

EMBARK_GOLDEN=write writes a section, otherwise it is compared. What differs from run to run is replaced by … in both.
"""

import os
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "doc" / "before-after.md"
VOLATILE = [
    (r"\b\d+\.\d+\.\d+\.\d+\b(?=[,):])", "…"),                 # a container's address
    (r"\(\d+(\.\d+)? (ms|s)( of \d+ \w+)?\)", "(…)"),
    (r"(?<=Python 3\.)\d+(\.\d+)?", "…"),
    (r"(?<=page-)[0-9a-f]{16}(?=\.js)", "…"),
    (r"(?<=applied on )[0-9a-f]{12}, [0-9-]+ [0-9:]+ UTC", "…, …"),
    # what a minifier made of the code around
    (r'(?<=\.js: )….*?(\.env\.NEXT_PUBLIC_API_URL\|\|"[^"]*"|"https?://[^"]*").*?…(?= \(embark)', r"…\1…"),
]


def blocks(lines):
    """A line that begins with * is not what was seen but says how it was, and stands between the blocks."""
    text, inside = "", False
    for line in lines:
        quoted = not line.startswith("*")
        if quoted != inside:
            text += "```text\n" if quoted else "```\n\n"
        text += f"{line}\n" if quoted else line.strip("*") + "\n\n"
        inside = quoted
    text = text.rstrip("\n") + ("\n```\n" if inside else "\n")
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text


def check(what, before, after):
    """A section: what was wrong, and two lists of lines."""
    section = f"## {what}\n\nBefore embark:\n\n{blocks(before)}\nWith embark:\n\n{blocks(after)}"
    page = PAGE.read_text()
    found = re.findall(rf"^## {re.escape(what)}\n(?:(?!## ).*\n)*", page, re.M)
    assert len(found) == 1, f"{PAGE.name} has {len(found)} sections for: {what}"
    if os.environ.get("EMBARK_GOLDEN") == "write":
        PAGE.write_text(page.replace(found[0], section + ("\n" if found[0].endswith("\n\n") else "")))
    else:
        assert found[0].rstrip("\n") == section.rstrip("\n"), f"{PAGE.name} is not what was seen (EMBARK_GOLDEN=write writes it)"
