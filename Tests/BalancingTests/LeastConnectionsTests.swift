import Balancing
import Testing

@Suite struct LeastConnectionsTests {
    @Test func takesTheOneWithTheFewest() {
        let policy = LeastConnections(weights: [1, 1, 1])
        var fleet = Fleet(weights: [1, 1, 1])
        fleet.load = [4, 2, 3]
        var cursor = PickCursor()
        #expect(policy.pick(among: fleet, cursor: &cursor) == 1)
        fleet.down = [1]
        #expect(policy.pick(among: fleet, cursor: &cursor) == 2)
    }

    @Test func comparesLoadPerWeight() {
        let policy = LeastConnections(weights: [10, 1])
        var fleet = Fleet(weights: [10, 1])
        fleet.load = [19, 2]
        var cursor = PickCursor()
        #expect(policy.pick(among: fleet, cursor: &cursor) == 0)
        fleet.load = [21, 2]
        #expect(policy.pick(among: fleet, cursor: &cursor) == 1)
    }

    @Test func anIdlePoolTakesTurnsByWeight() {
        let weights = [2, 1, 0, 1]
        let policy = LeastConnections(weights: weights)
        let fleet = Fleet(weights: weights)
        var cursor = PickCursor()
        #expect(tally(40, of: 4) { _ in policy.pick(among: fleet, cursor: &cursor) } == [20, 10, 0, 10])
    }

    @Test func connectionsThatStayFillUpByWeight() {
        let weights = [1, 2, 5]
        let policy = LeastConnections(weights: weights)
        var fleet = Fleet(weights: weights)
        var cursor = PickCursor()
        for _ in 0..<800 {
            guard let position = policy.pick(among: fleet, cursor: &cursor) else { continue }
            fleet.load[position] += 1
        }
        #expect(fleet.load == [100, 200, 500])
    }

    @Test func nobodyUsableIsNil() {
        var cursor = PickCursor()
        let policy = LeastConnections(weights: [1, 0])
        #expect(policy.pick(among: Fleet(weights: [1, 0], down: [0]), cursor: &cursor) == nil)
    }
}
