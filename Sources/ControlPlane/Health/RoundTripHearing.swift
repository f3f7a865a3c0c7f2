import Health
import Model

/// Which windows of round trips the tier has been given. Confined to the health loop.
struct RoundTripHearing {
    /// Each node's latest, by incarnation and number.
    private var given: [String: (incarnation: UInt64, number: UInt64)] = [:]

    /// The windows that were not there before, by node.
    mutating func news(in reports: [String: HeardReport], except own: String) -> [HeardRoundTrips] {
        var news: [HeardRoundTrips] = []
        for (name, heard) in reports where name != own && !heard.isRestored {
            guard let window = heard.report.roundTrips else { continue }
            let mark = (incarnation: heard.report.incarnation, number: window.number)
            if let last = given[name], last == mark { continue }
            given[name] = mark
            news.append(
                HeardRoundTrips(
                    node: name, region: heard.report.region, incarnation: heard.report.incarnation, window: window))
        }
        given = given.filter { reports[$0.key] != nil }
        return news.sorted { $0.node < $1.node }
    }
}
