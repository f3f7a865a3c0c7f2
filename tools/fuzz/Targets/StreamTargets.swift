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
