import ArgumentParser
import ControlPlane
import Model

/// What every override is ordered with.
struct OverrideOrder: ParsableArguments {
    @OptionGroup var targets: Targets
    @OptionGroup var desk: OverrideDesk

    @Option(help: "Why, for those who look at the status.")
    var reason: String
}

struct ForceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "force",
        abstract: "Have a region, service, name or node count as healthy or unhealthy, whatever is known about it.",
        subcommands: [Up.self, Down.self])

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Have it count as healthy.")

        @OptionGroup var order: OverrideOrder

        func run() async throws { try await force(.up, order) }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Have it count as unhealthy.")

        @OptionGroup var order: OverrideOrder

        func run() async throws { try await force(.down, order) }
    }

    private static func force(_ action: Override.Action, _ order: OverrideOrder) async throws {
        guard let subject = try OverrideSubject(order.targets.nodes) else {
            throw ValidationError(
                "say what: 'region eu-west', 'service shop', 'name www.shop.test' or 'node l7-eu-west'")
        }
        try await order.desk.say(action, subject, reason: order.reason, order.targets)
    }
}

struct GateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate", abstract: "Open or close the gate of a safety rule for a while.",
        subcommands: [Open.self, Close.self])

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let changes through.")

        @OptionGroup var order: OverrideOrder

        func run() async throws { try await set(.up, order) }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuse changes.")

        @OptionGroup var order: OverrideOrder

        func run() async throws { try await set(.down, order) }
    }

    private static func set(_ action: Override.Action, _ order: OverrideOrder) async throws {
        let named = order.targets.nodes
        guard named.count == 1, let subject = try OverrideSubject(["gate", named[0]]) else {
            throw ValidationError("which gate? The name of its rule")
        }
        try await order.desk.say(action, subject, reason: order.reason, order.targets)
    }
}

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Take an override back before its time is over.")

    @OptionGroup var targets: Targets
    @OptionGroup var desk: OverrideDesk

    @Option(help: "Why, for those who look at the status.")
    var reason: String = ""

    func run() async throws {
        if let subject = try OverrideSubject(targets.nodes) {
            try await desk.release(subject, id: nil, reason: reason, targets)
        } else if targets.nodes.count == 1 {
            try await desk.release(nil, id: targets.nodes[0], reason: reason, targets)
        } else {
            throw ValidationError("say which: its id, or what it is on, such as 'region eu-west'")
        }
    }
}

struct OverridesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overrides", abstract: "List the overrides in force.",
        discussion: "Oldest first: where several match, the last decides.")

    @OptionGroup var targets: Targets

    @Flag(help: "Print what the nodes say, as JSON.")
    var json = false

    func run() async throws {
        let client = AdminClient(timeout: .seconds(targets.timeout))
        let answers = await client.ask(try targets.resolve()) {
            await client.get("/overrides", from: $0, having: "overrides")
        }
        var known: [(node: String, overrides: [StatusValue])] = []
        var failed = false
        for (target, answer) in answers {
            switch answer {
            case .success(let value): known.append((target.name, value["overrides"].array))
            case .failure(let failure):
                failed = true
                Output.line("\(target.name): \(failure.description)", to: .diagnostics)
            }
        }
        if json {
            let nodes = known.map { ($0.node, StatusValue.array($0.overrides)) }
            Output.write(["nodes": .object(Dictionary(nodes) { first, _ in first })] as StatusValue)
        } else {
            Output.write(Self.text(known))
        }
        if failed { throw ExitCode(1) }
    }

    /// `known` is what each node said that answered. Where none did, nobody knows whether there are overrides.
    static func text(_ known: [(node: String, overrides: [StatusValue])]) -> String {
        guard !known.isEmpty else { return "" }
        let table = OverrideTable(known)
        return table.isEmpty ? "no overrides are in force\n" : table.text
    }
}
