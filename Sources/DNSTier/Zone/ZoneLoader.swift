package import DNSWire

/// Turns the records of a master file into a zone and finds what no zone may have.
package enum ZoneLoader {
    /// `dynamicNames`: names of the zone whose answers the topology gives.
    /// Returns the zone, unless there are errors; all errors at once.
    package static func load(
        _ source: MasterFile.Source, origin: Name, dynamicNames: Set<Name>,
        read: (_ name: String, _ includer: String) -> MasterFile.Source?
    ) -> (zone: Zone?, errors: [MasterFileError]) {
        let parsed = MasterFile.parse(source, origin: origin, read: read)
        var errors = parsed.errors
        var nodes: [Name: ZoneNode] = [:]
        nodes.reserveCapacity(parsed.records.count)
        for record in parsed.records {
            guard record.owner.isWithin(origin) else {
                errors.append(record.error("\(record.owner) is not in the zone \(origin)"))
                continue
            }
            if let message = conflict(record, with: nodes[record.owner], origin: origin) {
                errors.append(record.error(message))
                continue
            }
            if dynamicNames.contains(record.owner), [.a, .aaaa, .cname].contains(record.type) {
                errors.append(
                    record.error(
                        "\(record.owner) is a dynamic name; its \(record.type) records come from the topology"))
                continue
            }
            nodes[record.owner, default: ZoneNode()].add(record.data, ttl: record.ttl)
        }
        for name in dynamicNames where nodes[name] == nil { nodes[name] = ZoneNode() }
        addEmptyNonTerminals(to: &nodes, origin: origin)
        guard let soa = nodes[origin]?[.soa] else {
            if errors.isEmpty {
                errors.append(
                    MasterFileError(
                        file: source.file, line: 1, column: 1,
                        message: "the zone \(origin) has no SOA record; write one at its apex (\"@\")"))
            }
            return (nil, errors)
        }
        if nodes[origin]?[.ns] == nil {
            errors.append(
                MasterFileError(
                    file: source.file, line: 1, column: 1,
                    message: "the zone \(origin) has no NS record; write at least one at its apex (\"@\")"))
        }
        guard errors.isEmpty else { return (nil, errors) }
        return (Zone(origin: origin, nodes: nodes, dynamicNames: dynamicNames, soa: soa), [])
    }

    /// Why `record` may not stand beside what its owner has.
    private static func conflict(_ record: MasterRecord, with node: ZoneNode?, origin: Name) -> String? {
        if record.type == .soa {
            guard record.owner == origin else { return "a SOA record belongs to the apex \(origin) only" }
            if node?[.soa] != nil { return "the zone has two SOA records" }
        }
        guard let node else { return nil }
        if record.type == .cname {
            if let other = node.sets.first(where: { $0.type != .cname }) {
                return "\(record.owner) has a CNAME beside \(other.type) (RFC 1034 section 3.6.2)"
            }
            if let set = node[.cname], !set.data.contains(record.data) {
                return "\(record.owner) has two CNAME records (RFC 2181 section 10.1)"
            }
        } else if node[.cname] != nil {
            return "\(record.owner) has \(record.type) beside a CNAME (RFC 1034 section 3.6.2)"
        }
        if record.type == .dname, let set = node[.dname], !set.data.contains(record.data) {
            return "\(record.owner) has two DNAME records (RFC 6672 section 2.4)"
        }
        return nil
    }

    private static func addEmptyNonTerminals(to nodes: inout [Name: ZoneNode], origin: Name) {
        for name in Array(nodes.keys) where name != origin {
            var ancestor = name.parent
            while let current = ancestor, current != origin, nodes[current] == nil {
                nodes[current] = ZoneNode()
                ancestor = current.parent
            }
        }
        if nodes[origin] == nil { nodes[origin] = ZoneNode() }
    }
}

extension MasterRecord {
    fileprivate func error(_ message: String) -> MasterFileError {
        MasterFileError(file: file, line: line, column: 1, message: message)
    }
}
