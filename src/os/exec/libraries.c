#include "libraries.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_file.h"
#include "embark/core/executable/elf_needs.h"
#include "embark/os/exec/library.h"
#include "embark/os/files/files.h"
#include "library_search.h"

enum { OBJECTS_MAX = 1024, MISSING_SAID = 6 };

/* The program, and what was found for it, in the order in which the loader does. */
struct loaded {
    struct em_object *v[OBJECTS_MAX]; /* their addresses stay */
    size_t n;
    struct em_list names; /* that were looked for, and the SONAMEs of what was found */
};

struct missing {
    struct em_str text; /* "libx.so.1 (needed by /usr/lib/liby.so.2), …" */
    struct em_str first;
    struct em_list *names; /* all of them; NULL: nobody asks */
    size_t count;
    bool wrong; /* one of them is there, for another machine */
};

static struct em_object *add(struct loaded *loaded, const char *path,
                             const struct em_object *loader)
{
    struct em_object *object = em_alloc(sizeof(*object));

    object->path = em_strdup(path);
    object->loader = loader;
    loaded->v[loaded->n++] = object;
    return object;
}

static void free_loaded(struct loaded *loaded)
{
    for (size_t i = 0; i < loaded->n; i++) {
        free(loaded->v[i]->path);
        em_elf_needs_free(&loaded->v[i]->needs);
        free(loaded->v[i]);
    }
    em_list_free(&loaded->names);
}

struct file {
    int fd;
    struct em_elf_file blocks;
    struct em_elf_source source;
    struct em_elf elf;
};

static bool open_elf(const char *path, struct file *f)
{
    EM_STR_AUTO ignored = EM_STR_INIT;
    struct stat st;

    *f = (struct file){.fd = em_file_open(path, &st, &ignored)};
    if (f->fd < 0)
        return false;
    f->source = em_elf_file_source(&f->blocks, f->fd, (uint64_t)st.st_size);
    return em_elf_read(&f->source, &f->elf) == EM_ELF_OK;
}

static void close_elf(struct file *f)
{
    em_elf_free(&f->elf);
    if (f->fd >= 0)
        close(f->fd);
}

/* A library that can't be read needs nothing that we know of. */
static void read_needs(struct em_object *object)
{
    struct file f;

    if (open_elf(object->path, &f))
        em_elf_needs_read(&f.source, &f.elf, &object->needs);
    close_elf(&f);
}

/* Names that musl's loader is itself: libc.so, libpthread.so.0, libm.so.6… */
static bool is_musl_itself(const char *name)
{
    static const char *const own[] = {"c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."};

    if (!em_starts(name, "lib"))
        return false;
    for (size_t i = 0; i < EM_COUNT(own); i++)
        if (em_starts(name + 3, own[i]))
            return true;
    return false;
}

static void note_missing(struct missing *missing, const struct em_object *by, const char *name,
                         const struct em_str *wrong)
{
    if (missing->count++ == 0)
        em_str_puts(&missing->first, name);
    if (missing->names)
        em_list_add(missing->names, name);
    if (missing->count > MISSING_SAID)
        return;
    em_str_printf(&missing->text, "%s%s", missing->count > 1 ? ", " : "", name);
    if (wrong->len)
        em_str_printf(&missing->text, " (%s is not one for this program's machine)",
                      em_str_c(wrong));
    if (by->loader)
        em_str_printf(&missing->text, " (needed by %s)", by->path);
    missing->wrong = missing->wrong || wrong->len;
}

static void look_for_needs_of(struct em_elf_search *search, struct loaded *loaded,
                              const struct em_object *by, struct missing *missing)
{
    for (size_t i = 0; i < by->needs.needed.n && loaded->n < OBJECTS_MAX; i++) {
        const char *name = by->needs.needed.v[i];
        EM_STR_AUTO path = EM_STR_INIT;
        EM_STR_AUTO wrong = EM_STR_INIT;
        struct em_object *object;

        if (em_list_has(&loaded->names, name) ||
            (search->libc == EM_LIBC_MUSL && is_musl_itself(name)))
            continue;
        em_list_add(&loaded->names, name);
        if (!em_elf_search(search, by, name, &path, &wrong)) {
            note_missing(missing, by, name, &wrong);
            continue;
        }
        object = add(loaded, em_str_c(&path), by);
        read_needs(object);
        if (object->needs.soname && !em_list_has(&loaded->names, object->needs.soname))
            em_list_add(&loaded->names, object->needs.soname);
    }
}

/* ---- The error ------------------------------------------------------------------------------- */

/* A place that people install to, and where the loader would look after ldconfig. */
static bool is_without_ldconfig(const char *name, struct em_str *path)
{
    static const char *const dirs[] = {"/usr/local/lib", "/usr/local/lib64", "/opt/lib"};
    struct stat st;

    for (size_t i = 0; i < EM_COUNT(dirs); i++) {
        em_str_cut(path, 0);
        em_str_printf(path, "%s/%s", dirs[i], name);
        if (stat(em_str_c(path), &st) == 0)
            return true;
    }
    return false;
}

static int say(const char *file, const struct em_elf_search *search, const struct missing *missing,
               struct em_err *err)
{
    const char *first = em_str_c(&missing->first);
    EM_STR_AUTO path = EM_STR_INIT;

