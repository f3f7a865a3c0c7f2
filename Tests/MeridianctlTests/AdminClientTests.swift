import ArgumentParser
import ControlPlane
import HTTPExchange
import Model
import Synchronization
import Testing

@testable import meridianctl

/// Commands against an admin API that answers as it is told and notes what it was asked.
@Suite struct AdminClientTests {
    private final class Node: Sendable {
        let target: Target
        let server: HTTPServer
        private let notes: Notes

        private final class Notes: Sendable {
            let seen = Mutex<[HTTPServer.Request]>([])
        }

        init(token: String? = nil, answer: @escaping @Sendable (HTTPServer.Request) -> HTTPServer.Response) throws {
            let notes = Notes()
            self.notes = notes
            server = try HTTPServer(addresses: [SocketAddress(IPAddress(v4: 0x7f00_0001), port: 0)]) { request, reply in
                notes.seen.withLock { $0.append(request) }
                reply(answer(request))
            }
            let address = try #require(server.addresses.first)
            target = Target(name: "n", url: "http://\(address)", token: token)
        }

        var requests: [HTTPServer.Request] { notes.seen.withLock { $0 } }
    }

    private static func json(_ status: Int, _ text: String) -> HTTPServer.Response {
        HTTPServer.Response(status: status, contentType: "application/json", text: text)
    }

    private let client = AdminClient(timeout: .seconds(5))

