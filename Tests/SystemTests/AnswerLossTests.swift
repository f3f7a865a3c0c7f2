import Glibc
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// A DNS node that is restarted loses no query that reached it.
    @Suite struct AnswerLossTests {
        private static let address = "127.0.86.1"
        private static let resolver = SocketAddress(IPAddress(v4: 0x7f00_5601), port: 5486)

        private static func topology(leaveDelay: String) -> String {
            """
            stateDirectory: state
            regions: {here: {address: \(address)}}
            nodes:
              dns:
                {tier: dns, region: here, workers: 2, admin: "\(address):9180", leaveDelay: \(leaveDelay), drainTimeout: 3s}
            dns:
              port: 5486
              zones: {small.test: {file: small.test.zone}}
            """
        }

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A \(address)

            """

        /// ns1.small.test, type A.
        private static let question: [UInt8] =
            [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            + ["ns1", "small", "test"].flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0, 0, 1, 0, 1]

        /// SIGTERM, and the new process at once.
        @Test(.timeLimit(.minutes(2)))
        func anOverlappingRestartLosesNoAnswer() async throws {
            let files = ["small.test.zone": Self.zone]
            try await TemporaryWorld.run(topology: Self.topology(leaveDelay: "500ms"), files: files) { temporary in
                let world = temporary.world
                let users = QueryStream(Self.resolver, question: Self.question, rate: 2_000)
                for _ in 1...6 {
                    let old = try #require(await world.child("dns"))
                    old.send(SIGTERM)
                    try await world.startBeside("dns")
                    try await world.waitUntilReady("dns", limit: .seconds(15))
                    #expect(await old.wait(.seconds(15)) == .status(0))
                }
                let (asked, answered) = await users.stop()
                #expect(asked > 1_000 && answered == asked, "\(asked - answered) of \(asked) lost")
            }
        }

        /// The new process first, and then SIGTERM to the old one.
        @Test(.timeLimit(.minutes(2)))
        func aSuccessorThatWaitsLosesNoAnswer() async throws {
            let files = ["small.test.zone": Self.zone]
            try await TemporaryWorld.run(topology: Self.topology(leaveDelay: "0s"), files: files) { temporary in
                let world = temporary.world
                let users = QueryStream(Self.resolver, question: Self.question, rate: 2_000)
                for _ in 1...6 {
                    let old = try #require(await world.child("dns"))
                    try await world.startBeside("dns")
                    try await Task.sleep(for: .milliseconds(150))
                    old.send(SIGTERM)
                    try await world.waitUntilReady("dns", limit: .seconds(15))
                    #expect(await old.wait(.seconds(15)) == .status(0))
                }
                let (asked, answered) = await users.stop()
                #expect(asked > 1_000 && answered == asked, "\(asked - answered) of \(asked) lost")
                #expect(world.log(of: "dns").contains("restarting"))
            }
        }

        /// Of a stop what is asked before the end is answered: queries go unanswered only while no process is there.
        @Test(.timeLimit(.minutes(1)))
        func aStopAnswersUntilTheEnd() async throws {
            let files = ["small.test.zone": Self.zone]
            try await TemporaryWorld.run(topology: Self.topology(leaveDelay: "0s"), files: files) { temporary in
                let world = temporary.world
                for round in 1...5 {
                    let old = try #require(await world.child("dns"))
                    // It asks until the socket refuses: whatever was taken before has to be answered.
                    let last = LastWords(Self.resolver, question: Self.question)
                    old.send(SIGTERM)
                    #expect(await old.wait(.seconds(15)) == .status(0))
                    let (taken, answered) = await last.count
                    #expect(taken > 0 && answered == taken, "round \(round): \(taken - answered) of \(taken) lost")
                    try await world.restart("dns")
                    try await world.waitUntilReady("dns", limit: .seconds(15))
                }
            }
        }
    }
}
