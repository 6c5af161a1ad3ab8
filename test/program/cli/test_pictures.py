"""The pictures of README.md and doc/: drawn from what was recorded, true of a run of today, and readable on light and dark pages."""

import importlib.util
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as tree
from importlib.machinery import SourceFileLoader

import pytest

from conftest import TOP

HERE = TOP / "test/pictures"


def draw():
    if "draw" not in sys.modules:
        loader = SourceFileLoader("draw", str(HERE / "draw"))
        sys.modules["draw"] = importlib.util.module_from_spec(importlib.util.spec_from_loader("draw", loader))
        loader.exec_module(sys.modules["draw"])
    return sys.modules["draw"]


PICTURES = draw().pictures()
NAMES = pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)


@NAMES
def test_picture_is_that_of_the_recording(path):
    assert path.read_text() == PICTURES[path], "test/pictures/draw draws it anew"


def story(recorded):
    """What happened, without the times: each replica's phases."""
    return sorted([phase for _, phase in mine] for mine in draw().phases(recorded).values())


def test_the_start_goes_as_in_the_recording(binary, tmp_path):
    """All but the times, and who was first: a replica that logs in after the migration has not waited for it."""
    file = tmp_path / "start.json"
    done = subprocess.run([TOP / "test/demo/run", "--record", file], env={"EMBARK_BIN": str(binary), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    today, recorded = (story(json.loads(name.read_text())) for name in (file, HERE / "start.json"))
    assert len(today) == len(recorded) == 8
    for run in (today, recorded):
        assert run.count(["wait", "migrate", "serve"]) == 1
        assert all(mine in (["wait", "migrate", "serve"], ["wait", "lock", "serve"], ["wait", "serve"]) for mine in run), run
    assert ["wait", "lock", "serve"] in recorded


def luminance(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    pale, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (pale + 0.05) / (dark + 0.05)


@NAMES
def test_picture_for_light_and_dark(path):
    """WCAG: a text has 4.5 times the contrast, what is not text 1.5 here beside its ground, since its neighbour and its place tell it, too."""
    colours = sys.modules["svg"].COLOURS
    root = tree.fromstring(path.read_text())
    style = root.find("{http://www.w3.org/2000/svg}style").text
    assert "prefers-color-scheme:dark" in style and root.get("aria-label")
    texts, shapes = set(), set()
    for element in root.iter():
        used = re.search(r"fill:var\(--(\w+)\)", element.get("style") or "")
        if element.tag.endswith("}text"):
            texts.add(used[1] if used else "ink")
        elif element.tag.endswith("}rect") and used:
            shapes.add(used[1])
    assert "ink" in texts and "back" in shapes
    for number in (0, 1):
        for name in texts:
            assert contrast(colours[name][number], colours["back"][number]) >= 4.5, (name, number)
        for name in shapes - {"back", "line"}:
            assert contrast(colours[name][number], colours["back"][number]) >= 1.5, (name, number)


def test_the_screen_is_shown_whole():
    """Each word of it, on both pictures."""
    words = [word for word in re.split(r"[ \n]+", draw().SCREEN.read_text()) if word]
    for name in ("doctor", "doctor-narrow"):
        texts = [element.text for element in tree.parse(TOP / f"doc/{name}.svg").iter() if element.tag.endswith("}text")]
        shown = "".join(texts).replace(" ", "")
        assert [word for word in words if word not in shown and word not in shown.replace(":", "")] == [], name


def test_the_chart_is_that_of_the_table():
    bench = json.loads((HERE / "bench.json").read_text())
    page = (TOP / "doc/benchmarks.md").read_text()
    assert f"{bench['rounds']} rounds" in page
    for name, entry in bench["wait"].items():
        assert re.search(rf"^\| .*{re.escape(name.split(',')[0])}.* \| {entry['median']} ms \| {entry['most']} ms \|", page, re.M), name
