/// The three executables.
package enum Tier: String, Sendable, Hashable, CaseIterable {
    case dns
    case l7
    case l4
}

/// One process of one tier.
package struct Node: Sendable, Hashable {
    package let name: String
    package let tier: Tier
    package let region: RegionID
    /// Where its listeners bind: the node's own address or its region's.
    package let address: IPAddress
    /// Data-plane threads; nil is one per processor (`workers: auto`).
    package let workers: Int?
    /// Where the admin API listens; nil turns it off.
    package let admin: SocketAddress?
    /// The bearer token of the admin API; required when `admin` is not a loopback address.
    package let adminToken: Secret?
    /// Where peers fetch this node's reports; nil when it takes no part in federation.
    package let federation: SocketAddress?
    /// How long a graceful stop waits for connections to finish.
    package let drainTimeout: Duration
    /// How long a node that was told to stop still takes new users, so that peers, resolvers and a successor on the same
    /// address have time.
    package let leaveDelay: Duration
    package let log: LogSettings
    /// The file that keeps what the node knows over a restart; nil keeps nothing.
    package let state: String?

    package init(
        name: String, tier: Tier, region: RegionID, address: IPAddress, workers: Int?, admin: SocketAddress?,
        adminToken: Secret?, federation: SocketAddress?, drainTimeout: Duration, log: LogSettings, state: String? = nil,
        leaveDelay: Duration = .seconds(1)
    ) {
        self.name = name
        self.tier = tier
        self.region = region
        self.address = address
        self.workers = workers
        self.admin = admin
        self.adminToken = adminToken
        self.federation = federation
        self.drainTimeout = drainTimeout
        self.leaveDelay = leaveDelay
        self.log = log
        self.state = state
    }
}

/// What a node writes to its standard error (log) and access log.
package struct LogSettings: Sendable, Hashable {
    package enum Format: String, Sendable, Hashable, CaseIterable {
        case text
        case json
    }

    package let format: Format
    /// trace, debug, info, notice, warning, error or critical (swift-log's levels).
    package let level: String
    /// Path of the access log, `-` for standard output; nil when there is none.
    package let access: String?
    /// One access line for every `accessSample` operations; at least 1.
    package let accessSample: Int
    /// Path of the file of explained answers, `-` for standard output; nil when there is none. DNS nodes only.
    package let explain: String?
    /// One explanation for every `explainSample` answers of dynamic names; at least 1.
    package let explainSample: Int

    package init(
        format: Format = .text, level: String = "info", access: String? = nil, accessSample: Int = 1,
        explain: String? = nil, explainSample: Int = 1000
    ) {
        self.format = format
        self.level = level
        self.access = access
        self.accessSample = accessSample
        self.explain = explain
        self.explainSample = explainSample
    }
}

/// Where a secret is kept. Its value is read at boot and on reload, and never stands in a topology file.
package enum Secret: Sendable, Hashable {
    case file(String)
    case environment(String)
}
