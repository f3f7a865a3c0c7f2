import ArgumentParser
import Invocation

@main struct MeridianWorld: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meridian-world",
        abstract: "Runs a topology on this machine: application servers, PostgreSQL, and our nodes.",
        subcommands: [RunCommand.self])

    static func main() async { await invoke() }
}
