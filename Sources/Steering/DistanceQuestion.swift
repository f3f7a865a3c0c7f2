import Geo
import Model

/// A `proximity` or `nearest` step with the places that it measures between.
struct DistanceQuestion: Sendable {
    /// Client → position in `preferences`.
    let table: PrefixTable
    let preferences: [RankPreference]
    private let locations: LocationTable
    private let sites: [Coordinates?]
    private let bias: [Int]

    /// `sites`: where the candidates are; nil for one in no known place.
    init(sites: [Coordinates?], bias: [Int], locations: LocationTable) {
        (table, preferences) = locations.classes { place in
            RankPreference(Self.figures(sites, bias, from: place.coordinates), tolerance: 0)
        }
        self.locations = locations
        self.sites = sites
        self.bias = bias
    }

    /// Metres, biased, so that what differs by less counts as equal.
    private static func figures(_ sites: [Coordinates?], _ bias: [Int], from client: Coordinates?) -> [UInt32] {
        sites.indices.map { candidate in
            guard let client, let site = sites[candidate] else { return RankPreference.noFigure }
            let biased = GreatCircle.biased(
                GreatCircle.distance(client, site), by: bias.indices.contains(candidate) ? bias[candidate] : 0)
            return UInt32(min(biased, Double(RankPreference.noFigure - 1)))
        }
    }

    /// The distances of `remaining` from `client`, in words.
    func fact(for client: IPAddress, remaining: [Int], names: [String]) -> String {
        let (place, width) = locations.place(of: client)
        guard place.coordinates != nil else { return "no coordinates for \(client)" }
        let figures = Self.figures(sites, bias, from: place.coordinates)
        let known = remaining.filter { figures[$0] != RankPreference.noFigure }
        guard !known.isEmpty else { return "no candidate that is left has coordinates" }
        let list = known.sorted { figures[$0] < figures[$1] }.map { candidate in
            let percent = bias.indices.contains(candidate) ? bias[candidate] : 0
            let note = percent == 0 ? "" : " with bias \(percent)"
            return "\(names[candidate]) \(figures[candidate] / 1000) km\(note)"
        }
        return "\(IPPrefix(client, length: width)): \(list.joined(separator: ", "))"
    }
}
