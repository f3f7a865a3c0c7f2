import ArgumentParser
import ControlPlane
import HTTPExchange
import Model
import Synchronization
import Testing

@testable import meridianctl

/// What the commands about overrides ask of an admin API.
@Suite struct OverrideCommandTests {
    private final class Desk: Sendable {
        private final class Notes: Sendable {
            let seen = Mutex<[HTTPServer.Request]>([])
        }

        let server: HTTPServer
        let url: String
        private let notes: Notes

        init(_ status: Int = 200, _ answer: @escaping @Sendable (HTTPServer.Request) -> String) throws {
            let notes = Notes()
            self.notes = notes
            server = try HTTPServer(addresses: [SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)]) { request, reply in
                notes.seen.withLock { $0.append(request) }
                reply(
                    HTTPServer.Response(status: status, contentType: "application/json", text: answer(request)))
            }
            url = "http://\(try #require(server.addresses.first))"
        }

        var requests: [HTTPServer.Request] { notes.seen.withLock { $0 } }
    }

    private static let made =
        #"{"override": {"id": "ov-1", "remainingSeconds": 7199, "against": []}, "matches": ["eu-west"]}"#

    @Test func acceptATimeline() async throws {
        let desk = try Desk { _ in #"{"accepted": []}"# }
        let command = try AcceptTimelineCommand.parse([
            desk.url, "--pool", "orders", "--timeline", "1", "--reason", "restored", "--author", "ana",
        ])
        try await command.run()
        let request = try #require(desk.requests.first)
        #expect((request.method, request.path) == ("POST", "/timelines"))
        #expect(
            StatusValue(json: request.body) == [
                "pool": "orders", "timeline": 1, "reason": "restored", "author": "ana",
            ])
        await desk.server.stop()
    }

    @Test func drainARegion() async throws {
        let desk = try Desk(201) { _ in Self.made }
        let command = try DrainCommand.parse([
            "region", "eu-west", "--for", "2h", "--reason", "kernel", "--author", "ana", "--node", desk.url,
        ])
        try await command.run()
        let request = try #require(desk.requests.first)
        #expect((request.method, request.path) == ("POST", "/overrides"))
        #expect(
            StatusValue(json: request.body) == [
                "action": "drain", "kind": "region", "pattern": "eu-west", "region": "*", "seconds": 7200,
                "reason": "kernel", "author": "ana",
            ])
        await desk.server.stop()
    }

    @Test func forceANameInSomeRegionsAgainstSafety() async throws {
        let desk = try Desk(201) { _ in Self.made }
        let command = try ForceCommand.Up.parse([
            "name", "WWW.shop.test", "--region", "eu-*", "--reason", "checks are wrong", "--author", "bo",
            "--override-safety", "--node", desk.url,
        ])
        try await command.run()
        let body = try #require(StatusValue(json: desk.requests.first?.body ?? []))
        #expect(body["action"] == "up")
        #expect(body["pattern"] == "www.shop.test.")
        #expect(body["region"] == "eu-*")
        #expect(body["seconds"] == 3600)
        #expect(body["overrideSafety"] == true)
        await desk.server.stop()
    }

    @Test func undrainFindsTheOverrideAndTakesItBack() async throws {
        let desk = try Desk { request in
            request.method == "GET"
                ? #"{"overrides": [{"id": "ov-9", "kind": "region", "pattern": "us", "region": "*"}, {"id": "ov-7", "kind": "region", "pattern": "eu", "region": "*"}]}"#
                : #"{"released": {"target": "region eu"}}"#
        }
        let command = try UndrainCommand.parse([
            "region", "eu", "--reason", "all done", "--author", "ana", "--node", desk.url,
        ])
        try await command.run()
        let request = try #require(desk.requests.last)
        #expect((request.method, request.path) == ("DELETE", "/overrides/ov-7"))
        #expect(QueryString(request.query).values == ["author": "ana", "reason": "all done"])
        let other = try ReleaseCommand.parse(["region", "ap", "--node", desk.url])
        await #expect(throws: ExitCode(1)) { try await other.run() }
        await desk.server.stop()
    }

    @Test func releaseByItsID() async throws {
        let desk = try Desk { _ in #"{"released": {"target": "region eu"}}"# }
        try await ReleaseCommand.parse(["ov-7", "--author", "ana", "--override-safety", "--node", desk.url]).run()
        #expect(desk.requests.map(\.path) == ["/overrides/ov-7"])
        #expect(QueryString(desk.requests[0].query)["overrideSafety"] == "true")
        await desk.server.stop()
    }

    @Test func aRefusalFails() async throws {
        let desk = try Desk(409) { _ in #"{"error": "rule two-regions"}"# }
        let command = try DrainCommand.parse(["region", "eu", "--reason", "x", "--node", desk.url])
        await #expect(throws: ExitCode(1)) { try await command.run() }
        await desk.server.stop()
    }

    @Test(arguments: [
        ["region", "--reason", "x"], ["region", "a", "b", "--reason", "x"],
        ["region", "eu", "--region", "x", "--reason", "x", "--node", "127.0.0.1:1"],
    ])
    func wrongWords(arguments: [String]) async throws {
        let command = try DrainCommand.parse(arguments)
        await #expect(throws: ValidationError.self) { try await command.run() }
    }

    @Test(arguments: ["0s", "32d", "1.5s", "soon", "2"])
    func wrongDurations(text: String) {
        #expect(throws: (any Error).self) {
            try DrainCommand.parse(["region", "eu", "--reason", "x", "--for", text])
        }
    }

    /// Something else than a node answers 200, with JSON at that.
    @Test(arguments: ["{}", "[]", "", "\"ok\"", #"{"status": "ok"}"#])
    func whatIsNoNodeIsAnError(answer: String) async throws {
        let desk = try Desk { _ in answer }
        for words in [
            ["overrides", desk.url], ["overrides", "--json", desk.url], ["status", desk.url],
            ["status", "--json", desk.url],
            ["reload", desk.url], ["drain", desk.url, "--reason", "x"],
            ["drain", "region", "eu", "--reason", "x", "--node", desk.url],
            ["undrain", "region", "eu", "--node", desk.url], ["release", "ov-7", "--node", desk.url],
        ] {
            let command = try Meridianctl.parseAsRoot(words)
            let asynchronous = try #require(command as? any AsyncParsableCommand)
            await #expect(throws: ExitCode(1), "\(words)") {
                var command = asynchronous
                try await command.run()
            }
        }
        await desk.server.stop()
    }

    @Test func nobodyKnowsOfOverridesWhereNobodyAnswers() {
        #expect(OverridesCommand.text([]) == "")
        #expect(OverridesCommand.text([("a", [])]) == "no overrides are in force\n")
    }

    @Test func theTableSaysWhoKnows() {
        let word: StatusValue = [
            "id": "ov-1", "target": "region eu", "kind": "region", "action": "drain", "remainingSeconds": 3600,
            "author": "ana", "reason": "kernel", "against": ["two-regions"], "stamp": 2,
        ]
        let older: StatusValue = [
            "id": "ov-0", "target": "gate change", "kind": "gate", "action": "up", "remainingSeconds": 60,
            "author": "bo", "reason": "", "against": [], "stamp": 1,
        ]
        let table = OverrideTable([("a", [word, older]), ("b", [word])])
        #expect(
            table.text == """
                OVERRIDE  ON           SAYS     LEFT  BY   REASON                        KNOWN BY
                ov-0      gate change  open     60s   bo                                 a
                ov-1      region eu    drained  60m   ana  kernel (against two-regions)  every node

                """)
        #expect(OverrideTable([("a", [])]).isEmpty)
    }
}
