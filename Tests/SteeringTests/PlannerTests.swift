import Geo
import Model
import Steering
import Testing

@Suite("Steering planner")
struct PlannerTests {
    @Test("Names that are steered alike share a plan; a million prefixes are compiled once")
    func sharing() throws {
        var planner = try World3.planner()
        let first = try planner.plan(for: World3.name([.healthy(), World3.geo, .take(1)]))
        let same = try planner.plan(for: World3.name([.healthy(), World3.geo, .take(1)]))
        let other = try planner.plan(for: World3.name([.healthy(), World3.geo, .take(2)]))
        #expect(first === same)
        #expect(first !== other)
        #expect(first.sharesPartition(with: other))
        let latency = try planner.plan(for: World3.name([.healthy(), World3.latency]))
        #expect(!first.sharesPartition(with: latency))
    }

    @Test("A step whose map is missing is refused by name")
    func missing() throws {
        var planner = SteeringPlanner(regions: World3.regions, locations: nil, latencies: [:])
        #expect(throws: SteeringProblem.noLocations(name: "www.shop.test.")) {
            try planner.plan(for: World3.name([World3.geo]))
        }
        #expect(throws: SteeringProblem.noLatencies(name: "www.shop.test.", file: "l.csv")) {
            try planner.plan(for: World3.name([World3.latency]))
        }
        let prefixesOnly = SteeringStep.geo(
            .init(prefixes: [try #require(IPPrefix("::/1")): [0]], countries: [:], continents: [:], otherwise: [1]))
        #expect(try planner.plan(for: World3.name([prefixesOnly])).classCount == 2)
    }

    @Test("More candidates than a set can hold are refused")
    func tooMany() throws {
        let regions = (0..<129).map {
            Region(name: "r\($0)", location: Location(), address: nil, capacity: nil)
        }
        var planner = SteeringPlanner(regions: regions, locations: nil, latencies: [:])
        #expect(throws: SteeringProblem.tooManyCandidates(name: "www.shop.test.", count: 129)) {
            try planner.plan(for: World3.name([.healthy()], candidates: 129))
        }
        let most = try planner.plan(for: World3.name([.healthy()], candidates: 128))
        var health = Array(repeating: CandidateHealth(healthy: false), count: 128)
        health[127].healthy = true
        #expect(most.evaluate(health)[0].variants.map(\.candidates) == [[127]])
    }

    @Test("An explanation names the steps, who survived and what decided")
    func explained() throws {
        let plan = try World3.plan([.healthy(), World3.geo, World3.latency, .weighted([1, 2, 3]), .take(1)])
        let client = try #require(IPAddress("10.2.0.1"))
        let health = [
            CandidateHealth(healthy: false, reason: "2 of 2 vantage points say so"), CandidateHealth(healthy: true),
            CandidateHealth(healthy: true, share: 0.5),
        ]
        let explanation = plan.explain(client, health)
        #expect(explanation.steps.map(\.step) == ["healthy", "geo", "latency", "weighted", "take", "ramp"])
        #expect(explanation.steps[0].before == [0, 1, 2])
        #expect(explanation.steps[0].after == [1, 2])
        #expect(explanation.steps[0].fact == "east is down (2 of 2 vantage points say so)")
        #expect(explanation.steps[1].after == [1])
        #expect(explanation.steps[1].fact == "continent EU; 10.2.0.0/16 is in DE in EU")
        #expect(explanation.steps[2].fact == "10.2.0.0/16: west 12.5 ms; tolerance 20 ms")
        #expect(explanation.steps[3].fact == "weights west 2")
        #expect(explanation.steps[5].fact == "south at 50% of its share")
        #expect(explanation.answer.variants.map(\.candidates) == [[1]])
        #expect(explanation.client == plan.classify(client))
        let down = World3.up(false, false, false)
        #expect(plan.explain(client, down).steps[0].fact.hasPrefix("nobody is healthy, everybody is kept (fail-open)"))
    }

    @Test(
        "Figures that are none, or beyond every bound, end nothing",
        arguments: [Double.nan, -.nan, .infinity, -.infinity, 1e300, -1e300, -1, 0])
    func impossible(figure: Double) throws {
        let client = try #require(IPAddress("10.2.0.1"))
        let shed = SteeringStep.shed(.init(low: 50, high: 80))
        for steps in [[.healthy(), shed, .take(1)], [.weighted([1, 2, 3]), .take(2)]] as [[SteeringStep]] {
            let plan = try World3.plan(steps)
            for place in 0..<5 {
                var odd = CandidateHealth(healthy: true, load: 10, capacity: 100)
                switch place {
                case 0: odd.share = figure
                case 1: odd.upShare = figure
                case 2: odd.load = figure
                case 3: odd.capacity = figure
                default: (odd.load, odd.capacity) = (figure, figure)
                }
                for health in [[odd, odd, odd], [odd, CandidateHealth(healthy: true), odd]] {
                    #expect(!plan.explain(client, health).steps.isEmpty)
                    #expect(plan.evaluate(health).allSatisfy { $0.total >= 0 })
                }
            }
        }
    }
}
