import Engine
import Health
import Model
import Synchronization
import Testing

@testable import ControlPlane

/// What a node knows of promotions, as its topology changes and it is started anew. Databases are puppets.
@Suite("Timelines that are remembered")
struct TimelineStoryTests {
    /// A primary.
    private final class Database: Sendable {
        let puppet: DatabasePuppet

        init(_ timeline: UInt32, system: String = "7000000000000000001") throws {
            puppet = try DatabasePuppet { peer in
                guard peer.startup() != nil else { return }
                peer.letIn()
                let file = String(timeline, radix: 16)
                let name = String(repeating: "0", count: 8 - file.count) + file + "0000000000000005"
                peer.answer([
                    ["f", "0/5000060", name, nil, nil, "1795507796.8", nil], ["\(timeline)", system], nil,
                ])
            }
        }

        var address: SocketAddress { puppet.address }
        func stop() { puppet.stop() }
    }

    /// One process of a node.
    private final class Process: Sendable {
        let table = EndpointTable()
        let changes = Changes()
        let probing: EndpointProbing
        private let slots = Mutex<[SocketAddress: Int]>([:])

        init(_ servers: [Database], pool: String = "orders", knowing timelines: [ClusterTimeline] = []) throws {
            let changes = changes
            probing = EndpointProbing(
                table: table, client: HTTPClient(), waiter: try SocketWaiter(), secret: { _ in "p" }
            ) { changes.add($0) }
            probing.merge(timelines)
            try load(servers, pool: pool)
        }

        func load(_ servers: [Database], pool: String = "orders") throws {
            let addresses = servers.map(\.address)
            let snapshot = Snapshot.databases(addresses, check: databaseCheck(), name: pool)
            let slots = try #require(table.slots(for: snapshot))
            self.slots.withLock { $0 = Dictionary(uniqueKeysWithValues: zip(addresses, slots)) }
            probing.update(snapshot, node: NodeID(0), slots: slots)
        }

        func standing(_ server: Database) -> ReplicationGroup.Standing {
            slots.withLock { $0[server.address] }.flatMap { probing.database($0)?.standing } ?? .none
        }

        func isWrittenTo(_ server: Database) -> Bool {
            slots.withLock { $0[server.address] }.map { table.state($0).contains(.primary) } ?? false
        }

        /// Whether `condition` comes true and `leftover` is written to at no moment until then.
        func eventually(sparing leftover: Database? = nil, _ condition: () -> Bool) async -> Bool {
            let end = ContinuousClock.now + .seconds(20)
            while ContinuousClock.now < end {
                if let leftover, isWrittenTo(leftover) { return false }
                if condition() { return true }
                try? await Task.sleep(for: .milliseconds(5))
            }
            return false
        }

        func isFenced(_ server: Database) -> Bool { standing(server) == .fenced(.pastTimeline(1, than: 2)) }
    }

    @Test("A leftover stays fenced off when a reload takes its successor away, by the same or another name of the pool")
    func reload() async throws {
        let (old, new) = (try Database(1), try Database(2))
        defer { old.stop() }
        let process = try Process([old, new])
        #expect(await process.eventually { process.standing(new) == .writer && process.standing(old) != .none })
        new.stop()
        try process.load([old])
        #expect(await process.eventually(sparing: old) { process.isFenced(old) })
        try process.load([old], pool: "sales")
        #expect(await process.eventually(sparing: old) { process.isFenced(old) })
        try process.load([old])
        #expect(await process.eventually(sparing: old) { process.isFenced(old) })
        await process.probing.stop()
    }

    @Test("A process that is started while the successor is down goes by what the one before had saved")
    func restart() async throws {
        let (old, new) = (try Database(1), try Database(2))
        defer { old.stop() }
        let first = try Process([old, new])
        #expect(await first.eventually { first.standing(new) == .writer && first.standing(old) != .none })
        new.stop()
        await first.probing.stop()
        let state = SavedState(
            node: "n", savedAt: .now, verdicts: [], overrides: [], reports: [],
            timelines: first.probing.timelines.sorted)
        let saved = try StateCodec.decode(try StateCodec.encode(state), node: "n").timelines
        #expect(saved.map(\.timeline) == [2])

        let second = try Process([old], knowing: saved)
        #expect(await second.eventually(sparing: old) { second.isFenced(old) })
        let change = second.changes.list.last
        #expect(change?.isFenced == true)
        #expect(change?.trouble?.hasSuffix("meridianctl accept-timeline NODE --pool orders --timeline 1") == true)
        await second.probing.stop()

        // Without a file, a peer's word fences off what is written to already.
        let third = try Process([old])
        #expect(await third.eventually { third.isWrittenTo(old) })
        #expect(third.probing.merge(saved).count == 1)
        #expect(third.isFenced(old) && !third.isWrittenTo(old))
        #expect(third.changes.list.last?.isFenced == true)
        await third.probing.stop()
    }

    @Test("A database that was made anew with initdb is written to at once") func anew() async throws {
        let (old, new) = (try Database(5), try Database(1, system: "7000000000000000002"))
        defer { new.stop() }
        let process = try Process([old])
        #expect(await process.eventually { process.standing(old) == .writer })
        old.stop()
        try process.load([new])
        #expect(await process.eventually { process.standing(new) == .writer })
        await process.probing.stop()
    }

    @Test(
        "An operator accepts a lower timeline once nothing that is up has a later one; old knowledge does not undo it")
    func accepting() async throws {
        let (old, new) = (try Database(1), try Database(2))
        defer { old.stop() }
        let process = try Process([old, new])
        let probing = process.probing
        #expect(await process.eventually { process.standing(new) == .writer && process.standing(old) != .none })
        let peers = probing.timelines.sorted
        let now = Timestamp(milliseconds: 1_700_000_000_000)
        #expect(probing.acceptTimeline(1, pool: "sales", now: now) == .noDatabases(pools: ["orders"]))
        #expect(probing.acceptTimeline(3, pool: "orders", now: now) == .noSuchPrimary(fenced: [1]))
        #expect(probing.acceptTimeline(1, pool: "orders", now: now) == .isThere(new.address, timeline: 2))
        new.stop()
        #expect(await process.eventually(sparing: old) { process.isFenced(old) })
        guard case .accepted(let entries) = probing.acceptTimeline(1, pool: "orders", now: now) else {
            Issue.record("not accepted")
            return
        }
        #expect(entries.map(\.timeline) == [1])
        #expect(process.standing(old) == .writer && process.isWrittenTo(old))
        #expect(probing.merge(peers).isEmpty)
        try await Task.sleep(for: .milliseconds(200))
        #expect(process.standing(old) == .writer)
        #expect(process.changes.list.last?.isFenced == false)
        await probing.stop()

        // Another node that fences it off hears of the word.
        let other = try Process([old], knowing: peers)
        #expect(await other.eventually(sparing: old) { other.isFenced(old) })
        other.probing.merge(entries)
        #expect(other.isWrittenTo(old))
        await other.probing.stop()
    }
}
