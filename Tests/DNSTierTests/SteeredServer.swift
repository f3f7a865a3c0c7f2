import ControlPlane
import DNSTier
import DNSWire
import Foundation
import Model
import Testing
import Topology

/// A topology with dynamic names in a folder of its own, prepared as a node prepares it.
final class SteeredServer {
    let folder: URL
    let preparation: Preparation
    let board = HealthBoard()
    private(set) var server: AnsweringServer

    static let zone = """
        $TTL 300
        @ IN SOA ns1 hostmaster 7 3600 600 1209600 60
        @ IN NS ns1
        ns1 IN A 127.0.0.1
        static IN A 192.0.2.80
        www IN TXT "beside the dynamic addresses"
        *.wild IN A 192.0.2.99
        old IN DNAME wild
        """

    static let names = """
                www:
                  service: shop
                  ttl: 5s
                  answers:
                    us: {A: 192.0.2.1, AAAA: "2001:db8::1"}
                    eu: {A: [192.0.2.2, 192.0.2.22]}
                    ap: {A: 192.0.2.3}
                  steps:
                    - healthy
                    - geo: {prefixes: {10.0.0.0/8: [us], 10.1.0.0/16: [eu], "2001:db8::/32": [ap]}, default: [us]}
                    - limit: 1
                weighted:
                  service: shop
                  ttl: 5s
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  steps: [healthy, weighted: {us: 6, eu: 3, ap: 1}]
                "*.any":
                  ttl: 5s
                  answers: {us: {A: 192.0.2.4}, eu: {A: 192.0.2.5}, ap: {A: 192.0.2.6}}
                  steps: [{failover: [eu, us, ap]}]
                alias:
                  ttl: 5s
                  answers: {us: {CNAME: us.elsewhere.test.}, eu: {CNAME: eu.elsewhere.test.}}
                  steps: [{failover: [us, eu]}]
        """

    /// `services`: further ones than `shop`, as they stand in a topology.
    /// `locations`: where clients are, as a CSV file.
    init(zone: String = zone, names: String = names, services: String = "", locations: String = "") throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("dns-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(zone.utf8).write(to: folder.appendingPathComponent("shop.test.zone"))
        try Data(locations.utf8).write(to: folder.appendingPathComponent("locations.csv"))
        let text = """
            regions:
              us: {location: {continent: NA, country: US}, address: 127.0.0.1}
              eu: {location: {continent: EU, country: DE}, address: 127.0.0.1}
              ap: {location: {continent: AS, country: IN}, address: 127.0.0.1}
            services: {shop: {}\(services.isEmpty ? "" : ", " + services)}
            nodes:
              dns-1: {tier: dns, region: us, address: 127.0.0.1, workers: 1}
            dns:
              port: 5399
              \(locations.isEmpty ? "" : "locations: {csv: locations.csv}")
              zones:
                shop.test:
                  file: shop.test.zone
                  names:
            \(names.split(separator: "\n").map { "      " + $0 }.joined(separator: "\n"))
            """
        let path = folder.appendingPathComponent("topology.yaml").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        let snapshot = try TopologyLoader.load(path: path)
        preparation = try Preparation(snapshot, node: #require(snapshot.node(named: "dns-1")))
        server = AnsweringServer(Self.table(preparation, board))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private static func table(_ preparation: Preparation, _ board: HealthBoard) -> AnswerTable {
        AnswerTable(
            zones: preparation.zones, dynamics: HealthState(preparation.names, board: board).dynamics, generation: 1)
    }

    /// Declares `regions` down for the service `shop`, all others healthy, and compiles anew.
    func declareDown(_ regions: Set<String>, shares: [String: Double] = [:]) throws {
        let snapshot = preparation.snapshot
        let service = try #require(snapshot.service(named: "shop"))
        let verdicts = snapshot.regions.indices.map { index in
            let name = snapshot.regions[index].name
            return Verdict(
                service: service, region: RegionID(index), healthy: !regions.contains(name),
                share: shares[name] ?? 1, since: Timestamp(nanoseconds: 0), reasons: [])
        }
        board.publish(verdicts, in: snapshot, failOpen: [])
        compile()
    }

    /// Answers by what the board knows.
    func compile() { server.worker.use(Self.table(preparation, board)) }

    /// Makes `verdicts` known, and compiles nothing.
    func publish(_ verdicts: [Verdict]) { board.publish(verdicts, in: preparation.snapshot, failOpen: []) }

    func addresses(_ name: String, _ type: RecordType = .a, from client: String = "192.0.2.1") throws -> [String] {
        try server.ask(name, type, from: client).answer.map { $0.data.description }
    }
}
