"""What the browser is served: [bundle], on trees of our own and on what real bundlers build."""

import gzip
import os
import re
import subprocess
import threading
import time

import pytest

from support import bundles
from support.image import write
from support.process import asan, need_root

API = "https://api.example.com"


@pytest.fixture
def bundle(embark, folder):
    """bundle(code, pattern…, keys): `embark check` on the folder dist."""
    (folder / "dist").mkdir()

    def run(code, *patterns, keys="", env=None, command=("check",), **how):
        return embark.run(*command, config=f"[bundle]\ndir = dist\n{keys}", env=env, **how).expect(code, *patterns)

    return run


# --- what real bundlers build

def test_vite_without_the_build_argument(bundle, folder):
    bundles.vite(folder / "dist" / "site")
    keys = "inlined = VITE_API_URL\nforbid = localhost:3000\n"
    bundle(73, rf'bundle: inlined VITE_API_URL: is "{API}", and the bundle does not hold that; "http://localhost:3000/items" seems to '
               r"be in its place: dist/site/assets/index-\S+\.js: .*fetch\(`http://localhost:3000/items`\)",
           rf"hint: values are inlined when the bundle is built.*--build-arg VITE_API_URL={API}",
           r"bundle: forbid localhost:3000: stands in dist/site/assets/index-", r"(?m)name the hosts localhost:3000$",
           keys=keys, env={"VITE_API_URL": API})


def test_vite_with_the_build_argument(bundle, folder):
    bundles.vite(folder / "dist" / "site", VITE_API_URL=API)
    bundle(0, r"(?m)^embark: bundle: 2 files, \d+ bytes; its URLs name the hosts api\.example\.com$",
           keys="inlined = VITE_API_URL\nforbid = localhost:3000\n", env={"VITE_API_URL": API})


def test_next_without_the_build_argument(bundle, folder):
    bundles.next_static(folder / "dist" / "static")
    bundle(73, rf'inlined NEXT_PUBLIC_API_URL: is "{API}", but it was not set when the bundle was built, and the code\'s own default '
               r'"http://localhost:3000" holds: dist/static/chunks/\S+\.js: .*NEXT_PUBLIC_API_URL\|\|"http://localhost:3000"',
           rf"hint: .*docker build --build-arg NEXT_PUBLIC_API_URL={API}, and ARG NEXT_PUBLIC_API_URL before the build",
           keys="inlined = NEXT_PUBLIC_API_URL\n", env={"NEXT_PUBLIC_API_URL": API})


def test_next_with_the_build_argument(bundle, folder):
    bundles.next_static(folder / "dist" / "static", NEXT_PUBLIC_API_URL=API)
    keys = "inlined = NEXT_PUBLIC_API_URL\nforbid = localhost:3000\n"
    bundle(0, "its URLs name the hosts .*api.example.com", keys=keys, env={"NEXT_PUBLIC_API_URL": API})
    # a deployment that wants another one
    bundle(73, 'inlined NEXT_PUBLIC_API_URL: is "https://new.example.com"', "https://api.example.com", keys=keys,
           env={"NEXT_PUBLIC_API_URL": "https://new.example.com"}, command=("true",))


# Create React App and Nuxt: trees made by hand, in the layout and with the lines that react-scripts 5 and nuxt 3 leave, since their installation
# takes hundreds of megabytes.

CRA_ENV = '{NODE_ENV:"production",PUBLIC_URL:"",WDS_SOCKET_HOST:void 0,WDS_SOCKET_PATH:void 0,WDS_SOCKET_PORT:void 0,FAST_REFRESH:!0}'


def cra(folder, code):
    """build/ of react-scripts build: its DefinePlugin puts the value in the place of process.env.NAME, and an object that lacks it where it isn't
    set."""
    write(folder / "index.html", '<!doctype html><html lang="en"><head><script defer="defer" src="/static/js/main.b2f0c1d4.js"></script></head>'
          '<body><noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div></body></html>')
    write(folder / "asset-manifest.json", '{"files": {"main.js": "/static/js/main.b2f0c1d4.js"}, "entrypoints": ["static/js/main.b2f0c1d4.js"]}')
    write(folder / "static/js/main.b2f0c1d4.js", "/*! For license information please see main.b2f0c1d4.js.LICENSE.txt */\n"
          f"(()=>{{\"use strict\";var e={{}};const t={code};fetch(\"\".concat(t,\"/items\")).then((e=>e.json()))}})();\n"
          "//# sourceMappingURL=main.b2f0c1d4.js.map")
    write(folder / "static/js/main.b2f0c1d4.js.map", f'{{"version":3,"sourcesContent":["const api = \\"{API}\\" // http://localhost:3000"]}}')


