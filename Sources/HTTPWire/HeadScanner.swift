/// Finds the end of a head that arrives in pieces, looking at each byte once.
///
/// A head that is there in one piece, nearly every one, is parsed at once and never meets this.
package struct HeadScanner: Sendable, Hashable {
    private var position = 0

    package init() {}

    /// Whether `bytes`, which grew since the last call but did not change, hold an empty line: time to parse.
    package mutating func hasEnd(_ bytes: RawSpan) -> Bool {
        let count = bytes.byteCount
        while position < count {
            guard bytes.octet(position) == Octet.lineFeed else {
                position &+= 1
                continue
            }
            guard position &+ 1 < count else { return false }
            let next = bytes.octet(position &+ 1)
            if next == Octet.lineFeed { return true }
            if next == Octet.carriageReturn {
                guard position &+ 2 < count else { return false }
                if bytes.octet(position &+ 2) == Octet.lineFeed { return true }
            }
            position &+= 1
        }
        return false
    }
}
