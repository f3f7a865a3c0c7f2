import Geo
import Model
import TestKit
import Testing

@Suite("Prefix table")
struct PrefixTableTests {
    /// What the table must agree with: every prefix looked at.
    struct Naive {
        let entries: [(prefix: IPPrefix, value: UInt32)]
        let otherwise: UInt32

        func value(of address: IPAddress) -> UInt32 {
            var best: (length: Int, value: UInt32)?
            for (prefix, value) in entries where prefix.contains(address) {
                if prefix.length >= best?.length ?? 0 { best = (prefix.length, value) }
            }
            return best?.value ?? otherwise
        }
    }

    @Test("Agrees with a linear search, and its width is right and widest", arguments: UInt64(0)..<60)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let entries = RandomAddresses.entries(using: &generator)
        let naive = Naive(entries: entries, otherwise: 99)
        let table = PrefixTable(entries, otherwise: 99)
        for address in RandomAddresses.probes(entries.map(\.prefix), using: &generator) {
            let match = table.lookup(address)
            #expect(match.value == naive.value(of: address), "\(address)")
            let range = IPPrefix(address, length: match.width)
            for _ in 0..<4 {
                let other = RandomAddresses.address(in: range, using: &generator)
                #expect(naive.value(of: other) == match.value, "\(other) within \(range)")
            }
            guard match.width > 0 else { continue }
            // One bit wider, somebody has another value: at an edge of some entry, if anywhere.
            let wider = IPPrefix(address, length: match.width - 1)
            let edges = entries.flatMap { RandomAddresses.edges(of: $0.prefix) } + RandomAddresses.edges(of: wider)
            #expect(edges.contains { wider.contains($0) && naive.value(of: $0) != match.value }, "\(wider)")
        }
    }

    @Test("Joining two tables is looking in both", arguments: UInt64(0)..<30)
    func combined(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let left = RandomAddresses.entries(using: &generator)
        let right = RandomAddresses.entries(using: &generator)
        let (naiveLeft, naiveRight) = (Naive(entries: left, otherwise: 7), Naive(entries: right, otherwise: 8))
        let table = PrefixTable(left, otherwise: 7).combined(with: PrefixTable(right, otherwise: 8)) { $0 * 100 + $1 }
        for address in RandomAddresses.probes((left + right).map(\.prefix), using: &generator) {
            #expect(table.lookup(address).value == naiveLeft.value(of: address) * 100 + naiveRight.value(of: address))
        }
    }

    @Test("Replaced values join neighbours")
    func mapped() throws {
        let table = PrefixTable(
            [(try #require(IPPrefix("10.0.0.0/9")), 1), (try #require(IPPrefix("10.128.0.0/9")), 2)], otherwise: 0)
        let address = try #require(IPAddress("10.1.1.1"))
        #expect(table.lookup(address) == .init(value: 1, width: 9))
        #expect(table.mapped { $0 == 0 ? 0 : 5 }.lookup(address) == .init(value: 5, width: 8))
        #expect(table.mapped { _ in 5 }.lookup(address) == .init(value: 5, width: 0))
        #expect(table.mapped { _ in 5 }.rangeCount == 2)
    }

    @Test("A less specific match reaches to its more specific neighbours and no further")
    func scope() throws {
        let table = PrefixTable(
            [(try #require(IPPrefix("10.0.0.0/8")), 1), (try #require(IPPrefix("10.1.2.0/24")), 2)], otherwise: 0)
        func width(_ text: String) throws -> Int { table.lookup(try #require(IPAddress(text))).width }
        #expect(try width("10.1.2.3") == 24)
        #expect(try width("10.1.3.3") == 24)
        #expect(try width("10.1.0.3") == 23)
        #expect(try width("10.0.0.1") == 16)
        #expect(try width("10.200.0.1") == 9)
        #expect(try width("11.0.0.1") == 8)
        #expect(try width("200.0.0.1") == 1)
        #expect(try width("2001:db8::1") == 0)
    }

    @Test("Of equal prefixes the later one wins and both are told")
    func duplicates() throws {
        let prefix = try #require(IPPrefix("2001:db8::/32"))
        var seen: [[Int]] = []
        let table = PrefixTable([(prefix, 1), (prefix, 2), (prefix, 3)], otherwise: 0) { seen.append([$0, $1]) }
        #expect(table.lookup(prefix.address).value == 3)
        #expect(seen == [[0, 1], [1, 2]])
    }

    @Test("Prefixes of the whole family and of single addresses, at both ends")
    func extremes() throws {
        let table = PrefixTable(
            [
                (try #require(IPPrefix("0.0.0.0/0")), 1), (try #require(IPPrefix("255.255.255.255/32")), 2),
                (try #require(IPPrefix("0.0.0.0/32")), 3), (try #require(IPPrefix("::/0")), 4),
                (try #require(IPPrefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), 5),
            ], otherwise: 0)
        #expect(table.lookup(IPAddress(v4: .max)) == .init(value: 2, width: 32))
        #expect(table.lookup(IPAddress(v4: 0)) == .init(value: 3, width: 32))
        #expect(table.lookup(IPAddress(v4: 1)) == .init(value: 1, width: 32))
        #expect(table.lookup(IPAddress(v6: .max, .max)) == .init(value: 5, width: 128))
        #expect(table.lookup(IPAddress(v6: 0, 0)) == .init(value: 4, width: 1))
    }

    @Test("A hundred thousand prefixes are held in at most twice as many ranges")
    func large() {
        var generator = SeededGenerator(seed: 1)
        var entries: [(prefix: IPPrefix, value: UInt32)] = []
        for value in 0..<UInt32(100_000) {
            let address = IPAddress(v4: UInt32.random(in: 0...UInt32.max, using: &generator))
            entries.append((IPPrefix(address, length: 24), value))
        }
        let table = PrefixTable(entries, otherwise: .max)
        #expect(table.rangeCount <= 200_002)
        var last: [IPPrefix: UInt32] = [:]
        for (prefix, value) in entries { last[prefix] = value }
        #expect(last.allSatisfy { table.lookup($0.key.address).value == $0.value })
    }

    /// What the table must agree with where prefixes are many: a trie of bits.
    final class Trie {
        var value: UInt32?
        var sides: (Trie?, Trie?) = (nil, nil)

        func insert(_ prefix: IPPrefix, _ value: UInt32) {
            var node = self
            for index in 0..<prefix.length {
                let isRight = prefix.address.bit(at: index)
                let next = (isRight ? node.sides.1 : node.sides.0) ?? Trie()
                if isRight { node.sides.1 = next } else { node.sides.0 = next }
                node = next
            }
            node.value = value
        }

        func value(of address: IPAddress) -> UInt32? {
            var node = self
            var found = value
            for index in 0..<address.family.bits {
                guard let next = address.bit(at: index) ? node.sides.1 : node.sides.0 else { break }
                node = next
                found = node.value ?? found
            }
            return found
        }
    }

    /// Where prefixes crowd: everywhere, in one /8 or /32, in one /64, around bucket and slot edges.
    enum Crowd: CaseIterable {
        case spread, one, host, edges, mixed

        func prefix(using generator: inout SeededGenerator) -> IPPrefix {
            let v4 = Bool.random(using: &generator)
            let noise = generator.next()
            switch self {
            case .spread:
                return v4
                    ? IPPrefix(IPAddress(v4: UInt32(truncatingIfNeeded: noise)), length: 24)
                    : IPPrefix(IPAddress(v6: 0x2000 << 48 | noise >> 3, 0), length: 48)
            case .one:
                return v4
                    ? IPPrefix(IPAddress(v4: 10 << 24 | UInt32(truncatingIfNeeded: noise) >> 8), length: 28)
                    : IPPrefix(IPAddress(v6: 0x2001_0db8 << 32 | noise >> 32, 0), length: 48 + Int(noise & 15))
            case .host:
                return v4
                    ? IPPrefix(IPAddress(v4: 0x0a01_0000 | UInt32(noise & 0xffff)), length: 32)
                    : IPPrefix(IPAddress(v6: 0x2001_0db8 << 32 | noise & 3, noise), length: 128 - Int(noise & 7))
            case .edges:
                let step = UInt32(noise & 0xff) << 24 | (noise & 256 == 0 ? 0 : 0xffff)
                return v4
                    ? IPPrefix(IPAddress(v4: step &- UInt32(noise >> 9 & 1)), length: 32)
                    : IPPrefix(
                        IPAddress(v6: (noise & 0xffff) << 48 &- (noise >> 16 & 1), noise & 0x10000 == 0 ? 0 : .max),
                        length: noise & 0x20000 == 0 ? 128 : 64)
            case .mixed:
                let crowd = [Crowd.spread, .one, .host, .edges].randomElement(using: &generator) ?? .spread
                let prefix = crowd.prefix(using: &generator)
                return IPPrefix(prefix.address, length: Int.random(in: 0...prefix.length, using: &generator))
            }
        }
    }

    @Test(
        "Thousands of prefixes, spread or crowded, agree with a trie, and widths with what lies around",
        arguments: Crowd.allCases)
    func crowded(crowd: Crowd) {
        var generator = SeededGenerator(seed: 7)
        var entries: [(prefix: IPPrefix, value: UInt32)] = []
        let tries: [IPAddress.Family: Trie] = [.v4: Trie(), .v6: Trie()]
        for value in 0..<UInt32(6000) {
            let prefix = crowd.prefix(using: &generator)
            entries.append((prefix, value % 7))
            tries[prefix.address.family]?.insert(prefix, value % 7)
        }
        let table = PrefixTable(entries, otherwise: 99)
        func naive(_ address: IPAddress) -> UInt32 { tries[address.family]?.value(of: address) ?? 99 }
        for address in RandomAddresses.probes(entries.map(\.prefix), using: &generator) {
            let match = table.lookup(address)
            guard match.value == naive(address) else {
                Issue.record("\(address): \(match.value), not \(naive(address))")
                return
            }
            let range = IPPrefix(address, length: match.width)
            let others = RandomAddresses.edges(of: range)
            #expect(naive(others[0]) == match.value && naive(others[1]) == match.value, "\(range)")
            #expect(table.lookup(others[0]) == match && table.lookup(others[1]) == match, "\(range)")
        }
    }

    @Test(
        "Joined and replaced tables of thousands of crowded prefixes are what their lookups say",
        arguments: Crowd.allCases)
    func crowdedJoins(crowd: Crowd) {
        var generator = SeededGenerator(seed: 8)
        func some() -> [(prefix: IPPrefix, value: UInt32)] {
            (0..<1500).map { (crowd.prefix(using: &generator), UInt32($0 % 5)) }
        }
        let (first, second) = (some(), some())
        let (left, right) = (PrefixTable(first, otherwise: 9), PrefixTable(second, otherwise: 9))
        let joined = left.combined(with: right) { $0 * 10 + $1 }
        let same = left.mapped { $0 }
        for address in RandomAddresses.probes((first + second).map(\.prefix), using: &generator) {
            let (one, two) = (left.lookup(address), right.lookup(address))
            let match = joined.lookup(address)
            #expect(match == .init(value: one.value * 10 + two.value, width: max(one.width, two.width)), "\(address)")
            #expect(same.lookup(address) == one, "\(address)")
        }
        #expect(same.rangeCount == left.rangeCount)
    }
}
