package import Model

/// What the proxies before us say about a request, as far as they are believed. Offsets refer to the bytes of its head.
///
/// Whoever connected to us is one that is believed. X-Forwarded-For is read from its end: each address was written by the
/// one behind it, so the last address that is not a believed proxy's is the client, and what stands before it are claims.
package struct ProxyWord: Sendable, Hashable {
    /// Nil when X-Forwarded-For is absent or ends in something that is no address.
    package private(set) var client: IPAddress?
    /// `http` or `https`.
    package private(set) var isSecure: Bool?
    /// 1 ... 65535, in digits.
    package private(set) var port = Slice.empty
    /// Host and port.
    package private(set) var authority = Slice.empty
    /// The field and the offset where the client's address stands.
    private var firstField = 0
    private var firstOffset = 0

    /// - Parameters:
    ///   - fields: of a head.
    ///   - bytes: its octets, from its start.
    ///   - isBelieved: whether an address is that of a proxy whose word is taken.
    package init(_ fields: FieldTable, _ bytes: RawSpan, isBelieved: (IPAddress) -> Bool) {
        var protocols = 0
        var ports = 0
        var hosts = 0
        for index in 0..<fields.count {
            let field = fields[index]
            // Of two lines one may be a stranger's.
            switch field.id {
            case .xForwardedProto:
                protocols &+= 1
                isSecure = protocols == 1 ? Self.scheme(bytes, field.value) : nil
            case .xForwardedPort:
                ports &+= 1
                port = ports == 1 && Self.isPort(bytes, field.value) ? field.value : .empty
            case .xForwardedHost:
                hosts &+= 1
                authority = hosts == 1 && Authority.host(in: bytes, field.value) != nil ? field.value : .empty
            default: continue
            }
        }
        readChain(fields, bytes, isBelieved)
    }

    private mutating func readChain(_ fields: FieldTable, _ bytes: RawSpan, _ isBelieved: (IPAddress) -> Bool) {
        var index = fields.count
        while index > 0 {
            index &-= 1
            let field = fields[index]
            guard field.id == .xForwardedFor, !field.value.isEmpty else { continue }
            var end = field.value.end
            while true {
                var start = end
                while start > field.value.start, bytes.octet(start &- 1) != Self.comma { start &-= 1 }
                guard let address = Self.address(bytes, Slice(start, end)) else { return }
                client = address
                firstField = index
                firstOffset = start
                guard isBelieved(address) else { return }
                guard start > field.value.start else { break }
                end = start &- 1
            }
        }
    }

    /// Appends the addresses of the chain from the client on, in their plain form, each with a comma and a space behind it.
    package func appendChain(_ fields: FieldTable, _ bytes: RawSpan, to writer: inout HeadWriter) {
        guard client != nil else { return }
        for index in firstField..<fields.count where fields[index].id == .xForwardedFor {
            let value = fields[index].value
            var start = index == firstField ? firstOffset : value.start
            while start < value.end {
                var end = start
                while end < value.end, bytes.octet(end) != Self.comma { end &+= 1 }
                if let address = Self.address(bytes, Slice(start, end)) {
                    writer.append(address: address)
                    writer.append(", ")
                }
                start = end &+ 1
            }
        }
    }

    private static let comma: UInt8 = 0x2c

    /// An address, in brackets or not, with a port or without, with white space around it.
    private static func address(_ bytes: RawSpan, _ slice: Slice) -> IPAddress? {
        var (start, end) = (slice.start, slice.end)
        while start < end, bytes.octet(start) == Octet.space || bytes.octet(start) == Octet.tab { start &+= 1 }
        while start < end, bytes.octet(end &- 1) == Octet.space || bytes.octet(end &- 1) == Octet.tab { end &-= 1 }
        if let whole = IPAddress(bytes, Slice(start, end)) { return whole.canonical }
        guard start < end else { return nil }
        var close = end
        if bytes.octet(start) == 0x5b {
            close = start &+ 1
            while close < end, bytes.octet(close) != 0x5d { close &+= 1 }
            guard close < end, close &+ 1 == end || isPort(bytes, from: close &+ 1, to: end),
                let address = IPAddress(bytes, Slice(start &+ 1, close)), address.family == .v6
            else { return nil }
            return address.canonical
        }
        close = start
        while close < end, bytes.octet(close) != Octet.colon { close &+= 1 }
        guard close < end, isPort(bytes, from: close, to: end) else { return nil }
        return IPAddress(bytes, Slice(start, close))
    }

    /// A colon and a port.
    private static func isPort(_ bytes: RawSpan, from start: Int, to end: Int) -> Bool {
        start &+ 1 < end && bytes.octet(start) == Octet.colon && isPort(bytes, Slice(start &+ 1, end))
    }

    private static func isPort(_ bytes: RawSpan, _ slice: Slice) -> Bool {
        guard slice.count <= 5, let value = decimal(bytes, slice) else { return false }
        return (1...65_535).contains(value)
    }

    private static func scheme(_ bytes: RawSpan, _ slice: Slice) -> Bool? {
        if bytes.equals(slice, ignoringCase: "https") { return true }
        return bytes.equals(slice, ignoringCase: "http") ? false : nil
    }
}
