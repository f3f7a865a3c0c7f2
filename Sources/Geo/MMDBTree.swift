import CMaxMindDB
import Model

/// The search tree of a MaxMind DB file.
///
/// libmaxminddb checks that records stay inside the file, not that the tree is one: a hostile file may point back into
/// itself, so that it would never end. Depth is bounded by the address width, and steps by the nodes that the file has.
@safe final class MMDBTree {
    private let path: String
    private var database = unsafe MMDB_s()

    /// One side of a node that remains to be looked at.
    private struct Branch {
        let content: Content
        /// The bits that lead here, at the top of 128.
        let bits: UInt128
        let depth: Int
    }

    private enum Content {
        case node(UInt32)
        /// An offset in the data section.
        case data(UInt32)
        case nothing
    }

    init(path: String) throws(InvalidMMDB) {
        self.path = path
        let status = unsafe MMDB_open(path, UInt32(MMDB_MODE_MMAP), &database)
        guard status == MMDB_SUCCESS else {
            throw InvalidMMDB(path: path, message: Self.text(of: status))
        }
    }

    func close() { unsafe MMDB_close(&database) }

    /// The table that has `value(record)` wherever the file has that record, and 0 elsewhere. `value` is called once for
    /// each record, which networks share.
    func table(_ value: (MMDBRecord) throws(InvalidMMDB) -> UInt32) throws(InvalidMMDB) -> PrefixTable {
        var values = RecordValues(known: [:])
        let nodes = unsafe database.metadata.node_count
        var narrow = IntervalBuilder<UInt32>()
        var wide = IntervalBuilder<UInt128>()
        var steps = Steps(limit: 8 * Int(nodes) + 1024)
        let v4 = { (bits: UInt128) in UInt32(truncatingIfNeeded: bits >> 96) }
        if unsafe database.metadata.ip_version == 4 {
            wide.append(0, 0)
            try walk(from: 0, width: 32, except: nil, &steps) { bits, offset throws(InvalidMMDB) in
                narrow.append(v4(bits), try self.value(at: offset, &values, value))
            }
            return PrefixTable(v4: narrow, v6: wide)
        }
        // IPv4 lies under ::/96, and 6to4, Teredo and mapped prefixes point there too: it is read once, as itself.
        let start = unsafe database.ipv4_start_node.node_value
        if start < nodes {
            try walk(from: start, width: 32, except: nil, &steps) { bits, offset throws(InvalidMMDB) in
                narrow.append(v4(bits), try self.value(at: offset, &values, value))
            }
        } else {
            narrow.append(0, start == nodes ? 0 : try self.value(at: try dataOffset(record: start), &values, value))
        }
        steps.taken = 0
        try walk(from: 0, width: 128, except: start, &steps) { bits, offset throws(InvalidMMDB) in
            wide.append(bits, try self.value(at: offset, &values, value))
        }
        return PrefixTable(v4: narrow, v6: wide)
    }

    private struct Steps {
        var taken = 0
        /// A tree has each node once; files that share subtrees have a few more ways to them.
        var limit: Int
    }

    private struct RecordValues {
        /// By data section offset.
        var known: [UInt32: UInt32]
    }

    private func value(
        at offset: UInt32?, _ values: inout RecordValues, _ value: (MMDBRecord) throws(InvalidMMDB) -> UInt32
    ) throws(InvalidMMDB) -> UInt32 {
        guard let offset else { return 0 }
        if let known = values.known[offset] { return known }
        let found = try value(MMDBRecord(tree: self, offset: offset))
        values.known[offset] = found
        return found
    }

