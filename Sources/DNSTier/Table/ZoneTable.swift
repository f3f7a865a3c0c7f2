import DNSWire

/// A name of the table: 32 octets. What it leads to lies behind it in the same block; the distances count from here.
struct FlatNode {
    /// What a query below this name that finds no name of its own is answered with.
    enum Below: UInt8 {
        /// `below` leads to an answer: NXDOMAIN, or a referral.
        case answer
        /// `below` leads to the node of a wildcard.
        case wildcard
        /// `below` leads to an alias (DNAME).
        case alias
    }

    /// Marks that nothing stands in a field.
    static let none = UInt32.max
    /// Stands before the name of an inner zone's apex where the zone above says what it has of it: no label is so long, so
    /// that no query finds it.
    static let aboveMark: UInt8 = 0xff

    /// The folded name, filled to whole words.
    var name: UInt32
    /// The list of types that the name has answers for.
    var entries: UInt32
    var entryCount: UInt16
    /// 0 for nodes that are not found by name: those of wildcards.
    var nameLength: UInt8
    var belowKind: UInt8
    /// The answer for all other types.
    var other: UInt32
    /// The answer to ANY (RFC 8482).
    var any: UInt32
    var below: UInt32
    /// The number of the dynamic name, or `none`.
    var dynamic: UInt32
    /// The slot of a dynamic name that answers all other types in place of `other`, or `none`.
    var dynamicOther: UInt32
}

/// A type of a node and its answer.
struct FlatEntry {
    /// What `isDynamic` is at the DS of a zone's apex: the zone above has it, and `answer` is for when that is not here.
    static let above: UInt16 = 2

    var type: UInt16
    /// 1 when `answer` is a slot of the node's dynamic name.
    var isDynamic: UInt16
    /// The distance from here to the answer.
    var answer: UInt32
}

/// What is below a DNAME: its record, and what replaces its owner. Distances count from here.
struct FlatAlias {
    /// The answer with the DNAME record alone.
    var answer: UInt32
    /// The target's name (wire form).
    var target: UInt32
    var targetLength: UInt16
    /// Octets of the owner's name.
    var ownerLength: UInt16
    var ttl: UInt32
    /// The name of the zone's apex: only names within it are followed.
    var origin: UInt32
    var originLength: UInt32
}

extension UnsafeMutablePointer {
    /// What lies `distance` octets behind.
    @inline(__always)
    @unsafe
    func ahead<Target>(_ distance: UInt32, as type: Target.Type) -> UnsafeMutablePointer<Target> {
        unsafe (UnsafeMutableRawPointer(self) + Int(distance)).assumingMemoryBound(to: Target.self)
    }

    @inline(__always)
    @unsafe
    func octetsAhead(_ distance: UInt32) -> UnsafeRawPointer {
        unsafe UnsafeRawPointer(self) + Int(distance)
    }
}

