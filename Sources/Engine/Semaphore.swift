import CLinux
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

    /// Waits at most `milliseconds`, 0 ..< 1,000, by a clock that nobody sets: by the wall clock a wait would last for hours
    /// when that is set back.
    func wait(milliseconds: Int) {
        // Interrupted by a signal it returns early, which does no harm to who looks again anyway.
        _ = unsafe meridian_sem_wait(handle, CInt(milliseconds))
    }
}
