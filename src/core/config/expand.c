#include "expand.h"

#include <string.h>

#include "embark/core/url/url.h"

/* A default may hold another ${…}, and that another: no deeper than anybody writes, so that bad
 * input can't use up the stack. */
enum { DEEPEST = 8 };

static struct em_err *add(const struct em_expansion *e, struct em_errs *errs, const char *format,
                          va_list args)
{
    EM_STR_AUTO text = EM_STR_INIT;

    if (e->place)
        em_str_printf(&text, "%s: ", e->place);
    em_str_vprintf(&text, format, args);
    return em_errs_add(errs, EM_EXIT_CONFIG, "%s", em_str_c(&text));
}

struct em_err *em_expansion_error(const struct em_expansion *e, const char *format, ...)
{
    struct em_err *err;
    va_list args;

    va_start(args, format);
    err = add(e, e->errs, format, args);
    va_end(args);
    return err;
}

/* A build has none of the deployment's variables and secrets: what they are for isn't looked at. */
static struct em_err *expansion_missing(const struct em_expansion *e, const char *format, ...)
    EM_PRINTF(2, 3);

static struct em_err *expansion_missing(const struct em_expansion *e, const char *format, ...)
{
    struct em_err *err = NULL;
    struct em_errs *into = e->world->build_time ? e->warnings : e->errs;
    va_list args;

    if (!into)
        return NULL;
    va_start(args, format);
    err = add(e, into, format, args);
    va_end(args);
    if (e->world->build_time)
        em_str_puts(&err->text, EM_EXPANSION_UNSEEN);
    return err;
}

struct em_err *em_expansion_warn(const struct em_expansion *e, const char *format, ...)
{
    struct em_err *err;
    va_list args;

    if (!e->warnings)
        return NULL;
    va_start(args, format);
    err = add(e, e->warnings, format, args);
    va_end(args);
    return err;
}

static void warn_of_mode(const struct em_expansion *e, const char *path, const char *name)
{
    const struct em_config_source *world = e->world;
    unsigned mode;

    if (!world->readable_by_all || !world->readable_by_all(world->ctx, path, &mode))
        return;
    struct em_err *warning = em_expansion_warn(
        e, "%s: everybody may read this secret, since the file has mode %04o", name, mode);
    if (warning)
        em_hint(warning, "chmod o-r %s, or mount it below /run/secrets", path);
}

/* What an editor or a copy leaves behind, and is not seen: the value is used as it stands. */
static void warn_of_ends(const struct em_expansion *e, const struct em_str *value, const char *name)
{
    const char *text = em_str_c(value);
    char last = value->len ? text[value->len - 1] : 'x';
    const char *what = em_starts(text, "\xEF\xBB\xBF") ? "begins with a byte order mark"
                       : last == '\n'                  ? "ends in more than one newline"
                       : last == ' ' || last == '\t' || last == '\r' ? "ends in a blank"
                                                                     : NULL;
    struct em_err *warning =
        what ? em_expansion_warn(e, "%s %s, which is taken as part of the value", name, what)
             : NULL;
    if (warning)
        em_hint(warning, "write the file without it: printf %%s VALUE > FILE");
}

/* Adds a file's contents to `out`. `name`: what the message calls it, "${file:/run/x}" or
 * "$DB_PASSWORD_FILE (/run/x)". */
static bool read_secret(const struct em_expansion *e, const char *path, const char *name,
                        struct em_str *out)
{
    EM_STR_WIPED bytes = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    bool ok = false;

    if (!e->world->read_file(e->world->ctx, path, &bytes, &why)) {
        expansion_missing(e, "%s can't be read: %s", name, em_str_c(&why));
    } else if (bytes.len && memchr(bytes.data, '\0', bytes.len)) {
        em_expansion_error(e, "%s holds a NUL byte, so it can't be a value", name);
    } else {
        if (em_ends(em_str_c(&bytes), "\r\n"))
            em_str_cut(&bytes, bytes.len - 2);
        else if (em_ends(em_str_c(&bytes), "\n"))
            em_str_cut(&bytes, bytes.len - 1);
        if (e->secrets) {
            em_secrets_add(e->secrets, em_str_c(&bytes));
            warn_of_mode(e, path, name);
            warn_of_ends(e, &bytes, name);
        }
        em_str_puts(out, em_str_c(&bytes));
        ok = true;
    }
    return ok;
}

