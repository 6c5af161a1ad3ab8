#include "library_search.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "elf_file.h"
#include "embark/core/executable/ld_cache.h"
#include "embark/os/files/files.h"

/* ---- Lists of folders ------------------------------------------------------------------------ */

/* An empty element is the working directory. */
static void split(const char *text, const char *between, struct em_list *out)
{
    while (*text) {
        size_t n = strcspn(text, between);

        em_list_take(out, n ? em_strndup(text, n) : em_strdup("."));
        text += n + (text[n] != '\0');
    }
}

/* The folder of a file, links resolved, as $ORIGIN has it. */
static void origin(const char *path, struct em_str *out)
{
    EM_FREE char *real = realpath(path, NULL);
    const char *slash = real ? strrchr(real, '/') : NULL;

    if (slash)
        em_str_add(out, real, slash == real ? 1 : (size_t)(slash - real));
}

/* RPATH or RUNPATH of the object, with $ORIGIN expanded. */
static void expand(struct em_elf_search *search, const struct em_object *object, const char *text,
                   struct em_list *out)
{
    EM_STR_AUTO here = EM_STR_INIT;
    EM_STR_AUTO whole = EM_STR_INIT;

    for (const char *p = text; *p; p++) {
        bool braces = em_starts(p, "${ORIGIN}");

        if (*p != '$') {
            em_str_putc(&whole, *p);
        } else if (braces || em_starts(p, "$ORIGIN")) {
            if (!here.len)
                origin(object->path, &here);
            em_str_puts(&whole, em_str_c(&here));
            p += strlen(braces ? "${ORIGIN}" : "$ORIGIN") - 1;
        } else {
            search->doubt = true;
            em_str_putc(&whole, *p);
        }
    }
    split(em_str_c(&whole), ":", out);
}

/* ---- One folder, one file -------------------------------------------------------------------- */

/* 1: a library for the program's machine. 0: there is none. -1: there is one for another. */
static int try_file(const struct em_elf_search *search, const char *path)
{
    EM_STR_AUTO ignored = EM_STR_INIT;
    struct stat st;
    int fd = em_file_open(path, &st, &ignored), fits = 0;

    if (fd >= 0) {
        struct em_elf_file blocks;
        struct em_elf_source source = em_elf_file_source(&blocks, fd, (uint64_t)st.st_size);
        struct em_elf elf;
        enum em_elf_state state = em_elf_read(&source, &elf);

        fits = state == EM_ELF_OK && elf.machine == search->elf->machine &&
                       elf.is64 == search->elf->is64 && elf.big_endian == search->elf->big_endian
                   ? 1
                   : -1;
        em_elf_free(&elf);
        close(fd);
    }
    return fits;
}

static bool take(const struct em_elf_search *search, const char *file, struct em_str *path,
                 struct em_str *wrong)
{
    int fits = try_file(search, file);

    if (fits > 0)
        em_str_puts(path, file);
    else if (fits < 0 && !wrong->len)
        em_str_puts(wrong, file);
    return fits > 0;
}

/* glibc looks into these first, where the processor can do it: a library is seldom only there. */
static bool take_variant(const struct em_elf_search *search, const char *dir, const char *name,
                         struct em_str *path, struct em_str *wrong)
{
    static const char *const variants[] = {"glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3",
                                           "glibc-hwcaps/x86-64-v4", "tls", "haswell"};

    if (search->libc != EM_LIBC_GLIBC)
        return false;
    for (size_t i = 0; i < EM_COUNT(variants); i++) {
        EM_STR_AUTO file = EM_STR_INIT;

        em_str_printf(&file, "%s/%s/%s", dir, variants[i], name);
        if (take(search, em_str_c(&file), path, wrong))
            return true;
    }
    return false;
}

static bool look_in(const struct em_elf_search *search, const struct em_list *dirs,
                    const char *name, struct em_str *path, struct em_str *wrong)
{
    for (size_t i = 0; i < dirs->n; i++) {
        EM_STR_AUTO file = EM_STR_INIT;

        em_str_printf(&file, "%s/%s", dirs->v[i], name);
        if (take(search, em_str_c(&file), path, wrong) ||
            take_variant(search, dirs->v[i], name, path, wrong))
            return true;
    }
    return false;
}

/* ---- The rules ------------------------------------------------------------------------------- */

static bool look_in_text(struct em_elf_search *search, const struct em_object *object,
                         const char *text, const char *name, struct em_str *path,
                         struct em_str *wrong)
{
    EM_LIST_AUTO dirs = EM_LIST_INIT;

    if (!text)
        return false;
    expand(search, object, text, &dirs);
    return look_in(search, &dirs, name, path, wrong);
}

/* Of the object and of those that loaded it. glibc passes over the RPATH of what has a RUNPATH;
 * musl takes either of both. */
