import DNSWire
import TestKit
import Testing

@Suite struct NameTests {
    @Test(arguments: [
        ("www.shop.test.", "www.shop.test."), ("shop.test", "shop.test."), (".", "."), ("a\\.b.test.", "a\\.b.test."),
        ("\\065bc.test.", "Abc.test."), ("\\000.test.", "\\000.test."), ("*.test.", "*.test."),
    ])
    func readsAndWritesText(_ text: String, _ canonical: String) throws {
        #expect(try Name(text).description == canonical)
        #expect(try Name(canonical).wire == Name(text).wire)
    }

    @Test(arguments: [
        ("", NameError.empty), ("a..b.", .emptyLabel), (".a.", .emptyLabel), ("a\\", .badEscape),
        ("a\\25.", .badEscape), ("a\\256.", .badEscape),
        (String(repeating: "x", count: 64) + ".", .labelTooLong),
        (String(repeating: "abcdefg.", count: 32), .nameTooLong),
    ])
    func refusesBadText(_ text: String, _ error: NameError) {
        #expect(throws: error) { try Name(text) }
    }

    @Test func completesRelativeNames() throws {
        let origin = try Name("shop.test.")
        #expect(try Name(text: ArraySlice("www".utf8), origin: origin).description == "www.shop.test.")
        #expect(throws: NameError.relativeWithoutOrigin) { try Name(text: ArraySlice("www".utf8), origin: nil) }
    }

    @Test func comparesWithoutCaseAndKeepsIt() throws {
        let mixed = try Name("WwW.Shop.TEST.")
        #expect(try mixed == Name("www.shop.test."))
        #expect(try Set([mixed]).contains(Name("www.SHOP.test.")))
        #expect(mixed.description == "WwW.Shop.TEST.")
        // Octets beside the letters are not letters.
        #expect(try Name("\\064\\091\\192.") != Name("\\096\\123\\224."))
    }

    @Test func knowsItsPlaceInTheTree() throws {
        let name = try Name("a.b.shop.test.")
        #expect(name.labelCount == 4)
        #expect(try name.isWithin(Name("shop.test.")))
        #expect(try !name.isWithin(Name("hop.test.")))
        #expect(name.isWithin(.root))
        #expect(try name.parent == Name("b.shop.test."))
        #expect(try name.replacing(suffix: Name("shop.test."), with: Name("x.")) == Name("a.b.x."))
        #expect(try Name("shop.test.").wildcardChild?.isWildcard == true)
    }

    @Test func decompresses() throws {
        let message: [UInt8] = [0, 0, 3, 0x66, 0x6f, 0x6f, 0, 1, 0x61, 0xc0, 2, 0xc0, 7]
        var position = 7
        #expect(try Name.read(message.span.bytes, at: &position) == Name("a.foo."))
        #expect(position == 11)
        #expect(try Name.read(message.span.bytes, at: &position) == Name("a.foo."))
        #expect(position == 13)
    }

    @Test(
        arguments: [
            ([0xc0, 0], WireError.badPointer), ([1, 0x61, 0xc0, 0], .badPointer), ([0xc0, 2, 0xc0, 0], .badPointer),
            ([3, 0x61], .truncated), ([], .truncated), ([0xc0], .truncated), ([0x41, 0], .badLabel),
            ([0x80, 0], .badLabel),
        ] as [([UInt8], WireError)])
    func refusesBadWire(_ octets: [UInt8], _ error: WireError) {
        #expect(throws: error) {
            var position = 0
            return try Name.read(octets.span.bytes, at: &position)
        }
    }

    @Test func endsOnAnyOctets() {
        var random = SeededGenerator(seed: 7)
        var names = 0
        for _ in 0..<20_000 {
            let octets = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8(
                    [0, 1, 2, 3, 0xc0, 0xc1, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random)
                        ?? 0)
            }
            var position = octets.count / 2
            if let name = try? Name.read(octets.span.bytes, at: &position) {
                names += 1
                #expect(Name(wire: name.wire) == name)
            }
        }
        #expect(names > 100)
    }
}
