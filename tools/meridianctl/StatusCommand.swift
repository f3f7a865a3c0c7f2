import ArgumentParser
import ControlPlane
import Model
import Topology

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show regions, nodes, services and pools, as their nodes see them.",
        discussion: "Every node that is named, or every node of the topology, is asked at once.")

    @OptionGroup var targets: Targets

    @Flag(help: "Print everything that the nodes say, as JSON.")
    var json = false

    func run() async throws {
        let client = AdminClient(timeout: .seconds(targets.timeout))
        let answers = await client.ask(try targets.resolve()) { await client.get("/status", from: $0, having: "node") }
        if json {
            let nodes = answers.map { target, answer -> (String, StatusValue) in
                switch answer {
                case .success(let value): (target.name, value)
                case .failure(let failure): (target.name, ["error": .string(failure.description)])
                }
            }
            Output.write(["nodes": .object(Dictionary(nodes) { first, _ in first })] as StatusValue)
        } else {
            Output.write(FleetStatus(answers).text)
        }
        let isUnanswered = answers.contains { if case .failure = $0.answer { true } else { false } }
        if isUnanswered { throw ExitCode(1) }
    }
}
