import Balancing
import Model
import TestKit
import Testing

@Suite struct PolicyTests {
    /// Whatever the weights and whoever is down: an unusable or weightless endpoint is never picked, and there is a pick
    /// exactly when one is left.
    @Test(arguments: BalanceAlgorithm.allCases)
    func picksOnlyWhatIsUsable(algorithm: BalanceAlgorithm) {
        var generator = SeededGenerator(seed: 42)
        for _ in 0..<40 {
            let count = Int.random(in: 0...6, using: &generator)
            let weights = (0..<count).map { _ in Int.random(in: 0...4, using: &generator) }
            let policy = Policy(algorithm, endpoints: endpoints(weights: weights))
            var cursor = PickCursor(startingAt: generator.next())
            for _ in 0..<20 {
                var fleet = Fleet(weights: weights)
                for position in 0..<count {
                    if Bool.random(using: &generator) { fleet.down.insert(position) }
                    fleet.load[position] = Int.random(in: 0...9, using: &generator)
                }
                let left = (0..<count).filter { weights[$0] > 0 && !fleet.down.contains($0) }
                let pick = policy.pick(
                    among: fleet, source: generator.next(), cursor: &cursor, using: &generator)
                if let pick { #expect(left.contains(pick)) } else { #expect(left.isEmpty) }
            }
        }
    }

    private func endpoints(weights: [Int]) -> [Endpoint] {
        weights.enumerated().map { position, weight in
            Endpoint(
                pool: PoolID(0), region: RegionID(0),
                address: SocketAddress(IPAddress(v4: 0x7f00_0001), port: UInt16(9000 + position)), weight: weight)
        }
    }
}
