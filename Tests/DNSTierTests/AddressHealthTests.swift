import ControlPlane
import DNSTier
import DNSWire
import Health
import Model
import Testing

/// Answers leave out the addresses that failed their checks, and only those.
@Suite("Health of addresses")
struct AddressHealthTests {
    private static let names = """
                pair:
                  ttl: 8s
                  check: {tcp: {port: 80}}
                  answers: {us: {A: [192.0.2.1, 192.0.2.11]}, eu: {A: 192.0.2.2}}
                  steps: [healthy, {failover: [us, eu]}]
                split:
                  ttl: 8s
                  check: {tcp: {port: 80}}
                  answers: {one: {region: us, A: 192.0.2.1}, two: {region: us, A: 192.0.2.11}}
                  policy: multivalue
                served:
                  service: shop
                  ttl: 8s
                  check: {tcp: {port: 80}}
                  answers: {us: {A: [192.0.2.1, 192.0.2.11]}, eu: {A: 192.0.2.2}}
                  steps: [healthy, {failover: [us, eu]}]
                unchecked:
                  service: shop
                  ttl: 8s
                  answers: {us: {A: [192.0.2.1, 192.0.2.11]}, eu: {A: 192.0.2.2}}
                  steps: [healthy, {failover: [us, eu]}]
                both:
                  ttl: 8s
                  check: {tcp: {port: 443}}
                  answers:
                    us: {A: [192.0.2.1, 192.0.2.11], AAAA: "2001:db8::1", TXT: us, HTTPS: 1 . ipv4hint=auto ipv6hint=auto}
                    eu: {A: 192.0.2.2, AAAA: "2001:db8::2", TXT: eu}
                    ap: {A: 192.0.2.3, TXT: ap}
                  steps: [healthy, geo: {prefixes: {10.0.0.0/8: [us, eu, ap], 11.0.0.0/8: [ap, us]}, default: [us, eu]}, take: 1]
        """

    let world: SteeredServer

    init() throws { world = try SteeredServer(names: Self.names) }

    private enum Owner {
        case name(String)
        case shop
    }