int em_expansion_get(const struct em_expansion *e, const char *name, struct em_str *out)
{
    const char *value = e->world->env(e->world->ctx, name);
    EM_STR_AUTO name_file = EM_STR_INIT;
    const char *path;

    em_str_printf(&name_file, "%s_FILE", name);
    path = e->world->env(e->world->ctx, em_str_c(&name_file));
    if (path && *path) {
        EM_STR_AUTO shown = EM_STR_INIT;

        if (value && *value) {
            struct em_err *err = em_expansion_error(e, "$%s and $%s_FILE are both set", name, name);
            em_hint(err, "unset one of them");
            return -1;
        }
        em_str_printf(&shown, "$%s_FILE (%s)", name, path);
        return read_secret(e, path, em_str_c(&shown), out) ? 1 : -1;
    }
    if (!value)
        return 0;
    em_str_puts(out, value);
    return 1;
}

int em_config_source_get(const struct em_config_source *world, const char *name, struct em_str *out,
                         struct em_secrets *secrets, struct em_errs *errs, struct em_errs *warnings)
{
    return em_expansion_get(&(struct em_expansion){world, secrets, errs, warnings, NULL}, name,
                            out);
}

static size_t name_length(const char *p)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return *p >= '0' && *p <= '9' ? 0 : strspn(p, first);
}

struct cursor {
    const struct em_expansion *e;
    const char *p;
    bool ok;
    bool unclosed; /* reported already: all the ${ around it aren't closed either */
};

static void braces(struct cursor *c, struct em_str *out, int depth);

/* A $ that is no ${: it stands for itself, which is seldom meant where a variable of that name is
 * set. */
static void bare_dollar(struct cursor *c, struct em_str *out)
{
    char *name = em_strndup(c->p + 1, name_length(c->p + 1));

    if (*name && c->e->world->env(c->e->world->ctx, name)) {
        struct em_err *warning = em_expansion_warn(c->e, "$%s is not expanded", name);
        if (warning)
            em_hint(warning, "write ${%s}", name);
    }
    em_free_ptr(&name);
    em_str_putc(out, '$');
    c->p++;
}

static void dollar(struct cursor *c, struct em_str *out, int depth)
{
    if (em_starts(c->p, "$${")) {
        em_str_puts(out, "${");
        c->p += 3;
    } else if (em_starts(c->p, "${")) {
        braces(c, out, depth);
    } else {
        bare_dollar(c, out);
    }
}

/* Text up to the } that closes it, which is passed. When there is none, the cursor is left at the
 * end. */
static bool inner(struct cursor *c, struct em_str *out, int depth)
{
    while (*c->p && *c->p != '}') {
        if (*c->p == '$')
            dollar(c, out, depth + 1);
        else
            em_str_putc(out, *c->p++);
    }
    if (!*c->p)
        return false;
    c->p++;
    return true;
}

/* Passes a default that isn't needed. */
static bool skip(struct cursor *c)
{
    for (int open = 1; *c->p; c->p++) {
        if (em_starts(c->p, "$${"))
            c->p += 2;
        else if (em_starts(c->p, "${"))
            open++;
        else if (*c->p == '}' && --open == 0)
            break;
    }
    if (!*c->p)
        return false;
    c->p++;
    return true;
}

/* ${…:url}: a value that goes into a URL. */
static void add_value(struct em_str *out, const struct em_str *value, bool encoded)
{
    if (encoded)
        em_url_encode(out, em_str_c(value));
    else
        em_str_add(out, em_str_c(value), value->len);
}

