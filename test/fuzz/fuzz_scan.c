/* The search for texts, compared with a plain one; and what is read off a bundle (core/bundle/search.h,
 * bundle.h), a Gemfile, an alembic.ini and a folder's rule (infer_text.h, path_rule.h).
 *
 * The first byte is the length of the text that is looked for, which follows it.
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -std=gnu11 -D_GNU_SOURCE -Iinclude \
 *         test/fuzz/fuzz_scan.c src/core/{scan,bundle,infer_text,path_rule,err,str}.c -o fuzz_scan
 *     ./fuzz_scan -max_total_time=60
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/bundle/inlined.h"
#include "embark/core/config/infer.h"
#include "embark/core/config/dir_rule.h"
#include "embark/core/bundle/search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct finds {
    const char *bytes, *text;
    size_t length, text_length, count, next;
};

static bool note(void *ctx, size_t text, size_t at)
{
    struct finds *finds = ctx;
    struct em_str out = EM_STR_INIT;
    struct em_bundle_url url;

    if (text == 1) {
        if (em_bundle_url(finds->bytes, finds->length, at, &url)) {
            if (url.text < finds->bytes || url.text + url.length > finds->bytes + finds->length ||
                url.host < url.text || url.host + url.host_length > url.text + url.length)
                abort();
            em_bundle_alike(&url, "https://api.example.com/v1");
        }
        return true;
    }
    if (at < finds->next || at + finds->text_length > finds->length ||
        memcmp(finds->bytes + at, finds->text, finds->text_length) != 0)
        abort();
    finds->next = at + 1;
    finds->count++;
    em_bundle_left(finds->bytes, finds->length, at, finds->text_length, &out);
    em_bundle_around(finds->bytes, finds->length, at, finds->text_length, &out);
    em_str_free(&out);
    return true;
}

static size_t plain(const struct finds *finds)
{
    size_t count = 0;

    for (size_t i = 0; i + finds->text_length <= finds->length; i++)
        count += memcmp(finds->bytes + i, finds->text, finds->text_length) == 0;
    return count;
}

static void fuzz_texts(const char *bytes, size_t length)
{
    char *text = em_strndup(bytes, length);
    struct em_list list = EM_LIST_INIT;
    struct em_str out = EM_STR_INIT;
    struct em_dir_rule rule;
    struct em_err err = EM_ERR_INIT;

    em_infer_gems(text, &list);
    em_infer_words("command", &list, &out);
    em_infer_script_location(text, &out);
    em_bundle_spellings(text, &list);
    em_dir_rule_read(text, &rule, &err);
    em_dir_rule_free(&rule);
    em_err_free(&err);
    em_str_free(&out);
    em_list_free(&list);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct em_search scan = EM_SCAN_INIT;
    struct finds finds = {0};
    size_t length = size ? data[0] % 32 : 0;

    if (size < 1 + length || length == 0)
        return 0;
    finds.text = (const char *)data + 1;
    finds.text_length = length;
    finds.bytes = (const char *)data + 1 + length;
    finds.length = size - 1 - length;
    em_search_add(&scan, finds.text, length);
    em_search_add(&scan, "://", 3);
    em_search_run(&scan, finds.bytes, finds.length, 0, finds.length, note, &finds);
    if (finds.count != plain(&finds))
        abort();
    em_search_free(&scan);
    fuzz_texts(finds.bytes, finds.length);
    return 0;
}
