import Glibc

/// A file that is replaced as a whole: whoever reads it, after whatever kind of crash, finds the old or the new contents.
package struct StateFile: Sendable, Hashable {
    package let path: String

    package init(path: String) { self.path = path }

    /// - Throws: `.missing`, `.unreadable`, `.tooLarge`.
    package func read(limit: Int) throws(StateProblem) -> [UInt8] {
        // A pipe would keep the boot waiting.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .missing }
            throw .unreadable(Self.reason(errno))
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(Self.reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is no regular file") }
        guard status.st_size <= limit else { throw .tooLarge(Int(status.st_size)) }
        var bytes = [UInt8](repeating: 0, count: limit < Int(status.st_size) ? limit : Int(status.st_size))
        var count = 0
        while count < bytes.count {
            let got = unsafe bytes.withUnsafeMutableBytes { room in
                unsafe Glibc.read(descriptor, room.baseAddress?.advanced(by: count), room.count - count)
            }
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw .unreadable(Self.reason(errno)) }
            if got == 0 { break }
            count += got
        }
        return Array(bytes.prefix(count))
    }

    /// Writes beside the file, syncs, and puts the new one in its place. Blocks for as long as the disk takes.
    ///
    /// - Throws: `.unwritable` with the system's reason; the old file is untouched then.
    package func replace(with bytes: [UInt8]) throws(StateProblem) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        // An operator's own folder is there already; failing to make it shows in the next line.
        _ = unsafe mkdir(folder, 0o700)
        let beside = path + ".new"
        let descriptor = unsafe open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw .unwritable(Self.reason(errno)) }
        var failure = Self.write(bytes, to: descriptor)
        // Without this a power cut can leave a new name for no contents.
        if failure == 0, fsync(descriptor) != 0 { failure = errno }
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, unsafe rename(beside, path) != 0 { failure = errno }
        if failure != 0 {
            _ = unsafe unlink(beside)
            throw .unwritable(Self.reason(failure))
        }
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    /// Puts a damaged file aside for those who want to know what happened.
    ///
    /// - Returns: where it is now; nil when it could not be moved.
    package func putAside() -> String? {
        let aside = path + ".refused"
        return unsafe rename(path, aside) == 0 ? aside : nil
    }

    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> CInt {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.write(descriptor, all.baseAddress?.advanced(by: done), all.count - done)
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return errno }
            done += count
        }
        return 0
    }

    private static func reason(_ code: CInt) -> String { unsafe String(cString: strerror(code)) }
}
