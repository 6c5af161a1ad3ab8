"""Certificates for servers with TLS, by the openssl command: good, for another host, expired, and of an unknown authority."""

import subprocess


def openssl(*words, cwd):
    done = subprocess.run(["openssl", *map(str, words)], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {' '.join(map(str, words))}\n{done.stderr}"


class Authority:
    def __init__(self, folder, name):
        self.folder = folder / name
        self.folder.mkdir(mode=0o755)
        self.cert = self.folder / "ca.crt"
        self.key = self.folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 3650, "-subj",
                f"/CN=embark test {name}", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", self.key, "-out", self.cert,
                cwd=self.folder)
        (self.folder / "index").write_text("")
        (self.folder / "serial").write_text("01\n")
        (self.folder / "ca.conf").write_text(
            "[ca]\ndefault_ca = it\n[it]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n"
            "policy = any\ncopy_extensions = copy\nunique_subject = no\n[any]\ncommonName = supplied\n")

    def issue(self, name, alternatives, start="20200101000000Z", end="20491231235959Z"):
        """(certificate, key) for a host; `alternatives` as in subjectAltName."""
        key, request, cert = (self.folder / f"{name}.{suffix}" for suffix in ("key", "csr", "crt"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={alternatives}", "-keyout", key, "-out", request, cwd=self.folder)
        openssl("ca", "-batch", "-config", "ca.conf", "-in", request, "-out", cert, "-keyfile", self.key, "-cert", self.cert,
                "-startdate", start, "-enddate", end, "-notext", cwd=self.folder)
        key.chmod(0o600)
        return cert, key


class Certificates:
    def __init__(self, folder):
        authority = self.authority = Authority(folder, "authority")
        self.other_authority = Authority(folder, "stranger")
        self.good = authority.issue("localhost", "DNS:localhost,IP:127.0.0.1")
        self.wrong_host = authority.issue("db.example.org", "DNS:db.example.org")
        self.expired = authority.issue("localhost-expired", "DNS:localhost,IP:127.0.0.1", end="20210101000000Z")

    @property
    def ca(self):
        return str(self.authority.cert)

    @property
    def other_ca(self):
        return str(self.other_authority.cert)
