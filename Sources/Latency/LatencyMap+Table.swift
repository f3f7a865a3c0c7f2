package import Geo
package import Model

/// All that a latency map knows at one moment, to make tables of.
package struct LatencyPicture: Sendable {
    package let regions: [String]
    /// In no particular order.
    package let estimates: [LatencyMap.Known]
    /// Two pictures with one digest make the same tables, but for how many samples there are and how old they are.
    package let digest: UInt64

    /// A picture of nothing.
    package init(regions: [String]) {
        self.init(regions: regions, estimates: [])
    }

    init(regions: [String], estimates: [LatencyMap.Known]) {
        self.regions = regions
        self.estimates = estimates
        digest = estimates.reduce(0) { $0 &+ $1.digest }
    }

    /// The table that steering follows: what a file says, and what was measured in its place where both speak of the same
    /// prefix and region.
    ///
    /// - Parameters:
    ///   - names: the regions of the table, in the order of their ids.
    ///   - file: the entries of a latency file, by the same regions.
    /// - Returns: a table of these regions.
    package func table(for names: [String], over file: [LatencyTable.Entry] = []) -> LatencyTable {
        let given = file.isEmpty ? nil : LatencyTable(file, regionCount: names.count)
        let ids = regions.map { name in names.firstIndex(of: name).map { RegionID($0) } }
        var entries = file
        for known in estimates {
            guard let region = ids[known.region] else { continue }
            guard let estimate = known.estimate else {
                // Instead of what a wider prefix measured: what the file says, or nothing.
                let row = given?.prefixes.lookup(known.prefix.address).value
                let figure = row.flatMap { given?.figure(row: $0, region: region) } ?? LatencyTable.unknown
                entries.append(LatencyTable.Entry(prefix: known.prefix, region: region, microseconds: figure))
                continue
            }
            let evidence = LatencyTable.Evidence(
                bound: estimate.bound, samples: UInt32(estimate.samples), updated: estimate.updated,
                length: UInt8(known.prefix.length))
            entries.append(
                LatencyTable.Entry(
                    prefix: known.prefix, region: region, microseconds: estimate.median, evidence: evidence))
        }
        return LatencyTable(entries, regionCount: names.count)
    }
}

extension LatencyMap {
    /// A prefix and what it says of a region: nil when what wider prefixes say must not stand in.
    package struct Known: Sendable, Hashable {
        package let prefix: IPPrefix
        /// Position in `LatencyMap.regions`.
        package let region: Int
        package let estimate: Estimate?

        fileprivate var digest: UInt64 {
            var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
            for word in [
                prefix.address.high, prefix.address.low, UInt64(prefix.length) << 32 | UInt64(region),
                UInt64(estimate?.median ?? .max) << 32 | UInt64(estimate?.bound ?? .max),
            ] {
                // The finaliser of MurmurHash3.
                hash ^= word
                hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
                hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
                hash ^= hash >> 33
            }
            return hash
        }
    }

    /// What is known now. `seconds` is our clock.
    package func picture(at seconds: UInt32) -> LatencyPicture {
        LatencyPicture(regions: regions, estimates: estimates(at: seconds))
    }
}
