import Model

/// Why text is not the data of a record.
package struct RecordTextError: Error, Hashable {
    /// Which token is at fault; the number of tokens when something is missing behind the last.
    package let token: Int
    package let message: String
}

/// One word of presentation form, escapes still in it, quotes taken off.
package struct TextToken: Hashable, Sendable {
    package let text: ArraySlice<UInt8>
    package let isQuoted: Bool
    /// No blank is between the word before and this one: `alpn="h2"` is two words.
    package let isJoined: Bool

    package init(text: ArraySlice<UInt8>, isQuoted: Bool, isJoined: Bool = false) {
        self.text = text
        self.isQuoted = isQuoted
        self.isJoined = isJoined
    }

    package var string: String { String(decoding: text, as: UTF8.self) }
}

extension RecordData {
    /// Reads the data of a record of `type` from the words of a master file line.
    ///
    /// `origin`: what relative names are completed with.
    package init(type: RecordType, tokens: [TextToken], origin: Name?) throws(RecordTextError) {
        var reader = FieldTextReader(tokens: tokens, origin: origin)
        if let first = tokens.first, !first.isQuoted, first.text.elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: "#")])
        {
            try reader.readUnknown()
        } else if let layout = type.layout {
            for field in layout { try reader.read(field) }
            guard reader.next == tokens.count else {
                throw reader.error("nothing more belongs to a record of type \(type)")
            }
        } else {
            let form = "TYPE\(type.rawValue) \\# LENGTH HEX (RFC 3597)"
            throw reader.error(
                type.isSignersWork
                    ? "\(type) is of a signed zone, and pre-signed zones are not served yet; leave the signer's records out,"
                        + " or write this one as \(form) to have it served as it is"
                    : "the data of type \(type) is not read; write the record as \(form)")
        }
        do {
            try self.init(type: type, wire: reader.wire)
        } catch {
            throw RecordTextError(token: 0, message: "the data does not fit a record of type \(type)")
        }
    }

    /// Presentation form, names absolute; unknown types as RFC 3597 writes them.
    package var description: String {
        guard let layout = type.layout else {
            return wire.isEmpty ? "\\# 0" : "\\# \(wire.count) \(Self.hex(wire[...]))"
        }
        var position = 0
        return layout.map { text($0, &position) }.filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func text(_ field: RecordField, _ position: inout Int) -> String {
        switch field {
        case .octet: return String(number(1, &position))
        case .word: return String(number(2, &position))
        case .long, .seconds: return String(number(4, &position))
        case .v4Address: return IPAddress(v4: UInt32(number(4, &position))).description
        case .v6Address:
            let high = number(8, &position)
            return IPAddress(v6: high, number(8, &position)).description
        case .name:
            let start = position
            while wire[position] != 0 { position += Int(wire[position]) + 1 }
            position += 1
            return Name(unchecked: Array(wire[start..<position])).description
        case .string:
            let start = position + 1
            position = start + Int(wire[position])
            return Self.quoted(wire[start..<position])
        case .strings:
            var parts: [String] = []
            while position < wire.count { parts.append(text(.string, &position)) }
            return parts.joined(separator: " ")
        case .text:
            defer { position = wire.count }
            return Self.quoted(wire[position...])
        case .hex:
            defer { position = wire.count }
            return Self.hex(wire[position...])
        case .base64, .optionalBase64:
            defer { position = wire.count }
            return Base64.encode(wire[position...])
        case .optionalString: return position < wire.count ? text(.string, &position) : ""
        case .special(let field):
            let start = position
            position += field.length(wire[...], at: start) ?? wire.count - start
            return field.text(wire[start..<position], kind: wire.count > 1 ? wire[1] : 0)
        case .serviceParameters:
            defer { position = wire.count }
            return ServiceParameters.text(wire[position...]).joined(separator: " ")
        }
    }

    private func number(_ count: Int, _ position: inout Int) -> UInt64 {
        defer { position += count }
        return wire[position..<(position + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func quoted(_ octets: ArraySlice<UInt8>) -> String {
        var text = "\""
        for octet in octets { ASCII.escape(octet, special: "\"\\", to: &text) }
        return text + "\""
    }

    private static func hex(_ octets: ArraySlice<UInt8>) -> String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Turns words into wire form, field by field.
private struct FieldTextReader {
    let tokens: [TextToken]
    let origin: Name?
    var next = 0
    var wire: [UInt8] = []

    init(tokens: [TextToken], origin: Name?) {
        self.tokens = tokens
        self.origin = origin
    }

    func error(_ message: String) -> RecordTextError { RecordTextError(token: next, message: message) }

    mutating func read(_ field: RecordField) throws(RecordTextError) {
        switch field {
        case .octet: append(try number("a number from 0 to 255", limit: 0xff), octets: 1)
        case .word: append(try number("a number from 0 to 65535", limit: 0xffff), octets: 2)
        case .long: append(try number("a number from 0 to 4294967295", limit: 0xffff_ffff), octets: 4)
        case .seconds:
            let token = try take("a number of seconds")
            // Unlike a TTL (RFC 2181 section 8) these may have all 32 bits (RFC 1035 section 3.3.13).
            if let plain = MasterNumber.decimal(token.text), plain <= 0xffff_ffff {
                append(plain, octets: 4)
                return
            }
            guard let seconds = MasterNumber.seconds(token.text) else {
                throw misread(token, "a number of seconds such as 3600 or 1h30m")
            }
            append(UInt64(seconds), octets: 4)
        case .v4Address: try readAddress(.v4, "an IPv4 address such as 192.0.2.1")
        case .v6Address: try readAddress(.v6, "an IPv6 address such as 2001:db8::1")
        case .name: try readName()
        case .string: try readString(try take("a string"))
        case .strings:
            try readString(try take("at least one string"))
            while next < tokens.count { try readString(try take("a string")) }
        case .text: wire += try octets(try take("a string"))
        case .hex: try readHex()
        case .base64: try readBase64()
        case .optionalBase64: if next < tokens.count { try readBase64() }
        case .optionalString: if next < tokens.count { try readString(try take("a string")) }
        case .special(let field): try readSpecial(field)
        case .serviceParameters: try readServiceParameters()
        }
    }

    /// `\# LENGTH HEX...` (RFC 3597 section 5).
    mutating func readUnknown() throws(RecordTextError) {
        next = 1
        let length = try number("the number of octets, 0 to 65535", limit: 0xffff)
        if length > 0 || next < tokens.count { try readHex() }
        guard wire.count == length else {
            throw RecordTextError(token: 1, message: "\(length) octets are announced, \(wire.count) are given")
        }
    }

    mutating func take(_ expected: String) throws(RecordTextError) -> TextToken {
        guard next < tokens.count else { throw error("\(expected) is missing") }
        next += 1
        return tokens[next - 1]
    }

    private func misread(_ token: TextToken, _ expected: String) -> RecordTextError {
        RecordTextError(token: next - 1, message: "\"\(token.string)\" is not \(expected)")
    }

    mutating func append(_ number: UInt64, octets: Int) {
        for index in (0..<octets).reversed() { wire.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index))) }
    }

    private mutating func number(_ expected: String, limit: UInt64) throws(RecordTextError) -> UInt64 {
        let token = try take(expected)
        guard let value = MasterNumber.decimal(token.text), value <= limit else { throw misread(token, expected) }
        return value
    }

    private mutating func readAddress(_ family: IPAddress.Family, _ expected: String) throws(RecordTextError) {
        let token = try take(expected)
        if family == .v4 {
            guard let quad = MasterNumber.quad(token.text) else { throw misread(token, expected) }
            append(UInt64(quad), octets: 4)
            return
        }
        guard let address = IPAddress(token.string), address.family == family else { throw misread(token, expected) }
        wire += address.bytes
    }

    private mutating func readName() throws(RecordTextError) {
        let token = try take("a domain name")
        do {
            let isOrigin = token.text.elementsEqual([UInt8(ascii: "@")])
            wire += isOrigin && origin != nil ? origin?.wire ?? [] : try Name(text: token.text, origin: origin).wire
        } catch {
            throw misread(token, "a domain name: it is \(error)")
        }
    }

    func octets(_ token: TextToken) throws(RecordTextError) -> [UInt8] {
        var octets: [UInt8] = []
        var position = token.text.startIndex
        while position < token.text.endIndex {
            guard let (octet, _) = ASCII.unescape(token.text, &position) else {
                throw misread(token, "a string: an escape is \\DDD (000 to 255) or \\ before one character")
            }
            octets.append(octet)
        }
        return octets
    }

    private mutating func readString(_ token: TextToken) throws(RecordTextError) {
        let octets = try octets(token)
        guard octets.count <= 255 else {
            throw RecordTextError(
                token: next - 1, message: "a string of \(octets.count) octets; split it: 255 is the most")
        }
        wire.append(UInt8(octets.count))
        wire += octets
    }

    private mutating func readSpecial(_ field: SpecialField) throws(RecordTextError) {
        switch field.read(tokens[next...], kind: wire.count > 1 ? wire[1] : 0, origin: origin) {
        case .success(let (octets, taken)):
            wire += octets
            next += taken
        case .failure(let misread):
            throw RecordTextError(token: next + misread.word, message: misread.message)
        }
    }

    /// Hexadecimal digits to the end of the line; white space between octets is allowed.
    private mutating func readHex() throws(RecordTextError) {
        var digits: [UInt8] = []
        repeat {
            let token = try take("hexadecimal data")
            for character in token.text {
                guard let digit = Character(Unicode.Scalar(character)).hexDigitValue else {
                    throw misread(token, "hexadecimal data")
                }
                digits.append(UInt8(digit))
            }
        } while next < tokens.count
        guard digits.count.isMultiple(of: 2) else { throw error("an odd number of hexadecimal digits") }
        for index in stride(from: 0, to: digits.count, by: 2) { wire.append(digits[index] << 4 | digits[index + 1]) }
    }
}

extension FieldTextReader {
    /// Base64 to the end of the line; white space is allowed anywhere.
    fileprivate mutating func readBase64() throws(RecordTextError) {
        var characters: [UInt8] = []
        repeat { characters += try take("Base64 data").text } while next < tokens.count
        guard let octets = Base64.decode(characters[...]) else {
            throw RecordTextError(token: next - 1, message: "the data is not written in Base64")
        }
        wire += octets
    }

    /// `key`, `key=value` and `key="value"` to the end of the line, in any order (RFC 9460 section 2.1).
    fileprivate mutating func readServiceParameters() throws(RecordTextError) {
        var parameters: [UInt16: [UInt8]] = [:]
        let isAlias = wire[0] == 0 && wire[1] == 0
        while next < tokens.count {
            let first = next
            guard !isAlias else { throw error("a record of priority 0 is an alias and has no parameters") }
            let (name, value) = try takeParameter()
            guard let key = ServiceParameters.key(name) else {
                throw RecordTextError(
                    token: first,
                    message:
                        "\"\(name)\" is no parameter; \(ServiceParameters.names.joined(separator: ", ")) and key123 are"
                )
            }
            guard parameters[key] == nil else {
                throw RecordTextError(token: first, message: "\(name) stands twice")
            }
            do throws(ServiceParameterError) {
                parameters[key] = try ServiceParameters.encode(key, value)
            } catch {
                throw RecordTextError(token: first, message: error.message)
            }
        }
        for key in ServiceParameters.words((parameters[ServiceParameters.mandatory] ?? [])[...]) {
            guard parameters[key] == nil else { continue }
            throw error("\(ServiceParameters.name(key)) is mandatory and not given (RFC 9460 section 8)")
        }
        if parameters[ServiceParameters.noDefaultALPN] != nil, parameters[ServiceParameters.alpn] == nil {
            throw error("no-default-alpn says nothing without alpn (RFC 9460 section 7.1.1)")
        }
        for (key, value) in parameters.sorted(by: { $0.key < $1.key }) {
            append(UInt64(key), octets: 2)
            append(UInt64(value.count), octets: 2)
            wire += value
        }
    }

    private mutating func takeParameter() throws(RecordTextError) -> (name: String, value: [UInt8]?) {
        let token = try take("a parameter")
        guard !token.isQuoted, let mark = token.text.firstIndex(of: UInt8(ascii: "=")) else {
            return (token.isQuoted ? "\"" + token.string : token.string, nil)
        }
        let name = String(decoding: token.text[..<mark], as: UTF8.self)
        let rest = token.text[(mark + 1)...]
        guard rest.isEmpty, next < tokens.count, tokens[next].isQuoted, tokens[next].isJoined else {
            return (name, try octets(TextToken(text: rest, isQuoted: false)))
        }
        return (name, try octets(try take("a value")))
    }
}

/// Numbers as master files write them.
enum MasterNumber {
    static func decimal(_ text: ArraySlice<UInt8>) -> UInt64? {
        guard !text.isEmpty, text.count <= 10, text.allSatisfy(ASCII.isDigit) else { return nil }
        return text.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
    }

    /// `192.0.2.1` in its strict form (RFC 6943 section 3.1.1).
    static func quad(_ text: ArraySlice<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var parts = 1
        for octet in text {
            if octet == UInt8(ascii: ".") {
                guard digits > 0, parts < 4 else { return nil }
                value = value << 8 | part
                part = 0
                digits = 0
                parts += 1
            } else {
                guard ASCII.isDigit(octet), digits == 0 || part > 0 else { return nil }
                part = part * 10 + UInt32(octet - 0x30)
                digits += 1
                guard part <= 255 else { return nil }
            }
        }
        return digits > 0 && parts == 4 ? value << 8 | part : nil
    }

    /// `3600`, `1h`, `1w2d3h4m5s`: seconds below 2^31 (RFC 2181 section 8).
    static func seconds(_ text: ArraySlice<UInt8>) -> UInt32? {
        if let plain = decimal(text) { return plain < 1 << 31 ? UInt32(plain) : nil }
        var total: UInt64 = 0
        var rest = text
        while let unit = rest.firstIndex(where: { !ASCII.isDigit($0) }) {
            guard let factor = factors[ASCII.lower(rest[unit])], let count = decimal(rest[..<unit]), count < 1 << 31
            else {
                return nil
            }
            total += count * factor
            guard total < 1 << 31 else { return nil }
            rest = rest[(unit + 1)...]
        }
        if !rest.isEmpty {
            guard let count = decimal(rest) else { return nil }
            total += count
        }
        guard !text.isEmpty, total < 1 << 31 else { return nil }
        return UInt32(total)
    }

    private static let factors: [UInt8: UInt64] = [
        UInt8(ascii: "s"): 1, UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3600, UInt8(ascii: "d"): 86400,
        UInt8(ascii: "w"): 604_800,
    ]
}
