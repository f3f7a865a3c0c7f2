/// How DNS nodes behave towards their clients beyond answering.
package struct DNSConduct: Sendable, Hashable {
    /// A UDP answer takes at most so many times the octets of its query on the network, headers included, unless that shows a
    /// good cookie; 0 is no limit.
    package var amplification = 20
    package var identity = Identity()
    package var cookies = Cookies()
    /// Absent: replies are not limited.
    package var rateLimit: RateLimit?
    package var tcp = TCP()
    /// Absent: no listener for clients behind a proxy.
    package var proxy: Proxy?

    package init() {}

    /// What a node tells of itself.
    package struct Identity: Sendable, Hashable {
        /// Absent: the node's name.
        package var name: String?
        /// Whether NSID is answered (RFC 5001).
        package var nsid = true
        /// Whether `id.server`, `hostname.bind`, `version.server` and `version.bind` are answered.
        package var chaos = false
        package var version = "Meridian"

        package init() {}
    }

    /// DNS cookies (RFC 7873).
    package struct Cookies: Sendable, Hashable {
        /// The first makes cookies, all of them verify. Empty: each process draws one of its own.
        package var secrets: [Secret] = []
        /// Whether a cookie option without a good server's part is answered with BADCOOKIE over UDP.
        package var required = false

        package init() {}
    }

    /// Response-rate limiting.
    package struct RateLimit: Sendable, Hashable {
        /// Alike replies a second to one prefix, 1 ... 100,000: answers with data, referrals.
        package var responses = 200
        /// Replies a second of NXDOMAIN and of "no such type", 1 ... 100,000.
        package var negatives = 200
        /// Replies a second of REFUSED, FORMERR and the like, 1 ... 100,000.
        package var errors = 200
        /// Every so many replies over the limit one is sent truncated; 0 sends none, 1 sends all.
        package var slip = 2
        /// Seconds for which a client that goes on asking stays limited, 1 ... 15.
        package var window = 15
        package var v4Length = 24
        package var v6Length = 56
        /// Clients that are never limited.
        package var exempt: [IPPrefix] = []
        /// Entries of the table of each worker, rounded up to a power of two, at least 4.
        package var tableSize = 65_536

        package init() {}
    }

    package struct TCP: Sendable, Hashable {
        /// Connections of a node. 20,000 where nothing else is asked for.
        package var connections: Int { askedConnections ?? 20_000 }
        /// What the topology asks for; nil for as many as there are descriptors for.
        package var askedConnections: Int?
        /// Connections from one address (IPv6: from one /64).
        package var perSource = 200
        /// Without a query for so long, a connection is closed.
        package var idle = Duration.seconds(10)
        /// A message must be whole so long after its first octet.
        package var message = Duration.seconds(5)

        package init() {}
    }

    /// A listener of its own for clients behind a proxy that says who they are (PROXY protocol version 2).
    package struct Proxy: Sendable, Hashable {
        /// UDP and TCP.
        package var port: UInt16
        /// Who may send a header.
        package var from: [IPPrefix]

        package init(port: UInt16, from: [IPPrefix]) {
            self.port = port
            self.from = from
        }
    }
}
