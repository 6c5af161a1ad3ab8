"""[require] module and import = ruby: …: by a real Ruby's Gem."""

import shutil
import subprocess

import pytest

from support.image import check, lines, write  # noqa: F401 - check is a fixture

SYSTEM = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
def gems(folder):
    """gems("name", "1.2"): a gem that is built and installed by gem itself into a GEM_HOME of the test's own."""
    home = folder / "gems"

    def make(name, version, source=""):
        work = folder / "build" / name
        write(work / "lib" / f"{name}.rb", source)
        write(work / f"{name}.gemspec", f"Gem::Specification.new {{ |s| s.name = '{name}'; s.version = '{version}'; s.summary = 'x'; "
                                        f"s.authors = ['x']; s.files = ['lib/{name}.rb'] }}\n")
        for words in (["build", f"{name}.gemspec"], ["install", "--local", "--no-document", "--install-dir", home, f"{name}-{version}.gem"]):
            subprocess.run(["gem", *words], cwd=work, check=True, capture_output=True)
        return home / "gems" / f"{name}-{version}"

    make.home = home
    make.env = {**SYSTEM, "GEM_PATH": str(home), "HOME": str(folder)}
    return make


def test_gems(check, gems):
    gems("pg", "1.5.4")
    gems("pg", "1.4.6")
    gems("rails", "7.1.2")
    check("module = ruby: pg, pg~>1.4.0, rails>=7,<8, json, socket, set\n", 0, env=gems.env)
    process = check("module = ruby: pg>=2, rials, nothere\n", 72, rf"module pg: >=2 is needed, installed for ruby: 1\.5\.4, 1\.4\.6 \({gems.home}",
                    r"hint: did you mean rails\?", rf"module nothere: no gem of that name for ruby \(Ruby \d.*; looked in .*{gems.home}",
                    "hint: bundle install", env=gems.env)
    assert len(lines(process)) == 3


def test_copied_in_part(check, gems):
    """The multi-stage COPY that brought specifications and no files, or files and no specifications."""
    shutil.rmtree(gems("hollow", "1.0"))
    gems("bare", "1.0")
    (gems.home / "specifications" / "bare-1.0.gemspec").unlink()
    check("module = ruby: hollow, bare\n", 72, rf"module hollow: its specification is there, its files are not: {gems.home}/gems/hollow-1\.0",
          rf"module bare: .*{gems.home}/gems/bare-1\.0 is there, but no specification of it", "hint: the gems were copied in part", env=gems.env)


def test_where_bundler_puts_them(check, gems, folder):
    gems("pg", "1.5.4")
    version = subprocess.run(["ruby", "-e", "print RbConfig::CONFIG['ruby_version']"], capture_output=True, text=True, check=True).stdout
    target = folder / "vendor" / "bundle" / "ruby" / version
    target.parent.mkdir(parents=True)
    gems.home.rename(target)
    check("module = ruby: pg>=1\n", 0, env={**SYSTEM, "HOME": str(folder)})
    (folder / "vendor").rename(folder / "other")
    check("module = ruby: pg>=1\n", 72, env={**SYSTEM, "HOME": str(folder)})
    check("module = ruby: pg>=1\n", 0, env={**SYSTEM, "HOME": str(folder), "BUNDLE_PATH": f"{folder}/other/bundle"})


def test_nothing_is_executed(check, gems, folder):
    gems("lib", "1.0", f"File.write('{folder}/executed', '')")
    check("module = ruby: lib\n", 0, env=gems.env)
    assert not (folder / "executed").exists()


def test_import(check, gems, folder):
    gems("good", "1.0", "puts '@embark import-error x'\n")
    gems("boom", "1.0", "\nraise TypeError, 'no luck'\n")
    gems("quits", "1.0", "exit! 3\n")
    check("import = ruby: good, json, set, socket\n", 0, env=gems.env)
    check("import = ruby: boom, nothere, good\n", 72, r"import boom: fails in ruby: TypeError: no luck, at \S+/boom\.rb:2 \(",
          "import nothere: .*LoadError: cannot load such file -- nothere", env=gems.env)
    check("import = ruby: quits, json\n", 72, "import quits: ruby exited with status 3 while importing it", "import json: not tried", env=gems.env)


def test_import_names_the_missing_library(check, gems, folder):
    write(folder / "need.c", "int needed(void) { return 1; }\n")
    write(folder / "ext.c", "int needed(void);\nvoid Init_ext(void) { needed(); }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "libneed.so.7", "need.c", "-Wl,-soname,libneed.so.7"], cwd=folder, check=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "ext.so", "ext.c", "./libneed.so.7"], cwd=folder, check=True)
    (folder / "libneed.so.7").unlink()
    check("import = ruby: ./ext\n", 72, r"import \./ext: .*the shared library libneed\.so\.7 is missing", env=gems.env)


def test_without_ruby(check):
    check("module = ruby: pg\n", 72, "module: .*ruby: not found in PATH", env={"PATH": "/nowhere"})
    check("module = ruby: a^1\n", 78, r'a: "\^1" says no version')
