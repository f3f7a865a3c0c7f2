import ControlPlane
import Foundation
import Glibc
import Model
import Testing
import WorldKit

extension SystemTests {
    /// Nodes that are stopped for some seconds and continued, while the world goes on without them.
    @Suite struct StandstillTests {
        private static let pause = Duration.seconds(7)
        private static let near = ["127.0.82.1:9101", "127.0.82.1:9102"]

        private static let topology = """
            federation:
              keys: [{id: test-1, secret: {env: MERIDIAN_FEDERATION_KEY}}]
              interval: 200ms
              staleAfter: 3s
              damping: {rise: 0s, fall: 0s}
            regions:
              near: {location: {continent: EU}, address: 127.0.82.1}
              far: {location: {continent: NA}, address: 127.0.82.2}
            nodes:
              dns: {tier: dns, region: far, address: 127.0.82.9, workers: 1, admin: "127.0.82.9:9180", federation: "127.0.82.9:9181", drainTimeout: 1s}
              l7-near: {tier: l7, region: near, workers: 1, admin: "127.0.82.1:9180", federation: "127.0.82.1:9181", drainTimeout: 1s}
              l7-far: {tier: l7, region: far, workers: 1, admin: "127.0.82.2:9180", federation: "127.0.82.2:9181", drainTimeout: 1s}
            services: {shop: {threshold: 50%}}
            pools:
              web:
                kind: http
                service: shop
                endpoints: {near: ["\(near[0])", "\(near[1])"], far: ["127.0.82.2:9101"]}
                check: {http: {path: /healthz, statuses: [200]}, interval: 500ms, timeout: 400ms, rise: 1, fall: 2}
                ejection: {failures: 1, base: 60s}
            dns:
              port: 5475
              zones:
                small.test:
                  file: small.test.zone
                  names:
                    www:
                      ttl: 60s
                      service: shop
                      answers: {near: {A: 127.0.82.1}, far: {A: 127.0.82.2}}
                      steps: [healthy, {failover: [near, far]}]
            http:
              listeners: {public: {port: 8180}}
              routes:
                - {name: web, host: www.small.test, path: {prefix: /}, pool: web}

            """

        private static let zone = """
            $ORIGIN small.test.
            $TTL 60
            @ IN SOA ns1 hostmaster 1 7200 1800 259200 60
            @ IN NS ns1
            ns1 IN A 127.0.82.9

            """

        private struct Happening {
            let number: Int64
            let kind: String
            let subject: String
            let text: String
        }

        private func happenings(_ world: World, _ node: String, after number: Int64 = 0) async throws -> [Happening] {
            let status = try #require(await world.status(of: node))
            return status["events"].array.map { event in
                Happening(
                    number: event["number"].int ?? 0, kind: event["kind"].string ?? "",
                    subject: event["subject"].string ?? "", text: event["text"].string ?? "")
            }.filter { $0.number > number }
        }

        private func ask(_ world: World) async throws -> String {
            try await Command.run(
                ["dig", "@127.0.82.9", "-p", "5475", "+time=5", "+tries=1", "+norecurse", "www.small.test", "A"],
                folder: world.folder, limit: .seconds(20)
            ).text
        }

        private func run(_ body: (World) async throws -> Void) async throws {
            try await TemporaryWorld.run(topology: Self.topology, files: ["small.test.zone": Self.zone]) { temporary in
                let world = temporary.world
                let isReady = try await TemporaryWorld.eventually {
                    let near = await world.verdict("shop", in: "near", at: "dns")
                    let far = await world.verdict("shop", in: "far", at: "dns")
                    return near["healthy"].bool == true && far["healthy"].bool == true
                        && near["stale"].bool == false && far["stale"].bool == false
                }
                #expect(isReady)
                try await body(world)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func anL7NodeDoesNotVouchForWhatItSawBefore() async throws {
            try await run { world in
                let seen = try await happenings(world, "dns").last?.number ?? 0
                let own = try await happenings(world, "l7-near").last?.number ?? 0
                await world.send(SIGSTOP, to: "l7-near")
                for backend in Self.near { await world.send(SIGKILL, to: backend) }
                try await Task.sleep(for: Self.pause)
                #expect(await world.verdict("shop", in: "near", at: "dns")["healthy"].bool == false, "it is silent")
                await world.send(SIGCONT, to: "l7-near")

                let isSaid = try await TemporaryWorld.eventually(within: .seconds(10)) {
                    let verdict = await world.verdict("shop", in: "near", at: "dns")
                    return verdict["reasons"].array.contains { $0["text"].string?.contains("0 of 2 endpoints") == true }
                }
                #expect(isSaid, "the backends are gone, and the node has to find out")
                let told = try await happenings(world, "dns", after: seen)
                let ups = told.filter { $0.subject == "shop in near" && $0.text.hasPrefix("healthy") }
                #expect(ups.isEmpty, "it was believed what it saw before it stood still: \(ups)")
                #expect(told.contains { $0.subject == "l7-near" && $0.text == "starting" }, "\(told)")
                let happened = try await happenings(world, "l7-near", after: own)
                #expect(happened.contains { $0.text.hasPrefix("did not run for ") }, "\(happened)")
                #expect(
                    !happened.contains { $0.text.contains("ejected") || $0.text.hasPrefix("silent") }, "\(happened)")
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func aDNSNodeDoesNotAnswerFromOldVerdictsAsIfTheyWereFresh() async throws {
            try await run { world in
                let before = try await ask(world)
                #expect(before.contains("127.0.82.1") && !before.contains("EDE"), "\(before)")
                let seen = try await happenings(world, "dns").last?.number ?? 0
                await world.send(SIGSTOP, to: "dns")
                for backend in Self.near { await world.send(SIGKILL, to: backend) }
                try await Task.sleep(for: Self.pause)
                // It waits in the socket of the stopped node.
                async let waiting = ask(world)
                try await Task.sleep(for: .milliseconds(300))
                await world.send(SIGCONT, to: "dns")
                var answers = [try await waiting]
                let end = ContinuousClock.now + .seconds(10)
                var isMoved = false
                while !isMoved, ContinuousClock.now < end {
                    answers.append(try await ask(world))
                    isMoved = answers.last?.contains("A\t127.0.82.2") == true && answers.last?.contains("EDE") == false
                }
                #expect(isMoved, "\(answers.last ?? "")")
                for answer in answers where answer.contains("A\t127.0.82.1\n") {
                    #expect(answer.contains("EDE: 3 (Stale Answer)"), "\(answer)")
                }
                let told = try await happenings(world, "dns", after: seen)
                #expect(told.contains { $0.text.hasPrefix("did not run for ") }, "\(told)")
                #expect(!told.contains { $0.kind == "peer" && $0.text.contains("silent") }, "\(told)")
                #expect(!told.contains { $0.subject == "shop in far" }, "nobody blames who was there: \(told)")
            }
        }
    }
}
