package import Federation
import FoundationEssentials
package import Model

/// Reports as JSON, keys sorted. Reading is strict about what it knows and ignores members that it does not, so that nodes
/// of two versions federate while a fleet is upgraded.
package enum ReportCodec {
    package static func encode(_ report: Report) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(WireReport(report)))
    }

    /// Values of one report at its largest: pools with their troubles, observations, overrides, round trips.
    private static let reportBounds = JSONBounds(values: 100_000)

    /// - Throws: `Refusal.malformed`.
    package static func decode(_ bytes: [UInt8]) throws(Refusal) -> Report {
        guard reportBounds.admits(bytes),
            let wire = try? JSONDecoder().decode(WireReport.self, from: Data(bytes)), let report = wire.report
        else {
            throw .malformed
        }
        return report
    }

    /// The answer to a poll.
    package static func encode(_ batch: ReportBatch) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let items = batch.items.map { item in
            WireBatch.Item(
                age: item.age.milliseconds, key: item.signed.key,
                report: String(decoding: item.signed.bytes, as: UTF8.self),
                signature: Keyring.hex(item.signed.signature))
        }
        return Array(try encoder.encode(WireBatch(cursor: batch.cursor, node: batch.node, reports: items)))
    }

    /// - Parameters:
    ///   - bytes: JSON text.
    ///   - most: how many reports there can be: one of each node of the topology.
    /// - Returns: the reports, verified by nobody yet.
    /// - Throws: `Refusal.malformed` when any item is, or there are more.
    package static func decodeBatch(_ bytes: [UInt8], most: Int = 4096) throws(Refusal) -> ReportBatch {
        // Room for members of a later version.
        guard JSONBounds(values: 16 * (most + 8)).admits(bytes),
            let wire = try? JSONDecoder().decode(WireBatch.self, from: Data(bytes)), wire.reports.count <= most
        else { throw .malformed }
        var batch = ReportBatch(node: wire.node, cursor: wire.cursor, items: [])
        for item in wire.reports {
            guard let signature = Keyring.octets(item.signature), item.age >= 0 else { throw .malformed }
            let signed = SignedReport(key: item.key, bytes: Array(item.report.utf8), signature: signature)
            batch.items.append(ReportBatch.Item(signed: signed, age: .milliseconds(min(item.age, 1 << 40))))
        }
        return batch
    }
}

/// What a node answers a poll with: everything that it took since the poller's cursor.
package struct ReportBatch: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package var signed: SignedReport
        /// How long the sender has had it. Not signed: it can make a report look older or as new as its arrival, no more.
        package var age: Duration

        package init(signed: SignedReport, age: Duration) {
            self.signed = signed
            self.age = age
        }
    }

    package var node: String
    /// What to ask `since` next.
    package var cursor: UInt64
    package var items: [Item]

    package init(node: String, cursor: UInt64, items: [Item]) {
        self.node = node
        self.cursor = cursor
        self.items = items
    }
}

private struct WireBatch: Codable {
    struct Item: Codable {
        let age: Int64
        let key: String
        let report: String
        let signature: String
    }

    let cursor: UInt64
    let node: String
    let reports: [Item]
}

private struct WireReport: Codable {
    struct Fact: Codable {
        let pool: String
        let service: String?
        let up: Int
        let total: Int
        let primaries: Int
        let replicas: Int
        let inFlight: Int
        let ratePerSecond: Double
        let errorRate: Double
        let p50Milliseconds: Double
        let p99Milliseconds: Double
        let troubles: [String]
    }

    struct Sight: Codable {
        let service: String
        let region: String
        let up: Bool
        let reason: String
        /// The addresses that did not answer; absent where none is to be named, as in reports of older nodes.
        let down: [Address]?
        /// Present, and true, where all others answered.
        let othersUp: Bool?

        init(_ seen: Observation) {
            service = seen.service
            region = seen.region
            up = seen.up
            reason = seen.reason
            down =
                seen.down.isEmpty ? nil : seen.down.map { Address(address: $0.address.description, reason: $0.reason) }
            othersUp = seen.tellsAddresses ? true : nil
        }

