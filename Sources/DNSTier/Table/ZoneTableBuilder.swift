package import DNSWire

/// Compiles zones to a `ZoneTable`.
package enum ZoneTableBuilder {
    /// `zones`: of different origins; where one lies within another, the inner one answers for its names.
    /// `dynamics`: the dynamic names of all zones.
    package static func build(_ zones: [Zone], dynamics: [Name: DynamicSlots]) -> ZoneTable {
        let inner = innermost(zones.map(\.origin))
        return ZoneTable(
            zones.map { zone in
                var zone = zone
                for origin in inner[zone.origin] ?? [] { zone.yield(to: origin) }
                return ZoneCompiler.compile(zone, dynamics: dynamics)
            })
    }

    /// For each origin, those within it that are in no other one between: what its zone has to yield.
    static func innermost(_ origins: [Name]) -> [Name: [Name]] {
        let all = Set(origins)
        var inner: [Name: [Name]] = [:]
        for origin in origins {
            var above = origin.parent
            while let current = above, !all.contains(current) { above = current.parent }
            if let outer = above { inner[outer, default: []].append(origin) }
        }
        return inner
    }
}

/// Compiles one zone to a block of memory.
struct ZoneCompiler {
    private var store = AnswerStoreBuilder()
    /// Nodes, types and aliases, with indices where the block will have distances.
    private var nodes: [FlatNode] = []
    private var entries: [FlatEntry] = []
    private var aliases: [FlatAlias] = []
    /// Names that are no nodes': they follow those of the zone.
    private var extraNames: [UInt8] = []
    /// Nodes that stand for wildcards come behind all others.
    private var stands: [FlatNode] = []
    private var dynamicNodes: [(name: Name, slots: DynamicSlots, node: Int, isStand: Bool)] = []
    private var maximumLabels = 0
    /// Nodes that stand for the apex of another zone.
    private var yieldedCount = 0
    private let zone: Zone
    private let dynamics: [Name: DynamicSlots]
    private let composer: AnswerComposer
    private let noData: UInt32
    private let noName: UInt32
    private let origin: UInt32

    /// Data for ANY at names that have no other (RFC 8482 section 4.2).
    private static let minimalAny: RecordSet? = {
        let wire = [UInt8(7)] + Array("RFC8482".utf8) + [0]
        guard let data = try? RecordData(type: .hinfo, wire: wire) else { return nil }
        return RecordSet(type: .hinfo, ttl: 3600, data: [data])
    }()

    static func compile(_ zone: Zone, dynamics: [Name: DynamicSlots]) -> ZoneSegment {
        var compiler = ZoneCompiler(zone, dynamics: dynamics)
        for index in 0..<zone.names.count {
            switch zone.standing(index) {
            case .authoritative: compiler.add(index)
            case .cut: compiler.addCut(index)
            case .yielded: compiler.addYielded(index)
            case .hidden: break
            }
        }
        return compiler.lay()
    }

    private init(_ zone: Zone, dynamics: [Name: DynamicSlots]) {
        self.zone = zone
        self.dynamics = dynamics
        composer = AnswerComposer(zone: zone)
        nodes.reserveCapacity(zone.names.count)
        entries.reserveCapacity(zone.names.count)
        store.reserve(zone.names.count, octets: zone.names.count * 16)
        noData = store.add(composer.negative(.noError))
        noName = store.add(composer.negative(.nameError))
        origin = 0
        _ = append(zone.origin.folded)
    }

    // MARK: Nodes

    private mutating func add(_ index: Int) {
        let node = zone.names.nodes[index]
        let name = zone.names.name(index)
        var flat = make(zone.names.sets(index), name: name, suffix: name, isStand: false)
        if node.marks.contains(.dname) {
            setAlias(&flat, name: name)
        } else if node.marks.contains(.wildcardBelow), let wildcard = name.wildcardChild,
            let source = zone.names.find(wildcard)
        {
            flat.belowKind = FlatNode.Below.wildcard.rawValue
            flat.below = UInt32(stands.count)
            stands.append(make(zone.names.sets(source), name: wildcard, suffix: name, isStand: true))
        } else {
            flat.below = noName
        }
        insert(flat, node)
    }

    private mutating func insert(_ flat: FlatNode, _ node: ZoneNames.Node) {
        var flat = flat
        flat.name = node.name
        flat.nameLength = node.length
        maximumLabels = max(maximumLabels, Int(node.labels))
        nodes.append(flat)
    }

