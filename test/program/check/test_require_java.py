"""[require] module = java: …: classes in jars that a real jar tool made."""

import os
import subprocess
import zipfile

import pytest

from support.image import check, lines, write  # noqa: F401 - check is a fixture

SYSTEM = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def jar(path, *classes, compression=zipfile.ZIP_DEFLATED, files=(), prefix=b""):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        out.write(prefix)
        with zipfile.ZipFile(out, "w", compression) as archive:
            archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
            for name in classes:
                archive.writestr(name.replace(".", "/") + ".class", b"\xca\xfe\xba\xbe")
            for name, data in files:
                archive.writestr(name, data)
    return path


@pytest.fixture
def compiled(folder):
    """A class by javac, in a jar by jar."""
    write(folder / "src" / "org" / "acme" / "Driver.java", "package org.acme; public class Driver { static class Inner {} }\n")
    subprocess.run(["javac", "-d", "classes", "src/org/acme/Driver.java"], cwd=folder, check=True)
    subprocess.run(["jar", "cf", "driver.jar", "-C", "classes", "org"], cwd=folder, check=True)
    return folder / "driver.jar"


def test_jars_of_the_real_tool(check, compiled, folder):
    check("module = java: org.acme.Driver, org.acme.Driver$Inner\n", 0)
    process = check("module = java: org.acme.Diver, org.acme.driver\n", 72, r"module org\.acme\.Diver: no such class; looked in driver\.jar",
                    "hint: see that the build has it as a runtime dependency")
    assert len(lines(process)) == 2
    (folder / "lib").mkdir()
    compiled.rename(folder / "lib" / "driver.jar")
    check("module = java: org.acme.Driver\n", 0)


@pytest.mark.parametrize("words, code", [
    (["java", "-jar", "driver.jar"], 0), (["java", "-Xmx1g", "-cp", "x:driver.jar", "Main"], 0), (["java", "-cp", "classes", "Main"], 0),
    (["java", "-cp", "*", "Main"], 0), (["sh", "-c", "exec java -jar driver.jar"], 0), (["java", "--class-path=driver.jar", "Main"], 0),
    (["java", "-cp", "src", "Main"], 72), (["java", "--add-opens", "a/b=c", "-cp", "/nowhere/x.jar", "-jar", "driver.jar"], 0)])
def test_the_class_path_of_the_command(check, compiled, words, code):
    check("module = java: org.acme.Driver\n", code, words=["--", *words], env=SYSTEM)


def test_classpath_variable(check, compiled, folder):
    (folder / "far").mkdir()
    compiled.rename(folder / "far" / "driver.jar")
    check("module = java: org.acme.Driver\n", 72)
    check("module = java: org.acme.Driver\n", 0, env={**SYSTEM, "CLASSPATH": f"{folder}/far/*"})


def test_spring_boot(check, folder):
    """The service's classes in BOOT-INF/classes, libraries as stored jars in BOOT-INF/lib; a shell script in front."""
    inner = jar(folder / "inner" / "pg.jar", "org.postgresql.Driver").read_bytes()
    (folder / "inner" / "pg.jar").unlink()
    files = [("BOOT-INF/lib/pg.jar", inner)]
    for prefix in (b"", b"#!/bin/sh\nexec java -jar $0\n"):
        jar(folder / "app.jar", "BOOT-INF/classes/com.acme.App", compression=zipfile.ZIP_STORED, files=files, prefix=prefix)
        check("module = java: org.postgresql.Driver, com.acme.App\n", 0)
        check("module = java: org.mysql.Driver\n", 72, "org.mysql.Driver: no such class")
    jar(folder / "app.jar", "BOOT-INF/classes/com.acme.App", files=files)
    check("module = java: org.postgresql.Driver, com.acme.App\n", 0, "module org.postgresql.Driver: not judged: a jar holds jars that are compressed")


