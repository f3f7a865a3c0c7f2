import Model
import TestKit
import Testing

@testable import L7Tier

@Suite("Round trips of clients")
struct RoundTripTests {
    @Test("A reservoir keeps an even sample, and no more than its capacity")
    func reservoir() {
        var generator = SeededGenerator(seed: 1)
        let reservoir = RoundTripReservoir()
        let count = 20 * RoundTripReservoir.capacity
        for index in 0..<count {
            reservoir.add(IPAddress(v4: UInt32(index)), microseconds: 1, random: generator.next())
        }
        let samples = reservoir.take()
        #expect(samples.count == RoundTripReservoir.capacity)
        let early = samples.filter { Int($0.client.v4) < count / 2 }.count
        #expect(abs(Double(early) / Double(samples.count) - 0.5) < 0.05)
        #expect(reservoir.take().isEmpty)
    }

    @Test("A window every ten seconds, with the busiest prefixes, numbered; none when nobody came")
    func book() throws {
        let book = RoundTripBook()
        let second: UInt64 = 1_000_000_000
        #expect(!book.turn(now: 100 * second))
        for index in 0..<UInt32(600) {
            // The first prefixes have the most samples; two clients each.
            for _ in 0..<(index < 100 ? 3 : 1) {
                book.add([
                    .init(client: IPAddress(v4: 10 << 24 | index << 8 | 7), microseconds: 20_000),
                    .init(
                        client: IPAddress(v6: 0, 0xffff_0000_0000 | UInt64(10 << 24 | index << 8 | 9)),
                        microseconds: 90_000),
                ])
            }
        }
        #expect(!book.turn(now: 109 * second) && book.window == nil)
        #expect(book.turn(now: 110 * second))
        let window = try #require(book.window)
        #expect(window.number == 1 && window.prefixes.count == RoundTripWindow.maximumPrefixes)
        #expect(window.prefixes.first?.prefix == IPPrefix("10.0.0.0/24"))
        #expect(window.prefixes.first?.counts.map(\.samples) == [3, 3])
        #expect(window.prefixes.prefix(100).allSatisfy { $0.samples == 6 })
        #expect(book.samples == 2 * (500 + 300))
        #expect(book.turn(now: 120 * second) && book.window == nil)
        book.add([.init(client: IPAddress(v4: 1), microseconds: 1)])
        #expect(book.turn(now: 130 * second) && book.window?.number == 2)
    }
}
