import HTTPWire
package import Model

/// Where requests go, frozen: hash tables over flat arrays, no allocation and no text per request.
///
/// The most specific route that matches wins. An exact host beats a suffix (the longest first) beats any host; within a
/// host an exact path beats a prefix, and the longest prefix of whole segments wins. When no path of a host matches, the
/// next less specific host is asked.
package struct RouteTable: Sendable {
    /// The routes of one host.
    private struct Scope {
        /// Bit n: there is a prefix of n octets; the last bit stands for 63 and more.
        var prefixLengths: UInt64 = 0
        var longestPrefix = 0
        var hasExact = false
    }

    private struct Entry {
        let hash: UInt64
        let start: Int
        let count: Int
        /// A scope for hosts, a route for paths; -1 is a vacant place.
        let value: Int

        static let vacant = Entry(hash: 0, start: 0, count: 0, value: -1)
    }

    private enum Kind: UInt64 {
        case host = 0x9e37_79b9_7f4a_7c15
        case suffix = 0xbf58_476d_1ce4_e5b9
        case exact = 0x94d0_49bb_1331_11eb
        case prefix = 0xd6e8_feb8_6659_fd93
    }

    private static let anyHost = 0
    private static let offsetBasis: UInt64 = 0xcbf2_9ce4_8422_2325
    private static let prime: UInt64 = 0x0000_0100_0000_01b3

    private var scopes: [Scope] = [Scope()]
    private var hosts: [Entry] = [.vacant]
    private var paths: [Entry] = [.vacant]
    private var text: [UInt8] = []
    private var hasExactHosts = false
    private var hasSuffixHosts = false

    /// The index of a route is its position in `routes`. Of two routes that are the same the first one counts.
    package init(_ routes: [HTTPRoute]) {
        var scopeOf: [HTTPRoute.Host: Int] = [.any: Self.anyHost]
        for route in routes where scopeOf[route.host] == nil {
            scopeOf[route.host] = scopes.count
            scopes.append(Scope())
        }
        hosts = Array(repeating: .vacant, count: Self.size(scopes.count))
        paths = Array(repeating: .vacant, count: Self.size(routes.count))
        for (host, scope) in scopeOf {
            switch host {
            case .any: continue
            case .exact(let name):
                hasExactHosts = true
                Self.insert(Array(name.lowercased().utf8), Self.offsetBasis, .host, scope, &hosts, &text)
            case .suffix(let name):
                hasSuffixHosts = true
                Self.insert(Array(name.lowercased().utf8), Self.offsetBasis, .suffix, scope, &hosts, &text)
            }
        }
        for (index, route) in routes.enumerated() {
            guard let scope = scopeOf[route.host] else { continue }
            switch route.path {
            case .exact(let path):
                scopes[scope].hasExact = true
                Self.insert(Array(path.utf8), Self.seed(scope), .exact, index, &paths, &text)
            case .prefix(let path):
                var octets = Array(path.utf8)
                while octets.last == 0x2f { octets.removeLast() }
                scopes[scope].prefixLengths |= 1 << UInt64(min(octets.count, 63))
                scopes[scope].longestPrefix = max(scopes[scope].longestPrefix, octets.count)
                Self.insert(octets, Self.seed(scope), .prefix, index, &paths, &text)
            }
        }
    }

    /// At most half full.
    private static func size(_ count: Int) -> Int {
        var size = 4
        while size < count * 2 { size *= 2 }
        return size
    }

    private static func seed(_ scope: Int) -> UInt64 { (offsetBasis ^ UInt64(scope)) &* prime }

    private static func insert(
        _ octets: [UInt8], _ seed: UInt64, _ kind: Kind, _ value: Int, _ table: inout [Entry], _ text: inout [UInt8]
    ) {
        // Hosts are hashed from their end, so that one pass over a host meets the hash of each of its suffixes.
        let isHost = kind == .host || kind == .suffix
        let ordered = isHost ? Array(octets.reversed()) : octets
        let hash = finish(ordered.reduce(seed) { ($0 ^ UInt64($1)) &* prime }, kind)
        var place = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[place].value >= 0 {
            let entry = table[place]
            if entry.hash == hash, text[entry.start..<(entry.start + entry.count)].elementsEqual(octets) { return }
            place = (place + 1) & (table.count - 1)
        }
        table[place] = Entry(hash: hash, start: text.count, count: octets.count, value: value)
        text += octets
    }

    private static func finish(_ hash: UInt64, _ kind: Kind) -> UInt64 {
        let mixed = hash ^ kind.rawValue
        return mixed ^ (mixed >> 32)
    }

    // MARK: - Lookup

    /// The route of a request.
    ///
    /// - Parameters:
    ///   - host: without port, in any case; empty when there is none.
    ///   - path: normalised, from its first slash.
    /// - Returns: the route's index, or nil.
    package func route(host: RawSpan, path: RawSpan) -> Int? {
        guard hasExactHosts || hasSuffixHosts else { return route(in: Self.anyHost, path) }
        // One pass from the end: at each dot the hash is that of the suffix, and at the start that of the whole name.
        var hash = Self.offsetBasis
        var bySuffix: Int?
        var index = host.byteCount
        while index > 0 {
            index &-= 1
            let octet = Self.lowercased(host.octet(index))
            hash = (hash ^ UInt64(octet)) &* Self.prime
            guard octet == 0x2e, hasSuffixHosts,
                let scope = find(hosts, Self.finish(hash, .suffix), host, from: index, host.byteCount &- index),
                let route = route(in: scope, path)
            else { continue }
            // Longer ones come later and win.
            bySuffix = route
        }
        if hasExactHosts, let scope = find(hosts, Self.finish(hash, .host), host, from: 0, host.byteCount),
            let route = route(in: scope, path)
        {
            return route
        }
        return bySuffix ?? route(in: Self.anyHost, path)
    }

    private func route(in scope: Int, _ path: RawSpan) -> Int? {
        let limits = scopes[scope]
        var best: Int?
        var hash = Self.seed(scope)
        if limits.prefixLengths & 1 == 1 { best = find(paths, Self.finish(hash, .prefix), path, from: 0, 0) }
        guard limits.longestPrefix > 0 || limits.hasExact else { return best }
        let count = path.byteCount
        let end = limits.hasExact ? count : min(count, limits.longestPrefix)
        for index in 0..<end {
            hash = (hash ^ UInt64(path.octet(index))) &* Self.prime
            let length = index &+ 1
            // A prefix ends where a segment does.
            guard length == count || path.octet(length) == 0x2f,
                limits.prefixLengths & (1 << UInt64(min(length, 63))) != 0
            else { continue }
            if let route = find(paths, Self.finish(hash, .prefix), path, from: 0, length) { best = route }
        }
        if limits.hasExact, let exact = find(paths, Self.finish(hash, .exact), path, from: 0, count) { return exact }
        return best
    }

    private func find(_ table: [Entry], _ hash: UInt64, _ octets: RawSpan, from start: Int, _ count: Int) -> Int? {
        var place = Int(truncatingIfNeeded: hash) & (table.count &- 1)
        while table[place].value >= 0 {
            let entry = table[place]
            if entry.hash == hash, entry.count == count, matches(entry, octets, from: start) { return entry.value }
            place = (place &+ 1) & (table.count &- 1)
        }
        return nil
    }

    /// Hosts stand in lower case, and the octets of paths that have no letters are not changed by the comparison below.
    private func matches(_ entry: Entry, _ octets: RawSpan, from start: Int) -> Bool {
        for index in 0..<entry.count {
            let wanted = text[entry.start &+ index]
            let octet = octets.octet(start &+ index)
            // Equal hashes with different case only occur for hosts, whose hash is of the lower case.
            if wanted != octet, wanted != Self.lowercased(octet) { return false }
        }
        return true
    }

    private static func lowercased(_ octet: UInt8) -> UInt8 { octet &- 0x41 < 26 ? octet | 0x20 : octet }
}