def test_libraries_beside_an_executable_jar(check, folder):
    jar(folder / "target" / "app.jar", "com.acme.App")
    jar(folder / "target" / "lib" / "pg.jar", "org.postgresql.Driver")
    process = check("module = java: com.acme.App, org.postgresql.Driver\n", 0,
                    r"module org\.postgresql\.Driver: is not judged: it is in a jar beside target/app\.jar, whose Class-Path .* doesn't name it",
                    words=["--", "java", "-jar", "target/app.jar"], env=SYSTEM)
    assert len(lines(process)) == 1


def real_jar(folder, name, path, class_path):
    """By the jar tool, which compresses and folds the manifest."""
    (folder / "manifest").write_text("".join(f"Class-Path: {class_path[0]}\n") + "".join(f"  {one}\n" for one in class_path[1:])
                                     + "Main-Class: org.acme.Driver\n\nName: org/acme/\nClass-Path: lib/never.jar\n")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["jar", "cfm", name, "manifest", *path], cwd=folder, check=True)


def test_class_path_of_the_manifest(check, compiled, folder):
    """As the JVM follows it: from jar to jar, relative to each; what is not there is passed over, and said when it matters."""
    jar(folder / "dist" / "libraries" / "pg.jar", "org.postgresql.Driver")
    jar(folder / "dist" / "libraries" / "deep" / "x.jar", "deep.One")
    write(folder / "dist" / "conf" / "in" / "Folder.class")
    names = [f"libraries/filler-{n}.jar" for n in range(40)]
    real_jar(folder, "dist/libraries/second.jar", ["-C", "classes", "org"], ["deep/x.jar", "../app.jar"])
    real_jar(folder, "dist/app.jar", ["-C", "classes", "org"], [*names, "libraries/pg.jar", "libraries/second.jar", "conf/", "http://far.example/y.jar"])
    words = {"words": ["--", "java", "-jar", "dist/app.jar"], "env": SYSTEM}
    assert not lines(check("module = java: org.acme.Driver, org.postgresql.Driver, deep.One, in.Folder\n", 0, **words))[1:]
    check("module = java: no.Such\n", 72, r"module no\.Such: no such class; looked in dist/app\.jar, dist/libraries/pg\.jar, "
          r".*; not there: dist/libraries/filler-0\.jar \(Class-Path of dist/app\.jar\)", **words)
    (folder / "dist" / "libraries" / "pg.jar").unlink()
    check("module = java: org.postgresql.Driver\n", 72, r"not there: .*dist/libraries/filler-0\.jar", **words)
    check("module = java: org.acme.Driver, deep.One\n", 0, words=["--", "java", "-cp", "dist/libraries/second.jar", "Main"], env=SYSTEM)


def test_the_jdk_itself(check, folder):
    check("module = java: java.sql.Driver, javax.sql.DataSource\n", 0, "java.sql.Driver: the JDK's own classes are not judged")


def test_nothing_to_look_in(check, folder):
    check("module = java: a.B\n", 72, "module a.B: no such class; there is no jar in the working directory", "hint: name the service's command")
    check("module = java: a.B>=1\n", 78, "a class has no version")


def test_hostile_jars(check, folder):
    good = jar(folder / "good.jar", "a.B", *[f"p{n}.C" for n in range(500)]).read_bytes()
    (folder / "good.jar").unlink()
    write(folder / "empty.jar")
    os.mkfifo(folder / "fifo.jar")
    (folder / "folder.jar").mkdir()
    (folder / "loop.jar").symlink_to("loop.jar")
    for n in range(0, len(good), 997):
        (folder / f"cut{n}.jar").write_bytes(good[:n])
        (folder / f"tail{n}.jar").write_bytes(good[n:])
    (folder / "spoilt.jar").write_bytes(good[:-40] + bytes(18) + good[-22:])
    check("module = java: x.Y\n", 72, "module x.Y: no such class", "unreadable: .*is no jar, or a damaged one")


def test_many_entries(check, folder):
    """More than 65535: zip64."""
    jar(folder / "big.jar", *[f"p.C{n}" for n in range(70000)], "last.One", compression=zipfile.ZIP_STORED)
    check("module = java: last.One, p.C69999\n", 0)
