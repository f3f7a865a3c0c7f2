import Glibc

/// A POSIX semaphore, for the moments when a thread waits for another to start.
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
}
