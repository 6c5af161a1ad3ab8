/* Tables that another role may have made, and that embark reads: a migration tool's, the ledger.
 *
 * Reading a table can run its owner's code as the reader: not only a view's, a policy's or a
 * cast's. The planner alone evaluates what an index, a statistics object or, with
 * constraint_exclusion = on, a CHECK constraint has for an expression, where its functions are
 * IMMUTABLE. So only what has none of these is read, and nothing else is known.
 *
 * How to read one:
 *  - in one transaction: LOCK TABLE ONLY "schema"."name" IN ACCESS SHARE MODE (nobody can change it
 *    or put another thing in its place then), this condition, then the rows. (SELECT without a lock
 *    is the same, but for a race.)
 *  - by its name with the schema, FROM ONLY; row_security off (EM_DB_OWN sees to it, but not behind
 *    a pooler: SET LOCAL row_security = off)
 *  - columns as they are: no cast of a row (t.*::text runs a cast that the owner made for the row's
 *    type), no function that isn't pg_catalog's
 */
#ifndef EMBARK_STAGES_MIGRATE_LEDGER_SAFE_TABLE_H
#define EMBARK_STAGES_MIGRATE_LEDGER_SAFE_TABLE_H

/* A condition on `c`, a row of pg_catalog.pg_class, in parentheses: a plain table of the heap, of
 * at most 16 MiB, of columns of pg_catalog's base types only, without policies and without
 * expressions that a reader would evaluate. PostgreSQL 12 or later. */
#define EM_SAFE_TABLE_SQL                                                                       \
    "(c.relkind OPERATOR(pg_catalog.=) 'r' AND c.relpersistence OPERATOR(pg_catalog.<>) 't'"    \
    " AND NOT c.relrowsecurity AND c.relam OPERATOR(pg_catalog.=) '2'::pg_catalog.oid"          \
    " AND (c.relchecks OPERATOR(pg_catalog.=) 0 OR"                                             \
    " pg_catalog.current_setting('constraint_exclusion') OPERATOR(pg_catalog.<>) 'on')"         \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute sa JOIN pg_catalog.pg_type st ON"     \
    " st.oid OPERATOR(pg_catalog.=) sa.atttypid WHERE sa.attrelid OPERATOR(pg_catalog.=) c.oid" \
    " AND sa.attnum OPERATOR(pg_catalog.>) 0 AND NOT sa.attisdropped AND"                       \
    " (st.typnamespace OPERATOR(pg_catalog.<>) '11'::pg_catalog.oid OR"                         \
    " st.typtype OPERATOR(pg_catalog.<>) 'b' OR sa.attgenerated OPERATOR(pg_catalog.=) 'v'))"   \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_index si WHERE"                                 \
    " si.indrelid OPERATOR(pg_catalog.=) c.oid AND"                                             \
    " (si.indexprs IS NOT NULL OR si.indpred IS NOT NULL))"                                     \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext ss WHERE"                         \
    " ss.stxrelid OPERATOR(pg_catalog.=) c.oid)"                                                \
    " AND pg_catalog.pg_table_size(c.oid) OPERATOR(pg_catalog.<=) 16777216)"

#endif
