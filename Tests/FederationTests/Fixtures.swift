import Federation
import Model

/// Reports and keys for tests.
enum Fixture {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)
    static let tiers: [String: Tier] = ["a": .dns, "b": .l7, "c": .l4, "me": .dns]
    static let secret = Array("0123456789abcdef0123456789abcdef".utf8)

    static func keyring(_ ids: String...) throws(MissingKey) -> Keyring {
        guard let keyring = Keyring(ids.map { ($0, secret + Array($0.utf8)) }) else { throw MissingKey() }
        return keyring
    }

    struct MissingKey: Error {}

    static func report(
        _ node: String, incarnation: UInt64 = UInt64(start.milliseconds), sequence: UInt64 = 1,
        issuedAt: Timestamp = start, state: Report.State = .serving, up: Int = 1
    ) -> Report {
        Report(
            node: node, tier: tiers[node] ?? .dns, region: "eu", incarnation: incarnation, sequence: sequence,
            issuedAt: issuedAt, state: state, configuration: 1,
            pools: [PoolFact(pool: "p", service: "s", up: up, total: 2)], observations: [], rate: 0)
    }

    /// Stands for the encoding, which is not this module's: different reports of these tests have different bytes.
    static func signed(_ report: Report) -> SignedReport {
        let text = "\(report.node) \(report.incarnation) \(report.sequence) \(report.pools.first?.up ?? 0)"
        return SignedReport(key: "k", bytes: Array(text.utf8), signature: [])
    }
}

extension ReportStore {
    /// Admits with everything at its ordinary value.
    mutating func take(_ report: Report, wall: Timestamp = Fixture.start, heardAt: Timestamp = Fixture.start)
        -> Admission
    {
        admit(
            Fixture.signed(report), report, tiers: Fixture.tiers, limits: ReportLimits(), clockSkew: .seconds(30),
            heardAt: heardAt, wall: wall)
    }
}
