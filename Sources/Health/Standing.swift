import Model

/// Where one verdict stands, and what it takes to move it.
struct Standing: Sendable {
    private(set) var healthy = true
    private(set) var since: Timestamp
    /// When evidence against `healthy` began.
    private var contraryFrom: Timestamp?
    /// Evidence of some kind was seen: the first decides without damping.
    private var settled = false
    /// Evidence of health was seen once: only then is a later return damped and ramped.
    private var proven = false
    /// When it last came back from a failure.
    private var returnedAt: Timestamp?

    init(since: Timestamp) { self.since = since }

    /// - Returns: whether the verdict moved.
    mutating func weigh(_ finding: Evidence.Finding, _ damping: Damping, _ now: Timestamp) -> Bool {
        let points: Bool
        switch finding {
        case .hold, .frozen:
            contraryFrom = nil
            return false
        case .healthy, .nothing: points = true
        case .down, .downAtOnce: points = false
        }
        let first = !settled && finding != .nothing
        if first { settled = true }
        let firstProof = !proven && finding == .healthy
        if firstProof { proven = true }
        guard points != healthy else {
            contraryFrom = nil
            return false
        }
        let from = contraryFrom ?? now
        contraryFrom = from
        let wait = points ? damping.rise : damping.fall
        guard first || firstProof || finding == .downAtOnce || now - from >= wait else { return false }
        contraryFrom = nil
        healthy = points
        since = now
        returnedAt = points && !firstProof ? now : nil
        return true
    }

    /// 0.1, 0.2 … 1 over `ramp`: steps, because each one has the answers compiled anew.
    func share(ramp: Duration, _ now: Timestamp) -> Double {
        guard healthy, let returnedAt, ramp > .zero else { return 1 }
        let elapsed = max(0, (now - returnedAt).nanoseconds)
        guard elapsed < ramp.nanoseconds else { return 1 }
        return Double(1 + elapsed / max(1, ramp.nanoseconds / 9)) / 10
    }

    /// Why the verdict is not what the evidence says, when it is not.
    func notes(
        _ finding: Evidence.Finding, _ damping: Damping, own: String, lost: Int, _ now: Timestamp
    ) -> [Verdict.Reason] {
        switch finding {
        case .frozen:
            return [Verdict.Reason(source: own, text: "\(lost) peers fell silent at once: the last verdict stands")]
        case .hold:
            return [Verdict.Reason(source: own, text: "waiting: the last verdict stands")]
        default:
            guard let contraryFrom else { return [] }
            let wait = (healthy ? damping.fall : damping.rise).milliseconds
            let lasted = (now - contraryFrom).milliseconds
            let what = healthy ? "down" : "healthy"
            return [Verdict.Reason(source: own, text: "\(what) for \(lasted) ms, counts after \(wait) ms")]
        }
    }
}
