import DNSTier
import DNSWire
import Foundation
import Model
import Topology

/// The query function of the DNS tier: whatever comes in, what goes out is a reply, and as small as it has to be.
package struct QueryTarget: FuzzTarget {
    package static let name = "dns-query"
    package static let tokens: [[UInt8]] =
        [
            [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0], [0, 8, 0, 7, 0, 1, 24, 0, 10, 0, 1], [0, 8, 0, 4, 0, 2, 0, 0],
            [0, 8, 0, 8, 0, 1, 32, 0, 10, 0, 0, 1], [0, 3, 0, 0], [0, 12, 0, 4, 0, 0, 0, 0], [0xc0, 12],
            [0, 0, 1, 0, 1],
            [0, 0, 255, 0, 1], [0, 0, 28, 0, 1], [0, 0, 252, 0, 1], [0, 0, 6, 0, 3], [0x80, 0], [0x28, 0],
            [0x01, 0x10], [0, 0, 251, 0, 1], [0, 0, 5, 0, 1], [0, 0, 43, 0, 1], [0, 250, 0, 255, 0, 0, 0, 0],
            "\u{b}hmac-sha256\0".octets, [0, 32], [0, 0, 0, 1, 0, 1, 0, 1],
        ]
        + ["www", "shop", "test", "wild", "alias", "old", "far", "deep", "big", "apex", "\u{3}sub"].map { label in
            [UInt8(label.utf8.count)] + label.octets
        }
    package static let limit = 1500

    private let function: QueryFunction
    private let query: GuardedBuffer
    private let room: GuardedBuffer

    package init() throws {
        function = try QueryWorld.function()
        query = try GuardedBuffer(capacity: 2048)
        room = try GuardedBuffer(capacity: 65_535)
    }

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        let clients = [IPAddress(v4: 0x0a01_0203), IPAddress(v6: 0x2001_0db8_0000_0000, 7)]
        for (turn, size) in [512, 1232, 65_535].enumerated() {
            let overTCP = size == 65_535
            let message = unsafe query.place(input)
            let output = unsafe room.last(size)
            let count = unsafe function.answer(
                message, from: clients[turn & 1], overTCP: overTCP, into: output)
            if let promise = Self.judge(input, unsafe Array(output.prefix(count)), size, overTCP: overTCP, &trail) {
                return .broken(promise)
            }
            guard unsafe message.elementsEqual(input) else { return .broken("the query was changed") }
        }
        return trail.outcome
    }

    static func judge(
        _ query: [UInt8], _ reply: [UInt8], _ room: Int, overTCP: Bool, _ trail: inout Trail
    ) -> String? {
        trail.step(reply.isEmpty ? 0 : 1)
        if !overTCP, reply.count > 0, reply.count > Conduct.allowance(query.count, times: 20) {
            return "\(query.count) octets became \(reply.count)"
        }
        // RFC 1035 section 4.1.1: without a header there is nobody to answer, and replies are not answered.
        let isQuery = query.count >= 12 && query[2] & 0x80 == 0
        guard isQuery, !reply.isEmpty else { return reply.isEmpty == !isQuery ? nil : "\(reply.count) octets of reply" }
        guard reply.count >= 12, reply.count <= (overTCP ? 65_535 : min(room, 1232)) else {
            return "\(reply.count) octets into \(room)"
        }
        guard reply[0..<2] == query[0..<2], reply[2] & 0xf8 == 0x80 | query[2] & 0x78 else {
            return "header \(reply[0..<4])"
        }
        do {
            let message = try unsafe Message(reply.span.bytes)
            guard message.flags & HeaderFlag.truncated == 0 || message.answer.isEmpty && !overTCP else {
                return "truncated with answers, or over TCP"
            }
            if message.additional.filter({ $0.type == .opt }).count > 1 { return "two OPT records" }
            trail.step(Int(message.code.rawValue))
            for section in [message.answer, message.authority, message.additional] {
                trail.step(min(section.count, 4))
                for record in section.prefix(4) { trail.step(Int(record.type.rawValue)) }
            }
            return nil
        } catch {
            return "the reply cannot be read: \(error)"
        }
    }
}

