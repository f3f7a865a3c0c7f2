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
    case xForwardedPort
    case xRealIP
    /// Any other field by which a proxy says who asked and how: see `ForwardingField`.
    case otherForwarding
    /// A field of that kind which nobody is believed about.
    case unbelieved
    case maxForwards
    /// By which the checks of our own nodes are known.
    case checkMark
    case date
    case contentType
    case userAgent
    case referer
    case requestID

    /// Fields that concern one connection only and are never forwarded (RFC 9110 section 7.6.1).
    package var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .upgrade, .http2Settings, .transferEncoding: true
        default: false
        }
    }

    /// Fields that are never copied from one head to the next but written anew (`HeadWriter.append(chunked:length:connection:)`)
    /// or left out.
    var isOfThisHop: Bool { isHopByHop || self == .contentLength }

    /// Fields by which backends learn from proxies who the client is, and that we write.
    package var isWrittenForwarding: Bool {
        switch self {
        case .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedPort, .xRealIP, .unbelieved: true
        default: false
        }
    }

    /// Those and all others of the kind: a stranger may send none of them.
    package var isForwarding: Bool { isWrittenForwarding || self == .otherForwarding }

    /// Recognises the name at `slice`, which consists of token characters: none of these turns into a letter, a digit or a
    /// hyphen of another name when its lower-case bit is set.
    @inline(__always)
    static func recognise(_ bytes: RawSpan, _ slice: Slice) -> FieldName {
        let count = slice.count
        // The length alone rules out nearly every other name.
        if count >= 8 {
            if count <= 17 {
                let name = recogniseLong(bytes, slice.start, count)
                if name != .other { return name }
            }
            return ForwardingField.recognise(bytes, slice.start, count)
        }
        guard slice.start &+ 8 <= bytes.byteCount else { return recogniseShort(bytes, slice) }
        let lower: UInt64 = 0x2020_2020_2020_2020
        // The octets of the name, the first in the lowest place.
        let name = (bytes.word(slice.start) | lower) << UInt64((8 &- count) &* 8)
        switch name {
        case 0x6574_0000_0000_0000: return count == 2 ? .te : .other
        case 0x7473_6f68_0000_0000: return count == 4 ? .host : .other
        case 0x6574_6164_0000_0000: return count == 4 ? .date : .other
        // Gateway interfaces make HTTP_PROXY of it, which programs take for the way out.
        case 0x7978_6f72_7000_0000: return count == 5 ? .unbelieved : .other
        case 0x7463_6570_7865_0000: return count == 6 ? .expect : .other
        case 0x7473_6f68_2d78_0000: return count == 6 ? .otherForwarding : .other
        case 0x6f74_6f72_702d_7800: return count == 7 ? .otherForwarding : .other
        case 0x7370_7474_682d_7800: return count == 7 ? .otherForwarding : .other
        case 0x6564_6172_6770_7500: return count == 7 ? .upgrade : .other
        case 0x7265_7265_6665_7200: return count == 7 ? .referer : .other
        default: return .other
        }
    }

    static func isKeepAlive(_ bytes: RawSpan, _ start: Int) -> Bool {
        recogniseLong(bytes, start, 10) == .keepAlive
    }

    /// At the very end of the bytes, where no word can be read.
    private static func recogniseShort(_ bytes: RawSpan, _ slice: Slice) -> FieldName {
        switch slice.count {
        case 2: return bytes.equals(slice, ignoringCase: "te") ? .te : .other
        case 4:
            if bytes.equals(slice, ignoringCase: "host") { return .host }
            return bytes.equals(slice, ignoringCase: "date") ? .date : .other
        case 5: return bytes.equals(slice, ignoringCase: "proxy") ? .unbelieved : .other
        case 6:
            if bytes.equals(slice, ignoringCase: "x-host") { return .otherForwarding }
            return bytes.equals(slice, ignoringCase: "expect") ? .expect : .other
        case 7:
            if bytes.equals(slice, ignoringCase: "x-proto") || bytes.equals(slice, ignoringCase: "x-https") {
                return .otherForwarding
            }
            if bytes.equals(slice, ignoringCase: "upgrade") { return .upgrade }
            return bytes.equals(slice, ignoringCase: "referer") ? .referer : .other
        default: return .other
        }
    }

    /// Compares the first and the last eight octets as words; of 17 octets the one between is looked at too.
    private static func recogniseLong(_ bytes: RawSpan, _ start: Int, _ count: Int) -> FieldName {
        let lower: UInt64 = 0x2020_2020_2020_2020
        let first = bytes.word(start) | lower
        let last = bytes.word(start &+ count &- 8) | lower
        switch count {
        case 9:
            // x-real-ip
            if first == 0x692d_6c61_6572_2d78 && last == 0x7069_2d6c_6165_722d { return .xRealIP }
        case 10:
            // connection
            if first == 0x6974_6365_6e6e_6f63 && last == 0x6e6f_6974_6365_6e6e { return .connection }
            // keep-alive
            if first == 0x696c_612d_7065_656b && last == 0x6576_696c_612d_7065 { return .keepAlive }
            // user-agent
            if first == 0x6567_612d_7265_7375 && last == 0x746e_6567_612d_7265 { return .userAgent }
        case 12:
            // content-type
            if first == 0x2d74_6e65_746e_6f63 && last == 0x6570_7974_2d74_6e65 { return .contentType }
            // x-request-id
            if first == 0x7365_7571_6572_2d78 && last == 0x6469_2d74_7365_7571 { return .requestID }
            // max-forwards
            if first == 0x7772_6f66_2d78_616d && last == 0x7364_7261_7772_6f66 { return .maxForwards }
        case 14:
            // content-length
            if first == 0x2d74_6e65_746e_6f63 && last == 0x6874_676e_656c_2d74 { return .contentLength }
            // meridian-check
            if first == 0x6e61_6964_6972_656d && last == 0x6b63_6568_632d_6e61 { return .checkMark }
            // http2-settings
            if first == 0x6573_2d32_7074_7468 && last == 0x7367_6e69_7474_6573 { return .http2Settings }
        case 15:
            // x-forwarded-for
            if first == 0x7261_7772_6f66_2d78 && last == 0x726f_662d_6465_6472 { return .xForwardedFor }
        case 16:
            // x-forwarded-host
            if first == 0x7261_7772_6f66_2d78 && last == 0x7473_6f68_2d64_6564 { return .xForwardedHost }
            // x-forwarded-port
            if first == 0x7261_7772_6f66_2d78 && last == 0x7472_6f70_2d64_6564 { return .xForwardedPort }
            // proxy-connection
            if first == 0x6f63_2d79_786f_7270 && last == 0x6e6f_6974_6365_6e6e { return .proxyConnection }
        case 17:
            let middle = bytes.octet(start &+ 8) | 0x20
            // x-forwarded-proto
            if first == 0x7261_7772_6f66_2d78 && middle == 0x64 && last == 0x6f74_6f72_702d_6465 {
                return .xForwardedProto
            }
            // transfer-encoding
            if first == 0x7265_6673_6e61_7274 && middle == 0x2d && last == 0x676e_6964_6f63_6e65 {
                return .transferEncoding
            }
        default: break
        }
        return .other
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
    /// The name has an underscore. Such fields of a request are not forwarded: gateway interfaces cannot tell
    /// `X_Forwarded_For` from `X-Forwarded-For`.
    package var hasUnderscore: Bool
}

