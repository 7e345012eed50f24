/* A library for LD_PRELOAD: open fails with the error number $FAULT for every path that ends with
 * $AT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int open64(const char *path, int flags, ...) {
    const char *at = getenv("AT");
    size_t length = strlen(path), end = strlen(at);
    if (length >= end && !strcmp(path + length - end, at)) {
        errno = atoi(getenv("FAULT"));
        return -1;
    }
    va_list rest;
    va_start(rest, flags);
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
    return real(path, flags, va_arg(rest, int));
}
