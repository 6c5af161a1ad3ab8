#include "embark/core/languages/python/marker.h"

#include <string.h>

#include "embark/core/languages/python/pep440.h"
#include "name.h"

enum { DEPTH_MAX = 50 };

struct reader {
    const char *p;
    const struct em_marker_world *world;
    int depth;
    bool malformed;
};

struct operand {
    struct em_str text;
    bool known, is_variable, is_extra;
};

enum relation { REL_IN, REL_NOT_IN, REL_OP, REL_NONE };

static enum em_tristate either(struct reader *r);

static void skip(struct reader *r)
{
    r->p += strspn(r->p, " \t\r\n");
}

static bool word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static bool take_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    skip(r);
    if (strncmp(r->p, word, n) != 0 || word_byte(r->p[n]))
        return false;
    r->p += n;
    return true;
}

/* The names of before PEP 508 are still about. */
static const char *todays_name(const char *name)
{
    static const char *const names[][2] = {
        {"os.name", "os_name"},
        {"sys.platform", "sys_platform"},
        {"platform.version", "platform_version"},
        {"platform.machine", "platform_machine"},
        {"platform.python_implementation", "platform_python_implementation"},
        {"python_implementation", "platform_python_implementation"},
    };

    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (strcmp(name, names[i][0]) == 0)
            return names[i][1];
    return name;
}

static bool is_variable(const char *name)
{
    static const char *const names[] = {
        "python_version",      "python_full_version",    "os_name",
        "sys_platform",        "platform_release",       "platform_system",
        "platform_version",    "platform_machine",       "extra",
        "implementation_name", "implementation_version", "platform_python_implementation",
    };

    for (size_t i = 0; i < EM_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void read_variable(struct reader *r, struct operand *o)
{
    EM_STR_AUTO name = EM_STR_INIT;
    const char *today, *value;

    while (word_byte(*r->p))
        em_str_putc(&name, *r->p++);
    today = todays_name(em_str_c(&name));
    o->is_variable = true;
    o->is_extra = strcmp(today, "extra") == 0;
    if (!is_variable(today)) {
        r->malformed = true;
        return;
    }
    if (!r->world)
        return;
    value = o->is_extra ? r->world->extra : r->world->variable(r->world->ctx, today);
    o->known = value != NULL;
    if (value)
        em_str_puts(&o->text, value);
}

static void read_operand(struct reader *r, struct operand *o)
{
    char quote;
    size_t n;

    *o = (struct operand){0};
    skip(r);
    quote = *r->p;
    if (quote != '"' && quote != '\'') {
        read_variable(r, o);
        return;
    }
    n = strcspn(++r->p, quote == '"' ? "\"" : "'");
    em_str_add(&o->text, r->p, n);
    o->known = true;
    r->malformed = r->malformed || r->p[n] == '\0';
    r->p += n + (r->p[n] != '\0');
}

static enum relation read_relation(struct reader *r, struct em_str *op)
{
    size_t n;

    if (take_word(r, "in"))
        return REL_IN;
    if (take_word(r, "not"))
        return take_word(r, "in") ? REL_NOT_IN : REL_NONE;
    skip(r);
    n = strspn(r->p, "<>=!~");
    em_str_add(op, r->p, n);
    r->p += n;
    return n && strstr(" < <= == != >= > ~= === ", em_str_c(op)) ? REL_OP : REL_NONE;
}

/* Two texts that aren't both versions. */
static enum em_tristate compare_texts(const char *a, const char *op, const char *b)
{
    int result = strcmp(a, b);

    if (strcmp(op, "==") == 0 || strcmp(op, "===") == 0)
        return result == 0 ? EM_YES : EM_NO;
    if (strcmp(op, "!=") == 0)
        return result != 0 ? EM_YES : EM_NO;
    if (op[0] == '~')
        return EM_UNKNOWN;
    if (result == 0)
        return op[1] == '=' ? EM_YES : EM_NO;
    return (op[0] == '<') == (result < 0) ? EM_YES : EM_NO;
}

static enum em_tristate compare(const struct operand *a, enum relation relation, const char *op,
                                const struct operand *b)
{
    const char *left = em_str_c(&a->text), *right = em_str_c(&b->text);
    EM_STR_AUTO spec = EM_STR_INIT;
    enum em_tristate result;

    if (relation != REL_OP)
        return (strstr(right, left) != NULL) == (relation == REL_IN) ? EM_YES : EM_NO;
    em_str_printf(&spec, "%s%s", op, right);
    result = a->is_extra || b->is_extra ? EM_UNKNOWN : em_pep440_allows(em_str_c(&spec), left);
    return result == EM_UNKNOWN ? compare_texts(left, op, right) : result;
}

/* Names of extras are compared as names of distributions are. */
static void normalise(struct operand *o)
{
    EM_STR_AUTO key = EM_STR_INIT;

    em_requirement_key(em_str_c(&o->text), o->text.len, &key);
    em_str_cut(&o->text, 0);
    em_str_puts(&o->text, em_str_c(&key));
}

static enum em_tristate comparison(struct reader *r)
{
    struct operand a, b;
    EM_STR_AUTO op = EM_STR_INIT;
    enum relation relation;
    enum em_tristate result = EM_UNKNOWN;

    read_operand(r, &a);
    relation = read_relation(r, &op);
    read_operand(r, &b);
    r->malformed = r->malformed || relation == REL_NONE || (!a.is_variable && !b.is_variable);
    if (a.is_extra || b.is_extra) {
        normalise(&a);
        normalise(&b);
    }
    if (!r->malformed && a.known && b.known)
        result = compare(&a, relation, em_str_c(&op), &b);
    em_str_free(&a.text);
    em_str_free(&b.text);
    return result;
}

static enum em_tristate atom(struct reader *r)
{
    enum em_tristate result;

    skip(r);
    if (*r->p != '(')
        return comparison(r);
    r->p++;
    if (++r->depth > DEPTH_MAX) {
        r->malformed = true;
        return EM_UNKNOWN;
    }
    result = either(r);
    r->depth--;
    skip(r);
    if (*r->p == ')')
        r->p++;
    else
        r->malformed = true;
    return result;
}

static enum em_tristate both(struct reader *r)
{
    enum em_tristate result = atom(r);

    while (!r->malformed && take_word(r, "and"))
        result = em_tristate_and(result, atom(r));
    return result;
}

static enum em_tristate either(struct reader *r)
{
    enum em_tristate result = both(r);

    while (!r->malformed && take_word(r, "or"))
        result = em_tristate_or(result, both(r));
    return result;
}

static enum em_tristate evaluate(const char *marker, const struct em_marker_world *world,
                                 bool *valid)
{
    struct reader r = {.p = marker, .world = world};
    enum em_tristate result = either(&r);

    skip(&r);
    *valid = !r.malformed && *r.p == '\0';
    return *valid ? result : EM_UNKNOWN;
}

enum em_tristate em_marker_holds(const char *marker, const struct em_marker_world *world)
{
    bool valid;

    return evaluate(marker, world, &valid);
}

bool em_marker_valid(const char *marker)
{
    bool valid;

    evaluate(marker, NULL, &valid);
    return valid;
}
