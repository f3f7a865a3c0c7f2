import Balancing

/// Endpoints whose state the test sets.
struct Fleet: EndpointView {
    var weights: [Int]
    var down: Set<Int> = []
    var load: [Int]

    init(weights: [Int], down: Set<Int> = []) {
        self.weights = weights
        self.down = down
        load = Array(repeating: 0, count: weights.count)
    }

    var count: Int { weights.count }
    func weight(_ position: Int) -> Int { weights[position] }
    func usable(_ position: Int) -> Bool { !down.contains(position) }
    func inFlight(_ position: Int) -> Int { load[position] }
}

/// How often each position came up.
func tally(_ picks: Int, of count: Int, _ pick: (Int) -> Int?) -> [Int] {
    var tally = Array(repeating: 0, count: count)
    for round in 0..<picks {
        if let position = pick(round) { tally[position] += 1 }
    }
    return tally
}