def test_create_react_app(bundle, folder):
    keys = "inlined = REACT_APP_API_URL\nforbid = localhost:3000\n"
    cra(folder / "dist", f'"{API}"')
    bundle(0, "its URLs name the hosts api.example.com", keys=keys, env={"REACT_APP_API_URL": API})
    cra(folder / "dist", f'{CRA_ENV}.REACT_APP_API_URL||"http://localhost:3000"')
    bundle(73, r'inlined REACT_APP_API_URL: .*it was not set when the bundle was built, and the code\'s own default "http://localhost:3000" holds: '
           r"dist/static/js/main\.b2f0c1d4\.js", "forbid localhost:3000: stands in dist/static/js/main", keys=keys, env={"REACT_APP_API_URL": API})
    cra(folder / "dist", f"{CRA_ENV}.REACT_APP_API_URL")
    bundle(73, "it was not set when the bundle was built, so that it is undefined in the browser", keys=keys, env={"REACT_APP_API_URL": API})
    cra(folder / "dist", '"https://old.example.com"')
    bundle(73, '"https://old.example.com" seems to be in its place: dist/static/js/main', keys=keys, env={"REACT_APP_API_URL": API})


def nuxt(folder, value, slash="/"):
    """.output/public of nuxt generate: a page's runtime configuration is in the page, and not in the scripts."""
    for name in ("index.html", "200.html", "404.html"):
        write(folder / name, '<!DOCTYPE html><html><head><script type="module" src="/_nuxt/DlAUqK2U.js" crossorigin></script></head><body><div id="__nuxt">'
              '</div><script>window.__NUXT__={};window.__NUXT__.config={public:{apiBase:"%s"},app:{baseURL:"/",buildId:"0b9f",buildAssetsDir:"/_nuxt/",'
              'cdnURL:""}}</script></body></html>' % value.replace("/", slash))
    write(folder / "_payload.json", '[{"data":1,"prerenderedAt":2},["ShallowReactive",3],1732460000000,{}]')
    write(folder / "_nuxt/DlAUqK2U.js", "const t=useRuntimeConfig().public.apiBase;$fetch(`${t}/items`);")


def test_nuxt(bundle, folder):
    keys = "inlined = NUXT_PUBLIC_API_BASE\nforbid = localhost:3000\n"
    for slash in ("/", r"\u002F"):
        nuxt(folder / "dist", API, slash)
        bundle(0, keys=keys, env={"NUXT_PUBLIC_API_BASE": API})
    nuxt(folder / "dist", "http://localhost:3000")
    bundle(73, rf'inlined NUXT_PUBLIC_API_BASE: is "{API}", and the bundle does not hold that; "http://localhost:3000" seems to be in its place: dist/',
           "forbid localhost:3000: stands in dist/",
           keys=keys, env={"NUXT_PUBLIC_API_BASE": API})


# --- inlined

def test_not_set_is_not_judged(bundle, folder):
    write(folder / "dist/a.js", "x")
    bundle(0, keys="inlined = API_URL\n")
    bundle(0, keys="inlined = API_URL\n", env={"API_URL": ""})
    process = bundle(0, r'inlined API_URL: is "1", which is too short .*it isn\'t judged', keys="inlined = API_URL\n", env={"API_URL": "1"})
    assert "hosts" not in process.stderr


