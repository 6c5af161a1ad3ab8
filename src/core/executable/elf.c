#include "embark/core/executable/elf.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER_32 = 52,
    HEADER_64 = 64,
    PHEADER_32 = 32,
    PHEADER_64 = 56,
    PHEADERS_MAX = 65536, /* bytes: the kernel's own limit */
    INTERP_MAX = 4096,    /* PATH_MAX, with the closing NUL */
    PT_LOAD = 1,
    PT_INTERP = 3,
};

uint64_t em_elf_number(const struct em_elf *elf, const unsigned char *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[elf->big_endian ? i : size - 1 - i];
    return value;
}

struct segment {
    uint64_t type, offset, filesz;
};

/* The fields stand in another order in the two classes. */
static struct segment segment(const struct em_elf *elf, const unsigned char *p)
{
    if (elf->is64)
        return (struct segment){em_elf_number(elf, p, 4), em_elf_number(elf, p + 8, 8),
                                em_elf_number(elf, p + 32, 8)};
    return (struct segment){em_elf_number(elf, p, 4), em_elf_number(elf, p + 4, 4),
                            em_elf_number(elf, p + 16, 4)};
}

static bool inside(const struct em_elf_source *source, uint64_t offset, uint64_t length)
{
    return offset <= source->size && length <= source->size - offset;
}

static enum em_elf_state read_interp(const struct em_elf_source *source, const struct segment *s,
                                     struct em_elf *elf)
{
    char path[INTERP_MAX];

    /* The kernel's rules: a name of at least one byte, closed by a NUL. */
    if (elf->interp || s->filesz < 2 || s->filesz > sizeof(path))
        return EM_ELF_DAMAGED;
    if (!source->read(source->ctx, s->offset, path, (size_t)s->filesz))
        return EM_ELF_TRUNCATED;
    if (path[s->filesz - 1] != '\0' || path[0] == '\0')
        return EM_ELF_DAMAGED;
    elf->interp = em_strdup(path);
    return EM_ELF_OK;
}

static enum em_elf_state read_segments(const struct em_elf_source *source, struct em_elf *elf,
                                       uint64_t at, size_t count)
{
    size_t size = elf->is64 ? PHEADER_64 : PHEADER_32;
    enum em_elf_state state = EM_ELF_OK;

    for (size_t i = 0; i < count && state == EM_ELF_OK; i++) {
        unsigned char bytes[PHEADER_64];
        struct segment s;

        if (!source->read(source->ctx, at + i * size, bytes, size))
            return EM_ELF_TRUNCATED;
        s = segment(elf, bytes);
        if (s.type != PT_LOAD && s.type != PT_INTERP)
            continue;
        if (!inside(source, s.offset, s.filesz))
            state = EM_ELF_TRUNCATED;
        else if (s.type == PT_INTERP)
            state = read_interp(source, &s, elf);
    }
    return state;
}

enum em_elf_state em_elf_read(const struct em_elf_source *source, struct em_elf *elf)
{
    unsigned char h[HEADER_64];
    uint64_t at, entry, count;

    *elf = (struct em_elf){0};
    if (!inside(source, 0, 4) || !source->read(source->ctx, 0, h, 4) ||
        memcmp(h, "\177ELF", 4) != 0)
        return EM_ELF_NOT;
    if (!inside(source, 0, HEADER_32) || !source->read(source->ctx, 0, h, HEADER_32))
        return EM_ELF_TRUNCATED;
    if (h[4] < 1 || h[4] > 2 || h[5] < 1 || h[5] > 2)
        return EM_ELF_DAMAGED;
    elf->is64 = h[4] == 2;
    elf->big_endian = h[5] == 2;
    elf->type = (uint16_t)em_elf_number(elf, h + 16, 2);
    elf->machine = (uint16_t)em_elf_number(elf, h + 18, 2);
    if (elf->is64 && !source->read(source->ctx, 0, h, HEADER_64))
        return EM_ELF_TRUNCATED;

