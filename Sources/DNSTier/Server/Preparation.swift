import ControlPlane
import DNSWire
package import Latency
package import Model
import Steering
package import Topology

/// What one topology asks of a DNS node, compiled as far as it goes without health.
package struct Preparation: Sendable {
    package let snapshot: Snapshot
    let node: Node
    package let zones: ZoneTable
    package private(set) var names: [PreparedName]
    package let conduct: Conduct
    /// Zones whose files could not be read anew, and why; they are as they were.
    package let keptZones: [(origin: String, trouble: String)]
    private var sources: SteeringSources

    /// Reads the zone files and tables that `snapshot` names and compiles them. Every error at once.
    ///
    /// `library`: what was compiled before, and what is compiled now.
    /// `measured`: what peers reported of clients' round trips.
    package init(
        _ snapshot: Snapshot, node: NodeID, library: ZoneLibrary = ZoneLibrary(), measured: LatencyPicture? = nil
    ) throws(InvalidTopology) {
        var reader = PreparationReader(snapshot: snapshot, library: library)
        let sources = SteeringSources(snapshot, &reader.diagnostics)
        let parts = reader.read(sources, measured)
        let conduct = Conduct.read(snapshot, node: snapshot[node].name)
        let diagnostics = reader.diagnostics + conduct.diagnostics
        guard diagnostics.isEmpty else { throw InvalidTopology(diagnostics: diagnostics) }
        self.conduct = conduct.conduct
        self.snapshot = snapshot
        self.node = snapshot[node]
        self.names = parts.names
        self.zones = ZoneTable(parts.zones.map(\.volume.segment))
        self.keptZones = parts.zones.compactMap { zone in
            zone.volume.trouble.map { (zone.origin.description, $0) }
        }
        library.keep(Dictionary(parts.zones.map { ($0.origin, $0.volume) }, uniquingKeysWith: { $1 }))
        self.sources = sources
    }

    /// Reads the steering's files that changed, and steers by them and by what was measured.
    ///
    /// - Parameters:
    ///   - measured: what peers reported.
    ///   - isOutdated: whether that is news.
    /// - Returns: whether answers may differ now, and what there is to tell.
    mutating func refresh(measured: LatencyPicture?, isOutdated: Bool) -> (isNew: Bool, told: [Event.Remark]) {
        let files = sources.refresh()
        let measures = isOutdated && snapshot.dns.measuresLatency
        guard files.isNew || measures else { return (false, files.told) }
        var planner = sources.planner(snapshot.regions, measured: measured)
        var steered = names
        do throws(SteeringProblem) {
            for index in steered.indices { steered[index].plan = try planner.plan(for: steered[index].settings) }
        } catch {
            // Every file that a step needs was there at boot, and what was read of it is still.
            return (false, files.told + [Event.Remark(.error, "\(error)")])
        }
        names = steered
        return (true, files.told)
    }
}

private struct PreparationReader {
    private let snapshot: Snapshot
    var diagnostics: [Diagnostic] = []
    private var names: [PreparedName] = []
    private var seen: Set<Name> = []
    private let library: ZoneLibrary

    init(snapshot: Snapshot, library: ZoneLibrary) {
        self.snapshot = snapshot
        self.library = library
    }