@pytest.mark.parametrize("text, said", [
    ('x={BASE:"/",API_URL:"http://old.example.com"}', 'but the bundle was built with "http://old.example.com": dist/a.js: '),
    ("fetch(process.env.API_URL)", "it was not set when the bundle was built, so that it is undefined in the browser: dist/a.js"),
    ("fetch('http://127.0.0.1:8000/items')", 'does not hold that; "http://127.0.0.1:8000/items" seems to be in its place: dist/a.js'),
    ("fetch('https://staging.example.com/x')", '"https://staging.example.com/x" seems to be in its place'),
    ("nothing of the kind http://www.w3.org/2000/svg", r"what it holds in its place can't be told \(1 file looked at\)"),
])
def test_what_stands_in_its_place(bundle, folder, text, said):
    write(folder / "dist/a.js", "x" * 300000 + text + "y" * 300000)
    bundle(73, rf'inlined API_URL: is "{API}".*{said}.*\(.*embark1.ini:3\)', keys="inlined = API_URL\n", env={"API_URL": API})


@pytest.mark.parametrize("spelling", ["https://a.example/?x=1&y=2", r"https:\/\/a.example\/?x=1&y=2", r"https://a.example/?x=1\u0026y=2",
                                      "https://a.example/?x=1&amp;y=2"])
@pytest.mark.parametrize("before", [0, 1, 256 * 1024 - 10, 256 * 1024 + 1500])
def test_spellings_and_places(bundle, folder, spelling, before):
    """Also where two blocks meet."""
    write(folder / "dist/a.js", ";" * before + spelling + ";" * 10)
    bundle(0, keys="inlined = API_URL\n", env={"API_URL": "https://a.example/?x=1&y=2"})


def test_a_password_in_a_value_is_not_shown(bundle, folder):
    write(folder / "dist/a.js", "x")
    process = bundle(73, keys="inlined = API_URL\n", env={"API_URL": "https://user:hunter2-secret@api.example.com"})
    assert "hunter2-secret" not in process.stderr


def test_at_start_and_skipped(bundle, folder):
    write(folder / "dist/a.js", 'fetch("http://localhost:3000")')
    keys = "forbid = localhost:3000\n"
    process = bundle(73, "forbid localhost:3000", keys=keys, command=("echo", "served"))
    assert process.stdout == ""
    process = bundle(0, keys=keys, command=("echo", "served"), env={"EMBARK_SKIP": "check"})
    assert process.stdout == "served\n"


def test_requirements_come_first(embark, folder):
    write(folder / "dist/a.js", "localhost:3000")
    embark.run("check", config="[bundle]\ndir = dist\nforbid = localhost:3000\n[require]\nfile = nowhere\n").expect(
        72, r"(?s)file nowhere.*forbid localhost:3000")


def test_a_missing_folder(embark, folder):
    (folder / "Dist").mkdir()
    (folder / "empty").mkdir()
    write(folder / "file")
    process = embark.run("check", config="[bundle]\ndir = dist\n  empty\n  file\ninlined = API_URL\n", env={"API_URL": API}).expect(
        72, rf"bundle: dir dist: does not exist; the nearest existing parent is {folder}, which holds Dist/", "hint: COPY",
        "dir empty: holds no file", "dir file: is a file, not a directory")
    assert "inlined" not in process.stderr


def test_keys_without_a_folder(embark):
    embark.run("true", config="[bundle]\nforbid = x\n").expect(78, r"embark1.ini:2: \[bundle\] forbid needs a dir")


# --- forbid

def test_forbidden_text_and_how_often(bundle, folder):
    for name in ("b", "a", "c/d"):
        write(folder / f"dist/{name}.js", f'/* {name} */fetch("http://localhost:3000/x")')
    bundle(73, r'forbid localhost:3000: stands in dist/a\.js \(and in 2 more files\): /\* a \*/fetch\("http://localhost:3000/x"\) \(',
           keys="forbid = localhost:3000\n")


def test_twins_and_source_maps(bundle, folder):
    """A stale twin is the server's matter; one without its original can't be looked into."""
    text = b'fetch("http://localhost:3000")'
    for name in ("a.js.gz", "a.js.br", "a.js.map"):
        (folder / "dist" / name).write_bytes(text)
    write(folder / "dist/a.js", "fine")
    bundle(0, "bundle: 1 file, ", keys="forbid = localhost:3000\n")
    (folder / "dist/lonely.js.gz").write_bytes(gzip.compress(text))
    bundle(0, "1 compressed file without an original beside it can't be looked into", keys="forbid = localhost:3000\n")


