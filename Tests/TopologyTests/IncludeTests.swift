import Model
import Testing
import Topology

@Suite struct IncludeTests {
    private static func lines(_ text: String, _ files: [String: String]) -> [String] {
        TopologyLoader.inspect(text: text, file: "/t/main.yaml", files: files).diagnostics.map(\.description)
    }

    private static let east = "regions: {east: {address: 10.0.1.1}}\n"
    private static let node = "nodes: {n: {tier: dns, region: east}}\n"

    @Test func sectionsAreUnited() throws {
        let snapshot = try TopologyLoader.load(
            text: "include: [regions.yaml, sub/more.yaml]\n\(Self.node)dns: {port: 5300}\n",
            file: "/t/main.yaml",
            files: [
                "/t/regions.yaml": Self.east,
                "/t/sub/more.yaml": """
                regions: {west: {address: 10.0.2.1}}
                dns:
                  locations: {csv: where.csv}
                  zones: {a.test: {file: ../a.zone}}
                http:
                  routes: []

                """,
            ])
        #expect(snapshot.regions.map(\.name) == ["east", "west"])
        #expect(snapshot.dns.port == 5300)
        // Paths are relative to the file in which they stand.
        #expect(snapshot.dns.locations == .csv("/t/sub/where.csv"))
        #expect(snapshot.dns.zones.map(\.file) == ["/t/sub/../a.zone"])
    }

    @Test func listsAreJoined() throws {
        let pool = "pools: {p: {kind: http, endpoints: {east: [\"10.0.1.1:1\"]}}}\n"
        let snapshot = try TopologyLoader.load(
            text:
                "include: [b.yaml]\n\(Self.east)\(Self.node)\(pool)http: {routes: [{name: a, host: a.test, pool: p}]}\n",
            file: "/t/main.yaml", files: ["/t/b.yaml": "http: {routes: [{name: b, host: b.test, pool: p}]}\n"])
        #expect(snapshot.http.routes.map(\.name) == ["a", "b"])
    }

    @Test func whatIsDefinedTwiceIsAnError() {
        #expect(
            Self.lines(
                "include: [b.yaml]\n\(Self.east)\(Self.node)dns: {port: 53}\n",
                ["/t/b.yaml": "regions: {east: {address: 10.9.9.9}}\ndns: {port: 54}\n"]) == [
                    "/t/b.yaml:1:11: error: regions.east is defined at /t/main.yaml:2:11 already; keep one",
                    "/t/b.yaml:2:7: error: dns.port is defined at /t/main.yaml:4:7 already; keep one",
                ])
    }

    @Test func anErrorIsShownInItsFile() {
        #expect(
            Self.lines(
                "include: [b.yaml]\n\(Self.node)",
                ["/t/b.yaml": "regions:\n  east: {adress: 10.9.9.9}\n"]) == [
                    "/t/main.yaml:2:12: error: nodes.n has no 'address'; an IPv4 or IPv6 address here, or one for all nodes "
                        + "of regions.east",
                    "/t/b.yaml:2:10: error: unknown key 'adress' in regions.east; known here: location, address, capacity; "
                        + "did you mean 'address'?",
                ])
    }

    @Test func aFileThatIncludesItself() {
        #expect(
            Self.lines("include: [b.yaml]\n", ["/t/b.yaml": "include: [main.yaml]\n"]) == [
                "/t/b.yaml:1:11: error: include: '/t/main.yaml' includes itself; remove one include"
            ])
    }

    @Test func aFileThatIsReachedTwiceCountsOnce() throws {
        let snapshot = try TopologyLoader.load(
            text: "include: [a.yaml, b.yaml]\n\(Self.node)", file: "/t/main.yaml",
            files: [
                "/t/a.yaml": "include: [c.yaml]\n", "/t/b.yaml": "include: [./c.yaml]\n", "/t/c.yaml": Self.east,
            ])
        #expect(snapshot.regions.count == 1)
    }

    @Test func aFileThatIsMissing() {
        #expect(
            Self.lines("include: [b.yaml]\n\(Self.east)\(Self.node)", [:]) == [
                "/t/main.yaml:1:11: error: '/t/b.yaml' cannot be read: it does not exist"
            ])
    }

    @Test func theFingerprintCoversEveryFile() throws {
        let text = "include: [b.yaml]\n\(Self.node)"
        func fingerprint(_ included: String) throws -> UInt64 {
            try TopologyLoader.load(text: text, file: "/t/main.yaml", files: ["/t/b.yaml": included]).fingerprint
        }
        #expect(try fingerprint(Self.east) == fingerprint(Self.east))
        #expect(try fingerprint(Self.east) != fingerprint(Self.east + "\n"))
    }

    @Test func includesThatNeverEnd() {
        let files = Dictionary(
            uniqueKeysWithValues: (0..<20).map { ("/t/\($0).yaml", "include: [\($0 + 1).yaml]\n") })
        #expect(
            Self.lines("include: [0.yaml]\n", files) == [
                "/t/7.yaml:1:11: error: include: includes are nested too deeply; at most 8 levels"
            ])
    }

    @Test func tooManyIncludes() {
        let names = (0..<100).map { "\($0).yaml" }
        let files = Dictionary(uniqueKeysWithValues: names.map { ("/t/\($0)", "dns:\n") })
        #expect(
            Self.lines("include: [\(names.joined(separator: ", "))]\n", files).map {
                $0.split(separator: " ").dropFirst()
            }
                == ["x error: include: too many files; at most 64"].map { $0.split(separator: " ").dropFirst() })
    }
}
