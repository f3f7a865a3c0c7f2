import ArgumentParser
import ControlPlane
import Model
import Topology

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a client is answered the way it is.",
        subcommands: [ExplainDNS.self])
}

struct ExplainDNS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns",
        abstract: "Say what a client would be answered by DNS, and every step that led there.",
        discussion: "With --topology alone the first DNS node is asked; several may see different things.")

    @Argument(help: "The name that is asked for.")
    var name: String

    @Argument(help: "The record type: A, AAAA, TXT and so on.")
    var type: String

    @Option(help: "The client's address, or that of its EDNS client subnet.")
    var client: String

    @Option(help: ArgumentHelp("The DNS node: its admin URL, or its name together with --topology.", valueName: "node"))
    var node: [String] = []

    @Option(help: "The topology that knows the nodes.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String?

    @Option(help: ArgumentHelp("The environment variable that holds the admin token.", valueName: "name"))
    var tokenEnv: String?

    @Flag(help: "Print what the node says, as JSON.")
    var json = false

    mutating func validate() throws {
        guard IPAddress(client) != nil else { throw ValidationError("--client: '\(client)' is not an address") }
        if node.isEmpty, topology == nil { throw ValidationError("give --node URL or --topology FILE") }
    }

    func run() async throws {
        let target = try target()
        let admin = AdminClient(timeout: .seconds(5))
        let question = [("kind", "dns"), ("name", name), ("type", type.uppercased()), ("client", client)]
        switch await admin.get("/explain?" + QueryText.joined(question), from: target) {
        case .failure(let failure):
            Output.line("\(target.name): \(failure.description)", to: .diagnostics)
            throw ExitCode(1)
        case .success(let answer):
            if let error = answer["error"].string {
                Output.line("\(target.name): \(error)", to: .diagnostics)
                throw ExitCode(1)
            }
            let whole = await withChains(answer, from: target, admin)
            if json { Output.write(whole) } else { Output.write(Explanation.text(whole)) }
        }
    }

    /// The answer with the whole chain of reasons at each region that is not healthy, instead of a summary.
    func withChains(_ answer: StatusValue, from target: Target, _ admin: AdminClient) async -> StatusValue {
        guard let service = answer["service"].string else { return answer }
        var candidates: [StatusValue] = []
        for var candidate in answer["candidates"].array {
            if candidate["healthy"].bool == false, let region = candidate["region"].string {
                let question = [("kind", "verdict"), ("service", service), ("region", region)]
                let verdict = try? await admin.get("/explain?" + QueryText.joined(question), from: target).get()
                // A service that is well is not why: then the answer's own addresses are, and its reason names them.
                if let verdict, verdict["healthy"].bool == false, !verdict["reasons"].array.isEmpty {
                    candidate["reasons"] = verdict["reasons"]
                    candidate["reason"] = nil
                }
            }
            candidates.append(candidate)
        }
        return candidates.isEmpty ? answer : answer.merging(["candidates": .array(candidates)])
    }

    private func target() throws -> Target {
        var targets = Targets()
        targets.nodes = node
        targets.topology = topology
        targets.tokenEnv = tokenEnv
        if node.isEmpty, let topology, let snapshot = try? TopologyLoader.load(path: topology) {
            targets.nodes = snapshot.nodes.filter { $0.tier == .dns && $0.admin != nil }.prefix(1).map(\.name)
        }
        guard let target = try targets.resolve().first else { throw ValidationError("no DNS node has an admin API") }
        return target
    }
}
