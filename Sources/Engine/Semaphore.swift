import Glibc

/// A POSIX semaphore, for the moments when a thread waits for another to start or to end.
@safe
final class Semaphore: Sendable {
    // sem_post and sem_wait may be called from any thread.
    private nonisolated(unsafe) let handle: UnsafeMutablePointer<sem_t>

    init() {
        unsafe handle = .allocate(capacity: 1)
        unsafe sem_init(handle, 0, 0)
    }

    deinit {
        unsafe sem_destroy(handle)
        unsafe handle.deallocate()
    }

    func signal() { unsafe sem_post(handle) }

    func wait() { while unsafe sem_wait(handle) != 0 {} }

    /// Waits at most `milliseconds`, 0 ..< 1,000.
    func wait(milliseconds: Int) {
        var end = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &end)
        end.tv_nsec += milliseconds * 1_000_000
        if end.tv_nsec >= 1_000_000_000 {
            end.tv_nsec -= 1_000_000_000
            end.tv_sec += 1
        }
        // Interrupted by a signal it returns early, which does no harm to who looks again anyway.
        unsafe sem_timedwait(handle, &end)
    }
}
