"""[require] module and import = node: …: by the rules of a real Node.js, on trees made by a real npm."""

import json
import os
import shutil
import subprocess

import pytest

from support import npm
from support.image import check, lines, write  # noqa: F401 - check is a fixture
from support.process import PATH

SYSTEM = {"PATH": PATH}


@pytest.fixture
def modules(check):
    def run(names, code, *patterns, **how):
        how.setdefault("env", SYSTEM)
        return check("module = " + "\n    ".join(f"node: {name}" for name in names.split(", ")) + "\n", code, *patterns, **how)

    return run


@pytest.fixture
def app(folder):
    return npm.project(folder, semver="^7.5.0", ms="2.1.3", nanoid="^5.0.0", dev={"once": "^1.4.0"})


def node_finds(folder, name):
    """What Node.js itself says: by require(), or by import."""
    script = f"import {{ createRequire }} from 'module'; try {{ createRequire(process.cwd() + '/x.js').resolve('{name}') }} " \
             f"catch (e) {{ await import('{name}') }}"
    return subprocess.run(["node", "--input-type=module", "-e", script], cwd=folder, capture_output=True).returncode == 0


NAMES = ["semver", "semver/functions/gt", "semver/functions/gt.js", "semver/package.json", "semver/nope", "ms", "ms/index", "nanoid",
         "nanoid/non-secure", "nanoid/nope", "once", "wrappy", "fs", "node:fs", "node:nope", "fs/promises", "nope", "@a/b",
         "./here", "./here.js", "./nothere", "./folder", "self", "conditions", "conditions/a", "conditions/sub/x", "conditions/null",
         "missingmain", "mainfolder", "noindex", "single", "jsonly", "@scope/pkg", "@scope/pkg/lib/a", "emptyfolder"]


def tree(app):
    """Packages of all kinds beside what npm installed."""
    write(app / "here.js")
    write(app / "folder" / "index.js")
    npm.package(app, "conditions", files={"a.cjs": "", "x/x.js": "", "i.mjs": ""}, exports={
        ".": {"types": "./none.d.ts", "import": "./i.mjs", "require": "./none.cjs"},
        "./a": [{"browser": "./none.js"}, "./a.cjs"], "./sub/*": "./x/*.js", "./null": None})
    npm.package(app, "missingmain", main="dist/index.js", files={"src.js": ""})
    npm.package(app, "mainfolder", main="./lib", files={"lib/index.js": ""})
    npm.package(app, "noindex", files={"types.d.ts": ""})
    npm.package(app, "jsonly", main="data", files={"data.json": "{}"})
    npm.package(app, "@scope/pkg", files={"index.js": "", "lib/a.js": ""})
    write(app / "node_modules" / "single.js")
    (app / "node_modules" / "emptyfolder").mkdir()


def test_as_node_itself(modules, app):
    """The same answer for every name, found or not."""
    tree(app)
    found = [name for name in NAMES if node_finds(app, name)]
    missing = [name for name in NAMES if name not in found]
    assert len(found) > 15 and len(missing) > 8
    modules(", ".join(found), 0)
    process = modules(", ".join(missing), 72)
    said = {line.split("module ")[1].split(": not found")[0] for line in lines(process)}
    assert said == set(missing)


def test_reasons(modules, app):
    tree(app)
    at = f"{app}/node_modules"
    modules("nanoid/nope, conditions/null, missingmain, noindex, semver/nope, smver", 72,
            rf"module nanoid/nope: not found by Node\.js from {app}; {at}/nanoid/package\.json doesn't export \./nope",
            r"doesn't export \./null",
            rf"module missingmain: .*{at}/missingmain/package\.json names dist/index\.js, which does not exist",
            r"\n  hint: the package is there in part",
            r"module noindex: .* has a package\.json, but no index\.js and no main",
            r"module semver/nope: .* has no \./nope", r"module smver: .*looked in .*/node_modules", r"hint: did you mean semver\?")


def test_an_export_that_was_not_built(modules, folder):
    npm.package(folder, "lib", files={}, exports={".": "./dist/index.js"})
    modules("lib", 72, r"exports \. as \./dist/index\.js, which does not exist")


