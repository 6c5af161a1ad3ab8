#include "embark/stages/bundle/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/bundle/inlined.h"
#include "embark/os/files/files.h"
#include "inlined.h"
#include "walk.h"

enum { HOSTS_MAX = 256 };

/* What one of the scan's texts is a sign of. */
struct sign {
    enum { SIGN_VALUE, SIGN_FORBIDDEN, SIGN_URL } kind;
    size_t index; /* of the variable or the text */
};

struct banned {
    struct em_str file, around; /* the first by its name */
    size_t files, last_file;
};

struct host {
    char *name;
    size_t count;
    struct banned local; /* where it stands, if it is a port of the browser's own machine */
};

struct search {
    const struct em_config *config;
    struct em_bundle_walk look;
    struct sign *signs; /* one for each text of look.scan */
    struct em_inlined *inlined;
    size_t inlined_count;
    struct banned *banned; /* as [bundle] forbid */
    struct host *hosts;
    size_t host_count;
};

bool em_bundle_any(const struct em_config *config)
{
    return config->bundle_dir.n > 0;
}

bool em_bundle_validate(const struct em_config *config, struct em_errs *errs)
{
    const struct em_items *lonely =
        config->bundle_inlined.n ? &config->bundle_inlined : &config->bundle_forbid;

    if (config->bundle_dir.n || !lonely->n)
        return true;
    em_hint(em_errs_add(errs, EM_EXIT_CONFIG, "%s: [bundle] %s needs a dir in which the bundle is",
                        lonely->where[0], config->bundle_inlined.n ? "inlined" : "forbid"),
            "dir = .next/static, dist, build/static: what the frontend's build left");
    return false;
}

/* ---- While looking --------------------------------------------------------------------------- */

static bool found_value(struct search *search, size_t text, size_t at)
{
    const struct em_bundle_walk *look = &search->look;
    size_t index = search->signs[text].index;
    enum em_bundle_part part =
        em_bundle_part(look->block, look->length, at, look->scan.v[text].length);

    search->inlined[index].slash |= part == EM_BUNDLE_SLASH;
    if (part != EM_BUNDLE_WHOLE)
        return true;
    search->inlined[index].found = true;
    for (size_t i = 0; i < search->look.scan.n; i++)
        if (search->signs[i].kind == SIGN_VALUE && search->signs[i].index == index)
            search->look.scan.v[i].off = true;
    return false;
}

static void note(const struct em_bundle_walk *look, size_t at, size_t length, struct banned *banned)
{
    if (banned->last_file == look->files)
        return;
    banned->last_file = look->files;
    if (banned->files++ && strcmp(look->path, em_str_c(&banned->file)) > 0)
        return;
    em_str_cut(&banned->file, 0);
    em_str_puts(&banned->file, look->path);
    em_str_cut(&banned->around, 0);
    em_bundle_around(look->block, look->length, at, length, &banned->around);
}

static bool found_banned(struct search *search, size_t text, size_t at)
{
    note(&search->look, at, search->look.scan.v[text].length,
         &search->banned[search->signs[text].index]);
    return false;
}

static bool found_url(struct search *search, size_t at)
{
    struct em_bundle_url url;
    size_t i;

    if (!em_bundle_url(search->look.block, search->look.length, at, &url) ||
        em_bundle_host_is_noise(url.host, url.host_length) || url.host_length > 255)
        return true;
    for (i = 0; i < search->host_count; i++)
        if (strlen(search->hosts[i].name) == url.host_length &&
            memcmp(search->hosts[i].name, url.host, url.host_length) == 0)
            break;
    if (i == search->host_count && i < HOSTS_MAX) {
        search->hosts = em_realloc(search->hosts, i + 1, sizeof(*search->hosts));
        search->hosts[search->host_count++] =
            (struct host){.name = em_strndup(url.host, url.host_length)};
    }
    if (i < search->host_count) {
        search->hosts[i].count++;
        if (em_bundle_host_is_own_port(url.host, url.host_length))
            note(&search->look, (size_t)(url.text - search->look.block), url.length,
                 &search->hosts[i].local);
    }
    return true;
}

static bool found(void *ctx, size_t text, size_t at)
{
    struct em_bundle_walk *look = ctx;
    struct search *search = look->ctx;

    switch (search->signs[text].kind) {
    case SIGN_VALUE:
        return found_value(search, text, at);
    case SIGN_FORBIDDEN:
        return found_banned(search, text, at);
    case SIGN_URL:
    default:
        return found_url(search, at);
    }
}

