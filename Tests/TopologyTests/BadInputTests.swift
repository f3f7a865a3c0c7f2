import Testing
import Topology

/// One mistake in an otherwise good topology, and everything that is said about it.
struct BadInput: Sendable, CustomTestStringConvertible {
    let title: String
    let text: String
    let lines: [String]

    /// `original`, which stands exactly once in the good topology, replaced by `mistake`.
    init(_ title: String, replacing original: String, by mistake: String, says lines: [String]) {
        self.title = title
        self.text = GoodTopology.text.replacing(original, with: mistake, maxReplacements: 1)
        self.lines = lines
    }

    init(_ title: String, whole text: String, says lines: [String]) {
        self.title = title
        self.text = text
        self.lines = lines
    }

    var testDescription: String { title }
}

enum GoodTopology {
    static let text = """
        federation: {keys: [{id: k1, secret: {env: KEY}}]}
        regions:
          east: {address: 10.0.1.1}
          west: {address: 10.0.2.1, location: {continent: EU}}
        nodes:
          dns-1: {tier: dns, region: east, address: 10.0.0.1, admin: "127.0.0.1:9080", federation: "10.0.0.1:9081"}
          l7-east: {tier: l7, region: east, federation: "10.0.1.1:9081", workers: 2, drainTimeout: 5s, log: {level: info}}
          l4-east: {tier: l4, region: east}
        services:
          db: {requires: primary}
          shop: {dependsOn: [db], threshold: 50%}
        pools:
          web:
            kind: http
            service: shop
            balance: random
            endpoints: {east: ["10.0.1.1:9001"], west: ["10.0.2.1:9001"]}
            check: {http: {path: /healthz}}
          orders:
            kind: tcp
            service: db
            closeOnDown: true
            endpoints: {east: ["10.0.1.1:6432"]}
            check: {postgresql: {user: probe}}
        dns:
          zones:
            shop.test:
              file: shop.test.zone
              names:
                www:
                  service: shop
                  ttl: 30s
                  check: {http: {port: 80}}
                  answers: {east: {A: 192.0.2.1}, west: {A: 192.0.2.2}}
                  steps: [healthy, {geo: {continents: {EU: [west]}, default: [east]}}, {limit: 1}]
        http:
          listeners: {public: {port: 80}, inner: {port: 81, limits: {headSize: 8KiB}}}
          routes:
            - {name: shop, pool: web}
        tcp:
          listeners: {orders: {port: 5432, pool: orders, role: primary}}

        """
}

@Suite struct BadInputTests {
    @Test func theGoodTopologyIsGood() throws {
        _ = try TopologyLoader.load(text: GoodTopology.text, file: "t.yaml")
        #expect(TopologyLoader.inspect(text: GoodTopology.text, file: "t.yaml").diagnostics == [])
    }

    @Test(arguments: BadKeys.cases) func keys(_ input: BadInput) { judge(input) }
    @Test(arguments: BadValues.cases) func values(_ input: BadInput) { judge(input) }
    @Test(arguments: BadReferences.cases) func references(_ input: BadInput) { judge(input) }
    @Test(arguments: BadPlaces.cases) func places(_ input: BadInput) { judge(input) }
    @Test(arguments: BadChains.cases) func chains(_ input: BadInput) { judge(input) }
    @Test(arguments: BadSyntax.cases) func syntax(_ input: BadInput) { judge(input) }

    private func judge(_ input: BadInput) {
        #expect(input.text != GoodTopology.text, "the mistake was not made")
        do {
            _ = try TopologyLoader.load(text: input.text, file: "t.yaml")
            Issue.record("it was accepted")
        } catch {
            #expect(error.diagnostics.map(\.description) == input.lines)
        }
    }
}
