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
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

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

/// Waits for a sem_t for 0 ... 999 milliseconds at most, by CLOCK_MONOTONIC. Returns 0, or -1 and sets errno.
int meridian_sem_wait(void *semaphore, int milliseconds);

/// A timer that expires every second. Returns its descriptor, or -1 and sets errno.
int meridian_heartbeat(void);

/// Asks for huge pages under a large block that is read all over: a look-up that misses the caches then seldom misses the
/// table of pages too.
void meridian_prefer_huge_pages(void *memory, size_t size);

/// Has the processor fetch the cache line at `address`, which may be any address.
static inline void meridian_prefetch(const void *address) { __builtin_prefetch(address); }

// The calls of the data paths, made directly: the C library's functions are cancellation points, which in a process with
// threads costs two atomic operations a call.

static inline long meridian_epoll_wait(int poller, struct epoll_event *events, int count, int milliseconds) {
    return syscall(SYS_epoll_pwait, poller, events, count, milliseconds, NULL, 8);
}

static inline long meridian_read(int descriptor, void *room, size_t count) {
    return syscall(SYS_read, descriptor, room, count);
}

static inline long meridian_send(int descriptor, const void *octets, size_t count) {
    return syscall(SYS_sendto, descriptor, octets, count, MSG_NOSIGNAL, NULL, 0);
}

static inline long meridian_sendmsg(int descriptor, const struct msghdr *message) {
    return syscall(SYS_sendmsg, descriptor, message, MSG_NOSIGNAL);
}

/// With `waits`, a blocking socket is waited for until the first message, for as long as its SO_RCVTIMEO says.
static inline long meridian_recvmmsg(int descriptor, struct mmsghdr *messages, unsigned int count, bool waits) {
    return syscall(SYS_recvmmsg, descriptor, messages, count, waits ? MSG_WAITFORONE : MSG_DONTWAIT, NULL);
}

static inline long meridian_sendmmsg(int descriptor, struct mmsghdr *messages, unsigned int count) {
    return syscall(SYS_sendmmsg, descriptor, messages, count, MSG_DONTWAIT);
}

static inline int meridian_accept(int descriptor, struct sockaddr *address, socklen_t *length) {
    return accept4(descriptor, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Has a listening socket ignore SYNs, while handshakes that have begun go on: the client asks again a second later, and
/// meets whoever listens then. Returns 0, or -1 and sets errno.
int meridian_ignore_newcomers(int listener);

/// Pins the calling thread to one processor. Returns 0 or an errno.
static inline int meridian_pin_thread(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/// The smoothed round-trip time of a TCP connection in microseconds; 0 when there is none.
static inline uint32_t meridian_round_trip_time(int descriptor) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
    return length >= offsetof(struct tcp_info, tcpi_rtt) + sizeof info.tcpi_rtt ? info.tcpi_rtt : 0;
}

/// Octets that a TCP connection has received in all; 0 when the kernel does not tell.
static inline uint64_t meridian_received_octets(int descriptor) {
    // tcpi_bytes_received of <linux/tcp.h>, which cannot be had beside <netinet/tcp.h>.
    enum { place = 16 };
    uint64_t info[32];
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, &length) != 0) return 0;
    return length >= (place + 1) * sizeof info[0] ? info[place] : 0;
}

/// Who listens at the other end of a connected Unix socket. Returns 0 or an errno.
static inline int meridian_peer_credentials(int descriptor, pid_t *process, uid_t *user) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return errno;
    *process = credentials.pid;
    *user = credentials.uid;
    return 0;
}

static inline int meridian_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set);
}

#endif
