"""What `embark check` says of [bootstrap] sql and var while the image is built, when no value of the deployment's is there."""

import pytest


@pytest.fixture
def check(embark, folder):
    def run(text, var, env=None):
        (folder / "1.sql").write_text(text)
        lines = "\n".join(f"    {line}" for line in var)
        return embark.run("check", config=f"[bootstrap]\nsql = {folder}/1.sql\n" + (f"var =\n{lines}\n" if var else ""), env=env)

    return run


VARS = ["admin_pass=${ADMIN_PASS}", "region=${REGION:-eu}", "key=${file:/run/secrets/nowhere}"]


@pytest.mark.parametrize("name,near", [("admin_pas", "admin_pass"), ("Region", "region"), ("regoin", "region"), ("kye", "key")])
@pytest.mark.parametrize("env", [None, {"ADMIN_PASS": "Hush-Hush-1"}])
def test_misspelt_variable(check, name, near, env):
    """The names are known, whether the values are or not."""
    text = f"SELECT 1;\nSELECT :'{name}';\n"
    process = check(text, VARS, env).expect(65, rf"1\.sql:2:8: the variable {name} is not set", rf"hint: did you mean {near}\?")
    assert "Hush-Hush-1" not in process.stderr


@pytest.mark.parametrize("text,var", [
    ("SELECT :'admin_pass', :'region', :'key';\n", VARS), ("SELECT :'something_else';\n", VARS),  # which the deployment may give
    ("SELECT :'admin_pas';\n", []), ("SELECT 1 AS admin_pas \\gset\nSELECT :'admin_pas';\n", VARS), ("\\set admin_pas x\nSELECT :'admin_pas';\n", VARS),
    ("\\if :{?admin_pas}\nSELECT :'admin_pas';\n\\endif\n", VARS), ("\\i :file\nSELECT :'admin_pas';\n", [*VARS, "file=${FILE}"]),
])
def test_what_may_be_set(check, text, var):
    assert "is not set" not in check(text, var).expect(0).stderr.replace("$ADMIN_PASS is not set", "").replace("$FILE is not set", "")


NESTED = [
    ("DO $$ BEGIN\n  EXECUTE $q$ALTER ROLE app PASSWORD :'admin_pass'$q$;\nEND $$;\n", 65, "2:38"),
    ("DO $$ BEGIN\n  EXECUTE format($q$ALTER ROLE %I PASSWORD :'admin_pass'$q$, 'app');\nEND $$;\n", 65, "2:44"),
    ("DO $$ BEGIN\n  EXECUTE $q$DO $r$ BEGIN PERFORM :'admin_pass'; END $r$ $q$;\nEND $$;\n", 65, "2:35"),
    ("DO $$ BEGIN\n  PERFORM f($q$ :'admin_pass' $q$);\nEND $$;\n", 0, "2:17"),
    ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n  EXECUTE $q$SELECT :'admin_pass'$q$;\nEND $$;\n", 65, "2:21"),
]


@pytest.mark.parametrize("text,code,place", NESTED)
def test_variable_in_nested_dollar_quotes(check, text, code, place):
    """An EXECUTE's are code, as the outer ones are; others are only warned of."""
    process = check(text, VARS)
    process.wait(20)
    assert f"1.sql:{place}: :'admin_pass' stands inside of dollar quotes" in process.stderr, process.describe()
    assert process.popen.returncode == code, process.describe()


@pytest.mark.parametrize("text", ["DO $$ BEGIN\n  EXECUTE $q$SELECT a[1:n], '{\"a\":1}'::json, :: -- x\n$q$;\nEND $$;\n", "DO $$ BEGIN\n  PERFORM $q${a:b, c :d}$q$;\nEND $$;\n"])
def test_colons_in_nested_dollar_quotes(check, text):
    assert "stands inside" not in check(text, VARS).expect(0).stderr
