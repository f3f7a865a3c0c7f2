package import Engine
package import Health
package import Model
import Synchronization

/// A topology in force, as one node sees it.
package struct Configuration: Sendable {
    package let snapshot: Snapshot
    package let node: NodeID
    package let map: ServiceMap
    /// The endpoint table's slot of each endpoint, by `EndpointID.index`.
    package let slots: [Int]
    /// 1 at boot, one more with each reload.
    package let generation: Int
    package let loadedAt: Timestamp

    /// Nil when the endpoint table is full.
    package init?(_ snapshot: Snapshot, node: NodeID, table: EndpointTable, generation: Int) {
        guard let slots = table.slots(for: snapshot) else { return nil }
        self.snapshot = snapshot
        self.node = node
        self.slots = slots
        self.generation = generation
        map = ServiceMap(snapshot)
        loadedAt = .now
    }

    package var me: Node { snapshot[node] }
}

/// What the whole process agrees on: the configuration in force and what the node is about to do. Safe from any thread.
package final class NodeState: Sendable {
    package struct Phase: Sendable, Hashable {
        package var ready = false
        /// The process stood still, and what the node says of others waits to be confirmed.
        package var isDoubtful = false
        package var draining = false
        /// The override that drains this node, in words; nil when there is none.
        package var overridden: String?
        package var leaving = false
        /// It leaves for another process of this node, which serves in a moment.
        package var isRestarting = false
        /// Why an operator drains it.
        package var reason = ""

        package var state: Report.State {
            // Peers let their verdicts stand for whoever starts, as long as they hear it, and `staleAfter` longer.
            if leaving { return isRestarting ? .starting : .leaving }
            if draining || overridden != nil { return .draining }
            return ready && !isDoubtful ? .serving : .starting
        }
    }

    /// What became of the reloads since the start.
    package struct Reloads: Sendable, Hashable {
        package var taken: UInt64 = 0
        package var refused: UInt64 = 0
        package var latestWasRefused = false
    }

    package let startedAt: Timestamp
    private let held: Mutex<(configuration: Configuration, phase: Phase)>
    private let reloading = Mutex(Reloads())

    package init(_ configuration: Configuration, startedAt: Timestamp = .now) {
        self.startedAt = startedAt
        held = Mutex((configuration, Phase()))
    }

    package var configuration: Configuration { held.withLock { $0.configuration } }
    package var phase: Phase { held.withLock { $0.phase } }

    package var reloads: Reloads { reloading.withLock { $0 } }

    package func noteReload(taken: Bool) {
        reloading.withLock { reloads in
            if taken { reloads.taken += 1 } else { reloads.refused += 1 }
            reloads.latestWasRefused = !taken
        }
    }

    package func install(_ configuration: Configuration) { held.withLock { $0.configuration = configuration } }

    @discardableResult
    package func change(_ body: (inout Phase) -> Void) -> Phase {
        held.withLock { held in
            body(&held.phase)
            return held.phase
        }
    }
}
