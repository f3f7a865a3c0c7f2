import Glibc
import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    @Suite struct StopTests {
        @Test(.timeLimit(.minutes(1)))
        func whatIsUnderWayIsFinishedAfterSIGTERM() async throws {
            try await SmallWorld.run { small in
                let request = try RawClient(small.http)
                try request.send("POST / HTTP/1.1\r\nHost: www.small.test\r\nContent-Length: 10\r\n\r\nfirst")
                let stream = try RawClient(small.tcp)
                try stream.send("GET / HTTP/1.1\r\nHost: x\r\n")
                let idle = try RawClient(small.http)
                try idle.send("GET / HTTP/1.1\r\nHost: www.small.test\r\n\r\n")
                #expect(try idle.readResponse().head.hasPrefix("HTTP/1.1 200"))
                try await Task.sleep(for: .milliseconds(100))

                for node in ["dns", "l7", "l4"] { await small.world.send(SIGTERM, to: node) }
                // New connections are refused while the old ones are served.
                let isClosed = try await TemporaryWorld.eventually(within: .seconds(2)) {
                    (try? RawClient(small.http)) == nil && (try? RawClient(small.tcp)) == nil
                }
                #expect(isClosed)
                try request.send("-last")
                #expect(try request.readResponse().head.hasPrefix("HTTP/1.1 200"))
                try stream.send("Connection: close\r\n\r\n")
                #expect(try stream.readToEnd().hasPrefix("HTTP/1.1 200"))
                #expect(try idle.readToEnd() == "")
                for node in ["dns", "l7", "l4"] {
                    let child = try #require(await small.world.child(node))
                    #expect(await child.wait(.seconds(5)) == .status(0), "\(node)")
                }
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func aClientThatNeverFinishesIsCutOffAtTheDeadline() async throws {
            try await SmallWorld.run { small in
                let stream = try RawClient(small.tcp, timeout: 10)
                try stream.send("GET /")
                try await Task.sleep(for: .milliseconds(100))
                let start = ContinuousClock.now
                await small.world.send(SIGTERM, to: "l4")
                let child = try #require(await small.world.child("l4"))
                #expect(await child.wait(.seconds(8)) == .status(0))
                let took = ContinuousClock.now - start
                #expect(took > .seconds(2) && took < .seconds(6), "drainTimeout is 3 s; it took \(took)")
            }
        }

        /// A service manager may stop or reload what it has only just started.
        @Test(.timeLimit(.minutes(1)))
        func signalsAreHeardFromTheFirstConnectionOn() async throws {
            try await SmallWorld.run { small in
                for (node, address) in [("dns", small.dns), ("l7", small.http), ("l4", small.tcp)] {
                    for _ in 1...3 {
                        try await small.world.restart(node)
                        while (try? RawClient(address)) == nil { try await Task.sleep(for: .milliseconds(1)) }
                        await small.world.send(SIGHUP, to: node)
                        await small.world.send(SIGTERM, to: node)
                        let child = try #require(await small.world.child(node))
                        #expect(await child.wait(.seconds(8)) == .status(0), "\(node)")
                    }
                }
            }
        }
    }
}