        /// Nil when it says something impossible.
        var observation: Observation? {
            var troubles: [AddressTrouble] = []
            for each in down ?? [] {
                guard let address = SocketAddress(each.address) else { return nil }
                troubles.append(AddressTrouble(address: address, reason: each.reason.printable))
            }
            return Observation(
                service: service.printable, region: region.printable, up: up, reason: reason.printable, down: troubles,
                tellsAddresses: othersUp ?? false)
        }
    }

    struct Address: Codable {
        let address: String
        let reason: String
    }

    let node: String
    let tier: String
    let region: String
    let incarnation: UInt64
    let sequence: UInt64
    /// Milliseconds since the Unix epoch.
    let issuedAt: Int64
    let state: String
    /// Hexadecimal: JSON numbers of other readers end at 2^53.
    let configuration: String
    let pools: [Fact]
    let observations: [Sight]
    let rate: Double
    /// Absent in reports of nodes that know of none, and of those that are too old to know.
    let overrides: [WireOverride]?
    /// Absent where nothing was measured.
    let roundTrips: WireRoundTrips?
    /// Absent in reports of nodes that know of none, and of those that are too old to know.
    let timelines: [WireTimeline]?

    init(_ report: Report) {
        node = report.node
        tier = report.tier.rawValue
        region = report.region
        incarnation = report.incarnation
        sequence = report.sequence
        issuedAt = report.issuedAt.milliseconds
        state = report.state.rawValue
        configuration = String(report.configuration, radix: 16)
        pools = report.pools.map { fact in
            Fact(
                pool: fact.pool, service: fact.service, up: fact.up, total: fact.total, primaries: fact.primaries,
                replicas: fact.replicas, inFlight: fact.inFlight, ratePerSecond: fact.ratePerSecond,
                errorRate: fact.errorRate, p50Milliseconds: fact.p50Milliseconds,
                p99Milliseconds: fact.p99Milliseconds, troubles: fact.troubles)
        }
        observations = report.observations.map(Sight.init)
        rate = report.rate
        overrides = report.overrides.isEmpty ? nil : report.overrides.map(WireOverride.init)
        roundTrips = report.roundTrips.map(WireRoundTrips.init)
        timelines = report.timelines.isEmpty ? nil : report.timelines.map(WireTimeline.init)
    }

    /// Nil when it says something impossible. Its texts end up on terminals: what they are not to do there is left out here.
    var report: Report? {
        guard let tier = Tier(rawValue: tier), let state = Report.State(rawValue: state),
            let configuration = UInt64(configuration, radix: 16),
            WireOverride.times.contains(issuedAt)
        else { return nil }
        let words = (overrides ?? []).map(\.override)
        let measured = roundTrips?.roundTrips
        let seen = observations.map(\.observation)
        guard !words.contains(nil), !seen.contains(nil), (measured == nil) == (roundTrips == nil),
            let told = WireTimeline.timelines(timelines ?? [])
        else { return nil }
        return Report(
            node: node, tier: tier, region: region, incarnation: incarnation, sequence: sequence,
            issuedAt: Timestamp(milliseconds: issuedAt), state: state, configuration: configuration,
            pools: pools.map { fact in
                PoolFact(
                    pool: fact.pool.printable, service: fact.service?.printable, up: fact.up, total: fact.total,
                    primaries: fact.primaries, replicas: fact.replicas, inFlight: fact.inFlight,
                    ratePerSecond: fact.ratePerSecond, errorRate: fact.errorRate,
                    p50Milliseconds: fact.p50Milliseconds, p99Milliseconds: fact.p99Milliseconds,
                    troubles: fact.troubles.map(\.printable))
            },
            observations: seen.compactMap(\.self), rate: rate, overrides: words.compactMap { $0 }, roundTrips: measured,
            timelines: told)
    }
}
