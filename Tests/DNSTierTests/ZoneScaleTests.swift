import DNSTier
import DNSWire
import Foundation
import Testing

/// Zones of a size. `MERIDIAN_ZONE_NAMES` and `MERIDIAN_ZONES` make them larger (1000000 and 100000 are the figures that
/// Docs/LifeOfAQuery.md tells of); what was measured is printed.
@Suite(.serialized) struct ZoneScaleTests {
    private static func number(_ variable: String, _ standard: Int) -> Int {
        ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? standard
    }

    /// Octets of resident memory.
    private static func resident() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (Int(fields[1]) ?? 0) * 4096
    }

    private static let head = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.elsewhere.test.\n"

    @Test func oneZoneOfManyNames() throws {
        let count = Self.number("MERIDIAN_ZONE_NAMES", 20_000)
        var text = Array(Self.head.utf8)
        text.reserveCapacity(count * 48)
        for index in 0..<count {
            text +=
                "host-\(index).rack\(index % 1000) A 10.\(index >> 16 & 255).\(index >> 8 & 255).\(index & 255)\n".utf8
        }
        let before = try Self.resident()
        let start = ContinuousClock.now
        let (zone, errors) = ZoneLoader.load(
            .init(file: "big.zone", text: text), origin: try Name("big.test."), dynamicNames: []
        ) { _, _ in nil }
        #expect(errors.isEmpty)
        let read = ContinuousClock.now
        let table = ZoneTableBuilder.build([try #require(zone)], dynamics: [:])
        let end = ContinuousClock.now
        let grown = try Self.resident() - before
        print(
            "\(count) names: read in \(read - start), compiled in \(end - read); the table takes"
                + " \(table.memorySize / table.nameCount) octets a name, the process grew by \(grown / count)")
        #expect(table.nameCount == count + 1 + min(count, 1000))
        #expect(table.memorySize / table.nameCount < 300)
        let server = AnsweringServer(
            AnswerTable(zones: table, dynamics: DynamicAnswers.compile([], health: []).table, generation: 1))
        for index in stride(from: 0, to: count, by: max(1, count / 997)) {
            let reply = try server.ask("host-\(index).rack\(index % 1000).big.test.", .a)
            #expect(
                reply.answer.first?.data.description == "10.\(index >> 16 & 255).\(index >> 8 & 255).\(index & 255)")
        }
        #expect(try server.ask("nobody.rack1.big.test.", .a).code == .nameError)
        #expect(try server.ask("rack1.big.test.", .a).code == .noError)
    }

    @Test func manyZones() throws {
        let count = Self.number("MERIDIAN_ZONES", 2_000)
        let start = ContinuousClock.now
        let zones = try (0..<count).map { index in
            let text = Self.head + "www A 192.0.2.1\nmail A 192.0.2.2\n@ MX 10 mail\n"
            let (zone, _) = ZoneLoader.load(
                .init(file: "z", text: Array(text.utf8)), origin: try Name("zone\(index).test."), dynamicNames: []
            ) { _, _ in nil }
            return try #require(zone)
        }
        let table = ZoneTableBuilder.build(zones, dynamics: [:])
        let end = ContinuousClock.now
        // What a reload of one costs: the index of names, not the zones.
        let again = ZoneTable(table.segments)
        print(
            "\(count) zones: \(end - start); the table takes \(table.memorySize / count) octets a zone; the index anew"
                + " \(ContinuousClock.now - end)")
        #expect(again.nameCount == 3 * count && again.segments.count == count)
        let server = AnsweringServer(
            AnswerTable(zones: again, dynamics: DynamicAnswers.compile([], health: []).table, generation: 1))
        #expect(try server.ask("mail.zone\(count - 1).test.", .a).answer.count == 1)
        #expect(try server.ask("mail.zone\(count).test.", .a).code == .refused)
    }
}
