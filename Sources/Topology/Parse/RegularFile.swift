import Glibc

/// Files that a topology names, read without ever waiting: a pipe, a device or a folder in a file's place is an error.
package enum RegularFile {
    /// Why a file cannot be read, in one phrase: `it does not exist`.
    package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Opens a file for reading. The descriptor is the caller's.
    package static func open(_ path: String) throws(Refusal) -> CInt {
        // A pipe without a writer would keep the caller waiting for ever; a regular file does not know of waiting.
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw Refusal(description: reason(errno)) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw Refusal(description: reason(code))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Refusal(description: kind(status.st_mode))
        }
        return descriptor
    }

    /// Whether there is a regular file that can be read.
    package static func vet(_ path: String) throws(Refusal) { close(try open(path)) }

    /// The octets of a file, at most one more than `limit`: enough to know that it is too long.
    package static func read(_ path: String, limit: Int) throws(Refusal) -> [UInt8] {
        let descriptor = try open(path)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw Refusal(description: reason(errno))
            }
            if count == 0 { break }
            bytes += block[..<min(count, limit + 1 - bytes.count)]
        }
        return bytes
    }

    private static func kind(_ mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFDIR: "it is a folder"
        case S_IFIFO: "it is a pipe, not a file"
        case S_IFSOCK: "it is a socket, not a file"
        case S_IFCHR, S_IFBLK: "it is a device, not a file"
        default: "it is no regular file"
        }
    }

    private static func reason(_ error: CInt) -> String {
        switch error {
        case ENOENT, ENOTDIR: "it does not exist"
        case EACCES, EPERM: "permission is missing"
        case EISDIR: "it is a folder"
        // What opening a socket says.
        case ENXIO: "it is a socket or a device, not a file"
        default: unsafe strerror(error).map { unsafe String(cString: $0) } ?? "error \(error)"
        }
    }
}