    mutating func read(
        _ sources: SteeringSources, _ measured: LatencyPicture?
    ) -> (zones: [(origin: Name, volume: ZoneLibrary.Volume)], names: [PreparedName]) {
        var planner = sources.planner(snapshot.regions, measured: measured)
        var zones: [(origin: Name, volume: ZoneLibrary.Volume)] = []
        let plans = zonePlans()
        let inner = ZoneTableBuilder.innermost(plans.map(\.origin))
        for (origin, plan) in plans {
            let origins = inner[origin] ?? []
            var settled: [DynamicName] = []
            for settings in plan.names where !refuseForeign(settings, origins) { settled.append(settings) }
            let dynamicNames = Set(settled.compactMap { try? Name($0.name) })
            let opened = library.open(
                plan.file, origin: origin, dynamicNames: dynamicNames, inner: origins)
            report(opened.errors)
            guard let zone = opened.zone else { continue }
            let first = names.count
            for settings in settled { add(settings, zone: zone, &planner) }
            let slots = Dictionary(names[first...].map { ($0.name, $0.slots) }, uniquingKeysWith: { $1 })
            // With names missing there is nothing to compile for, and an error is on record.
            guard slots.count == plan.names.count else { continue }
            let compiled = library.compile(zone, dynamics: slots)
            report(compiled.errors)
            if let volume = compiled.volume { zones.append((origin, volume)) }
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

    /// The zones of the topology, then those of its folder that it does not name.
    private mutating func zonePlans() -> [(origin: Name, plan: DNSPlan.Zone)] {
        var plans: [(origin: Name, plan: DNSPlan.Zone)] = []
        var seen: Set<Name> = []
        for plan in snapshot.dns.zones {
            guard let origin = name(plan.origin) else { continue }
            seen.insert(origin)
            plans.append((origin, plan))
        }
        guard let folder = snapshot.dns.zoneFolder else { return plans }
        guard let files = FileStamp.files(in: folder, suffix: ".zone") else {
            diagnostics.append(Diagnostic(file: folder, message: "the folder of zone files cannot be read"))
            return plans
        }
        for file in files {
            let text = file.dropLast(".zone".utf8.count) + "."
            guard let origin = name(text == ".." ? "." : String(text)), seen.insert(origin).inserted else { continue }
            plans.append((origin, DNSPlan.Zone(origin: origin.description, file: "\(folder)/\(file)", names: [])))
        }
        return plans
    }

    private mutating func report(_ errors: [MasterFileError]) {
        diagnostics += errors.map {
            Diagnostic(file: $0.file, line: $0.line, column: $0.column, message: $0.message)
        }
    }

    // MARK: Dynamic names

    /// Whether `settings` lies in another zone of this server, at one of `origins`: then it is never answered.
    private mutating func refuseForeign(_ settings: DynamicName, _ origins: [Name]) -> Bool {
        guard let name = try? Name(settings.name), let owner = origins.first(where: { name.isWithin($0) }) else {
            return false
        }
        diagnostics.append(
            Diagnostic(
                file: settings.name,
                message: "the dynamic name \(name) is never answered: it belongs to the zone \(owner), which this node"
                    + " serves too",
                hint: "move it to the names of \(owner)"))
        return true
    }

    private mutating func add(_ settings: DynamicName, zone: ZoneLibrary.Opened, _ planner: inout SteeringPlanner) {
        guard let name = name(settings.name) else { return }
        guard name.isWithin(zone.origin), seen.insert(name).inserted else {
            diagnostics.append(
                Diagnostic(
                    file: settings.name,
                    message: "the dynamic name \(settings.name) stands twice or outside of its zone \(zone.origin)"))
            return
        }
        var records: [[DynamicRecord]] = []
        let leaves = settings.leaves
        for candidate in leaves {
            records.append(candidate.records.compactMap { data($0, name: settings.name) })
        }
        let types = Set(records.joined().map(\.data.type))
        if name == zone.origin, types.contains(.cname) {
            diagnostics.append(
                Diagnostic(
                    file: settings.name,
                    message: "the apex \(settings.name) has SOA and NS records, so it cannot answer with a CNAME",
                    hint: "answer with A and AAAA"))
        }
        if records.joined().contains(where: { $0.data.type == .cname && $0.data.target == name }) {
            diagnostics.append(
                Diagnostic(
                    file: settings.name, message: "\(name) answers with a CNAME to itself, which leads nowhere",
                    hint: "name the target, or answer with A and AAAA"))
        }
        refuseEndlessAnswers(name, records)
        do throws(SteeringProblem) {
            let plan = try planner.plan(for: settings)
            let slots = DynamicSlots(
                index: UInt32(names.count), types: types.subtracting([.cname]),
                answersEveryType: types.contains(.cname))
            names.append(
                PreparedName(
                    settings: settings, name: name, slots: slots, plan: plan, records: records,
                    candidates: zip(leaves, settings.leafNames).map {
                        PreparedName.Candidate(
                            answer: $1, region: $0.region.map { snapshot[$0].name } ?? $0.name,
                            service: $0.service.map { snapshot[$0].name })
                    },
                    lookedAt: settings.lookedAt.compactMap { LookedAddress($0, records: records, in: snapshot) },
                    service: settings.service.map { snapshot[$0].name },
                    noData: zone.noData))
        } catch {
            diagnostics.append(Diagnostic(file: settings.name, message: error.description))
        }
    }

    /// One answer alone has to fit in a message.
    private mutating func refuseEndlessAnswers(_ name: Name, _ answers: [[DynamicRecord]]) {
        for answer in answers {
            for (type, records) in Dictionary(grouping: Set(answer.map(\.data)), by: \.type) {
                let size = AnswerSize.octets(records, of: name)
                guard size > Responder.maximumTCPSize else { continue }
                diagnostics.append(
                    Diagnostic(file: name.description, message: AnswerSize.complaint(size, type, name)))
            }
        }
    }

    private mutating func data(_ record: DynamicName.RecordText, name: String) -> DynamicRecord? {
        guard let type = RecordType(record.type), !type.isQueryOnly, type != .soa, type != .ns, type != .dname else {
            diagnostics.append(
                Diagnostic(
                    file: name, message: "\"\(record.type)\" is no type that a dynamic name can answer with",
                    hint: "A, AAAA, CNAME, HTTPS, SVCB, TXT, MX, SRV and CAA are"))
            return nil
        }
        var words = MasterFile.words(record.data) ?? []
        var hints: Set<IPAddress.Family> = []
        if type == .svcb || type == .https { (words, hints) = ServiceHints.split(words) }
        do throws(RecordTextError) {
            let origin = record.origin.flatMap { try? Name($0) }
            return DynamicRecord(data: try RecordData(type: type, tokens: words, origin: origin), hints: hints)
        } catch {
            diagnostics.append(
                Diagnostic(file: name, message: "\(record.type) \"\(record.data)\": \(error.message)"))
            return nil
        }
    }
}
