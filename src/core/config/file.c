#include "file.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/nearest.h"
#include "value.h"

/* A longer line is a file of another kind. It fits beside CR, LF and NUL into inih's buffer, so
 * that every line reaches inih as a whole. */
enum { LONGEST = 1 << 20 };
_Static_assert(INI_MAX_LINE >= LONGEST + 3, "inih's lines are shorter than config.h says");

enum kind { NOTHING, SECTION, PAIR, CONTINUATION };

struct reader {
    struct em_entries *out;
    const char *next, *end; /* what is still to be read */
    const char *rest;       /* of the line that inih reads, where it takes it in pieces */
    size_t rest_length;
    size_t line;     /* of the last one that was read, from 1 */
    enum kind fed;   /* what that line is */
    bool answered;   /* inih has called on_value() for it */
    bool continuing; /* as in inih: a key was read in this section, so an indented line goes on with
                        its value */
    bool dropping;   /* a line was wrong: the indented ones below it are part of the mistake */
    const char *section; /* one of em_sections; NULL: none yet, or one that was wrong (`lost`) */
    bool lost;
    const struct em_key
        *key; /* the one whose value an indented line goes on with; NULL: it was wrong */
    size_t first[EM_KEY_COUNT]; /* the line of each key, 0: not yet */
};

static struct em_err *mistake(struct reader *r, const char *format, ...) EM_PRINTF(2, 3);
static struct em_err *mistake(struct reader *r, const char *format, ...)
{
    EM_STR_AUTO text = EM_STR_INIT;
    size_t n = r->out->mistakes.n;
    va_list args;

    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    r->out->lines = em_realloc(r->out->lines, n + 1, sizeof(*r->out->lines));
    r->out->lines[n] = r->line;
    return em_errs_add(&r->out->mistakes, EM_EXIT_CONFIG, "%s", em_str_c(&text));
}

/* Where inih would see an inline comment begin in a value: at its semicolon; or the end. */
static size_t value_length(const char *text)
{
    size_t n = 0;

    while (text[n] && !(text[n] == ';' && n && em_is_space(text[n - 1])))
        n++;
    while (n && em_is_space(text[n - 1]))
        n--;
    return n;
}

/* What may be shown of a name that isn't one: a value that has strayed into a line of its own
 * isn't. */
static size_t name_length(const char *text)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return strspn(text, name);
}

/* ---- Sections and keys ---- */

static const char *find_section(const char *name, size_t length)
{
    for (const struct em_section *s = em_sections; s->name; s++)
        if (strlen(s->name) == length && memcmp(s->name, name, length) == 0)
            return s->name;
    return NULL;
}

static const struct em_key *find_key(const char *section, const char *name, size_t length)
{
    for (size_t i = 0; i < EM_KEY_COUNT; i++)
        if (strcmp(em_keys[i].section, section) == 0 && strlen(em_keys[i].name) == length &&
            memcmp(em_keys[i].name, name, length) == 0)
            return &em_keys[i];
    return NULL;
}

static void unknown_section(struct reader *r, const char *name, size_t length)
{
    char *copy = em_strndup(name, length);
    struct em_err *err = mistake(r, "there is no section [%.*s%s]", length > 49 ? 49 : (int)length,
                                 copy, length > 49 ? "…" : "");
    struct em_nearest near;

    em_nearest_start(&near, copy);
    for (const struct em_section *s = em_sections; s->name; s++)
        em_nearest_try(&near, s->name);
    if (near.found)
        em_hint(err, "did you mean [%s]?", near.found);
    else
        em_hint(err, "embark help config lists the sections");
    em_free_ptr(&copy);
}

/* "[database] and [wait]": the sections that have a key of that name. */
static void sections_with(const char *name, struct em_str *out)
{
    for (size_t i = 0; i < EM_KEY_COUNT; i++)
        if (strcmp(em_keys[i].name, name) == 0)
            em_str_printf(out, "%s[%s]", out->len ? " and " : "", em_keys[i].section);
}

