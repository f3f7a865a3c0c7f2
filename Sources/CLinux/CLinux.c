#include "CLinux.h"

// Here and not inline: <sys/timerfd.h> would make types of <time.h> this module's.
#include <semaphore.h>
#include <sys/timerfd.h>
#include <linux/filter.h>
#include <sys/mman.h>
#include <time.h>
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

int meridian_ignore_newcomers(int listener) {
    // The filter sees the TCP header; octet 13 holds the flags.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void meridian_prefer_huge_pages(void *memory, size_t size) { madvise(memory, size, MADV_HUGEPAGE); }

int meridian_sem_wait(void *semaphore, int milliseconds) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += milliseconds * 1000000L;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    return sem_clockwait(semaphore, CLOCK_MONOTONIC, &end);
}
