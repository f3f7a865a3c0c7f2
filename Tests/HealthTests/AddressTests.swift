import Health
import Model
import Testing

/// Health of the addresses that DNS names answer with: each has its own.
@Suite("Addresses")
struct AddressTests {
    private static let x = SocketAddress(IPAddress(v4: 0x0a00_0001), port: 80)
    private static let y = SocketAddress(IPAddress(v4: 0x0a00_0002), port: 80)

    /// `www` answers with x and y in each region, looked at by `vantages`.
    private static func world(vantages: Int, damping: Damping = Damping(rise: .zero, fall: .zero)) -> World {
        World(vantages: vantages, damping: damping, addresses: [x.address, y.address])
    }

    /// What `vantage` sees: `down` does not answer in `region`, everything else does.
    private static func see(
        _ world: inout World, _ vantage: String, down: [SocketAddress], in region: String = "eu", tells: Bool = true
    ) {
        let seen = World.regions.map { place in
            Observation(
                service: "shop", region: place, up: true,
                down: place == region ? down.map { AddressTrouble(address: $0, reason: "\($0): refused") } : [],
                tellsAddresses: tells)
        }
        world.say(vantage, watching: seen.filter { vantage.hasPrefix("dns") || !vantage.hasSuffix($0.region) })
        guard vantage == "dns-1" else { return }
        world.sights = World.regions.flatMap { place in
            [x, y].map { address in
                Sight(
                    .service("shop"), region: place, address: address, up: place != region || !down.contains(address),
                    reason: "\(address): refused")
            }
        }
    }

    /// What all who look see.
    private static func see(_ world: inout World, down: [SocketAddress], in region: String = "eu") {
        for name in world.reports.keys.sorted() where !name.hasPrefix("l4") {
            see(&world, name, down: down, in: region)
        }
    }

    private static func alive(_ world: inout World, _ address: SocketAddress, in region: String = "eu") -> Bool {
        view(&world).address(address, name: "www.shop.test.", service: "shop", region: region)?.isAlive ?? true
    }

    private static func view(_ world: inout World) -> HealthView {
        let evaluation = world.judge()
        return HealthView(
            evaluation, in: world.snapshot, overrides: OverrideRules(world.overrides.live(at: world.now)))
    }