def test_versions(modules, app):
    modules("semver@^7.5, ms>=2 <3, ms@2.1.3, nanoid@5 || 6, fs", 0)
    modules("ms@^1, semver>=8", 72, rf"module ms: \^1 is needed, 2\.1\.3 is installed: {app}/node_modules/ms \(",
            r"hint: npm install 'ms@\^1'", r"module semver: >=8 is needed, 7\.")
    modules("fs@^1", 0, r"module fs: found, but Node\.js's own module tells no version, so \^1 is not judged")
    modules("ms@latest", 78, r'ms: "latest" says no version')


def test_without_node_modules(modules, folder):
    modules("express", 72, r"module express: .*there is no node_modules in that folder or above it", "hint: run npm ci")
    npm.package(folder / "frontend", "express")
    modules("express", 72, rf"hint: {folder}/frontend/node_modules/express is not where Node.js looks for it: COPY")


def test_from_the_directory_of_the_script(check, folder):
    """node_modules beside the script, in its parents, and not beside the caller."""
    npm.package(folder / "api", "express")
    npm.package(folder / "api" / "dist", "inner")
    write(folder / "api" / "dist" / "main.js")
    require = "module = node: express, inner\n"
    check(require, 72, env=SYSTEM)
    for words in (["node", "api/dist/main.js"], ["node", "--enable-source-maps", "-r", "./x", "api/dist/main"],
                  ["sh", "-c", "node api/dist/main.js --port 1"], ["env", "A=1", "node", "api/dist/main.js"]):
        check(require, 0, words=["--", *words], env=SYSTEM)
    write(folder / "api" / "dist" / "cli", "#!/usr/bin/env node\n", 0o755)
    (folder / "link").symlink_to("api/dist/cli")
    check(require, 0, words=["--", f"{folder}/link"], env=SYSTEM)


def test_node_path(modules, folder):
    npm.package(folder / "other", "express")
    modules("express", 0, env={**SYSTEM, "NODE_PATH": f"/nowhere:{folder}/other/node_modules"})


def pnpm_layout(folder):
    """As pnpm makes it: links to .pnpm/NAME@VERSION/node_modules/NAME."""
    store = folder / "node_modules" / ".pnpm"
    npm.package(store / "express@4.18.2", "express", "4.18.2", {"index.js": "require('debug')"})
    npm.package(store / "debug@4.3.4", "debug", "4.3.4")
    os.symlink("../../debug@4.3.4/node_modules/debug", store / "express@4.18.2/node_modules/debug")
    os.symlink(".pnpm/express@4.18.2/node_modules/express", folder / "node_modules" / "express")
    (folder / "package.json").write_text(json.dumps({"name": "x", "dependencies": {"express": "^4.18.0"}}))
    return store


def test_pnpm(check, folder):
    """COPY node_modules/express without .pnpm, or a workspace's link to a folder that was not copied."""
    store = pnpm_layout(folder)
    check("module = node: express@^4.18\nimport = node: express\nmanifest = package.json\n", 0, env=SYSTEM)
    shutil.rmtree(store)
    check("module = node: express\nmanifest = package.json\n", 72,
          rf"module express: .*{folder}/node_modules/express is a symbolic link to \.pnpm/express@4\.18\.2/node_modules/express, "
          "which does not exist", "hint: pnpm links packages to node_modules/.pnpm", "manifest package.json: express is not installed; ",
          env=SYSTEM)


def test_nothing_is_executed(modules, folder):
    npm.package(folder, "lib", files={"index.js": "require('fs').writeFileSync('executed', '')"})
    modules("lib", 0, env={"PATH": "/nowhere"})  # not even node itself
    assert not (folder / "executed").exists()


# --- import

def test_import(check, app):
    write(app / "chatty.js", "console.log('@embark imported x'); console.error('noise')\n")
    write(app / "esm.mjs", "import ms from 'ms'; await 1; export default ms;\n")
    check("import = node: ms, nanoid, semver, fs, ./chatty.js, ./esm.mjs\n", 0, env=SYSTEM)


def test_import_fails(check, app):
    write(app / "boom.js", "\nthrow new TypeError('no luck')\n")
    write(app / "lacks.js", "require('not-there')\n")
    write(app / "exits.js", "process.exit(3)\n")
    write(app / "syntax.js", "this is no JavaScript\n")
    check("import = node: ./boom.js, ./lacks.js, ./syntax.js, nothere\n", 72,
          rf"import \./boom\.js: fails in node: TypeError: no luck, at {app}/boom\.js:2 \(", r"hint: try node -e",
          r"import \./lacks\.js: .*Cannot find module 'not-there'", "hint: it needs not-there", r"import \./syntax\.js: .*SyntaxError",
          r"import nothere: not found by Node\.js", env=SYSTEM)
    check("import = node: ./exits.js, ms\n", 72, r"import \./exits\.js: node exited with status 3 while importing it",
          r"import ms: not tried, as node exited with status 3 before it", env=SYSTEM)


