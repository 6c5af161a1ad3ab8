"""doc/before-after.md: what a user saw of each failure, and what embark says. Its table is what the tests have seen.

EMBARK_GOLDEN=write writes a row, otherwise it is compared. What differs from run to run is replaced by … in both.
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


def cell(lines):
    text = "<br>".join(f"`{line}`" if not line.startswith("*") else line.strip("*") for line in lines)
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text.replace("|", "\\|")


def check(what, before, after):
    """A row: what was wrong, and two lists of lines. A line that begins with * is not what was seen but says how it was."""
    row = f"| {what} | {cell(before)} | {cell(after)} |"
    lines = PAGE.read_text().splitlines()
    place = [number for number, line in enumerate(lines) if line.startswith(f"| {what} |")]
    assert len(place) == 1, f"{PAGE.name} has {len(place)} rows for: {what}"
    if os.environ.get("EMBARK_GOLDEN") == "write":
        lines[place[0]] = row
        PAGE.write_text("\n".join(lines) + "\n")
    else:
        assert lines[place[0]] == row, f"{PAGE.name} is not what was seen (EMBARK_GOLDEN=write writes it)"
