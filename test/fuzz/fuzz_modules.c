/* The parsers behind [require] module and manifest: versions, ranges, requirements, markers,
 * requirements.txt, package.json, package-lock.json, Composer's list, zip directories,
 * interpreters' answers. The first byte chooses.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -D_GNU_SOURCE
 * test/fuzz/fuzz_modules.c (the files of src/core) -ljansson -linih -lmd
 *
 * Beside not crashing: an order is antisymmetric, a version equals itself, and what is read as a
 * range gives an answer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/php/composer.h"
#include "embark/core/languages/ruby/gems.h"
#include "embark/core/languages/reply/imports.h"
#include "embark/core/languages/reply/missing_library.h"
#include "embark/core/languages/module.h"
#include "embark/core/languages/node/package_json.h"
#include "embark/core/languages/node/npm.h"
#include "embark/core/languages/python/pep440.h"
#include "embark/core/languages/python/requirements.h"
#include "embark/core/languages/python/requirements_txt.h"
#include "embark/core/languages/node/semver.h"
#include "embark/core/languages/java/zip.h"
#include "embark/core/languages/python/marker.h"

static void must(bool what)
{
    if (!what)
        abort();
}

static void versions(const char *a, const char *b)
{
    struct em_pep440 va, vb;
    struct em_semver sa, sb;

    if (em_pep440_read(a, &va)) {
        must(em_pep440_compare(&va, &va) == 0);
        if (em_pep440_read(b, &vb))
            must((em_pep440_compare(&va, &vb) > 0) == (em_pep440_compare(&vb, &va) < 0));
    }
    if (em_semver_read(a, &sa)) {
        must(em_semver_compare(&sa, &sa) == 0);
        must(em_semver_allows("", a) != EM_UNKNOWN);
        if (em_semver_read(b, &sb))
            must((em_semver_compare(&sa, &sb) > 0) == (em_semver_compare(&sb, &sa) < 0));
    }
    must((em_semver_allows(a, "1.2.3") != EM_UNKNOWN) == em_semver_is_range(a));
    must(!em_pep440_is_spec(a) || em_pep440_allows(a, "1.2.3") != EM_UNKNOWN);
    must((em_composer_allows(a, "1.2.3") != EM_UNKNOWN) == em_composer_is_range(a));
    em_pep440_allows(a, b);
    em_npm_allows(a, b);
}

static const char *variable(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'p' ? "3.11" : name[0] == 'o' ? "posix" : NULL;
}

static void requirements(const char *text, size_t length)
{
    struct em_marker_world world = {variable, NULL, "x"};
    struct em_requirements_lines lines;
    struct em_requirement r;
    struct em_err err = EM_ERR_INIT;

    if (em_requirement_read(text, &r, &err) == 0)
        must(em_pep440_is_spec(r.spec) && r.key[0]);
    if (!em_marker_valid(text))
        must(em_marker_holds(text, &world) == EM_UNKNOWN);
    else
        em_marker_holds(text, &world);
    em_requirement_free(&r);
    em_err_free(&err);
    em_requirements_read(text, length, &lines);
    em_requirements_free(&lines);
}

static void modules(const char *text)
{
    struct em_modules m;
    struct em_err err = EM_ERR_INIT;
    struct em_str what = EM_STR_INIT, hint = EM_STR_INIT;

    for (int import = 0; import < 2; import++) {
        if (em_modules_read(text, import, &m, &err) == 0)
            must(m.n > 0 && m.language != EM_LANGUAGE_UNKNOWN);
        em_modules_free(&m);
        em_err_free(&err);
    }
    em_missing_library_explain(text, &what, &hint);
    em_str_free(&what);
    em_str_free(&hint);
}

static void json(const char *bytes, size_t length)
{
    struct em_node_package_json p;
    struct em_npm_needs needs;
    struct em_list targets = EM_LIST_INIT;
    struct em_str a = EM_STR_INIT, b = EM_STR_INIT;

    em_node_package_json_read(&p, bytes, length);
    em_node_exports(&p, ".", &targets);
    em_node_exports(&p, "./sub/x.js", &targets);
    em_node_package_json_free(&p);
    em_list_free(&targets);
    em_npm_read_package(bytes, length, &needs, &a);
    em_npm_needs_free(&needs);
    em_str_cut(&a, 0);
    em_npm_read_lock(bytes, length, &needs, &a);
    em_npm_needs_free(&needs);
    em_composer_installed(bytes, length, "a/b", &a, &b);
    em_str_free(&a);
    em_str_free(&b);
}

static void zip(const char *bytes, size_t length)
{
    struct em_zip_end end;
    struct em_zip_entry entry;
    size_t at = 0;
    unsigned sum = 0;

    if (!em_zip_end_read(bytes, length, length, &end))
        return;
    must(end.offset <= length && end.size <= length - end.offset && end.base <= end.offset);
    while (em_zip_next(bytes + end.offset, (size_t)end.size, &at, &entry))
        for (size_t i = 0; i < entry.name_length; i++)
            sum += (unsigned char)entry.name[i];
    must(sum != 1);
}

static void answers(const char *bytes, size_t length)
{
    struct em_python_inventory more;
    struct em_gems gems;
    struct em_imports imports;

    em_python_inventory_read(&more, bytes, length);
    em_python_inventory_free(&more);
    em_gems_read(&gems, bytes, length);
    for (size_t i = 0; i < gems.n; i++) {
        struct em_err err = EM_ERR_INIT;

        em_gem_check(&gems, i, ">=1", "ruby", &err);
        em_err_free(&err);
    }
    em_gems_free(&gems);
    em_imports_read(&imports, bytes, length);
    em_imports_hanging(&imports);
    em_imports_free(&imports);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;
    const char *second;

    if (size < 1 || size > 65536)
        return 0;
    text = em_strndup((const char *)data + 1, size - 1);
    second = strchr(text, '\n');
    switch (data[0] % 6) {
    case 0:
        versions(text, second ? second + 1 : "1.2.3");
        break;
    case 1:
        requirements(text, strlen(text));
        break;
    case 2:
        modules(text);
        break;
    case 3:
        json((const char *)data + 1, size - 1);
        break;
    case 4:
        zip((const char *)data + 1, size - 1);
        break;
    default:
        answers((const char *)data + 1, size - 1);
    }
    free(text);
    return 0;
}
