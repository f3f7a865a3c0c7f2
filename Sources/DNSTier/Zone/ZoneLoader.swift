package import DNSWire

/// Turns the records of a master file into a zone and finds what no zone may have.
package enum ZoneLoader {
    /// `dynamicNames`: names of the zone whose answers the topology gives.
    /// Returns the zone, unless there are errors; all errors at once.
    package static func load(
        _ source: MasterFile.Source, origin: Name, dynamicNames: Set<Name>,
        read: (_ name: String, _ includer: String) -> MasterFile.Source?
    ) -> (zone: Zone?, errors: [MasterFileError]) {
        // A record takes some 32 octets of text; where more stand for fewer, nothing is lost but addresses.
        var assembly = ZoneAssembly(origin: origin, dynamicNames: dynamicNames, expected: source.text.count / 32 + 1)
        let errors = MasterFile.read(source, origin: origin, include: read) { assembly.add($0) }
        let assembled = assembly.finish(source, errors)
        guard let zone = assembled.zone else { return assembled }
        let faults = Array(zone.faults().prefix(MasterFile.maximumErrors))
        return faults.isEmpty ? assembled : (nil, locate(faults, source, origin: origin, read: read))
    }
}

private struct ZoneAssembly {
    let origin: Name
    let dynamicNames: Set<Name>
    private var names: ZoneNames
    private var errors: [MasterFileError] = []
    /// The owner of the record before and its node: records of one name mostly stand together.
    private var last: (owner: Name, node: Int)?

    init(origin: Name, dynamicNames: Set<Name>, expected: Int) {
        self.origin = origin
        self.dynamicNames = dynamicNames
        names = ZoneNames(origin: origin, expected: expected)
    }

    mutating func add(_ record: MasterRecord) {
        guard errors.count < MasterFile.maximumErrors else { return }
        let node: Int
        if let last, last.owner == record.owner {
            node = last.node
        } else {
            guard record.owner.isWithin(origin) else {
                errors.append(record.error("\(record.owner) is not in the zone \(origin)"))
                return
            }
            node = names.insert(record.owner)
            last = (record.owner, node)
        }
        if let message = conflict(record, at: node) {
            errors.append(record.error(message))
            return
        }
        if !dynamicNames.isEmpty, [.a, .aaaa, .cname].contains(record.type), dynamicNames.contains(record.owner) {
            errors.append(
                record.error("\(record.owner) is a dynamic name; its \(record.type) records come from the topology"))
            return
        }
        names.add(record.data, ttl: record.ttl, to: node)
    }

    /// Why `record` may not stand beside what its owner has.
    private func conflict(_ record: MasterRecord, at node: Int) -> String? {
        let marks = names.nodes[node].marks
        if record.type == .soa {
            guard node == ZoneNames.apex else { return "a SOA record belongs to the apex \(origin) only" }
            if marks.contains(.soa) { return "the zone has two SOA records" }
        }
        if record.type == .cname {
            if let other = names.otherType(at: node) {
                return "\(record.owner) has a CNAME beside \(other) (RFC 1034 section 3.6.2)"
            }
            if marks.contains(.cname), !names.has(record.data, at: node) {
                return "\(record.owner) has two CNAME records (RFC 2181 section 10.1)"
            }
        } else if marks.contains(.cname) {
            return "\(record.owner) has \(record.type) beside a CNAME (RFC 1034 section 3.6.2)"
        }
        if record.type == .dname, marks.contains(.dname), !names.has(record.data, at: node) {
            return "\(record.owner) has two DNAME records (RFC 6672 section 2.4)"
        }
        return nil
    }

    mutating func finish(
        _ source: MasterFile.Source, _ found: [MasterFileError]
    ) -> (zone: Zone?, errors: [MasterFileError]) {
        var errors = found + errors
        for name in dynamicNames where name.isWithin(origin) { _ = names.insert(name) }
        func missing(_ type: RecordType, _ cure: String) {
            errors.append(
                MasterFileError(
                    file: source.file, line: 1, column: 1,
                    message: "the zone \(origin) has no \(type) record; write \(cure) at its apex (\"@\")"))
        }
        let apex = names.sets(ZoneNames.apex)
        guard let soa = apex[.soa] else {
            if errors.isEmpty { missing(.soa, "one") }
            return (nil, errors)
        }
        if apex[.ns] == nil { missing(.ns, "at least one") }
        guard errors.isEmpty else { return (nil, errors) }
        return (Zone(origin: origin, names: names, dynamicNames: dynamicNames, soa: soa), [])
    }
}

extension MasterRecord {
    func error(_ message: String) -> MasterFileError {
        MasterFileError(file: file, line: line, column: 1, message: message)
    }
}