    @Test func theTokenIsSent() async throws {
        let node = try Node(token: "s3cret") { _ in Self.json(200, #"{"state": "serving"}"#) }
        let answer = await client.get("/status", from: node.target)
        #expect(try answer.get()["state"].string == "serving")
        #expect(node.requests.first?.header("Authorization") == "Bearer s3cret")
        await node.server.stop()
    }

    @Test func drainSaysWhy() async throws {
        let node = try Node { _ in Self.json(200, #"{"state": "draining"}"#) }
        var command = try DrainCommand.parse([node.target.url, "--reason", "kernel \"6.12\""])
        try await command.run()
        command = try DrainCommand.parse([node.target.url, "--reason", "again"])
        try await command.run()
        let request = try #require(node.requests.first)
        #expect((request.method, request.path) == ("POST", "/drain"))
        let body = try #require(StatusValue(json: request.body))
        #expect(body == ["drain": true, "reason": "kernel \"6.12\""])
        await node.server.stop()
    }

    @Test func undrain() async throws {
        let node = try Node { _ in Self.json(200, #"{"state": "serving"}"#) }
        let command = try UndrainCommand.parse([node.target.url])
        try await command.run()
        #expect(StatusValue(json: node.requests.first?.body ?? []) == ["drain": false, "reason": ""])
        await node.server.stop()
    }

    @Test func explainEncodesItsQuestion() async throws {
        let node = try Node { _ in Self.json(200, #"{"answer": ["127.0.1.1"]}"#) }
        let command = try ExplainDNS.parse(["a+b&c.test", "a", "--client", "2001:db8::1", "--node", node.target.url])
        try await command.run()
        let request = try #require(node.requests.first)
        #expect(request.path == "/explain")
        #expect(
            QueryString(request.query).values
                == ["kind": "dns", "name": "a+b&c.test", "type": "A", "client": "2001:db8::1"])
        await node.server.stop()
    }

    @Test func explainFetchesTheChainOfWhatIsDown() async throws {
        let node = try Node { request in
            if request.query.contains("kind=verdict") {
                return Self.json(
                    200, #"{"healthy": false, "reasons": [{"source": "l4", "text": "no primary", "depth": 0}]}"#)
            }
            return Self.json(
                200,
                """
                {"service": "shop", "candidates": [
                    {"region": "us-east", "healthy": true, "reason": ""},
                    {"region": "eu-west", "healthy": false, "reason": "l4: no primary"}
                ]}
                """)
        }
        let command = try ExplainDNS.parse(["a.test", "A", "--client", "10.0.0.1", "--node", node.target.url])
        try await command.run()
        #expect(
            node.requests.map { QueryString($0.query).values }.dropFirst()
                == [["kind": "verdict", "service": "shop", "region": "eu-west"]])
        await node.server.stop()
    }

    @Test func explainNamesTheAddressesWhereTheServiceIsWell() async throws {
        let node = try Node { request in
            let isWell = request.query.contains("region=eu-west")
            return Self.json(
                200,
                #"{"healthy": \#(isWell), "reasons": [{"source": "l7", "text": "shop: \#(isWell ? 2 : 0) of 2", "depth": 0}]}"#
            )
        }
        let answer = try #require(
            StatusValue(
                json: Array(
                    """
                    {"service": "shop", "candidates": [
                        {"region": "us-east", "healthy": false, "reason": "l7: shop: 0 of 2", "down": []},
                        {"region": "eu-west", "healthy": false, "reason": "dns-1: 10.0.0.1:80: refused", "down": ["10.0.0.1"]}
                    ]}
                    """.utf8)))
        let command = try ExplainDNS.parse(["a.test", "A", "--client", "10.0.0.1", "--node", node.target.url])
        let whole = await command.withChains(answer, from: node.target, client)
        #expect(whole["candidates"].array[0]["reason"].string == nil)
        #expect(whole["candidates"].array[0]["reasons"].array.first?["text"] == "shop: 0 of 2")
        #expect(whole["candidates"].array[1]["reason"] == "dns-1: 10.0.0.1:80: refused")
        #expect(whole["candidates"].array[1]["reasons"].array.isEmpty)
        let text = Explanation.text(whole)
        #expect(text.contains("10.0.0.1:80: refused") && text.contains("DOWN"), "\(text)")
        await node.server.stop()
    }

    @Test func anExplanationThatIsAnErrorFails() async throws {
        let node = try Node { _ in Self.json(200, #"{"error": "type is no record type"}"#) }
        let command = try ExplainDNS.parse(["a.test", "X", "--client", "10.0.0.1", "--node", node.target.url])
        await #expect(throws: ExitCode(1)) { try await command.run() }
        await node.server.stop()
    }

    @Test func aRefusedReloadTellsEveryError() async throws {
        let node = try Node { _ in
            Self.json(422, #"{"error": "not valid", "diagnostics": ["t.yaml:1:2: error: a", "t.yaml:3:4: error: b"]}"#)
        }
        let answer = await client.post("/reload", [:], to: node.target)
        guard case .failure(let failure) = answer else {
            Issue.record("it was taken")
            return
        }
        #expect(failure.description == "422:\n  t.yaml:1:2: error: a\n  t.yaml:3:4: error: b")
        #expect(!failure.isUnreachable)
        let command = try ReloadCommand.parse([node.target.url])
        await #expect(throws: (any Error).self) { try await command.run() }
        await node.server.stop()
    }

    @Test func aNodeThatIsNotThere() async throws {
        let node = try Node { _ in Self.json(200, "{}") }
        await node.server.stop()
        guard case .failure(let failure) = await client.get("/status", from: node.target) else {
            Issue.record("somebody answered")
            return
        }
        #expect(failure.isUnreachable)
    }

    @Test func answersStandInTheOrderOfTheQuestion() async throws {
        let node = try Node { request in Self.json(200, "{\"path\": \"\(request.path)\"}") }
        let targets = (0..<20).map { Target(name: "\($0)", url: node.target.url, token: nil) }
        let answers = await client.ask(targets) { await client.get("/\($0.name)", from: $0) }
        #expect(answers.compactMap { try? $0.answer.get()["path"].string } == targets.map { "/\($0.name)" })
        await node.server.stop()
    }

    @Test(arguments: [
        ["status"], ["status", "not a url"], ["status", "l7-1"], ["drain", "--reason", "x"], ["drain", "127.0.0.1:1"],
        ["explain", "dns", "a.test", "A", "--node", "127.0.0.1:1"],
        ["status", "x:1", "--token-env", "MERIDIAN_NOT_SET"],
        ["explain", "dns", "a.test", "A", "--client", "here", "--node", "x:1"], ["status", "x:1", "--timeout", "0"],
    ])
    func wrongUsage(_ words: [String]) async {
        do {
            var command = try Meridianctl.parseAsRoot(words)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Issue.record("it was taken")
        } catch {
            #expect(Meridianctl.exitCode(for: error) == .validationFailure)
        }
    }

    @Test func theTopologyNamesItsNodes() throws {
        let package = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        var targets = try Targets.parse(["--topology", "\(package)/topologies/quickstart/topology.yaml"])
        #expect(try targets.resolve().count == 7)
        targets.nodes = ["l4-eu-west", "127.0.0.1:99"]
        #expect(try targets.resolve().map(\.url) == ["http://127.0.2.1:9082", "http://127.0.0.1:99"])
    }
}
