"""Logins whose parts stand in files: a service file, a password file, the image's certificate authorities."""

import re

import pytest


def write_service(folder, name, text):
    path = folder / "pg_service.conf"
    path.write_text(f"[{name}]\n{text}\n")
    return str(path)


@pytest.mark.parametrize("how", ["PGSERVICE", "url", "keyword"])
def test_service_file(db, embark, folder, how):
    """The host is the file's: it has to be known before libpq reads it, since names are resolved outside of libpq."""
    file = write_service(folder, "shop", f"host=localhost\nport={db.server.port}\ndbname={db.name}\nuser={db.role}\n"
                                         f"password={db.password}")
    env = {"PGSERVICEFILE": file, "EMBARK_DATABASE_TIMEOUT": "5s"}
    if how == "PGSERVICE":
        env["PGSERVICE"] = "shop"
    else:
        env["DATABASE_URL"] = {"url": "postgresql://?service=shop", "keyword": "service=shop"}[how]
    process = embark.run("sh", "-c", "echo served ${PGSERVICE-none}", env=env).expect(0)
    # the service's own environment is untouched
    assert process.stdout == f"served {'shop' if how == 'PGSERVICE' else 'none'}\n"


def test_url_wins_over_the_service_file(db, embark, folder):
    file = write_service(folder, "shop", "host=localhost\nport=1\nuser=nobody\npassword=x")
    url = f"postgresql://{db.role}:{db.password}@{db.server.host}:{db.server.port}/{db.name}?service=shop"
    embark.run("true", env={"PGSERVICEFILE": file, "DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "5s"}).expect(0)


def test_service_that_is_not_in_the_file(db, embark, folder):
    file = write_service(folder, "shop", "host=localhost")
    process = embark.run("true", env={"PGSERVICEFILE": file, "DATABASE_URL": f"host={db.server.host} service=shops",
                                      "EMBARK_DATABASE_TIMEOUT": "5s"})
    process.wait(20)
    assert process.popen.returncode in (77, 78), process.describe()
    assert "shops" in process.stderr, process.describe()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_password_file(db, embark, folder, host):
    """The file's first field is compared with the name in the URL, not with the address that it was resolved to."""
    file = folder / "pgpass"
    file.write_text(f"{host}:{db.server.port}:{db.name}:{db.role}:{db.password}\n")
    file.chmod(0o600)
    url = f"postgresql://{db.role}@{host}:{db.server.port}/{db.name}"
    embark.run("true", env={"DATABASE_URL": url, "PGPASSFILE": str(file), "EMBARK_DATABASE_TIMEOUT": "5s"}).expect(0)


@pytest.fixture
def tls_db(tls_server, embark):
    db = tls_server("good").database()
    embark.secrets.append(db.password)
    yield db
    embark.end()
    db.drop()


def test_system_certificates(tls_db, certificates, embark):
    """sslrootcert=system: those that the image trusts, and verify-full."""
    url = tls_db.url_as(host="localhost", query="sslrootcert=system")
    env = {"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "5s"}
    embark.run("true", env={**env, "SSL_CERT_FILE": str(certificates.ca)}).expect(0)
    process = embark.run("true", env={**env, "SSL_CERT_FILE": str(certificates.other_ca)}).expect(77)
    assert re.search("certificate", process.stderr), process.describe()


def test_system_certificates_need_verification(tls_db, certificates, embark):
    url = tls_db.url_as(host="localhost", query="sslrootcert=system&sslmode=require")
    process = embark.run("true", env={"DATABASE_URL": url, "SSL_CERT_FILE": str(certificates.ca)}).expect(78)
    assert "verify-full" in process.stderr
