import ArgumentParser
import ControlPlane
import DNSTier
import Invocation
import Topology

/// The authoritative DNS server of a Meridian topology.
@main
struct MeridianDNS: AsyncParsableCommand, NodeProgram {
    static let configuration = CommandConfiguration(
        commandName: "meridian-dns", abstract: "Answers DNS queries and spreads users over regions.",
        subcommands: [Serve<MeridianDNS>.self, CheckNames.self])
    static let tierName = "DNS"

    static func plane() -> Server { Server() }

    static func main() async { await invoke() }
}

/// `check`, which also shows what presets stand for.
struct CheckNames: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read everything that serve would need, say what is wrong, and stop.")

    @Option(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "The name of the node; without it all DNS nodes are checked.")
    var node: String?

    @Flag(help: "Print the steps of every dynamic name, presets and chains in chains expanded.")
    var expand = false

    func run() async throws {
        if expand, let snapshot = TopologyLoader.inspect(path: topology).snapshot {
            print(ChainText.text(snapshot), terminator: "")
        }
        throw ExitCode(NodeRuntime.check(topology: topology, node: node, dataPlane: Server()))
    }
}
