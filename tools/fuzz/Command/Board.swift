import FuzzTargets
import Glibc

/// Memory that a fuzzing process shares with its supervisor, so that what it was reading outlives it.
@safe struct Board: ~Copyable {
    static let capacity = 1 << 20
    private static let header = 16

    private let base: UnsafeMutableRawPointer

    init(path: String) throws {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BoardError(path: path, code: errno) }
        defer { _ = close(descriptor) }
        guard ftruncate(descriptor, Self.header + Self.capacity) == 0,
            let base = unsafe mmap(
                nil, Self.header + Self.capacity, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
            unsafe base != MAP_FAILED
        else { throw BoardError(path: path, code: errno) }
        unsafe self.base = base
    }

    deinit { _ = unsafe munmap(base, Self.header + Self.capacity) }

    /// How many inputs were begun.
    var runs: UInt64 { unsafe base.load(as: UInt64.self) }

    /// The input that was begun last.
    var input: [UInt8] {
        let count = unsafe min(Int(base.load(fromByteOffset: 8, as: UInt64.self)), Self.capacity)
        return unsafe Array(UnsafeRawBufferPointer(start: base + Self.header, count: count))
    }

    func clear() { unsafe base.initializeMemory(as: UInt64.self, repeating: 0, count: 2) }

    func begin(_ input: [UInt8]) {
        let count = min(input.count, Self.capacity)
        unsafe input.withUnsafeBytes { octets in
            guard let start = octets.baseAddress else { return }
            unsafe (base + Self.header).copyMemory(from: start, byteCount: count)
        }
        unsafe base.storeBytes(of: UInt64(count), toByteOffset: 8, as: UInt64.self)
        unsafe base.storeBytes(of: runs &+ 1, as: UInt64.self)
    }
}

struct BoardError: Error, CustomStringConvertible {
    let path: String
    let code: Int32

    var description: String { unsafe "\(path): \(String(cString: strerror(code)))" }
}
