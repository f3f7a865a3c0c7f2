import ArgumentParser
import ControlPlane
import Model
import Topology

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say everything that is wrong with a topology.",
        discussion: """
            This is the start of a node, stopped before anything is opened. The contents of zone files and maps are \
            checked by the program that serves them: meridian-dns check --topology FILE --node NAME.
            """)

    @Argument(help: "The topology.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(help: "Check it for this node: files that only other tiers use need not exist.")
    var node: String?

    @Flag(help: "Show what each node listens on, and the steps of every dynamic name.")
    var expand = false

    func run() throws {
        let known = node.flatMap { _ in TopologyLoader.inspect(path: file).snapshot }
        let tier = known?.nodes.first { $0.name == node }?.tier
        guard let snapshot = NodeRuntime.inspect(file, for: tier, tell: { Output.line($0, to: .diagnostics) }) else {
            throw ExitCode(1)
        }
        if let node, snapshot.node(named: node) == nil {
            let names = snapshot.nodes.map(\.name).joined(separator: ", ")
            Output.line("\(file): error: no node is named '\(node)'; nodes: \(names)", to: .diagnostics)
            throw ExitCode(1)
        }
        if expand {
            Output.write(Self.listeners(of: snapshot, node))
            Output.write(ChainText.text(snapshot))
        }
        Output.line("\(file): ok: \(Self.summary(of: snapshot))")
    }

    private static func summary(of snapshot: Snapshot) -> String {
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        let names = snapshot.dns.zones.reduce(0) { $0 + $1.names.count }
        return [
            count(snapshot.regions.count, "region"), count(snapshot.nodes.count, "node"),
            count(snapshot.services.count, "service"),
            "\(count(snapshot.pools.count, "pool")) with \(count(snapshot.endpoints.count, "endpoint"))",
            "\(count(snapshot.dns.zones.count, "zone")) with \(count(names, "dynamic name"))",
            count(snapshot.http.routes.count, "route"),
            "fingerprint \(String(snapshot.fingerprint, radix: 16))",
        ].joined(separator: ", ")
    }

    private static func listeners(of snapshot: Snapshot, _ only: String?) -> String {
        var table = Table(["node", "tier", "region", "listens on", "for"])
        for node in snapshot.nodes where only == nil || node.name == only {
            func add(_ address: SocketAddress, _ purpose: String) {
                table.add(
                    [node.name, node.tier.rawValue, snapshot[node.region].name, address.description, purpose])
            }
            func at(_ port: UInt16) -> SocketAddress { SocketAddress(node.address, port: port) }
            switch node.tier {
            case .dns:
                add(at(snapshot.dns.port), "DNS " + snapshot.dns.zones.map(\.origin).joined(separator: " "))
            case .l7:
                for listener in snapshot.http.listeners { add(at(listener.port), "HTTP \(listener.name)") }
            case .l4:
                for listener in snapshot.tcp.listeners {
                    add(
                        at(listener.port),
                        "TCP \(listener.name) to \(snapshot[listener.pool].name) (\(listener.role.rawValue))")
                }
            }
            if let admin = node.admin { add(admin, "admin") }
            if let federation = node.federation { add(federation, "federation") }
        }
        return table.text + "\n"
    }
}
