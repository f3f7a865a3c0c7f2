import ControlPlane
import DNSWire
import Health
import Model
import Steering

/// What a name's answers follow at one moment: its candidates' health, and the addresses that are not to be answered.
///
/// A candidate is dead for a type of address when all its addresses of that type are. So A and AAAA may be steered apart:
/// where the health for both and for all else is one, there is one view of it.
struct NameHealth: Hashable, Sendable {
    /// Of each candidate, without reasons: for A, for AAAA and for every other type; or one for all of them.
    let views: [[CandidateHealth]]
    /// Addresses that failed their checks.
    let dead: Set<DeadAddress>

    init(views: [[CandidateHealth]], dead: Set<DeadAddress> = []) {
        self.views = views.dropFirst().allSatisfy { $0 == views[0] } ? [views[0]] : views
        self.dead = dead
    }

    init(_ health: [CandidateHealth]) { self.init(views: [health]) }

    /// The view that answers of `type` follow; nil is any type that is no address.
    static func view(of type: RecordType?, in views: [[CandidateHealth]]) -> [CandidateHealth] {
        views[min(views.count - 1, DynamicSlots.view(of: type))]
    }
}

/// An address of one of a name's candidates.
struct DeadAddress: Hashable, Sendable {
    /// Position in `DynamicName.leaves`.
    let candidate: Int
    let data: RecordData
}

/// An address that a name's check looks at.
struct LookedAddress: Sendable {
    let candidate: Int
    let region: String
    let service: String?
    let address: SocketAddress
    let data: RecordData

    /// Nil when no record of the candidate is this address.
    init?(_ looked: DynamicName.LookedAt, records: [[DynamicRecord]], in snapshot: Snapshot) {
        guard
            let record = records[looked.leaf].first(where: { $0.address == looked.address.address })
        else { return nil }
        candidate = looked.leaf
        region = snapshot[looked.region].name
        service = looked.service.map { snapshot[$0].name }
        address = looked.address
        data = record.data
    }
}

extension DynamicRecord {
    /// Of A and AAAA records.
    fileprivate var address: IPAddress? {
        func word(_ range: Range<Int>) -> UInt64 { data.wire[range].reduce(0) { $0 << 8 | UInt64($1) } }
        if data.type == .a, data.wire.count == 4 { return IPAddress(v4: UInt32(word(0..<4))) }
        if data.type == .aaaa, data.wire.count == 16 { return IPAddress(v6: word(0..<8), word(8..<16)) }
        return nil
    }
}

/// What is known of a name's addresses and of what stands behind them, put together.
struct NameLook {
    private struct Look {
        let looked: LookedAddress
        let verdict: AddressVerdict?
        var isAlive: Bool { verdict?.isAlive ?? true }

        func isSeen(in view: Int) -> Bool { view == 2 || view == (looked.data.type == .a ? 0 : 1) }
    }

    private let states: [CandidateState]
    /// By candidate.
    private var looks: [[Look]]

    /// `states`: of each candidate, as a whole.
    init(_ name: PreparedName, _ states: [CandidateState], _ view: HealthView) {
        self.states = states
        looks = states.map { _ in [] }
        for looked in name.lookedAt {
            let verdict = view.address(
                looked.address, name: name.settings.name, service: looked.service, region: looked.region)
            looks[looked.candidate].append(Look(looked: looked, verdict: verdict))
        }
    }

    /// What an operator vouches for is answered, whatever its checks say.
    private func isVouched(_ candidate: Int) -> Bool { states[candidate].forced == .up }

    var dead: Set<DeadAddress> {
        var dead: Set<DeadAddress> = []
        for candidate in looks.indices where !isVouched(candidate) {
            for look in looks[candidate] where !look.isAlive {
                dead.insert(DeadAddress(candidate: candidate, data: look.looked.data))
            }
        }
        return dead
    }

    /// Of each candidate, for answers of one view: 0 A, 1 AAAA, 2 all else.
    func health(view: Int, isExplained: Bool) -> [CandidateHealth] {
        // With every address of a type dead there is nowhere to go: rather this node has no way there, or nobody has, than
        // that those who have only this type get nothing. Candidates are judged by what else they have.
        let isLost = !looks.joined().contains { $0.isAlive && $0.isSeen(in: view) }
        return states.indices.map { health(of: $0, view: isLost ? 2 : view, isExplained: isExplained) }
    }

    private func health(of candidate: Int, view: Int, isExplained: Bool) -> CandidateHealth {
        var state = states[candidate]
        let all = looks[candidate]
        if all.isEmpty || state.forced != nil { return CandidateHealth(state, isExplained: isExplained) }
        let ofType = all.filter { $0.isSeen(in: view) }
        // What has no address of the type is judged by those that it has.
        let telling = ofType.isEmpty ? all : ofType
        let alive = telling.filter(\.isAlive)
        let share = (alive.isEmpty ? telling : alive).map { $0.verdict?.share ?? 1 }.max() ?? 1
        let isStale = telling.contains { $0.verdict?.stale == true || $0.verdict?.frozen == true }
        let dead = all.filter { !$0.isAlive }
        if telling[0].looked.service == nil {
            // There is no other evidence than the addresses themselves.
            state.healthy = !alive.isEmpty
            state.share = share
            state.stale = isStale
            state.reasons = (dead.isEmpty ? telling : dead).flatMap { $0.verdict?.reasons ?? [] }
        } else {
            state.healthy = state.healthy && !alive.isEmpty
            state.share = min(state.share, share)
            state.stale = state.stale || isStale
            state.reasons = dead.flatMap { $0.verdict?.reasons ?? [] } + state.reasons
        }
        return CandidateHealth(state, isExplained: isExplained)
    }

    /// Each address of a candidate with whether it is alive, and why it is not.
    func addresses(of candidate: Int) -> [(address: SocketAddress, isAlive: Bool, reason: String)] {
        looks[candidate].map { look in
            let reasons = look.isAlive ? [] : look.verdict?.reasons ?? []
            return (look.looked.address, look.isAlive, reasons.map(\.sentence).joined(separator: "; "))
        }
    }
}

extension CandidateHealth {
    /// Reasons do not change answers: without them, more names share an evaluation.
    init(_ state: CandidateState, isExplained: Bool) {
        let reason =
            isExplained ? state.reasons.map { "\($0.source): \($0.text)" }.joined(separator: "; ") : ""
        self.init(
            healthy: state.healthy, share: state.share, reason: reason,
            order: state.forced.flatMap { CandidateHealth.Order(rawValue: $0.rawValue) }, upShare: state.upShare,
            load: state.load?.regionRate, capacity: state.load?.capacity,
            // An operator's word is as fresh as it ever was.
            stale: (state.stale || state.frozen) && state.forced == nil)
    }
}
