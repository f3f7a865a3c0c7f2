import ArgumentParser
import ControlPlane
import Invocation
import L4Tier

/// The TCP balancer of a Meridian topology.
@main
struct MeridianL4: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridian-l4",
        abstract: "Forwards TCP connections to the endpoints that are up and hold the wanted role.",
        subcommands: [Serve.self, Check.self])

    static func main() async { await invoke() }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve as one node of a topology, until SIGTERM.")

    @Option(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "The name of the node.")
    var node: String

    func run() async throws {
        throw ExitCode(await NodeRuntime.serve(topology: topology, node: node, dataPlane: Server()))
    }
}

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read everything that serve would need, say what is wrong, and stop.")

    @Option(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "The name of the node; without it all L4 nodes are checked.")
    var node: String?

    func run() async throws {
        throw ExitCode(NodeRuntime.check(topology: topology, node: node, dataPlane: Server()))
    }
}