def test_hosts(bundle, folder):
    write(folder / "dist/a.js", 'a("https://api.example.com/v1"),b("wss://live.example.com:8443/s"),a("https://api.example.com/v2"),'
          'c("http://www.w3.org/2000/svg"),d(`https://${host}/x`),e("http://n")')
    bundle(0, r"(?m)its URLs name the hosts api\.example\.com, live\.example\.com:8443$")
    process = bundle(0, command=("true",))
    assert "hosts" not in process.stderr


# --- hostile trees

def test_links_are_not_followed(bundle, folder):
    write(folder / "outside/secret.js", "localhost:3000")
    write(folder / "dist/a.js", "fine")
    dist = folder / "dist"
    (dist / "out").symlink_to("../outside")
    (dist / "file.js").symlink_to("../outside/secret.js")
    (dist / "loop").symlink_to("loop")
    (dist / "up").symlink_to(".")
    (dist / "broken").symlink_to("/nowhere")
    bundle(0, "bundle: 1 file, ", keys="forbid = localhost:3000\n")


def test_the_folder_itself_may_be_a_link(bundle, folder):
    (folder / "dist").rmdir()
    write(folder / "real/a.js", "localhost:3000")
    (folder / "dist").symlink_to("real")
    bundle(73, r"stands in dist/a\.js", keys="forbid = localhost:3000\n")


def test_fifos_devices_and_sockets_are_not_opened(bundle, folder):
    import socket
    write(folder / "dist/a.js", "fine")
    os.mkfifo(folder / "dist/fifo.js")
    one = socket.socket(socket.AF_UNIX)
    one.bind(str(folder / "dist/socket"))
    if os.geteuid() == 0:
        os.mknod(folder / "dist/zero", 0o600 | 0o020000, os.makedev(1, 5))
    opened = []
    # a reader that opened the FIFO would let this writer through
    def writer():
        try:
            fd = os.open(folder / "dist/fifo.js", os.O_WRONLY | os.O_NONBLOCK)
            opened.append(fd)
        except OSError:
            pass
    bundle(0, "bundle: 1 file, ", keys="forbid = localhost:3000\n")
    writer()
    one.close()
    assert not opened


def test_nothing_but_regular_files_is_opened(bundle, folder, embark):
    write(folder / "dist/a.js", "fine")
    os.mkfifo(folder / "dist/fifo.js")
    (folder / "dist/link.js").symlink_to("a.js")
    log = folder / "strace"
    bundle(0, env={"ASAN_OPTIONS": "detect_leaks=0"}, prefix=["strace", "-f", "-e", "trace=open,openat", "-o", str(log)])
    text = log.read_text()
    assert '"a.js"' in text and '"fifo.js"' not in text and '"link.js"' not in text


def test_names_of_any_bytes(bundle, folder):
    with open(os.path.join(os.fsencode(folder), b"dist", b"new\nline\x1b[31m\xff.js"), "w") as f:
        f.write("localhost:3000")
    bundle(73, r"stands in dist/new\\nline\\x1b\[31m\\xff\.js: localhost:3000 \(", keys="forbid = localhost:3000\n")


def test_contents_of_any_bytes(bundle, folder):
    (folder / "dist/a.js").write_bytes(bytes(range(256)) * 50 + b"\xff\x1b[31mlocalhost:3000\0\0" + bytes(range(256)))
    process = bundle(73, r"stands in dist/a\.js: ", keys="forbid = localhost:3000\n")
    assert "\x1b" not in process.stderr


def test_unreadable_folders_and_files(bundle, folder):
    need_root("becoming another user")
    write(folder / "dist/a.js", "fine")
    write(folder / "dist/private.js", "localhost:3000", 0o600)
    write(folder / "dist/locked/b.js", "localhost:3000")
    (folder / "dist/locked").chmod(0o700)
    bundle(0, "can't look at 2 files and folders: dist/.*: Permission denied, …", keys="forbid = localhost:3000\n", user="nobody")


