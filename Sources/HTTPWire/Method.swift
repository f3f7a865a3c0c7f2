/// Request methods (RFC 9110 section 9). Unknown ones are forwarded as they stand.
package enum Method: UInt8, Sendable, Hashable {
    case get
    case head
    case post
    case put
    case delete
    case options
    case trace
    case connect
    case patch
    case other

    /// Sending it twice has the effect of sending it once (RFC 9110 section 9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .connect, .patch, .other: false
        }
    }

    /// Methods are compared with regard to case.
    @inline(__always)
    static func recognise(_ bytes: RawSpan, _ slice: Slice) -> Method {
        switch slice.count {
        case 3:
            if matches(bytes, slice, "GET") { return .get }
            return matches(bytes, slice, "PUT") ? .put : .other
        case 4:
            if matches(bytes, slice, "POST") { return .post }
            return matches(bytes, slice, "HEAD") ? .head : .other
        case 5:
            if matches(bytes, slice, "PATCH") { return .patch }
            return matches(bytes, slice, "TRACE") ? .trace : .other
        case 6: return matches(bytes, slice, "DELETE") ? .delete : .other
        case 7:
            if matches(bytes, slice, "OPTIONS") { return .options }
            return matches(bytes, slice, "CONNECT") ? .connect : .other
        default: return .other
        }
    }

    @inline(__always)
    private static func matches(_ bytes: RawSpan, _ slice: Slice, _ text: StaticString) -> Bool {
        for index in 0..<slice.count where unsafe bytes.octet(slice.start + index) != text.utf8Start[index] {
            return false
        }
        return true
    }
}
