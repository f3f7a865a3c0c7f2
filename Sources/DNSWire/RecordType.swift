/// A record or query type (RFC 1035 section 3.2.2 and the IANA registry).
package struct RecordType: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = Self(rawValue: 1)
    package static let ns = Self(rawValue: 2)
    package static let cname = Self(rawValue: 5)
    package static let soa = Self(rawValue: 6)
    package static let mb = Self(rawValue: 7)
    package static let mg = Self(rawValue: 8)
    package static let mr = Self(rawValue: 9)
    package static let ptr = Self(rawValue: 12)
    package static let hinfo = Self(rawValue: 13)
    package static let minfo = Self(rawValue: 14)
    package static let mx = Self(rawValue: 15)
    package static let txt = Self(rawValue: 16)
    package static let rp = Self(rawValue: 17)
    package static let afsdb = Self(rawValue: 18)
    package static let x25 = Self(rawValue: 19)
    package static let isdn = Self(rawValue: 20)
    package static let rt = Self(rawValue: 21)
    package static let nsap = Self(rawValue: 22)
    package static let nsapPointer = Self(rawValue: 23)
    package static let key = Self(rawValue: 25)
    package static let px = Self(rawValue: 26)
    package static let gpos = Self(rawValue: 27)
    package static let aaaa = Self(rawValue: 28)
    package static let loc = Self(rawValue: 29)
    package static let srv = Self(rawValue: 33)
    package static let naptr = Self(rawValue: 35)
    package static let kx = Self(rawValue: 36)
    package static let cert = Self(rawValue: 37)
    package static let dname = Self(rawValue: 39)
    package static let opt = Self(rawValue: 41)
    package static let apl = Self(rawValue: 42)
    package static let ds = Self(rawValue: 43)
    package static let sshfp = Self(rawValue: 44)
    package static let ipsecKey = Self(rawValue: 45)
    package static let rrsig = Self(rawValue: 46)
    package static let nsec = Self(rawValue: 47)
    package static let dnskey = Self(rawValue: 48)
    package static let dhcid = Self(rawValue: 49)
    package static let nsec3 = Self(rawValue: 50)
    package static let nsec3param = Self(rawValue: 51)
    package static let tlsa = Self(rawValue: 52)
    package static let smimea = Self(rawValue: 53)
    package static let ninfo = Self(rawValue: 56)
    package static let talink = Self(rawValue: 58)
    package static let cds = Self(rawValue: 59)
    package static let cdnskey = Self(rawValue: 60)
    package static let openPGPKey = Self(rawValue: 61)
    package static let csync = Self(rawValue: 62)
    package static let zonemd = Self(rawValue: 63)
    package static let svcb = Self(rawValue: 64)
    package static let https = Self(rawValue: 65)
    package static let spf = Self(rawValue: 99)
    package static let nid = Self(rawValue: 104)
    package static let l32 = Self(rawValue: 105)
    package static let l64 = Self(rawValue: 106)
    package static let lp = Self(rawValue: 107)
    package static let eui48 = Self(rawValue: 108)
    package static let eui64 = Self(rawValue: 109)
    package static let tsig = Self(rawValue: 250)
    package static let ixfr = Self(rawValue: 251)
    package static let axfr = Self(rawValue: 252)
    package static let any = Self(rawValue: 255)
    package static let uri = Self(rawValue: 256)
    package static let caa = Self(rawValue: 257)
    package static let avc = Self(rawValue: 258)
    package static let amtRelay = Self(rawValue: 260)
    package static let resinfo = Self(rawValue: 261)
    package static let dlv = Self(rawValue: 32769)

    /// Every type that has a name in the registry and is met in zone files, whether its data is read or not.
    private static let mnemonics: [(type: RecordType, text: String)] = [
        (.a, "A"), (.ns, "NS"), (.cname, "CNAME"), (.soa, "SOA"), (.mb, "MB"), (.mg, "MG"), (.mr, "MR"),
        (.ptr, "PTR"), (.hinfo, "HINFO"), (.minfo, "MINFO"), (.mx, "MX"), (.txt, "TXT"), (.rp, "RP"),
        (.afsdb, "AFSDB"), (.x25, "X25"), (.isdn, "ISDN"), (.rt, "RT"), (.nsap, "NSAP"), (.nsapPointer, "NSAP-PTR"),
        (.key, "KEY"), (.px, "PX"), (.gpos, "GPOS"), (.aaaa, "AAAA"), (.loc, "LOC"), (.srv, "SRV"), (.naptr, "NAPTR"),
        (.kx, "KX"), (.cert, "CERT"), (.dname, "DNAME"), (.opt, "OPT"), (.apl, "APL"), (.ds, "DS"), (.sshfp, "SSHFP"),
        (.ipsecKey, "IPSECKEY"), (.rrsig, "RRSIG"), (.nsec, "NSEC"), (.dnskey, "DNSKEY"), (.dhcid, "DHCID"),
        (.nsec3, "NSEC3"), (.nsec3param, "NSEC3PARAM"), (.tlsa, "TLSA"), (.smimea, "SMIMEA"), (.ninfo, "NINFO"),
        (.talink, "TALINK"), (.cds, "CDS"), (.cdnskey, "CDNSKEY"), (.openPGPKey, "OPENPGPKEY"), (.csync, "CSYNC"),
        (.zonemd, "ZONEMD"), (.svcb, "SVCB"), (.https, "HTTPS"), (.spf, "SPF"), (.nid, "NID"), (.l32, "L32"),
        (.l64, "L64"), (.lp, "LP"), (.eui48, "EUI48"), (.eui64, "EUI64"), (.tsig, "TSIG"), (.ixfr, "IXFR"),
        (.axfr, "AXFR"), (.any, "ANY"), (.uri, "URI"), (.caa, "CAA"), (.avc, "AVC"), (.amtRelay, "AMTRELAY"),
        (.resinfo, "RESINFO"), (.dlv, "DLV"), (Self(rawValue: 3), "MD"), (Self(rawValue: 4), "MF"),
        (Self(rawValue: 10), "NULL"), (Self(rawValue: 11), "WKS"), (Self(rawValue: 24), "SIG"),
        (Self(rawValue: 30), "NXT"), (Self(rawValue: 31), "EID"), (Self(rawValue: 32), "NIMLOC"),
        (Self(rawValue: 34), "ATMA"), (Self(rawValue: 38), "A6"), (Self(rawValue: 40), "SINK"),
        (Self(rawValue: 55), "HIP"), (Self(rawValue: 57), "RKEY"), (Self(rawValue: 66), "DSYNC"),
        (Self(rawValue: 249), "TKEY"), (Self(rawValue: 253), "MAILB"), (Self(rawValue: 254), "MAILA"),
        (Self(rawValue: 259), "DOA"), (Self(rawValue: 262), "WALLET"), (Self(rawValue: 32768), "TA"),
    ]

    private static let byMnemonic = Dictionary(
        uniqueKeysWithValues: mnemonics.filter { $0.text.utf8.count <= 8 }.map {
            (ASCII.word(Array($0.text.utf8)[...]), $0.type)
        })
    private static let names = Dictionary(uniqueKeysWithValues: mnemonics.map { ($0.type, $0.text) })

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

    /// Records that say what a zone signer made of the zone: they are nothing without each other, and answers that need them
    /// are not given yet.
    var isSignersWork: Bool { self == .rrsig || self == .nsec || self == .nsec3 }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The mnemonic, or `TYPE123`.
    package var description: String {
        Self.names[self] ?? "TYPE\(rawValue)"
    }
}
