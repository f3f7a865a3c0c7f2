import ArgumentParser
import ControlPlane
import Foundation
import Model
import Topology

/// What an override is about, as it is written on the command line: `region eu-west`, `name www.shop.test`.
struct OverrideSubject: Sendable, Hashable {
    let kind: Override.Target.Kind
    let pattern: String

    /// Nil when the words do not begin with a kind; then they name nodes.
    init?(_ words: [String]) throws {
        guard let kind = words.first.flatMap(Override.Target.Kind.init) else { return nil }
        guard words.count == 2 else {
            throw ValidationError("which \(kind.rawValue)? One name or pattern, such as '\(kind.rawValue) eu-*'")
        }
        self.kind = kind
        pattern = words[1]
    }

    func target(in region: String?) throws -> Override.Target {
        if region != nil, kind != .name, kind != .service {
            throw ValidationError("--region goes with names and services")
        }
        return Override.Target(kind, pattern, region: region ?? "*")
    }
}

/// How long, why, by whom, and at which node an override is said.
struct OverrideDesk: ParsableArguments {
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long it counts: 30m, 2h, 1d; at most 31d.", valueName: "duration"))
    var duration = "1h"

    @Option(help: ArgumentHelp("For a name or a service: only in the regions of this name or pattern."))
    var region: String?

    @Option(help: "Who says so.")
    var author: String = ProcessInfo.processInfo.environment["USER"] ?? "meridianctl"

    @Flag(help: "Go on although a safety rule refuses it. The reason is logged.")
    var overrideSafety = false

    @Option(
        help: ArgumentHelp(
            "The node that is told first: its admin URL, or its name together with --topology. Without it the first DNS"
                + " node of the topology that answers.", valueName: "node"))
    var node: String?

    mutating func validate() throws { _ = try seconds() }

    func seconds() throws -> Int64 {
        guard let time = Duration(text: duration, in: .seconds(1)...Override.longest),
            time.components.attoseconds == 0
        else { throw ValidationError("--for: read '\(duration)'; a duration in whole seconds, 1s to 31d") }
        return time.components.seconds
    }

    /// The nodes that may be told, the best first. Any one of them is enough: the others hear of it by federation.
    func nodes(_ targets: Targets) throws -> [Target] {
        var targets = targets
        targets.nodes = node.map { [$0] } ?? []
        if node == nil, let topology = targets.topology, let snapshot = try? TopologyLoader.load(path: topology) {
            let open = snapshot.nodes.filter { $0.admin != nil }
            targets.nodes = open.filter { $0.tier == .dns }.map(\.name) + open.filter { $0.tier != .dns }.map(\.name)
        }
        return try targets.resolve()
    }

    /// Asks one node after the other until one answers, be it with a refusal.
    func first(
        _ targets: [Target], _ question: (Target) async -> Result<StatusValue, AdminClient.Failure>
    ) async throws -> (target: Target, value: StatusValue) {
        for target in targets {
            switch await question(target) {
            case .success(let value): return (target, value)
            case .failure(let failure):
                Output.line("\(target.name): \(failure.description)", to: .diagnostics)
                if !failure.isUnreachable { throw ExitCode(1) }
            }
        }
        throw ExitCode(1)
    }

    func say(_ action: Override.Action, _ subject: OverrideSubject, reason: String, _ targets: Targets) async throws {
        let target = try subject.target(in: region)
        var body: StatusValue = [
            "action": .string(action.rawValue), "kind": .string(target.kind.rawValue),
            "pattern": .string(target.pattern), "region": .string(target.region), "seconds": .int(try seconds()),
            "reason": .string(reason), "author": .string(author),
        ]
        if overrideSafety { body["overrideSafety"] = true }
        let client = AdminClient(timeout: .seconds(targets.timeout))
        let request = body
        let (node, answer) = try await first(try nodes(targets)) {
            await client.post("/overrides", request, to: $0, having: "override")
        }
        let made = answer["override"]
        let matches = answer["matches"].array.compactMap(\.string)
        let shown = matches.prefix(8).joined(separator: ", ") + (matches.count > 8 ? ", …" : "")
        Output.line(
            "\(node.name): \(made["id"].string ?? ""): \(target) \(OverrideTable.word(action)) for "
                + "\(Figure.age(made["remainingSeconds"].double)): \(shown)")
        let against = made["against"].array.compactMap(\.string)
        if !against.isEmpty {
            Output.line("against \(against.joined(separator: ", "))", to: .diagnostics)
        }
    }

    /// Takes back what stands on `subject`, or the override called `id`.
    func release(
        _ subject: OverrideSubject?, id: String?, reason: String, _ targets: Targets
    ) async throws {
        let client = AdminClient(timeout: .seconds(targets.timeout))
        let open = try nodes(targets)
        var id = id ?? ""
        if let subject {
            let wanted = try subject.target(in: region)
            let (node, list) = try await first(open) { await client.get("/overrides", from: $0, having: "overrides") }
            let found = list["overrides"].array.first {
                $0["kind"].string == wanted.kind.rawValue && $0["pattern"].string == wanted.pattern
                    && $0["region"].string == wanted.region
            }
            guard let known = found?["id"].string else {
                Output.line("\(node.name): no override on \(wanted) is in force", to: .diagnostics)
                throw ExitCode(1)
            }
            id = known
        }
        var query = [("author", author), ("reason", reason)]
        if overrideSafety { query.append(("overrideSafety", "true")) }
        let path = "/overrides/\(QueryText.encoded(id))?\(QueryText.joined(query))"
        let (node, answer) = try await first(open) { await client.delete(path, from: $0, having: "released") }
        Output.line("\(node.name): \(answer["released"]["target"].string ?? id): released")
    }
}

/// Queries as they travel.
enum QueryText {
    static func joined(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\($0.name)=\(encoded($0.value))" }.joined(separator: "&")
    }

    /// Everything but unreserved characters (RFC 3986 section 2.3) as `%XX`: a `+` stays a plus.
    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80,
                scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-._~".unicodeScalars.contains(scalar)
            {
                return String(scalar)
            }
            let hex = String(byte, radix: 16, uppercase: true)
            return "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }
}
