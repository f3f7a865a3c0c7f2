package import Model

/// The header of the PROXY protocol, version 2 (HAProxy, "The PROXY protocol", section 2.2), with which a proxy says whose
/// bytes follow.
package enum ProxyHeader: Sendable, Hashable {
    /// More bytes are needed.
    case incomplete
    /// No header, or one of another version.
    case malformed
    /// The proxy speaks for itself, as in a health check, or does not say for whom: its own address counts. `length`
    /// bytes are used.
    case local(length: Int)
    /// Someone else speaks.
    case proxied(source: SocketAddress, destination: SocketAddress, length: Int)

    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
    /// Signature, version and command, family, length.
    package static let fixedLength = 16
    /// Addresses and whatever a proxy adds behind them; what real ones send stays below.
    package static let maximumLength = 2048

    /// Reads the header at the start of `bytes`.
    package init(_ bytes: RawSpan) {
        for index in 0..<min(bytes.byteCount, Self.signature.count)
        where Self.octet(bytes, index) != Self.signature[index] {
            self = .malformed
            return
        }
        guard bytes.byteCount >= Self.fixedLength else {
            self = .incomplete
            return
        }
        let command = Self.octet(bytes, 12)
        let rest = Int(Self.octet(bytes, 14)) << 8 | Int(Self.octet(bytes, 15))
        let length = Self.fixedLength + rest
        guard command == 0x20 || command == 0x21, length <= Self.maximumLength else {
            self = .malformed
            return
        }
        guard bytes.byteCount >= length else {
            self = .incomplete
            return
        }
        // Command LOCAL; or a family and transport that we do not know, which is to be taken as unspecified.
        guard command == 0x21 else {
            self = .local(length: length)
            return
        }
        switch Self.octet(bytes, 13) {
        case 0x11, 0x12:
            guard rest >= 12 else {
                self = .malformed
                return
            }
            self = .proxied(
                source: SocketAddress(
                    IPAddress(v4: UInt32(truncatingIfNeeded: Self.number(bytes, 16, 4))), port: Self.port(bytes, 24)),
                destination: SocketAddress(
                    IPAddress(v4: UInt32(truncatingIfNeeded: Self.number(bytes, 20, 4))), port: Self.port(bytes, 26)),
                length: length)
        case 0x21, 0x22:
            guard rest >= 36 else {
                self = .malformed
                return
            }
            self = .proxied(
                source: SocketAddress(
                    IPAddress(v6: Self.number(bytes, 16, 8), Self.number(bytes, 24, 8)), port: Self.port(bytes, 48)),
                destination: SocketAddress(
                    IPAddress(v6: Self.number(bytes, 32, 8), Self.number(bytes, 40, 8)), port: Self.port(bytes, 50)),
                length: length)
        default: self = .local(length: length)
        }
    }

    private static func octet(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
        precondition(offset < bytes.byteCount)
        return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }

    private static func number(_ bytes: RawSpan, _ offset: Int, _ count: Int) -> UInt64 {
        (offset..<(offset + count)).reduce(0) { $0 << 8 | UInt64(octet(bytes, $1)) }
    }

    private static func port(_ bytes: RawSpan, _ offset: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: number(bytes, offset, 2))
    }
}

extension ProxyHeader {
    /// The header that a proxy writes for a client; both addresses of one family.
    package static func encode(source: SocketAddress, destination: SocketAddress, isDatagram: Bool) -> [UInt8] {
        let isV4 = source.address.family == .v4
        let addresses = source.address.bytes + destination.address.bytes
        let ports = [source.port, destination.port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        let family: UInt8 = (isV4 ? 0x10 : 0x20) | (isDatagram ? 2 : 1)
        let length = UInt8(addresses.count + ports.count)
        return signature + [0x21, family, 0, length] + addresses + ports
    }
}
