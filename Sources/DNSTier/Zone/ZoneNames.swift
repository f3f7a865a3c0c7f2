import DNSWire

/// The names of a zone and their records as they were read: a few flat arrays, because a zone may have a million names.
///
/// A name is found by hash. Every name has its parent, up to the apex, so that empty non-terminals (RFC 8020) exist by
/// themselves and a look upwards follows indices.
struct ZoneNames: Sendable {
    static let none = UInt32.max
    /// The apex.
    static let apex = 0

    struct Marks: OptionSet, Sendable {
        let rawValue: UInt8
        static let cname = Marks(rawValue: 1)
        static let dname = Marks(rawValue: 2)
        static let ns = Marks(rawValue: 4)
        static let soa = Marks(rawValue: 8)
        /// Anything but CNAME.
        static let other = Marks(rawValue: 16)
        /// `*` is directly below.
        static let wildcardBelow = Marks(rawValue: 32)
        /// Here begins another zone of this server: nothing at or below it is ours.
        static let elsewhere = Marks(rawValue: 64)
    }

    struct Node {
        /// Where the folded name begins in `names`.
        var name: UInt32
        var parent: UInt32
        /// The first and the last of its records.
        var first: UInt32
        var last: UInt32
        var hash: UInt32
        var length: UInt8
        var labels: UInt8
        var marks: Marks
    }

    private struct Record {
        var next: UInt32
        /// Where its data begins in `data`.
        var data: UInt32
        var ttl: UInt32
        var type: UInt16
        var length: UInt16
    }

    private(set) var nodes: [Node] = []
    /// Folded names in wire form, each filled with zeros to whole words.
    private(set) var names: [UInt8] = []
    private var records: [Record] = []
    private var data: [UInt8] = []
    /// Index of a node plus one; 0 is empty. A power of two, at most half full.
    private var slots: [UInt32]

    /// `expected`: how many names there may be; room is set aside for them.
    init(origin: Name, expected: Int) {
        var capacity = 16
        while capacity < 2 * expected { capacity *= 2 }
        slots = [UInt32](repeating: 0, count: capacity)
        nodes.reserveCapacity(expected)
        records.reserveCapacity(expected)
        names.reserveCapacity(expected * 24)
        data.reserveCapacity(expected * 8)
        unsafe origin.withFolded { octets, length in
            _ = unsafe append(octets, length: length, labels: origin.labelCount, parent: Self.none)
        }
    }

    var count: Int { nodes.count }
    var recordCount: Int { records.count }

    // MARK: Names

    func name(_ index: Int) -> Name {
        let node = nodes[index]
        let start = Int(node.name)
        return Name(unfolded: Array(names[start..<(start + Int(node.length))]))
    }

    func find(_ name: Name) -> Int? {
        unsafe name.withFolded { octets, length in unsafe find(octets, length: length) }
    }

    /// The node of `name`, which must be within the zone; made with all that are above it if there is none.
    mutating func insert(_ name: Name) -> Int {
        let labels = name.labelCount
        return unsafe name.withFolded { octets, length in
            if let found = unsafe find(octets, length: length) { return found }
            // The names above it that are missing, from below.
            var missing = [0]
            var position = 0
            var parent = Self.apex
            while true {
                position += unsafe Int(octets.load(fromByteOffset: position, as: UInt8.self)) + 1
                if let found = unsafe find(octets + position, length: length - position) {
                    parent = found
                    break
                }
                missing.append(position)
            }
            for (index, start) in missing.enumerated().reversed() {
                parent = unsafe append(
                    octets + start, length: length - start, labels: labels - index, parent: UInt32(parent))
            }
            return parent
        }
    }

    mutating func mark(_ index: Int, _ marks: Marks) { nodes[index].marks.formUnion(marks) }

