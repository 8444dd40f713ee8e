/* A wall clock that a test sets, for a process that this is loaded into before all else.
 *
 * The file WALL_CLOCK holds the seconds that it is before the real one, as an int64; it may change
 * at any time. The monotonic clock is left alone. Who waits for a moment of the wall clock waits
 * until this clock has reached it, as with a real one that was set. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int (*timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);

static const volatile int64_t none = 0;
static const volatile int64_t *ahead_s = &none;
static timedwait real_timedwait;

__attribute__((constructor)) static void begin(void)
{
    const char *versions[] = {"GLIBC_2.3.2", "GLIBC_2.17", "GLIBC_2.27"};
    int file = open(getenv("WALL_CLOCK"), O_RDONLY);
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (file < 0 || mapped == MAP_FAILED)
        abort();
    ahead_s = mapped;
    for (int i = 0; i < 3 && !real_timedwait; i++)
        real_timedwait = (timedwait)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", versions[i]);
    if (!real_timedwait)
        abort();
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *ahead_s;
    return failed;
}

int timespec_get(struct timespec *now, int base)
{
    return clock_gettime(CLOCK_REALTIME, now) ? 0 : base;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds)
        *seconds = now.tv_sec;
    return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                           const struct timespec *until)
{
    for (;;) {
        struct timespec really = *until, now;
        really.tv_sec -= *ahead_s;
        int result = real_timedwait(condition, mutex, &really);
        clock_gettime(CLOCK_REALTIME, &now);
        if (result != ETIMEDOUT || now.tv_sec > until->tv_sec ||
            (now.tv_sec == until->tv_sec && now.tv_nsec >= until->tv_nsec))
            return result;
    }
}
