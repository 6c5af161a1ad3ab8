#include "embark/core/report/screen.h"

#include <string.h>

/* AGAIN: bytes of a text that is said a second time, two lines. */
enum { AGAIN = 150, INDENT = 2, KEY_LEAST = 10, KEY_MOST = 26, MARK = 4 /* "  ✓ " */ };

/* SGR sequences of ECMA-48. */
#define BOLD   "\033[1m"
#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

static const struct {
    const char *text, *colour;
} marks[] = {
    [EM_MARK_NONE] = {" ", ""},
    [EM_MARK_OK] = {"✓", GREEN},
    [EM_MARK_WARN] = {"!", YELLOW},
    [EM_MARK_BAD] = {"✗", RED},
};

struct screen {
    const struct em_secrets *secrets;
    bool colour;
    struct em_str *out;
    size_t column; /* of the end of the current line */
};

/* Of UTF-8: one for each character, which is right for all that isn't wide or combining. */
static size_t columns(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static void put(struct screen *s, const char *text, size_t length)
{
    em_str_add(s->out, text, length);
    s->column += columns(text, length);
}

static void pad(struct screen *s, size_t to)
{
    while (s->column < to)
        put(s, " ", 1);
}

static void end_line(struct screen *s)
{
    while (s->out->len && s->out->data[s->out->len - 1] == ' ')
        em_str_cut(s->out, s->out->len - 1);
    em_str_putc(s->out, '\n');
    s->column = 0;
}

static void put_coloured(struct screen *s, const char *colour, const char *text)
{
    if (s->colour)
        em_str_puts(s->out, colour);
    put(s, text, strlen(text));
    if (s->colour && *colour)
        em_str_puts(s->out, PLAIN);
}

/* The text from the column `left` on, wrapped at blanks. */
static void put_wrapped(struct screen *s, size_t left, const char *text)
{
    bool first = true;
    pad(s, left);
    while (*text) {
        size_t length = strcspn(text, " ");
        if (!first && s->column + 1 + columns(text, length) > EM_SCREEN_WIDTH) {
            end_line(s);
            pad(s, left);
        } else if (!first) {
            put(s, " ", 1);
        }
        put(s, text, length);
        text += length;
        text += strspn(text, " ");
        first = false;
    }
    end_line(s);
}

void em_screen_clean(const char *text, const struct em_secrets *secrets, struct em_str *out)
{
    EM_STR_AUTO plain = EM_STR_INIT;
    em_str_puts(&plain, text);
    em_redact(secrets, &plain);
    em_escape(out, em_str_c(&plain), plain.len);
}

static void put_text(struct screen *s, size_t left, const char *before, const char *text)
{
    EM_STR_AUTO shown = EM_STR_INIT;
    em_str_puts(&shown, before);
    em_screen_clean(text, s->secrets, &shown);
    put_wrapped(s, left, em_str_c(&shown));
}

/* ---- Rows -------------------------------------------------------------------------------------- */

static bool is_of(const struct em_doctor_row *look, const char *section)
{
    return strcmp(look->section, section) == 0;
}

/* Where the marks stand: behind the section's longest key. */
static size_t key_width(const struct em_doctor_rows *looks, const char *section)
{
    size_t width = KEY_LEAST;
    for (size_t i = 0; i < looks->n; i++) {
        size_t n = columns(looks->v[i].key, strlen(looks->v[i].key));
        if (is_of(&looks->v[i], section) && n > width)
            width = n;
    }
    return width < KEY_MOST ? width : KEY_MOST;
}

static bool folds(const struct em_doctor_row *a, const struct em_doctor_row *b)
{
    return a->mark == EM_MARK_OK && b->mark == EM_MARK_OK && !a->hint && !b->hint &&
           strcmp(a->key, b->key) == 0 && strcmp(a->section, b->section) == 0 &&
           (is_of(a, "requirements") || is_of(a, "bundle"));
}

/* The row's text and those of the rows that are folded into it; *i is the last one's index. */
static void gather(const struct em_doctor_rows *looks, size_t *i, struct em_str *text)
{
    size_t first = *i, last = *i;
    bool commas = strchr(looks->v[first].text, ',') != NULL;
    for (; last + 1 < looks->n && folds(&looks->v[last], &looks->v[last + 1]); last++)
        commas = commas || strchr(looks->v[last + 1].text, ',');
    for (size_t k = first; k <= last; k++)
        em_str_printf(text, "%s%s", k == first ? "" : commas ? "; " : ", ", looks->v[k].text);
    *i = last;
}

/* The same advice for several rows stands below the last of them. */
static bool hint_follows(const struct em_doctor_rows *looks, size_t i)
{
    const struct em_doctor_row *look = &looks->v[i], *next = look + 1;
    return i + 1 < looks->n && look->hint && next->hint && strcmp(look->hint, next->hint) == 0 &&
           strcmp(look->section, next->section) == 0;
}

static void put_row(struct screen *s, size_t width, const char *key,
                    const struct em_doctor_row *look, const char *text, const char *hint)
{
    size_t left = INDENT + width + MARK;
    pad(s, INDENT);
    put(s, key, strlen(key));
    if (s->column > INDENT + width)
        end_line(s);
    pad(s, left - 2);
    put_coloured(s, marks[look->mark].colour, marks[look->mark].text);
    put_text(s, left, "", text);
    if (hint)
        put_text(s, left, "hint: ", hint);
}

void em_screen_print(const struct em_doctor_rows *looks, const struct em_secrets *secrets,
                     bool colour, struct em_str *out)
{
    struct screen s = {secrets, colour, out, 0};
    const struct em_doctor_row *before = NULL; /* the row above, in the same section */
    size_t width = 0;
    for (size_t i = 0; i < looks->n; i++) {
        const struct em_doctor_row *look = &looks->v[i];
        EM_STR_AUTO text = EM_STR_INIT;
        if (!before || !is_of(before, look->section)) {
            put_coloured(&s, BOLD, look->section);
            end_line(&s);
            width = key_width(looks, look->section);
            before = NULL;
        }
        gather(looks, &i, &text);
        /* Without a mark it would look as if the text above went on. */
        bool again = before && look->mark != EM_MARK_NONE && strcmp(before->key, look->key) == 0;
        put_row(&s, width, again ? "" : look->key, look, em_str_c(&text),
                hint_follows(looks, i) ? NULL : look->hint);
        before = look;
    }
}

/* At a blank: the whole text stands above. */
static void cut(struct em_str *text, size_t limit)
{
    const char *blank = text->len > limit ? memrchr(text->data, ' ', limit) : NULL;
    if (!blank)
        return;
    em_str_cut(text, (size_t)(blank - text->data));
    em_str_puts(text, " …");
}

void em_screen_print_verdict(enum em_mark mark, const char *text, const struct em_doctor_row *cause,
                             const struct em_secrets *secrets, bool colour, struct em_str *out)
{
    struct screen s = {secrets, colour, out, 0};
    EM_STR_AUTO again = EM_STR_INIT;
    put_coloured(&s, marks[mark].colour, marks[mark].text);
    put_text(&s, INDENT, "", text);
    if (!cause)
        return;
    em_str_printf(&again, "%s, %s: ", cause->section, cause->key);
    em_screen_clean(cause->text, secrets, &again);
    cut(&again, AGAIN);
    put_wrapped(&s, INDENT, em_str_c(&again));
    if (cause->hint)
        put_text(&s, INDENT, "hint: ", cause->hint);
}
