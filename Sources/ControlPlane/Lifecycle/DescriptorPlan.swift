import Engine
import Model
import Topology

/// What one node needs descriptors for besides users' traffic, and what its topology promises to users.
struct DescriptorPlan {
    let shares: DescriptorShares

    /// Logs, the state file, zone files while they are read, wake-ups: what every node opens now and then. Libdispatch does
    /// too (`/proc/TID/stat`, when its queues are full), and ends the process when it cannot.
    private static let sundries = 48
    /// Of the control plane's servers, at most.
    private static let controlConnections = 1024

    /// `limit`: the most descriptors that the process may have. `topology`: the file, for messages.
    ///
    /// - Throws: when the node cannot work within the limit, or the topology asks for more connections than fit in it.
    init(_ snapshot: Snapshot, node: NodeID, limit: Int, topology: String) throws(InvalidTopology) {
        let me = snapshot[node]
        let workers = me.workers ?? WorkerGroup.processors
        let control = min(Self.controlConnections, max(16, limit / 32))
        let servers = (me.admin == nil ? 0 : 1) + (me.federation == nil ? 0 : 1)
        // A probe holds one, and another while it logs in anew.
        let probes = 2 * (EndpointProbing.scope(snapshot, node: node).count + CandidateProbing.count(snapshot, node))
        let peers = snapshot.nodes.count { $0.federation != nil }
        let reserve = Self.sundries + servers * control + probes + peers
        shares = DescriptorShares(limit: limit, reserve: reserve, control: control)

        // A worker has an epoll, a timer, a mailbox and its end, and two for each listener.
        let listeners = me.tier == .dns ? 4 : snapshot.http.listeners.count + snapshot.tcp.listeners.count
        let own = 16 + workers * (4 + 2 * listeners)
        let least = reserve + own + 64
        guard limit >= least else {
            throw InvalidTopology(diagnostics: [
                Diagnostic(
                    file: topology, message: "node \(me.name): \(limit) open files are too few, it needs \(least)",
                    hint: Self.cure)
            ])
        }
        let promises = Self.promises(snapshot, me, workers: workers)
        let room = shares.clients - own
        let wanted = promises.reduce(0) { $0 + $1.descriptors }
        guard wanted <= room else {
            let list = promises.map { "\($0.key): \($0.asked)" }.joined(separator: ", ")
            throw InvalidTopology(diagnostics: [
                Diagnostic(
                    file: topology,
                    message: "node \(me.name): \(list) need \(wanted) descriptors, and of the limit of \(limit) open"
                        + " files \(room) are left for them",
                    hint: Self.cure + ", or lower `connections`")
            ])
        }
    }

    private static let cure = "raise the limit on open files (LimitNOFILE=, ulimit -n)"

    private struct Promise {
        let key: String
        let asked: String
        let descriptors: Int
    }

    /// The numbers that somebody wrote down. Those that nobody did are as large as they can be.
    private static func promises(_ snapshot: Snapshot, _ me: Node, workers: Int) -> [Promise] {
        switch me.tier {
        case .dns:
            guard let asked = snapshot.dns.conduct.tcp.askedConnections else { return [] }
            return [Promise(key: "dns.tcp.connections", asked: "\(asked)", descriptors: asked)]
        case .l7:
            return snapshot.http.listeners.compactMap { listener in
                guard let asked = listener.limits.askedConnections else { return nil }
                return Promise(
                    key: "http.listeners.\(listener.name).limits.connections",
                    asked: "\(asked) for each of \(workers)"
                        + " workers", descriptors: asked * workers)
            }
        case .l4:
            return snapshot.tcp.listeners.compactMap { listener in
                guard let asked = listener.askedConnections else { return nil }
                return Promise(
                    key: "tcp.listeners.\(listener.name).connections",
                    asked: "\(asked) for each of \(workers) workers,"
                        + " with one to a server for each", descriptors: 2 * asked * workers)
            }
        }
    }
}
