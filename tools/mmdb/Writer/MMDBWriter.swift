package import Model

/// Writes MaxMind DB files (format version 2.0): small ones for tests and trials, with the data that one gives it.
///
/// Equal records are written once. IPv4 lies under ::/96, as in the databases that MaxMind publishes.
package struct MMDBWriter {
    /// Bits of a record in the search tree.
    package enum RecordSize: Int, Sendable, CaseIterable {
        case small = 24
        case medium = 28
        case large = 32
    }

    private enum Side {
        case nothing
        case node(Int)
        /// A position in `records`.
        case data(Int)
    }

    private var nodes: [(left: Side, right: Side)] = [(.nothing, .nothing)]
    private var records: [MMDBValue] = []
    private var positions: [MMDBValue: Int] = [:]
    private let type: String

    /// `type`: the name of the kind, such as `GeoLite2-City`.
    package init(type: String) { self.type = type }

    /// Where prefixes enclose each other, add the wider one first.
    package mutating func add(_ prefix: IPPrefix, _ value: MMDBValue) {
        let record: Int
        if let known = positions[value] {
            record = known
        } else {
            record = records.count
            records.append(value)
            positions[value] = record
        }
        let isNarrow = prefix.address.family == .v4
        let bits = (isNarrow ? Array(repeating: false, count: 96) : []) + (0..<prefix.length).map(prefix.address.bit)
        guard let last = bits.last else {
            nodes[0] = (.data(record), .data(record))
            return
        }
        var node = 0
        for bit in bits.dropLast() {
            switch bit ? nodes[node].right : nodes[node].left {
            case .node(let next): node = next
            case let side:
                // What enclosed all of it now encloses both halves.
                nodes.append((side, side))
                set(node, bit, .node(nodes.count - 1))
                node = nodes.count - 1
            }
        }
        set(node, last, .data(record))
    }

    private mutating func set(_ node: Int, _ isRight: Bool, _ side: Side) {
        if isRight { nodes[node].right = side } else { nodes[node].left = side }
    }

    /// The file. `epoch`: seconds since 1970 for its metadata.
    ///
    /// - Returns: nil when there is more than records of this size can point at.
    package func file(_ size: RecordSize = .medium, epoch: UInt64 = 1_700_000_000) -> [UInt8]? {
        var data: [UInt8] = []
        var offsets: [Int] = []
        for record in records {
            offsets.append(data.count)
            record.write(to: &data)
        }
        guard nodes.count + 16 + data.count < 1 << size.rawValue else { return nil }
        var octets: [UInt8] = []
        for node in nodes {
            let (left, right) = (record(node.left, offsets), record(node.right, offsets))
            switch size {
            case .small: octets += Self.octets(left, 3) + Self.octets(right, 3)
            case .medium:
                octets += Self.octets(left & 0xff_ffff, 3) + [UInt8((left >> 24) << 4 | right >> 24)]
                octets += Self.octets(right & 0xff_ffff, 3)
            case .large: octets += Self.octets(left, 4) + Self.octets(right, 4)
            }
        }
        octets += Array(repeating: 0, count: 16)
        octets += data
        octets += [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)
        metadata(size, epoch).write(to: &octets)
        return octets
    }

    private func record(_ side: Side, _ offsets: [Int]) -> UInt32 {
        switch side {
        case .nothing: UInt32(nodes.count)
        case .node(let index): UInt32(index)
        case .data(let record): UInt32(nodes.count + 16 + offsets[record])
        }
    }

    private static func octets(_ number: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }

    private func metadata(_ size: RecordSize, _ epoch: UInt64) -> MMDBValue {
        .map([
            .init("binary_format_major_version", .uint16(2)), .init("binary_format_minor_version", .uint16(0)),
            .init("build_epoch", .uint64(epoch)), .init("database_type", .string(type)),
            .init("description", .map([.init("en", .string("Made by Meridian for tests"))])),
            .init("ip_version", .uint16(6)), .init("languages", .array([.string("en")])),
            .init("node_count", .uint32(UInt32(nodes.count))), .init("record_size", .uint16(UInt16(size.rawValue))),
        ])
    }
}
