import DNSTier
import DNSWire
import Testing

/// Policies by place and by prefix as Route 53 has them: the healthy answer of the smallest place, and when nobody who is
/// meant for the client is healthy, the answer of the smallest place all the same.
@Suite("Policies by place and prefix")
struct PlacePolicyTests {
    private static let names = """
                place:
                  service: shop
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  policy: {geolocation: {subdivisions: {FR-IDF: ap}, countries: {FR: eu}, default: us}}
                bare:
                  service: shop
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  policy: {geolocation: {countries: {FR: eu}, continents: {EU: ap}}}
                net:
                  service: shop
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  policy: {ip-based: {10.0.0.0/8: eu, 10.1.0.0/16: ap, "*": us}}
                bound:
                  service: shop
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  policy: {ip-based: {10.0.0.0/8: eu, 10.1.0.0/16: ap}}
                fenced:
                  service: shop
                  answers: {us: {A: 192.0.2.1}, eu: {A: 192.0.2.2}, ap: {A: 192.0.2.3}}
                  steps: [healthy, geo: {countries: {FR: eu}, default: none}]
        """
    private static let locations = """
        10.1.0.0/16,EU,FR,IDF
        10.2.0.0/16,EU,FR
        10.3.0.0/16,EU,DE
        10.4.0.0/16,NA,US
        """

    let world: SteeredServer

    init() throws { world = try SteeredServer(names: Self.names, locations: Self.locations) }

    private func ask(_ name: String, from client: String) throws -> String {
        let addresses = try world.addresses("\(name).shop.test.", from: client)
        return addresses.map { ["192.0.2.1": "us", "192.0.2.2": "eu", "192.0.2.3": "ap"][$0] ?? $0 }.joined(
            separator: "+")
    }

    private let paris = "10.1.0.1"
    private let lyon = "10.2.0.1"
    private let berlin = "10.3.0.1"
    private let boston = "10.4.0.1"
    private let nowhere = "172.16.0.1"

    @Test("The next larger place stands in, and the smallest one when nobody is healthy")
    func places() throws {
        func answers(_ name: String) throws -> [String] {
            try [paris, lyon, berlin, boston, nowhere].map { try ask(name, from: $0) }
        }
        #expect(try answers("place") == ["ap", "eu", "us", "us", "us"])
        #expect(try answers("bare") == ["eu", "eu", "ap", "", ""], "whom no list names gets nothing")
        try world.declareDown(["eu"])
        #expect(try answers("place") == ["ap", "us", "us", "us", "us"])
        #expect(try answers("bare") == ["ap", "ap", "ap", "", ""])
        try world.declareDown(["us"])
        #expect(try answers("place") == ["ap", "eu", "us", "us", "us"], "nobody is sent where no list sends him")
        try world.declareDown(["us", "eu"])
        #expect(try answers("place") == ["ap", "eu", "us", "us", "us"])
        #expect(try answers("bare") == ["ap", "ap", "ap", "", ""])
        try world.declareDown(["eu", "ap"])
        #expect(try answers("place") == ["us", "us", "us", "us", "us"])
        #expect(try answers("bare") == ["eu", "eu", "ap", "", ""], "down, and better than nothing")
        try world.declareDown(["us", "eu", "ap"])
        #expect(try answers("place") == ["ap", "eu", "us", "us", "us"])
        #expect(try answers("bare") == ["eu", "eu", "ap", "", ""])
    }

    @Test("By prefix alike: the shorter one stands in, and the longest when nobody is healthy")
    func prefixes() throws {
        func answers(_ name: String) throws -> [String] {
            try ["10.1.0.1", "10.2.0.1", "172.16.0.1"].map { try ask(name, from: $0) }
        }
        #expect(try answers("net") == ["ap", "eu", "us"])
        #expect(try answers("bound") == ["ap", "eu", ""])
        try world.declareDown(["ap"])
        #expect(try answers("net") == ["eu", "eu", "us"])
        #expect(try answers("bound") == ["eu", "eu", ""])
        try world.declareDown(["us"])
        #expect(try answers("net") == ["ap", "eu", "us"])
        try world.declareDown(["eu", "ap"])
        #expect(try answers("net") == ["us", "us", "us"])
        #expect(try answers("bound") == ["ap", "eu", ""])
        try world.declareDown(["us", "eu", "ap"])
        #expect(try answers("net") == ["ap", "eu", "us"])
        #expect(try answers("bound") == ["ap", "eu", ""])
    }

    @Test("A region that returns takes its share, and nobody gets nothing meanwhile")
    func returning() throws {
        try world.declareDown([], shares: ["eu": 0.3])
        let bound = try Set((0..<200).map { _ in try ask("bound", from: "10.2.0.1") })
        #expect(bound == ["eu"], "nobody else is meant for the client")
        let net = try Set((0..<200).map { _ in try ask("net", from: "10.2.0.1") })
        #expect(net == ["eu", "us"])
        let fenced = try Set((0..<200).map { _ in try ask("fenced", from: "10.2.0.1") })
        #expect(fenced == ["eu"])
    }

    @Test("A fence that was asked for holds")
    func fence() throws {
        #expect(try ask("fenced", from: lyon) == "eu")
        #expect(try ask("fenced", from: boston) == "")
        try world.declareDown(["eu"])
        #expect(try ask("fenced", from: lyon) == "")
    }
}
