#include "lint_meta.h"

#include <string.h>
#include <strings.h>

#include "embark/core/base/nearest.h"
#include "embark/core/sql/meta.h"
#include "embark/core/sql/meta_words.h"
#include "lint_quoted.h"

struct meta {
    struct em_sql_walk *walk;
    struct em_sql_meta_words slash;
    const char *name;
    size_t offset; /* of the backslash */
    bool open;     /* an argument's quote isn't closed: said already */
};

void em_sql_lint_unset(struct em_sql_walk *walk, const char *name, size_t length, size_t offset)
{
    EM_FREE char *copy = em_strndup(name, length);
    const struct em_sql_lint *lint = walk->lint;
    struct em_nearest near;
    struct em_err *err;

    em_nearest_start(&near, copy);
    for (size_t i = 0; i < lint->vars.n; i++)
        em_nearest_try(&near, lint->vars.v[i].name);
    if ((lint->guess && !(lint->names && near.found)) || walk->conds.n || em_sql_vars_builtin(copy))
        return;
    err =
        em_sql_finding(walk->lint, walk->source, true, offset, "the variable %s is not set", copy);
    if (err && near.found)
        em_hint(err, "did you mean %s?", near.found);
    else if (err)
        em_hint(err,
                "give it with -v NAME=VALUE, or \\set it before; a colon that starts no variable "
                "is written \\: in psql and here");
}

static struct em_err *wrong(const struct meta *m, const char *text)
{
    return em_sql_finding(m->walk->lint, m->walk->source, true, m->offset, "\\%s: %s", m->name,
                          text);
}

/* What is refused within an \if may be in a branch that isn't taken: that shows when it is run. */
static bool is_certain(const struct meta *m)
{
    return m->walk->conds.n == 0;
}

/* The next argument; a mistake in it is a finding. `variables` (may be NULL): it depends on some.
 */
static bool next_arg(struct meta *m, struct em_str *arg, bool *variables)
{
    const char *start = m->slash.at;
    enum em_sql_arg got = em_sql_meta_words_arg(&m->slash, arg);

    if (variables)
        *variables = memchr(start, ':', (size_t)(m->slash.at - start)) != NULL;
    if (got == EM_SQL_ARG_OPEN && !m->open) {
        wrong(m, "a quote is not closed at the line's end");
        m->open = true;
    }
    if (m->slash.shell && is_certain(m)) {
        struct em_err *err = wrong(m, "no shell is run for `…`");

        if (err)
            em_hint(err, "give the value with -v NAME=VALUE, or take it from the environment with "
                         "\\getenv NAME VARIABLE");
    }
    if (m->slash.unset)
        em_sql_lint_unset(m->walk, m->slash.unset_name, m->slash.unset_length,
                          em_sql_split_offset(&m->walk->split, m->slash.unset));
    return got == EM_SQL_ARG_OK;
}

static void set_known(struct meta *m, const char *name, const char *value)
{
    EM_STR_AUTO text = EM_STR_INIT;

    if (em_sql_vars_set(&m->walk->lint->vars, name, value))
        return;
    em_str_printf(&text, "%s is no name of a variable: letters, digits and _", name);
    wrong(m, em_str_c(&text));
}

static void take_set(struct meta *m)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO value = EM_STR_INIT;
    const char *why;
    struct em_err *err;

    if (!next_arg(m, &name, NULL))
        return;
    while (next_arg(m, &value, NULL))
        ;
    if (is_certain(m) && em_sql_special(em_str_c(&name), em_str_c(&value), &why)) {
        err = wrong(m, em_str_c(&name));
        if (err) {
            em_str_printf(&err->text, " can't be %s here", value.len ? em_str_c(&value) : "on");
            em_hint(err, "%s", why);
        }
    }
    set_known(m, em_str_c(&name), em_str_c(&value));
}

static void take_getenv(struct meta *m)
{
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO variable = EM_STR_INIT;

    if (!next_arg(m, &name, NULL) || !next_arg(m, &variable, NULL))
        wrong(m, "a variable's name and that of one in the environment are needed");
    else
        set_known(m, em_str_c(&name), "");
}

/* From here on anything may be set. */
static void guess(struct em_sql_lint *lint)
{
    lint->guess = true;
    lint->names = false;
}

static void take_include(struct meta *m, bool relative)
{
    EM_STR_AUTO path = EM_STR_INIT;
    EM_STR_AUTO place = EM_STR_INIT;
    struct em_sql_lint *lint = m->walk->lint;
    bool variables;

    m->slash.strip = true;
    if (!next_arg(m, &path, &variables)) {
        wrong(m, "a file's name is needed");
        return;
    }
    if (variables || !lint->include || !is_certain(m)) {
        guess(lint); /* it may set anything */
        return;
    }
    em_sql_place_print(m->walk->source, m->offset, &place);
    lint->include(lint->ctx, lint, m->walk->source->name, em_str_c(&path), relative,
                  em_str_c(&place));
}

