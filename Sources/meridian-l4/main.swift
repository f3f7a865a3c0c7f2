import ArgumentParser
import Invocation
import L4Tier

/// The TCP balancer of a Meridian topology.
@main
struct MeridianL4: AsyncParsableCommand, NodeProgram {
    static let configuration = CommandConfiguration(
        commandName: "meridian-l4",
        abstract: "Forwards TCP connections to the endpoints that are up and hold the wanted role.",
        subcommands: [Serve<MeridianL4>.self, Check<MeridianL4>.self])
    static let tierName = "L4"

    static func plane() -> Server { Server() }

    static func main() async { await invoke() }
}
