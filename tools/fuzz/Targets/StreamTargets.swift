import StreamWire

/// The first packet of a PostgreSQL client.
package struct StartupTarget: FuzzTarget {
    package static let name = "postgresql-startup"
    package static let tokens: [[UInt8]] = [
        [0, 0, 0, 8, 4, 210, 22, 47], [0, 0, 0, 16, 4, 210, 22, 46], [0, 3, 0, 0], [0, 0, 39, 16], [0, 0, 39, 17],
        [0x16, 3, 1],
        "user\0".octets, "GET / ".octets,
    ]

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        let whole = PostgreSQLStartup(input.span)
        var trail = Trail()
        switch whole {
        case .incomplete: trail.step(0)
        case .malformed: trail.step(1)
        case .encryption(let length), .login(let length), .cancel(let length):
            guard (8...input.count).contains(length) else { return .broken("\(length) of \(input.count) octets") }
            trail.step(2 + Int(input[7] & 3))
        }
        // However the packet is cut, the pieces lead to what the whole leads to.
        for count in 0..<min(input.count, 64) {
            let part = PostgreSQLStartup(Array(input[..<count]).span)
            guard part == .incomplete || part == whole else { return .broken("\(count) octets are \(part)") }
        }
        return trail.outcome
    }
}

/// The header with which a proxy says whose bytes follow.
package struct ProxyTarget: FuzzTarget {
    package static let name = "proxy-header"
    package static let tokens: [[UInt8]] = [
        [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a], [0x21, 0x11, 0, 12], [0x20, 0, 0, 0],
        [0x21, 0x22, 0, 36], [0x21, 0x12, 0xff, 0xff], [0x04, 0, 4],
    ]

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        let whole = unsafe ProxyHeader(input.span.bytes)
        switch whole {
        case .incomplete: trail.step(0)
        case .malformed: trail.step(1)
        case .local(let length), .proxied(_, _, let length):
            guard (16...input.count).contains(length) else { return .broken("\(length) of \(input.count) octets") }
            trail.step(2 + Int(input[13]))
        }
        for count in 0..<min(input.count, 64) {
            let part = unsafe ProxyHeader(Array(input[..<count]).span.bytes)
            guard part == .incomplete || part == whole else { return .broken("\(count) octets are \(part)") }
        }
        return trail.outcome
    }
}

/// What a PostgreSQL server says to a client that asks nothing.
package struct SessionTarget: FuzzTarget {
    package static let name = "postgresql-session"
    package static let tokens: [[UInt8]] = [
        [0x5a, 0, 0, 0, 5, 0x49], [0x5a, 0, 0, 0, 5, 0x54], [0x41, 0, 0, 0, 4], [0x4e, 0, 0, 0, 5, 0],
        [0x53, 0, 0, 0, 8, 0x61, 0, 0x62, 0], [0x41, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0], [0x41, 0x7f, 0xff, 0xff, 0xff],
        [0x4e, 0xff, 0xff, 0xff, 0xff], [0x53, 0, 0, 0, 3], "T".octets, "E".octets,
    ]

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        let expected = Self.standing(after: input)
        for piece in [max(input.count, 1), 1, 2, 3, 7] {
            var watch = SessionWatch()
            let ready: [UInt8] = [0x5a, 0, 0, 0, 5, 0x49]
            unsafe watch.serverSent(ready.span.bytes)
            var rest = input[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(piece))
                unsafe watch.serverSent(part.span.bytes)
                rest = rest.dropFirst(piece)
            }
            if let expected, watch.standing != expected { return .broken("in pieces of \(piece): \(watch.standing)") }
            trail.step(watch.standing == .unknown ? 1 : watch.standing == .idle ? 2 : 3)
        }
        trail.step(expected == nil ? 4 : 5)
        return trail.outcome
    }

    /// Where a session that was idle stands after `input`; nil when more came than what servers say unasked.
    private static func standing(after input: [UInt8]) -> SessionWatch.Standing? {
        var rest = input[...]
        while let kind = rest.first {
            guard [0x41, 0x4e, 0x53].contains(kind) else { return nil }
            guard rest.count >= 5 else { return .unknown }
            let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard (4...Int(Int32.max)).contains(length) else { return nil }
            guard rest.count > length else { return .unknown }
            rest = rest.dropFirst(1 + length)
        }
        return .idle
    }
}
