import Crypto
import Federation
import FoundationEssentials
import Health
import Model

/// The state file: one line `meridian-state VERSION LENGTH SHA-256`, then that many octets of JSON with sorted keys.
package enum StateCodec {
    package static let version = "1"
    /// Octets of a whole file. What is larger is neither written nor read.
    package static let limit = 16 << 20
    /// Verdicts kept, those that are down first.
    static let verdictLimit = 100_000
    /// Of verdicts there are six values each, of overrides a dozen and of reports four: all that 16 MiB hold.
    private static let bounds = JSONBounds(values: 1_000_000)
    private static let magic = "meridian-state"

    /// The file's octets. When everything does not fit, reports are left out, the least lately heard first: they come again.
    ///
    /// - Throws: `StateProblem.tooLarge` when it does not fit even so.
    package static func encode(_ state: SavedState, limit: Int = limit) throws(StateProblem) -> [UInt8] {
        var state = state
        if state.verdicts.count > verdictLimit {
            state.verdicts = Array(
                (state.verdicts.filter { !$0.healthy } + state.verdicts.filter(\.healthy)).prefix(verdictLimit))
        }
        while true {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            guard let data = try? encoder.encode(WireState(state)) else { throw .damaged("not encodable") }
            if data.count <= limit - 256 { return framed(Array(data)) }
            if state.reports.isEmpty { throw .tooLarge(data.count) }
            state.reports.sort { $0.heardAt > $1.heardAt }
            state.reports.removeLast((state.reports.count + 1) / 2)
        }
    }

    /// `body` behind the first line that fits it.
    package static func framed(_ body: [UInt8]) -> [UInt8] {
        Array("\(magic) \(version) \(body.count) \(Keyring.hex(SHA256.hash(data: body)))\n".utf8) + body
    }

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - node: whose state it must be.
    /// - Returns: what was saved.
    /// - Throws: why it cannot be used.
    package static func decode(_ bytes: [UInt8], node: String) throws(StateProblem) -> SavedState {
        if bytes.count > limit { throw .tooLarge(bytes.count) }
        let body = Array(try body(of: bytes))
        guard bounds.admits(body), let wire = try? JSONDecoder().decode(WireState.self, from: Data(body)) else {
            throw .damaged("its checksum is right and its contents are not")
        }
        guard wire.node == node else { throw .node(wire.node.clipped(to: 100)) }
        guard let state = wire.state else { throw .damaged("it says something impossible") }
        return state
    }

    /// What the checksum covers.
    private static func body(of bytes: [UInt8]) throws(StateProblem) -> ArraySlice<UInt8> {
        let mark = Array(magic.utf8) + [0x20]
        guard bytes.starts(with: mark) else {
            // A file that was cut to nothing by a full disk is ours; anything else with another beginning is not.
            if bytes.isEmpty { throw .damaged("it is empty") }
            throw .alien
        }
        guard let end = bytes.prefix(256).firstIndex(of: 0x0a) else { throw .damaged("its first line has no end") }
        let parts = String(decoding: bytes[mark.count..<end], as: UTF8.self).split(
            separator: " ", omittingEmptySubsequences: false)
        guard let first = parts.first, first == version else {
            throw .version(String(parts.first ?? "").clipped(to: 20))
        }
        let body = bytes[(end + 1)...]
        guard parts.count == 3, let length = Int(parts[1]), let sum = Keyring.octets(String(parts[2])) else {
            throw .damaged("its first line makes no sense")
        }
        guard length == body.count else { throw .damaged("\(body.count) octets of \(length)") }
        guard SHA256.hash(data: body).elementsEqual(sum) else { throw .damaged("its checksum differs") }
        return body
    }
}

private struct WireState: Codable {
    struct Judged: Codable {
        let kind: String
        let subject: String
        /// What a name or a service answers with; absent for the service itself.
        let address: String?
        let region: String
        let healthy: Bool
        let since: Int64
        let heldUntil: Int64?
    }

    struct Heard: Codable {
        let key: String
        let report: String
        let signature: String
        let heardAt: Int64
    }

    let node: String
    /// Milliseconds since the Unix epoch, like all times here.
    let savedAt: Int64
    let verdicts: [Judged]
    let overrides: [WireOverride]
    let reports: [Heard]
    /// Absent where none is known, and in files of versions before this one.
    let timelines: [WireTimeline]?

    init(_ state: SavedState) {
        node = state.node
        savedAt = state.savedAt.milliseconds
        verdicts = state.verdicts.map { verdict in
            let (kind, subject, address) =
                switch verdict.site.subject {
                case .service(let service): ("service", service, SocketAddress?.none)
                case .address(let address, .service(let service)): ("service", service, address)
                case .address(let address, .name(let name)): ("name", name, address)
                }
            return Judged(
                kind: kind, subject: subject, address: address?.description, region: verdict.site.region,
                healthy: verdict.healthy, since: verdict.since.milliseconds,
                heldUntil: verdict.heldUntil?.milliseconds)
        }
        overrides = state.overrides.map(WireOverride.init)
        timelines = state.timelines.isEmpty ? nil : state.timelines.map(WireTimeline.init)
        reports = state.reports.map { heard in
            Heard(
                key: heard.signed.key, report: String(decoding: heard.signed.bytes, as: UTF8.self),
                signature: Keyring.hex(heard.signed.signature), heardAt: heard.heardAt.milliseconds)
        }
    }

    /// Nil when it says something impossible.
    var state: SavedState? {
        guard WireOverride.times.contains(savedAt) else { return nil }
        var state = SavedState(
            node: node, savedAt: Timestamp(milliseconds: savedAt), verdicts: [], overrides: [], reports: [])
        for judged in verdicts {
            guard WireOverride.times.contains(judged.since), WireOverride.times.contains(judged.heldUntil ?? 0)
            else { return nil }
            let address = judged.address.flatMap { SocketAddress($0) }
            guard (address == nil) == (judged.address == nil) else { return nil }
            let subject: VerdictSite.Subject
            switch (judged.kind, address) {
            case ("service", nil): subject = .service(judged.subject)
            case ("service", let address?): subject = .address(address, of: .service(judged.subject))
            case ("name", let address?): subject = .address(address, of: .name(judged.subject))
            // Versions before this one judged a name's regions as a whole, which says nothing of an address.
            case ("name", nil): continue
            default: return nil
            }
            state.verdicts.append(
                RememberedVerdict(
                    site: VerdictSite(subject, in: judged.region), healthy: judged.healthy,
                    since: Timestamp(milliseconds: judged.since),
                    heldUntil: judged.heldUntil.map { Timestamp(milliseconds: $0) }))
        }
        for word in overrides {
            guard let override = word.override, override.isAcceptable else { return nil }
            state.overrides.append(override)
        }
        guard let told = WireTimeline.timelines(timelines ?? []) else { return nil }
        state.timelines = told
        for heard in reports {
            guard let signature = Keyring.octets(heard.signature), WireOverride.times.contains(heard.heardAt)
            else { return nil }
            state.reports.append(
                SavedState.Heard(
                    signed: SignedReport(key: heard.key, bytes: Array(heard.report.utf8), signature: signature),
                    heardAt: Timestamp(milliseconds: heard.heardAt)))
        }
        return state
    }
}