static bool look_in_rpaths(struct em_elf_search *search, const struct em_object *by,
                           const char *name, struct em_str *path, struct em_str *wrong)
{
    bool musl = search->libc == EM_LIBC_MUSL;

    if (!musl && by->needs.runpath)
        return false;
    for (const struct em_object *o = by; o; o = o->loader) {
        const char *text = !o->needs.runpath ? o->needs.rpath : musl ? o->needs.runpath : NULL;

        if (look_in_text(search, o, text, name, path, wrong))
            return true;
    }
    return false;
}

static bool look_in_cache(const struct em_elf_search *search, const char *name, struct em_str *path,
                          struct em_str *wrong)
{
    EM_LIST_AUTO found = EM_LIST_INIT;

    em_ld_cache_find(em_str_c(&search->cache), search->cache.len, search->elf->big_endian, name,
                     &found);
    for (size_t i = 0; i < found.n; i++)
        if (take(search, found.v[i], path, wrong))
            return true;
    return false;
}

bool em_elf_search(struct em_elf_search *search, const struct em_object *by, const char *name,
                   struct em_str *path, struct em_str *wrong)
{
    if (strchr(name, '/'))
        return take(search, name, path, wrong);
    if (search->libc == EM_LIBC_MUSL)
        return look_in(search, &search->library_path, name, path, wrong) ||
               look_in_rpaths(search, by, name, path, wrong) ||
               look_in(search, &search->defaults, name, path, wrong);
    return look_in_rpaths(search, by, name, path, wrong) ||
           look_in(search, &search->library_path, name, path, wrong) ||
           look_in_text(search, by, by->needs.runpath, name, path, wrong) ||
           (!by->needs.no_default && (look_in_cache(search, name, path, wrong) ||
                                      look_in(search, &search->defaults, name, path, wrong)));
}

/* ---- The loader's own ------------------------------------------------------------------------ */

/* /etc/ld-musl-x86_64.path beside /lib/ld-musl-x86_64.so.1: lines, or a list with colons. */
static void musl_defaults(const char *interp, struct em_list *out)
{
    const char *slash = strrchr(interp, '/'), *name = em_base_name(interp);
    size_t length = strlen(name);
    EM_STR_AUTO file = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;

    /* "/lib/ld-musl-…" has its file in /etc, "/opt/x/lib/…" in /opt/x/etc. */
    if (slash && slash - interp >= 4)
        em_str_add(&file, interp, (size_t)(slash - interp) - 4);
    em_str_puts(&file, "/etc/");
    em_str_add(&file, name, length > 5 && em_ends(name, ".so.1") ? length - 5 : length);
    em_str_puts(&file, ".path");
    if (em_file_read(em_str_c(&file), 1024 * 1024, &text, &why))
        split(em_str_c(&text), ":\n", out);
    else
        split("/lib:/usr/local/lib:/usr/lib", ":", out);
}

/* Debian's has the folder of its architecture, others lib64; a loader in a place of its own (Nix)
 * has its folder. The cache comes first, and knows more. */
static void glibc_defaults(const char *interp, const char *machine, struct em_list *out)
{
    EM_STR_AUTO own = EM_STR_INIT;
    EM_STR_AUTO triplet = EM_STR_INIT;
    static const char *const roots[] = {"/lib", "/usr/lib"};

    split("/lib64:/usr/lib64:/lib:/usr/lib:/lib32:/usr/lib32", ":", out);
    for (size_t i = 0; i < 2; i++) {
        em_str_cut(&triplet, 0);
        em_str_printf(&triplet, "%s/%s-linux-gnu", roots[i], machine);
        em_list_add(out, em_str_c(&triplet));
    }
    origin(interp, &own);
    if (own.len)
        em_list_add(out, em_str_c(&own));
}

void em_elf_search_start(struct em_elf_search *search, const struct em_elf *elf)
{
    const char *library_path = getenv("LD_LIBRARY_PATH");
    EM_STR_AUTO why = EM_STR_INIT;
    struct utsname here;

    *search = (struct em_elf_search){.libc = em_elf_libc(elf->interp), .elf = elf};
    if (library_path && *library_path)
        split(library_path, search->libc == EM_LIBC_MUSL ? ":" : ":;", &search->library_path);
    if (search->libc == EM_LIBC_MUSL) {
        musl_defaults(elf->interp, &search->defaults);
        return;
    }
    glibc_defaults(elf->interp, uname(&here) == 0 ? here.machine : "x86_64", &search->defaults);
    em_file_read("/etc/ld.so.cache", (size_t)64 * 1024 * 1024, &search->cache, &why);
}

void em_elf_search_end(struct em_elf_search *search)
{
    em_list_free(&search->library_path);
    em_list_free(&search->defaults);
    em_str_free(&search->cache);
}
