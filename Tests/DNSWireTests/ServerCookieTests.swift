import DNSWire
import Model
import Testing

/// RFC 9018 appendix A, and the first vectors of the SipHash paper.
@Suite struct ServerCookieTests {
    private static func hex(_ octets: [UInt8]) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func octets(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.utf8.count, by: 2).map { index in
            let start = hex.index(hex.startIndex, offsetBy: index)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16) ?? 0
        }
    }

    private func cookie(_ clientPart: String, _ client: String, _ time: UInt32, _ key: String) throws -> String {
        let octets = Self.octets(clientPart)
        let made = ServerCookie(
            clientPart: ServerCookie.clientPart(octets.span.bytes, at: 0), client: try #require(IPAddress(client)),
            time: time, key: try #require(SipKey(hex: key)))
        var output = [UInt8](repeating: 0, count: ServerCookie.size)
        output.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { unsafe made.write(to: base) }
        }
        return Self.hex(output)
    }

    private func judge(_ option: String, _ client: String, at time: UInt32, _ keys: [String]) throws
        -> ServerCookie.Verdict
    {
        let octets = Self.octets(option)
        return ServerCookie.judge(
            octets.span.bytes, 0..<octets.count, client: try #require(IPAddress(client)), time: time,
            keys: keys.compactMap { SipKey(hex: $0) })
    }

    private static let secret = "e5e973e5a6b2a43f48e7dc849e37bfcf"
    private static let oldSecret = "dd3bdf9344b678b185a6f5cb60fca715"
    private static let newSecret = "445536bcd2513298075a5d379663c962"
    private static let v6 = "2001:db8:220:1:59de:d0f4:8769:82b8"

    @Test func makesTheCookiesOfTheStandard() throws {
        #expect(
            try cookie("2464c4abcf10c957", "198.51.100.100", 1_559_731_985, Self.secret)
                == "2464c4abcf10c957010000005cf79f111f8130c3eee29480")
        #expect(
            try cookie("2464c4abcf10c957", "198.51.100.100", 1_559_734_385, Self.secret)
                == "2464c4abcf10c957010000005cf7a871d4a564a1442aca77")
        #expect(
            try cookie("fc93fc62807ddb86", "203.0.113.203", 1_559_734_700, Self.secret)
                == "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e")
        #expect(
            try cookie("22681ab97d52c298", Self.v6, 1_559_741_961, Self.newSecret)
                == "22681ab97d52c298010000005cf7c609a6bb79d16625507a")
    }

    @Test func verifiesWhatTheStandardVerifies() throws {
        // A.3: reserved octets that are not zero are part of what was hashed.
        let reserved = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5"
        #expect(try judge(reserved, "203.0.113.203", at: 1_559_727_985, [Self.secret]) == .good(isFresh: true))
        // A.4: made with the secret before.
        let rolled = "22681ab97d52c298010000005cf7c57926556bd0934c72f8"
        let keys = [Self.newSecret, Self.oldSecret]
        #expect(try judge(rolled, Self.v6, at: 1_559_741_961, keys) == .good(isFresh: false))
        #expect(try judge(rolled, Self.v6, at: 1_559_741_961, [Self.newSecret]) == .unknown)
    }

    @Test func timesAndAddressesAreChecked() throws {
        let made: UInt32 = 1_559_731_985
        let option = "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
        let client = "198.51.100.100"
        #expect(try judge(option, client, at: made + 1800, [Self.secret]) == .good(isFresh: true))
        #expect(try judge(option, client, at: made + 1801, [Self.secret]) == .good(isFresh: false))
        #expect(try judge(option, client, at: made + 3600, [Self.secret]) == .good(isFresh: false))
        #expect(try judge(option, client, at: made + 3601, [Self.secret]) == .unknown)
        #expect(try judge(option, client, at: made - 300, [Self.secret]) == .good(isFresh: true))
        #expect(try judge(option, client, at: made - 301, [Self.secret]) == .unknown)
        #expect(try judge(option, "198.51.100.101", at: made, [Self.secret]) == .unknown)
        #expect(
            try judge(String(option.dropLast(16)) + "1f8130c3eee29481", client, at: made, [Self.secret]) == .unknown)
        #expect(try judge("2464c4abcf10c957", client, at: made, [Self.secret]) == .unknown)
        // The clock wraps in 2106.
        let late = try cookie("2464c4abcf10c957", client, UInt32.max - 10, Self.secret)
        #expect(try judge(late, client, at: 20, [Self.secret]) == .good(isFresh: true))
    }

    @Test func hashesAsItsAuthorsSay() throws {
        let key = try #require(SipKey(hex: "000102030405060708090a0b0c0d0e0f"))
        var empty = SipHash(key)
        #expect(empty.finish(0, count: 0) == 0x726f_db47_dd0e_0e31)
        var fifteen = SipHash(key)
        fifteen.add(0x0706_0504_0302_0100)
        #expect(fifteen.finish(0x0e_0d0c_0b0a_0908, count: 7) == 0xa129_ca61_49be_45e5)
    }

    @Test(arguments: ["", "00", String(repeating: "0", count: 33), "+0112233445566778899aabbccddeeff", "zz"])
    func refusesOtherSecrets(_ text: String) { #expect(SipKey(hex: text) == nil) }
}