    /// `name`: folded, readable to a whole word.
    @unsafe
    func find(_ name: UnsafeRawPointer, length: Int) -> Int? {
        let hash = UInt32(truncatingIfNeeded: unsafe FoldedName.hash(name, length: length) >> 32)
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if nodes[index].hash == hash, Int(nodes[index].length) == length {
                let isEqual = unsafe names.withUnsafeBytes { keys in
                    guard let base = keys.baseAddress else { return false }
                    return unsafe FoldedName.equal(name, base + Int(nodes[index].name), length: length)
                }
                if isEqual { return index }
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    @unsafe
    private mutating func append(_ name: UnsafeRawPointer, length: Int, labels: Int, parent: UInt32) -> Int {
        let index = nodes.count
        let start = names.count
        let hash = UInt32(truncatingIfNeeded: unsafe FoldedName.hash(name, length: length) >> 32)
        unsafe names.append(contentsOf: UnsafeRawBufferPointer(start: name, count: length))
        names.append(contentsOf: repeatElement(0, count: (8 - names.count % 8) % 8))
        nodes.append(
            Node(
                name: UInt32(start), parent: parent, first: Self.none, last: Self.none, hash: hash,
                length: UInt8(length), labels: UInt8(labels), marks: []))
        if parent != Self.none, names[start] == 1, names[start + 1] == UInt8(ascii: "*") {
            nodes[Int(parent)].marks.insert(.wildcardBelow)
        }
        if nodes.count * 2 > slots.count { grow() }
        place(index, hash: hash)
        return index
    }

    private mutating func place(_ index: Int, hash: UInt32) {
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(index + 1)
    }

    private mutating func grow() {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        // The last one is placed by the caller.
        for index in 0..<(nodes.count - 1) { place(index, hash: nodes[index].hash) }
    }

    // MARK: Records

    mutating func add(_ record: RecordData, ttl: UInt32, to index: Int) {
        let position = UInt32(records.count)
        records.append(
            Record(
                next: Self.none, data: UInt32(data.count), ttl: ttl, type: record.type.rawValue,
                length: UInt16(record.wire.count)))
        data += record.wire
        let last = nodes[index].last
        if last == Self.none { nodes[index].first = position } else { records[Int(last)].next = position }
        nodes[index].last = position
        let mark: Marks =
            switch record.type {
            case .cname: .cname
            case .dname: [.dname, .other]
            case .ns: [.ns, .other]
            case .soa: [.soa, .other]
            default: .other
            }
        nodes[index].marks.formUnion(mark)
    }

    /// The record sets of a name.
    func sets(_ index: Int) -> ZoneNode {
        var found: [(ttl: UInt32, data: RecordData)] = []
        var next = nodes[index].first
        while next != Self.none {
            let record = records[Int(next)]
            let start = Int(record.data)
            let wire = Array(data[start..<(start + Int(record.length))])
            found.append((record.ttl, RecordData(checked: RecordType(rawValue: record.type), wire: wire)))
            next = record.next
        }
        return ZoneNode(found)
    }

    /// Octets of all records of the name in a message, their owner a pointer.
    func octets(at index: Int) -> Int {
        var sum = 0
        var next = nodes[index].first
        while next != Self.none {
            sum += 12 + Int(records[Int(next)].length)
            next = records[Int(next)].next
        }
        return sum
    }

    /// Whether the name has a record with the same data already.
    func has(_ record: RecordData, at index: Int) -> Bool {
        var next = nodes[index].first
        while next != Self.none {
            let known = records[Int(next)]
            let start = Int(known.data)
            if known.type == record.type.rawValue, data[start..<(start + Int(known.length))].elementsEqual(record.wire)
            {
                return true
            }
            next = known.next
        }
        return false
    }

    /// The type of some record of the name that is no CNAME.
    func otherType(at index: Int) -> RecordType? {
        var next = nodes[index].first
        while next != Self.none {
            if records[Int(next)].type != RecordType.cname.rawValue {
                return RecordType(rawValue: records[Int(next)].type)
            }
            next = records[Int(next)].next
        }
        return nil
    }
}

extension Name {
    /// Calls `body` with the folded octets, readable to a whole word, and their number.
    func withFolded<Result>(_ body: (UnsafeRawPointer, Int) -> Result) -> Result {
        let folded = folded
        return unsafe withUnsafeTemporaryAllocation(byteCount: FoldedName.capacity, alignment: 8) { room in
            unsafe room.copyBytes(from: folded)
            guard let base = room.baseAddress else { fatalError("an allocation without an address") }
            unsafe (base + folded.count).storeBytes(of: 0, as: UInt64.self)
            return unsafe body(UnsafeRawPointer(base), folded.count)
        }
    }
}
