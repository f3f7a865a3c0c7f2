import Model

/// What a scalar may be. The one description from which parsing, the JSON Schema and the documents are made.
indirect enum ScalarKind: Sendable {
    case text
    /// Letters, digits, `.`, `_` and `-`, beginning with a letter or digit; at most 63.
    case name
    case choice([String])
    case boolean
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case duration(ClosedRange<Duration>)
    /// Whole seconds.
    case timeToLive
    /// Octets.
    case size(ClosedRange<Int>)
    /// Percent.
    case share(ClosedRange<Int>)
    case address
    case socketAddress
    case prefix
    /// A path relative to the file in which it is written.
    case file
    /// The same, or `-` for standard output.
    case fileOrOutput
    /// A path relative to the file in which it is written, of something that a node makes itself.
    case writtenFile
    /// A fully qualified DNS name, with or without the final dot.
    case domain
    /// A DNS name relative to its zone, `@` for the apex; absolute with a final dot.
    case label
    /// A host name to match: `*`, `*.example.test` or `www.example.test`.
    case hostPattern
    /// A value of the Host header: a name or address, perhaps with a port.
    case host
    case urlPath
    /// A protocol that an Upgrade field names, such as `websocket` or `SPDY/3.1`; not one that carries requests.
    case upgrade
    /// `200` or `200-399`.
    case statuses
    /// ISO 3166-1 alpha-2.
    case country
    /// ISO 3166-2: `US-CA`.
    case subdivision
    /// `FR/Paris` or `US-CA/Los Angeles`: country or subdivision, and English name.
    case city
    /// The number of an autonomous system, `AS64500` or `64500`.
    case network
    /// An address prefix, the name of a set of them, or `*`.
    case clients
    /// The name of one of the answers beside it. Whether there is one is for `NameChecks` to say.
    case candidate
    case environmentVariable
    /// The name of something that the topology defines.
    case reference(Referent)
    /// `word`, or the other.
    case word(String, or: ScalarKind)
}

/// The sections that others point into.
enum Referent: String, Sendable, CaseIterable {
    case region
    case service
    case pool

    /// The section of the topology that defines them.
    var section: String { rawValue + "s" }
}

/// A scalar that has been understood.
enum Atom: Sendable, Hashable {
    case text(String)
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case duration(Duration)
    case address(IPAddress)
    case socketAddress(SocketAddress)
    case prefix(IPPrefix)
    case range(ClosedRange<Int>)
    /// The word of `ScalarKind.word`.
    case word
}

extension ScalarKind {
    /// For diagnostics and documents: what may stand here.
    var allowed: String {
        switch self {
        case .text: "text"
        case .name: "a name of letters, digits, '.', '_' and '-', at most 63 characters"
        case .choice(let words): "one of " + words.joined(separator: ", ")
        case .boolean: "true or false"
        case .integer(let range): "a whole number, \(range.lowerBound) to \(range.upperBound)"
        case .number(let range): "a number, \(range.lowerBound.short) to \(range.upperBound.short)"
        case .duration(let range):
            "a duration such as 500ms, 5s, 2m or 1h, from \(range.lowerBound.text) to \(range.upperBound.text)"
        case .timeToLive: "a duration in whole seconds such as 30s or 5m, from 0s to 2147483647s"
        case .size(let range):
            "a size such as 512B, 16KiB, 10MiB or 1GiB, from \(range.lowerBound.sizeText) to \(range.upperBound.sizeText)"
        case .share(let range): "a share, \(range.lowerBound)% to \(range.upperBound)%"
        case .address: "an IPv4 or IPv6 address"
        case .socketAddress: "an address and port such as 127.0.0.1:80 or [::1]:80"
        case .prefix: "an address prefix such as 10.0.0.0/8 or 2001:db8::/32, without bits behind its length"
        case .file, .writtenFile: "a path, relative to this file"
        case .fileOrOutput: "a path, relative to this file, or - for standard output"
        case .domain: "a DNS name such as example.test"
        case .label: "a DNS name relative to its zone, or @ for the zone itself"
        case .hostPattern: "a host name, *.suffix, or * for any"
        case .host: "a host name or address, with or without a port"
        case .urlPath: "a path that begins with / and has no blanks"
        case .upgrade:
            "a protocol such as websocket or SPDY/3.1; not h2c, HTTP or TLS, whose requests no route would see"
        case .statuses: "a status from 100 to 599, or a range such as 200-399"
        case .country: "a country code of two capital letters (ISO 3166-1)"
        case .subdivision: "a code such as US-CA (ISO 3166-2)"
        case .city: "a country or subdivision and a city's English name, such as FR/Paris or US-CA/Los Angeles"
        case .network: "the number of an autonomous system such as AS64500"
        case .clients: "an address prefix such as 10.0.0.0/8, the name of a set in dns.prefixSets, or *"
        case .candidate: "the name of an answer"
        case .environmentVariable: "the name of an environment variable"
        case .reference(let referent): "the name of a \(referent.rawValue)"
        case .word(let word, let other): "\(word), or \(other.allowed)"
        }
    }

    /// What `text` means, or nil when it may not stand here. References and files are judged by the caller.
    func read(_ text: String) -> Atom? {
        switch self {
        case .text: Self.isPrintable(text) ? .text(text) : nil
        case .name, .reference, .candidate: Self.isName(text) ? .text(text) : nil
        case .choice(let words): words.contains(text) ? .text(text) : nil
        case .boolean: text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
        case .integer(let range): Self.integer(text, in: range).map(Atom.integer)
        case .number(let range): Self.number(text, in: range).map(Atom.number)
        case .duration(let range): Duration(text: text, in: range).map(Atom.duration)
        case .timeToLive: Self.timeToLive(text).map(Atom.duration)
        case .size(let range): Self.quantity(text, units: Self.sizeUnits, in: range).map(Atom.integer)
        case .share(let range): Self.quantity(text, units: [("%", 1)], in: range).map(Atom.integer)
        case .address: IPAddress(text).map(Atom.address)
        case .socketAddress: SocketAddress(text).flatMap { $0.port == 0 ? nil : Atom.socketAddress($0) }
        case .prefix: IPPrefix(text).map(Atom.prefix)
        case .file, .fileOrOutput, .writtenFile: !text.isEmpty && Self.isPrintable(text) ? .text(text) : nil
        case .domain: DomainText.absolute(text).map(Atom.text)
        case .label: text == "@" ? .text(text) : DomainText.relative(text).map(Atom.text)
        case .hostPattern: Self.hostPattern(text).map(Atom.text)
        case .host: Self.isHost(text) ? .text(text) : nil
        case .urlPath: Self.isPath(text) ? .text(text) : nil
        case .upgrade: Self.isUpgrade(text) ? .text(text) : nil
        case .statuses: Self.statuses(text).map(Atom.range)
        case .country:
            text.utf8.count == 2 && text.utf8.allSatisfy { (0x41...0x5a).contains($0) } ? .text(text) : nil
        case .subdivision: Self.isSubdivision(text[...]) ? .text(text) : nil
        case .city: Self.isCity(text) ? .text(text) : nil
        case .network: Self.network(text).map(Atom.integer)
        case .clients:
            text == "*" ? .word : IPPrefix(text).map(Atom.prefix) ?? (Self.isName(text) ? .text(text) : nil)
        case .environmentVariable: Self.isVariable(text) ? .text(text) : nil
        case .word(let word, let other): text == word ? .word : other.read(text)
        }
    }
}
