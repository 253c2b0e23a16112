/*
 * posix_spawn and waitpid. Started with the GiB of heap that it is to have; for each line "OPERATIONS IN-FLIGHT sync" it runs /bin/true so many times, so many at
 * once, and answers "NANOSECONDS CPU-NANOSECONDS BYTES THREADS": each operation's share, and threads in all.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv)
{
	char *arguments[] = { "/bin/true", NULL }, *environment[] = { "HOME=/", NULL };
	size_t heap = (argc > 1 ? strtoul(argv[1], NULL, 10) : 0) << 30, i;
	char *memory = heap ? malloc(heap) : NULL;
	int operations, in_flight, done, n, status;

	for (i = 0; i < heap; i += 4096)
		memory[i] = 1;
	while (scanf("%d %d %*s", &operations, &in_flight) == 2) {
		double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);

		for (done = 0; done < operations; done += in_flight) {
			pid_t pids[in_flight];

			for (n = 0; n < in_flight; n++)
				if (posix_spawn(&pids[n], arguments[0], NULL, NULL, arguments, environment))
					return 1;
			for (n = 0; n < in_flight; n++)
				if (waitpid(pids[n], &status, 0) != pids[n] || status)
					return 1;
		}
		printf("%.0f %.0f 0 1\n", (now(CLOCK_MONOTONIC) - start) / operations, (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / operations);
		fflush(stdout);
	}
	return 0;
}
