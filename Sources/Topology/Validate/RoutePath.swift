/// What a path of a route has to be, so that requests can match it: their paths are compared in their normal form (RFC 3986
/// section 6.2.2), octet by octet.
enum RoutePath {
    struct Fault {
        let problem: String
        let cure: String
    }

    /// Why no request matches `path`; nil when some can. `key` is `exact` or `prefix`.
    static func fault(_ path: String, key: String) -> Fault? {
        if let star = path.firstIndex(of: "*") {
            let slash = path[..<star].lastIndex(of: "/") ?? path.startIndex
            let parent = slash == path.startIndex ? "/" : String(path[..<slash])
            return Fault(
                problem: "'*' stands for nothing but itself in a path",
                cure: "prefix: \(parent) matches \(parent == "/" ? "every path" : "\(parent) and all paths below it")")
        }
        if let question = path.firstIndex(of: "?") {
            let before = String(path[..<question])
            return Fault(problem: "a query is no part of a path", cure: "\(key): \(before), with any query")
        }
        guard let normal = normalForm(path) else {
            return Fault(
                problem: "requests for '\(path)' are refused with 400",
                cure: "a path without '\\', %00, escapes that are broken, and '..' that climbs above the root")
        }
        return normal == path ? nil : Fault(problem: "requests arrive as '\(normal)'", cure: "\(key): \(normal)")
    }

    /// As the proxy has it: escapes of unreserved characters decoded, others with upper-case digits, no dot segments. What no
    /// URI has in its path is escaped.
    private static func normalForm(_ path: String) -> String? {
        let octets = Array(path.utf8)
        var text = ""
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            if octet == 0x25 {
                guard index + 2 < octets.count,
                    let value = UInt8(String(decoding: octets[(index + 1)...(index + 2)], as: UTF8.self), radix: 16),
                    value != 0
                else { return nil }
                text += isUnreserved(value) ? character(value) : escape(value)
                index += 3
            } else {
                if octet == 0x5c { return nil }
                text += octet < 0x80 && !"\"<>^`{|}".utf8.contains(octet) ? character(octet) : escape(octet)
                index += 1
            }
        }
        return withoutDots(text)
    }

    private static func withoutDots(_ path: String) -> String? {
        var kept: [Substring] = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment == "." {
                if isLast { kept.append("") }
            } else if segment == ".." {
                guard kept.popLast() != nil else { return nil }
                if isLast { kept.append("") }
            } else {
                kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }

    private static func isUnreserved(_ octet: UInt8) -> Bool {
        (0x30...0x39).contains(octet) || (0x41...0x5a).contains(octet) || (0x61...0x7a).contains(octet)
            || "-._~".utf8.contains(octet)
    }

    private static func character(_ octet: UInt8) -> String { String(UnicodeScalar(octet)) }

    private static func escape(_ octet: UInt8) -> String {
        let digits = String(octet, radix: 16, uppercase: true)
        return octet < 16 ? "%0" + digits : "%" + digits
    }
}
