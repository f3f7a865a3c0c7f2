import Glibc
import HTTPWire
import Model
import TestKit
import Testing

/// Who is asked for, and who asks.
@Suite("Hosts and addresses")
struct AuthorityTests {
    private func host(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            Authority.host(in: bytes.bytes, Slice(0, bytes.count)).map {
                String(decoding: bytes[$0.start..<$0.end], as: UTF8.self)
            }
        }
    }

    private func address(_ text: String) -> IPAddress? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { IPAddress($0.bytes, Slice(0, $0.count)) }
    }

    /// What the C library reads.
    private func known(_ text: String) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &octets) == 1 { return Array(octets[..<4]) }
        return inet_pton(AF_INET6, text, &octets) == 1 ? octets : nil
    }

    private func octets(_ address: IPAddress) -> [UInt8] {
        (0..<(address.family == .v4 ? 4 : 16)).map { address.byte(at: $0) }
    }

    @Test(
        "A host is a name of labels or an IPv6 address in brackets, with a port or without",
        arguments: [
            ("a", "a"), ("a.test:80", "a.test"), ("A.test.", "A.test"), ("a.test.:1", "a.test"),
            ("a_b.test", "a_b.test"),
            ("192.0.2.1", "192.0.2.1"), ("[::1]", "[::1]"), ("[::1]:8080", "[::1]"), ("a:", "a"),
            ("[2001:db8::192.0.2.1]:1", "[2001:db8::192.0.2.1]"),
            ("[0000:0000:0000:0000:0000:ffff:255.255.255.255]", "[0000:0000:0000:0000:0000:ffff:255.255.255.255]"),
        ])
    func hosts(text: String, expected: String) { #expect(host(text) == expected) }

    @Test(
        "Nothing else is a host",
        arguments: [
            "", ".", "..", "a..b", ".a", "a..", ":80", "a:b", "a:65536", "a:1:2", "a@b", "a b", "a/b", "[", "[]",
            "[]:1",
            "[::1", "[::1]x", "[::1]:x", "[1]", "[192.0.2.1]", "[::1%25lo]", "[::g]", "[1:2:3:4:5:6:7:8:9]", "[v1.a:b]",
            "[:]", "[.]", "[....]", "[:::]", "[" + String(repeating: ":", count: 16_000) + "]",
            "[" + String(repeating: "a.", count: 8_000) + "]", "[" + String(repeating: "0", count: 46) + "::]",
            String(repeating: "a", count: 64), String(repeating: "a", count: 64) + ".test",
            String(repeating: "a.", count: 128), String(repeating: "a.", count: 8_000) + "test",
            "x." + String(repeating: "a", count: 16_000),
        ])
    func refused(text: String) { #expect(host(text) == nil) }

    @Test("The longest name and label that there are")
    func longest() {
        let name = String(repeating: "a.", count: 126) + "a"
        #expect(host(name) == name)
        #expect(host(name + ".") == name)
        #expect(host(name + "b") == nil)
        let label = String(repeating: "a", count: 63)
        #expect(host(label + ".test") == label + ".test")
        #expect(host("test." + label) == "test." + label)
    }

    @Test("Addresses are read as the C library reads them", arguments: 1...4)
    func addresses(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let samples = [
            "192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "2001:db8::1", "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "64:ff9b::192.0.2.33", "fe80::1:2",
            "1::2:0:0:3",
        ]
        let alphabet = Array("0123456789abcdefABCDEFg:.[]% ".utf8)
        for sample in samples { #expect(address(sample).map(octets) == known(sample), "\(sample)") }
        for _ in 0..<20_000 {
            var text = Array(samples[Int.random(in: 0..<samples.count, using: &random)].utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let octet = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: text[place] = octet
                case 1: text.insert(octet, at: place)
                default: if text.count > 1 { text.remove(at: place) }
                }
            }
            let string = String(decoding: text, as: UTF8.self)
            #expect(address(string).map(octets) == known(string), "\(string)")
        }
    }

    @Test("Addresses are written in the one form that there is", arguments: 1...4)
    func written(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var room = [UInt8](repeating: 0, count: 64)
        for _ in 0..<5_000 {
            // Groups of zeros are what the form is about.
            var value: UInt128 = 0
            for _ in 0..<8 {
                let group = Bool.random(using: &random) ? 0 : UInt128.random(in: 0...0xffff, using: &random)
                value = value << 16 | group
            }
            let address =
                Int.random(in: 0...4, using: &random) == 0
                ? IPAddress(v4: UInt32.random(in: 0...UInt32.max, using: &random))
                : IPAddress(v6: UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
            let text = try room.withUnsafeMutableBytes { room in
                var writer = try #require(HeadWriter(room))
                writer.append(address: address)
                return String(decoding: writer.written, as: UTF8.self)
            }
            #expect(text == address.description)
            #expect(self.address(text) == address)
        }
    }

    @Test("A Connection field names sixteen options at most, whichever way they come")
    func options() {
        func parse(_ fields: String) -> HeadResult {
            let bytes = Array("GET / HTTP/1.1\r\nHost: h\r\n\(fields)\r\n".utf8)
            return bytes.withUnsafeBytes { RequestHead().parse($0.bytes, limits: RequestHead.Limits()) }
        }
        let sixteen = (1...16).map { "x-\($0)" }.joined(separator: ",")
        #expect(parse("Connection: \(sixteen)\r\n") == .complete)
        #expect(parse("Connection: \(sixteen),close\r\n") == .invalid(.tooManyOptions))
        #expect(parse(String(repeating: "Connection: keep-alive\r\n", count: 16)) == .complete)
        #expect(parse(String(repeating: "Connection: keep-alive\r\n", count: 17)) == .invalid(.tooManyOptions))
        #expect(parse("Connection: " + String(repeating: "a,", count: 7_000) + "\r\n") == .invalid(.tooManyOptions))
    }
}
