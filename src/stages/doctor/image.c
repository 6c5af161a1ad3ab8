#include <pwd.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "embark/os/exec/check_elf.h"
#include "embark/os/files/files.h"
#include "embark/stages/doctor/doctor.h"

/* PRETTY_NAME of os-release(5), without its quotes. */
static bool distribution(struct em_str *out)
{
    static const char *const places[] = {"/etc/os-release", "/usr/lib/os-release"};
    static const char name[] = "PRETTY_NAME=";
    EM_STR_AUTO text = EM_STR_INIT;
    EM_STR_AUTO why = EM_STR_INIT;
    for (size_t i = 0; i < 2 && !text.len; i++)
        em_file_read(places[i], 65536, &text, &why);
    for (const char *line = em_str_c(&text); line && *line;) {
        if (em_starts(line, name)) {
            line += strlen(name);
            line += strspn(line, "\"'");
            em_str_add(out, line, strcspn(line, "\"'\r\n"));
            return out->len > 0;
        }
        line = strchr(line, '\n');
        line += line ? 1 : 0;
    }
    return false;
}

static void look_at_system(struct em_doctor_rows *looks)
{
    EM_STR_AUTO line = EM_STR_INIT;
    EM_STR_AUTO glibc = EM_STR_INIT;
    EM_STR_AUTO musl = EM_STR_INIT;
    struct utsname names;
    if (!distribution(&line))
        em_str_puts(&line, "no os-release");
    bool has_glibc = em_image_has_libc(EM_LIBC_GLIBC, &glibc);
    bool has_musl = em_image_has_libc(EM_LIBC_MUSL, &musl);
    em_str_printf(&line, ", %s",
                  has_glibc && has_musl ? "glibc and musl"
                  : has_glibc           ? "glibc"
                  : has_musl            ? "musl"
                                        : "no C library");
    if (uname(&names) == 0)
        em_str_printf(&line, ", %s", names.machine);
    em_doctor_row_add(looks, "image", "system", EM_MARK_NONE, 0, "%s", em_str_c(&line));
}

static void look_at_user(struct em_doctor_rows *looks)
{
    EM_STR_AUTO line = EM_STR_INIT;
    char folder[4096];
    const struct passwd *user = getpwuid(geteuid());
    struct statvfs root;
    em_str_printf(&line, "%u:%u", (unsigned)geteuid(), (unsigned)getegid());
    if (user)
        em_str_printf(&line, " (%s)", user->pw_name);
    if (getcwd(folder, sizeof folder))
        em_str_printf(&line, " in %s", folder);
    if (statvfs("/", &root) == 0 && root.f_flag & ST_RDONLY)
        em_str_puts(&line, "; / is read-only");
    em_doctor_row_add(looks, "image", "user", EM_MARK_NONE, 0, "%s", em_str_c(&line));
}

void em_doctor_image(struct em_doctor_rows *looks)
{
    look_at_system(looks);
    look_at_user(looks);
}
