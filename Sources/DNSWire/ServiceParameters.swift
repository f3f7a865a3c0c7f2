import Model

/// The parameters of SVCB and HTTPS records (RFC 9460 section 2): keys in ascending order, each once, each with a value
/// whose form its key prescribes.
enum ServiceParameters {
    /// The registered keys (RFC 9460 section 14.3.2, RFC 9461, RFC 9540), at their numbers.
    static let names = [
        "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp",
    ]

    static let mandatory: UInt16 = 0
    static let alpn: UInt16 = 1
    static let noDefaultALPN: UInt16 = 2
    static let port: UInt16 = 3
    static let ipv4Hint: UInt16 = 4
    static let ech: UInt16 = 5
    static let ipv6Hint: UInt16 = 6
    static let ohttp: UInt16 = 8

    /// The registered name, or `key123`.
    static func name(_ key: UInt16) -> String { Int(key) < names.count ? names[Int(key)] : "key\(key)" }

    /// Reads a registered name or `key123` without leading zeros; `key65535` is reserved as invalid (section 14.3.2).
    static func key(_ name: String) -> UInt16? {
        if let index = names.firstIndex(of: name) { return UInt16(index) }
        guard name.hasPrefix("key"), let value = UInt16(name.dropFirst(3)), value < 65_535, name == "key\(value)" else {
            return nil
        }
        return value
    }