/// One zone, compiled: a block of memory with its nodes, their types, its ready-made answers and all names.
///
/// Immutable, and apart from all other zones: when one of them is read anew, the others stay as and where they are.
package final class ZoneSegment: Sendable {
    @safe
    private struct Block: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
    }

    /// A node that answers for a dynamic name: the name's own, or the one that stands for a wildcard.
    struct DynamicNode: Sendable {
        let name: Name
        let slots: DynamicSlots
        /// Its number among the nodes.
        let node: Int
    }

    private let block: Block
    /// Octets of the block.
    let memorySize: Int
    let nodeCount: Int
    /// Nodes that are found by name.
    let nameCount: Int
    /// The most labels of any name.
    let maximumLabels: Int
    let dynamicNodes: [DynamicNode]
    let summary: ZoneSummary

    /// Takes over `base`, which begins with the nodes.
    @unsafe
    init(
        base: UnsafeMutableRawPointer, memorySize: Int, nodeCount: Int, nameCount: Int, maximumLabels: Int,
        dynamicNodes: [DynamicNode], summary: ZoneSummary
    ) {
        unsafe block = Block(base: base)
        self.memorySize = memorySize
        self.nodeCount = nodeCount
        self.nameCount = nameCount
        self.maximumLabels = maximumLabels
        self.dynamicNodes = dynamicNodes
        self.summary = summary
    }

    deinit { unsafe block.base.deallocate() }

    var nodes: UnsafeMutablePointer<FlatNode> { unsafe block.base.assumingMemoryBound(to: FlatNode.self) }

    /// The same zone where its dynamic names have other numbers; itself when they have not. Nil when they are others or
    /// answer other types, so that the zone must be compiled anew.
    func renumbered(_ dynamics: [Name: DynamicSlots]) -> ZoneSegment? {
        guard Set(dynamicNodes.map(\.name)) == Set(dynamics.keys) else { return nil }
        var numbers: [(node: Int, slots: DynamicSlots)] = []
        for dynamic in dynamicNodes {
            guard let slots = dynamics[dynamic.name], slots.types == dynamic.slots.types,
                slots.answersEveryType == dynamic.slots.answersEveryType
            else { return nil }
            numbers.append((dynamic.node, slots))
        }
        if zip(dynamicNodes, numbers).allSatisfy({ $0.slots == $1.slots }) { return self }
        let base = UnsafeMutableRawPointer.allocate(byteCount: memorySize, alignment: 8)
        unsafe base.copyMemory(from: block.base, byteCount: memorySize)
        for number in numbers {
            unsafe base.assumingMemoryBound(to: FlatNode.self)[number.node].dynamic = number.slots.index
        }
        return unsafe ZoneSegment(
            base: base, memorySize: memorySize, nodeCount: nodeCount, nameCount: nameCount,
            maximumLabels: maximumLabels,
            dynamicNodes: zip(dynamicNodes, numbers).map {
                DynamicNode(name: $0.name, slots: $1.slots, node: $0.node)
            }, summary: summary)
    }
}

/// All zones of a server: one hash table from folded names to the nodes in the zones' blocks.
///
/// Immutable. The data path reads it through `view`, which is bare pointers: no reference counting, no bounds checks; the
/// compiler that made the blocks vouches for every distance in them.
package final class ZoneTable: Sendable {
    @safe
    struct View: @unchecked Sendable {
        /// The upper 16 bits of the name's hash, and the address of its node in the other 48; 0 is empty.
        let slots: UnsafeMutablePointer<UInt64>
        /// Number of slots (a power of two) less one.
        let mask: Int
        /// The most labels of any name in the table.
        let maximumLabels: Int
    }

    static let addressMask: UInt64 = 0x0000_ffff_ffff_ffff

    let view: View
    package let segments: [ZoneSegment]

    var zones: [ZoneSummary] { segments.map(\.summary) }
    package var nameCount: Int { segments.reduce(0) { $0 + $1.nameCount } }
    /// Octets of the table and all blocks.
    package let memorySize: Int

    /// `segments`: of different origins.
    package init(_ segments: [ZoneSegment]) {
        self.segments = segments
        let names = segments.reduce(0) { $0 + $1.nameCount }
        // At most half full, so that a probe for a name that is not there ends soon.
        var capacity = 16
        while capacity < names * 2 { capacity *= 2 }
        let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: capacity)
        unsafe slots.initialize(repeating: 0, count: capacity)
        for segment in segments {
            for index in 0..<segment.nodeCount {
                let node = unsafe segment.nodes + index
                let length = unsafe Int(node.pointee.nameLength)
                guard length > 0 else { continue }
                let hash = unsafe FoldedName.hash(node.octetsAhead(node.pointee.name), length: length)
                var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
                while unsafe slots[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
                unsafe slots[slot] = hash & ~Self.addressMask | UInt64(UInt(bitPattern: node)) & Self.addressMask
            }
        }
        unsafe view = View(
            slots: slots, mask: capacity - 1, maximumLabels: segments.reduce(0) { max($0, $1.maximumLabels) })
        memorySize = capacity * 8 + segments.reduce(0) { $0 + $1.memorySize }
    }

    deinit { unsafe view.slots.deallocate() }
}

/// A zone as status shows it.
struct ZoneSummary: Sendable, Hashable {
    let origin: String
    let serial: UInt32
    let names: Int
    let dynamicNames: Int
}
