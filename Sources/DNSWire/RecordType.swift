/// A record or query type (RFC 1035 section 3.2.2 and the IANA registry).
package struct RecordType: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = Self(rawValue: 1)
    package static let ns = Self(rawValue: 2)
    package static let cname = Self(rawValue: 5)
    package static let soa = Self(rawValue: 6)
    package static let ptr = Self(rawValue: 12)
    package static let hinfo = Self(rawValue: 13)
    package static let mx = Self(rawValue: 15)
    package static let txt = Self(rawValue: 16)
    package static let rp = Self(rawValue: 17)
    package static let afsdb = Self(rawValue: 18)
    package static let aaaa = Self(rawValue: 28)
    package static let srv = Self(rawValue: 33)
    package static let naptr = Self(rawValue: 35)
    package static let dname = Self(rawValue: 39)
    package static let opt = Self(rawValue: 41)
    package static let ds = Self(rawValue: 43)
    package static let sshfp = Self(rawValue: 44)
    package static let dnskey = Self(rawValue: 48)
    package static let tlsa = Self(rawValue: 52)
    package static let smimea = Self(rawValue: 53)
    package static let cds = Self(rawValue: 59)
    package static let cdnskey = Self(rawValue: 60)
    package static let openPGPKey = Self(rawValue: 61)
    package static let svcb = Self(rawValue: 64)
    package static let https = Self(rawValue: 65)
    package static let spf = Self(rawValue: 99)
    package static let ixfr = Self(rawValue: 251)
    package static let axfr = Self(rawValue: 252)
    package static let any = Self(rawValue: 255)
    package static let uri = Self(rawValue: 256)
    package static let caa = Self(rawValue: 257)

    private static let mnemonics: [(type: RecordType, text: String)] = [
        (.a, "A"), (.ns, "NS"), (.cname, "CNAME"), (.soa, "SOA"), (.ptr, "PTR"), (.hinfo, "HINFO"), (.mx, "MX"),
        (.txt, "TXT"), (.rp, "RP"), (.aaaa, "AAAA"), (.srv, "SRV"), (.naptr, "NAPTR"), (.dname, "DNAME"),
        (.opt, "OPT"), (.ds, "DS"), (.sshfp, "SSHFP"), (.tlsa, "TLSA"), (.ixfr, "IXFR"), (.axfr, "AXFR"),
        (.any, "ANY"), (.caa, "CAA"), (.svcb, "SVCB"), (.https, "HTTPS"), (.afsdb, "AFSDB"), (.dnskey, "DNSKEY"),
        (.smimea, "SMIMEA"), (.cds, "CDS"), (.cdnskey, "CDNSKEY"), (.openPGPKey, "OPENPGPKEY"), (.spf, "SPF"),
        (.uri, "URI"),
    ]

    private static let byMnemonic = Dictionary(
        uniqueKeysWithValues: mnemonics.map { (ASCII.word(Array($0.text.utf8)[...]), $0.type) })

    /// The same of octets; quick, because each line of a zone has one.
    init?(octets: ArraySlice<UInt8>) {
        if octets.count <= 8, let known = Self.byMnemonic[ASCII.word(octets)] {
            self = known
        } else {
            self.init(String(decoding: octets, as: UTF8.self))
        }
    }

    /// Reads a mnemonic in any case, or `TYPE123` (RFC 3597 section 5). Nil for anything else.
    package init?(_ text: some StringProtocol) {
        let upper = text.uppercased()
        if let known = Self.mnemonics.first(where: { $0.text == upper }) {
            self = known.type
        } else if upper.hasPrefix("TYPE"), upper.utf8.count > 4, upper.utf8.dropFirst(4).allSatisfy(ASCII.isDigit),
            let value = UInt16(upper.dropFirst(4))
        {
            self.init(rawValue: value)
        } else {
            return nil
        }
    }

    /// Types that ask for something other than a record: they cannot stand in a zone (RFC 6895 section 3.1).
    package var isQueryOnly: Bool { self == .opt || (128...255).contains(rawValue) || rawValue == 0 }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The mnemonic, or `TYPE123`.
    package var description: String {
        Self.mnemonics.first { $0.type == self }?.text ?? "TYPE\(rawValue)"
    }
}
