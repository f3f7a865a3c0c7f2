import L7Tier
import Model
import TestKit
import Testing

@Suite("Routes")
struct RouteTableTests {
    private static func look(_ table: RouteTable, _ host: String, _ path: String) -> Int? {
        Array(host.utf8).withUnsafeBytes { host in
            Array(path.utf8).withUnsafeBytes { path in table.route(host: host.bytes, path: path.bytes) }
        }
    }

    private static func route(_ host: HTTPRoute.Host, _ path: HTTPRoute.Path) -> HTTPRoute {
        HTTPRoute(name: "r", host: host, path: path, pool: PoolID(0))
    }

    /// The rule as it is written down, without any table.
    private static func expected(_ routes: [HTTPRoute], _ host: String, _ path: String) -> Int? {
        func rank(_ route: HTTPRoute) -> (Int, Int, Int)? {
            let hostRank: (Int, Int)
            switch route.host {
            case .any: hostRank = (0, 0)
            case .suffix(let suffix):
                guard host.hasSuffix(suffix) else { return nil }
                hostRank = (1, suffix.count)
            case .exact(let name):
                guard host == name else { return nil }
                hostRank = (2, 0)
            }
            let pathRank: Int
            switch route.path {
            case .exact(let wanted):
                guard path == wanted else { return nil }
                pathRank = 1_000
            case .prefix(let prefix):
                let bare = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
                guard path == bare || path.hasPrefix(bare + "/") else { return nil }
                pathRank = bare.count
            }
            return (hostRank.0, hostRank.1, pathRank)
        }
        var best: (rank: (Int, Int, Int), index: Int)?
        for (index, route) in routes.enumerated() {
            guard let rank = rank(route) else { continue }
            if let current = best, current.rank >= rank { continue }
            best = (rank, index)
        }
        return best?.index
    }

    @Test("The table gives what the rule says, for thousands of random routes and requests", arguments: 1...6)
    func agrees(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func pick(_ list: [String]) -> String { list[Int.random(in: 0..<list.count, using: &random)] }
        let names = ["a.test", "b.a.test", "c.b.a.test", "test", "x"]
        let paths = [
            "/", "/api", "/api/v1", "/api/v1/x", "/apix", "/a", "/a/b",
            "/" + String(repeating: "long/", count: 20) + "z",
        ]
        for _ in 0..<200 {
            let routes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                let host: HTTPRoute.Host =
                    switch Int.random(in: 0...2, using: &random) {
                    case 0: .any
                    case 1: .exact(pick(names))
                    default: .suffix("." + pick(names))
                    }
                return Self.route(host, Bool.random(using: &random) ? .exact(pick(paths)) : .prefix(pick(paths)))
            }
            let table = RouteTable(routes)
            for _ in 0..<20 {
                let (host, path) = (pick(names), pick(paths) + pick(["", "/", "/y", "x"]))
                #expect(Self.look(table, host, path) == Self.expected(routes, host, path), "\(host)\(path)")
            }
        }
    }

    @Test("Hosts are compared without regard to case, paths with")
    func cases() {
        let table = RouteTable([Self.route(.exact("shop.test"), .prefix("/Api"))])
        #expect(Self.look(table, "SHOP.Test", "/Api/x") == 0)
        #expect(Self.look(table, "shop.test", "/api") == nil)
        #expect(Self.look(table, "", "/Api") == nil)
    }
}
