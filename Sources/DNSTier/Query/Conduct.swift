package import DNSWire
package import Model

/// How a server behaves towards its clients beyond answering: what it tells of itself, what it demands, where it stops.
package struct Conduct: Sendable {
    /// The largest UDP reply, 512 ... 4096, and what is said of it in EDNS.
    package var maximumUDPSize = 1232
    /// A UDP reply takes at most so many times the octets of its query on the network, unless that shows a good cookie; 0 is
    /// no limit.
    package var amplification = 20
    /// What NSID tells (RFC 5001), at most 128 octets; empty tells nothing.
    package var identifier: [UInt8] = []
    /// What `id.server` and `hostname.bind` in class CHAOS are answered with, 1 ... 128 octets; nil refuses.
    package var chaosIdentity: [UInt8]?
    /// What `version.server` and `version.bind` in class CHAOS are answered with, 1 ... 128 octets; nil refuses.
    package var chaosVersion: [UInt8]?
    /// The first makes cookies, all of them verify. Empty: the server knows no cookies.
    package var cookieKeys: [SipKey] = []
    /// UDP queries with a cookie option but without a good server's part get BADCOOKIE.
    package var requiresCookie = false
    /// What TCP clients are told of how long they may idle, in units of 100 ms (RFC 7828).
    package var keepalive: UInt16 = 100
    package var rateLimit: DNSConduct.RateLimit?
    package var streams = StreamLimits()
    /// Who may send PROXY headers.
    package var proxies: [IPPrefix] = []
    /// Seconds since 1970 modulo 2^32: the time that cookies tell.
    package var time: UInt32 = 0

    package init() {}

    /// Octets that any reply may have: an answer of so many is no larger than the shortest question allows.
    var unquestioned: Int {
        // A header and the question for the root.
        let shortest = messageHeaderSize + 5
        return amplification == 0 ? 512 : min(512, Self.allowance(shortest, times: amplification))
    }

    /// Octets of the headers of IPv4 and UDP, which every message has around it.
    private static let envelope = 28

    /// Octets that the reply to a query of `length` octets may have: what is multiplied is what travels, headers included, as
    /// whoever forges addresses pays for them. With a factor of 20 the shortest query with EDNS may have 1092 octets, and one
    /// for a name of eight octets the 1232 that resolvers take.
    @inline(__always)
    package static func allowance(_ length: Int, times factor: Int) -> Int {
        (length &+ envelope) &* factor &- envelope
    }

    private static let identityNames = [
        Array("\u{2}id\u{6}server\0".utf8), Array("\u{8}hostname\u{4}bind\0".utf8),
    ]
    private static let versionNames = [
        Array("\u{7}version\u{6}server\0".utf8), Array("\u{7}version\u{4}bind\0".utf8),
    ]

    /// The text that a name of class CHAOS has.
    ///
    /// `name`: in lower case.
    func chaosText(_ name: UnsafeRawBufferPointer) -> [UInt8]? {
        if let chaosIdentity, Self.identityNames.contains(where: { unsafe name.elementsEqual($0) }) {
            return chaosIdentity
        }
        if let chaosVersion, Self.versionNames.contains(where: { unsafe name.elementsEqual($0) }) {
            return chaosVersion
        }
        return nil
    }
}