    /// A node with the answers of `node`, laid out for questions that end with `suffix`.
    private mutating func make(_ node: ZoneNode, name: Name, suffix: Name, isStand: Bool) -> FlatNode {
        let slots = dynamics.isEmpty ? nil : dynamics[name]
        if let slots {
            dynamicNodes.append((name, slots, isStand ? stands.count : nodes.count, isStand))
        }
        let first = entries.count
        for (slot, type) in (slots?.types ?? []).enumerated() {
            entries.append(FlatEntry(type: type.rawValue, isDynamic: 1, answer: UInt32(slot)))
        }
        let firstStatic = entries.count
        for type in composer.types(of: node) where slots?.types.contains(type) != true {
            let answer = store.add(composer.answer(node, name: name, suffix: suffix, type: type))
            entries.append(FlatEntry(type: type.rawValue, isDynamic: 0, answer: answer))
        }
        if name == zone.origin, !isStand, !entries[first...].contains(where: { $0.type == RecordType.ds.rawValue }) {
            entries.append(FlatEntry(type: RecordType.ds.rawValue, isDynamic: FlatEntry.above, answer: noData))
        }
        var other = noData
        if node[.cname] != nil {
            other = store.add(composer.answer(node, name: name, suffix: suffix, type: RecordType(rawValue: 0)))
        }
        var any = noData
        if let set = node.sets.first ?? (slots == nil ? nil : Self.minimalAny) {
            let isFirst = firstStatic < entries.count && entries[firstStatic].type == set.type.rawValue
            // What the first type is answered with is its set and nothing else, but for a CNAME, which is followed.
            any =
                isFirst && set.type != .cname
                ? entries[firstStatic].answer : store.add(composer.subset(set, suffix: suffix))
        }
        return FlatNode(
            name: 0, entries: UInt32(first), entryCount: UInt16(truncatingIfNeeded: entries.count - first),
            nameLength: 0, belowKind: FlatNode.Below.answer.rawValue, other: other, any: any, below: noName,
            dynamic: slots?.index ?? FlatNode.none,
            dynamicOther: slots?.answersEveryType == true ? UInt32(slots?.types.count ?? 0) : FlatNode.none)
    }

    /// A zone cut: everything is a referral but DS, which is the parent's (RFC 4035 section 3.1.4.1).
    private mutating func addCut(_ index: Int) {
        let name = zone.names.name(index)
        let node = zone.names.sets(index)
        let referral = store.add(composer.referral(name))
        let signer = node[.ds] == nil ? noData : store.add(composer.answer(node, name: name, suffix: name, type: .ds))
        entries.append(FlatEntry(type: RecordType.ds.rawValue, isDynamic: 0, answer: signer))
        let flat = FlatNode(
            name: 0, entries: UInt32(entries.count - 1), entryCount: 1, nameLength: 0,
            belowKind: FlatNode.Below.answer.rawValue, other: referral, any: referral, below: referral,
            dynamic: FlatNode.none, dynamicOther: FlatNode.none)
        insert(flat, zone.names.nodes[index])
    }

    /// The apex of another zone here: found only by whoever asks for its DS records, which are the parent's (RFC 4035 section
    /// 3.1.4.1).
    private mutating func addYielded(_ index: Int) {
        let name = zone.names.name(index)
        guard name.wire.count < Name.maximumLength else { return }
        let node = zone.names.sets(index)
        let signer = node[.ds] == nil ? noData : store.add(composer.answer(node, name: name, suffix: name, type: .ds))
        var flat = FlatNode(
            name: 0, entries: UInt32(entries.count), entryCount: 0, nameLength: UInt8(name.wire.count + 1),
            belowKind: FlatNode.Below.answer.rawValue, other: signer, any: signer, below: signer,
            dynamic: FlatNode.none, dynamicOther: FlatNode.none)
        // Further names stand behind those of the zone.
        flat.name = UInt32(zone.names.names.count) + append([FlatNode.aboveMark] + name.folded)
        nodes.append(flat)
        yieldedCount += 1
    }