static void take_branch(struct meta *m, enum em_sql_what what)
{
    struct em_sql_walk *walk = m->walk;
    EM_STR_AUTO ignored = EM_STR_INIT;
    const char *mistake = NULL;
    bool ask;

    if (what == EM_SQL_META_IF) {
        next_arg(m, &ignored, NULL);
        em_sql_cond_if(&walk->conds, &walk->split, m->offset, true);
    } else if (what == EM_SQL_META_ELIF) {
        mistake = em_sql_cond_elif(&walk->conds, &walk->split, &ask);
    } else if (what == EM_SQL_META_ELSE) {
        mistake = em_sql_cond_else(&walk->conds, &walk->split);
    } else {
        mistake = em_sql_cond_endif(&walk->conds, &walk->split);
    }
    if (mistake)
        wrong(m, mistake);
}

/* \g, behind its (options), and \o. */
static void take_output(struct meta *m)
{
    EM_STR_AUTO file = EM_STR_INIT;
    bool more = next_arg(m, &file, NULL);

    if (more && *em_str_c(&file) == '(') {
        while (more && !em_ends(em_str_c(&file), ")"))
            more = next_arg(m, &file, NULL);
        em_str_cut(&file, 0);
        next_arg(m, &file, NULL);
    }
    if (*em_str_c(&file) == '|' && is_certain(m))
        wrong(m, EM_SQL_NO_PIPE);
}

/* \copy … from stdin takes its data as COPY does; nothing of it is SQL. */
static void skip_data(struct meta *m)
{
    size_t start, length;
    bool closed;

    em_sql_split_data(&m->walk->split, &start, &length, &closed);
}

static void take_refused(struct meta *m, const char *why)
{
    struct em_err *err;

    if (em_sql_meta_whole_line(m->name))
        em_sql_meta_words_drop(&m->slash);
    if (strcasecmp(m->name, "copy") == 0 && em_sql_split_has_data(&m->walk->split))
        skip_data(m);
    if (!is_certain(m))
        return;
    err = wrong(m, "psql's meta-command is refused");
    if (err)
        em_hint(err, "%s", why);
}

static void take_unknown(struct meta *m)
{
    /* Not certain: a COPY that fails takes no data, and the one that this belongs to may be one for
     * whose data the lines before were taken. */
    if (strcmp(m->name, ".") == 0)
        em_sql_finding(m->walk->lint, m->walk->source, false, m->offset,
                       "\\.: it ends the data of a COPY … FROM stdin, and there is none before it");
    else
        em_sql_finding(m->walk->lint, m->walk->source, is_certain(m), m->offset,
                       "there is no meta-command \\%s", m->name);
    em_sql_meta_words_drop(&m->slash);
}

static void take(struct meta *m, enum em_sql_what what, const char *why)
{
    switch (what) {
    case EM_SQL_META_SET:
        take_set(m);
        break;
    case EM_SQL_META_GETENV:
        take_getenv(m);
        break;
    case EM_SQL_META_IF:
    case EM_SQL_META_ELIF:
    case EM_SQL_META_ELSE:
    case EM_SQL_META_ENDIF:
        take_branch(m, what);
        break;
    case EM_SQL_META_GSET:
        guess(m->walk->lint); /* it sets what the query's columns are called */
        m->walk->statement = true;
        break;
    case EM_SQL_META_GO:
        take_output(m);
        m->walk->statement = true;
        break;
    case EM_SQL_META_GEXEC:
        m->walk->statement = true;
        break;
    case EM_SQL_META_INCLUDE:
    case EM_SQL_META_INCLUDE_RELATIVE:
        take_include(m, what == EM_SQL_META_INCLUDE_RELATIVE);
        break;
    case EM_SQL_META_OUTPUT:
        take_output(m);
        break;
    case EM_SQL_META_QUIT:
        m->walk->quit = is_certain(m);
        break;
    case EM_SQL_META_RESET:
        em_sql_split_reset(&m->walk->split);
        em_str_cut(&m->walk->opening, 0);
        m->walk->tokens = 0;
        break;
    case EM_SQL_META_REFUSED:
        take_refused(m, why);
        break;
    case EM_SQL_META_UNKNOWN:
        take_unknown(m);
        break;
    default:
        break;
    }
}

void em_sql_lint_meta(struct em_sql_walk *walk)
{
    struct em_sql_lex *lex = &walk->split.lex;
    EM_STR_AUTO name = EM_STR_INIT;
    EM_STR_AUTO rest = EM_STR_INIT;
    struct meta m = {.walk = walk, .slash = {.at = lex->at, .end = lex->end}};
    const char *why;
    enum em_sql_what what;

    m.offset = em_sql_split_offset(&walk->split, lex->at) - 1;
    em_sql_meta_words_name(&m.slash, &name);
    m.name = em_str_c(&name);
    m.slash.vars = &walk->lint->vars;
    walk->statement = false;
    what = em_sql_meta(m.name, &why);
    take(&m, what, why);
    /* An \echo's text, and what is too much. In \unset's name a colon is no mistake of ours to
     * find. */
    while (next_arg(&m, &rest, NULL))
        ;
    em_sql_meta_words_end(&m.slash);
    lex->at = m.slash.at;
}
