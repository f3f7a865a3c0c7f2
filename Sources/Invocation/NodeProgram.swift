package import ArgumentParser
package import ControlPlane

/// A program that is a node of one tier: it has `serve` and `check`, and differs from the others by what it hands in.
package protocol NodeProgram: Sendable {
    associatedtype Plane: DataPlane

    /// What the program does.
    static func plane() -> Plane
    /// As people write it: `DNS`.
    static var tierName: String { get }
}

/// `serve`: one node, from its boot to its exit.
package struct Serve<Program: NodeProgram>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: "serve", abstract: "Serve as one node of a topology, until SIGTERM.")
    }

    @Option(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "The name of the node.")
    var node: String

    package init() {}

    package func run() async throws {
        throw ExitCode(await NodeRuntime.serve(topology: topology, node: node, dataPlane: Program.plane()))
    }
}

/// `check`: the boot, stopped before anything is opened.
package struct Check<Program: NodeProgram>: AsyncParsableCommand {
    package static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check", abstract: "Read everything that serve would need, say what is wrong, and stop.")
    }

    @Option(help: "The topology file.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String

    @Option(help: "The name of the node; without it all \(Program.tierName) nodes are checked.")
    var node: String?

    package init() {}

    package func run() async throws {
        throw ExitCode(NodeRuntime.check(topology: topology, node: node, dataPlane: Program.plane()))
    }
}
