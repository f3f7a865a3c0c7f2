import ControlPlane
import Geo
import Latency
import Model
import Steering
import Topology

/// The files that steering follows, as they were read last. A file that changes is read anew; when it is broken, what was
/// read before goes on.
struct SteeringSources: Sendable {
    private(set) var locations: LocationTable?
    private var latencies: [String: LatencyFile] = [:]
    private let plan: DNSPlan
    private let regions: [String]
    private var watched: WatchedFiles

    private struct LatencyFile {
        let table: LatencyTable
        /// Kept only when measurements are laid over them.
        let entries: [LatencyTable.Entry]
    }

    private struct Refusal: Error {
        let diagnostics: [Diagnostic]
    }

    /// Reads all files that `snapshot` names; what is wrong with them joins `diagnostics`.
    init(_ snapshot: Snapshot, _ diagnostics: inout [Diagnostic]) {
        plan = snapshot.dns
        regions = snapshot.regions.map(\.name)
        // Before reading: what is written meanwhile is read again.
        watched = WatchedFiles(Self.locationFiles(snapshot.dns) + Self.latencyFiles(snapshot.dns))
        do throws(Refusal) { locations = try Self.readLocations(plan) } catch { diagnostics += error.diagnostics }
        for path in Self.latencyFiles(plan) {
            do throws(Refusal) { latencies[path] = try readLatency(path) } catch { diagnostics += error.diagnostics }
        }
    }

    private static func locationFiles(_ plan: DNSPlan) -> [String] {
        let places: String? =
            switch plan.locations {
            case .csv(let path), .mmdb(let path): path
            case nil: nil
            }
        return [places, plan.networks].compactMap { $0 }
    }

    private static func latencyFiles(_ plan: DNSPlan) -> [String] {
        Set(plan.latencySteps.compactMap(\.file)).sorted()
    }

    /// Reads the files that changed.
    ///
    /// - Returns: whether any was taken, and what there is to tell of each.
    mutating func refresh() -> (isNew: Bool, told: [Event.Remark]) {
        let changed = watched.changes()
        if changed.isEmpty { return (false, []) }
        var isNew = false
        var told: [Event.Remark] = []
        func note(_ paths: [String], _ refusal: Refusal?) {
            let names = paths.joined(separator: " and ")
            guard let refusal else {
                isNew = true
                told.append(Event.Remark(.notice, "\(names) read anew"))
                return
            }
            let reasons = refusal.diagnostics.prefix(3).map(\.description).joined(separator: "; ")
            told.append(Event.Remark(.error, "\(names) refused, what was read before stays: \(reasons)"))
        }
        let places = Self.locationFiles(plan).filter(changed.contains)
        if !places.isEmpty {
            do throws(Refusal) {
                let fresh = try Self.readLocations(plan)
                try Self.keep(locations?.isEmpty == false, fresh?.isEmpty == true, places[0])
                locations = fresh
                note(places, nil)
            } catch { note(places, error) }
        }
        for path in Self.latencyFiles(plan) where changed.contains(path) {
            do throws(Refusal) {
                let fresh = try readLatency(path)
                try Self.keep(latencies[path]?.table.isEmpty == false, fresh.table.isEmpty, path)
                latencies[path] = fresh
                note([path], nil)
            } catch { note([path], error) }
        }
        return (isNew, told)
    }

    /// `measured`: what peers reported.
    func planner(_ regions: [Region], measured: LatencyPicture?) -> SteeringPlanner {
        SteeringPlanner(regions: regions, locations: locations, latencies: tables(measured: measured))
    }

    /// The tables of every `latency` step, by `LatencyStep.table`. `measured`: what peers reported.
    private func tables(measured: LatencyPicture?) -> [String: LatencyTable] {
        var tables: [String: LatencyTable] = [:]
        for step in plan.latencySteps where tables[step.table] == nil {
            let file = step.file.flatMap { latencies[$0] }
            if step.isMeasured {
                let measured = measured ?? LatencyPicture(regions: regions)
                tables[step.table] = measured.table(for: regions, over: file?.entries ?? [])
            } else {
                tables[step.table] = file?.table
            }
        }
        return tables
    }

    // MARK: - Reading

    /// A table without entries is a file that somebody emptied to write it anew, and died.
    private static func keep(_ hasEntries: Bool, _ isEmpty: Bool, _ path: String) throws(Refusal) {
        guard hasEntries, isEmpty else { return }
        throw Refusal(diagnostics: [
            Diagnostic(
                file: path, message: "it has no entries, and the table in force has some",
                hint: "to go on without entries, start the node anew")
        ])
    }

    private static func contents(_ path: String, what: String) throws(Refusal) -> [UInt8] {
        guard let file = FileStamp.read(path) else {
            throw Refusal(diagnostics: [
                Diagnostic(file: path, message: "the \(what) cannot be read\(FileStamp.trouble(path))")
            ])
        }
        return file.octets
    }

    /// The library that reads it would wait for a pipe's other end.
    private static func vet(_ path: String) throws(Refusal) {
        do throws(RegularFile.Refusal) { try RegularFile.vet(path) } catch {
            throw Refusal(diagnostics: [Diagnostic(file: path, message: "it cannot be read: \(error)")])
        }
    }

    private static func readLocations(_ plan: DNSPlan) throws(Refusal) -> LocationTable? {
        let places = try readPlaces(plan)
        guard let places, let path = plan.networks else { return places }
        try vet(path)
        do { return try places.announced(mmdb: path) } catch { throw refusal(error) }
    }

    private static func readPlaces(_ plan: DNSPlan) throws(Refusal) -> LocationTable? {
        switch plan.locations {
        case nil: return nil
        case .csv(let path):
            let text = try contents(path, what: "location table")
            do { return try LocationTable(csv: text) } catch { throw refusal(error, file: path) }
        case .mmdb(let path):
            try vet(path)
            do { return try LocationTable(mmdb: path) } catch { throw refusal(error) }
        }
    }

    private func readLatency(_ path: String) throws(Refusal) -> LatencyFile {
        let text = try Self.contents(path, what: "latency table")
        let isOverlaid = plan.latencySteps.contains { $0.file == path && $0.isMeasured }
        do {
            guard isOverlaid else {
                return LatencyFile(table: try LatencyTable(csv: text, regions: regions), entries: [])
            }
            let entries = try LatencyTable.entries(csv: text, regions: regions)
            return LatencyFile(table: LatencyTable(entries, regionCount: regions.count), entries: entries)
        } catch { throw Self.refusal(error, file: path) }
    }

    private static func refusal(_ error: InvalidTable, file: String) -> Refusal {
        Refusal(
            diagnostics: error.problems.map {
                Diagnostic(file: file, line: $0.line, column: $0.column, message: $0.message)
            })
    }

    private static func refusal(_ error: InvalidMMDB) -> Refusal {
        Refusal(diagnostics: [Diagnostic(file: error.path, message: error.message)])
    }
}
