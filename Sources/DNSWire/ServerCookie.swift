package import Model

/// DNS cookies in the form that servers of any make can share (RFC 7873, RFC 9018): version 1, a time, and a SipHash-2-4
/// over both, the client's part and its address.
package struct ServerCookie: Sendable, Hashable {
    package static let optionCode: UInt16 = 10
    /// Octets of a cookie option's data in a reply: the client's 8 and our 16.
    package static let size = 24
    /// Seconds after which a good cookie is replaced by a new one (RFC 9018 section 4.3).
    package static let renewalAge: Int32 = 1800
    /// Seconds after which a cookie is no longer good, and how far it may lie in the future.
    package static let maximumAge: Int32 = 3600
    package static let maximumLead: Int32 = 300

    package enum Verdict: Sendable, Hashable {
        /// The client's part alone, or a server's part that we did not make, or not lately.
        case unknown
        /// Ours. `isFresh` says that it need not be replaced yet.
        case good(isFresh: Bool)
    }

    /// A client's part alone, or with a server's part of 8 to 32 octets (RFC 7873 section 4).
    package static func isOptionLength(_ length: Int) -> Bool { length == 8 || (16...40).contains(length) }

    /// The client's part, the first octet in the lowest bits.
    private let clientPart: UInt64
    /// Version, reserved octets and time, the first octet in the lowest bits.
    private let head: UInt64
    private let hash: UInt64

    /// Makes a cookie.
    ///
    /// `clientPart`: the client's 8 octets, the first in the lowest bits.
    /// `time`: seconds since 1970, modulo 2^32.
    package init(clientPart: UInt64, client: IPAddress, time: UInt32, key: SipKey) {
        self.clientPart = clientPart
        head = 1 | UInt64(time.bigEndian) << 32
        hash = Self.hash(clientPart, head, client, key)
    }

    /// Judges the cookie option whose data is `data`, which is within `message`.
    ///
    /// `keys`: all that verify; the first is the one that new cookies are made with.
    package static func judge(
        _ message: RawSpan, _ data: Range<Int>, client: IPAddress, time: UInt32, keys: [SipKey]
    ) -> Verdict {
        guard data.count == size, message.octet(at: data.lowerBound + 8) == 1 else { return .unknown }
        let stamp = message.long(at: data.lowerBound + 12)
        // Serial number arithmetic (RFC 1982), so that it goes on after 2106.
        let age = Int32(bitPattern: time &- stamp)
        guard age <= maximumAge, age >= -maximumLead else { return .unknown }
        let clientPart = word(message, data.lowerBound)
        let head = word(message, data.lowerBound + 8)
        let presented = word(message, data.lowerBound + 16)
        for (index, key) in keys.enumerated() where hash(clientPart, head, client, key) ^ presented == 0 {
            return .good(isFresh: index == 0 && age <= renewalAge)
        }
        return .unknown
    }

    /// The client's part in the option at `offset`.
    package static func clientPart(_ message: RawSpan, at offset: Int) -> UInt64 { word(message, offset) }

    /// Writes the data of the option, `size` octets.
    @unsafe
    package func write(to output: UnsafeMutableRawPointer) {
        unsafe output.storeBytes(of: clientPart.littleEndian, as: UInt64.self)
        unsafe output.storeBytes(of: head.littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe output.storeBytes(of: hash.littleEndian, toByteOffset: 16, as: UInt64.self)
    }

    private static func word(_ message: RawSpan, _ offset: Int) -> UInt64 {
        UInt64(message.long(at: offset).byteSwapped) | UInt64(message.long(at: offset + 4).byteSwapped) << 32
    }

    private static func hash(_ clientPart: UInt64, _ head: UInt64, _ client: IPAddress, _ key: SipKey) -> UInt64 {
        var hash = SipHash(key)
        hash.add(clientPart)
        hash.add(head)
        if client.family == .v4 { return hash.finish(UInt64(client.v4.byteSwapped), count: 4) }
        hash.add(client.high.byteSwapped)
        hash.add(client.low.byteSwapped)
        return hash.finish(0, count: 0)
    }
}
