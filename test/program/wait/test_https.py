"""https: of [wait] http and of embark health; redirects, request headers, and the text that an answer must hold."""

import http.server
import shutil
import ssl
import subprocess
import threading

import pytest

from support.process import PATH, asan, need_root
from support.waiting import eventually
from test_binary import relro


class Web:
    """An HTTP server on 127.0.0.1; with `certificate`, over TLS. `answers` maps paths to (status, headers, body)."""

    def __init__(self, certificate=None, key=None, name="localhost"):
        self.asked, self.names, self.answers = [], [], {"/": (200, {}, b"fine")}
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web.asked.append((self.path, dict(self.headers)))
                status, headers, body = web.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for header, value in headers.items():
                    self.send_header(header, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            context.sni_callback = lambda sock, asked, _: self.names.append(asked)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://{name}:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def web(certificates):
    made = []

    def start(tls=True, kind="good", **how):
        files = getattr(certificates, kind) if tls else ()
        made.append(Web(*files, **how))
        return made[-1]

    yield start
    for one in made:
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def waiting(embark):
    def run(url, keys="", timeout="10s", **how):
        return embark.run("wait", config=f"[wait]\nhttp = {url}\ntimeout = {timeout}\n{keys}", **how)
    return run


@pytest.fixture
def health(embark):
    def run(url, keys="", **how):
        need_root("a mount namespace")  # of its own, so that other tests' starts aren't seen
        return embark.run("health", url, config=f"[health]\ntimeout = 8s\n{keys}", prefix=("unshare", "--mount", "--"), **how)
    return run


# --- certificates

def test_an_authority_of_a_file(waiting, health, web, certificates):
    server = web()
    waiting(server.url, f"tls_ca = {certificates.ca}\n").expect(0, "ready in")
    health(server.url, f"tls_ca = {certificates.ca}\n").expect(0, "healthy: .*answers 200")
    assert set(server.names) == {"localhost"}
    assert {headers["Host"] for _, headers in server.asked} == {f"localhost:{server.port}"}


def test_the_systems_authorities(waiting, web, certificates):
    server = web()
    waiting(server.url, env={"SSL_CERT_FILE": str(certificates.ca)}).expect(0)


def test_an_authority_that_nobody_knows(waiting, health, web):
    server = web()
    waiting(server.url, timeout="1s").expect(69, "certificate is not accepted: ", "hint: tls_ca = FILE")
    health(server.url).expect(1, "certificate is not accepted")
    assert server.asked == []


@pytest.mark.parametrize("kind", ["wrong_host", "expired"])
def test_a_certificate_that_is_not_right(waiting, web, certificates, kind):
    server = web(kind=kind)
    said = {"wrong_host": "hostname mismatch", "expired": "certificate has expired"}[kind]
    waiting(server.url, f"tls_ca = {certificates.ca}\n", timeout="1s").expect(69, f"certificate is not accepted: {said}")
    assert server.asked == []


def test_an_address(waiting, web, certificates):
    server = web(name="127.0.0.1")
    waiting(server.url, f"tls_ca = {certificates.ca}\n").expect(0)
    assert server.names == [None]


def test_any_certificate_if_told_so(waiting, health, web):
    server = web()
    waiting(server.url, "tls_verify = no\n").expect(0)
    health(server.url, "tls_verify = no\n").expect(0)


def test_a_file_that_holds_no_certificates(waiting, health, web, folder):
    (folder / "ca.pem").write_text("nothing\n")
    server = web()
    waiting(server.url, f"tls_ca = {folder}/ca.pem\n").expect(78, "can't be read as certificates")
    health(server.url, f"tls_ca = {folder}/absent.pem\n").expect(1, "absent.pem can't be read as certificates")


# --- peers

def test_a_plain_server(waiting, web):
    server = web(tls=False)
    waiting(server.url.replace("http:", "https:"), "tls_verify = no\n", timeout="1s").expect(69, "no TLS connection", "plain http://")


def test_a_server_that_says_nothing(health, listener):
    peer = listener("silent")
    health(f"https://127.0.0.1:{peer.port}/", "tls_verify = no\n", env={"EMBARK_HEALTH_TIMEOUT": "1s"}).expect(
        1, "does not complete the TLS handshake")


@pytest.mark.parametrize("behaviour", ["close", "reset", b"\0" * 300], ids=["close", "reset", "zeroes"])
def test_a_server_that_is_none(health, listener, behaviour):
    peer = listener(behaviour)
    health(f"https://127.0.0.1:{peer.port}/", "tls_verify = no\n").expect(1, f"127.0.0.1:{peer.port}")


def test_a_large_answer(health, web, certificates):
    server = web()
    server.answers["/"] = (200, {}, b"x" * 60_000 + b"END")
    health(server.url, f"tls_ca = {certificates.ca}\ntext = END\n").expect(0)


def test_as_curl_judges(waiting, web, certificates):
    server = web()
    for keys, options in ((f"tls_ca = {certificates.ca}\n", ["--cacert", certificates.ca]), ("", []), ("tls_verify = no\n", ["-k"])):
        ours = waiting(server.url, keys, timeout="1s").popen.returncode
        curl = subprocess.run([shutil.which("curl", path=PATH), "-fsS", *options, server.url], capture_output=True).returncode
        assert (ours == 0) == (curl == 0), (keys, ours, curl)


# --- redirects, headers, text

def test_redirects_are_followed_if_asked(waiting, health, web, certificates):
    target = web()
    target.answers["/health"] = (200, {}, b"all is well")
    server = web(tls=False)
    server.answers |= {"/": (302, {"Location": "/a/b"}, b""), "/a/b": (307, {"Location": "c"}, b""),
                       "/a/c": (301, {"Location": f"{target.url}/health"}, b"")}
    keys = f"tls_ca = {certificates.ca}\nredirects = yes\ntext = all is well\nheader = Authorization: Bearer Zq9-token\n"
    waiting(server.url, keys).expect(0)
    health(server.url, keys).expect(0)
    assert [path for path, _ in server.asked] == ["/", "/a/b", "/a/c"] * 2
    assert all(headers["Authorization"] == "Bearer Zq9-token" for _, headers in server.asked)
    assert [path for path, _ in target.asked] == ["/health"] * 2
    assert not any("Authorization" in headers for _, headers in target.asked), "it was for another server"


def test_redirects_are_not_followed_by_themselves(waiting, health, web):
    server = web(tls=False)
    server.answers["/"] = (302, {"Location": "/other"}, b"")
    waiting(server.url).expect(0)
    health(server.url).expect(0, "answers 302")
    assert {path for path, _ in server.asked} == {"/"}


def test_redirects_in_circles(health, web):
    server = web(tls=False)
    server.answers["/"] = (302, {"Location": "/"}, b"")
    health(server.url, "redirects = yes\n").expect(1, "redirects more than 10 times")
    assert len(server.asked) == 11


def test_a_redirect_to_what_is_no_url(health, web):
    server = web(tls=False)
    server.answers["/"] = (302, {"Location": "ftp://nowhere/"}, b"")
    health(server.url, "redirects = yes\n").expect(1, "answers 302 and sends to an address that embark can't ask")


def test_headers_are_sent_and_not_shown(waiting, web):
    server = web(tls=False)
    server.answers["/"] = (503, {}, b"")
    done = waiting(server.url, "header = X-Api-Key: Zq9-geheim-1\n  Accept: application/json\n", timeout="1s",
                   env={"EMBARK_LOG_LEVEL": "debug"}).expect(69, "answers 503")
    assert "Zq9-geheim-1" not in done.stderr
    _, headers = server.asked[0]
    assert headers["X-Api-Key"] == "Zq9-geheim-1" and headers["Accept"] == "application/json" and headers["User-Agent"] == "embark"


def test_a_text_is_waited_for(waiting, web):
    server = web(tls=False)
    server.answers["/"] = (200, {}, b'{"status": "starting"}')
    done = waiting(server.url, 'text = "status": "ready"\n', timeout="1s").expect(69, 'answers 200, but without ""status": "ready""')
    assert done.popen.returncode == 69
    server.answers["/"] = (200, {}, b'{"status": "ready"}')
    waiting(server.url, 'text = "status": "ready"\n').expect(0)


@pytest.mark.skipif(asan(), reason="the sanitizer build has a dynamic linker")
def test_tables_that_were_relocated_late_are_read_only(embark, web, certificates):
    """OpenSSL's, at its first use."""
    server = web()
    server.answers["/"] = (503, {}, b"")
    process = embark("true", config=f"[wait]\nhttp = {server.url}/\ntls_ca = {certificates.ca}\n")
    eventually(lambda: len(server.asked) > 1, what="it to be asked by TLS")
    assert relro(process.pid) == {"r--p"}
