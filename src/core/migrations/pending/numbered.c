#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/base/compare.h"
#include "form.h"

/* ---- Names ---------------------------------------------------------------------------------- */

/* Without its extension, and without the ".up" of a pair. */
static char *stem_of(const char *base)
{
    size_t length = strlen(base);
    const char *dot = strrchr(base, '.');
    if (dot && dot > base)
        length = (size_t)(dot - base);
    if (length > 3 && memcmp(base + length - 3, ".up", 3) == 0)
        length -= 3;
    return em_strndup(base, length);
}

static char *folder_of(const char *path)
{
    const char *end = strrchr(path, '/');
    const char *from = end;
    while (from && from > path && from[-1] != '/')
        from--;
    return from && from < end ? em_strndup(from, (size_t)(end - from)) : NULL;
}

/* V1_2__add_users.sql: "1.2"; R__views.sql: itself. */
static char *flyway_id(const char *base)
{
    const char *bars = strstr(base, "__");
    if (!bars || !em_ends(base, ".sql"))
        return NULL;
    if (base[0] == 'R' && bars == base + 1)
        return em_strdup(base);
    if (base[0] != 'V' || !isdigit((unsigned char)base[1]))
        return NULL;
    char *id = em_strndup(base + 1, (size_t)(bars - base - 1));
    for (char *c = id; *c; c++) {
        *c = *c == '_' ? '.' : *c;
        if (!isdigit((unsigned char)*c) && *c != '.') {
            free(id);
            return NULL;
        }
    }
    return id;
}

static char *digits_of(const char *base)
{
    size_t length = strspn(base, "0123456789");
    return length ? em_strndup(base, length) : NULL;
}

/* What lies in a folder of migrations beside them. */
static bool is_other(const char *base, int form)
{
    static const char *const endings[] = {".down.sql",    ".d.ts",           ".map", ".json", ".md",
                                          ".Designer.cs", "ModelSnapshot.cs"};
    for (size_t i = 0; i < EM_COUNT(endings); i++)
        if (em_ends(base, endings[i]))
            return true;
    switch (form) {
    case EM_FORM_VERSION:
    case EM_FORM_UP_TO:
    case EM_FORM_OWN:
        return !em_ends(base, ".sql");
    case EM_FORM_NUMBER:
        return !em_ends(base, ".sql") && !em_ends(base, ".rb") && !em_ends(base, ".go");
    case EM_FORM_COMPILED:
        return !em_ends(base, ".cs");
    case EM_FORM_FOLDER:
        return strcmp(base, "migration.sql") != 0;
    default:
        return false;
    }
}

void em_plain_file(struct em_pending *p, const char *path)
{
    const char *base = em_base_name(path);
    char *id;
    if (!*base || is_other(base, p->kind->form))
        return;
    switch (p->kind->form) {
    case EM_FORM_BASE:
    case EM_FORM_OWN:
        id = em_strdup(base);
        break;
    case EM_FORM_FOLDER:
        id = folder_of(path);
        break;
    case EM_FORM_FLYWAY:
        id = flyway_id(base);
        break;
    case EM_FORM_VERSION:
    case EM_FORM_NUMBER:
    case EM_FORM_UP_TO:
        id = digits_of(base);
        break;
    default:
        id = stem_of(base);
        break;
    }
    if (!id)
        return;
    bool whole = p->kind->form == EM_FORM_BASE || p->kind->form == EM_FORM_OWN ||
                 p->kind->form == EM_FORM_FOLDER;
    em_pending_new(p, path, id, whole ? em_strdup(id) : stem_of(base));
}

/* ---- Order ---------------------------------------------------------------------------------- */

static int compare_ids(int form, const char *a, const char *b)
{
    switch (form) {
    case EM_FORM_NUMBER:
    case EM_FORM_UP_TO:
        return em_compare_numbers(a, b);
    case EM_FORM_FLYWAY: {
        /* Those that are repeated come last. */
        bool a_named = !isdigit((unsigned char)*a), b_named = !isdigit((unsigned char)*b);
        if (a_named || b_named)
            return a_named && b_named ? strcmp(a, b) : a_named ? 1 : -1;
        return em_compare_versions(a, b);
    }
    case EM_FORM_STEM:
    case EM_FORM_OWN: {
        int order = em_compare_numbers(a, b);
        return order ? order : strcmp(a, b);
    }
    default:
        return strcmp(a, b);
    }
}

