/// The header fields that a proxy has to understand; all others are opaque.
package enum FieldName: UInt8, Sendable {
    case other
    case host
    case connection
    case contentLength
    case transferEncoding
    case expect
    case upgrade
    case keepAlive
    case proxyConnection
    case te
    case http2Settings
    case xForwardedFor
    case xForwardedProto
    case xForwardedHost
    case maxForwards
    case date
    case contentType
    case userAgent

    /// Fields that concern one connection only and are never forwarded (RFC 9110 section 7.6.1).
    package var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .upgrade, .http2Settings, .transferEncoding: true
        default: false
        }
    }

    /// Recognises the name at `slice`, which consists of token characters. Compares whole words: the length alone rules
    /// out nearly every other name.
    @inline(__always)
    static func recognise(_ bytes: RawSpan, _ slice: Slice) -> FieldName {
        switch slice.count {
        case 2: bytes.equals(slice, ignoringCase: "te") ? .te : .other
        case 4 where bytes.equals(slice, ignoringCase: "host"): .host
        case 4...17: recogniseLong(bytes, slice)
        default: .other
        }
    }

    private static func recogniseLong(_ bytes: RawSpan, _ slice: Slice) -> FieldName {
        let first = Octet.lowercased(bytes.octet(slice.start))
        switch (slice.count, first) {
        case (4, 0x64): return bytes.equals(slice, ignoringCase: "date") ? .date : .other
        case (6, 0x65): return bytes.equals(slice, ignoringCase: "expect") ? .expect : .other
        case (7, 0x75): return bytes.equals(slice, ignoringCase: "upgrade") ? .upgrade : .other
        case (10, 0x63): return bytes.equals(slice, ignoringCase: "connection") ? .connection : .other
        case (10, 0x6b): return bytes.equals(slice, ignoringCase: "keep-alive") ? .keepAlive : .other
        case (10, 0x75): return bytes.equals(slice, ignoringCase: "user-agent") ? .userAgent : .other
        case (12, 0x63): return bytes.equals(slice, ignoringCase: "content-type") ? .contentType : .other
        case (12, 0x6d): return bytes.equals(slice, ignoringCase: "max-forwards") ? .maxForwards : .other
        case (14, 0x63): return bytes.equals(slice, ignoringCase: "content-length") ? .contentLength : .other
        case (14, 0x68): return bytes.equals(slice, ignoringCase: "http2-settings") ? .http2Settings : .other
        case (15, 0x78): return bytes.equals(slice, ignoringCase: "x-forwarded-for") ? .xForwardedFor : .other
        case (16, 0x78): return bytes.equals(slice, ignoringCase: "x-forwarded-host") ? .xForwardedHost : .other
        case (16, 0x70): return bytes.equals(slice, ignoringCase: "proxy-connection") ? .proxyConnection : .other
        case (17, 0x78): return bytes.equals(slice, ignoringCase: "x-forwarded-proto") ? .xForwardedProto : .other
        case (17, 0x74): return bytes.equals(slice, ignoringCase: "transfer-encoding") ? .transferEncoding : .other
        default: return .other
        }
    }
}

/// One field line of a parsed head.
package struct Field {
    /// Without the colon.
    package var name: Slice
    /// Without white space around it.
    package var value: Slice
    package var id: FieldName
    /// Not forwarded as it stands: white space before the colon (responses only) is taken out.
    package var isIrregular: Bool
    /// The name has an underscore. Such fields are not forwarded: gateway interfaces cannot tell `X_Forwarded_For` from
    /// `X-Forwarded-For`.
    package var hasUnderscore: Bool
}

/// The field lines of one head, in storage that is made once. Offsets refer to the bytes that were parsed.
@safe
package final class FieldTable {
    /// Field lines in one head: the most that any listener may allow.
    package static let capacity = 256

    private let storage: UnsafeMutablePointer<Field>
    package private(set) var count = 0

    package init() { unsafe storage = .allocate(capacity: Self.capacity) }

    deinit { unsafe storage.deallocate() }

    @inline(__always)
    package subscript(index: Int) -> Field {
        precondition(index >= 0 && index < count)
        return unsafe storage[index]
    }

    @inline(__always)
    func append(_ field: Field) {
        precondition(count < Self.capacity)
        unsafe (storage + count).initialize(to: field)
        count &+= 1
    }

    func removeAll() { count = 0 }
}
