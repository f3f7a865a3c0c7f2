import DNSWire

/// A zone as it was read: its names, each with its records, and nothing decided yet.
package struct Zone: Sendable {
    let origin: Name
    /// Every name that exists, empty non-terminals (RFC 8020) included.
    private(set) var names: ZoneNames
    /// Names that the topology makes dynamic.
    let dynamicNames: Set<Name>
    let soa: RecordSet

    init(origin: Name, names: ZoneNames, dynamicNames: Set<Name>, soa: RecordSet) {
        self.origin = origin
        self.names = names
        self.dynamicNames = dynamicNames
        self.soa = soa
    }

    /// SOA as negative answers carry it: its TTL no longer than its last field (RFC 2308 section 3).
    var negativeTTL: UInt32 { min(soa.ttl, soa.data[0].negativeTTL) }

    /// Gives up everything at and below `name`, which is a zone of its own on this server, and keeps the names above it
    /// in being.
    mutating func yield(to name: Name) { names.mark(names.insert(name), .elsewhere) }

    /// The record sets of a name that exists.
    func node(_ name: Name) -> ZoneNode? { names.find(name).map { names.sets($0) } }
}

/// The record sets of one name, in ascending order of type; none for an empty non-terminal.
struct ZoneNode: Sendable, Hashable {
    let sets: [RecordSet]

    subscript(type: RecordType) -> RecordSet? { sets.first { $0.type == type } }

    /// A record that is there already is not repeated (RFC 2181 section 5), and a set takes the smallest TTL
    /// (section 5.2).
    init(_ records: [(ttl: UInt32, data: RecordData)]) {
        if records.count == 1 {
            sets = [RecordSet(type: records[0].data.type, ttl: records[0].ttl, data: [records[0].data])]
            return
        }
        var byType: [RecordType: RecordSet] = [:]
        var known: Set<RecordData> = []
        for record in records where known.insert(record.data).inserted {
            let type = record.data.type
            if byType[type] == nil {
                byType[type] = RecordSet(type: type, ttl: record.ttl, data: [record.data])
            } else {
                byType[type]?.data.append(record.data)
            }
        }
        for record in records {
            let ttl = byType[record.data.type]?.ttl ?? record.ttl
            byType[record.data.type]?.ttl = min(ttl, record.ttl)
        }
        sets = byType.values.sorted { $0.type < $1.type }
    }
}

struct RecordSet: Sendable, Hashable {
    let type: RecordType
    var ttl: UInt32
    /// At least one.
    var data: [RecordData]
}