    private mutating func setAlias(_ flat: inout FlatNode, name: Name) {
        guard let set = zone.node(name)?[.dname], let target = set.data[0].target else { return }
        flat.belowKind = FlatNode.Below.alias.rawValue
        flat.below = UInt32(aliases.count)
        let answer = store.add(composer.alias(name, set))
        aliases.append(
            FlatAlias(
                answer: answer, target: append(target.wire), targetLength: UInt16(target.wire.count),
                ownerLength: UInt16(name.wire.count), ttl: set.ttl, origin: origin,
                originLength: UInt32(zone.origin.wire.count)))
    }

    /// Appends a name, filled with zeros to whole words, and returns where it begins among the extra ones.
    private mutating func append(_ octets: [UInt8]) -> UInt32 {
        let position = extraNames.count
        extraNames += octets
        extraNames += repeatElement(0, count: (8 - extraNames.count % 8) % 8)
        return UInt32(position)
    }

    // MARK: The block

    /// Nodes, stands, types, aliases, answers, names: everything that something leads to lies behind it.
    private mutating func lay() -> ZoneSegment {
        let nodeSize = MemoryLayout<FlatNode>.stride
        let entrySize = MemoryLayout<FlatEntry>.stride
        let aliasSize = MemoryLayout<FlatAlias>.stride
        let standStart = nodes.count * nodeSize
        let entryStart = standStart + stands.count * nodeSize
        let aliasStart = entryStart + entries.count * entrySize
        let answerStart = (aliasStart + aliases.count * aliasSize + 7) / 8 * 8
        let nameStart = answerStart + store.size
        let extraStart = nameStart + zone.names.names.count
        // A word to spare: names are read by whole words.
        let size = extraStart + extraNames.count + 8
        precondition(size <= UInt32.max, "a zone takes 4 GiB at most")

        let block = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        func answer(_ index: UInt32, from place: Int) -> UInt32 {
            UInt32(answerStart + Int(index) * MemoryLayout<FlatAnswer>.stride - place)
        }
        func lay(_ node: FlatNode, at place: Int) {
            var node = node
            if node.nameLength > 0 { node.name += UInt32(nameStart - place) }
            node.entries = UInt32(entryStart + Int(node.entries) * entrySize - place)
            node.other = answer(node.other, from: place)
            node.any = answer(node.any, from: place)
            switch FlatNode.Below(rawValue: node.belowKind) {
            case .wildcard: node.below = UInt32(standStart + Int(node.below) * nodeSize - place)
            case .alias: node.below = UInt32(aliasStart + Int(node.below) * aliasSize - place)
            case .answer, nil: node.below = answer(node.below, from: place)
            }
            unsafe block.storeBytes(of: node, toByteOffset: place, as: FlatNode.self)
        }
        for (index, node) in nodes.enumerated() { lay(node, at: index * nodeSize) }
        for (index, node) in stands.enumerated() { lay(node, at: standStart + index * nodeSize) }
        for (index, entry) in entries.enumerated() {
            var entry = entry
            let place = entryStart + index * entrySize
            if entry.isDynamic != 1 { entry.answer = answer(entry.answer, from: place) }
            unsafe block.storeBytes(of: entry, toByteOffset: place, as: FlatEntry.self)
        }
        for (index, alias) in aliases.enumerated() {
            var alias = alias
            let place = aliasStart + index * aliasSize
            alias.answer = answer(alias.answer, from: place)
            alias.target += UInt32(extraStart - place)
            alias.origin += UInt32(extraStart - place)
            unsafe block.storeBytes(of: alias, toByteOffset: place, as: FlatAlias.self)
        }
        unsafe store.lay(at: block + answerStart)
        func copy(_ octets: [UInt8], to place: Int) {
            unsafe octets.withUnsafeBytes { bytes in
                unsafe UnsafeMutableRawBufferPointer(start: block + place, count: bytes.count).copyMemory(from: bytes)
            }
        }
        copy(zone.names.names, to: nameStart)
        copy(extraNames + [UInt8](repeating: 0, count: 8), to: extraStart)
        let count = nodes.count
        return unsafe ZoneSegment(
            base: block, memorySize: size, nodeCount: count + stands.count, nameCount: count - yieldedCount,
            maximumLabels: maximumLabels,
            dynamicNodes: dynamicNodes.map {
                ZoneSegment.DynamicNode(name: $0.name, slots: $0.slots, node: $0.isStand ? count + $0.node : $0.node)
            },
            summary: ZoneSummary(
                origin: zone.origin.description, serial: zone.soa.data[0].serial, names: zone.names.count,
                dynamicNames: zone.dynamicNames.count))
    }
}
