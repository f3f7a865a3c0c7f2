import DNSWire
import Foundation
import Geo
package import Model
import Steering
package import Topology

/// What one topology asks of a DNS node, compiled as far as it goes without health.
package struct Preparation: Sendable {
    package let snapshot: Snapshot
    let node: Node
    package let zones: ZoneTable
    package let names: [PreparedName]

    /// Reads the zone files and tables that `snapshot` names and compiles them. Every error at once.
    package init(_ snapshot: Snapshot, node: NodeID) throws(InvalidTopology) {
        var reader = PreparationReader(snapshot: snapshot)
        let parts = reader.read()
        guard reader.diagnostics.isEmpty else { throw InvalidTopology(diagnostics: reader.diagnostics) }
        self.snapshot = snapshot
        self.node = snapshot[node]
        self.names = parts.names
        let slots = Dictionary(uniqueKeysWithValues: parts.names.map { ($0.name, $0.slots) })
        self.zones = ZoneTableBuilder.build(parts.zones, dynamics: slots)
    }
}

private struct PreparationReader {
    private let snapshot: Snapshot
    private(set) var diagnostics: [Diagnostic] = []
    private var names: [PreparedName] = []
    private var seen: Set<Name> = []

    init(snapshot: Snapshot) { self.snapshot = snapshot }

    mutating func read() -> (zones: [Zone], names: [PreparedName]) {
        var planner = SteeringPlanner(
            regions: snapshot.regions, locations: readLocations(), latencies: readLatencies())
        var zones: [Zone] = []
        for plan in snapshot.dns.zones {
            guard let origin = name(plan.origin), let zone = readZone(plan, origin: origin) else { continue }
            zones.append(zone)
            for settings in plan.names { add(settings, zone: zone, &planner) }
        }
        return (zones, names)
    }

    private mutating func name(_ text: String) -> Name? {
        do {
            return try Name(text)
        } catch {
            diagnostics.append(Diagnostic(file: text, message: "\"\(text)\" is \(error)"))
            return nil
        }
    }

    // MARK: Files

    private mutating func contents(_ path: String, what: String) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path) else {
            diagnostics.append(Diagnostic(file: path, message: "the \(what) cannot be read"))
            return nil
        }
        return [UInt8](data)
    }

    private mutating func readZone(_ plan: DNSPlan.Zone, origin: Name) -> Zone? {
        guard let text = contents(plan.file, what: "zone file of \(plan.origin)") else { return nil }
        let dynamicNames = Set(plan.names.compactMap { try? Name($0.name) })
        let (zone, errors) = ZoneLoader.load(
            MasterFile.Source(file: plan.file, text: text), origin: origin, dynamicNames: dynamicNames
        ) { name, includer in
            let path = name.hasPrefix("/") ? name : (includer as NSString).deletingLastPathComponent + "/" + name
            return FileManager.default.contents(atPath: path).map {
                MasterFile.Source(file: path, text: [UInt8]($0))
            }
        }
        diagnostics += errors.map {
            Diagnostic(file: $0.file, line: $0.line, column: $0.column, message: $0.message)
        }
        return zone
    }

    private mutating func readLocations() -> LocationTable? {
        switch snapshot.dns.locations {
        case nil:
            return nil
        case .csv(let path):
            guard let text = contents(path, what: "location table") else { return nil }
            do {
                return try LocationTable(csv: text)
            } catch {
                report(error, file: path)
            }
        case .mmdb(let path):
            do {
                return try LocationTable(mmdb: path)
            } catch {
                diagnostics.append(Diagnostic(file: path, message: error.message))
            }
        }
        return nil
    }

    private mutating func readLatencies() -> [String: LatencyTable] {
        var tables: [String: LatencyTable] = [:]
        for step in snapshot.dns.zones.flatMap(\.names).flatMap(\.steps) {
            guard case .latency(let latency) = step, tables[latency.file] == nil else { continue }
            guard let text = contents(latency.file, what: "latency table") else { continue }
            do {
                tables[latency.file] = try LatencyTable(csv: text, regions: snapshot.regions.map(\.name))
            } catch {
                report(error, file: latency.file)
            }
        }
        return tables
    }

    private mutating func report(_ error: InvalidTable, file: String) {
        diagnostics += error.problems.map {
            Diagnostic(file: file, line: $0.line, column: $0.column, message: $0.message)
        }
    }

    // MARK: Dynamic names

    private mutating func add(_ settings: DynamicName, zone: Zone, _ planner: inout SteeringPlanner) {
        guard let name = name(settings.name) else { return }
        guard name.isWithin(zone.origin), seen.insert(name).inserted else {
            diagnostics.append(
                Diagnostic(
                    file: settings.name,
                    message: "the dynamic name \(settings.name) stands twice or outside of its zone \(zone.origin)"))
            return
        }
        var records: [[RecordData]] = []
        for candidate in settings.candidates {
            records.append(candidate.records.compactMap { data($0, name: settings.name) })
        }
        let types = Set(records.joined().map(\.type))
        if name == zone.origin, types.contains(.cname) {
            diagnostics.append(
                Diagnostic(
                    file: settings.name,
                    message: "the apex \(settings.name) has SOA and NS records, so it cannot answer with a CNAME",
                    hint: "answer with A and AAAA"))
        }
        do throws(SteeringProblem) {
            let plan = try planner.plan(for: settings)
            let slots = DynamicSlots(
                index: UInt32(names.count), types: types.subtracting([.cname]).union([.a, .aaaa]).sorted(),
                answersEveryType: types.contains(.cname))
            names.append(
                PreparedName(
                    settings: settings, name: name, slots: slots, plan: plan, records: records,
                    regions: settings.candidates.map { snapshot[$0.region].name },
                    service: settings.service.map { snapshot[$0].name },
                    noData: AnswerComposer(zone: zone).negative(.noError)))
        } catch {
            diagnostics.append(Diagnostic(file: settings.name, message: error.description))
        }
    }

    private mutating func data(_ record: DynamicName.RecordText, name: String) -> RecordData? {
        guard let type = RecordType(record.type), !type.isQueryOnly, type != .soa, type != .ns, type != .dname else {
            diagnostics.append(
                Diagnostic(
                    file: name, message: "\"\(record.type)\" is no type that a dynamic name can answer with",
                    hint: "A, AAAA, CNAME, TXT, MX, SRV and CAA are"))
            return nil
        }
        let words = MasterFile.words(record.data)
        do throws(RecordTextError) {
            return try RecordData(type: type, tokens: words ?? [], origin: nil)
        } catch {
            diagnostics.append(
                Diagnostic(file: name, message: "\(record.type) \"\(record.data)\": \(error.message)"))
            return nil
        }
    }
}
