import Model
import Testing
import Topology

/// Presets stand for the steps that people expect of them.
@Suite struct PolicyTests {
    private static let steps = "steps: [healthy, {geo: {continents: {EU: [west]}, default: [east]}}, {limit: 1}]"

    private static func load(_ written: String) throws -> Snapshot {
        let text = GoodTopology.text.replacing(steps, with: written, maxReplacements: 1)
            .replacing(
                "regions:\n  east: {", with: "regions:\n  east: {location: {latitude: 40, longitude: -75}, ",
                maxReplacements: 1)
        try #require(text != GoodTopology.text)
        return try TopologyLoader.load(text: text, file: "/t/main.yaml")
    }

    private static func name(_ written: String) throws -> DynamicName { try load(written).dns.zones[0].names[0] }

    @Test func everyPreset() throws {
        #expect(try Self.name("policy: simple").steps == [.healthy()])
        #expect(try Self.name("policy: weighted").steps == [.healthy(), .weighted([1, 1])])
        #expect(try Self.name("policy: {weighted: {west: 3}}").steps == [.healthy(), .weighted([0, 3])])
        #expect(
            try Self.name("policy: {latency: {file: l.csv}}").steps == [
                .healthy(), .latency(.init(file: "/t/l.csv", tolerance: .milliseconds(20))), .take(1),
            ])
        #expect(try Self.name("policy: failover").steps == [.healthy(), .priority(.init([0, 1]))])
        #expect(try Self.name("policy: {failover: [west, east]}").steps == [.healthy(), .priority(.init([1, 0]))])
        #expect(
            try Self.name("policy: {geolocation: {continents: {EU: west}}}").steps == [
                .healthy(),
                .geo(.init(prefixes: [:], countries: [:], continents: ["EU": [1]], otherwise: [], fence: .open)),
                .take(1),
            ])
        #expect(
            try Self.name("policy: geoproximity").steps == [.healthy(), .proximity(.init(bias: [0, 0])), .take(1)])
        #expect(
            try Self.name("policy: {geoproximity: {bias: {west: -20}}}").steps == [
                .healthy(), .proximity(.init(bias: [0, -20])), .take(1),
            ])
        #expect(try Self.name("policy: multivalue").steps == [.healthy(), .sample(8)])
        #expect(try Self.name("policy: {multivalue: 3}").steps == [.healthy(), .sample(3)])
        let prefix = try #require(IPPrefix("10.0.0.0/8"))
        #expect(
            try Self.name("policy: {ip-based: {10.0.0.0/8: east}}").steps == [
                .healthy(), .prefix(.init(prefixes: [prefix: [0]], otherwise: [], fence: .open)), .take(1),
            ])
        #expect(
            try Self.name("policy: {ip-based: {10.0.0.0/8: east, \"*\": west}}").steps == [
                .healthy(), .prefix(.init(prefixes: [prefix: [0]], otherwise: [1], fence: .open)), .take(1),
            ])
        #expect(
            try Self.name("steps: [{prefix: {10.0.0.0/8: east, \"*\": none}, fence: open}]").steps == [
                .prefix(.init(prefixes: [prefix: [0]], otherwise: [], fence: .open))
            ])
        #expect(try Self.name("policy: failover").policy == .failover)
        #expect(try Self.name("steps: [healthy]").policy == nil)
    }

    @Test func everyStep() throws {
        let written = """
            steps:
                      - healthy: {servers: 50%, quorum: 30%}
                      - geo: {networks: {AS64500: [east]}, cities: {FR/Paris: west}, subdivisions: {US-CA: [west, east]}, default: none}
                      - prefix: {10.0.0.0/8: [east], "*": [west]}
                      - proximity
                      - nearest: 2
                      - nearest: {count: 1, bias: {east: 10}}
                      - priority: {order: [west, east], trickle: 5%}
                      - hash
                      - capacity
                      - capacity: {limit: 80%}
                      - shed: {low: 70%, high: 95%}
                      - shed
                      - take: 2
            """
        let steps = try Self.name(written).steps
        let prefix = try #require(IPPrefix("10.0.0.0/8"))
        let expected: [SteeringStep] = [
            .healthy(.init(servers: 50, quorum: 30)),
            .geo(
                .init(
                    prefixes: [:], networks: [64_500: [0]], cities: ["FR/Paris": [1]], subdivisions: ["US-CA": [1, 0]],
                    countries: [:], continents: [:], otherwise: [], fence: .closed)),
            .prefix(.init(prefixes: [prefix: [0]], otherwise: [1])), .proximity(.init(bias: [0, 0])),
            .proximity(.init(bias: [0, 0], count: 2)), .proximity(.init(bias: [10, 0], count: 1)),
            .priority(.init([1, 0], trickle: 5)), .hash, .capacity(.init(limit: 90)), .capacity(.init(limit: 80)),
            .shed(.init(low: 70, high: 95)), .shed(.init(low: 80, high: 100)), .take(2),
        ]
        #expect(steps == expected)
    }

    @Test func chainsInChains() throws {
        let text = GoodTopology.text.replacing(
            "dns:\n",
            with: """
                dns:
                  prefixSets: {offices: [10.0.0.0/8, "2001:db8::/32"]}
                  groups:
                    inner: {service: db, answers: {east: {A: 192.0.2.7}, blue: {region: west, A: 192.0.2.8}}, policy: failover}

                """, maxReplacements: 1
        ).replacing(
            "answers: {east: {A: 192.0.2.1}, west: {A: 192.0.2.2}}",
            with: "answers: {east: {A: 192.0.2.1}, west: {group: inner}}", maxReplacements: 1
        ).replacing("{limit: 1}", with: "{prefix: {offices: east}}", maxReplacements: 1)
        let snapshot = try TopologyLoader.load(text: text, file: "/t/main.yaml")
        let name = snapshot.dns.zones[0].names[0]
        #expect(name.candidates.map(\.name) == ["east", "west"])
        #expect(name.candidates[1].chain?.title == "group inner")
        #expect(name.leaves.map(\.name) == ["east", "east", "blue"])
        #expect(name.leaves.map { $0.service.map { snapshot[$0].name } } == ["shop", "db", "db"])
        #expect(name.leaves.map { $0.region.map { snapshot[$0].name } } == ["east", "east", "west"])
        guard case .prefix(let step) = name.steps[2] else {
            Issue.record("\(name.steps)")
            return
        }
        #expect(Set(step.prefixes.keys.map(\.description)) == ["10.0.0.0/8", "2001:db8::/32"])
        let printed = ChainText.text(snapshot)
        #expect(printed.contains("www.shop.test.: ttl 30s, 15s while anything is down"))
        #expect(printed.contains("    west: group inner\n"))
        #expect(printed.contains("        - priority: {order: [east, blue]}\n"))
        #expect(printed.contains("  - geo: {continents: {EU: [west]}, default: [east]}\n"))
    }

    @Test func whatIsPrintedIsWhatIsMeant() throws {
        for written in [
            "policy: {weighted: {east: 1, west: 3}}", "policy: {geolocation: {countries: {FR: west}, default: [east]}}",
            "policy: {geoproximity: {bias: {east: 25}}}", "policy: {ip-based: {10.0.0.0/8: east}}",
            "policy: {geolocation: {countries: {FR: west}}}", "policy: multivalue",
            "steps: [{geo: {countries: {FR: west}, default: none}}, {prefix: {10.0.0.0/8: east, \"*\": west}, fence: closed}]",
        ] {
            let name = try Self.name(written)
            let lines = ChainText.text(try Self.load(written)).split(separator: "\n").map(String.init)
            let first = try #require(lines.firstIndex { $0.hasSuffix("steps:") })
            let steps = lines[(first + 1)...].map { $0.drop { $0 == " " || $0 == "-" } }
            let flow = steps.map { $0.contains(":") && !$0.hasPrefix("{") ? "{\($0)}" : String($0) }.joined(
                separator: ", ")
            #expect(try Self.name("steps: [\(flow)]").steps == name.steps, "\(flow)")
        }
    }
}
