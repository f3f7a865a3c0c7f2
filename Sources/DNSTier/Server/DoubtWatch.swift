/// Whether a worker that has just stood still has to wait until its table knows of that.
///
/// A table that is published meanwhile tells nothing: it may have been made from what was known before, or have waited for
/// the worker already. So the table's count of standstills is what is looked at; it moves for nothing else.
struct DoubtWatch {
    /// What was seen when the worker last had nothing to wait for.
    private var standstills: UInt64 = 0
    private var doubts: UInt64 = 0

    /// - Parameters:
    ///   - standstills: of the worker, by its own clock.
    ///   - doubts: standstills of the process that the table in force knows of.
    /// - Returns: True until the table has caught up with the worker.
    mutating func isWaiting(standstills: UInt64, doubts: UInt64) -> Bool {
        if standstills != self.standstills, doubts == self.doubts { return true }
        (self.standstills, self.doubts) = (standstills, doubts)
        return false
    }

    /// The worker alone stood still, or the control plane takes too long.
    mutating func giveUp(standstills: UInt64) { self.standstills = standstills }
}