    /// Cuts parameters into keys and values; nil when lengths run over the end.
    static func split(_ wire: ArraySlice<UInt8>) -> [(key: UInt16, value: ArraySlice<UInt8>)]? {
        var parameters: [(key: UInt16, value: ArraySlice<UInt8>)] = []
        var rest = wire
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let start = rest.startIndex
            let length = Int(rest[start + 2]) << 8 | Int(rest[start + 3])
            guard rest.count >= 4 + length else { return nil }
            let key = UInt16(rest[start]) << 8 | UInt16(rest[start + 1])
            parameters.append((key, rest[(start + 4)..<(start + 4 + length)]))
            rest = rest[(start + 4 + length)...]
        }
        return parameters
    }

    /// Whether the parameters of a record with `priority` are as RFC 9460 wants them (sections 2.2, 2.4.2, 7 and 8).
    static func isValid(_ wire: ArraySlice<UInt8>, priority: UInt16) -> Bool {
        guard let parameters = split(wire) else { return false }
        guard priority != 0 || parameters.isEmpty else { return false }
        for (index, parameter) in parameters.enumerated() {
            guard index == 0 || parameters[index - 1].key < parameter.key else { return false }
            guard isValid(parameter.value, of: parameter.key) else { return false }
        }
        let keys = Set(parameters.map(\.key))
        if keys.contains(noDefaultALPN), !keys.contains(alpn) { return false }
        guard let first = parameters.first, first.key == mandatory else { return true }
        return words(first.value).allSatisfy(keys.contains)
    }

    private static func isValid(_ value: ArraySlice<UInt8>, of key: UInt16) -> Bool {
        switch key {
        case mandatory:
            let keys = words(value)
            return !value.isEmpty && value.count.isMultiple(of: 2) && !keys.contains(mandatory)
                && zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }
        case alpn: return protocols(value)?.isEmpty == false
        case noDefaultALPN, ohttp: return value.isEmpty
        case port: return value.count == 2
        case ipv4Hint: return !value.isEmpty && value.count.isMultiple(of: 4)
        case ech: return !value.isEmpty
        case ipv6Hint: return !value.isEmpty && value.count.isMultiple(of: 16)
        default: return true
        }
    }

    static func words(_ value: ArraySlice<UInt8>) -> [UInt16] {
        stride(from: value.startIndex, to: value.endIndex - 1, by: 2).map {
            UInt16(value[$0]) << 8 | UInt16(value[$0 + 1])
        }
    }

    /// The identifiers of `alpn`, each behind its length; nil when one is empty or runs over the end.
    static func protocols(_ value: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        var list: [ArraySlice<UInt8>] = []
        var rest = value
        while let length = rest.first {
            guard length > 0, rest.count > Int(length) else { return nil }
            list.append(rest.dropFirst().prefix(Int(length)))
            rest = rest.dropFirst(Int(length) + 1)
        }
        return list
    }

    // MARK: Presentation form

    /// `alpn="h2,h3" port="8443"`: every parameter with a value is quoted but those that are plain numbers and addresses.
    static func text(_ wire: ArraySlice<UInt8>) -> [String] {
        (split(wire) ?? []).map { parameter in
            let name = name(parameter.key)
            guard !parameter.value.isEmpty else { return name }
            return "\(name)=\(text(parameter.value, of: parameter.key))"
        }
    }

    private static func text(_ value: ArraySlice<UInt8>, of key: UInt16) -> String {
        switch key {
        case mandatory: return words(value).map(name).joined(separator: ",")
        case alpn:
            // A comma or backslash inside an item is escaped twice (RFC 9460 appendix A.1).
            var list: [UInt8] = []
            for (index, item) in (protocols(value) ?? []).enumerated() {
                if index > 0 { list.append(UInt8(ascii: ",")) }
                for octet in item {
                    if octet == UInt8(ascii: ",") || octet == UInt8(ascii: "\\") { list.append(UInt8(ascii: "\\")) }
                    list.append(octet)
                }
            }
            return quoted(list[...])
        case port: return String(words(value).first ?? 0)
        case ipv4Hint, ipv6Hint:
            let width = key == ipv4Hint ? 4 : 16
            return stride(from: value.startIndex, to: value.endIndex, by: width).map { start in
                address(value[start..<(start + width)]).description
            }.joined(separator: ",")
        case ech: return "\"\(Base64.encode(value))\""
        default: return quoted(value)
        }
    }

    private static func address(_ octets: ArraySlice<UInt8>) -> IPAddress {
        let high = octets.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        if octets.count == 4 { return IPAddress(v4: UInt32(high)) }
        return IPAddress(v6: high, octets.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private static func quoted(_ octets: ArraySlice<UInt8>) -> String {
        var text = "\""
        for octet in octets { ASCII.escape(octet, special: "\"\\", to: &text) }
        return text + "\""
    }
}

/// Why a parameter is refused.
struct ServiceParameterError: Error {
    let message: String
}

extension ServiceParameters {
    /// The wire form of a value whose character-string escapes are undone already (RFC 9460 section 2.1).
    ///
    /// `value`: nil when there was no `=`.
    static func encode(_ key: UInt16, _ value: [UInt8]?) throws(ServiceParameterError) -> [UInt8] {
        let name = name(key)
        switch key {
        case noDefaultALPN, ohttp:
            guard value == nil || value == [] else { throw ServiceParameterError(message: "\(name) takes no value") }
            return []
        case mandatory, alpn, port, ipv4Hint, ech, ipv6Hint:
            guard let value, !value.isEmpty else { throw ServiceParameterError(message: "\(name) needs a value") }
            return try encodeRegistered(key, value)
        default:
            return value ?? []
        }
    }

    private static func encodeRegistered(_ key: UInt16, _ value: [UInt8]) throws(ServiceParameterError) -> [UInt8] {
        let text = String(decoding: value, as: UTF8.self)
        switch key {
        case mandatory:
            var keys: [UInt16] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let key = Self.key(String(part)), key != mandatory else {
                    throw ServiceParameterError(message: "\"\(part)\" is no key that can be mandatory")
                }
                guard !keys.contains(key) else {
                    throw ServiceParameterError(message: "\(part) stands twice in mandatory")
                }
                keys.append(key)
            }
            return keys.sorted().flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        case alpn:
            return try list(value).flatMap { [UInt8(truncatingIfNeeded: $0.count)] + $0 }
        case port:
            guard let number = MasterNumber.decimal(value[...]), number <= 65_535 else {
                throw ServiceParameterError(message: "\"\(text)\" is not a port from 0 to 65535")
            }
            return [UInt8(number >> 8), UInt8(number & 0xff)]
        case ech:
            guard let octets = Base64.decode(value[...]), !octets.isEmpty else {
                throw ServiceParameterError(message: "ech is not written in Base64")
            }
            return octets
        default:
            let family: IPAddress.Family = key == ipv4Hint ? .v4 : .v6
            var octets: [UInt8] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let address = IPAddress(part), address.family == family else {
                    throw ServiceParameterError(
                        message: "\"\(part)\" is not an IPv\(family.rawValue) address, as \(name(key)) wants")
                }
                octets += address.bytes
            }
            return octets
        }
    }

    /// A list with commas between its items; `\,` and `\\` inside an item stand for themselves (appendix A.1).
    private static func list(_ value: [UInt8]) throws(ServiceParameterError) -> [[UInt8]] {
        var items: [[UInt8]] = [[]]
        var position = 0
        while position < value.count {
            var octet = value[position]
            position += 1
            if octet == UInt8(ascii: ",") {
                items.append([])
                continue
            }
            if octet == UInt8(ascii: "\\") {
                guard position < value.count, value[position] == UInt8(ascii: ",") || value[position] == octet else {
                    throw ServiceParameterError(message: "in a list a backslash stands before a comma or a backslash")
                }
                octet = value[position]
                position += 1
            }
            items[items.count - 1].append(octet)
        }
        guard items.allSatisfy({ (1...255).contains($0.count) }) else {
            throw ServiceParameterError(message: "an item of alpn has 1 to 255 octets")
        }
        return items
    }
}

/// Base64 with padding (RFC 4648 section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ octets: ArraySlice<UInt8>) -> String {
        var text: [UInt8] = []
        var rest = octets
        while !rest.isEmpty {
            let group = rest.prefix(3)
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                let isPadding = index > group.count
                text.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * index)) & 63])
            }
            rest = rest.dropFirst(3)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil unless it is whole groups of four, padded at the end only, with no bits behind the last octet.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).filter { $0 == UInt8(ascii: "=") }.count
        if padding == 2, text.suffix(2).first != UInt8(ascii: "=") { return nil }
        var octets: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.dropLast(padding) {
            guard let value = value(character) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
            bits &= (1 << UInt32(count)) - 1
        }
        return bits == 0 ? octets : nil
    }

    private static func value(_ character: UInt8) -> UInt32? {
        switch character {
        case 0x41...0x5a: UInt32(character - 0x41)
        case 0x61...0x7a: UInt32(character - 0x61 + 26)
        case 0x30...0x39: UInt32(character - 0x30 + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
