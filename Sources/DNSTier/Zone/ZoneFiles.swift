import DNSWire
import Glibc
import Topology

/// What tells that a file has not been written since: its identity, size and time.
struct FileStamp: Sendable, Hashable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    /// Nanoseconds since 1970.
    let modified: Int64

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        // Whoever wrote the file set its time, to the year 2400 if they liked.
        modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
    }

    /// Nil when there is no such file.
    init?(path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Reads a whole file; nil when it cannot be read.
    static func read(_ path: String) -> (octets: [UInt8], stamp: FileStamp)? {
        guard let descriptor = try? RegularFile.open(path) else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        let stamp = FileStamp(status)
        var isWhole = true
        let octets = unsafe [UInt8](unsafeUninitializedCapacity: Int(stamp.size)) { buffer, count in
            while count < buffer.count {
                let result = unsafe Glibc.read(
                    descriptor, buffer.baseAddress.map { unsafe $0 + count }, buffer.count - count)
                if result < 0, errno == EINTR { continue }
                guard result > 0 else {
                    isWhole = result == 0
                    break
                }
                count += result
            }
        }
        return isWhole ? (octets, stamp) : nil
    }

    /// Why `read` said no, after a colon.
    static func trouble(_ path: String) -> String {
        do throws(RegularFile.Refusal) { try RegularFile.vet(path) } catch { return ": \(error)" }
        return ""
    }

    /// The files of a folder whose names end with `suffix`, in order; nil when the folder cannot be read.
    static func files(in folder: String, suffix: String) -> [String]? {
        guard let directory = unsafe opendir(folder) else { return nil }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasSuffix(suffix), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
