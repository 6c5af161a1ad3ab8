#include "inlined.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/base/shell_quote.h"
#include "embark/core/bundle/inlined.h"
#include "walk.h"

enum { URLS_MAX = 64 };

/* Where something stands. */
struct place {
    struct em_str value, file, around;
};

/* What says the most about one variable so far. */
struct clue {
    enum em_bundle_left left;
    struct place at;
    const struct url *url; /* where nothing was left of the name */
    const char *other;     /* a URL that is as likely */
};

/* A URL that may stand in a variable's place. */
struct url {
    struct place at;
    bool taken;
};

struct search {
    const struct em_inlined *inlined;
    struct clue *clues;
    size_t count;
    struct url *urls;
    size_t url_count;
};

static void set_place(struct place *place, const struct em_bundle_walk *look, size_t at,
                      size_t length, const char *value, size_t value_length)
{
    em_str_cut(&place->value, 0);
    em_str_add(&place->value, value, value_length);
    em_str_cut(&place->file, 0);
    em_str_puts(&place->file, look->path);
    em_str_cut(&place->around, 0);
    em_bundle_around(look->block, look->length, at, length, &place->around);
}

static void free_place(struct place *place)
{
    em_str_free(&place->value);
    em_str_free(&place->file);
    em_str_free(&place->around);
}

/* The first file by its name, of equal clues: findings don't depend on the folder's order. */
static void take_name(struct search *search, const struct em_bundle_walk *look, size_t text,
                      size_t at)
{
    struct clue *clue = &search->clues[text];
    size_t length = strlen(search->inlined[text].name);
    EM_STR_AUTO value = EM_STR_INIT;
    enum em_bundle_left left = em_bundle_left(look->block, look->length, at, length, &value);

    if (left == EM_BUNDLE_NOTHING || left < clue->left ||
        (left == clue->left && strcmp(look->path, em_str_c(&clue->at.file)) >= 0))
        return;
    clue->left = left;
    set_place(&clue->at, look, at, length, em_str_c(&value), value.len);
}

static bool is_alike(const struct search *search, const struct em_bundle_url *url)
{
    for (size_t i = 0; i < search->count; i++)
        if (!search->inlined[i].found && em_bundle_alike(url, search->inlined[i].value))
            return true;
    return false;
}

static void take_url(struct search *search, const struct em_bundle_walk *look,
                     const struct em_bundle_url *url)
{
    size_t length = url->length < 300 ? url->length : 300, at = (size_t)(url->text - look->block);
    struct url *known;

    for (size_t i = 0; i < search->url_count; i++) {
        known = &search->urls[i];
        if (known->at.value.len != length || memcmp(known->at.value.data, url->text, length) != 0)
            continue;
        if (strcmp(look->path, em_str_c(&known->at.file)) < 0)
            set_place(&known->at, look, at, url->length, url->text, length);
        return;
    }
    if (search->url_count == URLS_MAX || !is_alike(search, url))
        return;
    known = &search->urls[search->url_count++];
    *known = (struct url){.taken = false};
    set_place(&known->at, look, at, url->length, url->text, length);
}

/* The texts are the names in their order, then "://". */
static bool found(void *ctx, size_t text, size_t at)
{
    struct em_bundle_walk *look = ctx;
    struct search *search = look->ctx;
    struct em_bundle_url url;

    if (text < search->count)
        take_name(search, look, text, at);
    else if (em_bundle_url(look->block, look->length, at, &url))
        take_url(search, look, &url);
    return true;
}

/* ---- Which URL is which variable's ------------------------------------------------------------ */

static int score_of(const struct search *search, const struct url *url, size_t variable)
{
    const char *text = em_str_c(&url->at.value), *colon = strstr(text, "://");
    struct em_bundle_url parts;

    if (!colon || !em_bundle_url(text, url->at.value.len, (size_t)(colon - text), &parts))
        return 0;
    return em_bundle_alike(&parts, search->inlined[variable].value);
}

static bool needs_url(const struct search *search, size_t i)
{
    return !search->inlined[i].found && !search->inlined[i].slash && !search->clues[i].url &&
           search->clues[i].left == EM_BUNDLE_NOTHING;
}

/* A URL that begins with the value of a variable which was found is that one's. */
static void take_those_found(struct search *search)
{
    for (size_t k = 0; k < search->url_count; k++)
        for (size_t i = 0; i < search->count; i++)
            if (search->inlined[i].found &&
                em_starts(em_str_c(&search->urls[k].at.value), search->inlined[i].value))
                search->urls[k].taken = true;
}

