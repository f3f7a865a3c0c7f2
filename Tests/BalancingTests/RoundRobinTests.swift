import Balancing
import TestKit
import Testing

@Suite struct RoundRobinTests {
    @Test func followsTheSmoothOrder() {
        let policy = RoundRobin(weights: [5, 1, 1])
        var cursor = PickCursor()
        let fleet = Fleet(weights: [5, 1, 1])
        let order = (0..<7).compactMap { _ in policy.pick(among: fleet, cursor: &cursor) }
        #expect(order == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test func equalWeightsNeedOneSlotEach() {
        #expect(Schedule(weights: [7, 7, 7]).slots == [0, 1, 2])
        #expect(Schedule(weights: [0, 3, 0]).slots == [1])
        #expect(Schedule(weights: [200, 100]).slots.count == 3)
    }

    @Test func sharesAreExactOverARound() {
        let weights = [3, 0, 11, 1, 9]
        let policy = RoundRobin(weights: weights)
        var cursor = PickCursor(startingAt: 123_456_789)
        let fleet = Fleet(weights: weights)
        #expect(tally(24 * 10, of: 5) { _ in policy.pick(among: fleet, cursor: &cursor) } == [30, 0, 110, 10, 90])
    }

    @Test func leavingOneOutKeepsTheProportionsOfTheOthers() {
        let weights = [4, 2, 6, 3]
        let policy = RoundRobin(weights: weights)
        var cursor = PickCursor()
        let fleet = Fleet(weights: weights, down: [2])
        #expect(tally(9 * 20, of: 4) { _ in policy.pick(among: fleet, cursor: &cursor) } == [80, 40, 0, 60])
    }

    @Test func hugeWeightsAreScaledIntoTheLongestRotation() {
        let schedule = Schedule(weights: [65535, 65534, 1])
        #expect(schedule.slots.count <= Schedule.maximumLength)
        #expect(schedule.slots.contains(2))
        let first = schedule.slots.count { $0 == 0 }
        let second = schedule.slots.count { $0 == 1 }
        #expect(abs(first - second) <= 1)
    }

    @Test func nobodyUsableIsNil() {
        var cursor = PickCursor(startingAt: .max)
        #expect(RoundRobin(weights: []).pick(among: Fleet(weights: []), cursor: &cursor) == nil)
        #expect(RoundRobin(weights: [0, 0]).pick(among: Fleet(weights: [0, 0]), cursor: &cursor) == nil)
        let fleet = Fleet(weights: [1, 2], down: [0, 1])
        #expect(RoundRobin(weights: [1, 2]).pick(among: fleet, cursor: &cursor) == nil)
    }
}
