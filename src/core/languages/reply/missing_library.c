#include "embark/core/languages/reply/missing_library.h"

#include <string.h>

/* Libraries that wheels and native add-ons are most often built against, and what brings them. */
static const char *const packages[][3] = {
    {"libpq.so.5", "libpq5", "libpq"},
    {"libGL.so.1", "libgl1", "mesa-gl"},
    {"libglib-2.0.so.0", "libglib2.0-0", "glib"},
    {"libgthread-2.0.so.0", "libglib2.0-0", "glib"},
    {"libgomp.so.1", "libgomp1", "libgomp"},
    {"libstdc++.so.6", "libstdc++6", "libstdc++"},
    {"libgcc_s.so.1", "libgcc-s1", "libgcc"},
    {"libgfortran.so.5", "libgfortran5", "libgfortran"},
    {"libopenblas.so.0", "libopenblas0", "openblas"},
    {"libmariadb.so.3", "libmariadb3", "mariadb-connector-c"},
    {"libmysqlclient.so.21", "libmysqlclient21", "mariadb-connector-c"},
    {"libxml2.so.2", "libxml2", "libxml2"},
    {"libxslt.so.1", "libxslt1.1", "libxslt"},
    {"libmagic.so.1", "libmagic1", "libmagic"},
    {"libffi.so.8", "libffi8", "libffi"},
    {"libvips.so.42", "libvips42", "vips"},
    {"libvips-cpp.so.42", "libvips42", "vips-cpp"},
    {"libjpeg.so.62", "libjpeg62-turbo", "libjpeg-turbo"},
    {"libpango-1.0.so.0", "libpango-1.0-0", "pango"},
    {"libcairo.so.2", "libcairo2", "cairo"},
    {"libgobject-2.0.so.0", "libglib2.0-0", "glib"},
    {"libSM.so.6", "libsm6", "libsm"},
    {"libXext.so.6", "libxext6", "libxext"},
    {"libXrender.so.1", "libxrender1", "libxrender"},
    {"libsqlite3.so.0", "libsqlite3-0", "sqlite-libs"},
    {"libyaml-0.so.2", "libyaml-0-2", "yaml"},
    {"libz.so.1", "zlib1g", "zlib"},
    {"libssl.so.3", "libssl3", "libssl3"},
    {"libcrypto.so.3", "libssl3", "libcrypto3"},
    {"librdkafka.so.1", "librdkafka1", "librdkafka"},
    {"libgeos_c.so.1", "libgeos-c1v5", "geos"},
    {"libonig.so.5", "libonig5", "oniguruma"},
    {"libicuuc.so.72", "libicu72", "icu-libs"},
};

static bool path_byte(char c)
{
    return c && !strchr(" \t\r\n:()'\"`", c);
}

/* The word that ends at `end`. */
static void word_before(const char *message, const char *end, struct em_str *out)
{
    const char *start = end;

    while (start > message && path_byte(start[-1]))
        start--;
    em_str_add(out, start, (size_t)(end - start));
}

static void word_at(const char *start, struct em_str *out)
{
    size_t n = 0;

    while (path_byte(start[n]))
        n++;
    em_str_add(out, start, n);
}

static void hint_library(const char *name, struct em_str *hint)
{
    const char *base = em_base_name(name);

    for (size_t i = 0; i < EM_COUNT(packages); i++)
        if (strcmp(packages[i][0], base) == 0) {
            em_str_printf(
                hint, "install what brings it in the stage that runs: %s in Debian, %s in Alpine",
                packages[i][1], packages[i][2]);
            return;
        }
    em_str_printf(hint,
                  "install what brings %s in the stage that runs, not only in the one that builds "
                  "(apt-file search %s; apk search so:%s)",
                  base, base, base);
}

static void say_needed_by(const char *message, const char *words, struct em_str *what)
{
    const char *p = strstr(message, words);

    if (!p)
        return;
    em_str_puts(what, ", needed by ");
    word_at(p + strlen(words), what);
}

static bool missing(const char *message, struct em_str *what, struct em_str *hint)
{
    static const char glibc[] = ": cannot open shared object file",
                      musl[] = "Error loading shared library ";
    EM_STR_AUTO name = EM_STR_INIT;
    const char *p;

    if ((p = strstr(message, glibc)))
        word_before(message, p, &name);
    else if ((p = strstr(message, musl)))
        word_at(p + sizeof(musl) - 1, &name);
    if (name.len == 0)
        return false;
    em_str_printf(what, "the shared library %s is missing", em_str_c(&name));
    say_needed_by(message, "(needed by ", what);
    hint_library(em_str_c(&name), hint);
    return true;
}

/* A library of another version, or one of the other C library. */
static bool unfit(const char *message, struct em_str *what, struct em_str *hint)
{
    static const char version[] = ": version `",
                      undefined[] = "undefined symbol: ", relocating[] = "Error relocating ";
    const char *p;

    if ((p = strstr(message, version))) {
        em_str_printf(what, "the image's ");
        word_before(message, p, what);
        em_str_puts(what, " is too old: it has no ");
        word_at(p + sizeof(version) - 1, what);
        say_needed_by(message, "(required by ", what);
        em_str_puts(hint, "install the packages in the base image in which they run");
    } else if ((p = strstr(message, undefined))) {
        em_str_puts(what, "a shared library has no symbol ");
        word_at(p + sizeof(undefined) - 1, what);
        em_str_puts(hint, "the library that it was built against has another version than the "
                          "image's: install both anew");
    } else if ((p = strstr(message, relocating))) {
        em_str_puts(what, "a symbol is missing for ");
        word_at(p + sizeof(relocating) - 1, what);
        em_str_puts(hint, "it was built for glibc, and this image's C library is musl, or the "
                          "reverse: install it in the "
                          "image in which it runs");
    } else {
        return false;
    }
    return true;
}

bool em_missing_library_explain(const char *message, struct em_str *what, struct em_str *hint)
{
    return missing(message, what, hint) || unfit(message, what, hint);
}
