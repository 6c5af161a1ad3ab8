"""What `embark check --write` proposes: from a project's files alone, and it passes as it is where the project is whole."""

import pytest

from support import npm
from support.image import write
from support.process import PATH

ENV = {"PATH": PATH}


@pytest.fixture
def proposed(embark, folder):
    """proposed(line…, words=command): they are in the file, not those with a "-" in front; and with `passes`, it is checked."""

    def run(*lines, words=(), passes=True):
        ini = embark.run("check", "--write", *(["--", *words] if words else []), env=ENV).expect(0).stdout
        for line in lines:
            assert (f"\n{line}\n" in ini) != line.startswith("-") and f"\n{line.lstrip('-')}\n" in ini or \
                line.startswith("-") and f"\n{line[1:]}" not in ini, f"{line}:\n{ini}"
        if passes:
            embark.run("check", config=ini, env=ENV).expect(0, "all is there")
        return ini

    return run


def app(folder, *packages, dev=(), files=()):
    text = ", ".join(f'"{name}": "*"' for name in packages), ", ".join(f'"{name}": "*"' for name in dev)
    write(folder / "package.json", '{"dependencies": {%s}, "devDependencies": {%s}}' % text)
    for name in packages:
        npm.package(folder, name, files={"index.js": ""})
    for name in files:
        write(folder / name, "x")


@pytest.mark.parametrize("packages, dev, files, bundle", [
    (["next"], [], [".next/static/a.js"], ".next/static"),
    ([], ["vite", "@vitejs/plugin-vue"], ["dist/index.html"], "dist"),
    (["nuxt"], ["vite"], [".output/public/index.html"], ".output/public"),
    (["@sveltejs/kit"], ["vite"], ["build/client/a.js"], "build/client"),
    (["@sveltejs/kit"], ["vite"], ["build/index.html"], "build"),
    (["astro"], ["vite"], ["dist/index.html"], "dist"),
    (["react-scripts"], [], ["build/static/js/a.js"], "build"),
    (["@angular/core"], ["@angular/cli"], ["dist/shop/browser/index.html"], "dist/shop/browser"),
])
def test_the_bundle_of_a_framework(proposed, folder, packages, dev, files, bundle):
    app(folder, *packages, dev=dev, files=files)
    assert "[bundle]" in proposed(f"dir = {bundle}", "manifest = package.json")


def test_no_bundle_where_none_is_built(proposed, folder):
    app(folder, "next", "express")
    assert "[bundle]" not in proposed("manifest = package.json", "-dir = public")


def test_next_with_public_and_variables(proposed, folder):
    app(folder, "next", files=[".next/static/a.js", "public/robots.txt"])
    write(folder / ".env.production", "NEXT_PUBLIC_API_URL=https://api.example.com\nSECRET=1\n# NEXT_PUBLIC_NO=1\n")
    write(folder / ".env.example", "NEXT_PUBLIC_API_URL=\nNEXT_PUBLIC_SITE=\n")
    proposed("dir = public", "inlined = NEXT_PUBLIC_API_URL", "inlined = NEXT_PUBLIC_SITE", "-inlined = SECRET")


def test_packages_that_are_compiled(proposed, folder):
    app(folder, "sharp", "express")
    write(folder / "requirements.txt", "PyYAML\npsycopg2-binary>=2.9 ; python_version < '3'\nPillow\n")
    proposed("import = node: sharp", "import = python: PIL.Image", "-import = python: psycopg2", "-import = node: express", passes=False)


def test_what_pyproject_needs_is_imported(proposed, folder):
    """Whichever lock file stands beside it: it pins what is for other platforms and for development, too."""
    write(folder / "pyproject.toml", "[project]\ndependencies = [\n  'psycopg2-binary>=2',\n  'lxml; sys_platform == \"win32\"',\n]\n[dependency-groups]\ndev = ['numpy']\n")
    for name in ("uv.lock", "poetry.lock"):
        write(folder / name)
    proposed("manifest = pyproject.toml", "import = python: psycopg2", "-import = python: lxml.etree", "-import = python: numpy", passes=False)


def test_what_composer_json_needs(proposed, folder):
    write(folder / "composer.json", '{"require": {"php": "^8", "ext-pdo": "*", "monolog/monolog": "^3", "A b/c": "1"}, "require-dev": {"phpunit/phpunit": "1"}}')
    proposed("module = php: monolog/monolog", passes=False)
    write(folder / "composer.json", "[")
    assert "[require]" not in proposed(passes=False)


