/* What [require] dir asks of a folder: "PATH", or "PATH : not-empty, free 100M". */
#ifndef EMBARK_CORE_CONFIG_DIR_RULE_H
#define EMBARK_CORE_CONFIG_DIR_RULE_H

#include <stdint.h>

#include "embark/core/base/err.h"

struct em_dir_rule {
    char *path; /* owned */
    bool not_empty;
    uint64_t free;   /* bytes; 0: not asked */
    char *free_text; /* as it was written, "100M"; or NULL. Owned */
};

/* 0, or EM_EXIT_CONFIG with a text such as "\"fre 1G\" is neither not-empty nor free SIZE". A " : "
 * with blanks on both sides ends the path, the last one if there are several. em_dir_rule_free()
 * releases the rule in any case. */
int em_dir_rule_read(const char *value, struct em_dir_rule *rule, struct em_err *err);
void em_dir_rule_free(struct em_dir_rule *rule);

/* "512", "100K", "100M", "2G", "1T", with or without B or iB behind: multiples of 1024. False: none
 * of these, 0, or more than 64 bits hold. */
bool em_size_read(const char *text, uint64_t *size);
/* "1.5 GiB". */
void em_size_print(uint64_t size, struct em_str *out);

#endif
