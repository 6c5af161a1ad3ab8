/* What src/stages/require/ruby/probe.rb tells of gems, in "@embark KEY VALUE" lines
 * (core/languages/reply/reply.h has their form):
 *
 *     ruby VERSION, gem-path DIR…, end
 *     gem NAME                               what follows is about it
 *     gem-version V, gem-at DIR              each that is installed, whether it fits or not
 *     gem-found V                            one that fits is whole
 *     gem-hollow DIR                         one fits, but its files are gone
 *     gem-feature                            no gem, but Ruby's own library has a file of the name
 *     gem-near NAME, gem-files DIR           a name like it; a gem's folder without its
 * specification
 *
 * Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_LANGUAGES_RUBY_GEMS_H
#define EMBARK_CORE_LANGUAGES_RUBY_GEMS_H

#include "embark/core/base/err.h"

struct em_gem {
    char *name;
    bool found, feature;
    char *hollow, *near, *files; /* or NULL */
    struct em_list versions, places;
};

struct em_gems {
    char *ruby; /* or NULL */
    bool complete;
    struct em_list path;
    struct em_gem *v;
    size_t n;
};

void em_gems_read(struct em_gems *answer, const char *bytes, size_t length);
void em_gems_free(struct em_gems *answer);

/* Whether the i-th gem that was asked for is there in a version that `allowed` takes; if not, err
 * says why. */
bool em_gem_check(const struct em_gems *answer, size_t i, const char *allowed,
                  const char *interpreter, struct em_err *err);

#endif
