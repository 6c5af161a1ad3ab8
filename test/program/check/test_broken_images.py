"""Broken images: for each the line and the hint of `embark check`, and then what the hint proposes is done, after which check passes.

A case is a function of the image: it breaks it, yields (the configuration, what is said, what the hint says, and how check is
called) and goes on, once that was seen, with what the hint told.
"""

import json
import os
import shutil
import subprocess
import zipfile

import pytest

from conftest import PYTHON
from support import npm
from support.image import package, write
from support.process import PATH

MINOR = subprocess.run([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True,
                       check=True).stdout.strip()
API = "https://api.example.com"


class Image:
    """The folder in which the service starts."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {"PATH": PATH}
        self.words = ()

    def venv(self, name=".venv"):
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", self.folder / name], check=True)
        self.words = (str(self.folder / name / "bin/python"), "-m", "x")
        return next((self.folder / name).glob("lib/python3*/site-packages"))

    def distribution(self, site, name, version="1.0", brings=None):
        brings = brings or name.replace("-", "_")
        package(site, brings)
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        write(info / "RECORD", f"{brings}/__init__.py,,\n{info.name}/METADATA,,\n")
        return info


CASES = []


def case(function):
    CASES.append(pytest.param(function, id=function.__name__))
    return function


@pytest.mark.parametrize("break_it", CASES)
def test_broken_and_mended_by_the_hint(embark, folder, break_it):
    image = Image(folder)
    steps = break_it(image)
    config, said, hint = next(steps)

    def check(config):
        return embark.run("check", *(["--", *image.words] if image.words else []), config=config, env=image.env)

    failed = check(config)
    failed.expect(failed.wait(20), said, rf"\n  hint: {hint}")
    assert failed.wait() in (72, 73), failed.describe()
    mended = next(steps, None) or (config,)
    check(mended[0] if isinstance(mended, tuple) else mended).expect(0, "all is there")


# --- Python

@case
def a_folder_of_migrations_hides_that_alembic_is_missing(image):
    image.venv()
    write(image.folder / "alembic" / "env.py")
    yield ("[require]\nmodule = python: alembic.config\n", r"has that name but no __init__\.py, .*for another interpreter: .*/usr/bin/python3",
           r"let the service run in /usr/bin/python3")
    image.words = ("/usr/bin/python3", "-m", "x")


@case
def an_environment_of_another_minor(image):
    site = image.venv()
    (site.parent.parent / "python3.8" / "site-packages").mkdir(parents=True)
    package(site.parent.parent / "python3.8" / "site-packages", "shopapi")
    shutil.rmtree(site.parent)
    config = image.folder / ".venv/pyvenv.cfg"
    write(config, config.read_text().replace(f"version = {MINOR}", "version = 3.8"))
    yield "[require]\nmodule = python: shopapi\n", "was made by Python 3.8", f"builder and runtime differ in their version of Python: take 3.8 or {MINOR}"
    shutil.rmtree(image.folder / ".venv")
    package(image.venv(), "shopapi")


@case
def an_editable_install_without_its_source(image):
    site = image.venv()
    info = image.distribution(site, "shop")
    shutil.rmtree(site / "shop")
    write(info / "direct_url.json", json.dumps({"url": f"file://{image.folder}/src", "dir_info": {"editable": True}}))
    write(info / "RECORD", "_shop.pth,,\n")
    write(site / "_shop.pth", f"{image.folder}/src\n")
    yield "[require]\nmodule = python: shop\n", "shop is installed as editable: .*which does not exist", rf"COPY the source to {image.folder}/src "
    package(image.folder / "src", "shop")


@case
def the_environments_interpreter_is_not_copied(image):
    site = image.venv()
    package(site, "shopapi")
    image.words = ()
    for name in ("python", "python3", f"python{MINOR}"):
        (image.folder / ".venv/bin" / name).unlink(missing_ok=True)
    (image.folder / ".venv/bin/python").symlink_to("/opt/gone/bin/python3")
    yield ("[require]\nmodule = python: shopapi\n", "python is a link to /opt/gone/bin/python3, which does not exist",
           "the environment's own interpreter is not in this image: COPY it to where the link leads, or make the environment in the base image")
    shutil.rmtree(image.folder / ".venv")
    package(image.venv(), "shopapi")


@case
def nobody_has_asked_for_it(image):
    site = image.venv()
    write(image.folder / "requirements.txt", "shopapi\n")
    image.distribution(site, "shopapi")
    yield ("[require]\nmodule = python: shopapi, shopdb\nmanifest = requirements.txt\n", r"module shopdb: .*no requirement of that name is in requirements\.txt",
           r"add it to requirements\.txt")
    write(image.folder / "requirements.txt", "shopapi\nshopdb\n")
    image.distribution(site, "shopdb")


@case
def packages_copied_in_part(image):
    site = image.venv()
    image.distribution(site, "shopapi")
    (site / "shopapi").rename(image.folder / "left")
    yield "[require]\nmodule = python: shopapi\n", "its metadata is there .*, its files are not", "the packages were copied in part"
    (image.folder / "left").rename(site / "shopapi")


@case
def a_script_hides_a_library(image):
    package(image.venv(), "shopapi", main="")
    write(image.folder / "shopapi.py")
    yield "[require]\nmodule = python: shopapi.main\n", "it hides .*/shopapi/main.py", "rename what hides it"
    (image.folder / "shopapi.py").rename(image.folder / "run_shopapi.py")


@case
def the_distributions_name_instead_of_the_modules(image):
    image.distribution(image.venv(), "Py-Shop", brings="shoplib")
    yield "[require]\nmodule = python: py_shop\n", "the distribution Py_Shop is installed, and brings shoplib", "give the name that is imported: module = python: shoplib"
    yield "[require]\nmodule = python: shoplib\n"


@case
def a_misspelt_module(image):
    package(image.venv(), "shopapi")
    yield "[require]\nmodule = python: shopapy\n", "module shopapy: not found", r"did you mean shopapi\?"
    yield "[require]\nmodule = python: shopapi\n"


@case
def a_version_that_is_too_old(image):
    site = image.venv()
    info = image.distribution(site, "shopapi", "1.0")
    yield "[require]\nmodule = python: shopapi>=2\n", ">=2 is needed, shopapi 1.0 is installed", r".* -m pip install 'shopapi>=2'"
    shutil.rmtree(info)
    image.distribution(site, "shopapi", "2.1")


# --- Node.js

@case
def node_modules_of_a_folder_below(image):
    npm.package(image.folder / "frontend", "express", files={"index.js": ""})
    yield "[require]\nmodule = node: express\n", "module express: not found by Node.js", r".*/frontend/node_modules/express is not where Node\.js looks for it: COPY node_modules to"
    shutil.copytree(image.folder / "frontend/node_modules", image.folder / "node_modules")


@case
def links_of_pnpm_without_their_store(image):
    npm.package(image.folder / "store" / "express@1", "express", files={"index.js": ""})
    (image.folder / "node_modules").mkdir()
    os.symlink(".pnpm/express@1/node_modules/express", image.folder / "node_modules/express")
    yield "[require]\nmodule = node: express\n", r"node_modules/express is a symbolic link to \.pnpm/.*, which does not exist", r"pnpm links packages to node_modules/\.pnpm.*: COPY these too"
    shutil.move(image.folder / "store", image.folder / "node_modules/.pnpm")


@case
def a_package_that_was_not_built(image):
    npm.package(image.folder, "lib", main="dist/index.js", files={"src.js": ""})
    yield "[require]\nmodule = node: lib\n", r"names dist/index\.js, which does not exist", "the package is there in part or in another version: install again"
    write(image.folder / "node_modules/lib/dist/index.js")


@case
def a_package_of_another_version(image):
    npm.package(image.folder, "ms", "2.1.3", files={"index.js": ""})
    yield "[require]\nmodule = node: ms@^3\n", r"\^3 is needed, 2\.1\.3 is installed", r"npm install 'ms@\^3'"
    npm.package(image.folder, "ms", "3.0.0", files={"index.js": ""})


@case
def a_workspace_that_is_another(image):
    npm.package(image.folder / "apps" / "api", "express", files={"index.js": ""})
    write(image.folder / "apps/api/main.js")
    write(image.folder / "apps/web/main.js")
    image.words = ("node", "apps/web/main.js")
    yield "[require]\nmodule = node: express\n", r"not found by Node\.js from .*/apps/web", "run npm ci in the stage that runs, or COPY"
    shutil.copytree(image.folder / "apps/api/node_modules", image.folder / "apps/web/node_modules")


# --- Ruby, PHP, Java

@case
def a_gem_without_its_files(image):
    work = image.folder / "build"
    write(work / "lib/shop.rb")
    write(work / "shop.gemspec", "Gem::Specification.new { |s| s.name = 'shop'; s.version = '1'; s.summary = 'x'; s.authors = ['x']; s.files = ['lib/shop.rb'] }\n")
    subprocess.run(["gem", "build", "shop.gemspec"], cwd=work, check=True, capture_output=True)
    subprocess.run(["gem", "install", "--local", "--no-document", "--install-dir", image.folder / "gems", "shop-1.gem"], cwd=work, check=True, capture_output=True)
    image.env = {**image.env, "GEM_PATH": str(image.folder / "gems"), "HOME": str(image.folder)}
    (image.folder / "gems/gems/shop-1").rename(image.folder / "left")
    yield "[require]\nmodule = ruby: shop\n", "its specification is there, its files are not", "the gems were copied in part"
    (image.folder / "left").rename(image.folder / "gems/gems/shop-1")


@case
def composer_has_installed_nothing(image):
    packages = [{"name": "monolog/monolog", "version": "3.5.0", "install-path": "../monolog/monolog"}]
    write(image.folder / "stage/vendor/composer/installed.json", json.dumps({"packages": packages}))
    write(image.folder / "stage/vendor/monolog/monolog/Logger.php")
    yield "[require]\nmodule = php: monolog/monolog\n", "Composer has installed nothing here", "composer install --no-dev in the stage that runs, or COPY --from=… vendor"
    shutil.copytree(image.folder / "stage/vendor", image.folder / "vendor")


@case
def a_jar_that_was_not_copied(image):
    def jar(path, name):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
            archive.writestr(f"{name}.class", b"\xca\xfe\xba\xbe")

    jar(image.folder / "app.jar", "App")
    yield ("[require]\nmodule = java: org.postgresql.Driver\n", "org.postgresql.Driver: no such class; looked in app.jar",
           "see that the build has it as a runtime dependency, and that its jar is copied")
    jar(image.folder / "pg.jar", "org/postgresql/Driver")


# --- Bundles and files

@case
def a_bundle_without_its_build_argument(image):
    write(image.folder / "dist/a.js", "fetch('http://localhost:3000/items')")
    image.env = {**image.env, "VITE_API": API}
    yield "[bundle]\ndir = dist\ninlined = VITE_API\n", '"http://localhost:3000/items" seems to be in its place', f"values are inlined .*--build-arg VITE_API={API}"
    write(image.folder / "dist/a.js", f"fetch('{API}/items')")


@case
def a_bundle_whose_code_destructures(image):
    write(image.folder / "dist/a.js", "let{NEXT_PUBLIC_API:e}=process.env;fetch(e)")
    image.env = {**image.env, "NEXT_PUBLIC_API": API}
    yield "[bundle]\ndir = dist\ninlined = NEXT_PUBLIC_API\n", "takes it out of process.env with others", "write process.env.NEXT_PUBLIC_API out"
    write(image.folder / "dist/a.js", f"fetch('{API}')")


@case
def a_variable_that_only_the_server_reads(image):
    write(image.folder / ".next/static/a.js", "f()")
    write(image.folder / ".next/server/a.js", "fetch(process.env.INNER_API)")
    image.env = {**image.env, "INNER_API": API}
    yield "[bundle]\ndir = .next/static\ninlined = INNER_API\n", "inlined INNER_API", "only the server's code has it .*: take INNER_API out of inlined"
    yield "[bundle]\ndir = .next/static\n"


@case
def a_frontend_without_public(image):
    (image.folder / "app").mkdir()
    yield "[require]\ndir = app/public\n", rf"dir app/public: does not exist; the nearest existing parent is {image.folder}/app", "COPY or make it in the image"
    (image.folder / "app/public").mkdir()


@case
def a_script_with_carriage_returns(image):
    write(image.folder / "start.sh", "#!/bin/sh\r\nexec true\r\n", 0o755)
    yield "[require]\ncommand = ./start.sh\n", "CR", r".*(sed|dos2unix|autocrlf|eol)"
    write(image.folder / "start.sh", "#!/bin/sh\nexec true\n", 0o755)


@case
def a_script_that_may_not_be_executed(image):
    write(image.folder / "start.sh", "#!/bin/sh\n")
    yield "[require]\ncommand = ./start.sh\n", "start.sh", r".*chmod"
    (image.folder / "start.sh").chmod(0o755)


@case
def a_link_whose_target_was_not_copied(image):
    image.folder.joinpath("config.json").symlink_to(image.folder / "shared/config.json")
    yield ("[require]\nfile = config.json\n", r"file config\.json: does not exist; .*/config\.json is a symbolic link to .*/shared/config\.json, which does not exist",
           "a link is copied as it is: COPY what it points to as well, to the same path")
    write(image.folder / "shared/config.json")


@case
def a_folder_on_the_way_is_a_link_that_leads_nowhere(image):
    """As Capistrano's current."""
    image.folder.joinpath("current").symlink_to("releases/7")
    yield ("[require]\ndir = current/public\n", r"dir current/public: does not exist; .*/current is a symbolic link to releases/7, which does not exist",
           "a link is copied as it is: COPY what it points to as well, to the same path")
    (image.folder / "releases/7/public").mkdir(parents=True)


@case
def a_bundle_behind_a_link(image):
    image.folder.joinpath("dist").symlink_to("web/dist")
    yield "[bundle]\ndir = dist\n", r"bundle: dir dist: does not exist; .*/dist is a symbolic link to web/dist, which does not exist", "a link is copied as it is"
    write(image.folder / "web/dist/a.js")


@case
def a_program_behind_a_link(image):
    image.folder.joinpath("start").symlink_to("bin/start.sh")
    yield "[require]\ncommand = ./start\n", r"/start is a symbolic link to bin/start\.sh, which does not exist", "a link is copied as it is"
    write(image.folder / "bin/start.sh", "#!/bin/sh\n", 0o755)
