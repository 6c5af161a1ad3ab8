/* What the environment says about the configuration: EMBARK_<SECTION>_<KEY>, EMBARK_SKIP, and names
 * that are neither. */
#ifndef EMBARK_CORE_CONFIG_ENVIRONMENT_H
#define EMBARK_CORE_CONFIG_ENVIRONMENT_H

#include "expand.h"

/* Whether the environment sets the key, also to an empty value. */
bool em_env_sets(const struct em_config_source *world, const struct em_key *key);
/* Clears the key's field and gives it the environment's value; em_env_sets() must be true. e->place
 * isn't used. */
void em_env_apply(struct em_config *config, const struct em_key *key, const struct em_expansion *e);
/* EMBARK_LOG, which wins over the keys of [log], wherever they come from. */
void em_env_log(struct em_config *config, const struct em_expansion *e);
void em_env_skip(struct em_config *config, const struct em_expansion *e);
/* A warning for each EMBARK_ name that means nothing to embark. */
void em_env_unknown(const struct em_expansion *e);

#endif