/* ---- What is looked for ---------------------------------------------------------------------- */

static void add_sign(struct search *search, struct sign sign, const char *text)
{
    size_t number = em_search_add(&search->look.scan, text, strlen(text));

    search->signs = em_realloc(search->signs, number + 1, sizeof(*search->signs));
    search->signs[number] = sign;
}

static void add_spellings(struct search *search, struct sign sign, const char *text)
{
    EM_LIST_AUTO spellings = EM_LIST_INIT;

    em_bundle_spellings(text, &spellings);
    for (size_t i = 0; i < spellings.n; i++)
        add_sign(search, sign, spellings.v[i]);
}

static void add_inlined(struct search *search, size_t item, struct em_errs *warnings)
{
    const struct em_items *names = &search->config->bundle_inlined;
    const char *value = getenv(names->v[item]);
    struct sign sign = {SIGN_VALUE, search->inlined_count};

    if (!value || !*value)
        return;
    if (strlen(value) < EM_BUNDLE_SHORTEST) {
        em_errs_add(warnings, 0,
                    "inlined %s: is \"%s\", which is too short to be found in a bundle: it isn't "
                    "judged (%s)",
                    names->v[item], value, names->where[item]);
        return;
    }
    search->inlined[search->inlined_count++] =
        (struct em_inlined){.name = names->v[item], .where = names->where[item], .value = value};
    add_spellings(search, sign, value);
}

static void start(struct search *search, const struct em_config *config, bool hosts,
                  struct em_errs *warnings)
{
    *search = (struct search){.config = config};
    search->look.found = found;
    search->look.ctx = search;
    search->inlined = em_alloc((config->bundle_inlined.n + 1) * sizeof(*search->inlined));
    search->banned = em_alloc((config->bundle_forbid.n + 1) * sizeof(*search->banned));
    for (size_t i = 0; i < config->bundle_inlined.n; i++)
        add_inlined(search, i, warnings);
    for (size_t i = 0; i < config->bundle_forbid.n; i++)
        add_spellings(search, (struct sign){SIGN_FORBIDDEN, i}, config->bundle_forbid.v[i]);
    if (hosts)
        add_sign(search, (struct sign){SIGN_URL, 0}, "://");
}

static void end(struct search *search)
{
    for (size_t i = 0; i < search->config->bundle_forbid.n; i++) {
        em_str_free(&search->banned[i].file);
        em_str_free(&search->banned[i].around);
    }
    for (size_t i = 0; i < search->host_count; i++) {
        free(search->hosts[i].name);
        em_str_free(&search->hosts[i].local.file);
        em_str_free(&search->hosts[i].local.around);
    }
    free(search->hosts);
    free(search->banned);
    free(search->inlined);
    free(search->signs);
    em_bundle_walk_free(&search->look);
}

/* ---- Findings -------------------------------------------------------------------------------- */

static void say_place(const struct banned *banned, struct em_err *err)
{
    em_str_puts(&err->text, em_str_c(&banned->file));
    if (banned->files > 1)
        em_str_printf(&err->text, " (and in %zu more file%s)", banned->files - 1,
                      banned->files > 2 ? "s" : "");
    em_str_printf(&err->text, ": %s", em_str_c(&banned->around));
}

/* It is meant where a variable's value of the run time has it, and said already where it is
 * forbidden. */
static bool is_named(const struct search *search, const char *host)
{
    for (size_t i = 0; i < search->inlined_count; i++)
        if (strstr(search->inlined[i].value, host))
            return true;
    for (size_t i = 0; i < search->config->bundle_forbid.n; i++)
        if (search->banned[i].files && strstr(search->config->bundle_forbid.v[i], host))
            return true;
    return false;
}

static void say_own_ports(const struct search *search, struct em_errs *warnings)
{
    for (size_t i = 0; i < search->host_count; i++) {
        const struct host *host = &search->hosts[i];
        struct em_err *err;

        if (!host->local.files || is_named(search, host->name))
            continue;
        err = em_errs_add(warnings, 0, "%s is a port of the browser's own machine, and stands in ",
                          host->name);
        say_place(&host->local, err);
        em_hint(err,
                "as a rule it is the default of a variable that was not set when the bundle was "
                "built: set it there, and name it in [bundle] inlined; forbid = %s makes this an "
                "error",
                host->name);
    }
}

