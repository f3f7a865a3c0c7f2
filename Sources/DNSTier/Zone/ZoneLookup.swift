import DNSWire

/// Where a name leads in a zone (RFC 1034 section 4.3.2, RFC 4592, RFC 6672).
enum ZoneMatch {
    /// The name exists and is ours, or a wildcard stands for it.
    case node(ZoneNode)
    /// It is at or below a zone cut.
    case cut(Name)
    /// It is below a DNAME.
    case alias(Name)
    /// It is in another zone of this server.
    case elsewhere
    /// It does not exist.
    case missing
}

/// What becomes of a name of the zone that stands in its files.
enum ZoneStanding {
    /// It has answers of its own.
    case authoritative
    /// A zone begins here that is served elsewhere.
    case cut
    /// Another zone of this server begins here, and the DS records there are this one's.
    case yielded
    /// Never found: below a cut or an alias, or in another zone of this server.
    case hidden
}

extension Zone {
    /// Finds `name`, which must be within the zone. The cut or alias nearest to the apex decides.
    func match(_ name: Name) -> ZoneMatch {
        unsafe name.withFolded { octets, length in
            var starts: [Int] = []
            var position = 0
            while length - position > origin.wire.count {
                starts.append(position)
                position += unsafe Int(octets.load(fromByteOffset: position, as: UInt8.self)) + 1
            }
            var encloser = ZoneNames.apex
            for start in starts.reversed() {
                let marks = names.nodes[encloser].marks
                if marks.contains(.dname) { return .alias(names.name(encloser)) }
                guard let next = unsafe names.find(octets + start, length: length - start) else {
                    guard marks.contains(.wildcardBelow), let wildcard = names.name(encloser).wildcardChild,
                        let source = names.find(wildcard)
                    else { return .missing }
                    return .node(names.sets(source))
                }
                let found = names.nodes[next].marks
                if found.contains(.elsewhere) { return .elsewhere }
                if found.contains(.ns), !isWildcard(next) { return .cut(names.name(next)) }
                encloser = next
            }
            return .node(names.sets(encloser))
        }
    }

    func standing(_ index: Int) -> ZoneStanding {
        let marks = names.nodes[index].marks
        var above = names.nodes[index].parent
        while above != ZoneNames.none {
            let node = names.nodes[Int(above)]
            if !node.marks.isDisjoint(with: [.dname, .elsewhere]) { return .hidden }
            if node.marks.contains(.ns), Int(above) != ZoneNames.apex, !isWildcard(Int(above)) { return .hidden }
            above = node.parent
        }
        if marks.contains(.elsewhere) { return index == ZoneNames.apex ? .hidden : .yielded }
        return marks.contains(.ns) && index != ZoneNames.apex && !isWildcard(index) ? .cut : .authoritative
    }

    private func isWildcard(_ index: Int) -> Bool {
        let start = Int(names.nodes[index].name)
        return names.names[start] == 1 && names.names[start + 1] == UInt8(ascii: "*")
    }
}
