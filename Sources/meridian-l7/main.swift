import ArgumentParser
import Invocation
import L7Tier

/// The HTTP balancer of a Meridian topology.
@main
struct MeridianL7: AsyncParsableCommand, NodeProgram {
    static let configuration = CommandConfiguration(
        commandName: "meridian-l7", abstract: "Routes HTTP requests to the pools of its region.",
        subcommands: [Serve<MeridianL7>.self, Check<MeridianL7>.self])
    static let tierName = "L7"

    static func plane() -> Server { Server() }

    static func main() async { await invoke() }
}
