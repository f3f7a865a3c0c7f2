import DNSWire

extension ZoneTable.View {
    /// Where a name leads: a node, and whether it is the name's own or its closest ancestor's.
    @safe
    struct Place {
        let node: UnsafeMutablePointer<FlatNode>
        let isExact: Bool
    }

    /// The node whose name is the `length` octets at `name` (folded, readable to a whole word).
    @inline(__always)
    @unsafe
    func node(_ name: UnsafeRawPointer, length: Int, hash: UInt64) -> UnsafeMutablePointer<FlatNode>? {
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = unsafe slots[slot]
            if entry == 0 { return nil }
            if entry ^ hash <= ZoneTable.addressMask,
                let node = unsafe UnsafeMutablePointer<FlatNode>(
                    bitPattern: UInt(truncatingIfNeeded: entry & ZoneTable.addressMask)),
                unsafe Int(node.pointee.nameLength) == length,
                unsafe FoldedName.equal(name, node.octetsAhead(node.pointee.name), length: length)
            {
                return unsafe node
            }
            slot = (slot &+ 1) & mask
        }
    }

    /// Finds the name or its closest encloser (RFC 4592 section 3.3.1). Nil when no zone here holds the name.
    ///
    /// `name`: folded, readable to a whole word.
    /// `hash`: of the whole name.
    @inline(__always)
    @unsafe
    func place(_ name: UnsafeRawPointer, length: Int, labels: Int, hash: UInt64) -> Place? {
        if let exact = unsafe node(name, length: length, hash: hash) {
            return unsafe Place(node: exact, isExact: true)
        }
        return unsafe encloser(name, length: length, labels: labels)
    }

    @inline(never)
    @unsafe
    private func encloser(_ name: UnsafeRawPointer, length: Int, labels: Int) -> Place? {
        var position = 0
        var rest = labels
        while rest > 0 {
            position &+= unsafe Int(name.load(fromByteOffset: position, as: UInt8.self)) &+ 1
            rest &-= 1
            // Longer names than any here need no look-up: a name of 127 labels costs no more than its octets.
            if rest > maximumLabels { continue }
            let suffix = unsafe name + position
            let count = length &- position
            if let found = unsafe node(suffix, length: count, hash: FoldedName.hash(suffix, length: count)) {
                return unsafe Place(node: found, isExact: false)
            }
        }
        return nil
    }
}
