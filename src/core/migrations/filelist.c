#include "embark/core/migrations/filelist.h"

#include <stdlib.h>
#include <string.h>

/* Where `name` is, or belongs. */
static size_t place_of(const struct em_filelist *list, const char *name, bool *there)
{
    size_t low = 0, high = list->n;
    *there = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(list->v[middle].name, name);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct em_file *insert(struct em_filelist *list, const char *name)
{
    bool there;
    size_t at = place_of(list, name, &there);
    if (there)
        return NULL;
    list->v = em_realloc(list->v, list->n + 1, sizeof *list->v);
    memmove(list->v + at + 1, list->v + at, (list->n - at) * sizeof *list->v);
    list->n++;
    list->v[at].name = em_strdup(name);
    return &list->v[at];
}

void em_filelist_add(struct em_filelist *list, const char *name, const char *bytes, size_t length)
{
    struct em_file *file = insert(list, name);
    if (file)
        em_hex_sha256(bytes, length, file->hash);
}

void em_filelist_add_hash(struct em_filelist *list, const char *name, const char *hash)
{
    struct em_file *file = strlen(hash) == EM_HEX_DIGEST - 1 ? insert(list, name) : NULL;
    if (file)
        memcpy(file->hash, hash, EM_HEX_DIGEST);
}

void em_filelist_free(struct em_filelist *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i].name);
    free(list->v);
    list->v = NULL;
    list->n = 0;
}

static void print_name(const char *name, bool ascii, struct em_str *out)
{
    for (; *name; name++) {
        if (*name == '\\')
            em_str_puts(out, "\\\\");
        else if (*name == '\n')
            em_str_puts(out, "\\n");
        else if (ascii && (unsigned char)*name >= 0x80)
            em_str_printf(out, "\\x%02x", (unsigned char)*name);
        else
            em_str_putc(out, *name);
    }
}

void em_filelist_print(const struct em_filelist *list, bool ascii, struct em_str *out)
{
    EM_STR_AUTO name = EM_STR_INIT;
    for (size_t i = 0; i < list->n; i++) {
        em_str_cut(&name, 0);
        print_name(list->v[i].name, ascii, &name);
        if (strchr(em_str_c(&name), '\\'))
            em_str_putc(out, '\\');
        em_str_printf(out, "%s  %s\n", list->v[i].hash, em_str_c(&name));
    }
}

void em_filelist_digest(const struct em_filelist *list, char hex[EM_HEX_DIGEST])
{
    EM_STR_AUTO text = EM_STR_INIT;
    em_filelist_print(list, false, &text);
    em_hex_sha256(em_str_c(&text), text.len, hex);
}

/* What stands after a backslash, at most `left` bytes. Returns how many it took; 0: no such escape.
 */
static size_t unescape(const char *at, size_t left, char *c)
{
    if (left >= 1 && (*at == 'n' || *at == '\\')) {
        *c = *at == 'n' ? '\n' : '\\';
        return 1;
    }
    if (left < 3 || *at != 'x')
        return 0;
    int high = em_hex_lower(at[1]), low = em_hex_lower(at[2]);
    if (high < 8 || low < 0)
        return 0;
    *c = (char)(high * 16 + low);
    return 3;
}

/* One line, without its newline. */
static bool parse_line(struct em_filelist *list, const char *line, size_t length)
{
    EM_STR_AUTO name = EM_STR_INIT;
    bool escaped = length > 0 && *line == '\\';
    if (escaped) {
        line++;
        length--;
    }
    if (length < EM_HEX_DIGEST + 1 || strspn(line, "0123456789abcdef") != EM_HEX_DIGEST - 1 ||
        line[EM_HEX_DIGEST - 1] != ' ' || line[EM_HEX_DIGEST] != ' ')
        return false;
    for (size_t i = EM_HEX_DIGEST + 1; i < length; i++) {
        char c = line[i];
        if (escaped && c == '\\') {
            size_t taken = unescape(line + i + 1, length - i - 1, &c);
            if (taken == 0)
                return false;
            i += taken;
        }
        em_str_putc(&name, c);
    }
    struct em_file *file = name.len ? insert(list, em_str_c(&name)) : NULL;
    if (!file)
        return false;
    memcpy(file->hash, line, EM_HEX_DIGEST - 1);
    file->hash[EM_HEX_DIGEST - 1] = '\0';
    return true;
}