/// The options of a query: whatever stands in them, the reply is one that the question could have without them, and as
/// readable.
package struct OptionsTarget: FuzzTarget {
    package static let name = "dns-options"
    package static let tokens: [[UInt8]] = [
        [0, 3, 0, 0], [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8], [0, 10, 0, 24], [1, 0, 0, 0], [0, 11, 0, 0],
        [0, 11, 0, 2, 0, 100], [0, 8, 0, 7, 0, 1, 24, 0, 10, 0, 1], [0, 8, 0, 4, 0, 2, 0, 0],
        [0, 12, 0, 4, 0, 0, 0, 0],
        [0, 15, 0, 2, 0, 0], [0xff, 0xff, 0, 0], [0, 10, 0, 40],
    ]
    package static let limit = 600

    private let function: QueryFunction
    private let query: GuardedBuffer
    private let room: GuardedBuffer

    package init() throws {
        function = try QueryWorld.function()
        query = try GuardedBuffer(capacity: 2048)
        room = try GuardedBuffer(capacity: 65_535)
    }

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        let names = ["\u{3}www\u{4}shop\u{4}test\0", "\u{3}big\u{4}shop\u{4}test\0", "\u{1}x\u{5}other\u{4}test\0"]
        for (turn, name) in names.enumerated() {
            let head: [UInt8] = [0, UInt8(turn), 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
            let option: [UInt8] = [0, 0, 41, 4, 208, 0, 0, 0, 0, UInt8(input.count >> 8), UInt8(input.count & 0xff)]
            let whole = head + name.octets + [0, 16, 0, 1] + option + input
            let message = unsafe query.place(whole)
            let output = unsafe room.last(turn == 1 ? 65_535 : 1232)
            let count = unsafe function.answer(
                message, from: IPAddress(v4: 0x0a01_0203), overTCP: turn == 1, into: output)
            let reply = unsafe Array(output.prefix(count))
            if let promise = QueryTarget.judge(whole, reply, 1232, overTCP: turn == 1, &trail) {
                return .broken(promise)
            }
        }
        return trail.outcome
    }
}

/// A stream of messages: however it is cut, the same messages come out.
package struct StreamTarget: FuzzTarget {
    package static let name = "dns-stream"
    package static let tokens: [[UInt8]] = [
        [0, 12], [0, 11], [0x3f, 0xfe], [0x3f, 0xff], [0xff, 0xff], [0, 29], [UInt8](repeating: 0, count: 12),
    ]

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        var position = 0
        while true {
            let rest = Array(input[position...])
            let frame = unsafe StreamFrame(rest.span.bytes, limit: 16_382)
            for count in 0..<min(rest.count, 40) {
                let part = unsafe StreamFrame(Array(rest[..<count]).span.bytes, limit: 16_382)
                guard part == .incomplete || part == frame else { return .broken("\(count) octets are \(part)") }
            }
            switch frame {
            case .incomplete:
                trail.step(0)
                return trail.outcome
            case .broken:
                trail.step(1)
                return trail.outcome
            case .message(let length):
                trail.step(2)
                guard length >= 12, position + 2 + length <= input.count else {
                    return .broken("\(length) octets at \(position) of \(input.count)")
                }
                position += 2 + length
            }
        }
    }
}

