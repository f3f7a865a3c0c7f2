import ArgumentParser
import Invocation

/// The operator's command line.
@main struct Meridianctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridianctl",
        abstract: "Checks a Meridian topology, and asks and steers the nodes that run it.",
        discussion: """
            Nodes are named by the URL of their admin API (http://127.0.0.1:9080, or just 127.0.0.1:9080), or by \
            --topology, which knows them all. Exit status: 0 done, 1 refused, invalid or unreachable, 2 wrong usage.
            """,
        subcommands: [
            CheckCommand.self, SchemaCommand.self, StatusCommand.self, ExplainCommand.self, DrainCommand.self,
            UndrainCommand.self, ForceCommand.self, GateCommand.self, ReleaseCommand.self, OverridesCommand.self,
            AcceptTimelineCommand.self, ReloadCommand.self,
        ])

    static func main() async { await invoke() }
}
