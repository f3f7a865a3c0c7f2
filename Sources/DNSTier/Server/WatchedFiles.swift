/// Files that are looked at now and then.
struct WatchedFiles: Sendable {
    private var known: [String: FileStamp?] = [:]
    /// What was seen at the last look and differs from what is known.
    private var unsettled: [String: FileStamp?] = [:]

    init(_ paths: some Sequence<String>) {
        for path in paths { known[path] = .some(FileStamp(path: path)) }
    }

    /// The files that changed since they were told the last time. One that is still being written is told when two looks
    /// find it the same.
    mutating func changes() -> Set<String> {
        var changed: Set<String> = []
        for (path, old) in known {
            let now = FileStamp(path: path)
            if now == old {
                unsettled[path] = nil
            } else if let before = unsettled[path], before == now {
                unsettled[path] = nil
                known[path] = .some(now)
                changed.insert(path)
            } else {
                unsettled[path] = .some(now)
            }
        }
        return changed
    }
}
