import StreamWire
import TestKit
import Testing

@Suite struct PostgreSQLStartupTests {
    private func packet(_ code: UInt32, _ rest: [UInt8] = []) -> [UInt8] {
        let length = UInt32(8 + rest.count)
        return [length, code].flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) } }
            + rest
    }

    private func read(_ bytes: [UInt8]) -> PostgreSQLStartup { PostgreSQLStartup(bytes.span) }

    @Test func tellsTheRequestsApart() {
        #expect(read(packet(80_877_103)) == .encryption(length: 8))
        #expect(read(packet(80_877_104)) == .encryption(length: 8))
        #expect(read(packet(80_877_102, Array(repeating: 1, count: 8))) == .cancel(length: 16))
        let parameters = Array("user\0postgres\0\0".utf8)
        #expect(read(packet(0x30000, parameters)) == .login(length: 8 + parameters.count))
        #expect(read(packet(0x30002, parameters)) == .login(length: 8 + parameters.count))
    }

    /// What HAProxy's pgsql-check sends.
    @Test func readsAKnownPacket() {
        let check: [UInt8] = [
            0, 0, 0, 0x17, 0, 3, 0, 0, 0x75, 0x73, 0x65, 0x72, 0, 0x70, 0x6f, 0x73, 0x74, 0x67, 0x72, 0x65, 0x73, 0, 0,
        ]
        #expect(read(check) == .login(length: 23))
    }

    @Test func everyPrefixIsIncomplete() {
        let whole = packet(0x30000, Array("user\0x\0\0".utf8))
        for count in 0..<whole.count { #expect(read(Array(whole[..<count])) == .incomplete) }
        #expect(read(whole + [1, 2, 3]) == .login(length: whole.count))
    }

    @Test func refusesWhatIsNoPostgreSQL() {
        #expect(read(Array("GET / HTTP/1.1\r\n".utf8)) == .malformed)
        #expect(read([0x16, 3, 1]) == .malformed)
        #expect(read([0, 0, 0, 7, 0, 3, 0, 0]) == .malformed)
        #expect(read([0, 0, 0x27, 0x11, 0, 3, 0, 0]) == .malformed)
        #expect(read(packet(0x20000)) == .malformed)
    }

    @Test func anyBytesAreAnswered() {
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...9, using: &generator)
            }
            if case .login(let length) = read(bytes) { #expect(length <= bytes.count) }
        }
    }

    @Test func encodesAnErrorAsAServerWould() {
        let bytes = PostgreSQLError.cannotConnectNow("no\0pe", hint: "wait").encoded
        #expect(bytes[0] == 0x45)
        #expect(Int(bytes[3]) << 8 | Int(bytes[4]) == bytes.count - 1)
        #expect(String(decoding: bytes[5...], as: UTF8.self) == "SFATAL\0VFATAL\0C57P03\0Mnope\0Hwait\0\0")
    }
}