    /// Tells every leaf in ascending order: the first address of its network, and where its data is.
    private func walk(
        from root: UInt32, width: Int, except alias: UInt32?, _ steps: inout Steps,
        leaf: (UInt128, UInt32?) throws(InvalidMMDB) -> Void
    ) throws(InvalidMMDB) {
        var pending = [Branch(content: .node(root), bits: 0, depth: 0)]
        var node = unsafe MMDB_search_node_s()
        while let branch = pending.popLast() {
            switch branch.content {
            case .nothing: try leaf(branch.bits, nil)
            case .data(let offset): try leaf(branch.bits, offset)
            case .node(let index) where index == alias: try leaf(branch.bits, nil)
            case .node(let index):
                steps.taken += 1
                guard steps.taken <= steps.limit else { throw broken("the search tree runs in a circle") }
                guard branch.depth < width else { throw broken("the search tree is deeper than an address") }
                let status = unsafe MMDB_read_node(&database, index, &node)
                guard status == MMDB_SUCCESS else { throw broken(Self.text(of: status)) }
                let left = try unsafe content(node.left_record_type, node.left_record, node.left_record_entry)
                let right = try unsafe content(node.right_record_type, node.right_record, node.right_record_entry)
                let depth = branch.depth + 1
                // The last one in is looked at first.
                pending.append(Branch(content: right, bits: branch.bits | 1 << UInt128(128 - depth), depth: depth))
                pending.append(Branch(content: left, bits: branch.bits, depth: depth))
            }
        }
    }

    private func content(
        _ type: UInt8, _ record: UInt64, _ entry: MMDB_entry_s
    ) throws(InvalidMMDB) -> Content {
        switch Int32(type) {
        case MMDB_RECORD_TYPE_SEARCH_NODE: .node(UInt32(truncatingIfNeeded: record))
        case MMDB_RECORD_TYPE_EMPTY: .nothing
        case MMDB_RECORD_TYPE_DATA: unsafe .data(entry.offset)
        default: throw broken("the search tree has an invalid record")
        }
    }

    /// The data section offset that a record above the node count means: 16 octets of zeros stand between (format, section
    /// "Data Section Separator").
    private func dataOffset(record: UInt32) throws(InvalidMMDB) -> UInt32 {
        let (offset, overflow) = unsafe (record - database.metadata.node_count).subtractingReportingOverflow(16)
        guard !overflow, unsafe offset < database.data_section_size else {
            throw broken("the search tree has an invalid record")
        }
        return offset
    }

    func broken(_ message: String) -> InvalidMMDB { InvalidMMDB(path: path, message: message) }

    private static func text(of status: CInt) -> String { unsafe String(cString: MMDB_strerror(status)) }

    // MARK: - Records

    fileprivate func string(at offset: UInt32, _ keys: [String]) throws(InvalidMMDB) -> String? {
        var text: UnsafePointer<CChar>?
        var size: UInt32 = 0
        let status = unsafe withUnsafePointer(to: database) { database in
            var entry = unsafe MMDB_entry_s(mmdb: database, offset: offset)
            return unsafe meridian_mmdb_string(
                &entry, keys[0], keys[1], keys.count > 2 ? keys[2] : nil, nil, &text, &size)
        }
        guard status == MMDB_SUCCESS else { throw broken(Self.text(of: status)) }
        guard let text = unsafe text else { return nil }
        // The longest names of cities have some 60 octets; codes have three at most.
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: Int(min(size, 128)))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    fileprivate func number(at offset: UInt32, _ outer: String, _ inner: String?) throws(InvalidMMDB) -> Double? {
        var found = false
        var number = 0.0
        let status = unsafe withUnsafePointer(to: database) { database in
            var entry = unsafe MMDB_entry_s(mmdb: database, offset: offset)
            return unsafe meridian_mmdb_number(&entry, outer, inner, &found, &number)
        }
        guard status == MMDB_SUCCESS else { throw broken(Self.text(of: status)) }
        return found ? number : nil
    }
}

/// A record of the data section.
struct MMDBRecord {
    fileprivate let tree: MMDBTree
    fileprivate let offset: UInt32

    /// The string at a path of two or three keys; nil when there is none.
    func string(_ keys: String...) throws(InvalidMMDB) -> String? { try tree.string(at: offset, keys) }

    /// The number at a path of one or two keys; nil when there is none.
    func number(_ outer: String, _ inner: String? = nil) throws(InvalidMMDB) -> Double? {
        try tree.number(at: offset, outer, inner)
    }

    func broken(_ message: String) -> InvalidMMDB { tree.broken(message) }
}
