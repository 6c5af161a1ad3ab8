"""What doc/compatibility.md promises: keys, exit codes, commands, options and schemas are those of the last release, or more.

promise.json holds them as the last release had them; EMBARK_PROMISE=write writes it anew, which is for a release alone.
"""

import copy
import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from conftest import TOP
from test_docs import codes, commands, keys_of_the_table

RECORDED = Path(__file__).with_name("promise.json")
SCHEMAS = ("doctor", "check", "log")


def promises(embark):
    """As the program and doc/ have them now."""
    def help_on(*topic):
        return embark.run("help", *topic).expect(0).stdout

    options = {name: sorted(set(re.findall(r"(?<![\w-])--?[a-z1][a-z-]*", help_on(name).split("\n\n")[0]))) for name in sorted(commands(embark))}
    return {"keys": {f"{section}.{key}": list(told) for (section, key), told in sorted(keys_of_the_table().items())},
            "codes": {str(code): text for code, text in sorted(codes(help_on("exit-codes")).items())}, "options": options,
            "schemas": {name: without_words(json.loads((TOP / f"doc/{name}.schema.json").read_text())) for name in SCHEMAS}}


def without_words(schema, root=None):
    """A schema's descriptions are for people; what it refers to is put in the reference's place."""
    root = root or schema
    if isinstance(schema, list):
        return [without_words(value, root) for value in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return without_words(root["definitions"][schema["$ref"].removeprefix("#/definitions/")], root)
    return {key: without_words(value, root) for key, value in schema.items()
            if key != "definitions" and (key not in ("description", "title") or not isinstance(value, str))}


def as_set(value):
    return {json.dumps(one) for one in (value if isinstance(value, list) else [value])}


def broken_schema(old, new, where):
    if not isinstance(new, dict):
        yield f"{where} is gone"
        return
    if "type" in old and (as_set(new.get("type")) - as_set(old["type"]) or "type" not in new):
        yield f"{where} has another type"
    if missing := set(old.get("required", ())) - set(new.get("required", ())):
        yield f"{where} need not have {', '.join(sorted(missing))}"
    if missing := as_set(old.get("enum", [])) - as_set(new.get("enum", [])):
        yield f"{where} lacks {', '.join(sorted(missing))}"
    for name, its in old.get("properties", {}).items():
        yield from broken_schema(its, new.get("properties", {}).get(name), f"{where}.{name}")
    if "items" in old:
        yield from broken_schema(old["items"], new.get("items"), f"{where}[]")
    for index, its in enumerate(old.get("oneOf", ())):
        if its not in new.get("oneOf", ()):
            yield f"{where} has another choice {index}"


def broken(old, new):
    """What was promised and isn't so any more."""
    for key, (kind, default) in old["keys"].items():
        if key not in new["keys"]:
            yield f"the key {key} is gone"
        elif new["keys"][key][0] != kind:
            yield f"the key {key} is of another kind"
        elif kind == "CHOICE":
            words, today = default.split("|"), new["keys"][key][1].split("|")
            if words[0] != today[0] or set(words) - set(today):
                yield f"the key {key} has other words"
        elif new["keys"][key][1] != default:
            yield f"the key {key} has another default"
    for code, text in old["codes"].items():
        if new["codes"].get(code) != text:
            yield f"exit code {code} means something else"
    for name, options in old["options"].items():
        if name not in new["options"]:
            yield f"the command {name} is gone"
        elif missing := set(options) - set(new["options"][name]):
            yield f"{name} lacks {', '.join(sorted(missing))}"
    for name, schema in old["schemas"].items():
        yield from broken_schema(schema, new["schemas"].get(name), name)


def test_what_was_promised_is_so(embark):
    today = promises(embark)
    if os.environ.get("EMBARK_PROMISE") == "write":
        RECORDED.write_text(json.dumps(today, indent=1, ensure_ascii=False) + "\n")
    old = json.loads(RECORDED.read_text())
    assert len(old["keys"]) > 50 and len(old["codes"]) > 10 and set(old["schemas"]) == set(SCHEMAS)
    assert list(broken(old, today)) == []


def change(path, value):
    """A copy of what was promised in which the place has another value; without one it is gone."""
    def changed(promise):
        place = promise = copy.deepcopy(promise)
        for name in path[:-1]:
            place = place[name]
        if value is None:
            del place[path[-1]]
        else:
            place[path[-1]] = value
        return promise
    return changed


LOOK = ["schemas", "doctor", "properties", "looks", "items"]


@pytest.mark.parametrize("changed, said", [
    (change(["keys", "wait.tcp"], None), "the key wait.tcp is gone"),
    (change(["keys", "wait.timeout"], ["TIME", "30s"]), "the key wait.timeout has another default"),
    (change(["keys", "service.init"], ["TEXT", "no"]), "the key service.init is of another kind"),
    (change(["keys", "log.format"], ["CHOICE", "json|text"]), "the key log.format has other words"),
    (change(["keys", "log.format"], ["CHOICE", "text"]), "the key log.format has other words"),
    (change(["codes", "81"], "the database is older"), "exit code 81 means something else"),
    (change(["codes", "75"], None), "exit code 75 means something else"),
    (change(["options", "wait"], None), "the command wait is gone"),
    (change(["options", "migrate"], ["--status"]), "migrate lacks "),
    (change(["schemas", "check", "properties", "hosts"], None), "check.hosts is gone"),
    (change(["schemas", "check", "required"], ["ok"]), "check need not have checks, code, hosts, warnings"),
    (change(["schemas", "doctor", "properties", "code", "type"], "string"), "doctor.code has another type"),
    (change(["schemas", "doctor", "properties", "code", "type"], ["integer", "null"]), "doctor.code has another type"),
    (change([*LOOK, "properties", "mark", "enum"], ["ok", "bad"]), 'doctor.looks[].mark lacks "info", "warning"'),
    (change([*LOOK, "properties", "hint"], None), "doctor.looks[].hint is gone"),
    (change(["schemas", "log", "oneOf"], []), "log has another choice 0"),
])
def test_what_is_broken_is_told(changed, said):
    old = json.loads(RECORDED.read_text())
    found = list(broken(old, changed(old)))
    assert found and found[0].startswith(said), found


@pytest.mark.parametrize("added", [
    change(["keys", "wait.patience"], ["TIME", "1s"]), change(["keys", "log.format"], ["CHOICE", "text|json|logfmt"]), change(["codes", "82"], "a new one"),
    change(["options", "undo"], []), change(["options", "wait"], ["--all"]), change(["schemas", "check", "properties", "version"], {"type": "string"}),
    change(["schemas", "log", "properties", "level", "enum"], ["error", "warn", "info", "debug", "trace"]),
])
def test_what_is_added_passes(added):
    old = json.loads(RECORDED.read_text())
    assert list(broken(old, added(old))) == [] and added(old) != old


# --- the schemas are of what the program writes

def schema(name):
    found = json.loads((TOP / f"doc/{name}.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(found)
    return jsonschema.Draft7Validator(found)


@pytest.mark.parametrize("config, code", [("", 0), ("[require]\nfile = /etc/passwd\n       nowhere\nmodule = python: json, nonsuch\n", 72),
                                          ("[bundle]\ndir = dist\nforbid = localhost:3000\n", 73), ("[service]\ncommand = nonsuch\n", 127)])
def test_the_schema_of_check(embark, folder, config, code):
    (folder / "dist").mkdir()
    (folder / "dist/app.js").write_text('fetch("http://localhost:3000/x"); fetch("https://api.example.com/")')
    process = embark.run("check", "--json", config=config, cwd=folder).expect(code)
    document = json.loads(process.stdout)
    schema("check").validate(document)
    assert document["code"] == code and document["ok"] == (code == 0) and bool(document["checks"]) == bool(config)


def test_the_schema_of_the_log(embark, db, migration):
    """Messages, hints, an error's code, and a migration's lines of both streams."""
    environment = {"DATABASE_URL": db.url, "EMBARK_LOG": "json,debug"}
    script = "echo one; echo two >&2; exit 3"
    process = embark.run("migrate", env=environment, config=f"[migrate]\ncommand = sh -c '{script}'\n").expect(80)
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    for line in lines:
        schema("log").validate(line)
    assert {(line["stream"], line["line"]) for line in lines if "stream" in line} == {("stdout", "one"), ("stderr", "two")}
    assert [line for line in lines if line.get("code") == 80 and "message" in line] and [line for line in lines if "hint" in line]
