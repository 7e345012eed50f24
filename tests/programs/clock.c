/* A library for LD_PRELOAD: the clock (CLOCK_REALTIME) is $AHEAD seconds ahead, until there is a file
 * `begun`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME && access("begun", F_OK)) time->tv_sec += atol(getenv("AHEAD"));
    return result;
}
