import DNSWire

/// An answer made ahead of its query: everything behind the question.
struct ComposedAnswer {
    /// The name that every question of this answer ends with; the octets are laid out for exactly it.
    let suffix: Name
    let code: ResponseCode
    let isAuthoritative: Bool
    let octets: [UInt8]
    let pointers: [SectionWriter.Pointer]
    /// Records of answer, authority, additional.
    let counts: [UInt16]
    /// As in `SectionWriter.turning`.
    let turning: [Int]
}

/// Composes the answers of one zone.
struct AnswerComposer {
    /// How many CNAME and DNAME links are followed in one answer.
    static let maximumLinks = 8

    let zone: Zone

    /// The answer for `type` at a name that has `node`: the data, the alias and what it leads to, or nothing with SOA.
    ///
    /// `name`: whose node it is; a wildcard's answers are for every name that it stands for.
    /// `suffix`: the name itself, or the closest encloser for the names that a wildcard stands for.
    func answer(_ node: ZoneNode, name: Name, suffix: Name, type: RecordType) -> ComposedAnswer {
        var writer = SectionWriter(suffix: suffix)
        if let set = node[type] {
            write(set, owner: .question, &writer)
            return ComposedAnswer(writer, code: .noError, isAuthoritative: true)
        }
        var code = ResponseCode.noError
        var visited: Set<Name> = [name]
        compose(node, owner: .question, type: type, &visited, &writer, &code)
        return ComposedAnswer(writer, code: code, isAuthoritative: true)
    }

    /// The types for which `answer` differs from its answer to a type that nobody has.
    func types(of node: ZoneNode) -> [RecordType] {
        guard let alias = node[.cname], let target = alias.data[0].target else { return node.sets.map(\.type) }
        var types: Set<RecordType> = [.cname]
        var next: Name? = target
        for _ in 0..<Self.maximumLinks {
            guard let name = next, name.isWithin(zone.origin), !zone.dynamicNames.contains(name) else { break }
            switch zone.match(name) {
            case .node(let node):
                types.formUnion(node.sets.map(\.type))
                next = node[.cname]?.data[0].target
            case .alias(let owner):
                next = zone.node(owner)?[.dname]?.data[0].target.flatMap { name.replacing(suffix: owner, with: $0) }
            case .cut, .missing, .elsewhere:
                next = nil
            }
        }
        return types.sorted()
    }

    /// Nothing of the type asked for, or no such name: SOA alone (RFC 2308 section 2).
    func negative(_ code: ResponseCode) -> ComposedAnswer {
        var writer = SectionWriter(suffix: zone.origin)
        writeSOA(&writer)
        return ComposedAnswer(writer, code: code, isAuthoritative: true)
    }

    /// The way to the servers of a zone below: NS without the AA flag, and their addresses where they are in this zone
    /// (RFC 1034 section 4.3.2 step 3b, RFC 9471).
    func referral(_ cut: Name) -> ComposedAnswer {
        var writer = SectionWriter(suffix: cut)
        writeReferral(cut, &writer)
        return ComposedAnswer(writer, code: .noError, isAuthoritative: false)
    }

    /// One DNAME record with its owner, to be followed by the CNAME that the query makes necessary.
    func alias(_ owner: Name, _ set: RecordSet) -> ComposedAnswer {
        var writer = SectionWriter(suffix: owner)
        writer.write(.answer, owner: .name(owner), ttl: set.ttl, data: set.data[0])
        return ComposedAnswer(writer, code: .noError, isAuthoritative: true)
    }

    /// The whole set of one type alone, without following anything (RFC 8482 section 4.1).
    func subset(_ set: RecordSet, suffix: Name) -> ComposedAnswer {
        var writer = SectionWriter(suffix: suffix)
        write(set, owner: .question, &writer)
        return ComposedAnswer(writer, code: .noError, isAuthoritative: true)
    }

    private func compose(
        _ node: ZoneNode, owner: SectionWriter.Owner, type: RecordType, _ visited: inout Set<Name>,
        _ writer: inout SectionWriter, _ code: inout ResponseCode
    ) {
        if let set = node[type] {
            write(set, owner: owner, &writer)
        } else if let set = node[.cname], let target = set.data[0].target {
            write(set, owner: owner, &writer)
            follow(target, type: type, &visited, &writer, &code)
        } else {
            writeSOA(&writer)
        }
    }

    /// Goes on with the target of an alias while it stays in this zone and is no dynamic name (RFC 1034 section 3.6.2);
    /// a resolver asks for the rest.
    private func follow(
        _ name: Name, type: RecordType, _ visited: inout Set<Name>, _ writer: inout SectionWriter,
        _ code: inout ResponseCode
    ) {
        guard visited.count <= Self.maximumLinks, visited.insert(name).inserted, name.isWithin(zone.origin),
            !zone.dynamicNames.contains(name)
        else { return }
        switch zone.match(name) {
        case .node(let node):
            compose(node, owner: .name(name), type: type, &visited, &writer, &code)
        case .missing:
            code = .nameError
            writeSOA(&writer)
        case .elsewhere:
            break
        case .cut(let cut):
            writeReferral(cut, &writer)
        case .alias(let owner):
            guard let set = zone.node(owner)?[.dname], let target = set.data[0].target else { return }
            write(set, owner: .name(owner), &writer)
            guard let replaced = name.replacing(suffix: owner, with: target) else {
                code = .nameTooLong
                return
            }
            guard let link = try? RecordData(type: .cname, wire: replaced.wire) else { return }
            writer.write(.answer, owner: .name(name), ttl: set.ttl, data: link)
            follow(replaced, type: type, &visited, &writer, &code)
        }
    }

    private func write(_ set: RecordSet, owner: SectionWriter.Owner, _ writer: inout SectionWriter) {
        writer.writeTurning(.answer, owner: owner, ttl: set.ttl, set: set.data)
    }

    private func writeSOA(_ writer: inout SectionWriter) {
        writer.write(.authority, owner: .name(zone.origin), ttl: zone.negativeTTL, data: zone.soa.data[0])
    }

    private func writeReferral(_ cut: Name, _ writer: inout SectionWriter) {
        guard let servers = zone.node(cut)?[.ns] else { return }
        for data in servers.data { writer.write(.authority, owner: .name(cut), ttl: servers.ttl, data: data) }
        for data in servers.data {
            guard let server = data.target, server.isWithin(zone.origin), let node = zone.node(server) else { continue }
            for set in [node[.a], node[.aaaa]].compactMap(\.self) {
                for address in set.data {
                    writer.write(.additional, owner: .name(server), ttl: set.ttl, data: address)
                }
            }
        }
    }
}

extension ComposedAnswer {
    init(_ writer: SectionWriter, code: ResponseCode, isAuthoritative: Bool) {
        self.init(
            suffix: writer.suffix, code: code, isAuthoritative: isAuthoritative, octets: writer.octets,
            pointers: writer.pointers, counts: writer.counts, turning: writer.turning)
    }
}
