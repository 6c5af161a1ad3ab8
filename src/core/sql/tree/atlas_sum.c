/* atlas.sum (Atlas's sql/migrate/dir.go, HashFile): "h1:" and a digest of the lines below, then for
 * each file, in order, its name and "h1:" and the digest of all names and contents up to and with
 * it. */
#include <sys/types.h>

#include <sha2.h>
#include <string.h>

#include "embark/core/base/base64.h"
#include "parts.h"

static void digest_of(SHA2_CTX context, struct em_str *out)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256Final(digest, &context);
    em_base64(digest, sizeof digest, out);
}

static void add(SHA2_CTX *context, const char *bytes, size_t length)
{
    SHA256Update(context, (const unsigned char *)bytes, length);
}

/* The text that atlas.sum should be. */
static void expected(const struct em_sql_tree *tree, struct em_str *out)
{
    SHA2_CTX files, lines;
    EM_STR_AUTO rest = EM_STR_INIT;
    EM_STR_AUTO total = EM_STR_INIT;
    SHA256Init(&files);
    SHA256Init(&lines);
    for (size_t i = 0; i < tree->n; i++) {
        const struct em_sql_tree_file *file = &tree->v[i];
        EM_STR_AUTO hash = EM_STR_INIT;
        add(&files, file->name, strlen(file->name));
        add(&files, em_str_c(&file->text), file->text.len);
        digest_of(files, &hash);
        add(&lines, file->name, strlen(file->name));
        add(&lines, em_str_c(&hash), hash.len);
        em_str_printf(&rest, "%s h1:%s\n", file->name, em_str_c(&hash));
    }
    digest_of(lines, &total);
    em_str_printf(out, "h1:%s\n%s", em_str_c(&total), em_str_c(&rest));
}

/* The name of the first line that differs. */
static void name_difference(const char *theirs, const char *ours, struct em_str *name)
{
    for (bool first = true; *theirs || *ours; first = false) {
        size_t a = strcspn(theirs, "\r\n"), b = strcspn(ours, "\n");
        if (!first && (a != b || memcmp(theirs, ours, a) != 0)) {
            const char *line = *ours ? ours : theirs;
            em_str_add(name, line, strcspn(line, " \n"));
            return;
        }
        theirs += a + strspn(theirs + a, "\r\n");
        ours += b + (ours[b] == '\n');
    }
}

static bool is_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '\r')
            a++;
        if (*a != *b)
            return false;
        if (!*a)
            return true;
    }
}

bool em_atlas_sum_check(const struct em_sql_tree *tree, struct em_err *err)
{
    EM_STR_AUTO ours = EM_STR_INIT;
    EM_STR_AUTO name = EM_STR_INIT;
    if (!tree->sum_path) {
        em_fail(err, EM_EXIT_CONFIG,
                "%s: Atlas's folder has no atlas.sum, which tells whether the "
                "files are all, and as they were written",
                tree->folder);
        em_hint(err, "copy it into the image with the migrations (atlas migrate hash makes it)");
        return false;
    }
    expected(tree, &ours);
    if (is_same(em_str_c(&tree->sum), em_str_c(&ours)))
        return true;
    name_difference(em_str_c(&tree->sum), em_str_c(&ours), &name);
    em_fail(err, EM_EXIT_CONFIG, "%s is not of these files: %s differs, or is missing, or new",
            tree->sum_path, name.len ? em_str_c(&name) : "its first line");
    em_hint(err, "copy folder and atlas.sum together; after a wanted change: atlas migrate hash");
    return false;
}

void em_atlas_sum_of(const struct em_sql_tree *tree, const char *name, struct em_str *hash)
{
    size_t length = strlen(name);
    for (const char *line = em_str_c(&tree->sum); *line;) {
        size_t n = strcspn(line, "\r\n");
        if (n > length + 4 && strncmp(line, name, length) == 0 &&
            strncmp(line + length, " h1:", 4) == 0)
            em_str_add(hash, line + length + 4, n - length - 4);
        line += n + strspn(line + n, "\r\n");
    }
}