/// The field lines of one head, in storage that is made once. Offsets refer to the bytes that were parsed.
@safe
package final class FieldTable {
    /// Field lines in one head: the most that any listener may allow.
    package static let capacity = 256

    private let storage: UnsafeMutablePointer<Field>
    package private(set) var count = 0
    private let options: UnsafeMutablePointer<Slice>
    private var optionCount = 0

    package init() {
        unsafe storage = .allocate(capacity: Self.capacity)
        unsafe options = .allocate(capacity: ConnectionFacts.maximumOptions)
    }

    deinit {
        unsafe storage.deallocate()
        unsafe options.deallocate()
    }

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

    func removeAll() {
        count = 0
        optionCount = 0
    }

    /// Connection names other fields, so that each field has to be looked up in it.
    var hasOptions: Bool { optionCount > 0 }

    /// Notes an option of Connection that names another field.
    func appendOption(_ option: Slice) {
        precondition(optionCount < ConnectionFacts.maximumOptions)
        unsafe (options + optionCount).initialize(to: option)
        optionCount &+= 1
    }

    /// Whether Connection lists the field `name`, in any case.
    func lists(_ name: Slice, _ bytes: RawSpan) -> Bool {
        for index in 0..<optionCount where unsafe bytes.equals(options[index], name) { return true }
        return false
    }
}