def test_import_names_the_missing_library(check, folder):
    """A native add-on whose shared library isn't in the image: what only a real import can tell."""
    write(folder / "need.c", "int needed(void) { return 1; }\n")
    write(folder / "addon.c", "int needed(void);\nint napi_register_module_v1(void *a, void *b) { return needed(); }\n")
    build = {"cwd": folder, "check": True}
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "libneed.so.7", "need.c", "-Wl,-soname,libneed.so.7"], **build)
    npm.package(folder, "native", main="addon.node", files={})
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "node_modules/native/addon.node", "addon.c", "./libneed.so.7"], **build)
    (folder / "libneed.so.7").unlink()
    check("module = node: native\n", 0, env=SYSTEM)
    check("import = node: native\n", 72, r"import native: fails in node: the shared library libneed\.so\.7 is missing",
          r"hint: install what brings libneed\.so\.7", env=SYSTEM)


def test_import_without_node(check, app):
    check("import = node: ms\n", 72, "import: .*node: not found in PATH", env={"PATH": "/nowhere"})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"exports": 1}', '{"main": {}}', '{"exports": {"a": 1, ".": 2}}', "\0\xff"])
def test_hostile_package_json(modules, folder, text):
    path = npm.package(folder, "lib")
    (path / "package.json").write_text(text)
    modules("lib, lib/x", 72, "module lib/x: not found")


def test_hostile_trees(modules, folder):
    (folder / "node_modules").mkdir()
    os.symlink("circle", folder / "node_modules" / "circle")
    os.mkfifo(folder / "node_modules" / "fifo")
    (folder / "node_modules" / "pipe").mkdir()
    os.mkfifo(folder / "node_modules" / "pipe" / "package.json")
    modules("circle, fifo, pipe", 72, "module circle: .*leads back to itself", "module fifo: not found", "module pipe: not found")


# --- Yarn's Plug'n'Play

PNP = """
// As Yarn's: it says that it is there, and answers before node_modules is looked at. Made by hand, as Yarn's own is 15,000 lines.
const Module = require('module');
process.versions.pnp = '3';
const before = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  const known = { 'in-the-zip': __dirname + '/.yarn/in-the-zip.js', 'broken-one': __dirname + '/.yarn/broken-one.js' };
  if (known[name]) return known[name];
  if (/^[a-z]/.test(name) && !name.startsWith('node:') && !Module.builtinModules.includes(name))
    throw Object.assign(new Error(`Your application tried to access ${name}, but it isn't declared in your dependencies`), { code: 'MODULE_NOT_FOUND' });
  return before.call(this, name, ...rest);
};
"""


@pytest.fixture
def yarn(folder):
    write(folder / ".pnp.cjs", PNP)
    write(folder / ".yarn" / "in-the-zip.js", "module.exports = 1;\n")
    write(folder / ".yarn" / "broken-one.js", "throw new Error('no luck');\n")
    write(folder / "package.json", json.dumps({"name": "x", "dependencies": {"in-the-zip": "^1.0.0"}}))


def test_plug_and_play_is_not_judged(check, yarn, folder):
    """There is no node_modules, and .pnp.cjs is a program."""
    process = check("module = node: in-the-zip, nothere, node:fs\nmanifest = package.json\n", 0,
                    rf"module in-the-zip: is not judged: Yarn's Plug'n'Play answers for it \({folder}/\.pnp\.cjs\)", "hint: import = node: asks node itself",
                    r"module nothere: is not judged", r"manifest package\.json: is not judged: Yarn's Plug'n'Play answers for its packages", env=SYSTEM)
    assert "node:fs" not in process.stderr and "not found" not in process.stderr
    check("module = node: ./nothere\n", 72, r"module \./nothere: not found", env=SYSTEM)


def test_plug_and_play_is_asked(check, yarn):
    check("import = node: in-the-zip, fs\n", 0, env=SYSTEM)
    check("import = node: in-the-zip, nothere, broken-one\n", 72, r"import nothere: .*isn't declared in your dependencies", r"import broken-one: .*no luck", env=SYSTEM)
