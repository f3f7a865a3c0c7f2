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
        case 0x6e69_6769_726f_2d78:
            if has(bytes, start, count, "x-original-") { return .unbelieved }
            return isAll(bytes, start, count, "x-originating-ip") ? .otherForwarding : .other
        case 0x7469_7277_6572_2d78: return isAll(bytes, start, count, "x-rewrite-url") ? .unbelieved : .other
        case 0x7261_7772_6f66_2d78: return has(bytes, start, count, "x-forwarded") ? .otherForwarding : .other
        default: return isOfProduct(bytes, start, count) ? .otherForwarding : .other
        }
    }

    /// Names that certain proxies and networks write, about the client's address, its scheme, its certificate or
    /// the host that it asked for.
    private static func isOfProduct(_ bytes: RawSpan, _ start: Int, _ count: Int) -> Bool {
        switch bytes.word(start) | 0x2020_2020_2020_2020 {
        case 0x692d_746e_6569_6c63: isAll(bytes, start, count, "client-ip")
        case 0x746e_6569_6c63_2d78:
            isAll(bytes, start, count, "x-client-ip") || has(bytes, start, count, "x-client-cert")
                || isAll(bytes, start, count, "x-client-verify") || isAll(bytes, start, count, "x-client-dn")
        // What a proxy that ends TLS says of the client's certificate (RFC 9440 and older ways).
        case 0x632d_746e_6569_6c63: has(bytes, start, count, "client-cert")
        case 0x6569_6c63_2d6c_7373: has(bytes, start, count, "ssl-client-")
        case 0x696c_632d_6575_7274: isAll(bytes, start, count, "true-client-ip")
        case 0x632d_796c_7473_6166: isAll(bytes, start, count, "fastly-client-ip")
        case 0x732d_796c_7473_6166: isAll(bytes, start, count, "fastly-ssl")
        case 0x6574_7375_6c63_2d78: isAll(bytes, start, count, "x-cluster-client-ip")
        case 0x6574_6f6d_6572_2d78:
            isAll(bytes, start, count, "x-remote-ip") || isAll(bytes, start, count, "x-remote-addr")
        case 0x7978_6f72_702d_6c77: has(bytes, start, count, "wl-proxy-")
        case 0x6c63_2d79_786f_7270: isAll(bytes, start, count, "proxy-client-ip")
        case 0x7579_786f_7270_2d78: isAll(bytes, start, count, "x-proxyuser-ip")
        case 0x2d79_6f76_6e65_2d78:
            isAll(bytes, start, count, "x-envoy-external-address") || isAll(bytes, start, count, "x-envoy-internal")
        case 0x2d65_7275_7a61_2d78: has(bytes, start, count, "x-azure-")
        case 0x676e_6570_7061_2d78: has(bytes, start, count, "x-appengine-")
        case 0x696c_632d_666e_2d78: isAll(bytes, start, count, "x-nf-client-connection-ip")
        case 0x6f72_6664_756f_6c63: has(bytes, start, count, "cloudfront-")
        case 0x6e65_2d74_6e6f_7266: isAll(bytes, start, count, "front-end-https")
        case 0x6373_2d6c_7275_2d78: isAll(bytes, start, count, "x-url-scheme")
        case 0x656d_6568_6373_2d78: isAll(bytes, start, count, "x-scheme")
        case 0x7373_2d72_7261_2d78: isAll(bytes, start, count, "x-arr-ssl")
        // All that Cloudflare says (CF-), and all of X-SSL-.
        case let word: word & 0xff_ffff == 0x2d_6663 || word & 0xffff_ffff_ffff == 0x2d6c_7373_2d78
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
