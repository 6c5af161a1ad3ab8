/* package.json as far as it decides what is loaded: "exports", "main", "version". Part of
 * core/languages/node/resolve.c. */
#ifndef EMBARK_CORE_LANGUAGES_NODE_PACKAGE_JSON_H
#define EMBARK_CORE_LANGUAGES_NODE_PACKAGE_JSON_H

#include "embark/core/base/str.h"

struct em_node_package_json {
    struct em_str name, version, main;
    bool has_exports, broken; /* broken: no JSON object */
    void *root;               /* jansson's; released by em_node_package_json_free() */
};

void em_node_package_json_read(struct em_node_package_json *p, const char *bytes, size_t length);
void em_node_package_json_free(struct em_node_package_json *p);

/* The files that "exports" gives for `subpath` ("." or "./sub"), as require and as import would
 * take them: none, one or two, each "./dist/index.js". */
void em_node_exports(const struct em_node_package_json *p, const char *subpath,
                     struct em_list *targets);

#endif
