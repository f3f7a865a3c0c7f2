import Federation
import Model
import TestKit
import Testing

@Suite("Signatures")
struct KeyringTests {
    private let bytes = Array(#"{"node":"a"}"#.utf8)

    @Test("HMAC-SHA256 as RFC 4231, test case 2")
    func vector() throws {
        let keyring = try #require(Keyring([("k", Array("Jefe".utf8))]))
        let signed = keyring.sign(Array("what do ya want for nothing?".utf8))
        #expect(
            Keyring.hex(signed.signature) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("What was signed verifies; any other octet, key or signature does not")
    func tampering() throws {
        let keyring = try Fixture.keyring("k1")
        let signed = keyring.sign(bytes)
        #expect(keyring.verifies(signed))
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(!keyring.verifies(SignedReport(key: "k1", bytes: changed, signature: signed.signature)))
        }
        for index in signed.signature.indices {
            var changed = signed.signature
            changed[index] ^= 0x80
            #expect(!keyring.verifies(SignedReport(key: "k1", bytes: bytes, signature: changed)))
        }
        #expect(!keyring.verifies(SignedReport(key: "k1", bytes: bytes, signature: [])))
        #expect(!keyring.verifies(SignedReport(key: "k1", bytes: bytes, signature: signed.signature.dropLast())))
        #expect(!keyring.verifies(SignedReport(key: "k2", bytes: bytes, signature: signed.signature)))
        #expect(try !Fixture.keyring("other").verifies(signed))
        #expect(Keyring([]) == nil)
    }

    @Test("Keys rotate without a moment of silence")
    func rotation() throws {
        let (old, adding, moved, new) = try (
            Fixture.keyring("k1"), Fixture.keyring("k1", "k2"), Fixture.keyring("k2", "k1"), Fixture.keyring("k2")
        )
        // At each step of the rotation, nodes before and after it understand one another.
        for (left, right) in [(old, adding), (adding, moved), (moved, new)] {
            #expect(left.verifies(right.sign(bytes)))
            #expect(right.verifies(left.sign(bytes)))
        }
        #expect(!new.verifies(old.sign(bytes)))
    }

    @Test("An authorization opens its own target, in its own time, for its own node")
    func authorization() throws {
        let keyring = try Fixture.keyring("k1", "k2")
        let target = "/federation/v1/reports?since=5&wait=10"
        let now = Fixture.start
        let header = keyring.authorization(node: "a", target: target, now: now)
        func ask(_ header: String?, _ target: String, _ now: Timestamp) -> String? {
            keyring.authorizes(header, target: target, now: now, clockSkew: .seconds(30))
        }
        #expect(ask(header, target, now) == "a")
        #expect(ask(header, target, now + .seconds(30)) == "a")
        #expect(ask(header, target, now - .seconds(30)) == "a")
        #expect(ask(header, target, now + .seconds(31)) == nil)
        #expect(ask(header, target, now - .seconds(31)) == nil)
        #expect(ask(header, target + "0", now) == nil)
        #expect(ask(nil, target, now) == nil)
        let parts = header.split(separator: " ").map(String.init)
        for (index, forged) in ["k2", "b", "\(now.milliseconds + 1)", String(repeating: "0", count: 64)].enumerated() {
            var changed = parts
            changed[index] = forged
            #expect(ask(changed.joined(separator: " "), target, now) == nil)
        }
        for broken in ["", " ", "a b c d", "k1 a 9223372036854775807 00", "k1 a -1 00", header + " x"] {
            #expect(ask(broken, target, now) == nil)
        }
    }

    @Test("A report's signature opens no request")
    func separation() throws {
        let keyring = try Fixture.keyring("k1")
        let forged = Array("meridian-request-1\nk1\na\n\(Fixture.start.milliseconds)\n/x".utf8)
        // Whoever could have a node sign this text could ask in its name; reports are JSON objects and never start so.
        let code = Keyring.hex(keyring.sign(forged).signature)
        let header = "k1 a \(Fixture.start.milliseconds) \(code)"
        #expect(keyring.authorizes(header, target: "/x", now: Fixture.start, clockSkew: .zero) == "a")
        #expect(forged.first != bytes.first)
    }

    @Test("Hexadecimal reads what it writes")
    func hexadecimal() {
        let all = Array(UInt8.min...UInt8.max)
        #expect(Keyring.octets(Keyring.hex(all)) == all)
        #expect(Keyring.octets("0aF") == nil)
        #expect(Keyring.octets("0g") == nil)
        #expect(Keyring.octets("") == [])
    }
}