static void unknown_key(struct reader *r, const char *name)
{
    size_t shown = name_length(name);
    struct em_nearest near;
    struct em_err *err;
    EM_STR_AUTO elsewhere = EM_STR_INIT;

    if (name[shown] != '\0' || shown > 49) {
        err = mistake(r, "\"%.*s…\" is no key of [%s]", shown > 49 ? 49 : (int)shown, name,
                      r->section);
        if (find_key(r->section, name, shown))
            em_hint(err, "\"%.*s\" is to be followed by a =", (int)shown, name);
        return;
    }
    err = mistake(r, "[%s] has no key %s", r->section, name);
    em_nearest_start(&near, name);
    for (size_t i = 0; i < EM_KEY_COUNT; i++)
        if (strcmp(em_keys[i].section, r->section) == 0)
            em_nearest_try(&near, em_keys[i].name);
    sections_with(name, &elsewhere);
    if (near.found)
        em_hint(err, "did you mean %s?", near.found);
    else if (elsewhere.len)
        em_hint(err, "it is a key of %s", em_str_c(&elsewhere));
}

/* ---- What inih has found ---- */

static void add_entry(struct reader *r, const struct em_key *key, const char *text)
{
    struct em_entries *out = r->out;
    struct em_entry *entry;

    if ((out->n & (out->n + 1)) == 0) /* room for a power of two */
        out->v = em_realloc(out->v, out->n + 1, 2 * sizeof(*out->v));
    entry = &out->v[out->n++];
    *entry = (struct em_entry){key, r->line, EM_STR_INIT};
    em_str_puts(&entry->text, text);
}

static void on_pair(struct reader *r, const char *name, const char *value)
{
    const struct em_key *key;
    size_t *first;

    r->key = NULL;
    r->continuing = *name != '\0';
    if (!*name) {
        mistake(r, "there is no key before the =");
        r->dropping = true;
        return;
    }
    if (r->lost)
        return;
    if (!r->section) {
        EM_STR_AUTO where = EM_STR_INIT;
        struct em_err *err =
            mistake(r, "\"%.*s\" stands above every [section]", (int)name_length(name), name);

        sections_with(name, &where);
        if (where.len)
            em_hint(err, "it is a key of %s", em_str_c(&where));
        return;
    }
    key = find_key(r->section, name, strlen(name));
    if (!key) {
        unknown_key(r, name);
        return;
    }
    first = &r->first[key - em_keys];
    if (*first && !em_key_repeats(key)) {
        mistake(r, "[%s] %s is given twice, first in line %zu", key->section, key->name, *first);
        return;
    }
    if (!*first)
        *first = r->line;
    r->key = key;
    add_entry(r, key, value);
}

/* An indented line that was more likely meant to begin something is told, not taken for a value. */
static bool looks_like_more(struct reader *r, const char *value)
{
    size_t n = name_length(value);
    const char *after = value + n;
    struct em_err *err;

    while (em_is_space(*after))
        after++;
    if (*after == '=' && find_key(r->section, value, n)) {
        err = mistake(r, "%.*s is indented, and so goes on with the value of %s above it", (int)n,
                      value, r->key->name);
    } else if (*value == '[' && strchr(value, ']') &&
               find_section(value + 1, (size_t)(strchr(value, ']') - value - 1))) {
        err = mistake(r, "%s is indented, and so goes on with the value of %s above it", value,
                      r->key->name);
    } else {
        return false;
    }
    em_hint(err, "let the line start in its first column");
    return true;
}

static void on_continuation(struct reader *r, const char *text)
{
    char *value;

    if (!r->key) /* what it goes on with was wrong */
        return;
    value = em_strndup(text, value_length(text)); /* inih leaves the comments in these */
    if (looks_like_more(r, value)) {
        r->key = NULL;
    } else if (em_key_repeats(r->key)) {
        add_entry(r, r->key, value);
    } else if (r->key->type == EM_KEY_WORDS) {
        struct em_str *words = &r->out->v[r->out->n - 1].text;

        em_str_putc(words, ' ');
        em_str_puts(words, value);
    } else {
        em_hint(mistake(r, "the line is indented, and %s above it has one value of one line",
                        r->key->name),
                "let a key start in the first column");
        r->key = NULL;
    }
    explicit_bzero(value, strlen(value));
    em_free_ptr(&value);
}

static int on_value(void *user, const char *section, const char *name, const char *value,
                    int lineno)
{
    struct reader *r = user;
    (void)lineno;  /* the reader counts, too, for what inih doesn't see */
    (void)section; /* inih cuts it, and doesn't tell of an empty one */
    r->answered = true;
    if (r->fed == CONTINUATION)
        on_continuation(r, value);
    else
        on_pair(r, name, value);
    return 1;
}

/* ---- What inih is fed ---- */

/* Told when the next line is asked for: inih calls for every line with a = in it, and says nothing
 * of others. */
