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
