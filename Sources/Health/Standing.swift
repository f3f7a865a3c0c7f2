package import Model

/// Where one verdict stands, and what it takes to move it.
struct Standing: Sendable {
    /// Why what was known may not be so any more.
    enum Doubt: Sendable, Hashable {
        case restart
        case standstill(Duration)

        var words: String {
            switch self {
            case .restart: "last known before the restart, not confirmed yet"
            case .standstill(let length):
                "last known before this node stood still for \(length.milliseconds / 1000) s, not confirmed yet"
            }
        }
    }

    /// What evidence says, damped.
    private var judged: Bool
    private var judgedSince: Timestamp
    /// The operator's word, which counts instead while it is there.
    private var forced: Override?
    private var forcedSince: Timestamp?
    /// What came between it and now, when nothing has confirmed or refuted it since.
    private(set) var doubt: Doubt?
    var isStale: Bool { doubt != nil }
    /// When evidence against `judged` began.
    private var contraryFrom: Timestamp?
    /// Evidence of some kind was seen: the first decides without damping.
    private var settled = false
    /// Evidence of health was seen once: only then is a later return damped and ramped.
    private var proven = false
    /// When it last came back from a failure, or from an operator's hands.
    private var returnedAt: Timestamp?
    private var holdDown = HoldDown()

    init(since: Timestamp) {
        judged = true
        judgedSince = since
    }

    /// As it was before a restart.
    init(_ remembered: RememberedVerdict) {
        judged = remembered.healthy
        judgedSince = remembered.since
        doubt = .restart
        // It was known to work, or to have failed: its return is a return.
        proven = true
        holdDown = HoldDown(until: remembered.heldUntil)
    }

    /// What answers go by.
    var healthy: Bool { forced.map { $0.action == .up } ?? judged }
    /// What evidence says, whatever an operator does.
    var isAlive: Bool { judged }
    /// Whether evidence of some kind was seen, since this process began.
    var isSettled: Bool { settled }
    var since: Timestamp { forcedSince ?? judgedSince }
    var action: Override.Action? { forced?.action }

    /// What a later process should know: evidence, without the operator's word, which it has from elsewhere.
    func remembered(_ site: VerdictSite) -> RememberedVerdict {
        RememberedVerdict(site: site, healthy: judged, since: judgedSince, heldUntil: holdDown.until)
    }

    /// Takes the evidence of a moment.
    mutating func weigh(_ finding: Evidence.Finding, _ damping: Damping, _ now: Timestamp) {
        let points: Bool
        switch finding {
        case .hold, .frozen:
            contraryFrom = nil
            return
        case .nothing where isStale: return
        case .waiting:
            // Its own time begins to run now, so that it returns with what it depends on, not after it.
            contraryFrom = judged ? nil : contraryFrom ?? now
            return
        case .healthy, .nothing: points = true
        case .down, .downAtOnce: points = false
        }
        let first = !settled && finding != .nothing
        if first { settled = true }
        let firstProof = !proven && finding == .healthy
        if firstProof { proven = true }
        guard points != judged else {
            contraryFrom = nil
            doubt = nil
            return
        }
        let from = contraryFrom ?? now
        contraryFrom = from
        let wait = points ? damping.rise : damping.fall
        guard first || firstProof || finding == .downAtOnce || now - from >= wait else { return }
        doubt = nil
        if points, holdDown.holds(at: now) { return }
        contraryFrom = nil
        judged = points
        judgedSince = now
        returnedAt = points && !firstProof ? now : nil
        // Who says goodbye did not fail.
        if points {
            holdDown.returned(now: now)
        } else if finding == .down {
            holdDown.failed(damping.holdDown, now: now)
        }
    }

    /// Nobody looked for a while. Evidence that had begun to speak against it begins anew: the time between was not looked at.
    mutating func doubt(_ why: Doubt) {
        doubt = why
        contraryFrom = nil
    }

    /// Sets or lifts the operator's word.
    mutating func force(_ override: Override?, _ now: Timestamp) {
        guard override != forced else { return }
        let before = healthy
        forced = override
        if healthy != before {
            forcedSince = override == nil ? nil : now
            if healthy, override == nil { returnedAt = now }
        } else if override == nil {
            forcedSince = nil
        }
    }

    /// 0.1, 0.2 … 1 over `ramp`: steps, because each one has the answers compiled anew.
    func share(ramp: Duration, _ now: Timestamp) -> Double {
        guard forced == nil, judged, let returnedAt, ramp > .zero else { return 1 }
        let elapsed = max(0, (now - returnedAt).nanoseconds)
        guard elapsed < ramp.nanoseconds else { return 1 }
        return Double(1 + elapsed / max(1, ramp.nanoseconds / 9)) / 10
    }

    /// Whether there is nothing to remember of it but that it is healthy, and was for `long`.
    func isPlain(for long: Duration, _ now: Timestamp) -> Bool {
        judged && forced == nil && !isStale && contraryFrom == nil && now - judgedSince > long
    }

    /// Nil unless flapping, and nothing else, keeps it down.
    func heldUntil(_ now: Timestamp) -> Timestamp? { !judged && holdDown.holds(at: now) ? holdDown.until : nil }

    /// Why the verdict is not what the evidence says, when it is not.
    func notes(
        _ finding: Evidence.Finding, _ damping: Damping, own: String, hearing: Hearing, _ now: Timestamp
    ) -> [Verdict.Reason] {
        var notes = forced.map { [$0.verdictReason] } ?? []
        func note(_ text: String) { notes.append(Verdict.Reason(source: own, text: text)) }
        if let doubt { note(doubt.words) }
        switch finding {
        case .frozen: note("\(hearing.words): the last verdict stands")
        case .hold: note("waiting: the last verdict stands")
        default:
            guard let contraryFrom else { break }
            if let until = heldUntil(now) {
                note("failed \(holdDown.count) times: held down until \(until.dateText)")
                break
            }
            let wait = (judged ? damping.fall : damping.rise).milliseconds
            let lasted = (now - contraryFrom).milliseconds
            note("\(judged ? "down" : "healthy") for \(lasted) ms, counts after \(wait) ms")
        }
        return notes
    }
}

/// What is judged, in one region: a service, or an address that DNS names answer with. By names, which outlive a reload.
package struct VerdictSite: Sendable, Hashable {
    package enum Subject: Sendable, Hashable {
        case service(String)
        case address(SocketAddress, of: Owner)
    }

    /// Who answers with an address: all names of a service, or one name that belongs to none.
    package enum Owner: Sendable, Hashable {
        case service(String)
        case name(String)
    }

    package let subject: Subject
    package let region: String

    package init(_ subject: Subject, in region: String) {
        self.subject = subject
        self.region = region
    }
}

/// What is kept of a verdict over a restart.
package struct RememberedVerdict: Sendable, Hashable {
    package var site: VerdictSite
    package var healthy: Bool
    package var since: Timestamp
    package var heldUntil: Timestamp?

    package init(site: VerdictSite, healthy: Bool, since: Timestamp, heldUntil: Timestamp? = nil) {
        self.site = site
        self.healthy = healthy
        self.since = since
        self.heldUntil = heldUntil
    }
}
