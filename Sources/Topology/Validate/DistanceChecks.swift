import Glibc
import Model

/// Checks of names give an answer from the other end of the world the time that it takes.
struct DistanceChecks {
    /// Kilometres that light makes in a millisecond of fibre, there and back.
    private static let kilometres = 100.0
    /// Cables go round about: measured round trips are about so many times what the distance would allow.
    private static let detour = 1.5
    /// Round trips that a check should have: one for the answer, and time for a packet that is lost or a server that is busy.
    private static let roundTrips = 2.5

    private struct Place {
        let name: String
        let latitude: Double
        let longitude: Double
    }

    private let places: [String: Place]
    /// Regions with DNS nodes, from where all names are checked.
    private let vantages: [Place]
    /// Regions with nodes of other tiers that take part in federation: from there names with a service are checked.
    private let lookouts: [Place]

    static func run(on root: Record) -> [Diagnostic] {
        let checks = DistanceChecks(root)
        return root.section("dns").records("zones").flatMap { zone in
            zone.record.records("names").compactMap { name in
                checks.look(at: name.record, "dns.zones.\(zone.name).names.\(name.name)")
            }
        }
    }

    private init(_ root: Record) {
        var places: [String: Place] = [:]
        for region in root.records("regions") {
            let location = region.record.section("location")
            guard let latitude = location.number("latitude"), let longitude = location.number("longitude") else {
                continue
            }
            places[region.name] = Place(name: region.name, latitude: latitude, longitude: longitude)
        }
        self.places = places
        func homes(_ isHome: (Record) -> Bool) -> [Place] {
            let regions = root.records("nodes").map(\.record).filter(isHome).map { $0.text("region") }
            return Set(regions).sorted().compactMap { places[$0] }
        }
        vantages = homes { $0.text("tier") == "dns" }
        lookouts = homes { $0.text("tier") == "dns" || $0.has("federation") }
    }

    private func look(at name: Record, _ path: String) -> Diagnostic? {
        guard let check = name.record("check"), let timeout = check.optionalDuration("timeout") else { return nil }
        let targets = name.records("answers").compactMap { answer -> Place? in
            guard !answer.record.has("group"), !answer.record.has("name") else { return nil }
            return places[answer.record.optionalText("region") ?? answer.name]
        }
        let homes = name.has("service") ? lookouts : vantages
        let pairs = homes.flatMap { home in targets.map { (home, $0, Self.roundTrip(home, $0)) } }
        guard let (home, target, roundTrip) = pairs.max(by: { $0.2 < $1.2 }),
            timeout < .milliseconds(Int64(roundTrip * Self.roundTrips))
        else { return nil }
        // Rounded up, to what one would write.
        let least = (Int64(roundTrip * Self.roundTrips) + 49) / 50 * 50
        return check.position(of: "timeout").warning(
            "\(path).check.timeout: \(timeout.text), but from \(home.name) to \(target.name) a round trip takes about "
                + "\(Int64(roundTrip)) ms",
            "at least \(least)ms")
    }

    /// Milliseconds that a round trip takes by the distance.
    private static func roundTrip(_ from: Place, _ to: Place) -> Double {
        let radians = Double.pi / 180
        let (first, second) = (from.latitude * radians, to.latitude * radians)
        let turn = (to.longitude - from.longitude) * radians
        let cosine = sin(first) * sin(second) + cos(first) * cos(second) * cos(turn)
        let distance = 6_371 * acos(min(1, max(-1, cosine)))
        return distance / kilometres * detour
    }
}
