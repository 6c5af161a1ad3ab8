"""Images that lack things: a C library, a shell, everything."""

import pytest
from conftest import service_image

KINDS = {  # base image, and the C library of its service
    "debian": ("embark-test/base", "glibc"),
    "debian, static": ("embark-test/base", "none"),
    "musl": ("embark-test/musl", "musl"),
    "musl, static": ("embark-test/musl", "none"),
    "scratch": ("scratch", "none"),
}
CHECKED = """
RUN ["/embark", "check", "/service", "8000"]
USER 65534:65534
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_start(boxes, embark_image, services, db, tmp_path, kind):
    base, libc = KINDS[kind]
    (tmp_path / "1_one.sql").write_text("CREATE TABLE one (n int);\n")
    image = service_image(boxes, embark_image, services, base, libc)
    checked, _ = boxes.build(tmp_path, dockerfile=f"FROM {image}\n{CHECKED}COPY 1_one.sql /migrations/\n")
    service = boxes.run(checked, env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_SQL": "/migrations"})
    assert service.serves() == "served\n"
    service.says("1_one.sql")


def test_a_shell_of_busybox(boxes, embark_image, services):
    image = service_image(boxes, embark_image, services, "embark-test/musl", "musl")
    done = boxes.run_to_end(image, "sh", "-c", "echo $0; exit 3").expect(3)
    assert done.stdout == "sh\n"


@pytest.mark.parametrize("base, libc, what", [("embark-test/musl", "glibc", "ld-linux"), ("embark-test/base", "musl", "ld-musl"),
                                              ("scratch", "glibc", "ld-linux")])
def test_the_other_c_library(boxes, embark_image, services, tmp_path, base, libc, what):
    """What shells and Docker call `not found`, of a file that is there; at build time, and at run time."""
    image = service_image(boxes, embark_image, services, base, libc)
    done = boxes.run_to_end(image).expect(127, what, "hint: ")
    _, failed = boxes.build(tmp_path, dockerfile=f"FROM {image}\n{CHECKED}", code=None)
    assert failed.code != 0 and what in failed.output and "embark: check: " in failed.output, failed.describe()
    assert len(done.output.splitlines()) <= 3


def test_distroless(boxes, embark_image, db, tmp_path):
    """An interpreter without a shell: modules are looked up and imported, and a service is started."""
    (tmp_path / "embark.ini").write_text("[require]\nmodule = python: http.server, json\nimport = python: ssl\n")
    image, _ = boxes.build(tmp_path, dockerfile=f"""
FROM embark-test/distroless
COPY --from={embark_image} /embark /embark
COPY embark.ini /app/
WORKDIR /app
USER 65534:65534
RUN ["/embark", "check"]
ENTRYPOINT ["/embark"]
CMD ["python3", "-m", "http.server", "8000"]
""")
    service = boxes.run(image, env={"DATABASE_URL": db.url})
    assert "embark.ini" in service.serves()
    boxes.run_to_end(image, "sh").expect(127, "sh", "hint: ")


def test_distroless_without_the_module(boxes, embark_image, tmp_path):
    (tmp_path / "embark.ini").write_text("[require]\nmodule = python: nowhere\n")
    _, done = boxes.build(tmp_path, code=None, dockerfile=f"""
FROM embark-test/distroless
COPY --from={embark_image} /embark /embark
COPY embark.ini /etc/
RUN ["/embark", "check"]
""")
    assert done.code != 0 and "nowhere" in done.output, done.describe()
