import Model

/// An override as reports and the state file hold it.
struct WireOverride: Codable {
    let id: String
    let kind: String
    let pattern: String
    let region: String
    let action: String
    /// Milliseconds since the Unix epoch.
    let stamp: Int64
    let expires: Int64
    let author: String
    let reason: String
    let released: Bool
    let against: [String]

    init(_ override: Override) {
        id = override.id
        kind = override.target.kind.rawValue
        pattern = override.target.pattern
        region = override.target.region
        action = override.action.rawValue
        stamp = override.stamp.milliseconds
        expires = override.expires.milliseconds
        author = override.author
        reason = override.reason
        released = override.isReleased
        against = override.against
    }

    /// Nil when it says something impossible.
    var override: Override? {
        guard let kind = Override.Target.Kind(rawValue: kind), let action = Override.Action(rawValue: action),
            Self.times.contains(stamp), Self.times.contains(expires)
        else { return nil }
        let target = Override.Target(kind, pattern, region: region)
        // Two spellings of one target would be two entries of one.
        guard target.pattern == pattern, id == id.printable, pattern == pattern.printable else { return nil }
        return Override(
            id: id, target: target, action: action, stamp: Timestamp(milliseconds: stamp),
            expires: Timestamp(milliseconds: expires), author: author.printable, reason: reason.printable,
            isReleased: released, against: against.map(\.printable))
    }

    /// Nanoseconds must not overflow: the year 2262 is as far as they reach.
    static let times: ClosedRange<Int64> = 0...9_223_372_036_854
}