/* qsort(3) takes no context: an insertion would be quadratic, so it is a merge. */
static void merge_sort(struct em_migration *v, struct em_migration *spare, size_t n, int form)
{
    size_t half = n / 2, i = 0, j = half;
    if (n < 2)
        return;
    merge_sort(v, spare, half, form);
    merge_sort(v + half, spare, n - half, form);
    for (size_t k = 0; k < n; k++) {
        int order = i == half ? 1 : j == n ? -1 : compare_ids(form, v[i].id, v[j].id);
        if (order == 0)
            order = strcmp(v[i].file, v[j].file);
        spare[k] = order <= 0 ? v[i++] : v[j++];
    }
    memcpy(v, spare, n * sizeof *v);
}

/* ---- Rows ----------------------------------------------------------------------------------- */

static const struct em_pending_row *last_row(const struct em_pending *p, const char *id)
{
    for (size_t i = p->row_count; i-- > 0;)
        if (compare_ids(p->kind->form, p->rows[i].id, id) == 0)
            return &p->rows[i];
    return NULL;
}

static const struct em_pending_row *last_with(const struct em_pending *p, char letter)
{
    for (size_t i = p->row_count; i-- > 0;)
        if (p->rows[i].letter == letter)
            return &p->rows[i];
    return NULL;
}

static bool stands_for_all_before(const struct em_pending *p, const struct em_pending_row *row)
{
    return row->letter == 'b' || p->kind->form == EM_FORM_UP_TO;
}

static enum em_migration_state state_of(const struct em_pending *p, const char *id)
{
    const struct em_pending_row *row = last_row(p, id);
    const struct em_pending_row *up_to =
        p->kind->form == EM_FORM_UP_TO ? last_with(p, 'a') : last_with(p, 'b');
    if (!up_to && p->kind->form == EM_FORM_UP_TO)
        up_to = last_with(p, 'f');
    if (row && row->letter == 'f')
        return EM_MIGRATION_FAILED;
    if (row && row->letter != 'u')
        return EM_MIGRATION_APPLIED;
    bool numbered = p->kind->form != EM_FORM_FLYWAY || isdigit((unsigned char)*id);
    if (up_to && numbered && compare_ids(p->kind->form, id, up_to->id) <= 0)
        return EM_MIGRATION_APPLIED;
    return EM_MIGRATION_PENDING;
}

static bool has_file(const struct em_pending *p, const char *id)
{
    for (size_t i = 0; i < p->n; i++)
        if (compare_ids(p->kind->form, p->v[i].id, id) == 0)
            return true;
    return false;
}

/* A row from before the first file is of one that was removed, or squashed, since. */
static void find_unknown(struct em_pending *p)
{
    for (size_t i = 0; i < p->row_count && p->n; i++) {
        const struct em_pending_row *row = &p->rows[i];
        if (row->letter == 'u' || row->letter == 'b' || has_file(p, row->id) ||
            last_row(p, row->id) != row)
            continue;
        if (compare_ids(p->kind->form, row->id, p->v[0].id) > 0)
            em_list_add(&p->unknown, row->id);
    }
}

void em_numbered_resolve(struct em_pending *p)
{
    if (p->n) {
        struct em_migration *spare = em_alloc(p->n * sizeof *spare);
        if (!p->ordered)
            merge_sort(p->v, spare, p->n, p->kind->form);
        free(spare);
        em_list_add(&p->heads, p->v[p->n - 1].name);
    }
    for (size_t i = 0; i < p->n; i++) {
        p->v[i].state = state_of(p, p->v[i].id);
        if (i && compare_ids(p->kind->form, p->v[i].id, p->v[i - 1].id) == 0)
            em_pending_odd(p, "%s and %s have the same version", p->v[i - 1].file, p->v[i].file);
    }
    find_unknown(p);
    for (size_t i = p->row_count; i-- > 0 && !p->at.n;)
        if (p->rows[i].letter == 'a' || stands_for_all_before(p, &p->rows[i]))
            em_list_add(&p->at, p->rows[i].id);
}
