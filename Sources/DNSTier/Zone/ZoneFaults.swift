import DNSWire

/// What is wrong with a zone as a whole, and the records that make it so.
struct ZoneFault {
    let owner: Name
    let type: RecordType
    let message: String
}

extension Zone {
    /// Dynamic names that can never be answered, and sets that no message holds.
    func faults() -> [ZoneFault] { hiddenNames() + endlessSets() }

    /// A referral or a DNAME is the answer to everything below it (RFC 1034 section 4.3.2, RFC 6672 section 3.2), and a
    /// referral to its own name too.
    private func hiddenNames() -> [ZoneFault] {
        dynamicNames.filter { $0.isWithin(origin) }.sorted { $0.description < $1.description }.compactMap { name in
            switch match(name) {
            case .cut(let owner):
                let place = name == owner ? "at" : "below"
                return ZoneFault(
                    owner: owner, type: .ns,
                    message:
                        "the dynamic name \(name) is never answered: it is \(place) the delegation of \(owner) here")
            case .alias(let owner):
                return ZoneFault(
                    owner: owner, type: .dname,
                    message: "the dynamic name \(name) is never answered: it is below the DNAME of \(owner) here")
            case .node, .elsewhere, .missing: return nil
            }
        }
    }

    private func endlessSets() -> [ZoneFault] {
        var found: [ZoneFault] = []
        for index in names.nodes.indices where names.octets(at: index) > AnswerSize.least {
            let owner = names.name(index)
            for set in names.sets(index).sets {
                let size = AnswerSize.octets(set.data, of: owner)
                guard size > Responder.maximumTCPSize else { continue }
                let message = AnswerSize.complaint(size, set.type, owner)
                found.append(ZoneFault(owner: owner, type: set.type, message: message))
            }
        }
        return found
    }
}

/// How long the message is that answers with one record set.
enum AnswerSize {
    /// Whatever is no longer than this fits, with the longest name.
    static let least = 65_000

    /// Header, question, records whose owner is a pointer, and an OPT record without options.
    static func octets(_ records: some Collection<RecordData>, of owner: Name) -> Int {
        let question = (owner.isWildcard ? Name.maximumLength : owner.wire.count) + 4
        return 12 + question + records.reduce(0) { $0 + 12 + $1.wire.count } + 11
    }

    static func complaint(_ size: Int, _ type: RecordType, _ owner: Name) -> String {
        "the \(type) records of \(owner) take \(size) octets, and a message holds \(Responder.maximumTCPSize)"
    }
}

extension ZoneLoader {
    /// Where the first record stands that makes each fault. The files are read a second time for it: no zone remembers
    /// lines.
    static func locate(
        _ faults: [ZoneFault], _ source: MasterFile.Source, origin: Name,
        read: (_ name: String, _ includer: String) -> MasterFile.Source?
    ) -> [MasterFileError] {
        var places: [Int: MasterFileError] = [:]
        _ = MasterFile.read(source, origin: origin, include: read) { record in
            for (index, fault) in faults.enumerated()
            where places[index] == nil && record.type == fault.type && record.owner == fault.owner {
                places[index] = record.error(fault.message)
            }
        }
        return faults.indices.map { index in
            places[index] ?? MasterFileError(file: source.file, line: 1, column: 1, message: faults[index].message)
        }
    }
}
