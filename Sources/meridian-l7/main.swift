import ArgumentParser
import ControlPlane
import Invocation
import L7Tier

/// The HTTP balancer of a Meridian topology.
@main
struct MeridianL7: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridian-l7", abstract: "Routes HTTP requests to the pools of its region.",
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

    @Option(help: "The name of the node; without it all L7 nodes are checked.")
    var node: String?

    func run() async throws {
        throw ExitCode(NodeRuntime.check(topology: topology, node: node, dataPlane: Server()))
    }
}