/// Service bindings as text: what is read can be written and read again, in wire form too.
package struct ServiceBindingTarget: FuzzTarget {
    package static let name = "svcb"
    package static let tokens =
        [
            "1 . ", "0 a. ", "16 svc.test. ", "alpn=", "\"h2,h3\"", "mandatory=", "no-default-alpn", "port=53 ",
            "ipv4hint=",
            "192.0.2.1,192.0.2.2", "ipv6hint=2001:db8::1", "ech=AEP+DQ==", "dohpath=/q{?dns}", "ohttp", "key65534=",
            "key0",
            "\\\\,", "\\,", "\\044", "\"", ",", " ",
        ].map(\.octets)
    package static let limit = 600

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        guard let words = MasterFile.words(String(decoding: input, as: UTF8.self)) else { return trail.outcome }
        do {
            let data = try RecordData(type: .https, tokens: words, origin: .root)
            trail.step(data.wire.count)
            guard let again = MasterFile.words(data.description),
                try RecordData(type: .https, tokens: again, origin: .root) == data,
                try RecordData(type: .https, wire: data.wire) == data
            else { return .broken("\(data.description) is not \(data.wire)") }
        } catch let error as RecordTextError {
            trail.step(message: error.message)
        } catch {
            return .broken("\(error)")
        }
        return trail.outcome
    }
}

/// A small topology with one of everything that an answer can be made of.
private enum QueryWorld {
    static func function() throws -> QueryFunction {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "meridian-fuzz-dns-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in [
            "topology.yaml": topology, "shop.zone": zone, "places.csv": places, "latency.csv": latency,
        ] {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        let snapshot = try TopologyLoader.load(path: folder.appending(path: "topology.yaml").path)
        return QueryFunction(try Preparation(snapshot, node: NodeID(0)), seed: 1)
    }

    private static let topology = """
        regions:
          us-east: {location: {continent: NA, country: US}, address: 127.0.1.1}
          eu-west: {location: {continent: EU, country: IE}, address: 127.0.2.1}
        nodes:
          dns-1: {tier: dns, region: us-east, address: 127.0.0.1, admin: "127.0.0.1:9080", federation: "127.0.0.1:9081"}
        federation:
          keys: [{id: k1, secret: {env: MERIDIAN_FEDERATION_KEY}}]
        dns:
          port: 5300
          locations: {csv: places.csv}
          zones:
            shop.test:
              file: shop.zone
              names:
                www:
                  ttl: 5s
                  answers: {us-east: {A: 127.0.1.1, AAAA: "::1"}, eu-west: {A: [127.0.2.1, 127.0.2.2]}}
                  steps:
                    - healthy
                    - geo: {continents: {NA: [us-east], EU: [eu-west]}, prefixes: {10.9.0.0/16: [eu-west]}, default: [us-east]}
                    - latency: {file: latency.csv, tolerance: 20ms}
                "@":
                  answers: {us-east: {A: 127.0.1.1}, eu-west: {A: 127.0.2.1}}
                  steps: [healthy, {weighted: {us-east: 10, eu-west: 1}}]
                "*.any":
                  answers: {us-east: {CNAME: us.cdn.test.}, eu-west: {CNAME: eu.cdn.test.}}
                  steps: [{failover: [us-east, eu-west]}]
        """

    private static let zone = """
        $TTL 300
        @ IN SOA ns1 host 1 7200 900 1209600 60
        @ IN NS ns1
        @ IN MX 10 mail
        ns1 IN A 192.0.2.53
        mail IN A 192.0.2.25
        alias IN CNAME www
        chain IN CNAME alias
        *.wild IN TXT "any" "thing"
        deep.er.empty IN A 192.0.2.1
        old IN DNAME new
        a.new IN A 192.0.2.2
        loop IN DNAME loop.loop
        far IN NS ns.far
        ns.far IN A 192.0.2.3
        _sip._tcp IN SRV 1 2 5060 mail
        @ IN CAA 0 issue "ca.test"
        big IN TXT "\(String(repeating: "x", count: 250))" "\(String(repeating: "y", count: 250))"
        big IN TXT "\(String(repeating: "z", count: 250))" "\(String(repeating: "w", count: 250))"
        big IN TXT "\(String(repeating: "v", count: 250))" "\(String(repeating: "u", count: 250))"
        """

