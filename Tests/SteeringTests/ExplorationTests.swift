import Geo
import Model
import Steering
import Testing

/// `latency` steps over measured figures: who is tried, how often, and why.
@Suite("Exploration")
struct ExplorationTests {
    /// 10.1.0.0/16 is known to two regions, 10.2.0.0/16 to none, 10.3.0.0/16 to all.
    private func table() throws -> LatencyTable {
        func entry(_ prefix: String, _ region: Int, _ milliseconds: UInt32, bound: UInt32) throws -> LatencyTable.Entry
        {
            LatencyTable.Entry(
                prefix: try #require(IPPrefix(prefix)), region: RegionID(region), microseconds: milliseconds * 1000,
                evidence: .init(bound: bound * 1000, samples: 12, updated: 1, length: 16))
        }
        return LatencyTable(
            [
                try entry("10.1.0.0/16", 0, 40, bound: 35), try entry("10.1.0.0/16", 1, 90, bound: 80),
                try entry("10.3.0.0/16", 0, 40, bound: 35), try entry("10.3.0.0/16", 1, 90, bound: 20),
                try entry("10.3.0.0/16", 2, 50, bound: 10),
            ], regionCount: 3)
    }

    private func plan(explore: Int, then rest: [SteeringStep] = [.take(1)]) throws -> SteeringPlan {
        let step = SteeringStep.LatencyStep(
            file: nil, tolerance: .milliseconds(20), isMeasured: true, explore: explore)
        var planner = SteeringPlanner(
            regions: (0..<3).map { Region(name: "r\($0)", location: Location(), address: nil, capacity: nil) },
            locations: nil, latencies: [step.table: try table()])
        return try planner.plan(
            for: DynamicName(
                name: "n.", ttl: 1, service: nil, check: nil, checkPort: 0,
                candidates: (0..<3).map { .init(region: RegionID($0), records: []) },
                steps: [.healthy(), .latency(step)] + rest, ramp: .zero))
    }

    /// Candidates with their part of the answers.
    private func shares(_ plan: SteeringPlan, _ client: String, down: Set<Int> = []) throws -> [[Int]: Double] {
        let health = (0..<3).map { CandidateHealth(healthy: !down.contains($0)) }
        let answer = plan.explain(try #require(IPAddress(client)), health).answer
        var shares: [[Int]: Double] = [:]
        var below: UInt32 = 0
        for variant in answer.variants {
            shares[variant.candidates, default: 0] += Double(variant.cumulative - below) / Double(answer.total)
            below = variant.cumulative
        }
        return shares
    }

    @Test("The region of which nothing is known gets the share, the best one the rest")
    func unknown() throws {
        let shares = try shares(plan(explore: 5), "10.1.2.3")
        #expect(shares.count == 2)
        #expect(abs((shares[[0]] ?? 0) - 0.95) < 0.001)
        #expect(abs((shares[[2]] ?? 0) - 0.05) < 0.001)
    }

    @Test("The share spent is known ahead, over what is known of clients, and stays within its bound")
    func spent() throws {
        let health = (0..<3).map { CandidateHealth(healthy: $0 != 1) }
        func spent(_ plan: SteeringPlan, _ health: [CandidateHealth]) -> Double {
            plan.exploredShare(plan.evaluate(health))
        }
        let all = Array(repeating: CandidateHealth(healthy: true), count: 3)
        // Two ranges are known; both try somebody while all are healthy, one while the one to try is down.
        #expect(try abs(spent(plan(explore: 4), all) - 0.04) < 1e-9)
        #expect(try abs(spent(plan(explore: 4), health) - 0.02) < 1e-9)
        #expect(try abs(spent(plan(explore: 10, then: [.weighted([3, 1, 1])]), all) - 0.1) < 1e-9)
        let off = try plan(explore: 0)
        #expect(spent(off, all) == 0 && !off.explores)
        for client in ["10.1.2.3", "10.2.2.3", "10.3.2.3"] {
            let plan = try plan(explore: 4)
            let answer = plan.explain(try #require(IPAddress(client)), all).answer
            #expect(abs(answer.explored - (client == "10.2.2.3" ? 0 : 0.04)) < 1e-9)
        }
    }

    @Test("Of several the one with the lowest bound is tried, unless it is near anyway")
    func bounds() throws {
        // Region 2 is within the tolerance of region 0.
        let shares = try shares(plan(explore: 5), "10.3.2.3")
        #expect(abs((shares[[1]] ?? 0) - 0.05) < 0.001 && abs((shares[[0]] ?? 0) - 0.95) < 0.001)
    }

    @Test("Nobody is tried where nothing is known at all, where it is turned off, or who is down")
    func none() throws {
        let unknown = try shares(plan(explore: 5), "10.2.2.3")
        #expect(unknown.count == 3 && unknown.values.allSatisfy { abs($0 - 1 / 3) < 0.001 }, "spread, not tried")
        #expect(try shares(plan(explore: 0), "10.1.2.3") == [[0]: 1])
        #expect(try shares(plan(explore: 5), "10.1.2.3", down: [2]) == [[0]: 1])
        #expect(try shares(plan(explore: 5), "10.1.2.3", down: [0, 2]) == [[1]: 1])
    }

    @Test("Weights go on among those that are near, and the share stays exact")
    func weighted() throws {
        let shares = try shares(plan(explore: 10, then: [.weighted([3, 1, 1])]), "10.3.2.3")
        #expect(abs((shares[[0]] ?? 0) - 0.675) < 0.001 && abs((shares[[2]] ?? 0) - 0.225) < 0.001)
        #expect(abs((shares[[1]] ?? 0) - 0.1) < 0.001)
    }

    @Test("The explanation names figures, what they rest on, and who is tried")
    func explained() throws {
        let plan = try plan(explore: 5)
        let client = try #require(IPAddress("10.1.2.3"))
        let health = Array(repeating: CandidateHealth(healthy: true), count: 3)
        let fact = plan.explain(client, health).steps.first { $0.step == "latency" }?.fact ?? ""
        #expect(fact.contains("r0 40 ms (12 samples of 10.1.0.0/16), r1 90 ms"), "\(fact)")
        #expect(fact.hasSuffix("5% try r2, of which nothing is known"), "\(fact)")
        let known = try #require(plan.latencies(for: client).first)
        #expect(known.map(\.microseconds) == [40_000, 90_000] && known.allSatisfy { $0.samples == 12 })
        #expect(known.first?.prefix == IPPrefix("10.1.0.0/16"))
    }
}
