#ifndef MERIDIAN_CLINUX_H
#define MERIDIAN_CLINUX_H

// What Swift's Glibc module leaves out because it sits behind _GNU_SOURCE or is a macro.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
// fd_set names its member by __USE_XOPEN, which _GNU_SOURCE turns on and Swift's Glibc module does not: a type must look
// alike in every module that has it.
#include <features.h>
#pragma push_macro("__USE_XOPEN")
#undef __USE_XOPEN
#include <sys/select.h>
#pragma pop_macro("__USE_XOPEN")
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

/// epoll_event is packed on x86-64 and its data is a union: one call to read each part.
static inline void *meridian_event_pointer(const struct epoll_event *event) { return event->data.ptr; }

static inline int meridian_epoll_add(int poller, int descriptor, uint32_t events, void *pointer) {
    struct epoll_event event = {.events = events, .data = {.ptr = pointer}};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int meridian_epoll_modify(int poller, int descriptor, uint32_t events, void *pointer) {
    struct epoll_event event = {.events = events, .data = {.ptr = pointer}};
    return epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event);
}

static inline int meridian_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned int count) {
    return recvmmsg(descriptor, messages, count, MSG_DONTWAIT, NULL);
}

static inline int meridian_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned int count) {
    return sendmmsg(descriptor, messages, count, MSG_DONTWAIT);
}

static inline int meridian_accept(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Pins the calling thread to one processor. Returns 0 or an errno.
static inline int meridian_pin_thread(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static inline int meridian_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set);
}

#endif
