/* Loaded before a validator (LD_PRELOAD): it sees the machine's clock ahead by the seconds that are in the
 * file $CLOCK_AHEAD, eight bytes that may change at any time. No other clock is changed: slots are as long as
 * ever. libfaketime isn't it: with the validator's allocator it waits for itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void find(void) {
	const char *name = getenv("CLOCK_AHEAD");
	int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	void *place = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
	if (place == MAP_FAILED)
		abort();
	ahead = place;
	close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
	if (syscall(SYS_clock_gettime, clock, time))
		return -1;
	if (clock == CLOCK_REALTIME && ahead)
		time->tv_sec += *ahead;
	return 0;
}
