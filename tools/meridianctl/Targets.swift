import ArgumentParser
import Foundation
import Model
import Topology

/// Which nodes a command speaks to, and how.
struct Targets: ParsableArguments {
    @Argument(help: "Nodes: URLs of admin APIs, or names together with --topology.")
    var nodes: [String] = []

    @Option(help: "The topology that knows the nodes.", completion: .file(extensions: ["yaml", "yml"]))
    var topology: String?

    @Option(help: ArgumentHelp("The environment variable that holds the admin token.", valueName: "name"))
    var tokenEnv: String?

    @Option(help: ArgumentHelp("How long to wait for each node.", valueName: "seconds"))
    var timeout: Double = 5

    mutating func validate() throws {
        guard (0.1...600).contains(timeout) else {
            throw ValidationError("--timeout: read \(timeout); 0.1 to 600 seconds")
        }
    }

    /// The nodes in the order of the command line, or else all nodes of the topology that have an admin API.
    func resolve() throws -> [Target] {
        let override = try tokenEnv.map(Self.token)
        guard let topology else {
            guard !nodes.isEmpty else { throw ValidationError("name a node's URL, or give --topology FILE") }
            return try nodes.map { Target(name: $0, url: try Self.url($0), token: override) }
        }
        let snapshot: Snapshot
        do {
            snapshot = try TopologyLoader.load(path: topology)
        } catch {
            Output.line(error.description, to: .diagnostics)
            throw ExitCode(1)
        }
        if nodes.isEmpty { return snapshot.nodes.compactMap { Self.target($0, override) } }
        return try nodes.map { text in
            if text.contains(":") { return Target(name: text, url: try Self.url(text), token: override) }
            guard let node = snapshot.nodes.first(where: { $0.name == text }) else {
                let names = snapshot.nodes.map(\.name).joined(separator: ", ")
                throw ValidationError("no node is named '\(text)'; nodes: \(names)")
            }
            guard let target = Self.target(node, override) else {
                throw ValidationError("node '\(text)' has no admin API")
            }
            return target
        }
    }

    private static func target(_ node: Node, _ token: String?) -> Target? {
        guard let admin = node.admin else { return nil }
        // A node that listens on every address is asked at its own.
        let address = admin.address.isUnspecified ? SocketAddress(node.address, port: admin.port) : admin
        var token = token
        if token == nil, case .environment(let name) = node.adminToken {
            token = ProcessInfo.processInfo.environment[name]
        }
        return Target(name: node.name, url: "http://\(address)", token: token)
    }

    private static func url(_ text: String) throws -> String {
        var url = text.contains("://") ? text : "http://\(text)"
        while url.hasSuffix("/") { url.removeLast() }
        guard let parts = URLComponents(string: url), parts.host?.isEmpty == false,
            ["http", "https"].contains(parts.scheme), text.contains(":")
        else { throw ValidationError("'\(text)' is not the URL of a node, and names need --topology FILE") }
        return url
    }

    private static func token(_ name: String) throws -> String {
        guard let token = ProcessInfo.processInfo.environment[name], !token.isEmpty else {
            throw ValidationError("--token-env: the environment has no \(name)")
        }
        return token
    }
}

/// One node's admin API.
struct Target: Sendable {
    /// The node's name in the topology, or the URL as it was given.
    let name: String
    /// Without a path and without a final slash.
    let url: String
    let token: String?
}
