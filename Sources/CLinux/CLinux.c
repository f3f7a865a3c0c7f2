#include "CLinux.h"

// Here and not inline: <sys/timerfd.h> would make types of <time.h> this module's.
#include <sys/timerfd.h>
#include <sys/mman.h>
#include <unistd.h>

int meridian_heartbeat(void) {
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec second = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
    if (timer >= 0 && timerfd_settime(timer, 0, &second, NULL) != 0) {
        close(timer);
        return -1;
    }
    return timer;
}

void meridian_prefer_huge_pages(void *memory, size_t size) { madvise(memory, size, MADV_HUGEPAGE); }
