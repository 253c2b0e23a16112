// Two threads hand a token to and fro through a word each: what a completion does, without the rest of it.
// handover LOOKS ROUNDS: LOOKS at the word before the thread sleeps on it; 0 is the pure futex. Prints nanoseconds per round trip.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EMPTY, TOKEN, ASLEEP };

static _Alignas(128) atomic_int ping;
static _Alignas(128) atomic_int pong;
static _Alignas(128) int looks, rounds;

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void give(atomic_int *word)
{
    if (atomic_exchange(word, TOKEN) == ASLEEP)
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void take(atomic_int *word)
{
    int seen = TOKEN;
    for (int i = 0; i < looks; i++, seen = TOKEN) {
        if (atomic_load_explicit(word, memory_order_acquire) == TOKEN && atomic_compare_exchange_strong(word, &seen, EMPTY))
            return;
        relax();
    }

    while (seen = TOKEN, !atomic_compare_exchange_strong(word, &seen, EMPTY)) {
        if (seen == ASLEEP || atomic_compare_exchange_strong(word, &seen, ASLEEP))
            syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, ASLEEP, NULL, NULL, 0);
    }
}

static void *answer(void *unused)
{
    for (int i = 0; i < rounds; i++) {
        take(&ping);
        give(&pong);
    }

    return unused;
}

int main(int count, char **arguments)
{
    if (count != 3)
        return 2;
    looks = atoi(arguments[1]);
    rounds = atoi(arguments[2]);
    pthread_t other;
    if (pthread_create(&other, NULL, answer, NULL) != 0)
        return 1;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < rounds; i++) {
        give(&ping);
        take(&pong);
    }

    clock_gettime(CLOCK_MONOTONIC, &end);
    pthread_join(other, NULL);
    printf("%.2f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / rounds);
    return 0;
}
