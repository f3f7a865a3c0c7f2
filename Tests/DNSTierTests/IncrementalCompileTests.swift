import ControlPlane
import DNSTier
import DNSWire
import Foundation
import Health
import Model
import Testing
import Topology

/// A change of health reaches the names that it concerns, and touches no other.
@Suite struct IncrementalCompileTests {
    private static func world(names count: Int, services: Int) throws -> SteeredServer {
        let names = (0..<count).map { number in
            """
                    n\(number):
                      service: s\(number % services)
                      ttl: 4s
                      answers:
                        us: {A: 10.\(number / 65536).\(number / 256 % 256).\(number % 256)}
                        eu: {A: 11.\(number / 65536).\(number / 256 % 256).\(number % 256)}
                        ap: {A: 12.\(number / 65536).\(number / 256 % 256).\(number % 256)}
                      steps: [healthy, {failover: [us, eu, ap]}]
            """
        }
        let more = (0..<services).map { "s\($0): {}" }.joined(separator: ", ")
        return try SteeredServer(names: names.joined(separator: "\n"), services: more)
    }

    private static func declare(_ world: SteeredServer, down service: Int?) throws {
        let snapshot = world.preparation.snapshot
        let verdicts = snapshot.services.indices.flatMap { index in
            snapshot.regions.indices.map { region in
                Verdict(
                    service: ServiceID(index), region: RegionID(region),
                    healthy: region != 0 || snapshot.services[index].name != service.map { "s\($0)" },
                    since: Timestamp(nanoseconds: 0), reasons: [])
            }
        }
        world.publish(verdicts)
    }

    @Test func onlyWhatMovedIsCompiled() throws {
        let world = try Self.world(names: 60, services: 6)
        var state = HealthState(world.preparation.names, board: world.board)
        #expect(state.recompiled == 60)
        state.update(world.board)
        #expect(state.recompiled == 0, "nothing moved")
        try Self.declare(world, down: 2)
        state.update(world.board)
        #expect(state.recompiled == 10, "the names of one service")
        let server = AnsweringServer(
            AnswerTable(zones: world.preparation.zones, dynamics: state.dynamics, generation: 1))
        for number in 0..<60 {
            let reply = try server.ask("n\(number).shop.test.", .a)
            let expected = "\(number % 6 == 2 ? 11 : 10).0.0.\(number)"
            #expect(reply.answer.map(\.data.description) == [expected])
            #expect(reply.answer.first?.ttl == (number % 6 == 2 ? 2 : 4))
        }
        try Self.declare(world, down: nil)
        state.update(world.board)
        #expect(state.recompiled == 10)
        #expect(
            try server.ask("n2.shop.test.", .a).answer.map(\.data.description) == ["11.0.0.2"], "a table stays as it is"
        )
    }

    @Test func whatIsUpdatedIsWhatIsCompiledAnew() throws {
        let world = try Self.world(names: 40, services: 4)
        var state = HealthState(world.preparation.names, board: world.board)
        for down in [0, 3, nil, 1, 1, 2] {
            try Self.declare(world, down: down)
            state.update(world.board)
            let anew = HealthState(world.preparation.names, board: world.board)
            let servers = [state, anew].map {
                AnsweringServer(AnswerTable(zones: world.preparation.zones, dynamics: $0.dynamics, generation: 1))
            }
            for number in 0..<40 {
                let query = try QueryText("n\(number).shop.test.", .a).octets
                #expect(servers[0].reply(query) == servers[1].reply(query))
            }
            #expect(state.failOpen == anew.failOpen)
        }
    }

    @Test func tenThousandNamesAtOnce() throws {
        let world = try Self.world(names: 100, services: 1)
        let names = (0..<100).flatMap { _ in world.preparation.names }
        var state = HealthState(names, board: world.board)
        for round in 0..<2 {
            try Self.declare(world, down: round == 0 ? 0 : nil)
            state.update(world.board)
            #expect(state.recompiled == names.count, "each of them goes by the one service")
        }
    }
}
