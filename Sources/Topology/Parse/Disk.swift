import Glibc

/// The few questions that a topology asks the file system.
enum Disk {
    /// The octets of a file, at most one more than `limit`: enough to know that it is too long.
    static func read(_ path: String, limit: Int) -> Result<[UInt8], TopologyReader.Refusal> {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(TopologyReader.Refusal(reason: reason(errno))) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(TopologyReader.Refusal(reason: reason(errno)))
            }
            if count == 0 { break }
            bytes += block[..<count]
        }
        return .success(bytes)
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// `path` from the root, seen from the working folder.
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return TopologyReader.normalize(path) }
        guard let folder = unsafe getcwd(nil, 0) else { return TopologyReader.normalize(path) }
        defer { unsafe free(folder) }
        return unsafe TopologyReader.normalize(String(cString: folder) + "/" + path)
    }

    private static func reason(_ error: CInt) -> String {
        switch error {
        case ENOENT, ENOTDIR: "it does not exist"
        case EACCES, EPERM: "permission is missing"
        case EISDIR: "it is a folder"
        default: unsafe strerror(error).map { unsafe String(cString: $0) } ?? "error \(error)"
        }
    }
}
