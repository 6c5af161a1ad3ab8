/* What the browser is served: the [bundle] section, looked at without a network.
 *
 * - inlined: NAME is set at run time, so its value must stand in one of the folders' files, in one
 *   of the spellings of core/bundle/inlined.h. A NAME that isn't set, or is empty, isn't judged,
 * nor is a value of fewer than EM_BUNDLE_SHORTEST bytes, which stands everywhere.
 * - forbid: stands in none of them.
 *
 * All regular files are looked at (os/files/tree.h) but source maps (*.map), which hold the source
 * with its defaults, and .gz, .br and .zst twins that stand beside their originals.
 */
#ifndef EMBARK_STAGES_BUNDLE_BUNDLE_H
#define EMBARK_STAGES_BUNDLE_BUNDLE_H

#include "embark/core/config/config.h"

enum { EM_BUNDLE_SHORTEST = 4 };

bool em_bundle_any(const struct em_config *config);

/* [bundle] inlined and forbid need a dir. As em_require_validate(). */
bool em_bundle_validate(const struct em_config *config, struct em_errs *errs);

/* What em_bundle() found out. em_bundle_report_free() releases it. */
struct em_bundle_report {
    struct em_errs errs; /* EM_EXIT_BAKED, and EM_EXIT_REQUIREMENT for a dir that isn't there. The
                            texts are those of em_require(): "inlined NAME: … (embark.ini:7)" */
    struct em_errs warnings; /* what can't be looked at, or not be judged */
    struct em_list hosts;    /* that the bundle's URLs name, the most frequent first */
    size_t files;
    unsigned long long bytes;
};

/* 0, or 128 + n when stopped by a signal. `hosts`: also collect the hosts. */
int em_bundle(const struct em_config *config, bool hosts, struct em_bundle_report *report,
              struct em_err *err);
void em_bundle_report_free(struct em_bundle_report *report);

#endif
