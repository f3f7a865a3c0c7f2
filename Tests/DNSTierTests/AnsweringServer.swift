import DNSTier
import DNSWire
import Model
import Steering
import Testing

/// The query function over zones given as text: bytes in, bytes out.
final class AnsweringServer {
    let worker: WorkerResponder
    private let output: UnsafeMutableRawBufferPointer

    convenience init(_ table: AnswerTable, maximumUDPSize: Int = 1232) {
        var conduct = Conduct()
        conduct.maximumUDPSize = maximumUDPSize
        // Most tests look at answers, not at how much strangers get.
        conduct.amplification = 0
        self.init(table, conduct: conduct)
    }

    init(_ table: AnswerTable, conduct: Conduct) {
        worker = WorkerResponder(table: table, conduct: conduct, seed: 42)
        unsafe output = .allocate(byteCount: 65_536, alignment: 64)
    }

    deinit { unsafe output.deallocate() }

    /// Zones without dynamic names, as (origin, master file).
    convenience init(zones: [(origin: String, text: String)], maximumUDPSize: Int = 1232) throws {
        self.init(try Self.table(zones: zones), maximumUDPSize: maximumUDPSize)
    }

    static func table(zones: [(origin: String, text: String)]) throws -> AnswerTable {
        let loaded = try zones.map { try load($0.text, origin: $0.origin) }
        return AnswerTable(
            zones: ZoneTableBuilder.build(loaded, dynamics: [:]),
            dynamics: DynamicAnswers.compile([], health: []).table, generation: 1)
    }

    static func load(_ text: String, origin: String, dynamicNames: Set<Name> = []) throws -> Zone {
        let source = MasterFile.Source(file: "test.zone", text: Array(text.utf8))
        let (zone, errors) = ZoneLoader.load(source, origin: try Name(origin), dynamicNames: dynamicNames) { _, _ in nil
        }
        #expect(errors.map(\.description) == [])
        return try #require(zone)
    }

    /// The reply's octets; empty when there is none.
    func reply(
        _ query: [UInt8], from client: String = "192.0.2.1", over transport: Responder.Transport = .udp
    ) -> [UInt8] {
        let address = IPAddress(client) ?? IPAddress(v4: 0)
        let count = query.withUnsafeBytes { bytes in
            unsafe worker.responder.pointee.answer(bytes, from: address, over: transport, into: output)
        }
        return unsafe Array(output.prefix(count))
    }

    func ask(
        _ name: String, _ type: RecordType, from client: String = "192.0.2.1",
        over transport: Responder.Transport = .udp, edns: QueryText.EDNS? = nil
    ) throws -> Message {
        let reply = reply(try QueryText(name, type, edns: edns).octets, from: client, over: transport)
        return try Message(reply.span.bytes)
    }
}

/// Builds queries.
struct QueryText {
    struct EDNS {
        var payloadSize: UInt16 = 1232
        var version: UInt8 = 0
        var flags: UInt16 = 0
        var options: [(code: UInt16, data: [UInt8])] = []

        static func subnet(_ text: String, source: Int, scope: UInt8 = 0) -> EDNS {
            let address = IPAddress(text) ?? IPAddress(v4: 0)
            let kept = IPPrefix(address, length: source).address.bytes.prefix((source + 7) / 8)
            let family: UInt8 = address.family == .v4 ? 1 : 2
            return EDNS(options: [(8, [0, family, UInt8(source), scope] + kept)])
        }
    }

    private(set) var octets: [UInt8]

    init(_ name: String, _ type: RecordType, flags: UInt16 = 0, edns: EDNS? = nil) throws {
        octets = [0x12, 0x34, UInt8(flags >> 8), UInt8(flags & 0xff), 0, 1, 0, 0, 0, 0, 0, edns == nil ? 0 : 1]
        octets += try Name(name).wire
        append(type.rawValue)
        append(1)
        guard let edns else { return }
        octets.append(0)
        append(41)
        append(edns.payloadSize)
        octets += [0, edns.version]
        append(edns.flags)
        append(UInt16(edns.options.reduce(0) { $0 + 4 + $1.data.count }))
        for option in edns.options {
            append(option.code)
            append(UInt16(option.data.count))
            octets += option.data
        }
    }

    private mutating func append(_ word: UInt16) { octets += [UInt8(word >> 8), UInt8(word & 0xff)] }
}

extension Message {
    /// `owner ttl type data`, sorted.
    static func lines(_ records: [Record]) -> [String] {
        records.filter { $0.type != .opt }.map { "\($0.owner) \($0.ttl) \($0.type) \($0.data.description)" }.sorted()
    }

    var isAuthoritative: Bool { flags & HeaderFlag.authoritative != 0 }
    var isTruncated: Bool { flags & HeaderFlag.truncated != 0 }
    var option: Record? { additional.first { $0.type == .opt } }
}
