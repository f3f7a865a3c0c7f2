package import ControlPlane
package import DNSWire
import Health
import Model
package import Steering

/// The dynamic names under the health of one moment: what decided, and the answers that follow.
package struct HealthState: Sendable {
    package private(set) var answers: DynamicAnswers
    private let sources: HealthSources
    private(set) var capacity: CapacityControl
    private var view: HealthView
    /// By source, as it was compiled, without reasons.
    private var health: [CandidateHealth] = []
    /// Of names that differ, by what an operator said of them or by the addresses that they answer with.
    private var singles: [Int: NameHealth] = [:]
    /// Names that are checked, and of those the ones that do not belong to services altogether.
    private let checked: [Int]
    private let own: [Int]
    package private(set) var dynamics: DynamicTable

    /// `now`: on a clock that never goes back.
    /// `old`: the state that this one replaces, for what it learned of demand; nil at boot.
    package init(_ names: [PreparedName], board: HealthBoard, now: Duration = .zero, replacing old: HealthState? = nil)
    {
        sources = HealthSources(names)
        checked = names.indices.filter { !names[$0].lookedAt.isEmpty }
        own = checked.filter { names[$0].lookedAt.contains { $0.service == nil } }
        answers = DynamicAnswers(
            names, sources: sources.ofNames, ledger: old?.answers.ledger ?? AnswerLedger())
        capacity = CapacityControl(answers, sources: sources.all, adopting: old?.capacity)
        view = board.view
        dynamics = DynamicAnswers.compile([], health: []).table
        compile(now)
    }

    /// Takes what moved since, and compiles the names that it concerns.
    package mutating func update(_ board: HealthBoard, now: Duration = .zero) {
        view = board.view
        compile(now)
    }

    /// Lets the filling of candidates follow time and the newest loads of `board`, and compiles the names that this moves.
    /// Health stays as the latest update had it, and so does the load that `shed` goes by: a difference that is too small
    /// for an update is no reason to compile.
    ///
    /// - Returns: whether there are new answers.
    package mutating func refill(_ board: HealthBoard, now: Duration) -> Bool {
        guard capacity.isNeeded else { return false }
        let newest = board.view
        guard capacity.step({ newest.candidate(sources.all[$0]) }, now: now) else { return false }
        install()
        return answers.recompiled > 0
    }

    /// Names whose answers the latest update made anew.
    package var recompiled: Int { answers.recompiled }

    /// For each name, whether some class of clients is answered with candidates that are all unhealthy.
    package var failOpen: [Bool] { answers.failOpen }

    /// Of one name: whether its answers are those of `failOpen`, whether they say that the health behind them is stale,
    /// and the part of them that tries candidates of which little is known: 0 ... 1.
    func facts(of name: Int) -> (failOpen: Bool, isStale: Bool, explored: Double) {
        let situation = answers.situation(of: name)
        return (situation?.failOpen ?? false, situation?.isStale ?? false, situation?.explored ?? 0)
    }

    /// Of each of a name's candidates, with the reasons, as answers of `type` follow it.
    package func health(of name: Int, type: RecordType? = nil) -> [CandidateHealth] {
        look(at: name).health(view: DynamicSlots.view(of: type), isExplained: true)
    }

    /// What is known of a name's addresses.
    func look(at name: Int) -> NameLook {
        let prepared = answers.names[name]
        return NameLook(prepared, states(of: prepared), view)
    }

    private func states(of name: PreparedName) -> [CandidateState] {
        name.candidates.map {
            view.candidate(name: name.settings.name, service: $0.service, region: $0.region)
        }
    }

    private mutating func compile(_ now: Duration) {
        let states = sources.all.map { view.candidate($0) }
        capacity.step({ states[$0] }, now: now)
        health = states.map { CandidateHealth($0, isExplained: false) }
        singles = [:]
        // Names of services have nothing of their own to tell as long as nothing is known against their addresses.
        let telling = view.overrides.hasNames ? Array(answers.names.indices) : view.hasQuietServices ? own : checked
        for index in telling {
            let name = answers.names[index]
            let look = NameLook(
                name, view.overrides.hasNames ? self.states(of: name) : sources.ofNames[index].map { states[$0] }, view)
            let views = (0..<3).map { look.health(view: $0, isExplained: false) }
            let dead = look.dead
            let known = sources.ofNames[index].map { health[$0] }
            if dead.isEmpty, views.allSatisfy({ $0 == known }) { continue }
            singles[index] = NameHealth(views: views.map { $0.map(name.plan.relevant) }, dead: dead)
        }
        install()
    }

    private mutating func install() {
        let cohorts = (0..<answers.cohortCount).map { answers.cohort($0) }
        let spills = cohorts.indices.map { capacity.spill(cohort: $0) }
        answers.update(
            health: { index in cohorts[index].sources.map { cohorts[index].plan.relevant(health[$0]) } },
            spill: { spills[$0] }, singles: singles)
        dynamics = answers.table
    }
}

extension HealthView {
    fileprivate func candidate(_ source: HealthSources.Source) -> CandidateState {
        candidate(name: source.name, service: source.service, region: source.region)
    }
}

/// What the health of names' candidates follows, each once: services in regions, and the names themselves where no service
/// stands behind them.
struct HealthSources: Sendable {
    struct Source: Hashable, Sendable {
        /// Empty where a service decides.
        let name: String
        let service: String?
        let region: String
    }

    let all: [Source]
    /// For each name, the source of each of its candidates.
    let ofNames: [[Int]]

    init(_ names: [PreparedName]) {
        var all: [Source] = []
        var known: [Source: Int] = [:]
        ofNames = names.map { name in
            name.candidates.map { candidate in
                let source = Source(
                    name: candidate.service == nil ? name.settings.name : "", service: candidate.service,
                    region: candidate.region)
                if let index = known[source] { return index }
                known[source] = all.count
                all.append(source)
                return all.count - 1
            }
        }
        self.all = all
    }
}
