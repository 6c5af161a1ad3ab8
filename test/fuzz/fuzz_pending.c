/* What migrations say of themselves, and a tool's table of them: Python sources, names of files,
 * rows. The first byte chooses the tool; then come files and rows, a NUL behind each: "PATH\nTEXT",
 * or "\nLETTER ID" for a row.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -D_GNU_SOURCE
 * test/fuzz/fuzz_pending.c (the files of src/core) -ljansson -linih -lmd
 *
 * Beside not crashing: every migration is there once, its name and file are, and the counts are
 * those of the states.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/migrations/pending/pending.h"

static void must(bool what)
{
    if (!what)
        abort();
}

static void look(const struct em_pending *p)
{
    size_t total = 0, pending = 0;
    struct em_str out = EM_STR_INIT;

    for (size_t i = 0; i < p->n; i++) {
        must(p->v[i].id && p->v[i].name && p->v[i].file);
        total += !p->v[i].off;
        pending += !p->v[i].off && p->v[i].state == EM_MIGRATION_PENDING;
        for (size_t j = 0; j < i; j++)
            must(p->v[j].id != p->v[i].id);
    }
    must(total == p->total && pending == p->pending);
    em_pending_names(p, EM_MIGRATION_PENDING, 3, &out);
    must((out.len > 0) == (pending > 0) || pending == 0);
    em_str_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tools[] = {
        "Alembic", "Django",          "Prisma", "Knex", "node-pg-migrate", "Sequelize",
        "dbmate",  "goose",           "Flyway", "sqlx", "golang-migrate",  "Rails",
        "embark",  "Entity Framework"};
    struct em_pending p;
    const char *target = NULL;

    if (size < 2 || size > 16384)
        return 0;
    memset(&p, 0, sizeof p);
    p.kind = em_pending_kind(tools[data[0] % (sizeof tools / sizeof *tools)]);
    char *text = em_alloc(size);
    memcpy(text, data + 1, size - 1);
    for (char *at = text; at < text + size - 1; at += strlen(at) + 1) {
        char *line = strchr(at, '\n');
        if (!line)
            target = at;
        else if (line == at)
            em_pending_row(&p, at[1] ? at + 2 : "", at[1]);
        else {
            char *path = em_strndup(at, (size_t)(line - at));
            em_pending_guess(path, line + 1, strlen(line + 1));
            char *app = em_pending_app_file(&p, path);
            if (app)
                em_pending_app(&p, app, line + 1, strlen(line + 1));
            free(app);
            em_pending_file(&p, path, line + 1, strlen(line + 1));
            free(path);
        }
    }
    em_pending_resolve(&p, target);
    look(&p);
    em_pending_free(&p);
    free(text);
    return 0;
}