@pytest.mark.parametrize("text, there", [("[project]\nname = 'x'\nversion = '1'\ndependencies = ['alembic']\n", True),
                                         ("[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\nalembic = '*'\n", True),
                                         ("[tool.black]\nline-length = 100\n", False)])
def test_pyproject(proposed, folder, text, there):
    write(folder / "pyproject.toml", text)
    write(folder / "package.json", "{}")
    proposed(("" if there else "-") + "manifest = pyproject.toml")
    write(folder / "requirements.txt", "alembic\n")     # it is what is installed
    proposed("manifest = requirements.txt", "-manifest = pyproject.toml")


@pytest.mark.parametrize("words, command", [
    ("uvicorn app:app", "python3 -m alembic"), ("env/bin/uvicorn app:app", "env/bin/alembic"), ("env2/bin/uvicorn app:app", "env2/bin/python -m alembic"),
    ("env/bin/python -m uvicorn app:app", "env/bin/alembic"), ("poetry run uvicorn app:app", "poetry run alembic"), ("uv run --no-sync uvicorn app:app", "uv run --no-sync alembic"),
    ("uv run --project x uvicorn app:app", "python3 -m alembic"), ("pdm run uvicorn app:app", "pdm run alembic"), ("uv sync", "python3 -m alembic"),
    ("/bin/nothing", "python3 -m alembic"), (None, ".venv/bin/alembic")])
def test_the_migration_has_the_services_packages(proposed, folder, words, command):
    """The same environment, by the same manager."""
    write(folder / "alembic.ini", "[alembic]\nscript_location = m\n")
    for name in ("env/bin/alembic", "env/bin/python", "env2/bin/python", ".venv/bin/alembic"):
        write(folder / name, mode=0o755)
    proposed(f"command = {command} upgrade head", words=words.split() if words else (), passes=False)


@pytest.mark.parametrize("text, migration, service", [
    ("alembic upgrade head && uvicorn --version", "alembic upgrade head", "uvicorn --version"),
    ("alembic upgrade head; exec sleep 1", "alembic upgrade head", "sleep 1"),
    ("python3 manage.py migrate --noinput && exec sleep 1", "python3 manage.py migrate --noinput", "sleep 1"),
])
def test_a_shells_migration_and_service(proposed, folder, text, migration, service):
    ini = proposed(f"command = {migration}", f"command = {service}", words=["sh", "-c", text], passes=False)
    assert ini.index(f"command = {migration}") > ini.index("[migrate]") and ini.index(f"command = {service}") > ini.index("[service]")


@pytest.mark.parametrize("text", ["alembic upgrade head || true && sleep 1", "alembic upgrade $X && sleep 1", "echo a && sleep 1",
                                  "A=1 alembic upgrade head && sleep 1", "alembic upgrade head && sleep 1 && sleep 2",
                                  "alembic upgrade head >log && sleep 1", "alembic upgrade head & sleep 1", "sleep 1"])
def test_what_stays_a_shells(proposed, folder, text):
    ini = proposed(words=["sh", "-c", text], passes=False)
    assert "[migrate]" not in ini and f"command = sh -c '{text}'" in ini


@pytest.mark.parametrize("command, port", [
    ("uvicorn app:app", 8000), ("uvicorn app:app --port 9000 --host 0.0.0.0", 9000), ("python3 -m uvicorn app:app --port=9001", 9001),
    ("uvicorn app:app --uds /run/x", None), ("uvicorn app:app --host 10.1.2.3", None), ("gunicorn -b 0.0.0.0:8080 app", 8080),
    ("gunicorn -b :8081 app", 8081), ("gunicorn app", None), ("gunicorn -b unix:/run/x app", None), ("next start -p 4000", 4000),
    ("next start", None), ("flask run --port 5001", 5001), ("flask --app shop run -p 5002", 5002), ("flask --app shop routes", None),
    ("rails server -p 3000", 3000), ("bin/rails s -b 0.0.0.0 -p 3001", 3001), ("rails server", None), ("rails db:migrate -p 1", None), ("fastapi run main.py", 8000), ("daphne -p 7000 app", 7000),
    ("php -S 0.0.0.0:8000 -t public", 8000), ("node server.js", None), ("sleep 1", None), ("poetry run uvicorn app:app", 8000)])
def test_health_where_the_port_is_sure(proposed, folder, command, port):
    ini = proposed(words=command.split(), passes=False)
    assert ("[health]" in ini) == (port is not None), ini
    assert not port or f"\n[health]\ntcp = 127.0.0.1:{port}\n" in ini
