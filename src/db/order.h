/* The order in which the hosts of a URL, or the addresses of a host, are tried. */
#ifndef EMBARK_DB_ORDER_H
#define EMBARK_DB_ORDER_H

#include <stdbool.h>
#include <stddef.h>

/* The numbers 0 to n - 1, to be freed: ascending, or each order equally likely. */
size_t *em_db_order(size_t n, bool random);

#endif
