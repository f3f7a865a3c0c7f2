import Federation
package import Model
import Synchronization

/// Asks every peer for its news, all the time: one long poll each, the next as soon as one is answered with news.
///
/// Whoever answers without news is asked again after half an interval. An answer proves little by itself: a peer that says
/// nothing of itself for long is in trouble, however fast it answers.
package final class PeerPolling: Sendable {
    package struct Peer: Sendable, Hashable {
        package let name: String
        package let address: SocketAddress
    }

    /// How the connection to a peer goes.
    package struct Link: Sendable, Hashable {
        package var polls: UInt64 = 0
        package var failures: UInt64 = 0
        /// Failures since the last answer.
        package var failuresInARow = 0
        /// Empty while it answers.
        package var trouble = ""
    }

    private struct State {
        var tasks: [Peer: Task<Void, Never>] = [:]
        var links: [String: Link] = [:]
    }

    private let hub: FederationHub
    private let client: HTTPClient
    private let standstills: Standstills?
    private let state = Mutex(State())

    /// `standstills`: of this process; nil when nobody watches for them.
    package init(hub: FederationHub, client: HTTPClient, standstills: Standstills? = nil) {
        self.hub = hub
        self.client = client
        self.standstills = standstills
    }

    package var links: [String: Link] { state.withLock { $0.links } }

    /// Polls exactly the peers that `snapshot` gives to `node`. Nobody is polled without keys.
    package func update(_ snapshot: Snapshot, node: NodeID) {
        var peers: Set<Peer> = []
        if hub.settings.keyring != nil, snapshot[node].federation != nil {
            for (index, each) in snapshot.nodes.enumerated() where index != node.index {
                if let address = each.federation { peers.insert(Peer(name: each.name, address: address)) }
            }
        }
        state.withLock { state in
            for (peer, task) in state.tasks where !peers.contains(peer) {
                task.cancel()
                state.tasks[peer] = nil
                state.links[peer.name] = nil
            }
            for peer in peers where state.tasks[peer] == nil {
                state.links[peer.name] = Link()
                state.tasks[peer] = Task { await self.follow(peer) }
            }
        }
    }

    package func stop() async {
        let tasks = state.withLock { state in
            defer { state.tasks = [:] }
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private func follow(_ peer: Peer) async {
        var cursor: UInt64 = 0
        var pace = PollPace(now: .now)
        while !Task.isCancelled {
            let count = standstills?.count
            let start = ContinuousClock.now
            do {
                let batch = try await poll(peer, since: cursor)
                // It may have waited here for as long as we did not run, and its ages do not know: asked again, the peer says
                // how old everything is.
                if standstills?.count != count {
                    pace = PollPace(now: .now)
                    continue
                }
                let settings = hub.settings
                let rest = pace.rest(
                    after: hub.receive(batch, from: peer.name), asked: start, now: .now,
                    interval: settings.plan.interval, peers: settings.tiers.count)
                guard !pace.isSilent(now: .now, interval: settings.plan.interval) else {
                    throw PollFailure("it answers, but with no current report of its own")
                }
                cursor = batch.cursor
                note(peer, trouble: nil)
                if rest > .zero { try? await Task.sleep(for: rest) }
            } catch {
                if Task.isCancelled { return }
                if standstills?.count != count {
                    pace = PollPace(now: .now)
                    cursor = 0
                    continue
                }
                let failures = note(peer, trouble: "\(error)")
                // Whoever was away may be another process with cursors of its own; asking for everything costs little.
                cursor = 0
                try? await Task.sleep(for: backoff(failures))
            }
        }
    }

    private func poll(_ peer: Peer, since: UInt64) async throws -> ReportBatch {
        let settings = hub.settings
        guard let keyring = settings.keyring else { throw PollFailure("no federation key") }
        // A living peer answers with its sign of life after an interval and a half; one that was cut off without a word
        // keeps the connection open for ever. Neither is waited for much longer.
        let wait = min(max(settings.plan.interval * 3, .seconds(1)), FederationServer.longestWait)
        let target = "\(FederationServer.path)?since=\(since)&wait=\(wait.milliseconds)"
        let header = keyring.authorization(node: hub.name, target: target, now: hub.timeOfDay.now)
        let response = try await client.request(
            HTTPClientRequest(
                url: "http://\(peer.address)\(target)", headers: [(FederationServer.authorization, header)],
                timeout: wait + .seconds(2), connectTimeout: .seconds(1), maximumBodySize: settings.largestBatch))
        guard response.status == 200 else { throw PollFailure(refusedWith: response.status, hub.name) }
        do { return try ReportCodec.decodeBatch(response.body, most: settings.tiers.count) } catch {
            throw PollFailure("not a list of reports")
        }
    }

    @discardableResult
    private func note(_ peer: Peer, trouble: String?) -> Int {
        state.withLock { state in
            var link = state.links[peer.name] ?? Link()
            link.polls += 1
            link.trouble = trouble?.printable ?? ""
            link.failuresInARow = trouble == nil ? 0 : link.failuresInARow + 1
            if trouble != nil { link.failures += 1 }
            // A peer that left the topology meanwhile keeps no link.
            if state.links[peer.name] != nil { state.links[peer.name] = link }
            return link.failuresInARow
        }
    }

    /// 50 ms, doubled with each failure, up to one report interval (so that a returning peer is heard as soon as it would
    /// have spoken), less up to a half by chance, so that a fleet does not come back in step.
    private func backoff(_ failures: Int) -> Duration {
        let longest = max(hub.settings.plan.interval, .milliseconds(100))
        let delay = min(.milliseconds(50 << min(failures, 12)), longest)
        return delay * Double.random(in: 0.5...1)
    }
}

extension FederationHub.Settings {
    /// Octets of an answer with a report of every node, each at its largest.
    fileprivate var largestBatch: Int {
        // A report is JSON in a JSON text, where each quotation mark takes two octets; beside it stand its signature and age.
        min(tiers.count * (2 * limits.size + 1024) + 1024, 16 << 20)
    }
}

private struct PollFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// What an answer other than 200 means. Its body is not looked at: whoever sent it proved nothing.
    init(refusedWith status: Int, _ name: String) {
        switch status {
        case 401: description = "401: it does not take our key, or the clocks are too far apart"
        case 403: description = "403: its topology has no node \(name)"
        default: description = "HTTP \(status)"
        }
    }
}