/* The next pair of a variable and a URL, the most alike first. */
static bool pair_next(struct search *search)
{
    size_t variable = 0;
    struct url *best = NULL;
    int most = 0;

    for (size_t i = 0; i < search->count; i++)
        for (size_t k = 0; k < search->url_count && needs_url(search, i); k++) {
            struct url *url = &search->urls[k];
            int score = url->taken ? 0 : score_of(search, url, i);

            if (score > most || (score == most && score && best && variable == i &&
                                 strcmp(em_str_c(&url->at.file), em_str_c(&best->at.file)) < 0)) {
                most = score;
                variable = i;
                best = url;
            }
        }
    if (!best)
        return false;
    best->taken = true;
    search->clues[variable].url = best;
    for (size_t k = 0; k < search->url_count; k++)
        if (!search->urls[k].taken && score_of(search, &search->urls[k], variable) == most)
            search->clues[variable].other = em_str_c(&search->urls[k].at.value);
    return true;
}

/* ---- Findings -------------------------------------------------------------------------------- */

static void say_clue(const struct clue *clue, size_t files, struct em_str *out)
{
    const struct place *at = clue->url ? &clue->url->at : &clue->at;
    const char *value = em_str_c(&at->value);

    if (clue->left == EM_BUNDLE_VALUE)
        em_str_printf(out, ", but the bundle was built with \"%s\"", value);
    else if (clue->left == EM_BUNDLE_FALLBACK)
        em_str_printf(out,
                      ", but it was not set when the bundle was built, and the code's own default "
                      "\"%s\" holds",
                      value);
    else if (clue->left == EM_BUNDLE_UNSET)
        em_str_puts(out, ", but it was not set when the bundle was built, so that it is undefined "
                         "in the browser");
    else if (clue->left == EM_BUNDLE_DESTRUCTURED)
        em_str_puts(out, ", but the code takes it out of process.env with others ({NAME} = "
                         "process.env), which no bundler inlines: it is undefined in the browser");
    else if (clue->left == EM_BUNDLE_COMPUTED)
        em_str_puts(out, ", but the code reads it by a name that it has in a variable "
                         "(process.env[name]), which no bundler inlines: it is undefined in the "
                         "browser");
    else if (clue->url && clue->other)
        em_str_printf(out,
                      ", and the bundle does not hold that; \"%s\" or \"%s\" seems to be in its "
                      "place",
                      value, clue->other);
    else if (clue->url)
        em_str_printf(out, ", and the bundle does not hold that; \"%s\" seems to be in its place",
                      value);
    else
        em_str_printf(out,
                      ", and the bundle does not hold that; what it holds in its place can't be "
                      "told (%zu file%s looked at)",
                      files, files == 1 ? "" : "s");
    if (at->file.len)
        em_str_printf(out, ": %s: %s", em_str_c(&at->file), em_str_c(&at->around));
}

/* "https://api.example.com/" and "https://api.example.com". */
static bool differs_by_slash(const struct em_inlined *inlined, const struct clue *clue)
{
    const struct place *at = clue->url ? &clue->url->at : &clue->at;
    size_t n = strlen(inlined->value);

    return at->value.len + 1 == n && inlined->value[n - 1] == '/' &&
           memcmp(at->value.data, inlined->value, n - 1) == 0;
}

static void say_slash(const struct em_inlined *inlined, const struct clue *clue,
                      struct em_errs *warnings)
{
    bool without = !inlined->slash && differs_by_slash(inlined, clue);

    em_hint(em_errs_add(warnings, 0,
                        "inlined %s: is \"%s\", and the bundle holds it %s a slash at the end (%s)",
                        inlined->name, inlined->value, without ? "without" : "with",
                        inlined->where),
            "the same to most programs: set it as it was built, to be sure");
}

/* What is to be done about it: a build argument is no help where the code doesn't let it be
 * inlined, or where the build has had it. */
static void hint(const struct em_inlined *inlined, const struct clue *clue, const char *server,
                 struct em_err *err)
{
    EM_STR_AUTO word = EM_STR_INIT;

    em_shell_quote_word(inlined->value, &word);
    if (clue->left == EM_BUNDLE_DESTRUCTURED || clue->left == EM_BUNDLE_COMPUTED)
        em_hint(err, "write process.env.%s out where it is used: only that is replaced",
                inlined->name);
    else if (server)
        em_hint(err,
                "only the server's code has it (%s), and reads it at run time: take %s out of "
                "inlined",
                server, inlined->name);
    else
        em_hint(err,
                "values are inlined when the bundle is built, setting them at run time changes "
                "nothing: build it again with docker build --build-arg %s=%s, and ARG %s before "
                "the build in the Dockerfile",
                inlined->name, em_str_c(&word), inlined->name);
}

