#include "inlined.h"

#include <stdlib.h>
#include <string.h>

#include "embark/core/bundle/inlined.h"
#include "walk.h"

/* What says the most about one variable so far. */
struct clue {
    enum em_bundle_left left;
    int alike; /* of a URL, where nothing was left of the name */
    struct em_str value, file, around;
};

struct search {
    const struct em_inlined *inlined;
    struct clue *clues;
    size_t count;
};

/* The first file by its name, of equal clues: what is said doesn't depend on the folder's order. */
static bool says_more(const struct clue *clue, enum em_bundle_left left, int alike,
                      const char *path)
{
    if (left != clue->left)
        return left > clue->left;
    if (alike != clue->alike)
        return alike > clue->alike;
    return strcmp(path, em_str_c(&clue->file)) < 0;
}

static void take(struct clue *clue, const struct em_bundle_walk *look, size_t at, size_t length,
                 enum em_bundle_left left, int alike, const struct em_str *value)
{
    if (!says_more(clue, left, alike, look->path))
        return;
    clue->left = left;
    clue->alike = alike;
    em_str_cut(&clue->value, 0);
    em_str_add(&clue->value, em_str_c(value), value->len);
    em_str_cut(&clue->file, 0);
    em_str_puts(&clue->file, look->path);
    em_str_cut(&clue->around, 0);
    em_bundle_around(look->block, look->length, at, length, &clue->around);
}

/* The texts are the names in their order, then "://". */
static bool found(void *ctx, size_t text, size_t at)
{
    struct em_bundle_walk *look = ctx;
    struct search *search = look->ctx;
    EM_STR_AUTO value = EM_STR_INIT;
    struct em_bundle_url url;

    if (text < search->count) {
        size_t length = strlen(search->inlined[text].name);
        enum em_bundle_left left = em_bundle_left(look->block, look->length, at, length, &value);

        if (left != EM_BUNDLE_NOTHING)
            take(&search->clues[text], look, at, length, left, 0, &value);
        return true;
    }
    if (!em_bundle_url(look->block, look->length, at, &url))
        return true;
    em_str_add(&value, url.text, url.length < 300 ? url.length : 300);
    for (size_t i = 0; i < search->count; i++) {
        int alike = em_bundle_alike(&url, search->inlined[i].value);

        if (alike && search->clues[i].left == EM_BUNDLE_NOTHING)
            take(&search->clues[i], look, (size_t)(url.text - look->block), url.length,
                 EM_BUNDLE_NOTHING, alike, &value);
    }
    return true;
}

/* ---- What is said ---------------------------------------------------------------------------- */

static void say_clue(const struct clue *clue, size_t files, struct em_str *out)
{
    const char *value = em_str_c(&clue->value);

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
    else if (clue->alike)
        em_str_printf(out, ", and the bundle does not hold that; \"%s\" seems to be in its place",
                      value);
    else
        em_str_printf(out,
                      ", and the bundle does not hold that; what it holds in its place can't be "
                      "told (%zu file%s looked at)",
                      files, files == 1 ? "" : "s");
    if (clue->file.len)
        em_str_printf(out, ": %s: %s", em_str_c(&clue->file), em_str_c(&clue->around));
}

/* A word for a shell's command line. */
static void say_word(const char *value, struct em_str *out)
{
    bool plain = value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789_-+=:,./@%")] == '\0';

    if (!plain)
        em_str_putc(out, '\'');
    for (const char *p = value; *p; p++)
        if (*p == '\'')
            em_str_puts(out, "'\\''");
        else
            em_str_putc(out, *p);
    if (!plain)
        em_str_putc(out, '\'');
}

static void say(const struct em_inlined *inlined, const struct clue *clue, size_t files,
                struct em_errs *errs)
{
    EM_STR_AUTO word = EM_STR_INIT;
    struct em_err *err =
        em_errs_add(errs, EM_EXIT_BAKED, "inlined %s: is \"%s\"", inlined->name, inlined->value);

    say_clue(clue, files, &err->text);
    em_str_printf(&err->text, " (%s)", inlined->where);
    say_word(inlined->value, &word);
    em_hint(err,
            "values are inlined when the bundle is built, setting them at run time changes "
            "nothing: build it again with docker build --build-arg %s=%s, and ARG %s before the "
            "build in the Dockerfile",
            inlined->name, em_str_c(&word), inlined->name);
}

int em_inlined_explain(const struct em_config *config, const struct em_inlined *inlined,
                       size_t count, struct em_errs *errs, struct em_err *err)
{
    struct search search = {inlined, em_alloc((count + 1) * sizeof(struct clue)), count};
    struct em_bundle_walk look = {.found = found, .ctx = &search};
    int code = 0;

    for (size_t i = 0; i < count; i++) {
        em_search_add(&look.scan, inlined[i].name, strlen(inlined[i].name));
        look.scan.v[i].off = inlined[i].found;
    }
    em_search_add(&look.scan, "://", 3);
    for (size_t i = 0; i < config->bundle_dir.n && code == 0; i++)
        code = em_bundle_walk_run(&look, config->bundle_dir.v[i], err);
    for (size_t i = 0; i < count; i++) {
        if (code == 0 && !inlined[i].found)
            say(&inlined[i], &search.clues[i], look.files, errs);
        em_str_free(&search.clues[i].value);
        em_str_free(&search.clues[i].file);
        em_str_free(&search.clues[i].around);
    }
    free(search.clues);
    em_bundle_walk_free(&look);
    return code;
}
