import CMaxMindDB
import Model

/// Why a MaxMind DB file was refused.
package struct InvalidMMDB: Error, Sendable, Hashable, CustomStringConvertible {
    package let path: String
    package let message: String

    package var description: String { "\(path): \(message)" }
}

extension LocationTable {
    /// Reads every network of a MaxMind DB file (version 2 of the format) that has `country.iso_code` and `continent.code`:
    /// the Country and City kinds. The file is mapped while it is read and not needed afterwards.
    ///
    /// - Throws: when the file cannot be opened, breaks the format anywhere, or has neither countries nor continents.
    package init(mmdb path: String) throws(InvalidMMDB) {
        var reader = try MMDBReader(path: path)
        defer { reader.close() }
        try reader.walk()
        guard !reader.entries.isEmpty else {
            throw InvalidMMDB(path: path, message: "holds neither countries nor continents; use a Country or City file")
        }
        self.init(prefixes: PrefixTable(reader.entries, otherwise: 0), places: reader.index.places)
    }
}

/// Walks the search tree of a MaxMind DB file.
///
/// libmaxminddb checks that records stay inside the file, not that the tree is one: a hostile file may point back into
/// itself, so that it would never end. Depth is bounded by the address width, and steps by the nodes that the file has.
@safe private struct MMDBReader {
    private(set) var entries: [(prefix: IPPrefix, value: UInt32)] = []
    private(set) var index = PlaceIndex()
    private let path: String
    private var database = unsafe MMDB_s()
    /// Data section offset → position of its place: networks share records.
    private var places: [UInt32: UInt32] = [:]
    private var steps = 0

    /// A record of the tree that remains to be looked at.
    private struct Branch {
        let node: UInt32
        let family: IPAddress.Family
        /// The bits that lead here, at the top.
        let bits: UInt128
        let depth: Int
    }

    init(path: String) throws(InvalidMMDB) {
        self.path = path
        let status = unsafe MMDB_open(path, UInt32(MMDB_MODE_MMAP), &database)
        guard status == MMDB_SUCCESS else {
            throw InvalidMMDB(path: path, message: Self.text(of: status))
        }
    }

    mutating func close() { unsafe MMDB_close(&database) }

    mutating func walk() throws(InvalidMMDB) {
        let nodes = unsafe database.metadata.node_count
        if unsafe database.metadata.ip_version == 4 {
            try walk(from: Branch(node: 0, family: .v4, bits: 0, depth: 0), except: nil)
            return
        }
        // IPv4 lies under ::/96, and 6to4, Teredo and mapped prefixes point there too: it is read once, as itself.
        let start = unsafe database.ipv4_start_node.node_value
        if start < nodes {
            try walk(from: Branch(node: start, family: .v4, bits: 0, depth: 0), except: nil)
        } else if start > nodes {
            try add(offset: try dataOffset(record: start), Branch(node: start, family: .v4, bits: 0, depth: 0))
        }
        try walk(from: Branch(node: 0, family: .v6, bits: 0, depth: 0), except: start)
    }

    private mutating func walk(from root: Branch, except alias: UInt32?) throws(InvalidMMDB) {
        let width = root.family.bits
        // A tree has each node once; files that share subtrees in other places have a little more.
        let limit = unsafe steps + 8 * Int(database.metadata.node_count) + 1024
        var pending = [root]
        while let branch = pending.popLast() {
            steps += 1
            guard steps <= limit else { throw broken("the search tree runs in a circle") }
            guard branch.depth < width else { throw broken("the search tree is deeper than an address") }
            var node = unsafe MMDB_search_node_s()
            let status = unsafe MMDB_read_node(&database, branch.node, &node)
            guard status == MMDB_SUCCESS else { throw broken(Self.text(of: status)) }
            let left = Branch(
                node: UInt32(truncatingIfNeeded: unsafe node.left_record), family: branch.family, bits: branch.bits,
                depth: branch.depth + 1)
            let right = Branch(
                node: UInt32(truncatingIfNeeded: unsafe node.right_record), family: branch.family,
                bits: branch.bits | 1 << UInt128(127 - branch.depth), depth: branch.depth + 1)
            for (type, offset, child) in unsafe [
                (node.left_record_type, node.left_record_entry.offset, left),
                (node.right_record_type, node.right_record_entry.offset, right),
            ] {
                switch Int32(type) {
                case MMDB_RECORD_TYPE_SEARCH_NODE:
                    if child.node != alias { pending.append(child) }
                case MMDB_RECORD_TYPE_EMPTY: continue
                case MMDB_RECORD_TYPE_DATA: try add(offset: offset, child)
                default: throw broken("the search tree has an invalid record")
                }
            }
        }
    }

    private mutating func add(offset: UInt32, _ branch: Branch) throws(InvalidMMDB) {
        let value: UInt32
        if let known = places[offset] {
            value = known
        } else {
            value = index.position(of: try place(at: offset))
            places[offset] = value
        }
        guard value != 0 else { return }
        let address = IPAddress(
            family: branch.family, high: UInt64(truncatingIfNeeded: branch.bits >> 64),
            low: UInt64(truncatingIfNeeded: branch.bits))
        entries.append((IPPrefix(address, length: branch.depth), value))
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

    private mutating func place(at offset: UInt32) throws(InvalidMMDB) -> Place {
        let continent = try string(at: offset, "continent", "code")
        if let continent, !Place.continents.contains(continent) {
            throw broken("\"\(continent)\" is not a continent code")
        }
        let country = try string(at: offset, "country", "iso_code")
        if let country, !LocationTable.isCountry(country) { throw broken("\"\(country)\" is not a country code") }
        return Place(continent: continent, country: country)
    }

    private mutating func string(at offset: UInt32, _ outer: String, _ inner: String) throws(InvalidMMDB) -> String? {
        var text: UnsafePointer<CChar>?
        var size: UInt32 = 0
        let status = unsafe withUnsafePointer(to: database) { database in
            var entry = unsafe MMDB_entry_s(mmdb: database, offset: offset)
            return unsafe meridian_mmdb_string(&entry, outer, inner, &text, &size)
        }
        guard status == MMDB_SUCCESS else { throw broken(Self.text(of: status)) }
        guard let text = unsafe text else { return nil }
        // Both kinds of code have two letters: more is not worth carrying.
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: Int(min(size, 16)))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    private func broken(_ message: String) -> InvalidMMDB { InvalidMMDB(path: path, message: message) }

    private static func text(of status: CInt) -> String { unsafe String(cString: MMDB_strerror(status)) }
}