static void say(const struct em_inlined *inlined, const struct clue *clue, size_t files,
                const char *server, const struct em_inlined_said *said)
{
    struct em_err *err;

    if (inlined->slash || differs_by_slash(inlined, clue)) {
        say_slash(inlined, clue, said->warnings);
        return;
    }
    err = em_errs_add(said->errs, EM_EXIT_BAKED, "inlined %s: is \"%s\"", inlined->name,
                      inlined->value);
    say_clue(clue, files, &err->text);
    em_str_printf(&err->text, " (%s)", inlined->where);
    hint(inlined, clue, server, err);
}

/* ---- The server's code ------------------------------------------------------------------------ */

struct server {
    const char *name, *value;
    struct em_str file;
};

static bool found_by_server(void *ctx, size_t text, size_t at)
{
    struct em_bundle_walk *look = ctx;
    struct server *server = look->ctx;
    size_t length = look->scan.v[text].length;
    EM_STR_AUTO value = EM_STR_INIT;
    bool is = text == 0
                  ? em_bundle_left(look->block, look->length, at, length, &value) >= EM_BUNDLE_UNSET
                  : em_bundle_part(look->block, look->length, at, length) == EM_BUNDLE_WHOLE;

    if (is && (!server->file.len || strcmp(look->path, em_str_c(&server->file)) < 0)) {
        em_str_cut(&server->file, 0);
        em_str_puts(&server->file, look->path);
    }
    return true;
}

/* Next.js has what its server runs in .next/server, beside .next/static. */
static void look_at_server(const struct em_config *config, struct server *server)
{
    struct em_bundle_walk look = {.found = found_by_server, .ctx = server};

    em_search_add(&look.scan, server->name, strlen(server->name));
    em_search_add(&look.scan, server->value, strlen(server->value));
    for (size_t i = 0; i < config->bundle_dir.n; i++) {
        const char *dir = config->bundle_dir.v[i], *at = strstr(dir, ".next/static");
        EM_STR_AUTO path = EM_STR_INIT;
        EM_ERR_AUTO err = EM_ERR_INIT;

        if (!at)
            continue;
        em_str_add(&path, dir, (size_t)(at - dir) + strlen(".next/"));
        em_str_puts(&path, "server");
        em_bundle_walk_run(&look, em_str_c(&path), &err);
    }
    em_bundle_walk_free(&look);
}

/* ---- All of it -------------------------------------------------------------------------------- */

static void say_all(const struct em_config *config, const struct search *search, size_t files,
                    const struct em_inlined_said *said)
{
    for (size_t i = 0; i < search->count; i++) {
        const struct em_inlined *inlined = &search->inlined[i];
        const struct clue *clue = &search->clues[i];
        struct server server = {inlined->name, inlined->value, EM_STR_INIT};

        if (inlined->found)
            continue;
        if (clue->left == EM_BUNDLE_NOTHING && !clue->url && !inlined->slash)
            look_at_server(config, &server);
        say(inlined, clue, files, server.file.len ? em_str_c(&server.file) : NULL, said);
        em_str_free(&server.file);
    }
}

int em_inlined_explain(const struct em_config *config, const struct em_inlined *inlined,
                       size_t count, const struct em_inlined_said *said, struct em_err *err)
{
    struct search search = {inlined, em_alloc((count + 1) * sizeof(struct clue)), count,
                            em_alloc(URLS_MAX * sizeof(struct url)), 0};
    struct em_bundle_walk look = {.found = found, .ctx = &search};
    int code = 0;

    for (size_t i = 0; i < count; i++) {
        em_search_add(&look.scan, inlined[i].name, strlen(inlined[i].name));
        look.scan.v[i].off = inlined[i].found;
    }
    em_search_add(&look.scan, "://", 3);
    for (size_t i = 0; i < config->bundle_dir.n && code == 0; i++)
        code = em_bundle_walk_run(&look, config->bundle_dir.v[i], err);
    take_those_found(&search);
    while (pair_next(&search)) {
    }
    if (code == 0)
        say_all(config, &search, look.files, said);
    for (size_t i = 0; i < count; i++)
        free_place(&search.clues[i].at);
    for (size_t k = 0; k < search.url_count; k++)
        free_place(&search.urls[k].at);
    free(search.clues);
    free(search.urls);
    em_bundle_walk_free(&look);
    return code;
}
