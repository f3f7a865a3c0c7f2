/// Which trailers a recipient may see: none that frames, routes, authenticates, forwards or changes how content is read
/// (RFC 9110 section 6.5.1), since some servers merge them into the header.
enum TrailerName {
    /// Whether the trailer line at `start` goes on.
    static func goesOn(_ octets: Octets, from start: Int) -> Bool {
        var end = start
        while octets[end] != Octet.colon {
            // As in a header: gateway interfaces cannot tell these from the name with hyphens.
            if octets[end] == 0x5f { return false }
            end &+= 1
        }
        // All that means something to this proxy, the fields of its own and those by which proxies speak of clients among it.
        if octets.name(from: start, to: end) != .other { return false }
        for name in names where matches(octets, start, end, name, isPrefix: false) { return false }
        for name in prefixes where matches(octets, start, end, name, isPrefix: true) { return false }
        return true
    }

    private static func matches(
        _ octets: Octets, _ start: Int, _ end: Int, _ name: StaticString, isPrefix: Bool
    ) -> Bool {
        let count = name.utf8CodeUnitCount
        guard isPrefix ? end &- start >= count : end &- start == count else { return false }
        for index in 0..<count
        where unsafe Octet.lowercased(octets[start &+ index]) != name.utf8Start[index] { return false }
        return true
    }

    /// Names that `FieldName` does not know, because heads pass them on.
    private static let names: [StaticString] = [
        "trailer",
        // Routing.
        "via", "location", "alt-svc", "origin",
        // Authentication.
        "authorization", "www-authenticate", "authentication-info", "cookie", "set-cookie",
        // How the message is to be treated.
        "range", "cache-control", "pragma", "age", "expires", "vary", "warning", "retry-after",
    ]

    private static let prefixes: [StaticString] = [
        "content-", "proxy-", "if-", "access-control-", "sec-",
    ]
}
