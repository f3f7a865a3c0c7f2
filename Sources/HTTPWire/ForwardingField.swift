/// The names by which proxies tell backends about the client, besides those that we write. A backend may believe any of
/// them, so none passes from a client that is no proxy of ours.
enum ForwardingField {
    /// Recognises the name of `count` octets at `start`, at least 8 and token characters all.
    static func recognise(_ bytes: RawSpan, _ start: Int, _ count: Int) -> FieldName {
        // The first eight octets, so that nearly every other name costs one comparison after another and no more.
        switch bytes.word(start) | 0x2020_2020_2020_2020 {
        // What proxies before us have to say is in X-Forwarded-For. They let this pass, and backends prefer it.
        case 0x6564_7261_7772_6f66: return isAll(bytes, start, count, "forwarded") ? .unbelieved : .other
        // Other targets than the one that was routed.
        case 0x6e69_6769_726f_2d78: return has(bytes, start, count, "x-original-") ? .unbelieved : .other
        case 0x7469_7277_6572_2d78: return isAll(bytes, start, count, "x-rewrite-url") ? .unbelieved : .other
        case 0x7261_7772_6f66_2d78: return has(bytes, start, count, "x-forwarded") ? .otherForwarding : .other
        default: return isAddress(bytes, start, count) ? .otherForwarding : .other
        }
    }

    private static func isAddress(_ bytes: RawSpan, _ start: Int, _ count: Int) -> Bool {
        switch bytes.word(start) | 0x2020_2020_2020_2020 {
        case 0x692d_746e_6569_6c63: isAll(bytes, start, count, "client-ip")
        case 0x746e_6569_6c63_2d78: isAll(bytes, start, count, "x-client-ip")
        case 0x696c_632d_6575_7274: isAll(bytes, start, count, "true-client-ip")
        case 0x656e_6e6f_632d_6663:
            isAll(bytes, start, count, "cf-connecting-ip") || isAll(bytes, start, count, "cf-connecting-ipv6")
        case 0x632d_796c_7473_6166: isAll(bytes, start, count, "fastly-client-ip")
        case 0x6574_7375_6c63_2d78: isAll(bytes, start, count, "x-cluster-client-ip")
        default: false
        }
    }

    private static func isAll(_ bytes: RawSpan, _ start: Int, _ count: Int, _ name: StaticString) -> Bool {
        bytes.equals(Slice(start, start &+ count), ignoringCase: name)
    }

    private static func has(_ bytes: RawSpan, _ start: Int, _ count: Int, _ prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        return count >= length && isAll(bytes, start, length, prefix)
    }
}
