"""The story that embark was made for: each of its six failures is put into the shop, once in the image as it was before
embark, with a plain CMD, and once with embark. Both are what doc/before-after.md shows."""

import re

from before_after import check
from containers import docker, get
from shop import FIRST, PASSWORDS, PUBLIC_URL, query, run
from support.waiting import eventually

API_URL = f"{PUBLIC_URL}/api"


def built(done):
    """What `docker build` shows of `embark check`, and how it ends."""
    assert "Successfully built" not in done.output
    code = re.search(r"The command '/embark check' returned a non-zero code: (\d+)", done.output)
    assert code, done.output
    return ["*`docker build` fails, exit code " + code[1] + " of `embark check`:", *done.said]


def logged(done):
    return [f"*`docker logs`, exit code {done.code}:", *done.said]


def test_a_missing_module_and_a_folder_of_its_name(shop):
    """A base image, or a stage, from before requirements.txt named Alembic."""
    shop.replace("api/requirements.txt", "alembic\n", "")
    plain = shop.build("api", target="service")
    first = shop.logs(plain).expect(1).line("No module named")
    second = shop.logs(plain, "python3", "-c", "from alembic.config import main").expect(1).line("No module named")
    shop.logs(plain, "python3", "-c", "import alembic").expect(0)

    done = shop.build("api", code=72).expect(
        72, r"module alembic\.config: not found by /venv/bin/python3 \(Python 3\.\d+\.\d+\): the folder /app/alembic has that name "
        r"but no __init__\.py, so Python takes it for a namespace package", "installed for another interpreter", "looked in /app, /venv/")
    assert len(done.said) == 2, "one line, and its hint"
    check("Alembic is missing from the image, and a folder `./alembic` with the migrations stands beside the code",
          [first, second, "*`import alembic` works"], built(done))


def test_a_folder_that_was_not_copied(shop):
    (shop.path("web/public/logo.svg")).unlink()
    shop.path("web/public").rmdir()
    copy = shop.build("web", target="service", code=1, NEXT_PUBLIC_API_URL=API_URL).line("COPY failed")
    shop.replace("web/Dockerfile", "COPY public public\n", "")
    plain = shop.start(shop.build("web", target="service", NEXT_PUBLIC_API_URL=API_URL))
    eventually(lambda: get(f"http://{plain.address}:3000/about"), 60, "Next.js", gap=0.1)
    assert get(f"http://{plain.address}:3000/logo.svg", status=404)

    done = shop.build("web", code=72, NEXT_PUBLIC_API_URL=API_URL).expect(
        72, r"dir public: does not exist; the nearest existing parent is /srv ")
    assert len(done.said) == 2
    check("The folder `public/` of the frontend was not copied",
          [copy, "*and, without that line in the Dockerfile:", "GET /logo.svg 404"], built(done))


DO_BLOCK = """\
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_admin') THEN
    CREATE ROLE shop_admin LOGIN PASSWORD :'admin_password';
  END IF;
END
$$;
"""


def test_a_variable_within_dollar_quotes(shop):
    shop.path("api/setup.sql").write_text(DO_BLOCK)
    db = shop.database()
    docker("cp", shop.path("api/setup.sql"), f"{db.name}:/setup.sql")
    psql = run("docker", "exec", "-u", "postgres", db.name, "psql", "-v", "ON_ERROR_STOP=1", "-v", "admin_password=x", "-f", "/setup.sql")

    done = shop.build("api", code=65).expect(
        65, r"setup\.sql:4:43: :'admin_password' stands inside of dollar quotes \(opened at 1:4\), where no variable is expanded",
        r"hint: write current_setting\('embark\.admin_password'\) in its place")
    assert len(done.said) == 2
    check("A psql variable stands within `DO $$ … $$`", [psql.expect(3).line("syntax error")], built(done))


def test_a_login_as_a_role_that_is_not_there_yet(shop):
    db = shop.database()
    plain = shop.build("api", target="service")
    docker("cp", shop.path("api/setup.sql"), f"{db.name}:/setup.sql")
    psql = run("docker", "exec", "-e", f"PGPASSWORD={PASSWORDS['admin_password']}", db.name, "psql", "-h", "db", "-U", "shop_admin",
               "-f", "/setup.sql", "postgres")
    assert shop.logs(plain).expect(1).line(r"^psycopg2.*password authentication failed")

    image = shop.build("api")
    done = shop.logs(image, "migrate").expect(
        77, r'wait: db:5432 refuses the login of shop_admin: password authentication failed for user "shop_admin"')
    assert len([line for line in done.said if not line.startswith("hint: ")]) == 1, done.output
    # with the superuser's URL, the role is made first
    mended = shop.migrate(image).expect(0, "created the database shop", "setup.sql")
    assert query(db, FIRST) == "1"
    assert query(db, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'shop%' ORDER BY 1") == "shop_admin\nshop_ui"
    shop.logs(image, "wait").expect(0)
    check("The set-up logs in as a role that it is to make", [psql.expect(2).line("authentication failed")],
          [*logged(done), "*and with the superuser's URL, exit code 0:", *[line for line in mended.said if "bootstrap: " in line]])


def test_an_image_that_is_older_than_the_database(shop):
    db = shop.database()
    old, old_plain = shop.build("api"), shop.build("api", target="service")
    shop.add_migration()
    shop.migrate(shop.build("api", version="2")).expect(0)
    assert query(db, "SELECT version_num FROM alembic_version") == "0003"
    plain = shop.logs(old_plain).expect(255).line("Can't locate revision")

    done = shop.logs(old).expect(81, "0003_price")
    assert len([line for line in done.said if "older" in line]) == 1, done.output
    # told so, it serves
    api = shop.start(old, env={"EMBARK_MIGRATE_ON_NEWER_DATABASE": "continue"})
    api.serves(path="/items")
    assert "older" in api.logs
    check("The image is older than the database", [plain], logged(done))


def test_a_value_that_was_inlined_by_the_build(shop):
    plain = shop.start(shop.build("web", target="service"), env={"NEXT_PUBLIC_API_URL": API_URL})
    page = eventually(lambda: get(f"http://{plain.address}:3000/"), 60, "Next.js", gap=0.1)
    scripts = re.findall(r'src="(/_next/[^"]+/page-[^"]+\.js)"', page)
    text = "".join(get(f"http://{plain.address}:3000{script}") for script in scripts)
    assert API_URL not in text
    called = re.search(r"http://localhost:\d+", text)[0]

    done = shop.build("web", code=73).expect(
        73, r"bundle: forbid localhost:3000: stands in \.next/static/chunks/app/page-\w+\.js: ", r"docker build --build-arg NAME=VALUE")
    assert len(done.said) == 2
    # built rightly, for another deployment than this one: the variable, the value wanted, the file that holds another
    image = shop.build("web", NEXT_PUBLIC_API_URL=API_URL)
    other = shop.logs(image, env={"NEXT_PUBLIC_API_URL": "https://staging.example.com/api"}).expect(
        73, rf'inlined NEXT_PUBLIC_API_URL: is "https://staging\.example\.com/api".*"{API_URL}.*\.next/static/chunks/app/page-',
        r"docker build --build-arg NEXT_PUBLIC_API_URL=https://staging\.example\.com/api")
    check("`NEXT_PUBLIC_API_URL` was set when the server was started, not when the bundle was built",
          ["*the browser calls", f"{called}/items"],
          [*built(done), "*and where the image was built for another deployment:", *logged(other)])
