import Glibc

/// Empties rings into one file, pipe or terminal. A line is written whole before another begins, however little is taken at
/// once; one that cannot be finished is ended, so that the next has a line of its own.
@safe
struct LineWriter {
    enum Outcome {
        case wrote(Int)
        case failed(CInt)
        /// Nothing was written, because it goes to another file from now on.
        case reopened
    }

    private let rings: [LogRing]
    /// The ring whose line was taken in part: it goes on before any other.
    private var unfinished: Int?
    /// The file ends with part of a line that nobody will finish.
    private var isTorn = false
    /// The latest write found no room in a pipe.
    private(set) var isBlocked = false

    init(_ rings: [LogRing]) { self.rings = rings }

    /// Writes what there is, as far as `write` takes it, and says whether anything became of it.
    ///
    /// `isLast`: no time is left to wait for a reader that is slow.
    mutating func drain(isLast: Bool, _ write: (UnsafeBufferPointer<iovec>) -> Outcome) -> Bool {
        var wrote = false
        if let unfinished {
            while unsafe drain(unfinished, isLast, write) { wrote = true }
        }
        for index in rings.indices {
            if unfinished != nil { break }
            while unsafe drain(index, isLast, write) { wrote = true }
        }
        return wrote
    }

    /// One write. False when the ring is empty or its reader is slow.
    private mutating func drain(
        _ index: Int, _ isLast: Bool, _ write: (UnsafeBufferPointer<iovec>) -> Outcome
    ) -> Bool {
        let ring = rings[index]
        let (first, second) = unsafe ring.pending
        isBlocked = false
        if unsafe first.isEmpty { return false }
        var lineEnd = UInt8(ascii: "\n")
        let ending = isTorn ? 1 : 0
        let outcome = unsafe withUnsafeMutablePointer(to: &lineEnd) { lineEnd in
            let parts = unsafe [
                iovec(iov_base: lineEnd, iov_len: ending),
                iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
                iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count),
            ]
            return unsafe parts.withUnsafeBufferPointer { unsafe write($0) }
        }
        switch outcome {
        case .wrote(let count):
            if count > 0 { isTorn = false }
            let taken = count - ending
            guard taken > 0 else { return count > 0 }
            let last = unsafe taken <= first.count ? first[taken - 1] : second[taken - first.count - 1]
            unfinished = last == lineEnd ? nil : index
            ring.discard(taken)
        case .failed(EINTR): break
        // A pipe is full: its reader gets time, for as long as the ring has room.
        case .failed(EAGAIN) where !isLast:
            isBlocked = true
            return false
        // A full disk or a closed pipe must not stop the traffic: the lines are lost and counted.
        case .failed:
            ring.countLost(unsafe Self.lines(first) + Self.lines(second))
            ring.discard(first.count + second.count)
            if unfinished != nil { isTorn = true }
            unfinished = nil
        case .reopened:
            isTorn = false
            guard unfinished != nil else { break }
            // The rest of a line whose beginning is in the other file.
            unfinished = nil
            ring.countLost(1)
            if let end = unsafe first.firstIndex(of: lineEnd) {
                ring.discard(end + 1)
            } else if let end = unsafe second.firstIndex(of: lineEnd) {
                ring.discard(first.count + end + 1)
            }
        }
        return true
    }

    private static func lines(_ octets: UnsafeRawBufferPointer) -> Int {
        unsafe octets.count { $0 == UInt8(ascii: "\n") }
    }
}
