"""[require] module and import = php: …: Composer's list, and a real PHP."""

import json
import subprocess

import pytest

from support.image import check, lines, write  # noqa: F401 - check is a fixture

SYSTEM = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@pytest.fixture
def vendor(folder):
    """As composer install leaves it: the list, the packages' folders, an autoloader."""
    packages = [{"name": "monolog/monolog", "version": "3.5.0", "install-path": "../monolog/monolog", "provide": {"psr/log-implementation": "3.0.0"}},
                {"name": "acme/lib", "version": "dev-main", "install-path": "../acme/lib"}]
    write(folder / "vendor" / "composer" / "installed.json", json.dumps({"packages": packages, "dev": False}))
    write(folder / "vendor" / "monolog" / "monolog" / "Logger.php", "<?php namespace Monolog; class Logger {}\n")
    write(folder / "vendor" / "acme" / "lib" / "Broken.php", "<?php namespace Acme;\nthrow new \\Exception('no luck');\n")
    write(folder / "vendor" / "autoload.php", """<?php
echo "@embark import-error noise\\n";
spl_autoload_register(function ($name) {
    foreach (['Monolog\\\\Logger' => '/monolog/monolog/Logger.php', 'Acme\\\\Broken' => '/acme/lib/Broken.php'] as $class => $file)
        if ($name === $class) require __DIR__ . $file;
});
""")
    return folder / "vendor"


def test_packages(check, vendor, folder):
    check("module = php: monolog/monolog, monolog/monolog:^3.1, Monolog/monolog>=3 <4, psr/log-implementation, acme/lib\n", 0,
          env={"PATH": "/nowhere"})  # php isn't started
    check("module = php: monolog/monolog^2, nothere/nothere\n", 72,
          r"module monolog/monolog: \^2 is needed, 3\.5\.0 is installed: vendor/composer/\.\./monolog/monolog",
          r"module nothere/nothere: is not in vendor/composer/installed\.json", "hint: composer install")
    check("module = php: acme/lib:^1\n", 0, r"module acme/lib: dev-main is installed, whether \^1 allows it is not judged")


def test_vendor_is_missing_or_in_part(check, vendor, folder):
    (vendor / "monolog").rename(folder / "elsewhere")
    check("module = php: monolog/monolog\n", 72, "Composer has it on its list, but vendor/composer/../monolog/monolog does not exist")
    vendor.rename(folder / "vendors")
    check("module = php: monolog/monolog\n", 72, rf"Composer has installed nothing here: vendor/composer/installed\.json does not exist; "
          rf"the nearest existing parent is {folder}, which holds vendors/")
    (folder / "elsewhere").rename(folder / "vendors" / "monolog")
    check("module = php: monolog/monolog\n", 0, env={**SYSTEM, "COMPOSER_VENDOR_DIR": "vendors"})


@pytest.mark.parametrize("text,code", [('{"config": {"vendor-dir": "lib/packages"}}', 0), ('{"config": {}}', 72), ("broken", 72), ("[]", 72)])
def test_vendor_dir_of_composer_json(check, vendor, folder, text, code):
    (folder / "lib").mkdir()
    vendor.rename(folder / "lib" / "packages")
    (folder / "composer.json").write_text(text)
    check("module = php: monolog/monolog\n", code)
    check("import = php: Monolog\\Logger\n", code, env=SYSTEM)
    check("module = php: monolog/monolog\n", 0, env={**SYSTEM, "COMPOSER_VENDOR_DIR": "lib/packages"})
    if code == 0:
        check("module = php: not/there\n", 72, r"is not in lib/packages/composer/installed\.json", r"hint: .* COPY --from=… lib/packages$")


def test_extensions(check, folder):
    check("module = php: ext-json, ext-pcre\nimport = php: ext-spl\n", 0, env=SYSTEM)
    check("module = php: ext-nothere\n", 72, r"ext-nothere: .*the extension nothere is not loaded; php\.ini: ", "hint: docker-php-ext-install nothere",
          env=SYSTEM)


def test_an_extension_without_its_library(check, folder):
    """php goes on with a warning; the service fails at its first query."""
    write(folder / "need.c", "int needed(void) { return 1; }\n")
    write(folder / "ext.c", "int needed(void);\nvoid *get_module(void) { return needed() ? 0 : 0; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "libneed.so.7", "need.c", "-Wl,-soname,libneed.so.7"], cwd=folder, check=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "pdo_pgsql.so", "ext.c", "./libneed.so.7"], cwd=folder, check=True)
    (folder / "libneed.so.7").unlink()
    write(folder / "ini" / "x.ini", f"extension={folder}/pdo_pgsql.so\n")
    write(folder / "ini2" / "x.ini", f"extension_dir={folder}\nextension=pdo_pgsql\n")
    check("module = php: ext-pdo_pgsql\n", 72, r"the extension pdo_pgsql is not loaded.*; the shared library libneed\.so\.7 is missing",
          "hint: install what brings libneed", env={**SYSTEM, "PHP_INI_SCAN_DIR": f"{folder}/ini2"})


def test_classes(check, vendor):
    check("import = php: Monolog\\Logger, ArrayObject, strlen\n", 0, env=SYSTEM)
    process = check("import = php: Monolog\\Loger, Acme\\Broken\n", 72, r"import Monolog\\+Loger: .*no class, interface, trait or function of that name",
                    r"import Acme\\+Broken: fails in php: Exception: no luck, at .*/acme/lib/Broken\.php:2", env=SYSTEM)
    assert len(lines(process)) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"packages": {}}', "\0"])
def test_hostile_list(check, vendor, text):
    (vendor / "composer" / "installed.json").write_text(text)
    check("module = php: monolog/monolog\n", 72, "module monolog/monolog: ")
