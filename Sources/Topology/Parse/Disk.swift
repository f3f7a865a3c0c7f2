import Glibc

/// The few questions that a topology asks the file system.
enum Disk {
    /// The octets of a file, at most one more than `limit`: enough to know that it is too long.
    static func read(_ path: String, limit: Int) -> Result<[UInt8], TopologyReader.Refusal> {
        do throws(RegularFile.Refusal) { return .success(try RegularFile.read(path, limit: limit)) } catch {
            return .failure(TopologyReader.Refusal(reason: error.description))
        }
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// `path` from the root, seen from the working folder.
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return TopologyReader.normalize(path) }
        guard let folder = unsafe getcwd(nil, 0) else { return TopologyReader.normalize(path) }
        defer { unsafe free(folder) }
        return unsafe TopologyReader.normalize(String(cString: folder) + "/" + path)
    }
}
