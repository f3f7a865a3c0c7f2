import Model

/// A value that has been held against the schema.
struct Checked: Sendable {
    indirect enum Value: Sendable {
        /// In error, and reported: nothing more is to be said about it.
        case invalid
        case atom(Atom)
        case list([Checked])
        case map([MapEntry])
        case record(Record)
    }

    struct MapEntry: Sendable {
        let key: Atom
        /// As it was written.
        let name: String
        let position: Position
        let value: Checked
    }

    let position: Position
    let value: Value

    var atom: Atom? {
        if case .atom(let atom) = value { return atom }
        return nil
    }

    var record: Record? {
        if case .record(let record) = value { return record }
        return nil
    }

    /// The text of a scalar; nil for everything else.
    var text: String? {
        if case .atom(.text(let text)) = value { return text }
        return nil
    }

    /// The items of a list, or a lone value as a list of one.
    var items: [Checked] {
        switch value {
        case .list(let items): items
        case .invalid: []
        case .atom, .map, .record: [self]
        }
    }
}

/// A map with known keys: every value that is present and every default. The plain accessors are for keys that are
/// required or have a default; a value in error reads as zero or empty, which never leaves the module, because an error
/// was reported for it and no snapshot is made.
struct Record: Sendable {
    let position: Position
    let fields: [String: Checked]

    func has(_ key: String) -> Bool { fields[key] != nil }

    /// Where `key` stands, or the record if it is absent.
    func position(of key: String) -> Position { fields[key]?.position ?? position }

    func record(_ key: String) -> Record? { fields[key]?.record }

    /// A record that is always there.
    func section(_ key: String) -> Record { record(key) ?? Record(position: position, fields: [:]) }

    func items(_ key: String) -> [Checked] { fields[key]?.items ?? [] }

    func entries(_ key: String) -> [Checked.MapEntry] {
        if case .map(let entries) = fields[key]?.value { return entries }
        return []
    }

    /// The entries whose values are records and not in error.
    func records(_ key: String) -> [(name: String, position: Position, record: Record)] {
        entries(key).compactMap { entry in entry.value.record.map { (entry.name, entry.position, $0) } }
    }

    func optionalText(_ key: String) -> String? { fields[key]?.text }
    func text(_ key: String) -> String { optionalText(key) ?? "" }

    func optionalInteger(_ key: String) -> Int? {
        if case .integer(let value) = fields[key]?.atom { return value }
        return nil
    }

    func integer(_ key: String) -> Int { optionalInteger(key) ?? 0 }

    func number(_ key: String) -> Double? {
        if case .number(let value) = fields[key]?.atom { return value }
        return nil
    }

    func boolean(_ key: String) -> Bool { fields[key]?.atom == .boolean(true) }

    func optionalDuration(_ key: String) -> Duration? {
        if case .duration(let value) = fields[key]?.atom { return value }
        return nil
    }

    func duration(_ key: String) -> Duration { optionalDuration(key) ?? .zero }

    func address(_ key: String) -> IPAddress? {
        if case .address(let value) = fields[key]?.atom { return value }
        return nil
    }

    func socketAddress(_ key: String) -> SocketAddress? {
        if case .socketAddress(let value) = fields[key]?.atom { return value }
        return nil
    }

    /// A TCP or UDP port; 0 when it is absent or in error.
    func port(_ key: String) -> UInt16 { UInt16(truncatingIfNeeded: integer(key)) }
}
