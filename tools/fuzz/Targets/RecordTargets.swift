import DNSWire

/// The data of one record as text, a type in front: what is read can be written and read again, in wire form too.
package struct RecordTextTarget: FuzzTarget {
    package static let name = "record-text"
    package static let tokens =
        RecordWireTarget.types.map { ("\($0) ").octets }
        + [
            "52 22 23.000 N ", "4 53 32.999 E ", "-2.00m ", "42849672.95m", "0m ", "90000000m", "S ", "W ", "180 ",
            "60 ",
            "PKIX ", "URI ", "OID ", "ECDSAP256SHA256 ", "PRIVATEOID ", "AQID ", "AQ== ", "=", "1:192.0.2.0/24 ",
            "!2:2001:db8::/32 ", "2:::/0 ", "1:0.0.0.0/0 ", "3:", "::ffff:192.0.2.1 ", "A NS TYPE0 TYPE65535 ",
            "RRSIG ",
            "00-00-5e-00-53-2a", "-", "0014:4fff:ff20:ee64", ":", "0x47.0005", "aabb ", ". ", "10 3 2 gw ",
            "128 1 3 @ ",
            "192.0.2.1 ", "2001:db8::1 ", "4294967295 ", "65536 ", "256 ", "\\# 2 abcd", "\\000", "\\255", "\"", " ",
        ].map(\.octets)
    package static let limit = 800

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        guard let words = MasterFile.words(String(decoding: input, as: UTF8.self)), let first = words.first,
            let type = RecordType(first.string), let origin = try? Name("shop.test.")
        else { return trail.outcome }
        trail.step(Int(type.rawValue))
        do throws(RecordTextError) {
            let data = try RecordData(type: type, tokens: Array(words.dropFirst()), origin: origin)
            trail.step(min(data.wire.count, 40))
            return RecordWireTarget.judge(data).map { .broken($0) } ?? trail.outcome
        } catch {
            trail.step(message: error.message)
            return trail.outcome
        }
    }
}

/// The data of one record in wire form, its type in front: what is taken can be written and read again.
package struct RecordWireTarget: FuzzTarget {
    package static let name = "record-wire"
    package static let tokens: [[UInt8]] =
        types.compactMap { RecordType($0).map { [UInt8($0.rawValue >> 8), UInt8($0.rawValue & 0xff)] } }
        + [
            [0, 0x12, 0x16, 0x13], [0x8b, 0x3c, 0xf0, 0x18], [0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [0x90], [0x0a],
            [0, 1, 24, 3, 192, 0, 2], [0, 2, 32, 0x84, 0x20, 1, 0x0d, 0xb8], [0, 1, 0, 0], [0, 1, 0x40],
            [1, 1, 0x40], [255, 32], [0, 3, 0x60, 0, 8], [10, 3, 2], [10, 0x83], [3], [0x83], [2], [0], [63], [64],
            [0xc0, 0],
            [1, 97, 0], [4] + "shop".octets + [4] + "test".octets + [0],
        ]
    package static let limit = 800

    /// Every type whose data has a form of its own.
    static let types = [
        "A", "NS", "CNAME", "SOA", "MB", "MG", "MR", "PTR", "HINFO", "MINFO", "MX", "TXT", "RP", "AFSDB", "X25", "ISDN",
        "RT",
        "NSAP", "NSAP-PTR", "KEY", "PX", "GPOS", "AAAA", "LOC", "SRV", "NAPTR", "KX", "CERT", "DNAME", "APL", "DS",
        "SSHFP",
        "IPSECKEY", "DNSKEY", "DHCID", "NSEC3PARAM", "TLSA", "SMIMEA", "NINFO", "TALINK", "CDS", "CDNSKEY",
        "OPENPGPKEY",
        "CSYNC", "ZONEMD", "SVCB", "HTTPS", "SPF", "NID", "L32", "L64", "LP", "EUI48", "EUI64", "URI", "CAA", "AVC",
        "RESINFO",
        "AMTRELAY", "DLV", "RRSIG", "NSEC", "NSEC3", "WKS", "TYPE65280",
    ]

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        guard input.count >= 2 else { return trail.outcome }
        let type = RecordType(rawValue: UInt16(input[0]) << 8 | UInt16(input[1]))
        trail.step(Int(type.rawValue))
        do throws(WireError) {
            let data = try RecordData(type: type, wire: Array(input.dropFirst(2)))
            trail.step(min(data.wire.count, 40))
            return Self.judge(data).map { .broken($0) } ?? trail.outcome
        } catch {
            trail.step(-1)
            return trail.outcome
        }
    }

    /// What is not as it should be: the text says all, and nothing else than the data.
    static func judge(_ data: RecordData) -> String? {
        let text = data.description
        guard let words = text.isEmpty ? [] : MasterFile.words(text) else { return "\(data.type) \(text) is no line" }
        do {
            guard try RecordData(type: data.type, tokens: words, origin: nil) == data else {
                return "\(data.type) \(text) is not \(data.wire)"
            }
            guard try RecordData(type: data.type, wire: data.wire) == data else {
                return "\(data.type) \(data.wire) is not itself"
            }
        } catch {
            return "\(data.type) \(text) of \(data.wire): \(error)"
        }
        return nil
    }
}
