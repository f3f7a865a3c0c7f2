import DNSWire

/// Where a name leads in a zone (RFC 1034 section 4.3.2, RFC 4592, RFC 6672).
enum ZoneMatch {
    /// The name exists and is ours.
    case node(ZoneNode)
    /// It does not, but `*.encloser` stands for it.
    case wildcard(ZoneNode, encloser: Name)
    /// It is at or below a zone cut.
    case cut(Name)
    /// It is below a DNAME.
    case alias(Name)
    /// It does not exist; `encloser` is the longest ancestor that does.
    case missing(encloser: Name)
}

extension Zone {
    /// Finds `name`, which must be within the zone. The cut or alias nearest to the apex decides.
    func match(_ name: Name) -> ZoneMatch {
        var path: [Name] = []
        var current: Name? = name
        while let step = current, step != origin {
            path.append(step)
            current = step.parent
        }
        var encloser = origin
        var node = nodes[origin] ?? ZoneNode()
        for step in path.reversed() {
            if node[.dname] != nil { return .alias(encloser) }
            guard let next = nodes[step] else {
                if let wildcard = encloser.wildcardChild, let source = nodes[wildcard] {
                    return .wildcard(source, encloser: encloser)
                }
                return .missing(encloser: encloser)
            }
            if next[.ns] != nil, !step.isWildcard { return .cut(step) }
            encloser = step
            node = next
        }
        return .node(node)
    }
}
