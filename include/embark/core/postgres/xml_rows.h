/* The rows of query_to_xml(…, false, true, '') (PostgreSQL manual, 9.15.4): how one statement
 * returns the rows of another one whose text is made while it runs.
 *
 *     <row xmlns:xsi="…">
 *       <id>7</id>
 *       <host>a &amp; b</host>
 *     </row>
 *
 * Pure; what a server sends is hostile.
 */
#ifndef EMBARK_CORE_POSTGRES_XML_ROWS_H
#define EMBARK_CORE_POSTGRES_XML_ROWS_H

#include "embark/core/base/str.h"

/* The next <column> from `at` on, which may be NULL. Its value, with &lt; &gt; &amp; &quot; and
 * &#x0d; undone, replaces `value`; what comes behind it is returned. NULL: there is none, and
 * `value` is empty. A column that is NULL in its row is not there: look for others within the same
 * row only. */
const char *em_xml_column(const char *at, const char *column, struct em_str *value);

/* Hexadecimal digits, two a byte, to bytes. False: anything else, or a byte of 0; `bytes` is empty.
 */
bool em_hex_decode(const char *hex, struct em_str *bytes);

#endif
