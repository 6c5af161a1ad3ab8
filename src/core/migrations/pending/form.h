/* Inside of core: what the kinds of migrations have in common (core/migrations/pending/pending.h),
 * and what each form does on its own. */
#ifndef EMBARK_CORE_MIGRATIONS_PENDING_FORM_H
#define EMBARK_CORE_MIGRATIONS_PENDING_FORM_H

#include "embark/core/migrations/pending/pending.h"

/* A new migration at the end, whose id and name are taken over. */
struct em_migration *em_pending_new(struct em_pending *p, const char *path, char *id, char *name);
/* The first one with that id; p->n: none. */
size_t em_pending_find(const struct em_pending *p, const char *id);
/* The last row of that id; p->row_count: none. */
size_t em_pending_find_row(const struct em_pending *p, const char *id);
void em_pending_odd(struct em_pending *p, const char *format, ...) EM_PRINTF(2, 3);

/* Puts each migration behind those that its edges lead to: depth first from `roots`, each one's
 * parents from the last to the first, as Django does; what no root leads to comes behind all. An
 * edge goes from a migration to one that comes before it. False: there is a loop. */
struct em_edges {
    size_t *from, *to;
    size_t n;
};
void em_edge_add(struct em_edges *edges, size_t from, size_t to);
void em_edges_free(struct em_edges *edges);
bool em_pending_sort(struct em_pending *p, const struct em_edges *edges, const size_t *roots,
                     size_t count);
/* Sets marks[i] for all that the edges lead to from marked ones. */
void em_edges_spread(const struct em_edges *edges, bool *marks);

void em_alembic_file(struct em_pending *p, const char *path, const char *bytes, size_t length);
void em_alembic_resolve(struct em_pending *p, const char *target);
void em_django_file(struct em_pending *p, const char *path, const char *bytes, size_t length);
void em_django_resolve(struct em_pending *p);
void em_plain_file(struct em_pending *p, const char *path);
void em_numbered_resolve(struct em_pending *p);

/* The forms of em_pending_kind.form. The others are those of plain files, by what their id is. */
enum em_pending_form {
    EM_FORM_ALEMBIC,
    EM_FORM_DJANGO,
    EM_FORM_BASE,     /* the file's name: Knex, Sequelize */
    EM_FORM_STEM,     /* without its extension: node-pg-migrate */
    EM_FORM_FOLDER,   /* its folder's name: Prisma */
    EM_FORM_VERSION,  /* its leading digits, as text: dbmate */
    EM_FORM_NUMBER,   /* as a number: goose, sqlx, Rails */
    EM_FORM_UP_TO,    /* as a number, and the table has only the last one: golang-migrate */
    EM_FORM_FLYWAY,   /* V1_2__name.sql, R__name.sql */
    EM_FORM_OWN,      /* the file's name, ordered by its number: [migrate] sql */
    EM_FORM_COMPILED, /* as EM_FORM_STEM, where there are sources: Entity Framework */
};

#endif
