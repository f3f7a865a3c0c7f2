import Model

/// Which windows of a node were taken: the latest and the 63 before it, so that a window counts once, in whatever order and
/// however often they are heard.
struct SeenWindows: Sendable {
    private var incarnation: UInt64 = 0
    private var latest: UInt64 = 0
    /// Bit n stands for the window n before the latest.
    private var taken: UInt64 = 0

    /// Whether the window is new. What an earlier life of the node said counts no more.
    mutating func take(incarnation: UInt64, number: UInt64) -> Bool {
        if incarnation < self.incarnation { return false }
        if incarnation > self.incarnation { self = SeenWindows(incarnation: incarnation) }
        if number > latest {
            taken = number - latest >= 64 ? 0 : taken << (number - latest)
            latest = number
            taken |= 1
            return true
        }
        guard latest - number < 64, taken >> (latest - number) & 1 == 0 else { return false }
        taken |= 1 << (latest - number)
        return true
    }

    init() {}

    private init(incarnation: UInt64) { self.incarnation = incarnation }
}
