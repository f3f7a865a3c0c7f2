/// An operator's word on what may be used, against or with what the evidence says, for a limited time.
package struct Override: Sendable, Hashable {
    package enum Action: String, Sendable, Hashable, CaseIterable {
        /// Takes no new users; what is there finishes. Whoever can hear of it says goodbye by itself.
        case drain
        /// Counts as healthy whatever is known about it. A gate that is up is open.
        case up
        /// Counts as unhealthy whatever is known about it. A gate that is down is closed.
        case down
    }

    /// What it is about. Texts are patterns (`Glob`), lower case for names.
    package struct Target: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            case node
            /// Every service and every name in the region.
            case region
            /// A service, in the regions that `region` matches.
            case service
            /// A DNS name, absolute, in the regions that `region` matches.
            case name
            /// The switch of a safety rule.
            case gate
        }

        package var kind: Kind
        package var pattern: String
        /// `*` for everywhere; only services and names have it otherwise.
        package var region: String

        package init(_ kind: Kind, _ pattern: String, region: String = "*") {
            self.kind = kind
            self.pattern = kind == .name ? Self.absolute(pattern) : pattern
            self.region = region
        }

        /// Names are written without their last dot by people, and with it here. A pattern may end in the middle.
        private static func absolute(_ pattern: String) -> String {
            let lower = pattern.lowercased()
            return lower.hasSuffix(".") || lower.hasSuffix("*") || lower.isEmpty ? lower : lower + "."
        }
    }

    /// Unique among the overrides of a fleet.
    package var id: String
    package var target: Target
    package var action: Action
    /// When it was made, or released: of two words on one target the one with the newer stamp counts, of two equally
    /// new ones the one with the larger id. Wall clock of the node that took it, whole milliseconds.
    package var stamp: Timestamp
    /// From then on it no longer counts.
    package var expires: Timestamp
    package var author: String
    package var reason: String
    /// Taken back at `stamp`. It is remembered until it would have expired, so that nobody's older copy revives it.
    package var isReleased: Bool
    /// The safety rules that it was made against, by name.
    package var against: [String]

    package init(
        id: String, target: Target, action: Action, stamp: Timestamp, expires: Timestamp, author: String,
        reason: String, isReleased: Bool = false, against: [String] = []
    ) {
        self.id = id
        self.target = target
        self.action = action
        self.stamp = stamp
        self.expires = expires
        self.author = author
        self.reason = reason
        self.isReleased = isReleased
        self.against = against
    }

    /// The longest that one may last.
    package static let longest = Duration.seconds(31 * 86_400)
    /// Octets of the texts within: small enough for 128 of them in one report.
    package static let longestReason = 200
    package static let longestName = 64
    package static let longestPattern = 256

    package func isLive(at now: Timestamp) -> Bool { !isReleased && now < expires }

    /// Whether this one counts when both are about the same. A broken node may give one stamp and one id to two words: any
    /// fixed choice keeps all nodes alike.
    package func supersedes(_ other: Override) -> Bool {
        if stamp != other.stamp { return stamp > other.stamp }
        if id != other.id { return id > other.id }
        if isReleased != other.isReleased { return isReleased }
        if expires != other.expires { return expires > other.expires }
        return (action.rawValue, author, reason, against.joined(separator: " "))
            > (other.action.rawValue, other.author, other.reason, other.against.joined(separator: " "))
    }
}

extension Override.Target: CustomStringConvertible {
    /// `region eu-west`, `name www.shop.test. in eu-*`.
    package var description: String { "\(kind.rawValue) \(pattern)" + (region == "*" ? "" : " in \(region)") }
}

extension Override: CustomStringConvertible {
    /// `drained by ana until 2026-11-22 14:00:00Z: kernel update`.
    package var description: String {
        let what =
            switch (action, target.kind) {
            case (.drain, _): "drained"
            case (.up, .gate): "opened"
            case (.down, .gate): "closed"
            case (.up, _): "forced up"
            case (.down, _): "forced down"
            }
        return "\(what) by \(author) until \(expires.dateText)" + (reason.isEmpty ? "" : ": \(reason)")
    }
}
