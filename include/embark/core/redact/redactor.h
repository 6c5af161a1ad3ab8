/* Secrets taken out of a stream, however it is cut into pieces.
 *
 * Bytes are added as they come, and let out as far as it is sure what they are: what may be the
 * beginning of a secret of the set (in any form that em_redact() knows) is held back until the next
 * bytes tell, or the stream's end. So a secret that lies across two writes, a pause, a line's end
 * or the place where a long line is cut is never shown, nor a part of it.
 *
 *   - A pause alone reveals nothing: what is held back stays so.
 *   - At the stream's end, the beginning of a secret is shown as **** like the whole if it has at
 *     least 4 bytes or half of the secret's.
 *   - The passwords that em_redact() only guesses ("://user:PASSWORD@", "password=…") are looked
 *     for in the lines as a whole: of an unfinished line nothing is let out from where a value that
 *     looks like one begins, up to 64 KiB.
 *
 * What comes out is what em_redact() makes of the whole stream, or hides more. It needs memory for
 * what is held back, and for about a line before it.
 */
#ifndef EMBARK_CORE_REDACT_REDACTOR_H
#define EMBARK_CORE_REDACT_REDACTOR_H

#include "embark/core/redact/secrets.h"

struct em_redactor {
    struct em_str text;  /* what was let out last, then what was not; holds secrets */
    struct em_str marks; /* a byte for each of these: '1' is part of a secret */
    size_t out;          /* how many of these were let out */
    bool hiding;         /* the last one that was let out is part of a secret */
};

#define EM_REDACTOR_INIT                   \
    {                                      \
        EM_STR_INIT, EM_STR_INIT, 0, false \
    }

void em_redactor_add(struct em_redactor *r, const char *bytes, size_t length);
/* How many bytes were not let out yet. */
size_t em_redactor_held(const struct em_redactor *r);

/* These add to `out` what may be let out of what was added: only lines that have ended; also the
 * beginning of one that has not; everything, since nothing more will come. `secrets` is the same
 * set for the stream's life, or one that grows. */
void em_redactor_lines(struct em_redactor *r, const struct em_secrets *secrets, struct em_str *out);
void em_redactor_pause(struct em_redactor *r, const struct em_secrets *secrets, struct em_str *out);
void em_redactor_end(struct em_redactor *r, const struct em_secrets *secrets, struct em_str *out);

void em_redactor_free(struct em_redactor *r); /* what it holds is zeroed */

#endif
