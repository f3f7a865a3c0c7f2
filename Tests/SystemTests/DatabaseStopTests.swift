import Foundation
import Glibc
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// A node before PostgreSQL that starts and stops: nobody meets an error that waiting a moment would have spared.
    @Suite struct DatabaseStopTests {
        private static let address = "127.0.82.1"
        private static let users = SocketAddress(IPAddress(v4: 0x7f00_5201), port: 8282)

        private static func topology(leaveDelay: String = "2s", drainTimeout: String = "9s") -> String {
            """
            regions: {here: {address: \(address)}}
            nodes:
              l4:
                {tier: l4, region: here, workers: 1, admin: "\(address):9182", leaveDelay: \(leaveDelay), drainTimeout: \(drainTimeout)}
            pools:
              orders:
                kind: tcp
                endpoints: {here: ["\(address):5601"]}
                check: {postgresql: {user: meridian, database: postgres}, interval: 20s, timeout: 3s}
            tcp:
              listeners:
                orders: {port: 8282, pool: orders, role: primary}
            """
        }

        /// A login as the protocol has it.
        private static func login() -> [UInt8] {
            let words = Array("user\0meridian\0database\0postgres\0\0".utf8)
            return [0, 0, 0, UInt8(words.count + 8), 0, 3, 0, 0] + words
        }

        /// The first message after a login: `R` when it is taken, `E` when it is refused.
        private static func firstWord(_ client: RawClient) throws -> String {
            try client.send(login())
            return String(decoding: try client.read(count: 1), as: UTF8.self)
        }

        private static func read(_ client: RawClient, until words: String) throws {
            var last: [UInt8] = []
            while last != Array(words.utf8) { last = (last + (try client.read(count: 1))).suffix(words.utf8.count) }
        }

        /// Runs psql against the node with `script` as its input.
        private static func psql(_ script: String, _ world: World, port: UInt16 = 8282) async throws -> Command.Output {
            let file = world.folder.appending(path: "script-\(UUID().uuidString)").path
            try script.write(toFile: file, atomically: false, encoding: .utf8)
            let program = try Programs.system("psql", package: "postgresql-client")
            return try await Command.run(
                [
                    program, "-X", "-At", "-h", address, "-p", "\(port)", "-U", "meridian", "-d", "postgres", "-v",
                    "VERBOSITY=verbose", "-f", file,
                ], folder: world.folder, limit: .seconds(30))
        }

        @Test(.timeLimit(.minutes(2)))
        func theFirstSessionAfterAStartIsServed() async throws {
            try await TemporaryWorld.run(topology: Self.topology()) { temporary in
                let world = temporary.world
                for round in 1...5 {
                    try await world.restart("l4")
                    var first: RawClient?
                    let start = ContinuousClock.now
                    while first == nil, ContinuousClock.now - start < .seconds(10) {
                        first = try? RawClient(Self.users)
                        if first == nil { try await Task.sleep(for: .milliseconds(1)) }
                    }
                    let client = try #require(first, "nothing listens")
                    #expect(try Self.firstWord(client) == "R", "round \(round)")
                    #expect(ContinuousClock.now - start < .seconds(5), "a first check is made at once")
                }
            }
        }

        /// A start beside a process that was told to stop a moment before, as `restart` scripts do.
        @Test(.timeLimit(.minutes(2)))
        func aRestartLosesNoSession() async throws {
            try await TemporaryWorld.run(topology: Self.topology()) { temporary in
                let world = temporary.world
                let users = Crowd(3) {
                    guard let client = try? RawClient(Self.users, timeout: 10) else { return false }
                    return (try? Self.firstWord(client)) == "R"
                }
                for _ in 1...4 {
                    let old = try #require(await world.child("l4"))
                    old.send(SIGTERM)
                    try await world.startBeside("l4")
                    try await world.waitUntilReady("l4", limit: .seconds(15))
                    #expect(await old.wait(.seconds(15)) == .status(0))
                }
                let (served, lost) = await users.stop()
                #expect(served > 100 && lost == 0, "\(lost) of \(served + lost) lost")
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func aStopWaitsForWhatIsUnderWay() async throws {
            try await TemporaryWorld.run(topology: Self.topology()) { temporary in
                let world = temporary.world
                // Idle: it is told as soon as no new users are taken.
                let idle = try RawClient(Self.users, timeout: 20)
                #expect(try Self.firstWord(idle) == "R")
                // A query that outlasts the delay, one in a transaction, and a transaction whose client thinks meanwhile.
                async let query = Self.psql("select pg_sleep(4), 'finished';\n", world)
                async let transaction = Self.psql(
                    """
                    create table kept (number int);
                    begin;
                    insert into kept values (1);
                    \\! sleep 4
                    insert into kept values (2);
                    commit;
                    \\! sleep 1
                    select 'one more';

                    """, world)
                try await Task.sleep(for: .seconds(1))

                let start = ContinuousClock.now
                let child = try #require(await world.child("l4"))
                child.send(SIGTERM)
                // Peers and resolvers do not know yet: new users are served.
                try await Task.sleep(for: .milliseconds(700))
                let late = try await Self.psql("select 'welcome';\n", world)
                #expect(late.trimmed == "welcome", "\(late.errors)")

                #expect(try idle.readToEnd().contains("C57P01\0"))
                let told = ContinuousClock.now - start
                #expect(told > .milliseconds(1_500) && told < .seconds(6), "told after \(told)")
                #expect((try? RawClient(Self.users)) == nil)
                #expect(try await query.trimmed == "|finished")
                let output = try await transaction
                #expect(output.text.contains("COMMIT"), "\(output.text) \(output.errors)")
                #expect(!output.text.contains("one more") && output.errors.contains("57P01"), "\(output.errors)")
                #expect(await child.wait(.seconds(8)) == .status(0))
                #expect(ContinuousClock.now - start < .seconds(10), "all were gone before the deadline")
                let kept = try await Self.psql("select count(*) from kept;\n", world, port: 5601)
                #expect(kept.trimmed == "2", "\(kept.errors)")
                let log = world.log(of: "postgres \(Self.address):5601")
                #expect(!log.contains("unexpected EOF"), "\(log)")
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func whoListensIsToldAtOnce() async throws {
            try await TemporaryWorld.run(topology: Self.topology(leaveDelay: "100ms", drainTimeout: "15s")) {
                temporary in
                let world = temporary.world
                let listener = try RawClient(Self.users, timeout: 20)
                #expect(try Self.firstWord(listener) == "R")
                try Self.read(listener, until: "Z\0\0\0\u{5}I")
                try listener.send([UInt8(ascii: "Q"), 0, 0, 0, 13] + Array("listen x\0".utf8))
                try Self.read(listener, until: "Z\0\0\0\u{5}I")
                _ = try await Self.psql("notify x, 'news';\n", world, port: 5601)
                try Self.read(listener, until: "news\0")

                let start = ContinuousClock.now
                let child = try #require(await world.child("l4"))
                child.send(SIGTERM)
                #expect(try listener.readToEnd().contains("C57P01\0"))
                #expect(await child.wait(.seconds(20)) == .status(0))
                #expect(ContinuousClock.now - start < .seconds(10), "nothing was under way")
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func aTransactionThatIsStillOpenIsToldAtTheDeadline() async throws {
            let topology = Self.topology(leaveDelay: "100ms", drainTimeout: "3s")
            try await TemporaryWorld.run(topology: topology) { temporary in
                let world = temporary.world
                async let transaction = Self.psql("begin;\nselect 1;\n\\! sleep 6\nselect 2;\n", world)
                try await Task.sleep(for: .seconds(1))
                let start = ContinuousClock.now
                let child = try #require(await world.child("l4"))
                child.send(SIGTERM)
                #expect(await child.wait(.seconds(10)) == .status(0))
                let took = ContinuousClock.now - start
                #expect(took > .milliseconds(2_500) && took < .seconds(6), "drainTimeout is 3 s; it took \(took)")
                #expect(try await transaction.errors.contains("57P01"))
            }
        }
    }
}