static bool file(struct cursor *c, struct em_str *out, int depth)
{
    EM_STR_WIPED value = EM_STR_INIT;
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO shown = EM_STR_INIT;
    bool was_ok = c->ok;

    c->ok = true;
    if (!inner(c, &path, depth))
        return false;
    em_str_printf(&shown, "${file:%s}", em_str_c(&path));
    bool encoded = em_ends(em_str_c(&path), ":url");
    if (encoded)
        em_str_cut(&path, path.len - strlen(":url"));
    if (c->ok && !read_secret(c->e, em_str_c(&path), em_str_c(&shown), &value))
        c->ok = false;
    add_value(out, &value, encoded);
    c->ok = c->ok && was_ok;
    return true;
}

/* ${NAME} and ${NAME:-default}, ${NAME:url} and ${NAME:url:-default}, behind the name. False: not
 * closed. */
static bool variable(struct cursor *c, const char *name, struct em_str *out, int depth)
{
    EM_STR_WIPED value = EM_STR_INIT;
    bool encoded = em_starts(c->p, ":url");
    c->p += encoded ? strlen(":url") : 0;
    bool fallback = em_starts(c->p, ":-");
    int found = em_expansion_get(c->e, name, &value);

    c->p += fallback ? 2 : 0;
    if (found < 0)
        c->ok = false;
    if (found == 1 && (value.len || !fallback))
        add_value(out, &value, encoded);
    else if (found >= 0 && fallback)
        return inner(c, out, depth);
    if (!skip(c))
        return false;
    if (found == 0) {
        struct em_err *err = expansion_missing(c->e, "$%s is not set", name);
        if (err && !c->e->world->build_time)
            em_hint(err, "set it, or write ${%s:-default}; $${ is a literal ${", name);
        c->ok = false;
    }
    return true;
}

/* What stands in the braces isn't shown if it is no name: it may be half a password. */
static bool nonsense(struct cursor *c)
{
    struct em_err *err;

    c->ok = false;
    if (!skip(c))
        return false;
    err = em_expansion_error(c->e, "${…} holds neither a variable's name nor file:");
    em_hint(err,
            "write ${NAME}, ${NAME:-default}, ${NAME:url} or ${file:/path}; $${ is a literal ${");
    return true;
}

static void braces(struct cursor *c, struct em_str *out, int depth)
{
    const char *start = c->p + 2;
    size_t n = name_length(start);
    bool closed;

    if (depth > DEEPEST) {
        em_expansion_error(c->e, "more than %d ${ within each other", DEEPEST);
        c->ok = false;
        c->unclosed = true; /* what is left isn't looked at */
        c->p += strlen(c->p);
        return;
    }
    c->p = start;
    if (em_starts(start, "file:") && start[5] != '-') {
        c->p += 5;
        closed = file(c, out, depth);
    } else if (n && (start[n] == '}' || start[n] == '\0' || em_starts(start + n, ":-") ||
                     em_starts(start + n, ":url}") || em_starts(start + n, ":url:-"))) {
        char *name = em_strndup(start, n);

        c->p += n;
        closed = variable(c, name, out, depth);
        em_free_ptr(&name);
    } else {
        closed = nonsense(c);
    }
    if (!closed && !c->unclosed)
        em_hint(em_expansion_error(c->e, "a ${ has no }"), "$${ is a literal ${");
    if (!closed)
        c->unclosed = true;
    c->ok = c->ok && closed;
}

bool em_expand(const struct em_expansion *e, const char *text, struct em_str *out)
{
    struct cursor c = {e, text, true, false};

    while (*c.p) {
        if (*c.p == '$')
            dollar(&c, out, 0);
        else
            em_str_putc(out, *c.p++);
    }
    return c.ok;
}

bool em_expand_dollar(const struct em_expansion *e, const char **text, struct em_str *out)
{
    struct cursor c = {e, *text, true, false};

    dollar(&c, out, 0);
    *text = c.p;
    return c.ok;
}