static void settle(struct reader *r)
{
    if (r->fed == PAIR && !r->answered) {
        em_hint(mistake(r, "there is no = in the line"),
                "a value that goes on in a further line is indented there");
        r->key = NULL;
        r->dropping = true;
    }
    r->fed = NOTHING;
    r->answered = false;
}

static enum kind wrong(struct reader *r, bool indented)
{
    if (!indented || !r->continuing) {
        r->dropping = true;
        r->key = NULL;
    }
    return NOTHING;
}

static enum kind on_section(struct reader *r, const char *text, size_t length)
{
    size_t n = 1, after;

    r->section = NULL;
    r->lost = true;
    while (n < length && text[n] != ']' && !(text[n] == ';' && em_is_space(text[n - 1])))
        n++;
    if (n == length || text[n] != ']') {
        mistake(r, "the [ of a section has no ]");
        return wrong(r, false);
    }
    for (after = n + 1; after < length && em_is_space(text[after]); after++)
        ;
    if (after < length && text[after] != ';' && text[after] != '#')
        em_hint(mistake(r, "there is more in the line of the section than its name"),
                "a key starts in a line of its own");
    r->continuing = false;
    r->key = NULL;
    r->section = find_section(text + 1, n - 1);
    r->lost = !r->section;
    if (r->lost)
        unknown_section(r, text + 1, n - 1);
    return SECTION;
}

/* Tells what the line is; NOTHING: inih need not see it. */
static enum kind classify(struct reader *r, const char *text, size_t length)
{
    size_t indent = 0;

    while (indent < length && em_is_space(text[indent]))
        indent++;
    if (memchr(text, '\0', length)) {
        em_hint(mistake(r, "there is a NUL byte in the line"), "the file must be text, in UTF-8");
        return wrong(r, indent > 0);
    }
    if (indent == length || text[indent] == ';' || text[indent] == '#')
        return NOTHING;
    if (r->dropping && indent)
        return NOTHING;
    r->dropping = false;
    if (length > LONGEST) {
        em_hint(mistake(r, "the line has %zu bytes, and only %d can be read", length, LONGEST),
                "a list or a command may go on in further, indented lines; a long value can come "
                "from ${NAME} "
                "or ${file:/path}");
        if (text[indent] == '[')
            r->lost = true;
        return wrong(r, indent > 0);
    }
    if (indent && r->continuing)
        return CONTINUATION;
    if (text[indent] == '[')
        return on_section(r, text + indent, length - indent);
    return PAIR;
}

/* The next line, for inih; empty where there is nothing that it need see. */
static bool begin_line(struct reader *r)
{
    const char *text = r->next, *newline;
    settle(r);
    if (r->next == r->end || r->out->mistakes.n > EM_CONFIG_MISTAKES)
        return false;
    newline = memchr(text, '\n', (size_t)(r->end - text));
    size_t length = (size_t)((newline ? newline : r->end) - text);
    r->next = newline ? newline + 1 : r->end;
    r->line++;
    if (length && text[length - 1] == '\r')
        length--;
    r->fed = classify(r, text, length);
    r->rest = text;
    r->rest_length = r->fed == NOTHING ? 0 : length;
    return true;
}

/* inih's fgets(): of a line that doesn't fit into its buffer, inih asks for the rest with a larger
 * one. */
static char *read_line(char *buffer, int size, void *stream)
{
    struct reader *r = stream;
    size_t room = (size_t)size - 1; /* beside the NUL */
    if (!r->rest && !begin_line(r))
        return NULL;
    size_t n = r->rest_length < room ? r->rest_length : room;
    memcpy(buffer, r->rest, n);
    r->rest += n;
    r->rest_length -= n;
    if (n < room) {
        buffer[n++] = '\n';
        r->rest = NULL;
    }
    buffer[n] = '\0';
    return buffer;
}

void em_config_read(const char *bytes, size_t length, struct em_entries *entries)
{
    struct reader r = {.out = entries, .next = bytes, .end = bytes + length};

    if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        r.next += 3;
    if (length >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        r.line = 1;
        em_hint(mistake(&r, "the file is UTF-16"), "write it in UTF-8");
        return;
    }
    if (ini_parse_stream(read_line, &r, on_value, &r) == -2)
        em_out_of_memory();
}

void em_entries_free(struct em_entries *entries)
{
    for (size_t i = 0; i < entries->n; i++)
        em_str_wipe(&entries->v[i].text);
    free(entries->v);
    free(entries->lines);
    em_errs_free(&entries->mistakes);
    *entries = (struct em_entries){0};
}