    @Test("A dead address is dead, its neighbour and its region live")
    func own() {
        var world = Self.world(vantages: 1)
        Self.see(&world, down: [])
        #expect(world.judge().addresses.isEmpty, "of what works nothing is told")
        Self.see(&world, down: [Self.x])
        let evaluation = world.judge()
        #expect(evaluation.transitions.map(\.service) == ["shop at 10.0.0.1:80"])
        #expect(!Self.alive(&world, Self.x))
        #expect(Self.alive(&world, Self.y))
        #expect(Self.alive(&world, Self.x, in: "us"), "the same address elsewhere is another look")
        #expect(world.down().isEmpty)
        let verdict = evaluation.addresses.first
        #expect(
            verdict?.reasons
                == ["dns-1", "l7-ap", "l7-us"].map { Verdict.Reason(source: $0, text: "10.0.0.1:80: refused") })
        Self.see(&world, down: [])
        #expect(Self.alive(&world, Self.x))
    }

    @Test("Of several regions the majority decides; who cannot tell addresses apart has no vote")
    func quorum() {
        var world = Self.world(vantages: 3)
        for vantage in 1...3 { Self.see(&world, "dns-\(vantage)", down: []) }
        Self.see(&world, "dns-1", down: [Self.x])
        #expect(Self.alive(&world, Self.x), "one of three")
        Self.see(&world, "dns-2", down: [Self.x])
        #expect(!Self.alive(&world, Self.x))
        #expect(Self.alive(&world, Self.y))
        // This node sees it, most others do not.
        Self.see(&world, "dns-1", down: [])
        Self.see(&world, "dns-3", down: [Self.x])
        #expect(!Self.alive(&world, Self.x))
        // The others are too old to tell: one region's word changes nothing, but for the better.
        Self.see(&world, "dns-2", down: [], tells: false)
        Self.see(&world, "dns-3", down: [], tells: false)
        Self.see(&world, "dns-1", down: [Self.x])
        #expect(!Self.alive(&world, Self.x))
        Self.see(&world, "dns-1", down: [])
        #expect(Self.alive(&world, Self.x))
        Self.see(&world, "dns-1", down: [Self.x])
        #expect(Self.alive(&world, Self.x))
    }

    @Test("Silent vantage points have no vote, and a node that lost most of the regions trusts its eyes no more")
    func silence() {
        var world = Self.world(vantages: 3)
        Self.see(&world, down: [])
        #expect(Self.alive(&world, Self.x))
        world.now = world.now + .seconds(6)
        world.repeatAll(except: ["dns-2", "dns-3", "l7-eu"])
        for name in ["dns-1", "l7-us", "l7-ap"] { Self.see(&world, name, down: [Self.x]) }
        #expect(!Self.alive(&world, Self.x))
        Self.see(&world, down: [])
        world.repeatAll()
        #expect(Self.alive(&world, Self.x))
        // Everybody is silent, and nothing answers: it is this node that is cut off.
        world.now = world.now + .seconds(6)
        world.repeatAll(except: Set(world.snapshot.nodes.map(\.name)).subtracting(["dns-1"]))
        Self.see(&world, "dns-1", down: [Self.x, Self.y])
        #expect(Self.alive(&world, Self.x) && Self.alive(&world, Self.y))
        #expect(world.judge().frozen)
    }

    @Test("A return is damped, and a restart remembers who is down until somebody has looked")
    func memory() {
        var world = Self.world(vantages: 1, damping: Damping(rise: .seconds(3), fall: .zero))
        Self.see(&world, down: [])
        _ = world.judge()
        Self.see(&world, down: [Self.x])
        #expect(!Self.alive(&world, Self.x))
        world.engine = VerdictEngine(remembering: world.engine.remembered)
        world.sights = []
        world.reports = [:]
        world.say("dns-1", watching: [])
        let restarted = Self.view(&world)
        let known = restarted.address(Self.x, name: "www.shop.test.", service: "shop", region: "eu")
        #expect(known?.isAlive == false)
        #expect(known?.stale == true)
        for name in world.snapshot.nodes.map(\.name) { world.say(name) }
        Self.see(&world, down: [Self.x])
        #expect(!Self.alive(&world, Self.x))
        Self.see(&world, down: [])
        #expect(!Self.alive(&world, Self.x))
        world.now = world.now + .seconds(3)
        world.repeatAll()
        #expect(Self.alive(&world, Self.x))
    }

    @Test("What peers say of addresses that nobody here answers with is passed over")
    func strangers() {
        var world = Self.world(vantages: 2)
        Self.see(&world, "dns-1", down: [])
        Self.see(&world, "dns-2", down: [SocketAddress(IPAddress(v4: 7), port: 7)])
        #expect(world.judge().addresses.isEmpty)
    }

    @Test("Names without a service: each address of a region by itself, and the region by its best")
    func loneNames() {
        var world = World()
        func look(_ up: [SocketAddress]) {
            world.sights = [Self.x, Self.y].map {
                Sight(.name("lone.test."), region: "eu", address: $0, up: up.contains($0), reason: "\($0): refused")
            }
        }
        func isAlive(_ address: SocketAddress) -> Bool? {
            Self.view(&world).address(address, name: "lone.test.", service: nil, region: "eu")?.isAlive
        }
        look([Self.y])
        #expect(isAlive(Self.x) == false)
        #expect(isAlive(Self.y) == true)
        #expect(Self.view(&world).candidate(name: "lone.test.", service: nil, region: "eu").healthy)
        look([])
        #expect(!Self.view(&world).candidate(name: "lone.test.", service: nil, region: "eu").healthy)
    }

    @Test("A region with nothing but dead addresses is off for a name, unless an operator vouches for it")
    func safety() {
        var world = Self.world(vantages: 1)
        let old = world.snapshot
        let rule = SafetyRule(
            name: "two", kind: .atLeast(3), regions: [0, 1, 2].map(RegionID.init), services: [], names: [])
        let check = SafetyCheck(
            Snapshot(
                fingerprint: 1, regions: old.regions, nodes: old.nodes, services: old.services, pools: old.pools,
                endpoints: old.endpoints, dns: old.dns, http: old.http, tcp: old.tcp, federation: old.federation,
                safety: [rule]))
        Self.see(&world, down: [Self.x])
        #expect(check.broken(Self.view(&world)).isEmpty, "y is there")
        Self.see(&world, down: [Self.x, Self.y])
        #expect(world.down().isEmpty, "the region's own nodes serve")
        #expect(check.broken(Self.view(&world)).map(\.rule) == ["two"])
        _ = world.overrides.add(
            OverrideTests.word("up", Override.Target(.name, "www.shop.test", region: "eu"), .up), now: world.now)
        #expect(check.broken(Self.view(&world)).isEmpty)
    }
}
