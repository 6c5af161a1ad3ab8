/*
 * Stands for a program of another processor: runs it in an emulator, as the same process, by the name that it is called by. So the kernel
 * needn't be told of the emulator, which would be for the whole machine. Compiled with -DEMULATOR="…" -DPROGRAM="…".
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char **words = calloc((size_t)argc + 4, sizeof *words);
    if (!words || argc < 1)
        return 126;
    words[0] = EMULATOR;
    words[1] = "-0";
    words[2] = argv[0];
    words[3] = PROGRAM;
    for (int i = 1; i < argc; i++)
        words[3 + i] = argv[i];
    execv(EMULATOR, words);
    perror(EMULATOR);
    return 126;
}
