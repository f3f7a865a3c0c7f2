import ControlPlane
import Foundation
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// Nodes with few descriptors under clients that take them all.
    @Suite struct ExhaustionTests {
        private static let limit = 300

        private func world(_ body: (SmallWorld) async throws -> Void) async throws {
            let topology = SmallWorld.topology().replacing(
                "check: {http:", with: "ejection: {failures: 1, base: 60s}\n    check: {http:")
            try await TemporaryWorld.run(
                topology: topology, files: ["small.test.zone": SmallWorld.zone],
                descriptors: ["l7": Self.limit, "l4": Self.limit, "dns": Self.limit]
            ) { temporary in try await body(SmallWorld(world: temporary.world, file: temporary.file)) }
        }

        private func status(_ small: SmallWorld, _ port: Int) async throws -> StatusValue {
            let response = try await small.world.http.request(
                HTTPClientRequest(url: "http://\(SmallWorld.address):\(port)/status", timeout: .seconds(5)))
            return StatusValue(json: response.body) ?? .null
        }

        private func metric(_ small: SmallWorld, _ port: Int, _ line: String) async throws -> Double {
            let response = try await small.world.http.request(
                HTTPClientRequest(url: "http://\(SmallWorld.address):\(port)/metrics", timeout: .seconds(5)))
            let text = String(decoding: response.body, as: UTF8.self)
            return text.split(separator: "\n").first { $0.hasPrefix(line + " ") }
                .flatMap { Double($0.dropFirst(line.count + 1)) } ?? 0
        }

        /// Nobody is blamed: both servers are up and in the pool, and checks go on.
        private func expectNoBlame(_ small: SmallWorld, _ port: Int) async throws {
            // Long enough for a handful of checks.
            try await Task.sleep(for: .seconds(2))
            let status = try await status(small, port)
            let events = status["events"].array
            #expect(
                !events.contains { event in
                    let text = event["text"].string ?? ""
                    return text.contains("ejected") || text.contains("down:")
                }, "\(events)")
            #expect(events.contains { $0["text"].string?.hasPrefix("out of descriptors") == true }, "\(events)")
            let shortages = try await metric(small, port, "meridian_node_shortages_total{resource=\"descriptors\"}")
            #expect(shortages > 0)
        }

        @Test(.timeLimit(.minutes(2)))
        func aFullL7NodeBlamesNobody() async throws {
            try await world { small in
                var clients: [RawClient] = []
                for _ in 0..<Self.limit + 50 {
                    if let client = try? RawClient(small.http) { clients.append(client) }
                }
                let late = try RawClient(small.http)
                // It may hear its answer before it has asked.
                try? late.send("GET / HTTP/1.1\r\nHost: www.small.test\r\n\r\n")
                let heard = late.outwait()
                #expect(heard.text.hasPrefix("HTTP/1.1 503 "), "\(heard)")
                #expect(heard.text.contains("X-Meridian-Reason: exhausted"))
                try await expectNoBlame(small, 9181)
                clients = []
                // And when they are gone all is as before.
                let isBack = try await TemporaryWorld.eventually {
                    let client = try RawClient(small.http)
                    try? client.send("GET / HTTP/1.1\r\nHost: www.small.test\r\nConnection: close\r\n\r\n")
                    return client.outwait().text.hasPrefix("HTTP/1.1 200 ")
                }
                #expect(isBack)
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func aFullL4NodeBlamesNobody() async throws {
            try await world { small in
                var clients: [RawClient] = []
                for _ in 0..<Self.limit {
                    if let client = try? RawClient(small.tcp) { clients.append(client) }
                }
                #expect(try RawClient(small.tcp).outwait().ending == .reset)
                try await expectNoBlame(small, 9182)
                #expect(try await metric(small, 9182, "meridian_l4_connects_failed_total") == 0)
                #expect(try await metric(small, 9182, "meridian_l4_connections_exhausted_total") > 0)
                clients = []
                let isBack = try await TemporaryWorld.eventually {
                    let client = try RawClient(small.tcp)
                    try? client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    return client.outwait().text.hasPrefix("HTTP/1.1 200 ")
                }
                #expect(isBack)
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func aFullDNSNodeAnswersItsOperator() async throws {
            try await world { small in
                var clients: [RawClient] = []
                for _ in 0..<Self.limit {
                    if let client = try? RawClient(small.dns) { clients.append(client) }
                }
                let refused = try await metric(small, 9180, "meridian_dns_connections_refused_total")
                #expect(refused > 0)
                let shortages = try await metric(small, 9180, "meridian_node_shortages_total{resource=\"descriptors\"}")
                #expect(shortages > 0)
                withExtendedLifetime(clients) {}
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func whatCannotBePromisedIsAnErrorAtBoot() async throws {
            let folder = URL(filePath: "/tmp/meridian-limits-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let topology = SmallWorld.topology()
                .replacing("public: {port: 8180,", with: "public: {port: 8180, limits: {connections: 500},")
                .replacing("stream: {port: 8181,", with: "stream: {port: 8181, connections: 200,")
                .replacing("dns:\n  port: 5453", with: "dns:\n  tcp: {connections: 400}\n  port: 5453")
            let path = folder.appending(path: "topology.yaml").path
            try topology.write(toFile: path, atomically: false, encoding: .utf8)
            try SmallWorld.zone.write(
                toFile: folder.appending(path: "small.test.zone").path, atomically: false, encoding: .utf8)
            for (node, words) in [
                ("l7", "http.listeners.public.limits.connections: 500 for each of 1 workers"),
                ("l4", "tcp.listeners.stream.connections: 200 for each of 1 workers"),
                ("dns", "dns.tcp.connections: 400"),
            ] {
                let program = try Programs.ours("meridian-\(node)")
                for command in ["serve", "check"] {
                    let output = try await Command.run(
                        ["prlimit", "--nofile=400:400", program, command, "--topology", path, "--node", node],
                        folder: folder)
                    let text = output.text + output.errors
                    #expect(output.exit == .status(1), "\(node) \(command): \(text)")
                    #expect(text.contains(words) && text.contains("raise the limit on open files"), "\(text)")
                }
                let few = try await Command.run(
                    ["prlimit", "--nofile=64:64", program, "serve", "--topology", path, "--node", node], folder: folder)
                #expect(few.exit == .status(1))
                #expect((few.text + few.errors).contains("64 open files are too few"), "\(few)")
            }
        }
    }
}