static void say_banned(const struct search *search, struct em_errs *errs)
{
    const struct em_items *forbid = &search->config->bundle_forbid;

    for (size_t i = 0; i < forbid->n; i++) {
        const struct banned *banned = &search->banned[i];
        struct em_err *err;

        if (!banned->files)
            continue;
        err = em_errs_add(errs, EM_EXIT_BAKED, "forbid %s: stands in ", forbid->v[i]);
        say_place(banned, err);
        em_str_printf(&err->text, " (%s)", forbid->where[i]);
        em_hint(err, "values are inlined when the bundle is built: build it again with the right "
                     "ones as build arguments (docker build --build-arg NAME=VALUE, and ARG NAME "
                     "before the build in the Dockerfile)");
    }
}

static void say_unseen(const struct em_bundle_walk *look, struct em_errs *warnings)
{
    if (look->unreadable_count == 1)
        em_errs_add(warnings, 0, "can't look at %s", em_str_c(&look->unreadable));
    else if (look->unreadable_count)
        em_errs_add(warnings, 0, "can't look at %zu files and folders: %s, …",
                    look->unreadable_count, em_str_c(&look->unreadable));
    if (look->compressed)
        em_errs_add(warnings, 0,
                    "%zu compressed file%s without an original beside %s can't be looked into",
                    look->compressed, look->compressed == 1 ? "" : "s",
                    look->compressed == 1 ? "it" : "them");
}

static int more_frequent(const void *a, const void *b)
{
    const struct host *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void list_hosts(struct search *search, struct em_list *hosts)
{
    if (search->host_count)
        qsort(search->hosts, search->host_count, sizeof(*search->hosts), more_frequent);
    for (size_t i = 0; i < search->host_count; i++)
        em_list_add(hosts, search->hosts[i].name);
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* A folder that isn't there is a finding, and sets `missing`. 128 + n. */
static int look_into(struct search *search, size_t i, struct em_errs *errs, bool *missing,
                     struct em_err *err)
{
    const struct em_items *dirs = &search->config->bundle_dir;
    size_t before = search->look.files;
    int code = em_bundle_walk_run(&search->look, dirs->v[i], err);
    struct em_err *added;

    if (code > 128)
        return code;
    if (code == 0 && search->look.files > before)
        return 0;
    added = em_errs_add(errs, EM_EXIT_REQUIREMENT, "dir %s: %s (%s)", dirs->v[i],
                        code ? em_str_c(&err->text) : "holds no file that can be looked at",
                        dirs->where[i]);
    em_hint(added, "%s",
            em_path_nearest_hint(&err->text, "COPY what the frontend's build left into the image; "
                                             "see that .dockerignore doesn't leave it out"));
    em_err_free(err);
    *missing = true;
    return 0;
}

int em_bundle(const struct em_config *config, bool hosts, struct em_bundle_report *report,
              struct em_err *err)
{
    struct search search;
    bool missing = false;
    int code = 0;

    *report = (struct em_bundle_report){0};
    start(&search, config, hosts, &report->warnings);
    for (size_t i = 0; i < config->bundle_dir.n && code == 0; i++)
        code = look_into(&search, i, &report->errs, &missing, err);
    if (code == 0 && !missing) {
        const struct em_inlined_said said = {&report->errs, &report->warnings};
        bool all = true;

        for (size_t i = 0; i < search.inlined_count; i++)
            all = all && search.inlined[i].found;
        if (!all)
            code = em_inlined_explain(config, search.inlined, search.inlined_count, &said, err);
    }
    if (code == 0 && search.look.broken.len)
        code =
            em_fail(err, EM_EXIT_SYSTEM, "bundle: can't look at %s", em_str_c(&search.look.broken));
    if (search.look.bytes >= (unsigned long long)EM_LOOK_GIB << 30)
        em_hint(em_errs_add(&report->errs, EM_EXIT_REQUIREMENT,
                            "the folders hold more than %d GiB: not all of it was looked at (%s)",
                            EM_LOOK_GIB, config->bundle_dir.where[0]),
                "dir is what the frontend's build left: is there something else in it?");
    say_banned(&search, &report->errs);
    say_unseen(&search.look, &report->warnings);
    list_hosts(&search, &report->hosts);
    say_own_ports(&search, &report->warnings);
    report->files = search.look.files;
    report->bytes = search.look.bytes;
    end(&search);
    return code;
}

void em_bundle_report_free(struct em_bundle_report *report)
{
    em_errs_free(&report->errs);
    em_errs_free(&report->warnings);
    em_list_free(&report->hosts);
}