    /// What checks found: these addresses of the owner are down, by region; everything else answers.
    private func find(
        _ down: [(Owner, region: String, address: String)], port: UInt16 = 80, overrides: [Override] = [],
        regionsDown: Set<String> = []
    ) throws {
        let snapshot = world.preparation.snapshot
        let start = Timestamp(nanoseconds: 0)
        let addresses = try down.map { owner, region, text in
            let owner: VerdictSite.Owner =
                switch owner {
                case .name(let name): .name(name)
                case .shop: .service("shop")
                }
            return AddressVerdict(
                owner: owner, region: region, address: SocketAddress(try #require(IPAddress(text)), port: port),
                isAlive: false, healthy: false, since: start,
                reasons: [Verdict.Reason(source: "dns-1", text: "\(text): refused")])
        }
        let service = try #require(snapshot.service(named: "shop"))
        let verdicts = snapshot.regions.indices.map { region in
            Verdict(
                service: service, region: RegionID(region),
                healthy: !regionsDown.contains(snapshot.regions[region].name), since: start, reasons: [])
        }
        world.board.publish(
            HealthView(
                Evaluation(verdicts: verdicts, addresses: addresses, failOpen: []), in: snapshot,
                overrides: OverrideRules(overrides)))
        world.compile()
    }

    private func ask(_ name: String, _ type: RecordType = .a, from client: String = "192.0.2.1") throws -> Set<String> {
        Set(try world.addresses("\(name).shop.test.", type, from: client))
    }

    private func timeToLive(_ name: String) throws -> UInt32? {
        try world.server.ask("\(name).shop.test.", .a).answer.first?.ttl
    }

    @Test("Of two addresses the living one is answered; with both dead the next region; with all dead all as ever")
    func pair() throws {
        let name = Owner.name("pair.shop.test.")
        #expect(try ask("pair") == ["192.0.2.1", "192.0.2.11"])
        #expect(try timeToLive("pair") == 8)
        try find([(name, "us", "192.0.2.1")])
        #expect(try ask("pair") == ["192.0.2.11"])
        #expect(try timeToLive("pair") == 4, "something is wrong")
        try find([(name, "us", "192.0.2.1"), (name, "us", "192.0.2.11")])
        #expect(try ask("pair") == ["192.0.2.2"])
        try find([(name, "us", "192.0.2.1"), (name, "us", "192.0.2.11"), (name, "eu", "192.0.2.2")])
        #expect(try ask("pair") == ["192.0.2.1", "192.0.2.11"], "fail-open")
        try find([])
        #expect(try ask("pair") == ["192.0.2.1", "192.0.2.11"])
        #expect(try timeToLive("pair") == 8)
    }

    @Test("Two answers in one region have their own health, and multivalue leaves out the dead")
    func split() throws {
        let name = Owner.name("split.shop.test.")
        #expect(try ask("split") == ["192.0.2.1", "192.0.2.11"])
        try find([(name, "us", "192.0.2.1")])
        #expect(try ask("split") == ["192.0.2.11"])
        try find([(name, "us", "192.0.2.11")])
        #expect(try ask("split") == ["192.0.2.1"])
        try find([(name, "us", "192.0.2.11"), (name, "us", "192.0.2.1")])
        #expect(try ask("split") == ["192.0.2.1", "192.0.2.11"])
    }

    @Test("An address of a service is out for the names that check it, whatever the region's own word")
    func served() throws {
        try find([(.shop, "us", "192.0.2.1")])
        #expect(try ask("served") == ["192.0.2.11"])
        #expect(try ask("unchecked") == ["192.0.2.1", "192.0.2.11"], "nobody looks at its addresses")
        try find([(.shop, "us", "192.0.2.1"), (.shop, "us", "192.0.2.11")])
        #expect(try ask("served") == ["192.0.2.2"])
        try find([(.shop, "us", "192.0.2.1"), (.shop, "eu", "192.0.2.2")], regionsDown: ["us", "eu"])
        #expect(try ask("served") == ["192.0.2.11"], "fail-open, and still without the dead one")
        try find([], regionsDown: ["us"])
        #expect(try ask("served") == ["192.0.2.2"])
    }

    @Test("A and AAAA are judged by their own addresses")
    func families() throws {
        let name = Owner.name("both.shop.test.")
        try find([(name, "us", "2001:db8::1")], port: 443)
        #expect(try ask("both") == ["192.0.2.1", "192.0.2.11"], "IPv4 of the region is well")
        #expect(try ask("both", .aaaa) == ["2001:db8::2"], "IPv6 comes from the next list")
        #expect(try ask("both", .txt) == ["\"us\""], "whatever is no address goes with any that lives")
        #expect(try ask("both", .https) == ["1 . ipv4hint=192.0.2.1,192.0.2.11 ipv6hint=2001:db8::1"])
        try find([(name, "us", "2001:db8::1"), (name, "eu", "2001:db8::2")], port: 443)
        #expect(try ask("both", .aaaa) == ["2001:db8::1"], "all of IPv6 is dead: as ever")
        #expect(try ask("both") == ["192.0.2.1", "192.0.2.11"])
        try find([(name, "us", "192.0.2.1")], port: 443)
        #expect(try ask("both", .https) == ["1 . ipv4hint=192.0.2.11 ipv6hint=2001:db8::1"])
        try find([(name, "us", "192.0.2.1"), (name, "us", "192.0.2.11")], port: 443)
        #expect(try ask("both") == ["192.0.2.2"])
        #expect(try ask("both", .aaaa) == ["2001:db8::1"])
        #expect(try ask("both", .txt) == ["\"us\""])
        try find([(name, "ap", "192.0.2.3")], port: 443)
        #expect(try ask("both", from: "11.1.1.1") == ["192.0.2.1", "192.0.2.11"])
        #expect(try ask("both", .aaaa, from: "11.1.1.1") == ["2001:db8::1"], "what has only IPv4 is judged by that")
        #expect(try ask("both", .txt, from: "11.1.1.1") == ["\"us\""])
    }

    @Test("An operator's word comes before checks")
    func operators() throws {
        let name = Owner.name("pair.shop.test.")
        func word(_ action: Override.Action) -> Override {
            Override(
                id: "o", target: Override.Target(.region, "us"), action: action, stamp: Timestamp(nanoseconds: 0),
                expires: Timestamp(nanoseconds: 1), author: "a", reason: "")
        }
        try find([(name, "us", "192.0.2.1")], overrides: [word(.up)])
        #expect(try ask("pair") == ["192.0.2.1", "192.0.2.11"])
        try find([(name, "us", "192.0.2.1")], overrides: [word(.drain)])
        #expect(try ask("pair") == ["192.0.2.2"])
    }

    @Test("What is updated is what is compiled anew, and only names that it concerns are")
    func incremental() throws {
        var state = HealthState(world.preparation.names, board: world.board)
        let pair = Owner.name("pair.shop.test.")
        let rounds: [[(Owner, region: String, address: String)]] = [
            [(pair, "us", "192.0.2.1")], [(pair, "us", "192.0.2.11")], [],
            [(.shop, "us", "192.0.2.1"), (pair, "eu", "192.0.2.2")], [(pair, "eu", "192.0.2.2")], [],
        ]
        for (round, moved) in zip(rounds, [1, 1, 1, 2, 1, 1]) {
            try find(round)
            state.update(world.board)
            #expect(state.recompiled == moved)
            let anew = HealthState(world.preparation.names, board: world.board)
            let servers = [state, anew].map {
                AnsweringServer(AnswerTable(zones: world.preparation.zones, dynamics: $0.dynamics, generation: 1))
            }
            for name in ["pair", "split", "served", "unchecked", "both"] {
                for type in [RecordType.a, .aaaa, .txt] {
                    let answers = try servers.map { server in
                        Set(try server.ask("\(name).shop.test.", type).answer.map { "\($0.ttl) \($0.data)" })
                    }
                    #expect(answers[0] == answers[1])
                }
            }
        }
    }
}
