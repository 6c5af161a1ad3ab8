#include "embark/core/migrations/applied.h"

#include <stdlib.h>
#include <string.h>

void em_applied_free(struct em_applied *applied)
{
    em_list_free(&applied->pending);
    em_list_free(&applied->was);
    em_list_free(&applied->now);
    em_list_free(&applied->changed);
}

/* What is spoken for already. */
struct match {
    const struct em_filelist *files, *records;
    bool *file_used, *record_used;
    struct em_applied *applied;
};

enum how { BY_BOTH, BY_CONTENTS, BY_NAME };

static bool fits(const struct em_file *file, const struct em_file *record, enum how how,
                 const char *empty)
{
    bool name = strcmp(file->name, record->name) == 0;
    bool contents = strcmp(file->hash, record->hash) == 0;
    if (how == BY_BOTH)
        return name && contents;
    return how == BY_NAME ? name : contents && strcmp(file->hash, empty) != 0;
}

static void note(struct match *m, size_t file, size_t record, enum how how)
{
    m->file_used[file] = m->record_used[record] = true;
    if (how == BY_CONTENTS) {
        em_list_add(&m->applied->was, m->records->v[record].name);
        em_list_add(&m->applied->now, m->files->v[file].name);
    }
    if (how == BY_NAME)
        em_list_add(&m->applied->changed, m->files->v[file].name);
}

static void match(struct match *m, enum how how, const char *empty)
{
    for (size_t i = 0; i < m->files->n; i++)
        for (size_t j = 0; j < m->records->n && !m->file_used[i]; j++)
            if (!m->record_used[j] && fits(&m->files->v[i], &m->records->v[j], how, empty))
                note(m, i, j, how);
}

static bool was_applied(const struct em_filelist *former, const struct em_file *file,
                        const char *empty)
{
    for (size_t i = 0; i < former->n; i++)
        if (strcmp(former->v[i].hash, file->hash) == 0 && strcmp(file->hash, empty) != 0)
            return true;
    return false;
}

void em_applied_match(const struct em_filelist *files, const struct em_filelist *records,
                      const struct em_filelist *former, struct em_applied *applied)
{
    char empty[EM_HEX_DIGEST];
    struct match m = {files, records, em_alloc(files->n + 1), em_alloc(records->n + 1), applied};
    em_hex_sha256("", 0, empty);
    match(&m, BY_BOTH, empty);
    match(&m, BY_CONTENTS, empty);
    match(&m, BY_NAME, empty);
    for (size_t i = 0; i < files->n; i++)
        if (!m.file_used[i] && !was_applied(former, &files->v[i], empty))
            em_list_add(&applied->pending, files->v[i].name);
    free(m.file_used);
    free(m.record_used);
}
