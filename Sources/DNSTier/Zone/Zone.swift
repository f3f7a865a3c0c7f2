import DNSWire

/// A zone as it was read: its names, each with its record sets, and nothing decided yet.
package struct Zone: Sendable {
    let origin: Name
    /// Every name that exists, empty non-terminals (RFC 8020) included.
    private(set) var nodes: [Name: ZoneNode]
    /// Names that the topology makes dynamic.
    let dynamicNames: Set<Name>
    let soa: RecordSet

    init(origin: Name, nodes: [Name: ZoneNode], dynamicNames: Set<Name>, soa: RecordSet) {
        self.origin = origin
        self.nodes = nodes
        self.dynamicNames = dynamicNames
        self.soa = soa
    }

    /// SOA as negative answers carry it: its TTL no longer than its last field (RFC 2308 section 3).
    var negativeTTL: UInt32 { min(soa.ttl, soa.data[0].negativeTTL) }

    /// Gives up everything at and below `name`, which is a zone of its own on this server, and keeps the names above it
    /// in being.
    mutating func yield(to name: Name) {
        nodes = nodes.filter { !$0.key.isWithin(name) }
        var ancestor = name.parent
        while let current = ancestor, current != origin, nodes[current] == nil {
            nodes[current] = ZoneNode()
            ancestor = current.parent
        }
    }
}

/// The record sets of one name, in ascending order of type; none for an empty non-terminal.
struct ZoneNode: Sendable, Hashable {
    private(set) var sets: [RecordSet] = []

    subscript(type: RecordType) -> RecordSet? { sets.first { $0.type == type } }

    /// Adds a record; one that is there already is not repeated (RFC 2181 section 5), and the set takes the smallest
    /// TTL (section 5.2).
    mutating func add(_ data: RecordData, ttl: UInt32) {
        guard let index = sets.firstIndex(where: { $0.type >= data.type }), sets[index].type == data.type else {
            let index = sets.firstIndex { $0.type > data.type } ?? sets.count
            sets.insert(RecordSet(type: data.type, ttl: ttl, data: [data]), at: index)
            return
        }
        sets[index].ttl = min(sets[index].ttl, ttl)
        if !sets[index].data.contains(data) { sets[index].data.append(data) }
    }
}

struct RecordSet: Sendable, Hashable {
    let type: RecordType
    var ttl: UInt32
    /// At least one.
    var data: [RecordData]
}
