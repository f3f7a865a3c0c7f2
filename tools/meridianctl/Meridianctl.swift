import ArgumentParser
import Glibc

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
            UndrainCommand.self, ReloadCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            let message = fullMessage(for: error)
            if !message.isEmpty { Output.write(message + "\n", to: code.isSuccess ? .standard : .diagnostics) }
            // The library's own number for wrong usage is sysexits' 64; our programs all say 2.
            Glibc.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }
}
