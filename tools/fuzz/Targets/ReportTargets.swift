import ControlPlane
import Federation
import Model

/// Reports of peers, up to the store that keeps them.
package struct ReportTarget: FuzzTarget {
    package static let name = "report"
    package static let tokens = jsonTokens

    private static let tiers: [String: Tier] = ["l7-us-east": .l7, "l4-us-east": .l4]
    private var store = ReportStore(own: "dns-1", start: 1)

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        do {
            let report = try ReportCodec.decode(input)
            let signed = SignedReport(key: "k", bytes: input, signature: [])
            let wall = Timestamp(milliseconds: 1_700_000_000_000)
            let admission = store.admit(
                signed, report, tiers: Self.tiers, limits: ReportLimits(), clockSkew: .seconds(30), heardAt: wall,
                wall: wall)
            switch admission {
            case .accepted: trail.step(1)
            case .duplicate: trail.step(2)
            case .superseded: trail.step(3)
            case .refused(let refusal): trail.step(message: refusal.rawValue)
            }
            trail.step(min(report.pools.count, 3))
            trail.step(min(report.observations.count, 3))
            if report.isAcceptable(ReportLimits()) {
                let again = try ReportCodec.decode(try ReportCodec.encode(report))
                guard again == report else { return .broken("\(report) became \(again)") }
            }
        } catch Refusal.malformed {
            trail.step(0)
        } catch {
            return .broken("a report that was read cannot be written: \(error)")
        }
        return trail.outcome
    }
}

/// Answers to polls.
package struct BatchTarget: FuzzTarget {
    package static let name = "batch"
    package static let tokens = jsonTokens

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        do {
            let batch = try ReportCodec.decodeBatch(input)
            trail.step(1 + min(batch.items.count, 3))
            let again = try ReportCodec.decodeBatch(try ReportCodec.encode(batch))
            guard again == batch else { return .broken("\(batch) became \(again)") }
        } catch Refusal.malformed {
            trail.step(0)
        } catch {
            return .broken("a batch that was read cannot be written: \(error)")
        }
        return trail.outcome
    }
}

/// The header that opens a poll.
package struct AuthorizationTarget: FuzzTarget {
    package static let name = "authorization"
    package static let tokens = ["k1", "dns-1", " ", "  ", "9223372036854775807", "-1", "8796093022207", "00", "gg"]
        .map(\.octets)

    private static let now = Timestamp(milliseconds: 1_700_000_000_000)
    private static let path = "/federation/v1/reports?since=0"
    private let keyring = Keyring([(id: "k1", secret: "0123456789abcdef".octets)])

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        let header = String(decoding: input, as: UTF8.self)
        guard let keyring else { return .broken("no keyring") }
        let node = keyring.authorizes(header, target: Self.path, now: Self.now, clockSkew: .seconds(30))
        let honest = node.map { keyring.authorization(node: $0, target: Self.path, now: Self.now) }
        if let honest,
            honest.split(separator: " ").last?.lowercased() != header.split(separator: " ").last?.lowercased()
        {
            // Within the clock skew other times are good too: what must not pass is a code that we would not make.
            let time = header.split(separator: " ").dropFirst(2).first.flatMap { Int64($0) } ?? 0
            let then = keyring.authorization(
                node: node ?? "", target: Self.path, now: Timestamp(milliseconds: time))
            guard then.lowercased() == header.lowercased() else { return .broken("\(header) was let in") }
        }
        trail.step(node == nil ? 0 : 1)
        trail.step(header.split(separator: " ", omittingEmptySubsequences: false).count)
        return trail.outcome
    }
}

private let jsonTokens =
    [
        "\"node\":", "\"tier\":\"l7\"", "\"incarnation\":", "18446744073709551615", "18446744073709551616", "-1",
        "1e400", "1e-400",
        "NaN", "null", "true", "[]", "{}", "[[[[", "\\u0000", "\\ud800", "\\\"", "\"reports\":", "\"signature\":\"",
        "\"age\":",
        "9223372036854775807", "\"issuedAt\":9223372036854", "\"leaving\"", "\u{FEFF}", "ff",
    ].map(\.octets)