    private static let places = "10.0.0.0/8,NA,US\n10.1.0.0/16,EU,IE\n2001:db8::/32,EU,DE\n"
    private static let latency = "10.0.0.0/8,us-east,10\n10.0.0.0/8,eu-west,80\n10.1.0.0/16,eu-west,15\n"
}

/// Master files: every record that is read can be written and read again.
package struct ZoneTarget: FuzzTarget {
    package static let name = "zone"
    package static let tokens = [
        "$ORIGIN ", "$TTL ", "$INCLUDE self", "$GENERATE 1-9 a$ A 10.0.0.$", "$GENERATE 0-4294967295/2 ${0,3,x} ",
        "${-1,4,n}", "${1,2,o}", "$$", "SVCB 1 . ", "HTTPS 0 a", "alpn=h2,h3 ",
        "mandatory=alpn ", "ipv4hint=192.0.2.1 ", "key123=\"x\" ", "CLASS1 ", "@",
        "IN ",
        "CH ", "LOC 52 22 23.000 N 4 53 32.000 E -2.00m", "CERT PKIX 1 8 AQID", "APL 1:192.0.2.0/24 !2:2001:db8::/32",
        "IPSECKEY 10 3 2 gw AQID", "CSYNC 1 3 A NS", "NSEC3PARAM 1 0 1 -", "EUI48 00-00-5e-00-53-2a",
        "NID 10 14:4fff:ff20:ee64",
        "SOA ", "NS ", "A ", "AAAA ", "CNAME ", "DNAME ", "TXT ", "MX ", "SRV ", "CAA ", "PTR ",
        "TYPE65535 \\# 2 abcd",
        "\\# 4 01020304", "\\000", "\\255", "\\.", "\\\"", "\"", "(", ")", ";", "1w2d3h4m5s", "4294967295",
        "2147483648", "*.",
        "..", "\\", " \n ",
    ].map(\.octets)

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        guard let origin = try? Name("shop.test.") else { return .broken("shop.test. is no name") }
        var includes = 0
        // A few generated records show as much as a million.
        let found = MasterFile.parse(.init(file: "fuzz.zone", text: input), origin: origin, generated: 100) { name, _ in
            includes += 1
            return name == "self" ? .init(file: "self", text: input) : nil
        }
        var trail = Trail()
        trail.step(min(found.records.count, 4))
        trail.step(min(includes, 3))
        for error in found.errors.prefix(2) { trail.step(message: error.message) }
        for record in found.records.prefix(8) {
            trail.step(Int(record.data.type.rawValue))
            let line = "\(record.owner) \(record.ttl) IN \(record.data.type) \(record.data.description)\n"
            let again = MasterFile.parse(.init(file: "again.zone", text: line.octets), origin: origin) { _, _ in nil }
            guard again.errors.isEmpty, again.records.count == 1, again.records[0].owner == record.owner,
                again.records[0].ttl == record.ttl, again.records[0].data == record.data
            else { return .broken("\(line)became \(again.records) \(again.errors)") }
        }
        return trail.outcome
    }
}

/// Whole messages, as tools read them.
package struct MessageTarget: FuzzTarget {
    package static let name = "dns-message"
    package static let tokens: [[UInt8]] =
        [
            [0xc0, 12], [0xc0, 0], [0xff, 0xff], [0, 1, 0, 1], [0, 5, 0, 1], [0, 6, 0, 1], [0, 41, 4, 208], [63], [64],
            [0],
        ]

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        do {
            let message = try unsafe Message(input.span.bytes)
            for section in [message.answer, message.authority, message.additional] {
                trail.step(min(section.count, 4))
                for record in section.prefix(4) {
                    trail.step(Int(record.type.rawValue))
                    guard record.owner.description.utf8.count <= 1024 else { return .broken("a name that is too long") }
                    _ = record.data.description
                }
            }
        } catch {
            trail.step(message: "\(error)")
        }
        return trail.outcome
    }
}
