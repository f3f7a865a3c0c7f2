import StreamWire
import TestKit
import Testing

@Suite struct PostgreSQLStreamTests {
    private func message(_ kind: Unicode.Scalar, _ body: [UInt8]) -> [UInt8] {
        let length = UInt32(body.count + 4)
        return [UInt8(ascii: kind)] + (0..<4).map { UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * $0)) } + body
    }

    private func all(_ chunks: [[UInt8]]) throws -> [PostgreSQLMessage] {
        var stream = PostgreSQLStream()
        var messages: [PostgreSQLMessage] = []
        for chunk in chunks {
            stream.append(chunk)
            while let message = try stream.next() { messages.append(message) }
        }
        return messages
    }

    @Test func messagesAreTheSameHoweverTheyArrive() throws {
        let row: [UInt8] = [0, 2, 0, 0, 0, 1, UInt8(ascii: "t"), 255, 255, 255, 255]
        let bytes =
            message("R", [0, 0, 0, 10] + Array("SCRAM-SHA-256\0\0".utf8)) + message("S", Array("a\0b\0".utf8))
            + message("T", [0, 0]) + message("D", row) + message("C", Array("SELECT 1\0".utf8)) + message("Z", [73])
            + message("A", [0, 0, 0, 1, 0, 0]) + message("G", [])
            + message("E", Array("SFATAL\0C57P01\0Mgoing\u{1b}[2J down\0\0".utf8))
        let messages = try all([bytes])
        #expect(messages.count == 9)
        #expect(messages[0] == .authentication(kind: 10, data: Array("SCRAM-SHA-256\0\0".utf8)))
        #expect(messages[3] == .row([[UInt8(ascii: "t")], nil]))
        #expect(Array(messages[4...7]) == [.completed, .ready, .unasked, .unexpected(UInt8(ascii: "G"))])
        guard case .error(let complaint) = messages[8] else { throw Missing() }
        // A terminal's commands stay with the server.
        #expect(complaint.sentence == "FATAL: going\u{FFFD}[2J down" && complaint.state == "57P01")
        #expect(try all(bytes.map { [$0] }) == messages)
    }

    @Test func longMessagesAreNotWaitedFor() {
        var stream = PostgreSQLStream()
        stream.append([UInt8(ascii: "E"), 0, 0x98, 0x96, 0x80])
        #expect(throws: PostgreSQLStream.Breach.tooLong(10_000_000)) { try stream.next() }
        stream = PostgreSQLStream()
        stream.append([UInt8(ascii: "D"), 0xff, 0xff, 0xff, 0xff])
        #expect(throws: PostgreSQLStream.Breach.tooLong(0xffff_ffff)) { try stream.next() }
    }

    @Test(arguments: [
        [UInt8(ascii: "Z"), 0, 0, 0, 3], [UInt8(ascii: "R"), 0, 0, 0, 7, 0, 0, 0],
        [UInt8(ascii: "D"), 0, 0, 0, 5, 0], [UInt8(ascii: "D"), 0, 0, 0, 6, 0, 1],
        [UInt8(ascii: "D"), 0, 0, 0, 11, 0, 1, 0, 0, 0, 9, 1], [UInt8(ascii: "D"), 0, 0, 0, 7, 0, 0, 1],
    ])
    func fieldsBeyondTheirMessageAreABreach(bytes: [UInt8]) {
        var stream = PostgreSQLStream()
        stream.append(bytes)
        #expect(throws: PostgreSQLStream.Breach.malformed(bytes[0])) { try stream.next() }
    }

    @Test func textsAreClippedToFiveKibibytes() throws {
        let messages = try all([message("E", [UInt8(ascii: "M")] + Array(repeating: 0x41, count: 16_000) + [0, 0])])
        guard case .error(let complaint) = messages.first else { throw Missing() }
        #expect(complaint.text.utf8.count == 5120)
    }

    @Test func requestsHaveTheLengthsThatTheySay() {
        let startup = PostgreSQLRequest.startup([("user", "u\0x"), ("database", "d")])
        #expect(startup == [0, 0, 0, 27, 0, 3, 0, 0] + Array("user\0u\0database\0d\0\0".utf8))
        #expect(PostgreSQLRequest.query("x") == [UInt8(ascii: "Q"), 0, 0, 0, 6, UInt8(ascii: "x"), 0])
        #expect(PostgreSQLRequest.saslInitial(mechanism: "S", [7]).count == 12)
    }

    private struct Missing: Error {}
}
