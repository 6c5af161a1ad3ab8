/* What stands in a frontend's bundle: values that were inlined when it was built, and URLs.
 *
 * Bundlers put a variable's value in the place of process.env.NAME or import.meta.env.NAME, and
 * fold what is constant then: the name is gone as a rule, and what stands in its place can only be
 * told from what was left behind. Pure; the bytes are hostile.
 */
#ifndef EMBARK_CORE_BUNDLE_INLINED_H
#define EMBARK_CORE_BUNDLE_INLINED_H

#include "embark/core/base/str.h"

/* The ways in which a bundle may spell a value: as it is, in JSON with \/ or \u0026, in
 * Nuxt's pages with \u002F, in HTML with &amp;. The first is the value itself; no two are the same.
 */
void em_bundle_spellings(const char *value, struct em_list *out);

/* What is known of a variable from a place where its name was left; the larger says the more. */
enum em_bundle_left {
    EM_BUNDLE_NOTHING,      /* a comment, documentation, a longer name */
    EM_BUNDLE_COMPUTED,     /* "NAME" as a text: process.env[x] is not inlined */
    EM_BUNDLE_UNSET,        /* process.env.NAME, as it was: undefined in the browser */
    EM_BUNDLE_DESTRUCTURED, /* {NAME: x} = process.env is not inlined */
    EM_BUNDLE_FALLBACK,     /* process.env.NAME || "value": the code's own default holds */
    EM_BUNDLE_VALUE,        /* NAME: "value": what it was built with */
};

/* The name stands at bytes[at]. Adds the value to `value`, at most 300 bytes of it. */
enum em_bundle_left em_bundle_left(const char *bytes, size_t length, size_t at, size_t name_length,
                                   struct em_str *value);

enum em_bundle_part {
    EM_BUNDLE_PART,  /* of a longer one: https://api.exam in https://api.example.com */
    EM_BUNDLE_SLASH, /* itself with a slash behind it: "https://api.example.com/" */
    EM_BUNDLE_WHOLE, /* also with a path behind it, as bundlers put constant texts together */
};
/* What a value is that stands at bytes[at]. */
enum em_bundle_part em_bundle_part(const char *bytes, size_t length, size_t at,
                                   size_t value_length);

struct em_bundle_url {
    const char *text; /* within the bytes: "https://api.example.com/v1" */
    size_t length;
    const char *host; /* within text: "api.example.com:8000", without a user, with a port */
    size_t host_length;
};

/* The URL of http, https, ws or wss whose "://" stands at bytes[at]. False: there is none, or its
 * host is put together when the code runs. */
bool em_bundle_url(const char *bytes, size_t length, size_t at, struct em_bundle_url *url);

/* Whether a URL's host is there for people to read or as a name only: www.w3.org, nextjs.org… */
bool em_bundle_host_is_noise(const char *host, size_t length);

/* Whether a host with a port is the browser's own machine: localhost:3000, 127.0.0.1:8000. */
bool em_bundle_host_is_own_port(const char *host, size_t length);

/* How much `url` looks like what a default or another build would have in the place of the URL
 * `wanted`: 0 for not at all. Counts are a host of this machine, the same path, the same domain. */
int em_bundle_alike(const struct em_bundle_url *url, const char *wanted);

/* Some 40 bytes on both sides of bytes[at], on one line, with … where it was cut. */
void em_bundle_around(const char *bytes, size_t length, size_t at, size_t found_length,
                      struct em_str *out);

#endif
