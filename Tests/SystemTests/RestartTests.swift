import Foundation
import Glibc
import Model
import Testing
import WorldKit

extension SystemTests {
    /// SIGKILL and a new start: answers go on by the last known health.
    @Suite struct RestartTests {
        private static let resolver = SocketAddress(IPAddress(v4: 0x7f00_4e09), port: 5463)

        private static func topology() -> String {
            func check(_ port: Int) -> String {
                "{http: {path: /healthz, port: \(port), statuses: [200]}, interval: 200ms, timeout: 200ms, rise: 1, fall: 2}"
            }
            return """
                stateDirectory: state
                federation: {damping: {rise: 0s}}
                regions:
                  near: {location: {continent: EU}, address: 127.0.78.1}
                  far: {location: {continent: NA}, address: 127.0.78.2}
                nodes:
                  dns: {tier: dns, region: near, address: 127.0.78.9, workers: 1, admin: "127.0.78.9:9180", drainTimeout: 1s}
                services: {shop: {}}
                pools:
                  web:
                    kind: http
                    service: shop
                    endpoints: {near: ["127.0.78.1:9101"], far: ["127.0.78.2:9101"]}
                dns:
                  port: 5463
                  zones:
                    small.test:
                      file: small.test.zone
                      names:
                        www:
                          service: shop
                          ttl: 5s
                          check: \(check(9101))
                          answers: {near: {A: 127.0.78.1}, far: {A: 127.0.78.2}}
                          steps: [healthy]
                        lone:
                          ttl: 5s
                          check: \(check(9101))
                          answers: {near: {A: 127.0.78.1}, far: {A: 127.0.78.2}}
                          steps: [healthy]
                        slow:
                          ttl: 5s
                          check: {http: {path: /healthz, port: 9101, statuses: [200]}, interval: 40s, timeout: 30s}
                          answers: {near: {A: 127.0.78.1}}
                          steps: [healthy]
                """
        }

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A 127.0.78.9

            """

        /// One question over UDP from a socket of its own, answered within 20 ms or not at all.
        ///
        /// - Returns: the addresses; nil without an answer.
        private static func ask(_ label: String) -> Set<String>? {
            let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            var limit = timeval(tv_sec: 0, tv_usec: 20_000)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = resolver.port.bigEndian
            place.sin_addr.s_addr = UInt32(0x7f00_4e09).bigEndian
            var query: [UInt8] = [0x4d, 0x44, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            for part in [label, "small", "test"] { query += [UInt8(part.utf8.count)] + Array(part.utf8) }
            query += [0, 0, 1, 0, 1]
            let connected = withUnsafePointer(to: &place) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0, send(descriptor, query, query.count, 0) == query.count else { return nil }
            var room = [UInt8](repeating: 0, count: 512)
            let count = recv(descriptor, &room, room.count, 0)
            guard count >= query.count, room[3] & 15 == 0 else { return nil }
            // Each record: a pointer to the name, type, class, TTL, length, four octets.
            let answers = Int(room[6]) << 8 | Int(room[7])
            return Set(
                (0..<answers).map { index in
                    room[(query.count + 16 * index + 12)..<(query.count + 16 * index + 16)].map { "\($0)" }
                        .joined(separator: ".")
                })
        }

        @Test(.timeLimit(.minutes(1)))
        func theFirstAnswersAfterSIGKILLKnowWhatIsDown() async throws {
            let files = ["small.test.zone": Self.zone]
            try await TemporaryWorld.run(topology: Self.topology(), files: files) { temporary in
                let world = temporary.world
                let (near, both): (Set, Set) = (["127.0.78.1"], ["127.0.78.1", "127.0.78.2"])
                #expect(try await TemporaryWorld.eventually { Self.ask("www") == both && Self.ask("lone") == both })
                await world.send(SIGKILL, to: "127.0.78.2:9101")
                #expect(try await TemporaryWorld.eventually { Self.ask("www") == near && Self.ask("lone") == near })
                let state = temporary.file.deletingLastPathComponent().appending(path: "state/dns.state").path
                #expect(
                    try await TemporaryWorld.eventually {
                        let text = FileManager.default.contents(atPath: state).map {
                            String(decoding: $0, as: UTF8.self)
                        }
                        return text?.split(separator: "\"healthy\":false").count == 4
                    })

                for round in 1...3 {
                    await world.send(SIGKILL, to: "dns")
                    _ = await world.child("dns")?.wait(.seconds(2))
                    #expect(Self.ask("www") == nil)
                    try await world.restart("dns")
                    let restarted = ContinuousClock.now
                    var answers: [Set<String>] = []
                    while answers.count < 50, ContinuousClock.now - restarted < .seconds(5) {
                        guard let answer = Self.ask(answers.count % 2 == 0 ? "www" : "lone") else { continue }
                        if answers.isEmpty {
                            #expect(ContinuousClock.now - restarted < .seconds(1), "the first answer took longer")
                        }
                        answers.append(answer)
                    }
                    #expect(answers.count == 50)
                    #expect(answers.allSatisfy { $0 == near }, "round \(round): \(answers.prefix(5))")
                }
                #expect(world.log(of: "dns").contains("3 down"))

                // It comes back as soon as somebody has seen it.
                try await world.restart("127.0.78.2:9101")
                #expect(try await TemporaryWorld.eventually { Self.ask("www") == both && Self.ask("lone") == both })

                // What nobody has confirmed says so, until somebody does: the check waits for a server that stands still.
                func dig(_ name: String) async throws -> String {
                    let words = ["dig", "@127.0.78.9", "-p", "5463", "+time=2", "+tries=1", "+norecurse", name]
                    return try await Command.run(words, folder: world.folder, limit: .seconds(20)).text
                }
                #expect(try await TemporaryWorld.eventually { try await !dig("slow.small.test").contains("EDE") })
                await world.send(SIGKILL, to: "dns")
                _ = await world.child("dns")?.wait(.seconds(2))
                await world.send(SIGSTOP, to: "127.0.78.1:9101")
                try await world.restart("dns")
                #expect(try await TemporaryWorld.eventually { Self.ask("slow") == ["127.0.78.1"] })
                let unconfirmed = try await dig("slow.small.test")
                #expect(unconfirmed.contains("EDE: 3 (Stale Answer)"), "\(unconfirmed)")
                await world.send(SIGCONT, to: "127.0.78.1:9101")
                #expect(try await TemporaryWorld.eventually { try await !dig("slow.small.test").contains("EDE") })
                #expect(try await TemporaryWorld.eventually { Self.ask("www") == both })

                // A damaged file is refused, and the node starts without it.
                await world.send(SIGKILL, to: "dns")
                _ = await world.child("dns")?.wait(.seconds(2))
                try "meridian-state 1 5 00\nnoise".write(toFile: state, atomically: false, encoding: .utf8)
                try await world.restart("dns")
                #expect(try await TemporaryWorld.eventually { Self.ask("www") == both })
                #expect(world.log(of: "dns").contains("refused, starting without it"))
            }
        }
    }
}