    em_fail(err, EM_EXIT_NOT_FOUND, "%s: the shared librar%s %s", file,
            missing->count == 1 ? "y" : "ies", em_str_c(&missing->text));
    if (missing->count > MISSING_SAID)
        em_str_printf(&err->text, " and %zu more", missing->count - MISSING_SAID);
    em_str_puts(&err->text, missing->count == 1 ? " is missing" : " are missing");
    if (missing->wrong)
        em_hint(err, "install it for this machine's architecture");
    else if (search->libc == EM_LIBC_GLIBC && is_without_ldconfig(first, &path))
        em_hint(err,
                "%s is there, but not in /etc/ld.so.cache: RUN ldconfig, or set "
                "LD_LIBRARY_PATH",
                em_str_c(&path));
    else if (search->libc == EM_LIBC_MUSL)
        em_hint(
            err,
            "install the package that has it in the stage that runs (apk search so:%s), or copy "
            "it from the stage that built the program",
            first);
    else
        em_hint(err,
                "install the package that has it in the stage that runs (apt-file search %s), or "
                "copy it from the stage that built the program",
                first);
    return err->code;
}

int em_elf_libs_check(const char *file, const struct em_elf_source *source,
                      const struct em_elf *elf, struct em_err *err)
{
    struct em_elf_search search;
    struct loaded loaded = {0};
    struct missing missing = {0};
    const char *slash;
    int code = 0;

    if (!elf->interp || em_elf_libc(elf->interp) == EM_LIBC_OTHER)
        return 0;
    em_elf_search_start(&search, elf);
    slash = strrchr(elf->interp, '/');
    em_list_add(&loaded.names, slash ? slash + 1 : elf->interp); /* is there already */
    add(&loaded, file, NULL);
    /* A damaged section is the loader's to complain of. */
    if (em_elf_needs_read(source, elf, &loaded.v[0]->needs) == EM_ELF_OK)
        for (size_t i = 0; i < loaded.n; i++)
            look_for_needs_of(&search, &loaded, loaded.v[i], &missing);
    if (missing.count && !search.doubt)
        code = say(file, &search, &missing, err);
    em_elf_search_end(&search);
    free_loaded(&loaded);
    em_str_free(&missing.text);
    em_str_free(&missing.first);
    return code;
}

/* ---- What a program opens by itself ---------------------------------------------------------- */

static int say_machine(const char *library, const struct file *f, const struct file *program,
                       struct em_err *err)
{
    EM_STR_AUTO theirs = EM_STR_INIT;
    EM_STR_AUTO ours = EM_STR_INIT;

    em_elf_machine(&f->elf, &theirs);
    em_elf_machine(&program->elf, &ours);
    em_fail(err, EM_EXIT_NOT_EXECUTABLE, "%s is for %s, and what loads it is for %s", library,
            em_str_c(&theirs), em_str_c(&ours));
    em_hint(err, "install it for this platform (docker build --platform, TARGETARCH)");
    return err->code;
}

/* The C library that it was built for is another one. */
static void hint_libc(const struct em_list *missing, struct em_err *err)
{
    for (size_t i = 0; i < missing->n; i++)
        if (em_starts(missing->v[i], "libc.musl-") || em_starts(missing->v[i], "ld-musl-"))
            em_hint(err, "it was built for musl (Alpine), and this image has glibc: install it in "
                         "a stage from the same base image as the one that runs");
        else if (em_starts(missing->v[i], "ld-linux"))
            em_hint(err, "it was built for glibc (Debian, Ubuntu…), and this image has musl "
                         "(Alpine): install it in a stage from the same base image");
}

static int check_library(const char *program, const struct file *p, const char *library,
                         struct file *f, struct em_list *names, struct em_err *err)
{
    struct em_elf_search search;
    struct loaded loaded = {0};
    struct missing ignored = {0}, missing = {.names = names};
    size_t first;
    int code = 0;

    em_elf_search_start(&search, &p->elf);
    em_list_add(&loaded.names, em_base_name(p->elf.interp));
    add(&loaded, program, NULL);
    em_elf_needs_read(&p->source, &p->elf, &loaded.v[0]->needs);
    for (size_t i = 0; i < loaded.n; i++)
        look_for_needs_of(&search, &loaded, loaded.v[i], &ignored);
    first = loaded.n;
    if (first < OBJECTS_MAX)
        em_elf_needs_read(&f->source, &f->elf, &add(&loaded, library, loaded.v[0])->needs);
    for (size_t i = first; i < loaded.n; i++)
        look_for_needs_of(&search, &loaded, loaded.v[i], &missing);
    if (missing.count && !search.doubt) {
        code = say(library, &search, &missing, err);
        hint_libc(names, err);
    }
    em_elf_search_end(&search);
    free_loaded(&loaded);
    em_str_free(&missing.text);
    em_str_free(&missing.first);
    em_str_free(&ignored.text);
    em_str_free(&ignored.first);
    return code;
}

int em_library_check(const char *program, const char *library, struct em_list *missing,
                     struct em_err *err)
{
    struct file p, f = {.fd = -1};
    int code = 0;

    if (open_elf(program, &p) && p.elf.interp && em_elf_libc(p.elf.interp) != EM_LIBC_OTHER &&
        open_elf(library, &f)) {
        if (f.elf.machine != p.elf.machine || f.elf.is64 != p.elf.is64)
            code = say_machine(library, &f, &p, err);
        else
            code = check_library(program, &p, library, &f, missing, err);
    }
    close_elf(&f);
    close_elf(&p);
    return code;
}
