import ControlPlane
import DNSTier
import DNSWire
import Foundation
import Model
import Testing
import Topology

/// Reloads: only what was written is read, a broken zone stays as it was, and no zone costs another.
@Suite struct ZoneLibraryTests {
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("zones-\(UUID().uuidString)")
        let library = ZoneLibrary()

        init() throws {
            try FileManager.default.createDirectory(
                at: url.appendingPathComponent("more"), withIntermediateDirectories: true)
            try write("a.test.zone", "www A 192.0.2.1\n$INCLUDE part")
            try write("part", "part A 192.0.2.9", whole: false)
            try write("b.test.zone", "www A 192.0.2.2")
            try write("more/c.test.zone", "www A 192.0.2.3")
            try write("more/ignored.txt", "nothing")
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func write(_ name: String, _ text: String, whole: Bool = true) throws {
            let head = whole ? "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.elsewhere.test.\n" : "$TTL 60\n"
            try Data((head + text + "\n").utf8).write(to: url.appendingPathComponent(name))
        }

        /// `names`: dynamic names of b.test.
        func prepare(names: [String] = ["dyn"], first: [String] = []) throws -> Preparation {
            func block(_ names: [String]) -> String {
                names.isEmpty
                    ? ""
                    : "names:\n"
                        + names.map { "            \($0): {answers: {here: {A: 192.0.2.77}}}\n" }.joined()
            }
            let text = """
                regions: {here: {address: 127.0.0.1}}
                nodes: {dns-1: {tier: dns, region: here, workers: 1}}
                dns:
                  zoneFolder: more
                  zones:
                    a.test:
                      file: a.test.zone
                      \(block(first))
                    b.test:
                      file: b.test.zone
                      \(block(names))
                """
            let path = url.appendingPathComponent("topology.yaml").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            let snapshot = try TopologyLoader.load(path: path)
            return try Preparation(
                snapshot, node: #require(snapshot.node(named: "dns-1")), library: library)
        }

        func addresses(_ preparation: Preparation, _ name: String) throws -> [String] {
            let dynamics = HealthState(preparation.names, board: .init()).dynamics
            let server = AnsweringServer(
                AnswerTable(zones: preparation.zones, dynamics: dynamics, generation: 1))
            return try server.ask(name, .a).answer.map { $0.data.description }
        }
    }

    private func segments(_ preparation: Preparation) -> [ObjectIdentifier] {
        preparation.zones.segments.map { ObjectIdentifier($0) }
    }

    @Test func aFolderOfZonesIsServed() throws {
        let folder = try Folder()
        let first = try folder.prepare()
        #expect(try folder.addresses(first, "www.c.test.") == ["192.0.2.3"])
        #expect(try folder.addresses(first, "part.a.test.") == ["192.0.2.9"])
        #expect(first.zones.segments.count == 3)
    }

    @Test func onlyWhatWasWrittenIsReadAnew() throws {
        let folder = try Folder()
        let first = try folder.prepare()
        #expect(segments(try folder.prepare()) == segments(first), "nothing was written: the same blocks")
        try folder.write("b.test.zone", "www A 192.0.2.22")
        let second = try folder.prepare()
        #expect(segments(second)[0] == segments(first)[0] && segments(second)[2] == segments(first)[2])
        #expect(segments(second)[1] != segments(first)[1])
        #expect(try folder.addresses(second, "www.b.test.") == ["192.0.2.22"])
        try folder.write("part", "part A 192.0.2.99", whole: false)
        let third = try folder.prepare()
        #expect(try folder.addresses(third, "part.a.test.") == ["192.0.2.99"], "included files count too")
        #expect(segments(third)[1] == segments(second)[1])
    }

    @Test("A file may have been written in the year 2400, or 1700")
    func timesBeyondReach() throws {
        let folder = try Folder()
        for seconds in [13_569_465_600.0, -8_520_336_000] {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: seconds)],
                ofItemAtPath: folder.url.appendingPathComponent("a.test.zone").path)
            #expect(try folder.addresses(try folder.prepare(), "www.a.test.") == ["192.0.2.1"])
        }
    }

    @Test func aBrokenZoneStaysAndSaysWhere() throws {
        let folder = try Folder()
        _ = try folder.prepare()
        try folder.write("b.test.zone", "www A 192.0.2.222\nbroken A 300.1.2.3")
        try folder.write("a.test.zone", "www A 192.0.2.11\n$INCLUDE part")
        let second = try folder.prepare()
        #expect(try folder.addresses(second, "www.b.test.") == ["192.0.2.2"], "as it was")
        #expect(try folder.addresses(second, "www.a.test.") == ["192.0.2.11"], "the other one moved on")
        #expect(second.keptZones.count == 1)
        #expect(second.keptZones.first?.origin == "b.test.")
        #expect(second.keptZones.first?.trouble.contains("b.test.zone:5:10: error:") == true)
        // And it is read as soon as it can be.
        try folder.write("b.test.zone", "www A 192.0.2.222")
        let third = try folder.prepare()
        #expect(third.keptZones.isEmpty)
        #expect(try folder.addresses(third, "www.b.test.") == ["192.0.2.222"])
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("b.test.zone"))
        #expect(try folder.prepare().keptZones.count == 1)
    }

    @Test func atTheStartABrokenZoneIsAnError() throws {
        let folder = try Folder()
        try folder.write("b.test.zone", "broken A 300.1.2.3")
        do {
            _ = try folder.prepare()
            Issue.record("it was taken")
        } catch let error as InvalidTopology {
            #expect(error.diagnostics.map(\.description).joined().contains("b.test.zone:4:10: error:"))
        }
    }

    @Test func dynamicNamesKeepTheirAnswersWhenOthersCome() throws {
        let folder = try Folder()
        let first = try folder.prepare()
        #expect(try folder.addresses(first, "dyn.b.test.") == ["192.0.2.77"])
        try folder.write("b.test.zone", "broken A 300.1.2.3")
        // The names of a.test come before: those of b.test, whose file is broken now, get other numbers.
        let second = try folder.prepare(first: ["one", "two"])
        #expect(try folder.addresses(second, "dyn.b.test.") == ["192.0.2.77"])
        #expect(try folder.addresses(second, "two.a.test.") == ["192.0.2.77"])
        // A broken zone whose names are others now cannot stay as it was.
        #expect(throws: InvalidTopology.self) { try folder.prepare(names: ["dyn", "more"]) }
    }

    @Test func innerZonesAnswerForTheirNames() throws {
        let zone = "@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns.elsewhere.test.\nwww 60 A 192.0.2."
        let server = try AnsweringServer(zones: [
            ("test.", zone + "1\ndeep.in.shop 60 A 192.0.2.6\nlink 60 CNAME www.in.shop"),
            ("in.shop.test.", zone + "2"), ("a.b.in.shop.test.", zone + "3"),
        ])
        #expect(try server.ask("www.in.shop.test.", .a).answer.first?.data.description == "192.0.2.2")
        #expect(try server.ask("www.a.b.in.shop.test.", .a).answer.first?.data.description == "192.0.2.3")
        #expect(try server.ask("deep.in.shop.test.", .a).code == .nameError, "the inner zone's word counts")
        let middle = try server.ask("shop.test.", .a)
        #expect(middle.code == .noError && middle.answer.isEmpty, "an empty non-terminal")
        #expect(try server.ask("b.in.shop.test.", .a).code == .noError)
        let link = try server.ask("link.test.", .a)
        #expect(link.code == .noError && link.answer.count == 1, "the resolver goes on in the other zone")
    }
}
