import DNSWire

extension ZoneTable.View {
    /// Where a name leads: a node, and whether it is the name's own or its closest ancestor's.
    struct Place {
        let node: UInt32
        let isExact: Bool
    }

    /// The node whose name is the `length` octets at `name` (folded, readable to a whole word), or `FlatNode.none`.
    @inline(__always)
    @unsafe
    func node(_ name: UnsafeRawPointer, length: Int, hash: UInt64) -> UInt32 {
        var slot = Int(truncatingIfNeeded: hash) & mask
        let tag = hash >> 32
        while true {
            let entry = unsafe slots[slot]
            if entry == 0 { return FlatNode.none }
            if entry >> 32 == tag {
                let index = UInt32(truncatingIfNeeded: entry) &- 1
                let node = unsafe nodes + Int(index)
                if unsafe Int(node.pointee.nameLength) == length,
                    unsafe FoldedName.equal(name, names + Int(node.pointee.name), length: length)
                {
                    return index
                }
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
        let exact = unsafe node(name, length: length, hash: hash)
        if exact != FlatNode.none { return Place(node: exact, isExact: true) }
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
            let found = unsafe node(suffix, length: count, hash: FoldedName.hash(suffix, length: count))
            if found != FlatNode.none { return Place(node: found, isExact: false) }
        }
        return nil
    }
}
