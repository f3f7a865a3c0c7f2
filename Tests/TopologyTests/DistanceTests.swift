import Testing
import Topology

/// A check of a name that asks more of the network than light allows is warned of.
@Suite struct DistanceTests {
    private static func text(east: String, west: String, check: String) -> String {
        GoodTopology.text
            .replacing("east: {address: 10.0.1.1}", with: "east: {address: 10.0.1.1, location: {\(east)}}")
            .replacing("location: {continent: EU}", with: "location: {\(west)}")
            .replacing("check: {http: {port: 80}}", with: "check: {http: {port: 80}, \(check)}")
    }

    private static func diagnostics(_ text: String) -> [String] {
        TopologyLoader.inspect(text: text, file: "t.yaml").diagnostics.map(\.description)
    }

    private static let frankfurt = "latitude: 50.1, longitude: 8.7"
    private static let sydney = "latitude: -33.9, longitude: 151.2"
    private static let london = "latitude: 51.5, longitude: -0.1"

    @Test func aCheckOfTheOtherEndOfTheWorldNeedsTime() {
        let text = Self.text(east: Self.frankfurt, west: Self.sydney, check: "timeout: 500ms")
        #expect(
            Self.diagnostics(text) == [
                "t.yaml:33:46: warning: dns.zones.shop.test.names.www.check.timeout: 500ms, but from east to west a round trip "
                    + "takes about 247 ms; at least 650ms"
            ])
        #expect(TopologyLoader.inspect(text: text, file: "t.yaml").snapshot != nil)
    }

    @Test(arguments: [
        (frankfurt, sydney, "timeout: 650ms"), (frankfurt, london, "timeout: 500ms"),
        ("continent: EU", sydney, "timeout: 10ms"),
    ])
    func whatIsNearOrUnknownIsNot(_ east: String, _ west: String, _ check: String) {
        #expect(Self.diagnostics(Self.text(east: east, west: west, check: check)) == [])
    }

    /// The DNS node may be anywhere: nodes of other tiers look too, if the name has a service.
    @Test func whoeverLooksIsFarAway() {
        let text = Self.text(east: Self.frankfurt, west: Self.sydney, check: "timeout: 500ms")
            .replacing("regions:\n", with: "regions:\n  south: {address: 10.0.3.1}\n")
            .replacing("dns-1: {tier: dns, region: east", with: "dns-1: {tier: dns, region: south")
        #expect(Self.diagnostics(text).contains { $0.contains("from east to west a round trip takes about 247 ms") })
        let nameless = text.replacing("          service: shop\n          ttl", with: "          ttl")
        #expect(!Self.diagnostics(nameless).contains { $0.contains("round trip") })
    }
}
