/* Preloaded into a replay (LD_PRELOAD, Linux): the first request for 24 random bytes, which is
   CPython's hash secret, is answered with RETRACE_HASH_SECRET (48 hex digits), so that sets
   iterate in the recorded order. Everything after it goes to the kernel. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int served;

static int digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

ssize_t getrandom(void *buffer, size_t size, unsigned int flags)
{
    const char *secret = getenv("RETRACE_HASH_SECRET");
    if (served || size != 24 || !secret || strlen(secret) != 48)
        return syscall(SYS_getrandom, buffer, size, flags);
    unsigned char bytes[24];
    for (int i = 0; i < 24; i++) {
        int high = digit(secret[2 * i]), low = digit(secret[2 * i + 1]);
        if (high < 0 || low < 0) return syscall(SYS_getrandom, buffer, size, flags);
        bytes[i] = (unsigned char)(16 * high + low);
    }
    served = 1;
    memcpy(buffer, bytes, 24);
    return 24;
}
