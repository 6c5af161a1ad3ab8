#include "embark/core/languages/java/class_path.h"

#include <string.h>
#include <strings.h>

#include "embark/core/languages/module.h"

void em_java_path_split(const char *text, struct em_list *parts)
{
    while (*text) {
        size_t n = strcspn(text, ":");

        if (n)
            em_list_take(parts, em_strndup(text, n));
        text += n + (text[n] == ':');
    }
}

static bool is_path_option(const char *word)
{
    return strcmp(word, "-cp") == 0 || strcmp(word, "-classpath") == 0 ||
           strcmp(word, "--class-path") == 0;
}

/* Options whose value is the next word. */
static bool takes_word(const char *word)
{
    return strcmp(word, "-p") == 0 || strcmp(word, "--module-path") == 0 ||
           strcmp(word, "--add-modules") == 0 || strcmp(word, "--add-opens") == 0 ||
           strcmp(word, "--add-exports") == 0 || strcmp(word, "--add-reads") == 0;
}

bool em_java_path_read(char *const *words, size_t count, struct em_java_path *path)
{
    size_t i = 0;

    *path = (struct em_java_path){0};
    while (i < count && em_language_of(words[i]) != EM_LANGUAGE_JAVA)
        i++;
    for (i++; i < count && words[i][0] == '-'; i++) {
        if (strcmp(words[i], "-jar") == 0 && i + 1 < count) {
            em_list_free(&path->parts); /* it takes the place of -cp */
            em_list_add(&path->parts, words[i + 1]);
            path->jar = true;
            return true;
        }
        if (is_path_option(words[i]) && i + 1 < count) {
            em_list_free(&path->parts);
            em_java_path_split(words[++i], &path->parts);
        } else if (em_starts(words[i], "--class-path=")) {
            em_list_free(&path->parts);
            em_java_path_split(words[i] + strlen("--class-path="), &path->parts);
        } else if (takes_word(words[i])) {
            i++;
        }
    }
    return path->parts.n > 0;
}

/* The manifest's first section, which is the jar's own, with its lines unfolded: what starts with a
 * blank goes on with the line before. */
static void unfold(const char *text, size_t length, struct em_str *out)
{
    const char *end = text + length;

    while (text < end && *text != '\n' && *text != '\r') {
        const char *line = text;
        size_t n;

        while (text < end && *text != '\n' && *text != '\r')
            text++;
        n = (size_t)(text - line);
        if (*line != ' ' && out->len)
            em_str_putc(out, '\n');
        em_str_add(out, *line == ' ' ? line + 1 : line, *line == ' ' ? n - 1 : n);
        if (text < end && *text == '\r')
            text++;
        if (text < end && *text == '\n')
            text++;
    }
}

void em_java_manifest_read(const char *text, size_t length, struct em_list *paths)
{
    static const char key[] = "class-path:";
    EM_STR_AUTO lines = EM_STR_INIT;
    const char *line;

    unfold(text, length, &lines);
    for (line = em_str_c(&lines); *line; line += *line == '\n') {
        size_t n = strcspn(line, "\n");
        const char *end = line + n;

        if (strncasecmp(line, key, strlen(key)) == 0)
            for (line += strlen(key); line < end; line += strspn(line, " ")) {
                size_t word = strcspn(line, " \n");

                if (word)
                    em_list_take(paths, em_strndup(line, word));
                line += word;
            }
        line = end;
    }
}

void em_java_class_file(const char *name, struct em_str *out)
{
    for (; *name; name++)
        em_str_putc(out, *name == '.' ? '/' : *name);
    em_str_puts(out, ".class");
}

bool em_java_is_own(const char *name)
{
    static const char *const own[] = {
        "java.",           "jdk.",          "sun.",          "com.sun.",     "javax.sql.",
        "javax.net.",      "javax.crypto.", "javax.naming.", "javax.xml.",   "javax.management.",
        "javax.security.", "javax.swing.",  "javax.script.", "org.w3c.dom.", "org.xml.sax."};

    for (size_t i = 0; i < EM_COUNT(own); i++)
        if (em_starts(name, own[i]))
            return true;
    return false;
}
