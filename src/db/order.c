#include "order.h"

#include "embark/core/base/str.h"
#include "embark/os/loop/clock.h"

size_t *em_db_order(size_t n, bool random)
{
    size_t *order = em_alloc((n + 1) * sizeof *order);
    for (size_t i = 0; i < n; i++) {
        size_t j = random ? (size_t)(em_random_seed() % (i + 1)) : i;
        order[i] = i;
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}
