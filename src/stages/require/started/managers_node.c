/* npm, pnpm, yarn and bun: the folder in which they run a command, and the script of the
 * package.json there. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "embark/core/languages/node/npm.h"
#include "embark/os/files/files.h"
#include "embark/stages/require/started/started.h"

enum { PACKAGE_MAX = 4 * 1024 * 1024, FOLDERS_MAX = 5000, DEPTH_MAX = 3 };

static const char dir_options[] = "--prefix -C --dir --cwd";
static const char workspace_options[] = "-w --workspace --filter -F --filter-prod";
static const char value_options[] = "--loglevel --reporter --userconfig --cache -c --call";

static bool read_package(const char *dir, struct em_str *text)
{
    return em_started_read(dir, "package.json", PACKAGE_MAX, text);
}

/* ---- Workspaces ---- */

struct search {
    const char *name;
    struct em_str found;
    size_t count, folders;
};

/* pnpm takes a name without its scope. */
static bool is_named(const char *dir, const char *name)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO own = EM_STR_INIT;

    if (!read_package(dir, &text) || !em_npm_name(em_str_c(&text), text.len, &own))
        return false;
    return strcmp(em_str_c(&own), name) == 0 ||
           (own.data[0] == '@' && strcmp(em_base_name(em_str_c(&own)), name) == 0);
}

static void search_in(struct search *s, const char *dir, int depth)
{
    DIR *stream = em_dir_open(dir[0] ? dir : ".");
    struct dirent *entry;

    while (stream && s->folders < FOLDERS_MAX && (entry = readdir(stream))) {
        EM_STR_AUTO path = EM_STR_INIT;

        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "node_modules") == 0 ||
            (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
            continue;
        s->folders++;
        em_started_path(dir, entry->d_name, &path);
        if (is_named(em_str_c(&path), s->name)) {
            s->count++;
            em_str_cut(&s->found, 0);
            em_str_puts(&s->found, em_str_c(&path));
        }
        if (depth < DEPTH_MAX)
            search_in(s, em_str_c(&path), depth + 1);
    }
    if (stream)
        closedir(stream);
}

static void set_dir(struct em_started_place *place, const char *dir)
{
    em_str_cut(&place->dir, 0);
    em_str_puts(&place->dir, dir);
}

/* A workspace's name, or its folder. */
static void enter_workspace(struct em_started_place *place, const char *program, const char *name)
{
    struct search s = {.name = name};
    EM_STR_AUTO dir = EM_STR_INIT;
    EM_STR_AUTO text = EM_STR_INIT;

    em_started_path(em_str_c(&place->dir), em_starts(name, "./") ? name + 2 : name, &dir);
    if (name[0] != '@' && read_package(em_str_c(&dir), &text)) {
        set_dir(place, em_str_c(&dir));
        return;
    }
    if (name[0] && !strpbrk(name, "*{}!^[]") && !strstr(name, "..."))
        search_in(&s, em_str_c(&place->dir), 0);
    if (s.count == 1)
        set_dir(place, em_str_c(&s.found));
    else
        em_str_printf(&place->doubt, "which folder %s takes for %s", program, name);
    em_str_free(&s.found);
}

/* ---- Scripts ---- */

/* What is run in the folder: the script of that name, or a program. */
static void follow_script(const struct em_following *f, char *const *words, size_t count,
                          struct em_started_place *place)
{
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO script = EM_STR_INIT;
    EM_STR_AUTO bin = EM_STR_INIT;

    em_started_path(em_str_c(&place->dir), "node_modules/.bin", &bin);
    em_started_prefer(place, em_str_c(&bin));
    if (!place->doubt.len && read_package(em_str_c(&place->dir), &text) &&
        em_npm_script(em_str_c(&text), text.len, words[0], &script))
        em_follow_shell(f, em_str_c(&script), place);
    else
        em_follow_end(f, words, count, place);
}

/* An option at words[0]: how many words it is. */
static size_t take_option(char *const *words, size_t count, const char *program,
                          struct em_started_place *place)
{
    const char *value = em_option_value(words, count);
    size_t n;

    if ((n = em_option_words(words[0], dir_options)) && value) {
        em_started_enter(place, value);
    } else if ((n = em_option_words(words[0], workspace_options)) && value) {
        enter_workspace(place, program, value);
    } else if (em_word_among(words[0], "-r --recursive -ws --workspaces")) {
        em_str_printf(&place->doubt, "which folders %s takes", program);
    } else {
        n = em_option_words(words[0], value_options);
    }
    return n ? n : 1;
}

bool em_follow_node_manager(const struct em_following *f, char *const *words, size_t count,
                            const struct em_started_place *place)
{
    const char *program = em_base_name(words[0]);
    struct em_started_place here;
    EM_LIST_AUTO rest = EM_LIST_INIT;
    bool over = false;

    if (!em_word_among(program, "npm pnpm yarn bun npx pnpx bunx"))
        return false;
    em_started_copy(&here, place);
    here.manager = EM_MANAGER_NODE;
    for (size_t at = 1; at < count;) {
        const char *word = words[at];

        /* What follows a program that is run belongs to that. */
        over |= strcmp(word, "--") == 0;
        if (!over && word[0] == '-') {
            at += take_option(words + at, count - at, program, &here);
        } else if (!over && rest.n == 0 && at + 1 < count && strcmp(word, "workspace") == 0) {
            enter_workspace(&here, program, words[at + 1]);
            at += 2;
        } else {
            if (strcmp(word, "--") != 0 &&
                (rest.n || !em_word_among(word, "run run-script exec x dlx")))
                em_list_add(&rest, word);
            at++;
        }
    }
    if (rest.n)
        follow_script(f, rest.v, rest.n, &here);
    else
        em_follow_end(f, words, count, &here);
    em_started_free(&here);
    return true;
}
