import Glibc

/// Memory whose last octet is followed by a page that must not be touched: reading or writing one octet too far ends the
/// process at once.
@safe final class GuardedBuffer {
    private let base: UnsafeMutableRawPointer
    private let mapped: Int
    private let end: UnsafeMutableRawPointer

    /// Room for `capacity` octets, rounded up to whole pages.
    init(capacity: Int) throws {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let usable = (max(capacity, 1) + page - 1) / page * page
        mapped = usable + page
        guard
            let base = unsafe mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            unsafe base != MAP_FAILED
        else { throw NoMemory() }
        unsafe self.base = base
        unsafe end = base + usable
        guard unsafe mprotect(end, page, PROT_NONE) == 0 else { throw NoMemory() }
    }

    deinit { _ = unsafe munmap(base, mapped) }

    /// The last `count` octets before the guard.
    func last(_ count: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: end - count, count: count)
    }

    /// `octets`, up against the guard.
    func place(_ octets: [UInt8]) -> UnsafeRawBufferPointer {
        let room = unsafe last(octets.count)
        unsafe room.copyBytes(from: octets)
        return UnsafeRawBufferPointer(room)
    }

    struct NoMemory: Error {}
}
