/* How late a thread wakes up that sleeps until certain times, one after the other: the machine's own jitter. Arguments: count, nanoseconds between two times.
   Writes how late each wake-up was, nanoseconds, one a line. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 2000;
    long long step = argc > 2 ? atoll(argv[2]) : 1000000;
    long long *late = malloc(count * sizeof *late);
    long long due = now();

    for (int i = 0; i < count; i++) {
        due += step;
        struct timespec t = { due / 1000000000LL, due % 1000000000LL };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        late[i] = now() - due;
    }
    for (int i = 0; i < count; i++)
        printf("%lld\n", late[i]);
    return 0;
}
