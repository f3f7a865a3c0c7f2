import Geo
import Model

/// Location files.
package struct LocationTarget: FuzzTarget {
    package static let name = "location"
    package static let tokens = [
        "/8", "::", "::ffff:10.0.0.0/104", "0.0.0.0/0", "EU", "DE", "\r\n", "#", ",,", "BE,Berlin,52.5,13.4,3320",
        ",,-90,180,",
    ].map(
        \.octets)

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        do {
            let table = try LocationTable(csv: input)
            trail.step(min(table.prefixes.rangeCount, 8))
            for address in probes {
                let found = table.place(of: address)
                guard (0...address.family.bits).contains(found.width) else { return .broken("width \(found.width)") }
                trail.step(found.place == .unknown ? 0 : 1)
            }
        } catch {
            for problem in error.problems.prefix(2) { trail.step(message: problem.message) }
        }
        return trail.outcome
    }
}

/// `prefix,region,milliseconds` files.
package struct LatencyTarget: FuzzTarget {
    package static let name = "latency"
    package static let tokens = ["/8", "::/0", "0.0.0.0/0", "east", "west", "60000", "0.001", "99999999", "\n"].map(
        \.octets)

    package init() {}

    package mutating func run(_ input: [UInt8]) -> Outcome {
        var trail = Trail()
        do {
            let table = try LatencyTable(csv: input, regions: ["east", "west"])
            trail.step(min(table.rowCount, 8))
            for address in probes {
                let row = table.prefixes.lookup(address).value
                for region in 0..<2 {
                    let figure = table.figure(row: row, region: RegionID(region))
                    guard figure <= 60_000_000 || figure == LatencyTable.unknown else { return .broken("\(figure)") }
                    trail.step(figure == LatencyTable.unknown ? 0 : 1)
                }
            }
        } catch {
            for problem in error.problems.prefix(2) { trail.step(message: problem.message) }
        }
        return trail.outcome
    }
}

/// Addresses at the ends and in the middle of what corpora speak of.
private let probes = [
    IPAddress(v4: 0), IPAddress(v4: 0x0a00_0001), IPAddress(v4: .max), IPAddress(v6: 0, 0),
    IPAddress(v6: 0x2001_0db8_0000_0000, 1), IPAddress(v6: .max, .max),
]
