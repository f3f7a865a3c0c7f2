package import DNSWire

/// Where a dynamic name stands in the dynamic table, and which types it answers.
package struct DynamicSlots: Hashable, Sendable {
    let index: UInt32
    /// One slot for each; a slot more, behind them, for all other types when a candidate is a CNAME.
    let types: [RecordType]
    let answersEveryType: Bool
}

/// Compiles zones to a `ZoneTable`.
package struct ZoneTableBuilder {
    private var store = AnswerStoreBuilder()
    private var nodes: [FlatNode] = []
    private var entries: [FlatEntry] = []
    private var aliases: [FlatAlias] = []
    private var names: [UInt8] = []
    /// Nodes that are found by name, with their hashes; the rest stand for wildcards.
    private var keys: [(hash: UInt64, node: Int)] = []
    private var maximumLabels = 0
    private let dynamics: [Name: DynamicSlots]

    /// Data for ANY at names that have no other (RFC 8482 section 4.2).
    private static let minimalAny: RecordSet? = {
        let wire = [UInt8(7)] + Array("RFC8482".utf8) + [0]
        guard let data = try? RecordData(type: .hinfo, wire: wire) else { return nil }
        return RecordSet(type: .hinfo, ttl: 3600, data: [data])
    }()

    private init(dynamics: [Name: DynamicSlots]) { self.dynamics = dynamics }

    /// `zones`: of different origins; where one lies within another, the inner one answers for its names.
    /// `dynamics`: the dynamic names of all zones.
    package static func build(_ zones: [Zone], dynamics: [Name: DynamicSlots]) -> ZoneTable {
        var builder = ZoneTableBuilder(dynamics: dynamics)
        for zone in zones {
            var zone = zone
            for inner in zones where inner.origin != zone.origin && inner.origin.isWithin(zone.origin) {
                zone.yield(to: inner.origin)
            }
            builder.add(zone)
        }
        let summaries = zones.map {
            ZoneSummary(
                origin: $0.origin.description, serial: $0.soa.data[0].serial, names: $0.nodes.count,
                dynamicNames: $0.dynamicNames.count)
        }
        return builder.freeze(summaries)
    }

    private mutating func add(_ zone: Zone) {
        let composer = AnswerComposer(zone: zone)
        let origin = append(zone.origin.folded)
        let noData = store.add(composer.negative(.noError))
        let noName = store.add(composer.negative(.nameError))
        for (name, node) in zone.nodes {
            switch zone.match(name) {
            case .node:
                var flat = make(node, name: name, suffix: name, composer: composer, noData: noData)
                setBelow(&flat, node, name: name, composer: composer, noData: noData, noName: noName, origin: origin)
                insert(flat, name: name)
            case .cut(let cut) where cut == name:
                insert(makeCut(node, name: name, composer: composer, noData: noData), name: name)
            case .cut, .alias, .wildcard, .missing:
                // Below a cut or an alias: never found, so that a query ends at the cut or alias itself.
                break
            }
        }
    }

    /// A node with the answers of `node`, laid out for questions that end with `suffix`.
    private mutating func make(
        _ node: ZoneNode, name: Name, suffix: Name, composer: AnswerComposer, noData: UInt32
    ) -> FlatNode {
        let slots = dynamics[name]
        let first = entries.count
        for (slot, type) in (slots?.types ?? []).enumerated() {
            entries.append(FlatEntry(type: type.rawValue, isDynamic: 1, answer: UInt32(slot)))
        }
        for type in composer.types(of: node) where slots?.types.contains(type) != true {
            let answer = store.add(composer.answer(node, name: name, suffix: suffix, type: type))
            entries.append(FlatEntry(type: type.rawValue, isDynamic: 0, answer: answer))
        }
        var other = noData
        if node[.cname] != nil {
            other = store.add(composer.answer(node, name: name, suffix: suffix, type: RecordType(rawValue: 0)))
        }
        var any = noData
        if let set = node.sets.first ?? (slots == nil ? nil : Self.minimalAny) {
            any = store.add(composer.subset(set, suffix: suffix))
        }
        return FlatNode(
            name: 0, entries: UInt32(first), entryCount: UInt16(truncatingIfNeeded: entries.count - first),
            nameLength: UInt8(truncatingIfNeeded: name.wire.count), belowKind: FlatNode.Below.answer.rawValue,
            other: other, any: any, below: 0, dynamic: slots?.index ?? FlatNode.none,
            dynamicOther: slots?.answersEveryType == true ? UInt32(slots?.types.count ?? 0) : FlatNode.none)
    }

    /// A zone cut: everything is a referral but DS, which is the parent's (RFC 4035 section 3.1.4.1).
    private mutating func makeCut(
        _ node: ZoneNode, name: Name, composer: AnswerComposer, noData: UInt32
    ) -> FlatNode {
        let referral = store.add(composer.referral(name))
        let signer = node[.ds] == nil ? noData : store.add(composer.answer(node, name: name, suffix: name, type: .ds))
        entries.append(FlatEntry(type: RecordType.ds.rawValue, isDynamic: 0, answer: signer))
        return FlatNode(
            name: 0, entries: UInt32(entries.count - 1), entryCount: 1,
            nameLength: UInt8(truncatingIfNeeded: name.wire.count), belowKind: FlatNode.Below.answer.rawValue,
            other: referral, any: referral, below: referral, dynamic: FlatNode.none, dynamicOther: FlatNode.none)
    }

    private mutating func setBelow(
        _ flat: inout FlatNode, _ node: ZoneNode, name: Name, composer: AnswerComposer, noData: UInt32, noName: UInt32,
        origin: UInt32
    ) {
        if let set = node[.dname], let target = set.data[0].target {
            flat.belowKind = FlatNode.Below.alias.rawValue
            flat.below = UInt32(aliases.count)
            let answer = store.add(composer.alias(name, set))
            aliases.append(
                FlatAlias(
                    answer: answer, target: append(target.wire), targetLength: UInt16(target.wire.count),
                    ownerLength: UInt16(name.wire.count), ttl: set.ttl, origin: origin,
                    originLength: UInt32(composer.zone.origin.wire.count)))
        } else if let wildcard = name.wildcardChild, let source = composer.zone.nodes[wildcard] {
            flat.belowKind = FlatNode.Below.wildcard.rawValue
            let stand = make(source, name: wildcard, suffix: name, composer: composer, noData: noData)
            flat.below = UInt32(nodes.count)
            nodes.append(stand)
        } else {
            flat.below = noName
        }
    }

    private mutating func insert(_ flat: FlatNode, name: Name) {
        var flat = flat
        flat.name = append(name.folded)
        maximumLabels = max(maximumLabels, name.labelCount)
        keys.append((FoldedName.hash(of: name), nodes.count))
        nodes.append(flat)
    }

    /// Appends a name, filled with zeros to whole words, and returns where it begins.
    private mutating func append(_ octets: [UInt8]) -> UInt32 {
        let position = names.count
        names += octets
        names += repeatElement(0, count: (8 - names.count % 8) % 8)
        return UInt32(position)
    }

    private func freeze(_ zones: [ZoneSummary]) -> ZoneTable {
        // At most half full, so that a probe for a name that is not there ends soon.
        var capacity = 16
        while capacity < keys.count * 2 { capacity *= 2 }
        var slots = [UInt64](repeating: 0, count: capacity)
        for (hash, node) in keys {
            var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(node + 1)
        }
        return ZoneTable(
            slots: slots, nodes: nodes, entries: entries, aliases: aliases,
            names: names + [UInt8](repeating: 0, count: 8),
            maximumLabels: maximumLabels, store: store.freeze(), zones: zones)
    }
}

extension FoldedName {
    /// The hash that a query for `name` has.
    fileprivate static func hash(of name: Name) -> UInt64 {
        let padded = name.folded + [UInt8](repeating: 0, count: 8)
        return unsafe padded.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe hash(base, length: name.folded.count)
        }
    }
}
