import Model
import TestKit
import Testing
import WorldKit

extension SystemTests {
    /// Thousands of connections that end in every way there is; afterwards a node has as many descriptors as before.
    @Suite struct DescriptorTests {
        private func leavesNone(_ node: String, _ load: (SmallWorld) throws -> Void) async throws {
            try await SmallWorld.run { small in
                // Once before the count: connections to backends are kept, and logs are opened on first use.
                try load(small)
                let isSettled = try await TemporaryWorld.eventually(within: .seconds(4)) {
                    try await small.descriptors(of: node) < 60
                }
                #expect(isSettled)
                try await Task.sleep(for: .milliseconds(500))
                let before = try await small.descriptors(of: node)
                for _ in 0..<3 { try load(small) }
                // Kept backend connections may differ by those that were kept (`keepalive: 4`, two endpoints).
                let isBack = try await TemporaryWorld.eventually(within: .seconds(6)) {
                    try await small.descriptors(of: node) <= before + 8
                }
                let after = try await small.descriptors(of: node)
                #expect(isBack, "\(before) descriptors before, \(after) after")
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func requestsOfEveryKind() async throws {
            try await leavesNone("l7") { small in
                for round in 0..<60 {
                    let good = try RawClient(small.http)
                    try good.send("GET / HTTP/1.1\r\nHost: www.small.test\r\nConnection: close\r\n\r\n")
                    #expect(try good.readToEnd().hasPrefix("HTTP/1.1 200"))
                    let dead = try RawClient(small.http)
                    try dead.send("GET / HTTP/1.1\r\nHost: nobody.small.test\r\nConnection: close\r\n\r\n")
                    #expect(try dead.readToEnd().hasPrefix("HTTP/1.1 50"))
                    let malformed = try RawClient(small.http)
                    try malformed.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
                    #expect(try malformed.readToEnd().hasPrefix("HTTP/1.1 400"))
                    // Gone before, in the middle of and right after the head, and in the middle of a body.
                    let partial = [
                        "", "GET / HT", "GET / HTTP/1.1\r\nHost: www.small.test\r\n\r\n",
                        "POST / HTTP/1.1\r\nHost: www.small.test\r\nContent-Length: 1000\r\n\r\nabc",
                        "POST / HTTP/1.1\r\nHost: www.small.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                    ][round % 5]
                    for _ in 0..<4 {
                        let client = try RawClient(small.http)
                        try client.send(partial)
                        client.hangUp()
                    }
                }
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func streamsOfEveryKind() async throws {
            try await leavesNone("l4") { small in
                for round in 0..<100 {
                    let good = try RawClient(small.tcp)
                    try good.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    good.finishSending()
                    #expect(try good.readToEnd().hasPrefix("HTTP/1.1 200"))
                    for _ in 0..<4 {
                        let client = try RawClient(small.tcp)
                        if round % 2 == 0 { try client.send("GET / HTTP/1.1\r\nHo") }
                        client.hangUp()
                    }
                }
            }
        }

        @Test(.timeLimit(.minutes(2)))
        func queriesOverTCP() async throws {
            // static.small.test A, with its length in front.
            let query: [UInt8] =
                [0, 35, 0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6] + Array("static".utf8) + [5] + Array("small".utf8)
                + [4] + Array("test".utf8) + [0, 0, 1, 0, 1]
            try await leavesNone("dns") { small in
                for round in 0..<100 {
                    let good = try RawClient(small.dns)
                    try good.send(query)
                    let length = try good.read(count: 2)
                    let answer = try good.read(count: Int(length[0]) << 8 | Int(length[1]))
                    #expect(answer.prefix(2) == [0x12, 0x34] && answer[3] & 15 == 0)
                    good.hangUp()
                    let partial = [[], [0], [0, 35, 1], Array(query.dropLast(3)), [0, 2, 1, 2]][round % 5]
                    for _ in 0..<4 {
                        let client = try RawClient(small.dns)
                        try client.send(partial)
                        client.hangUp()
                    }
                }
            }
        }
    }
}
