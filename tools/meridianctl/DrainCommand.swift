import ArgumentParser
import ControlPlane
import Model

struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain",
        abstract: "Send no new users to a region, service, name or node; what is under way finishes.",
        discussion: """
            meridianctl drain region eu-west --for 2h --reason "kernel update" --topology FILE
            meridianctl drain name 'www.*' --region 'eu-*' --reason "certificate" --topology FILE
            meridianctl drain 127.0.2.1:9080 --reason "reboot"

            What begins with region, service, name or node is an override: any one node is told, all hear of it, and it \
            ends by itself. Without such a word the nodes themselves are told to drain until they are told otherwise.
            """)

    @OptionGroup var order: OverrideOrder

    func run() async throws {
        if let subject = try OverrideSubject(order.targets.nodes) {
            return try await order.desk.say(.drain, subject, reason: order.reason, order.targets)
        }
        try await setDraining(true, reason: order.reason, order.targets, order.desk)
    }
}

struct UndrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Put what was drained back into service.",
        discussion: "'undrain region eu-west' releases the override on it; names of nodes undo a drain of the nodes.")

    @OptionGroup var targets: Targets
    @OptionGroup var desk: OverrideDesk

    @Option(help: "Why, for those who look at the status.")
    var reason: String = ""

    func run() async throws {
        if let subject = try OverrideSubject(targets.nodes) {
            return try await desk.release(subject, id: nil, reason: reason, targets)
        }
        try await setDraining(false, reason: reason, targets, desk)
    }
}

private func setDraining(_ draining: Bool, reason: String, _ targets: Targets, _ desk: OverrideDesk) async throws {
    guard !targets.nodes.isEmpty else { throw ValidationError("name the nodes") }
    let client = AdminClient(timeout: .seconds(targets.timeout))
    var body: StatusValue = ["drain": .bool(draining), "reason": .string(reason)]
    if desk.overrideSafety { body["overrideSafety"] = true }
    let request = body
    let answers = await client.ask(try targets.resolve()) {
        await client.post("/drain", request, to: $0, having: "state")
    }
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
