import ArgumentParser
import ControlPlane

struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Take nodes out of service: they finish what is under way, and new traffic goes elsewhere.",
        discussion: "Tell it the nodes one by one: with --topology alone nothing is drained.")

    @OptionGroup var targets: Targets

    @Option(help: "Why, for those who look at the status.")
    var reason: String

    func run() async throws {
        try await setDraining(true, reason: reason, targets)
    }
}

struct UndrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Put drained nodes back into service.")

    @OptionGroup var targets: Targets

    @Option(help: "Why, for those who look at the status.")
    var reason: String = ""

    func run() async throws {
        try await setDraining(false, reason: reason, targets)
    }
}

private func setDraining(_ draining: Bool, reason: String, _ targets: Targets) async throws {
    guard !targets.nodes.isEmpty else { throw ValidationError("name the nodes") }
    let client = AdminClient(timeout: .seconds(targets.timeout))
    let body: StatusValue = ["drain": .bool(draining), "reason": .string(reason)]
    let answers = await client.ask(try targets.resolve()) { await client.post("/drain", body, to: $0) }
    try report(answers) { _ in draining ? "draining" : "back in service" }
}

/// One line per node; fails when a node did.
func report(
    _ answers: [(target: Target, answer: Result<StatusValue, AdminClient.Failure>)],
    _ describe: (StatusValue) -> String
) throws {
    var failed = false
    for (target, answer) in answers {
        switch answer {
        case .success(let value): Output.line("\(target.name): \(describe(value))")
        case .failure(let failure):
            failed = true
            Output.line("\(target.name): \(failure.description)", to: .diagnostics)
        }
    }
    if failed { throw ExitCode(1) }
}
