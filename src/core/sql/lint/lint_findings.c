#include "embark/core/sql/lint/lint_findings.h"

void em_sql_lint_free(struct em_sql_lint *lint)
{
    em_sql_vars_free(&lint->vars);
    em_errs_free(&lint->errs);
    em_errs_free(&lint->warnings);
    em_list_free(&lint->labels);
}

void em_sql_lint_next(struct em_sql_lint *lint, const char *alone)
{
    lint->alone = alone;
    em_list_free(&lint->labels);
}

struct em_err *em_sql_finding(struct em_sql_lint *lint, struct em_sql_source *source, bool fatal,
                              size_t offset, const char *format, ...)
{
    struct em_errs *errs = fatal ? &lint->errs : &lint->warnings;
    EM_STR_AUTO text = EM_STR_INIT;
    va_list args;

    if (errs->n > EM_SQL_LINT_MOST)
        return NULL;
    if (errs->n == EM_SQL_LINT_MOST) {
        em_errs_add(errs, EM_EXIT_SQL, "%s: there are more, which are not listed", source->name);
        return NULL;
    }
    em_sql_place_print(source, offset, &text);
    em_str_puts(&text, ": ");
    va_start(args, format);
    em_str_vprintf(&text, format, args);
    va_end(args);
    return em_errs_add(errs, EM_EXIT_SQL, "%s", em_str_c(&text));
}