def test_deep_folders(bundle, folder):
    path = os.fsencode(folder / "dist")
    here = os.open(path, os.O_RDONLY)
    for _ in range(600):
        os.mkdir(b"d" * 20, dir_fd=here)
        inner = os.open(b"d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    write(folder / "dist/a.js", "fine")
    bundle(0, "can't look at dist/.*: is nested too deeply", "bundle: 1 file, ", keys="forbid = localhost:3000\n")
    subprocess.run(["rm", "-rf", path], check=True)


def test_many_files(bundle, folder):
    for i in range(100):
        inner = folder / "dist" / str(i)
        inner.mkdir()
        for k in range(1000):
            os.close(os.open(inner / str(k), os.O_CREAT | os.O_WRONLY))
    (folder / "dist/99/999").write_text("localhost:3000")
    started = time.monotonic()
    bundle(73, "bundle: 100000 files", r"stands in dist/99/999", keys="forbid = localhost:3000\n", timeout=120)
    print(f"100,000 files: {time.monotonic() - started:.2f} s")


def test_a_file_that_shrinks_and_grows(bundle, folder):
    path = folder / "dist/a.js"
    path.write_bytes(b"x" * 30_000_000)
    stop = threading.Event()

    def change():
        while not stop.is_set():
            os.truncate(path, 1000)
            os.truncate(path, 30_000_000)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(10):
            bundle(0, "bundle: 1 file, ", keys="forbid = localhost:3000\n")
    finally:
        stop.set()
        thread.join()


def test_no_look_is_without_an_end(folder, bundle):
    """What was not looked at is not taken for good."""
    write(folder / "dist/a.js")
    os.truncate(folder / "dist/a.js", 40 << 30)    # sparse
    bundle(72, "bundle: the folders hold more than 4 GiB: not all of it was looked at", keys="forbid = localhost:3000\n", timeout=120)


def test_a_signal_ends_a_long_look(embark, folder, bundle):
    write(folder / "dist/a.js")
    os.truncate(folder / "dist/a.js", 40 << 30)    # sparse: it would be read for a while
    process = embark("true", config="[bundle]\ndir = dist\n")
    time.sleep(0.3)
    started = time.monotonic()
    process.popen.terminate()
    process.expect(143, timeout=15 if asan() else 5)
    assert re.search("stopped by SIGTERM", process.stderr)
    print(f"{time.monotonic() - started:.2f} s")


# --- URLs of the browser's own machine, which nobody has forbidden

def test_a_port_of_the_own_machine_is_a_warning(bundle, folder):
    write(folder / "dist" / "b.js", "fetch(`http://localhost:8000/items`)")
    write(folder / "dist" / "a.js", "fetch('http://127.0.0.1:3000')+fetch('http://localhost:8000')")
    bundle(0, r"bundle: localhost:8000 is a port of the browser's own machine, and stands in dist/a\.js \(and in 1 more file\): .*localhost:8000",
           r"bundle: 127\.0\.0\.1:3000 is a port", r"hint: as a rule it is the default of a variable that was not set when the bundle was "
           r"built: set it there, and name it in \[bundle\] inlined; forbid = localhost:8000 makes this an error")
    said = bundle(73, "forbid localhost:8000: stands in dist/a.js", keys="forbid = localhost:8000\n").stderr
    assert "localhost:8000 is a port" not in said and "127.0.0.1:3000 is a port" in said


def test_a_port_of_the_own_machine_that_is_meant(bundle, folder):
    """A variable's value of this run names it, a library's placeholder has no port, and a start says nothing."""
    write(folder / "dist" / "a.js", "fetch('http://localhost:8000/items');new URL(e,'http://localhost')")
    env = {"VITE_API": "http://localhost:8000"}
    assert "is a port" not in bundle(0, keys="inlined = VITE_API\n", env=env).stderr
    assert "is a port" not in bundle(0, command=("true",)).stderr


# --- How a variable is read, and which value is whose

@pytest.mark.parametrize("text", ["let{NEXT_PUBLIC_API:e,NEXT_PUBLIC_B:t}=n.env;f(e)", "const { NEXT_PUBLIC_API } = process.env;",
                                  "var{NEXT_PUBLIC_B:t,NEXT_PUBLIC_API:e}=r(7).env"])
def test_a_destructured_variable(bundle, folder, text):
    """The build may have had it: another build changes nothing."""
    write(folder / "dist" / "a.js", text)
    said = bundle(73, rf'inlined NEXT_PUBLIC_API: is "{API}", but the code takes it out of process\.env with others',
                  r"hint: write process\.env\.NEXT_PUBLIC_API out where it is used: only that is replaced",
                  keys="inlined = NEXT_PUBLIC_API\n", env={"NEXT_PUBLIC_API": API}).stderr
    assert "--build-arg" not in said
    write(folder / "dist" / "a.js", f'f("{API}")')
    bundle(0, keys="inlined = NEXT_PUBLIC_API\n", env={"NEXT_PUBLIC_API": API})


@pytest.mark.parametrize("text", ['let k="NEXT_PUBLIC_API";f(n.env[k])', "g('NEXT_PUBLIC_API')"])
def test_a_computed_variable(bundle, folder, text):
    write(folder / "dist" / "a.js", text)
    bundle(73, r"but the code reads it by a name that it has in a variable \(process\.env\[name\]\), which no bundler inlines",
           "hint: write process.env.NEXT_PUBLIC_API out", keys="inlined = NEXT_PUBLIC_API\n", env={"NEXT_PUBLIC_API": API})


def test_a_variable_of_the_server_only(bundle, folder):
    write(folder / ".next" / "static" / "a.js", "f()")
    write(folder / ".next" / "server" / "app" / "page.js", "fetch(process.env.SECRET_API)")
    write(folder / "dist" / "a.js")
    said = bundle(73, r"hint: only the server's code has it \(\.next/server/app/page\.js\), and reads it at run time: take SECRET_API out of inlined",
                  keys="dir = .next/static\ninlined = SECRET_API\n", env={"SECRET_API": API}).stderr
    assert "--build-arg" not in said
    bundle(0, keys="dir = .next/static\n", env={"SECRET_API": API})     # the hint, followed


def test_the_value_in_the_place_is_the_variables_own(bundle, folder):
    """Of two variables each gets the URL that is like its own, by host and path."""
    write(folder / "dist" / "a.js", 'f("http://localhost:3000");g("http://localhost:8000/api/v1/items")')
    keys = "inlined = VITE_SITE VITE_API\n"
    bundle(73, r'VITE_SITE: .*"http://localhost:3000" seems to be in its place', r'VITE_API: .*"http://localhost:8000/api/v1/items" seems',
           keys=keys, env={"VITE_SITE": "https://www.example.com", "VITE_API": "https://api.example.com/api/v1"})
    # what is another's value stands in nobody's place
    write(folder / "dist" / "a.js", 'f("https://www.example.com/x")')
    said = bundle(73, r"VITE_API: .*what it holds in its place can't be told", keys=keys,
                  env={"VITE_SITE": "https://www.example.com", "VITE_API": "https://api.example.com/api/v1"}).stderr
    assert "VITE_SITE" not in said
    # and where two are as likely, both are named
    write(folder / "dist" / "a.js", 'f("http://localhost:3000");g("http://localhost:8000")')
    bundle(73, r'VITE_API: .*"http://localhost:[38]000" or "http://localhost:[83]000" seems to be in its place', keys="inlined = VITE_API\n",
           env={"VITE_API": "https://api.example.com"})


@pytest.mark.parametrize("value, text, code", [
    ("https://api.exam", 'f("https://api.example.com")', 73), ("https://api.example.com", 'f("https://api.example.com:8443/x")', 73),
    ("api.example.com", 'f("https://my-api.example.com")', 73), ("https://api.example.com/v1", 'f("https://api.example.com/v12")', 73),
    ("api.example.com", 'f("https://api.example.com/x")', 0), ("https://api.example.com", "f(`https://api.example.com/items`)", 0),
    ("https://api.example.com", "see https://api.example.com.", 0), ("production", 'm("production")', 0), ("production", 'm("preproduction")', 73),
    ("https://api.example.com:8443", 'f("https://api.example.com:8443")', 0)])
def test_values_are_compared_whole(bundle, folder, value, text, code):
    write(folder / "dist" / "a.js", text)
    bundle(code, keys="inlined = VITE_API\n", env={"VITE_API": value})


@pytest.mark.parametrize("value, text, said", [("https://api.example.com", 'f("https://api.example.com/")', "with"),
                                               ("https://api.example.com/", 'f("https://api.example.com")', "without")])
def test_a_slash_at_the_end_is_said(bundle, folder, value, text, said):
    write(folder / "dist" / "a.js", text)
    bundle(0, rf'inlined VITE_API: is "{value}", and the bundle holds it {said} a slash at the end', keys="inlined = VITE_API\n",
           env={"VITE_API": value})
