import Balancing
import TestKit
import Testing

@Suite struct RandomChoiceTests {
    /// Six standard deviations of a binomial share: one run in 500 million fails by chance, and the seed is fixed anyway.
    private func expect(_ tally: [Int], follows weights: [Int], of picks: Int) {
        let total = Double(weights.reduce(0, +))
        for (position, weight) in weights.enumerated() {
            let share = Double(weight) / total
            let deviation = (Double(picks) * share * (1 - share)).squareRoot()
            #expect(abs(Double(tally[position]) - Double(picks) * share) <= 6 * deviation + 0.5)
        }
    }

    @Test(arguments: [[1, 1, 1, 1], [1, 2, 3, 4], [100, 1, 0, 50]])
    func followsTheWeights(weights: [Int]) {
        var generator = SeededGenerator(seed: 7)
        let policy = RandomChoice(weights: weights)
        let fleet = Fleet(weights: weights)
        let result = tally(40_000, of: 4) { _ in policy.pick(among: fleet, using: &generator) }
        expect(result, follows: weights, of: 40_000)
    }

    @Test func followsTheWeightsOfWhatIsLeft() {
        let weights = Array(repeating: 1, count: 100) + [2, 3]
        let policy = RandomChoice(weights: weights)
        let fleet = Fleet(weights: weights, down: Set(0..<100))
        var generator = SeededGenerator(seed: 11)
        let result = tally(20_000, of: 102) { _ in policy.pick(among: fleet, using: &generator) }
        #expect(result[..<100].allSatisfy { $0 == 0 })
        expect(Array(result[100...]), follows: [2, 3], of: 20_000)
    }

    @Test func nobodyUsableIsNil() {
        var generator = SeededGenerator(seed: 1)
        let policy = RandomChoice(weights: [1, 0, 3])
        #expect(policy.pick(among: Fleet(weights: [1, 0, 3], down: [0, 2]), using: &generator) == nil)
        #expect(RandomChoice(weights: []).pick(among: Fleet(weights: []), using: &generator) == nil)
    }
}
