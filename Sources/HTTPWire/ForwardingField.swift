/// The names by which proxies tell backends about the client, besides those that we write. A backend may believe any of
/// them, so none passes from a client that is no proxy of ours.
enum ForwardingField {
    /// Whether the name of `count` octets at `start`, at least 8 and token characters all, is one.
    static func isOne(_ bytes: RawSpan, _ start: Int, _ count: Int) -> Bool {
        let slice = Slice(start, start &+ count)
        // The first eight octets, so that nearly every other name costs one comparison after another and no more.
        switch bytes.word(start) | 0x2020_2020_2020_2020 {
        case 0x7261_7772_6f66_2d78: return has(bytes, start, count, "x-forwarded")
        case 0x6e69_6769_726f_2d78: return has(bytes, start, count, "x-original-")
        case 0x6564_7261_7772_6f66: return bytes.equals(slice, ignoringCase: "forwarded")
        case 0x692d_746e_6569_6c63: return bytes.equals(slice, ignoringCase: "client-ip")
        case 0x746e_6569_6c63_2d78: return bytes.equals(slice, ignoringCase: "x-client-ip")
        case 0x696c_632d_6575_7274: return bytes.equals(slice, ignoringCase: "true-client-ip")
        case 0x656e_6e6f_632d_6663:
            return bytes.equals(slice, ignoringCase: "cf-connecting-ip")
                || bytes.equals(slice, ignoringCase: "cf-connecting-ipv6")
        case 0x632d_796c_7473_6166: return bytes.equals(slice, ignoringCase: "fastly-client-ip")
        case 0x6574_7375_6c63_2d78: return bytes.equals(slice, ignoringCase: "x-cluster-client-ip")
        case 0x7469_7277_6572_2d78: return bytes.equals(slice, ignoringCase: "x-rewrite-url")
        default: return false
        }
    }

    private static func has(_ bytes: RawSpan, _ start: Int, _ count: Int, _ prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        return count >= length && bytes.equals(Slice(start, start &+ length), ignoringCase: prefix)
    }
}