bool em_filelist_parse(struct em_filelist *list, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        if (!parse_line(list, text, length)) {
            em_filelist_free(list);
            return false;
        }
        text += length + (text[length] == '\n');
    }
    return true;
}

static void note(struct em_list *names, const struct em_file *file)
{
    if (names)
        em_list_add(names, file->name);
}

/* The files that only one of the two lists has, by their places in it. */
struct only {
    const struct em_filelist *list;
    size_t *v;
    size_t n;
};

static void only_add(struct only *only, size_t place)
{
    only->v = em_realloc(only->v, only->n + 1, sizeof *only->v);
    only->v[only->n++] = place;
}

static const struct em_file *only_file(const struct only *only, size_t i)
{
    return &only->list->v[only->v[i]];
}

static void only_drop(struct only *only, size_t i)
{
    only->n--;
    memmove(only->v + i, only->v + i + 1, (only->n - i) * sizeof *only->v);
}

/* Where the same contents are. only->n: nowhere. */
static size_t only_find(const struct only *only, const char *hash)
{
    size_t at = 0;
    while (at < only->n && strcmp(only_file(only, at)->hash, hash) != 0)
        at++;
    return at;
}

/* Takes the files out of both that have the same contents under another name. Empty files are all
 * the same, and tell nothing. */
static void pair_renamed(struct only *ours, struct only *theirs, struct em_list *renamed)
{
    char empty[EM_HEX_DIGEST];
    em_hex_sha256("", 0, empty);
    for (size_t i = 0; i < theirs->n;) {
        const struct em_file *old = only_file(theirs, i);
        size_t at = strcmp(old->hash, empty) == 0 ? ours->n : only_find(ours, old->hash);
        if (at == ours->n) {
            i++;
            continue;
        }
        EM_STR_AUTO pair = EM_STR_INIT;
        em_str_printf(&pair, "%s → %s", old->name, only_file(ours, at)->name);
        if (renamed)
            em_list_add(renamed, em_str_c(&pair));
        only_drop(ours, at);
        only_drop(theirs, i);
    }
}

enum em_relation em_filelist_compare(const struct em_filelist *ours,
                                     const struct em_filelist *theirs, struct em_list *lacking,
                                     struct em_list *added, struct em_list *changed,
                                     struct em_list *renamed)
{
    size_t i = 0, j = 0, differ = 0;
    struct only only_ours = {ours, NULL, 0}, only_theirs = {theirs, NULL, 0};
    while (i < ours->n || j < theirs->n) {
        int order = i == ours->n     ? 1
                    : j == theirs->n ? -1
                                     : strcmp(ours->v[i].name, theirs->v[j].name);
        if (order < 0) {
            only_add(&only_ours, i++);
        } else if (order > 0) {
            only_add(&only_theirs, j++);
        } else {
            if (strcmp(ours->v[i].hash, theirs->v[j].hash) != 0) {
                differ++;
                note(changed, &ours->v[i]);
            }
            i++;
            j++;
        }
    }
    pair_renamed(&only_ours, &only_theirs, renamed);
    for (i = 0; i < only_ours.n; i++)
        note(added, only_file(&only_ours, i));
    for (i = 0; i < only_theirs.n; i++)
        note(lacking, only_file(&only_theirs, i));
    bool more = only_ours.n > 0, less = only_theirs.n > 0;
    free(only_ours.v);
    free(only_theirs.v);
    if (more && less)
        return EM_DIVERGED;
    if (less)
        return EM_OLDER;
    if (more)
        return EM_NEWER;
    return differ ? EM_CHANGED : EM_SAME;
}
