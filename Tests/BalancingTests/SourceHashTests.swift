import Model
import TestKit
import Testing

@testable import Balancing

@Suite struct SourceHashTests {
    private let keys = (1...10).map { SourceHash.key(of: SocketAddress(IPAddress(v4: 0x0a00_0000 + $0), port: 5432)) }
    private let sources = (0..<2000).map { SourceHash.source(IPAddress(v4: 0xc000_0200 &+ UInt32($0) &* 7919)) }

    @Test func everyEntryIsFilledInEqualShares() {
        let table = SourceHash(keys: keys, weights: Array(repeating: 1, count: 10)).table
        #expect(table.count == 65537)
        for position in 0..<10 {
            let share = table.count { Int($0) == position }
            #expect((6553...6554).contains(share))
        }
    }

    /// Envoy's published shares for weights 1:2 over 65537 entries.
    @Test func weightsAreKept() {
        let table = SourceHash(keys: Array(keys[..<2]), weights: [1, 2]).table
        #expect(table.count { $0 == 0 } == 21846)
        #expect(table.count { $0 == 1 } == 43691)
    }

    @Test func nodesAgreeWhateverTheOrder() {
        let forward = SourceHash(keys: keys, weights: Array(1...10))
        let backward = SourceHash(keys: keys.reversed(), weights: (1...10).reversed())
        #expect(zip(forward.table, backward.table).allSatisfy { Int($0) == 9 - Int($1) })
    }

    @Test func anEndpointThatFailsMovesOnlyItsOwnClients() {
        let weights = Array(repeating: 1, count: 10)
        let policy = SourceHash(keys: keys, weights: weights)
        let whole = Fleet(weights: weights)
        let reduced = Fleet(weights: weights, down: [3])
        var heirs: Set<Int> = []
        for source in sources {
            let before = policy.pick(among: whole, source: source)
            let after = policy.pick(among: reduced, source: source)
            #expect(after != 3)
            if before == 3 { heirs.insert(after ?? -1) } else { #expect(before == after) }
        }
        #expect(heirs.count == 9)
    }

    @Test func anEndpointThatIsRemovedMovesFewOthers() {
        let whole = SourceHash(keys: keys, weights: Array(repeating: 1, count: 10)).table
        let reduced = SourceHash(keys: Array(keys[..<9]), weights: Array(repeating: 1, count: 9)).table
        let moved = zip(whole, reduced).count { $0 != 9 && $0 != $1 }
        // The paper's figure 11 has about 2% with a large table; twice that is the alarm.
        #expect(Double(moved) / 65537 < 0.04)
    }

    @Test func aClientKeepsItsEndpoint() {
        let policy = SourceHash(keys: keys, weights: Array(repeating: 1, count: 10))
        let fleet = Fleet(weights: Array(repeating: 1, count: 10))
        for source in sources {
            #expect(policy.pick(among: fleet, source: source) == policy.pick(among: fleet, source: source))
        }
        let mapped = IPAddress(v6: 0, 0xffff_c000_0201)
        #expect(SourceHash.source(mapped) == SourceHash.source(IPAddress(v4: 0xc000_0201)))
    }

    @Test func theLastOneLeftIsFound() {
        let weights = Array(repeating: 1, count: 300)
        let keys = (0..<300).map { SourceHash.key(of: SocketAddress(IPAddress(v4: $0), port: 1)) }
        let policy = SourceHash(keys: keys, weights: weights)
        let fleet = Fleet(weights: weights, down: Set(0..<299))
        for source in sources[..<100] { #expect(policy.pick(among: fleet, source: source) == 299) }
    }

    @Test func nobodyUsableIsNil() {
        let policy = SourceHash(keys: Array(keys[..<2]), weights: [1, 0])
        #expect(policy.pick(among: Fleet(weights: [1, 0], down: [0]), source: 5) == nil)
        #expect(SourceHash(keys: [], weights: []).pick(among: Fleet(weights: []), source: 5) == nil)
    }
}
