"""Trees of files that stand for an image, and `embark check` on them."""

import textwrap

import pytest


def write(path, text="", mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def check(embark):
    """check("dir = public", …): `embark check` with that [require]; what it said, without the hints' lines."""

    def run(require, code, *patterns, words=(), **how):
        config = "[require]\n" + textwrap.dedent(require)
        return embark.run("check", *words, config=config, **how).expect(code, *patterns)

    return run


def lines(process):
    return [line for line in process.said if ": require: " in line and line.startswith("embark: ")]


def package(folder, name, **files):
    """A package with __init__.py, and submodules by keyword."""
    write(folder / name.replace(".", "/") / "__init__.py", files.pop("init", ""))
    for key, text in files.items():
        write(folder / name.replace(".", "/") / f"{key}.py", text)