    at = elf->is64 ? em_elf_number(elf, h + 32, 8) : em_elf_number(elf, h + 28, 4);
    entry = em_elf_number(elf, elf->is64 ? h + 54 : h + 42, 2);
    count = em_elf_number(elf, elf->is64 ? h + 56 : h + 44, 2);
    if (elf->type != EM_ELF_EXEC && elf->type != EM_ELF_DYN)
        return EM_ELF_OK; /* an object file has no segments, and none is looked for */
    if (entry != (elf->is64 ? PHEADER_64 : PHEADER_32) || count == 0 ||
        count * entry > PHEADERS_MAX)
        return EM_ELF_DAMAGED;
    if (!inside(source, at, count * entry))
        return EM_ELF_TRUNCATED;
    elf->segments_at = at;
    elf->segments = (size_t)count;
    return read_segments(source, elf, at, (size_t)count);
}

void em_elf_free(struct em_elf *elf)
{
    free(elf->interp);
    *elf = (struct em_elf){0};
}

/* Machines that Linux images are made for. `kernels` are beginnings of uname(2)'s machine; `also`
 * that of kernels which run it too. */
static const struct machine {
    uint16_t number;
    char bits;  /* 3: 32, 6: 64, 0: either */
    char order; /* b, l or 0: either */
    const char *name;
    const char *kernels[3];
    const char *also;
} machines[] = {
    {62, 0, 0, "x86-64 (amd64)", {"x86_64"}, NULL},
    {3, 0, 0, "x86, 32 bits (386)", {"i386", "i486", "i686"}, "x86_64"},
    {183, 0, 0, "AArch64 (arm64)", {"aarch64"}, NULL},
    {40, 0, 0, "ARM, 32 bits (arm)", {"arm"}, "aarch64"},
    {243, '6', 0, "RISC-V (riscv64)", {"riscv64"}, NULL},
    {243, '3', 0, "RISC-V, 32 bits", {"riscv32"}, "riscv64"},
    {22, 0, 0, "S/390 (s390x)", {"s390x"}, NULL},
    {21, 0, 'l', "POWER (ppc64le)", {"ppc64le"}, NULL},
    {21, 0, 'b', "POWER, big-endian (ppc64)", {"ppc64"}, NULL},
    {20, 0, 0, "PowerPC, 32 bits", {"ppc"}, "ppc64"},
    {258, 0, 0, "LoongArch (loong64)", {"loongarch"}, NULL},
    {8, '6', 'l', "MIPS (mips64le)", {"mips64"}, NULL},
    {8, 0, 0, "MIPS (mips)", {"mips"}, NULL},
};
enum { MACHINES = EM_COUNT(machines) };

static const struct machine *find_machine(const struct em_elf *elf)
{
    for (size_t i = 0; i < MACHINES; i++) {
        const struct machine *m = &machines[i];

        if (m->number == elf->machine && (!m->bits || (m->bits == '6') == elf->is64) &&
            (!m->order || (m->order == 'b') == elf->big_endian))
            return m;
    }
    return NULL;
}

static const struct machine *find_kernel(const char *machine)
{
    for (size_t i = 0; i < MACHINES; i++)
        for (size_t k = 0; k < 3 && machines[i].kernels[k]; k++)
            if (em_starts(machine, machines[i].kernels[k]))
                return &machines[i];
    return NULL;
}

void em_elf_machine(const struct em_elf *elf, struct em_str *out)
{
    const struct machine *m = find_machine(elf);

    if (m)
        em_str_puts(out, m->name);
    else
        em_str_printf(out, "machine 0x%x", elf->machine);
}

void em_elf_kernel(const char *machine, struct em_str *out)
{
    const struct machine *m = find_kernel(machine);

    em_str_puts(out, m ? m->name : machine);
}

bool em_elf_runs_on(const struct em_elf *elf, const char *machine)
{
    const struct machine *m = find_machine(elf), *here = find_kernel(machine);

    if (!here)
        return true;
    if (!m)
        return false;
    return m == here || (m->also && em_starts(machine, m->also));
}

enum em_libc em_elf_libc(const char *interp)
{
    const char *name = em_base_name(interp);

    if (em_starts(name, "ld-musl-"))
        return EM_LIBC_MUSL;
    if (em_starts(name, "ld-linux") || em_starts(name, "ld64.so.") || strcmp(name, "ld.so.1") == 0)
        return EM_LIBC_GLIBC;
    return EM_LIBC_OTHER;
}
